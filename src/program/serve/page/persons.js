// SPDX-License-Identifier: MPL-2.0
//
// Joins tracks into persons when they begin, by the rule of a report: by position and time. Faces are not recognized. A
// report knows what follows: of several tracks that end and begin, it may join others.

/** @import { Box, FrameRecord, JoiningRule, PersonFrame, PersonSample, SessionRecord } from "./types.js" */

const NS_PER_S = 1e9;

/** Maximum number of tracks that are kept; the oldest ones are forgotten. */
const MAX_TRACKS = 1_000;

/**
 * A track, with its last sample.
 * @typedef {object} Track
 * @property {number} person
 * @property {number} last_ns time of the sample
 * @property {number | null} end_ns time until which the sample was shown; null if the face is in the current one
 * @property {number} sample number of the sample
 * @property {string} size of its frame
 * @property {Box} box in frame heights
 * @property {boolean} isContinued true if another track continues it
 */

export class Persons {
    #rule;
    /**
     * By number, in the order of their last samples.
     * @type {Map<number, Track>}
     */
    #tracks = new Map();
    #count = 0;
    /** The number of samples, and the time of the last one. */
    #samples = 0;
    #last_ns = 0;

    /** @param {JoiningRule} rule */
    constructor(rule) {
        this.#rule = rule;
    }

    /**
     * Adds a sample. Returns it with the persons of its faces.
     * @param {SessionRecord} record
     * @returns {PersonSample}
     */
    add(record) {
        const now_ns = record.running_time_ns;
        const hasGap = now_ns - this.#last_ns > this.#rule.gap_s * NS_PER_S;
        this.#samples += 1;
        this.#last_ns = now_ns;
        const current = new Set(record.faces.map(({ track }) => track));
        for (const [number, track] of this.#tracks) {
            if (!current.has(number)) track.end_ns ??= hasGap ? track.last_ns : now_ns;
        }
        const continued = this.#match(record, hasGap);
        const size = `${record.width}x${record.height}`;
        const faces = record.faces.map((face) => {
            const person = this.#tracks.get(face.track)?.person ?? continued.get(face.track) ?? this.#addPerson();
            // Moves it to the end.
            this.#tracks.delete(face.track);
            this.#tracks.set(face.track, {
                person,
                last_ns: now_ns,
                end_ns: null,
                sample: this.#samples,
                size,
                box: toFrameHeights(face.box, record.height),
                isContinued: false,
            });
            return { ...face, person };
        });
        for (const number of this.#tracks.keys()) {
            if (this.#tracks.size <= MAX_TRACKS || current.has(number)) break;
            this.#tracks.delete(number);
        }
        return { ...record, faces };
    }

    /**
     * Returns a record with the persons of its faces; null for faces that no sample has contained yet.
     * @param {FrameRecord} record
     * @returns {PersonFrame}
     */
    label(record) {
        const faces = record.faces.map((face) => ({ ...face, person: this.#tracks.get(face.track)?.person ?? null }));
        return { ...record, faces };
    }

    #addPerson() {
        this.#count += 1;
        return this.#count;
    }

    /**
     * Finds the ended tracks that the new tracks of a record continue, the nearest ones first. Returns the person by
     * the number of the new track.
     * @param {SessionRecord} record
     * @param {boolean} hasGap true if there is a gap before the record
     */
    #match(record, hasGap) {
        const size = `${record.width}x${record.height}`;
        const started = record.faces.filter(({ track }) => !this.#tracks.has(track));
        const pairs = started.flatMap(({ track: number, box }) =>
            this.#endedTracks(record, hasGap, size).map((ended) => ({
                number,
                ended,
                distance: distanceBetween(ended.box, toFrameHeights(box, record.height), this.#rule),
            })),
        );
        /** @type {Map<number, number>} */
        const continued = new Map();
        for (const { number, ended, distance } of pairs.sort((a, b) => a.distance - b.distance)) {
            if (distance > this.#rule.distance || ended.isContinued || continued.has(number)) continue;
            ended.isContinued = true;
            continued.set(number, ended.person);
        }
        return continued;
    }

    /**
     * Returns the tracks that a new track of a record may continue. One that was in the previous sample ended at a cut.
     * @param {SessionRecord} record
     * @param {boolean} hasGap
     * @param {string} size
     */
    #endedTracks({ running_time_ns }, hasGap, size) {
        const longest_ns = this.#rule.pause_s * NS_PER_S;
        return [...this.#tracks.values()].filter(({ end_ns, sample, size: lastSize, isContinued }) => {
            if (end_ns === null || isContinued || longest_ns === 0) return false;
            const isCut = !hasGap && sample === this.#samples - 1 && lastSize === size;
            return !isCut && running_time_ns - end_ns <= longest_ns;
        });
    }
}

/**
 * @param {Box} box in pixels
 * @param {number} frameHeight
 * @returns {Box}
 */
function toFrameHeights([left, top, width, height], frameHeight) {
    return [left / frameHeight, top / frameHeight, width / frameHeight, height / frameHeight];
}

/**
 * Returns the distance of the centers of two boxes in mean heights of both; infinite if their sizes differ too much.
 * @param {Box} from
 * @param {Box} to
 * @param {JoiningRule} rule
 */
function distanceBetween(from, to, { height_ratio }) {
    const center = (/** @type {Box} */ [left, top, width, height]) => [left + width / 2, top + height / 2];
    const [[fromX, fromY], [toX, toY]] = [center(from), center(to)];
    const ratio = Math.max(from[3] / to[3], to[3] / from[3]);
    const distance = Math.hypot(toX - fromX, toY - fromY) / ((from[3] + to[3]) / 2);
    return ratio <= height_ratio && Number.isFinite(distance) ? distance : Infinity;
}
