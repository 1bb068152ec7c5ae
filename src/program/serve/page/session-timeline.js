// SPDX-License-Identifier: MPL-2.0
//
// Draws the timeline of the whole session.

import { ATTITUDES } from "./attitudes.js";
import { formatPosition, formatShares } from "./text.js";
import { NOTES_PX, TICKS_PX, TimelineCanvas } from "./timeline-canvas.js";

/** @import { Palette } from "./attitudes.js" */
/** @import { History } from "./history.js" */
/** @import { NoteMark } from "./types.js" */

/** Height in CSS pixels. */
const STRIP_PX = 28;

/** Minimum span of the timeline. */
const MIN_SPAN_S = 60;

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
        const bottom = NOTES_PX + STRIP_PX;
        timeline.begin(bottom + TICKS_PX, 0, Math.max(now_s, MIN_SPAN_S));
        timeline.strip(history.segments, NOTES_PX, STRIP_PX, now_s);
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
        const text = shares && formatShares(ATTITUDES.map((attitude) => ({ attitude, share: shares[attitude] })));
        return `Timeline of the whole session, ${formatPosition(now_s)}: ${text ?? "no face"}`;
    }
}
