// SPDX-License-Identifier: MPL-2.0
//
// Drawings of a session over time: the last two minutes, and the whole.

import { ATTITUDES, SIGNS } from "./attitudes.js";
import { HOLE_S, RECENT_S } from "./history.js";
import { clock, percent } from "./text.js";

/** Heights in px. */
const NOTES_PX = 16;
const SCORES_PX = 84;
const STRIP_PX = 22;
const GAP_PX = 4;
const TICKS_PX = 18;

/** Room for names at the left. */
const NAMES_PX = 56;

/** Most faces that have a strip. */
const MAX_FACES = 4;

/** How far apart marks may be, in seconds, and least room for one. */
const TICK_STEPS_S = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const TICK_PX = 60;

/** Least widths of a spell that has an outline, a sign, a word. */
const EDGE_FROM_PX = 3;
const SIGN_FROM_PX = 14;
const WORD_FROM_PX = 64;

const FONT = 'system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif';

/** A canvas that is drawn in px of the page, with time along its width. */
class Chart {
    constructor(canvas, palette, left) {
        this.canvas = canvas;
        this.palette = palette;
        this.context = canvas.getContext("2d");
        this.left = left;
        this.height = 0;
    }

    /** Makes it empty and as large as it is on the page, for times from `start_s` to `end_s`. */
    begin(height, start_s, end_s) {
        if (this.height !== height) {
            this.height = height;
            this.canvas.style.height = `${height}px`;
        }
        const scale = devicePixelRatio;
        const width = this.canvas.clientWidth;
        const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
        if (this.canvas.width !== size.width || this.canvas.height !== size.height) Object.assign(this.canvas, size);
        this.context.setTransform(scale, 0, 0, scale, 0, 0);
        this.context.clearRect(0, 0, width, height);
        [this.width, this.start_s, this.end_s] = [width, start_s, end_s];
    }

    x(time_s) {
        const place = (time_s - this.start_s) / (this.end_s - this.start_s);
        return this.left + Math.min(Math.max(place, 0), 1) * (this.width - this.left);
    }

    fill(color, x, y, width, height) {
        this.context.fillStyle = color;
        this.context.fillRect(x, y, width, height);
    }

    text(text, x, y, color, align = "left", weight = 400) {
        const { context } = this;
        context.font = `${weight} 12px ${FONT}`;
        context.textAlign = align;
        context.textBaseline = "middle";
        context.fillStyle = this.palette.color(color);
        context.fillText(text, x, y);
    }

    /** Where something could have been. */
    frame(y, height) {
        this.context.strokeStyle = this.palette.color("rule");
        this.context.lineWidth = 1;
        this.context.strokeRect(this.left + 0.5, y + 0.5, this.width - this.left - 1, height - 1);
    }

    strip(spells, y, height = STRIP_PX) {
        this.frame(y, height);
        const { context, palette } = this;
        for (const { kind, start_s, end_s } of spells) {
            const [start, end] = [this.x(start_s), this.x(end_s)];
            if (end <= start) continue;
            const width = Math.max(end - start, 1);
            if (kind === "nobody") {
                this.fill(palette.color("plate"), start, y, width, height);
                continue;
            }
            this.fill(palette.fill(context, kind), start, y, width, height);
            if (width >= EDGE_FROM_PX) {
                context.strokeStyle = palette.color("on-color");
                context.lineWidth = 0.6;
                context.strokeRect(start, y + 0.3, width, height - 0.6);
            }
            const word = width >= WORD_FROM_PX ? kind : width >= SIGN_FROM_PX ? SIGNS[kind] : "";
            this.text(word, (start + end) / 2, y + height / 2 + 0.5, "on-color", "center", 600);
        }
    }

