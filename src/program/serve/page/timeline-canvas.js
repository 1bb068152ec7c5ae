// SPDX-License-Identifier: MPL-2.0
//
// Draws the parts that the timelines have in common.

import { SIGNS } from "./attitudes.js";
import { context2d } from "./dom.js";
import { formatPosition } from "./text.js";

/** @import { Palette } from "./attitudes.js" */
/** @import { NoteMark, Segment } from "./types.js" */

/** Heights in CSS pixels. */
export const NOTES_PX = 16;
export const TICKS_PX = 18;

/** Intervals between ticks, and the minimum width of one. */
const TICK_INTERVALS_S = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const MIN_TICK_PX = 60;

/** Minimum widths of a segment that has an outline, a sign, a name. */
const MIN_OUTLINE_PX = 3;
const MIN_SIGN_PX = 14;
const MIN_NAME_PX = 64;

const FONT = 'system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif';

/** A canvas with time along its width. All lengths are in CSS pixels. */
export class TimelineCanvas {
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
     * Draws an empty row: its background until a time, as nothing is known yet after it, and its border.
     * @param {number} y
     * @param {number} height
     * @param {number} now_s
     */
    row(y, height, now_s) {
        this.fill(this.palette.color("empty"), this.#startX, y, this.x(now_s) - this.#startX, height);
        this.context.strokeStyle = this.palette.color("border");
        this.context.lineWidth = 1;
        this.context.strokeRect(this.#startX + 0.5, y + 0.5, this.#width - this.#startX - 1, height - 1);
    }

    /**
     * Draws a row of segments.
     * @param {Segment[]} segments
     * @param {number} y
     * @param {number} height
     * @param {number} now_s
     */
    strip(segments, y, height, now_s) {
        this.row(y, height, now_s);
        const { context, palette } = this;
        for (const { kind, start_s, end_s } of segments) {
            const [start, end] = [this.x(start_s), this.x(end_s)];
            if (end <= start || kind === "no-face") continue;
            const width = Math.max(end - start, 1);
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
