// SPDX-License-Identifier: MPL-2.0
//
// The data that the timelines show: the samples of the last two minutes, and the whole session as counts of attitudes
// per bin. Its size does not grow with the session.

import { ATTITUDES, classifyScene } from "./attitudes.js";

/** @import { Attitude, PersonSample, Scores, Segment, SegmentKind } from "./types.js" */

/**
 * @typedef {object} Sample
 * @property {number} time_s
 * @property {Attitude | null} attitude the scene's
 * @property {Scores | null} scores the scene's
 * @property {{ person: number, attitude: Attitude }[]} faces
 */

/** The time for which samples are kept. */
export const RECENT_S = 120;

/** Samples that are further apart have a gap between them. */
export const MAX_SPACING_S = 1.2;

/** The number of bins of the session. When they are full, adjacent ones are merged. */
const BINS = 1200;
const FIRST_BIN_S = 0.5;

/** The kinds that a bin counts. */
const KINDS = /** @type {const} @satisfies {readonly SegmentKind[]} */ ([
    "positive",
    "neutral",
    "negative",
    "unknown",
    "no-face",
]);

export class History {
    /**
     * By time.
     * @type {Sample[]}
     */
    recent = [];
    /** The counts of all kinds of the first bin, then of the second, … */
    #bins = new Uint32Array(BINS * KINDS.length);
    #bin_s = FIRST_BIN_S;
    #usedBins = 0;
    #counts = { positive: 0, neutral: 0, negative: 0, unknown: 0, "no-face": 0 };

    /**
     * Adds a sample.
     * @param {PersonSample} record
     */
    add(record) {
        const time_s = record.running_time_ns / 1e9;
        const { attitude, scores } = classifyScene(record);
        const faces = record.faces.map((face) => ({ person: face.person, attitude: face.attitude }));
        this.recent.push({ time_s, attitude, scores, faces });
        while (this.recent[0].time_s < time_s - RECENT_S - MAX_SPACING_S) this.recent.shift();
        const kind = attitude ?? "no-face";
        this.#counts[kind] += 1;
        while (time_s >= BINS * this.#bin_s) this.#mergeBins();
        const bin = Math.floor(time_s / this.#bin_s);
        this.#bins[bin * KINDS.length + KINDS.indexOf(kind)] += 1;
        this.#usedBins = Math.max(this.#usedBins, bin + 1);
    }

    /** The segments of the session, by time; nothing was analyzed in the gaps between them. */
    get segments() {
        /** @type {Segment[]} */
        const segments = [];
        for (let bin = 0; bin < this.#usedBins; bin += 1) {
            const kind = this.#mostFrequent(bin);
            if (kind === null) continue;
            const [start_s, end_s] = [bin * this.#bin_s, (bin + 1) * this.#bin_s];
            const last = segments.at(-1);
            if (last && last.kind === kind && start_s - last.end_s < MAX_SPACING_S) last.end_s = end_s;
            else segments.push({ kind, start_s, end_s });
        }
        return segments;
    }

    /** Each attitude's share of the samples with faces; null if there is no such sample. */
    get shares() {
        const counts = this.#counts;
        const seen = ATTITUDES.reduce((sum, attitude) => sum + counts[attitude], 0);
        const share = (/** @type {Attitude} */ attitude) => counts[attitude] / seen;
        return seen === 0
            ? null
            : {
                  positive: share("positive"),
                  neutral: share("neutral"),
                  negative: share("negative"),
                  unknown: share("unknown"),
              };
    }

    /**
     * Returns the most frequent kind of a bin, null if the bin is empty.
     * @param {number} bin
     */
    #mostFrequent(bin) {
        /** @type {SegmentKind | null} */
        let mostFrequent = null;
        let highestCount = 0;
        for (const [index, kind] of KINDS.entries()) {
            const count = this.#bins[bin * KINDS.length + index];
            if (count > highestCount) [mostFrequent, highestCount] = [kind, count];
        }
        return mostFrequent;
    }

    /** Merges adjacent bins. */
    #mergeBins() {
        const kinds = KINDS.length;
        for (let bin = 0; bin < BINS; bin += 1) {
            for (let kind = 0; kind < kinds; kind += 1) {
                const first = 2 * bin * kinds + kind;
                const sum = 2 * bin < BINS ? this.#bins[first] + this.#bins[first + kinds] : 0;
                this.#bins[bin * kinds + kind] = sum;
            }
        }
        this.#bin_s *= 2;
        this.#usedBins = Math.ceil(this.#usedBins / 2);
    }
}