    /** Marks at whole times, and lines up to them. */
    ticks(top, y) {
        const room = Math.max(Math.floor((this.width - this.left) / TICK_PX), 1);
        const length_s = this.end_s - this.start_s;
        const step_s = TICK_STEPS_S.find((step) => length_s / step <= room) ?? TICK_STEPS_S.at(-1);
        const first = Math.ceil(Math.max(this.start_s, 0) / step_s);
        for (let time_s = first * step_s; time_s <= this.end_s; time_s += step_s) {
            const x = this.x(time_s);
            this.context.globalAlpha = 0.25;
            this.fill(this.palette.color("on-color"), x - 0.5, top, 1, y - top);
            this.context.globalAlpha = 1;
            const align = x < this.left + 16 ? "left" : x > this.width - 16 ? "right" : "center";
            this.text(clock(time_s), x, y + TICKS_PX / 2 + 1, "faint", align);
        }
    }

    notes(notes, bottom) {
        notes.forEach(({ time_ns }, index) => {
            const time_s = time_ns / 1e9;
            if (time_s < this.start_s) return;
            const x = this.x(time_s);
            this.fill(this.palette.color("ink"), x - 1, 0, 2, bottom);
            const number = String(index + 1);
            const width = 8 + 7 * number.length;
            const start = Math.min(x - 1, this.width - width);
            this.fill(this.palette.color("ink"), start, 0, width, NOTES_PX - 2);
            this.text(number, start + width / 2, NOTES_PX / 2 - 0.5, "paper", "center", 600);
        });
    }
}

/** The last two minutes. */
export class Recent {
    #chart;
    #rows = 1;

    constructor(canvas, palette) {
        this.#chart = new Chart(canvas, palette, NAMES_PX);
    }

    /**
     * @param {import("./history.js").History} history
     * @param {{time_ns: number}[]} notes
     * @param {number} now_s the session's time
     */
    draw(history, notes, now_s) {
        const chart = this.#chart;
        const samples = history.recent.filter(({ time_s }) => time_s > now_s - RECENT_S - HOLE_S);
        const tracks = worthShowing(samples);
        // It never becomes lower, so that the page stands still.
        this.#rows = Math.max(this.#rows, tracks.length);
        const stripsY = NOTES_PX + SCORES_PX + GAP_PX;
        const ticksY = stripsY + this.#rows * (STRIP_PX + GAP_PX);
        chart.begin(ticksY + TICKS_PX, now_s - RECENT_S, now_s);
        this.#scores(samples);
        tracks.forEach((track, row) => {
            const y = stripsY + row * (STRIP_PX + GAP_PX);
            chart.text(`Face ${track}`, 0, y + STRIP_PX / 2, "faint");
            chart.strip(spellsOf(samples, track), y);
        });
        for (let row = tracks.length; row < this.#rows; row += 1) {
            chart.frame(stripsY + row * (STRIP_PX + GAP_PX), STRIP_PX);
        }
        chart.ticks(NOTES_PX, ticksY - GAP_PX);
        chart.notes(notes, ticksY - GAP_PX);
    }

    reset() {
        this.#rows = 1;
    }

    /** In words. */
    static words(history) {
        const samples = history.recent;
        if (samples.length === 0) return "The last two minutes: nothing yet";
        const told = worthShowing(samples).map((track) => {
            const seen = samples.flatMap(({ faces }) => faces.filter(([it]) => it === track));
            const shares = ATTITUDES.map((it) => [it, seen.filter(([, name]) => name === it).length / seen.length]);
            const parts = shares.filter(([, share]) => share > 0).map(([name, share]) => `${name} ${percent(share)}`);
            return `face ${track} ${parts.join(", ")}`;
        });
        return `The last two minutes: ${told.length > 0 ? told.join("; ") : "no face"}`;
    }

