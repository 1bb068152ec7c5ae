// SPDX-License-Identifier: MPL-2.0
//
// Draws the timelines: of the last two minutes and of the whole session.

import { ATTITUDES, SIGNS } from "./attitudes.js";
import { context2d } from "./dom.js";
import { MAX_SPACING_S, RECENT_S } from "./history.js";
import { formatPercent, formatPosition } from "./text.js";

/** @import { Palette } from "./attitudes.js" */
/** @import { History, Sample } from "./history.js" */
/** @import { NoteMark, ScoredAttitude, Scores, Segment } from "./types.js" */

/** Heights in CSS pixels. */
const NOTES_PX = 16;
const SCORES_PX = 84;
const STRIP_PX = 22;
const SESSION_STRIP_PX = 28;
const GAP_PX = 4;
const TICKS_PX = 18;

/** Width of the column of names at the left. */
const NAMES_PX = 56;

/** Maximum number of faces that have a strip. */
const MAX_FACES = 4;

/** Minimum span of the session's timeline. */
const MIN_SESSION_S = 60;

/** Intervals between ticks, and the minimum width of one. */
const TICK_INTERVALS_S = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const MIN_TICK_PX = 60;

/** Minimum widths of a segment that has an outline, a sign, a name. */
const MIN_OUTLINE_PX = 3;
const MIN_SIGN_PX = 14;
const MIN_NAME_PX = 64;

const FONT = 'system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif';

/** A canvas with time along its width. All lengths are in CSS pixels. */
class TimelineCanvas {
    #canvas;
    #startX;
    #width = 0;
    #height = 0;
    #start_s = 0;
    #end_s = 1;

    /**
     * @param {HTMLCanvasElement} canvas
     * @param {Palette} palette
     * @param {number} startX position of the first time
     */
    constructor(canvas, palette, startX) {
        this.#canvas = canvas;
        this.context = context2d(canvas);
        this.palette = palette;
        this.#startX = startX;
    }

