// SPDX-License-Identifier: MPL-2.0
//
// What is drawn of a session: the samples of the last two minutes, and the whole as counts of attitudes in bins.
// Memory does not grow with the session.

import { ATTITUDES, scene } from "./attitudes.js";

/** How long samples are kept. */
export const RECENT_S = 120;

/** Samples that are further apart have a hole between them. */
export const HOLE_S = 1.2;

/** Bins of the whole session. When they are used up, each two become one. */
const BINS = 1200;
const FIRST_BIN_S = 0.5;

/** What is counted in a bin. */
const KINDS = [...ATTITUDES, "nobody"];

export class History {
    /** @type {{time_s: number, attitude: string|null, scores: object|null, faces: [number, string][]}[]} by time */
    recent = [];
    #bins = new Uint32Array(BINS * KINDS.length);
    #bin_s = FIRST_BIN_S;
    #used = 0;
    #counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));

    /** Adds a sample with the session's numbers and times. */
    add(record) {
        const time_s = record.running_time_ns / 1e9;
        const { attitude, scores } = scene(record);
        const faces = record.faces.map((face) => [face.track, face.attitude]);
        this.recent.push({ time_s, attitude, scores, faces });
        while (this.recent[0].time_s < time_s - RECENT_S - HOLE_S) this.recent.shift();
        const kind = attitude ?? "nobody";
        this.#counts[kind] += 1;
        while (time_s >= BINS * this.#bin_s) this.#merge();
        const bin = Math.floor(time_s / this.#bin_s);
        this.#bins[bin * KINDS.length + KINDS.indexOf(kind)] += 1;
        this.#used = Math.max(this.#used, bin + 1);
    }

    /** The spells of the whole session, by time; between them nothing was analysed. */
    get spells() {
        const spells = [];
        for (let bin = 0; bin < this.#used; bin += 1) {
            const kind = this.#most(bin);
            if (kind === null) continue;
            const [start_s, end_s] = [bin * this.#bin_s, (bin + 1) * this.#bin_s];
            const last = spells.at(-1);
            if (last && last.kind === kind && start_s - last.end_s < HOLE_S) last.end_s = end_s;
            else spells.push({ kind, start_s, end_s });
        }
        return spells;
    }

    /** Each attitude's share of the samples with faces; null where there is none. */
    get shares() {
        const seen = ATTITUDES.reduce((sum, attitude) => sum + this.#counts[attitude], 0);
        return seen === 0 ? null : Object.fromEntries(ATTITUDES.map((it) => [it, this.#counts[it] / seen]));
    }

    /** What most of a bin shows. */
    #most(bin) {
        let [best, most] = [null, 0];
        KINDS.forEach((kind, index) => {
            const count = this.#bins[bin * KINDS.length + index];
            if (count > most) [best, most] = [kind, count];
        });
        return best;
    }

    #merge() {
        const kinds = KINDS.length;
        for (let bin = 0; bin < BINS; bin += 1) {
            for (let kind = 0; kind < kinds; kind += 1) {
                const pair = 2 * bin < BINS ? 2 * bin * kinds + kind : null;
                this.#bins[bin * kinds + kind] = pair === null ? 0 : this.#bins[pair] + this.#bins[pair + kinds];
            }
        }
        this.#bin_s *= 2;
        this.#used = Math.ceil(this.#used / 2);
    }
}