    #scores(samples) {
        const chart = this.#chart;
        const { context, palette } = chart;
        chart.text("All", 0, NOTES_PX + SCORES_PX / 2, "faint");
        chart.frame(NOTES_PX, SCORES_PX);
        const y = (share) => NOTES_PX + share * SCORES_PX;
        for (const stretch of stretches(samples)) {
            const start = chart.x(stretch[0].time_s);
            const end = chart.x(endOf(stretch.at(-1), stretch.next));
            if (stretch[0].scores === null) {
                chart.fill(palette.color("plate"), start, NOTES_PX, end - start, SCORES_PX);
                continue;
            }
            chart.fill(palette.color("neutral"), start, NOTES_PX, end - start, SCORES_PX);
            for (const [name, base, edge] of [["positive", 0, (it) => it], ["negative", 1, (it) => 1 - it]]) {
                context.beginPath();
                context.moveTo(start, y(base));
                for (const { time_s, scores } of stretch) context.lineTo(chart.x(time_s), y(edge(share(scores, name))));
                context.lineTo(end, y(edge(share(stretch.at(-1).scores, name))));
                context.lineTo(end, y(base));
                context.closePath();
                context.fillStyle = palette.color(name);
                context.fill();
                context.strokeStyle = palette.color("on-color");
                context.lineWidth = 0.8;
                context.stroke();
            }
        }
    }
}

/** The whole session as one strip. */
export class Whole {
    #chart;

    constructor(canvas, palette) {
        this.#chart = new Chart(canvas, palette, 0);
    }

    /** As `Recent` does. */
    draw(history, notes, now_s) {
        const chart = this.#chart;
        const bottom = NOTES_PX + STRIP_PX + 6;
        chart.begin(bottom + TICKS_PX, 0, Math.max(now_s, 60));
        chart.strip(history.spells, NOTES_PX, STRIP_PX + 6);
        chart.ticks(NOTES_PX, bottom);
        chart.notes(notes, bottom);
    }

    /** In words. */
    static words(history, now_s) {
        const { shares } = history;
        const told = ATTITUDES.filter((it) => shares?.[it] > 0).map((it) => `${it} ${percent(shares[it])}`);
        return `The whole session, ${clock(now_s)}: ${told.length > 0 ? told.join(", ") : "no face"}`;
    }
}

/** The tracks that are seen now, then those that are seen in most of the samples, by number. */
function worthShowing(samples) {
    const times = new Map();
    for (const { faces } of samples) for (const [track] of faces) times.set(track, (times.get(track) ?? 0) + 1);
    const present = new Set(samples.at(-1)?.faces.map(([track]) => track));
    const order = (a, b) => present.has(b) - present.has(a) || times.get(b) - times.get(a);
    const tracks = [...times.keys()].sort(order).slice(0, MAX_FACES);
    return tracks.sort((a, b) => a - b);
}

/** A track's spells; `nobody` while it is not seen. */
function spellsOf(samples, track) {
    const spells = [];
    samples.forEach((sample, index) => {
        const kind = sample.faces.find(([it]) => it === track)?.[1] ?? "nobody";
        const end_s = endOf(sample, samples[index + 1]);
        const last = spells.at(-1);
        if (last && last.kind === kind && last.end_s >= sample.time_s) last.end_s = end_s;
        else spells.push({ kind, start_s: sample.time_s, end_s });
    });
    return spells;
}

/** Runs of samples, without a hole, that all have scores or all have none. Each knows what comes `next`. */
function stretches(samples) {
    const stretches = [];
    for (const sample of samples) {
        const stretch = stretches.at(-1);
        const last = stretch?.at(-1);
        const isNear = last && sample.time_s - last.time_s < HOLE_S;
        if (isNear && (last.scores === null) === (sample.scores === null)) {
            stretch.push(sample);
        } else {
            if (stretch) stretch.next = sample;
            stretches.push([sample]);
        }
    }
    return stretches;
}

/** Until when a sample stands. */
function endOf(sample, next) {
    return next && next.time_s - sample.time_s < HOLE_S ? next.time_s : sample.time_s + HOLE_S / 4;
}

/** The score's share of all three. */
function share(scores, name) {
    return scores[name] / Math.max(scores.positive + scores.neutral + scores.negative, Number.MIN_VALUE);
}