    /**
     * Clears the canvas, and fits it to its size on the page.
     * @param {number} height
     * @param {number} start_s
     * @param {number} end_s
     */
    begin(height, start_s, end_s) {
        const canvas = this.#canvas;
        if (this.#height !== height) {
            this.#height = height;
            canvas.style.height = `${height}px`;
        }
        const scale = devicePixelRatio;
        const size = { width: Math.round(canvas.clientWidth * scale), height: Math.round(height * scale) };
        if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
        [this.#width, this.#start_s, this.#end_s] = [canvas.clientWidth, start_s, end_s];
        this.context.setTransform(scale, 0, 0, scale, 0, 0);
        this.context.clearRect(0, 0, this.#width, height);
    }

    /**
     * Returns the position of a time, within the canvas.
     * @param {number} time_s
     */
    x(time_s) {
        const fraction = (time_s - this.#start_s) / (this.#end_s - this.#start_s);
        return this.#startX + Math.min(Math.max(fraction, 0), 1) * (this.#width - this.#startX);
    }

    /**
     * @param {string | CanvasPattern} style
     * @param {number} x
     * @param {number} y
     * @param {number} width
     * @param {number} height
     */
    fill(style, x, y, width, height) {
        this.context.fillStyle = style;
        this.context.fillRect(x, y, width, height);
    }

    /**
     * Draws a text, centered at `y`.
     * @param {string} text
     * @param {number} x
     * @param {number} y
     * @param {string} color
     * @param {CanvasTextAlign} align
     * @param {number} weight
     */
    text(text, x, y, color, align = "left", weight = 400) {
        const { context } = this;
        context.font = `${weight} 12px ${FONT}`;
        context.textAlign = align;
        context.textBaseline = "middle";
        context.fillStyle = this.palette.color(color);
        context.fillText(text, x, y);
    }

    /**
     * Draws the border of a row.
     * @param {number} y
     * @param {number} height
     */
    border(y, height) {
        this.context.strokeStyle = this.palette.color("border");
        this.context.lineWidth = 1;
        this.context.strokeRect(this.#startX + 0.5, y + 0.5, this.#width - this.#startX - 1, height - 1);
    }

    /**
     * Draws a row of segments.
     * @param {Segment[]} segments
     * @param {number} y
     * @param {number} height
     */
    strip(segments, y, height) {
        this.border(y, height);
        const { context, palette } = this;
        for (const { kind, start_s, end_s } of segments) {
            const [start, end] = [this.x(start_s), this.x(end_s)];
            if (end <= start) continue;
            const width = Math.max(end - start, 1);
            if (kind === "no-face") {
                this.fill(palette.color("empty"), start, y, width, height);
                continue;
            }
            this.fill(palette.fill(context, kind), start, y, width, height);
            if (width >= MIN_OUTLINE_PX) {
                context.strokeStyle = palette.color("on-attitude");
                context.lineWidth = 0.6;
                context.strokeRect(start, y + 0.3, width, height - 0.6);
            }
            const label = width >= MIN_NAME_PX ? kind : width >= MIN_SIGN_PX ? SIGNS[kind] : "";
            this.text(label, (start + end) / 2, y + height / 2 + 0.5, "on-attitude", "center", 600);
        }
    }

    /**
     * Draws ticks at round times, with lines across the rows.
     * @param {number} top of the lines
     * @param {number} bottom of the lines
     */
    ticks(top, bottom) {
        const maxTicks = Math.max(Math.floor((this.#width - this.#startX) / MIN_TICK_PX), 1);
        const span_s = this.#end_s - this.#start_s;
        const longest_s = TICK_INTERVALS_S[TICK_INTERVALS_S.length - 1];
        const interval_s = TICK_INTERVALS_S.find((it) => span_s / it <= maxTicks) ?? longest_s;
        const first = Math.ceil(Math.max(this.#start_s, 0) / interval_s);
        for (let time_s = first * interval_s; time_s <= this.#end_s; time_s += interval_s) {
            const x = this.x(time_s);
            this.context.globalAlpha = 0.25;
            this.fill(this.palette.color("on-attitude"), x - 0.5, top, 1, bottom - top);
            this.context.globalAlpha = 1;
            const align = x < this.#startX + 16 ? "left" : x > this.#width - 16 ? "right" : "center";
            this.text(formatPosition(time_s), x, bottom + TICKS_PX / 2 + 1, "text-muted", align);
        }
    }

    /**
     * Draws numbers of notes, with lines across the rows.
     * @param {NoteMark[]} notes
     * @param {number} bottom of the lines
     */
    notes(notes, bottom) {
        const color = this.palette.color("text");
        for (const [index, { time_ns }] of notes.entries()) {
            const time_s = time_ns / 1e9;
            if (time_s < this.#start_s) continue;
            const x = this.x(time_s);
            this.fill(color, x - 1, 0, 2, bottom);
            const number = String(index + 1);
            const width = 8 + 7 * number.length;
            const start = Math.min(x - 1, this.#width - width);
            this.fill(color, start, 0, width, NOTES_PX - 2);
            this.text(number, start + width / 2, NOTES_PX / 2 - 0.5, "background", "center", 600);
        }
    }
}

/** The timeline of the last two minutes: the scene's scores, and one strip per face. */
export class RecentTimeline {
    #timeline;
    #rows = 1;

    /**
     * @param {HTMLCanvasElement} canvas
     * @param {Palette} palette
     */
    constructor(canvas, palette) {
        this.#timeline = new TimelineCanvas(canvas, palette, NAMES_PX);
    }

    /**
     * @param {History} history
     * @param {NoteMark[]} notes
     * @param {number} now_s the session's time
     */
    draw(history, notes, now_s) {
        const timeline = this.#timeline;
        const samples = history.recent.filter(({ time_s }) => time_s > now_s - RECENT_S - MAX_SPACING_S);
        const tracks = selectTracks(samples);
        // The number of rows never decreases, so that the page below does not move.
        this.#rows = Math.max(this.#rows, tracks.length);
        const stripsY = NOTES_PX + SCORES_PX + GAP_PX;
        const ticksY = stripsY + this.#rows * (STRIP_PX + GAP_PX);
        timeline.begin(ticksY + TICKS_PX, now_s - RECENT_S, now_s);
        this.#drawScores(samples);
        for (let row = 0; row < this.#rows; row += 1) {
            const y = stripsY + row * (STRIP_PX + GAP_PX);
            if (row < tracks.length) {
                timeline.text(`Face ${tracks[row]}`, 0, y + STRIP_PX / 2, "text-muted");
                timeline.strip(segmentsOf(samples, tracks[row]), y, STRIP_PX);
            } else {
                timeline.border(y, STRIP_PX);
            }
        }
        timeline.ticks(NOTES_PX, ticksY - GAP_PX);
        timeline.notes(notes, ticksY - GAP_PX);
    }

    /** Removes the rows of faces. */
    reset() {
        this.#rows = 1;
    }

    /**
     * Describes the timeline for screen readers.
     * @param {History} history
     */
    static describe(history) {
        const samples = history.recent;
        if (samples.length === 0) return "Timeline of the last two minutes: empty";
        const faces = selectTracks(samples).map((track) => {
            const seen = samples.flatMap(({ faces }) => faces.filter((face) => face.track === track));
            const shares = ATTITUDES.map((attitude) => ({
                attitude,
                share: seen.filter((face) => face.attitude === attitude).length / seen.length,
            }));
            return `face ${track} ${describeShares(shares)}`;
        });
        return `Timeline of the last two minutes: ${faces.length > 0 ? faces.join("; ") : "no face"}`;
    }

    /** @param {Sample[]} samples */
    #drawScores(samples) {
        const timeline = this.#timeline;
        const { palette } = timeline;
        timeline.text("All", 0, NOTES_PX + SCORES_PX / 2, "text-muted");
        timeline.border(NOTES_PX, SCORES_PX);
        for (const { run, end_s } of splitIntoRuns(samples)) {
            const start = timeline.x(run[0].time_s);
            const width = timeline.x(end_s) - start;
            const color = palette.color(run[0].scores === null ? "empty" : "neutral");
            timeline.fill(color, start, NOTES_PX, width, SCORES_PX);
            this.#drawArea(run, end_s, "positive");
            this.#drawArea(run, end_s, "negative");
        }
    }

    /**
     * Draws the area of one score: of `positive` from the top down, of `negative` from the bottom up.
     * @param {Sample[]} run
     * @param {number} end_s
     * @param {"positive" | "negative"} name
     */
    #drawArea(run, end_s, name) {
        const timeline = this.#timeline;
        const { context, palette } = timeline;
        const y = (/** @type {number} */ score) => NOTES_PX + (name === "positive" ? score : 1 - score) * SCORES_PX;
        const [start, end] = [timeline.x(run[0].time_s), timeline.x(end_s)];
        context.beginPath();
        context.moveTo(start, y(0));
        let lastY = y(0);
        for (const { time_s, scores } of run) {
            if (scores === null) return;
            lastY = y(normalizedScore(scores, name));
            context.lineTo(timeline.x(time_s), lastY);
        }
        context.lineTo(end, lastY);
        context.lineTo(end, y(0));
        context.closePath();
        context.fillStyle = palette.color(name);
        context.fill();
        context.strokeStyle = palette.color("on-attitude");
        context.lineWidth = 0.8;
        context.stroke();
    }
}

/** The timeline of the whole session: one strip. */
export class SessionTimeline {
    #timeline;

    /**
     * @param {HTMLCanvasElement} canvas
     * @param {Palette} palette
     */
    constructor(canvas, palette) {
        this.#timeline = new TimelineCanvas(canvas, palette, 0);
    }

    /**
     * @param {History} history
     * @param {NoteMark[]} notes
     * @param {number} now_s the session's time
     */
    draw(history, notes, now_s) {
        const timeline = this.#timeline;
        const bottom = NOTES_PX + SESSION_STRIP_PX;
        timeline.begin(bottom + TICKS_PX, 0, Math.max(now_s, MIN_SESSION_S));
        timeline.strip(history.segments, NOTES_PX, SESSION_STRIP_PX);
        timeline.ticks(NOTES_PX, bottom);
        timeline.notes(notes, bottom);
    }

    /**
     * Describes the timeline for screen readers.
     * @param {History} history
     * @param {number} now_s the session's time
     */
    static describe(history, now_s) {
        const { shares } = history;
        const text = shares && describeShares(ATTITUDES.map((attitude) => ({ attitude, share: shares[attitude] })));
        return `Timeline of the whole session, ${formatPosition(now_s)}: ${text ?? "no face"}`;
    }
}

/** @param {{ attitude: string, share: number }[]} shares */
function describeShares(shares) {
    const parts = shares.filter(({ share }) => share > 0);
    return parts.map(({ attitude, share }) => `${attitude} ${formatPercent(share)}`).join(", ");
}

/**
 * Returns the tracks that have a strip, by number: those in the last sample, then those in most of the samples.
 * @param {Sample[]} samples
 */
function selectTracks(samples) {
    /** @type {Map<number, number>} */
    const counts = new Map();
    for (const { faces } of samples) {
        for (const { track } of faces) counts.set(track, (counts.get(track) ?? 0) + 1);
    }
    const current = new Set(samples.at(-1)?.faces.map(({ track }) => track));
    const tracks = [...counts].map(([track, count]) => ({ track, count, isCurrent: Number(current.has(track)) }));
    tracks.sort((a, b) => b.isCurrent - a.isCurrent || b.count - a.count);
    return tracks
        .slice(0, MAX_FACES)
        .map(({ track }) => track)
        .sort((a, b) => a - b);
}

/**
 * Returns the segments of a track; `no-face` while it is not seen.
 * @param {Sample[]} samples
 * @param {number} track
 */
function segmentsOf(samples, track) {
    /** @type {Segment[]} */
    const segments = [];
    for (const [index, sample] of samples.entries()) {
        const kind = sample.faces.find((face) => face.track === track)?.attitude ?? "no-face";
        const end_s = endOf(sample, samples[index + 1]);
        const last = segments.at(-1);
        if (last && last.kind === kind && last.end_s >= sample.time_s) last.end_s = end_s;
        else segments.push({ kind, start_s: sample.time_s, end_s });
    }
    return segments;
}

/**
 * Splits samples into runs without a gap in which either all or none have scores.
 * @param {Sample[]} samples
 */
function splitIntoRuns(samples) {
    /** @type {{ run: Sample[], end_s: number }[]} */
    const runs = [];
    for (const [index, sample] of samples.entries()) {
        const end_s = endOf(sample, samples[index + 1]);
        const current = runs.at(-1);
        const last = current?.run.at(-1);
        const isContinued =
            last && sample.time_s - last.time_s < MAX_SPACING_S && (last.scores === null) === (sample.scores === null);
        if (current && isContinued) {
            current.run.push(sample);
            current.end_s = end_s;
        } else {
            runs.push({ run: [sample], end_s });
        }
    }
    return runs;
}

/**
 * Returns the end of a sample: the time of the next one unless there is a gap between them.
 * @param {Sample} sample
 * @param {Sample} [next]
 */
function endOf(sample, next) {
    return next && next.time_s - sample.time_s < MAX_SPACING_S ? next.time_s : sample.time_s + MAX_SPACING_S / 4;
}

/**
 * Returns a score divided by the sum of all scores.
 * @param {Scores} scores
 * @param {ScoredAttitude} name
 */
function normalizedScore(scores, name) {
    return scores[name] / Math.max(scores.positive + scores.neutral + scores.negative, Number.MIN_VALUE);
}
