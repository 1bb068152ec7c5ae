// SPDX-License-Identifier: MPL-2.0
//
// Draws the timeline of the last two minutes.

import { ATTITUDES } from "./attitudes.js";
import { MAX_SPACING_S, RECENT_S } from "./history.js";
import { formatPerson, formatShares } from "./text.js";
import { NOTES_PX, TICKS_PX, TimelineCanvas } from "./timeline-canvas.js";

/** @import { Palette } from "./attitudes.js" */
/** @import { History, Sample } from "./history.js" */
/** @import { NoteMark, ScoredAttitude, Scores, Segment } from "./types.js" */

/** Heights in CSS pixels; that of the scores is smaller on phones, where the buttons need two rows. */
const SCORES_PX = 84;
const PHONE_SCORES_PX = 52;
const STRIP_PX = 22;
const GAP_PX = 4;

/** Maximum width of the timeline on a phone. */
const PHONE_PX = 420;

/** Width of the column of names at the left. */
const NAMES_PX = 62;

/** Maximum number of persons that have a strip. */
const MAX_PERSONS = 4;

/** Span of the timeline at the start of a session; it grows up to that of the recent samples. */
const MIN_SPAN_S = 20;

/** The timeline of the last two minutes: the scene's scores, and one strip per person. */
export class RecentTimeline {
    #canvas;
    #timeline;
    #rows = 1;

    /**
     * @param {HTMLCanvasElement} canvas
     * @param {Palette} palette
     */
    constructor(canvas, palette) {
        this.#canvas = canvas;
        this.#timeline = new TimelineCanvas(canvas, palette, NAMES_PX);
    }

    /**
     * @param {History} history
     * @param {NoteMark[]} notes
     * @param {number} now_s the session's time
     */
    draw(history, notes, now_s) {
        const timeline = this.#timeline;
        const start_s = Math.max(now_s - RECENT_S, 0);
        const samples = history.recent.filter(({ time_s }) => time_s > start_s - MAX_SPACING_S);
        const persons = selectPersons(samples);
        // The number of rows never decreases, so that the page below does not move.
        this.#rows = Math.max(this.#rows, persons.length);
        const stripsY = NOTES_PX + this.#scoresPx + GAP_PX;
        const ticksY = stripsY + this.#rows * (STRIP_PX + GAP_PX);
        timeline.begin(ticksY + TICKS_PX, start_s, Math.max(now_s, MIN_SPAN_S));
        this.#drawScores(samples, now_s);
        for (let row = 0; row < this.#rows; row += 1) {
            const y = stripsY + row * (STRIP_PX + GAP_PX);
            if (row < persons.length) {
                timeline.text(formatPerson(persons[row]), 0, y + STRIP_PX / 2, "text-muted");
                timeline.strip(segmentsOf(samples, persons[row]), y, STRIP_PX, now_s);
            } else {
                timeline.row(y, STRIP_PX, now_s);
            }
        }
        timeline.ticks(NOTES_PX, ticksY - GAP_PX);
        timeline.notes(notes, ticksY - GAP_PX);
    }

    get #scoresPx() {
        return this.#canvas.clientWidth <= PHONE_PX ? PHONE_SCORES_PX : SCORES_PX;
    }

    /** Removes the rows of persons. */
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
        const persons = selectPersons(samples).map((person) => {
            const seen = samples.flatMap(({ faces }) => faces.filter((face) => face.person === person));
            const shares = ATTITUDES.map((attitude) => ({
                attitude,
                share: seen.filter((face) => face.attitude === attitude).length / seen.length,
            }));
            return `${formatPerson(person)} ${formatShares(shares)}`;
        });
        return `Timeline of the last two minutes: ${persons.length > 0 ? persons.join("; ") : "no face"}`;
    }

    /**
     * @param {Sample[]} samples
     * @param {number} now_s
     */
    #drawScores(samples, now_s) {
        const timeline = this.#timeline;
        const { palette } = timeline;
        timeline.text("All", 0, NOTES_PX + this.#scoresPx / 2, "text-muted");
        timeline.row(NOTES_PX, this.#scoresPx, now_s);
        for (const { run, end_s } of splitIntoRuns(samples)) {
            if (run[0].scores === null) continue;
            const start = timeline.x(run[0].time_s);
            timeline.fill(palette.color("neutral"), start, NOTES_PX, timeline.x(end_s) - start, this.#scoresPx);
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
        const y = (/** @type {number} */ score) =>
            NOTES_PX + (name === "positive" ? score : 1 - score) * this.#scoresPx;
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

/**
 * Returns the persons that have a strip, by number: those in the last sample, then those in most of the samples.
 * @param {Sample[]} samples
 */
function selectPersons(samples) {
    /** @type {Map<number, number>} */
    const counts = new Map();
    for (const { faces } of samples) {
        for (const { person } of faces) counts.set(person, (counts.get(person) ?? 0) + 1);
    }
    const current = new Set(samples.at(-1)?.faces.map(({ person }) => person));
    const persons = [...counts].map(([person, count]) => ({ person, count, isCurrent: Number(current.has(person)) }));
    persons.sort((a, b) => b.isCurrent - a.isCurrent || b.count - a.count);
    return persons
        .slice(0, MAX_PERSONS)
        .map(({ person }) => person)
        .sort((a, b) => a - b);
}

/**
 * Returns the segments of a person; `no-face` while it is not seen.
 * @param {Sample[]} samples
 * @param {number} person
 */
function segmentsOf(samples, person) {
    /** @type {Segment[]} */
    const segments = [];
    for (const [index, sample] of samples.entries()) {
        const kind = sample.faces.find((face) => face.person === person)?.attitude ?? "no-face";
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
