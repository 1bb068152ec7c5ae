// SPDX-License-Identifier: MPL-2.0
//
// Draws the details of the part that zoom.js shows: scores, segments and ticks of the axis. The report has drawn those of
// the whole recording.

import { find, formatPosition, parseSegments } from "./shared.js";

/** @typedef {import("./shared.js").Segment} Segment */

/**
 * The visible part, in seconds.
 * @typedef {object} Part
 * @property {number} start_s
 * @property {number} end_s
 */

/** Scores are averaged over this fraction of the visible time, as in the report. */
const SMOOTHED_FRACTION = 100;

/** Maximum number of points of the scores, and of segments, as in the report. */
const MAX_POINTS = 600;
const MAX_SEGMENTS = 200;

/** Byte of a score of 1, and the byte of a bin without scores. */
const ONE = 200;
const NO_SCORE = 255;

/** Width and height of the picture of scores in its own units. */
const UNITS = 10_000;

/** Distances of the ticks of the axis, and the minimum width between them. */
const TICK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const MIN_TICK_PX = 90;

/** Minimum widths of a segment with a sign, with a word. */
const MIN_SIGN_PX = 14;
const MIN_WORD_PX = 64;

/** The namespace of SVG; the report has a picture. */
const SVG = /** @type {SVGElement} */ (document.querySelector("svg")).namespaceURI;

/** @type {Record<string, string>} */
const SIGNS = { positive: "+", neutral: "=", negative: "−", unknown: "?" };

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {string} text
 */
function createSvg(name, attributes, text = "") {
    const element = document.createElementNS(SVG, name);
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    element.textContent = text;
    return element;
}

/** @param {number} share */
function percent(share) {
    return `${(100 * share).toFixed(4)}%`;
}

/** The details of a timeline, and the elements that show them. */
class TimelineDetails {
    /** @type {{ element: Element, path: string }[]} */
    #paths;
    #strip;
    /** The content for the whole recording. */
    #whole;
    /** @type {Element[]} */
    #ticks = [];
    #wholeTicks;
    /** @type {number} */
    #start_s;
    /** @type {number} */
    #end_s;
    /** @type {number} */
    #detailStart_s;
    /** @type {number} */
    #detailEnd_s;
    /** @type {Uint8Array | null} */
    #scores = null;
    /** @type {Segment[] | null} */
    #segments = null;

    /** @param {HTMLElement} element */
    constructor(element) {
        this.element = element;
        const { start, end, detailStart, detailEnd } = element.dataset;
        [this.#start_s, this.#end_s] = [Number(start), Number(end)];
        [this.#detailStart_s, this.#detailEnd_s] = [Number(detailStart), Number(detailEnd)];
        this.chart = find(element, ".chart");
        this.#strip = find(this.chart, ".strip");
        this.#paths = ["neutral", "positive", "negative"].map((name) => {
            const path = find(this.chart, `path.${name}`);
            return { element: path, path: path.getAttribute("d") ?? "" };
        });
        this.#whole = { strip: [...this.#strip.childNodes], isDense: this.#strip.classList.contains("dense") };
        this.#wholeTicks = [...this.chart.querySelectorAll(".grid, .tick")];
    }

    /** Shows the whole recording. */
    reset() {
        for (const { element, path } of this.#paths) element.setAttribute("d", path);
        this.#strip.replaceChildren(...this.#whole.strip);
        this.#strip.classList.toggle("dense", this.#whole.isDense);
        this.#replaceTicks([]);
        for (const tick of this.#wholeTicks) tick.removeAttribute("visibility");
    }

    /**
     * Draws a part.
     * @param {Part} part
     */
    draw(part) {
        const width = this.element.clientWidth;
        for (const tick of this.#wholeTicks) tick.setAttribute("visibility", "hidden");
        this.#drawScores(part);
        this.#drawStrip(part, width);
        this.#drawTicks(part, width);
    }

    /** @param {number} time_s */
    #share(time_s) {
        return (time_s - this.#start_s) / (this.#end_s - this.#start_s);
    }

    /** @param {Part} part */
    #drawScores({ start_s, end_s }) {
        this.#scores ??= Uint8Array.from(atob(this.element.dataset.detail ?? ""), (letter) => letter.charCodeAt(0));
        const scores = this.#scores;
        const bins = scores.length / 2;
        const bin_s = (this.#detailEnd_s - this.#detailStart_s) / bins;
        const toBin = (/** @type {number} */ time_s) => Math.floor((time_s - this.#detailStart_s) / bin_s);
        const [first, last] = [Math.max(toBin(start_s) - 1, 0), Math.min(toBin(end_s) + 1, bins - 1)];
        const neighbors = Math.floor((last - first) / (2 * SMOOTHED_FRACTION));
        const step = Math.max(Math.ceil((last - first) / MAX_POINTS), 1);
        const areas = ["", "", ""];
        /** @type {{ x: number, positive: number, negative: number }[]} */
        let points = [];
        let runStart = 0;
        const x = (/** @type {number} */ bin) => UNITS * this.#share(this.#detailStart_s + bin * bin_s);
        const endRun = (/** @type {number} */ end) => {
            if (points.length > 0) addAreas(areas, points, x(runStart), x(end));
            points = [];
        };
        for (let bin = first; bin <= last; bin += 1) {
            if (scores[2 * bin] === NO_SCORE) {
                endRun(bin);
                continue;
            }
            if (points.length === 0) runStart = bin;
            else if ((bin - first) % step !== 0) continue;
            points.push({ x: x(bin + 0.5), ...meanAround(scores, bin, neighbors) });
        }
        endRun(last + 1);
        for (const [index, { element }] of this.#paths.entries()) element.setAttribute("d", areas[index]);
    }

    /**
     * @param {Part} part
     * @param {number} width
     */
    #drawStrip(part, width) {
        this.#segments ??= parseSegments(this.element.dataset.segments ?? "");
        const segments = selectSegments(this.#segments, part);
        const shapes = segments.map(({ start_s, end_s, attitude }) => {
            const [x, end] = [this.#share(start_s), this.#share(end_s)];
            return createSvg("rect", { class: attitude, x: percent(x), width: percent(end - x) });
        });
        const labels = segments.flatMap(({ start_s, end_s, attitude }) => {
            // A word is in the middle of what is visible of its segment.
            const [start, end] = [Math.max(start_s, part.start_s), Math.min(end_s, part.end_s)];
            const visible_px = ((end - start) / (part.end_s - part.start_s)) * width;
            if (visible_px < MIN_SIGN_PX) return [];
            const isWord = visible_px >= MIN_WORD_PX;
            const attributes = { class: isWord ? "word" : "sign", x: percent(this.#share((start + end) / 2)), y: "15" };
            return [createSvg("text", attributes, isWord ? attitude : SIGNS[attitude])];
        });
        this.#strip.classList.remove("dense");
        this.#strip.replaceChildren(...shapes, ...labels);
    }

    /**
     * @param {Part} part
     * @param {number} width
     */
    #drawTicks({ start_s, end_s }, width) {
        const most = Math.max(Math.floor(width / MIN_TICK_PX), 1);
        const step_s =
            TICK_STEPS_S.find((it) => (end_s - start_s) / it <= most) ?? TICK_STEPS_S[TICK_STEPS_S.length - 1];
        const [grid, tick] = [".grid", ".tick"].map((it) => this.#wholeTicks.find((element) => element.matches(it)));
        const ticks = [];
        for (let time_s = Math.ceil(start_s / step_s) * step_s; time_s <= end_s; time_s += step_s) {
            const x = percent(this.#share(time_s));
            ticks.push(createSvg("line", { class: "grid", x1: x, x2: x, y2: grid?.getAttribute("y2") ?? "0" }));
            const share = (time_s - start_s) / (end_s - start_s);
            const anchor = share < 0.05 ? "start" : share > 0.95 ? "end" : "middle";
            const attributes = { class: "tick", x, y: tick?.getAttribute("y") ?? "0", "text-anchor": anchor };
            ticks.push(createSvg("text", attributes, formatPosition(time_s)));
        }
        this.#replaceTicks(ticks);
    }

    /** @param {Element[]} ticks */
    #replaceTicks(ticks) {
        for (const tick of this.#ticks) tick.remove();
        this.#ticks = ticks;
        // Lines are below the strip's words.
        this.#strip.before(...ticks);
    }
}

/**
 * Appends the areas of consecutive points to those of neutral, positive and negative.
 * @param {string[]} areas
 * @param {{ x: number, positive: number, negative: number }[]} points
 * @param {number} start
 * @param {number} end
 */
function addAreas(areas, points, start, end) {
    const line = (/** @type {(point: typeof points[0]) => number} */ y) =>
        points.map((point) => `${point.x.toFixed(2)} ${y(point).toFixed(0)}`).join(" ");
    const last = points[points.length - 1];
    const [from, to] = [start.toFixed(2), end.toFixed(2)];
    const positive = (/** @type {typeof last} */ point) => UNITS * point.positive;
    const negative = (/** @type {typeof last} */ point) => UNITS * (1 - point.negative);
    areas[0] += `M${from} 0H${to}V${UNITS}H${from}Z`;
    for (const [index, base, y] of /** @type {const} */ ([
        [1, 0, positive],
        [2, UNITS, negative],
    ])) {
        areas[index] += `M${from} ${base}V${y(points[0]).toFixed(0)}L${line(y)} ${to} ${y(last).toFixed(0)}V${base}Z`;
    }
}

/**
 * Returns the mean scores of a bin and its neighbors.
 * @param {Uint8Array} scores
 * @param {number} bin
 * @param {number} neighbors before and after it
 */
function meanAround(scores, bin, neighbors) {
    let [count, positive, negative] = [0, 0, 0];
    const last = Math.min(bin + neighbors, scores.length / 2 - 1);
    for (let near = Math.max(bin - neighbors, 0); near <= last; near += 1) {
        if (scores[2 * near] === NO_SCORE) continue;
        count += 1;
        positive += scores[2 * near];
        negative += scores[2 * near + 1];
    }
    return { positive: positive / count / ONE, negative: negative / count / ONE };
}

/**
 * Returns the segments of a part or, if there are too many, the longest attitude in each of as many columns.
 * @param {Segment[]} segments
 * @param {Part} part
 */
function selectSegments(segments, { start_s, end_s }) {
    const visible = segments.filter((it) => it.end_s > start_s && it.start_s < end_s);
    if (visible.length <= MAX_SEGMENTS) return visible;
    const column_s = (end_s - start_s) / MAX_SEGMENTS;
    /** @type {Segment[]} */
    const columns = [];
    for (let column = 0, next = 0; column < MAX_SEGMENTS; column += 1) {
        const [from_s, to_s] = [start_s + column * column_s, start_s + (column + 1) * column_s];
        while (next < visible.length && visible[next].end_s <= from_s) next += 1;
        const attitude = longestIn(visible, next, from_s, to_s);
        const last = columns.at(-1);
        if (attitude === null) continue;
        if (last && last.attitude === attitude && last.end_s === from_s) last.end_s = to_s;
        else columns.push({ start_s: from_s, end_s: to_s, attitude });
    }
    return columns;
}

/**
 * Returns the attitude that takes most of a column, null if most of it is in no segment.
 * @param {Segment[]} segments
 * @param {number} first the first segment that may be in the column
 * @param {number} from_s
 * @param {number} to_s
 */
function longestIn(segments, first, from_s, to_s) {
    /** @type {Map<string, number>} */
    const times = new Map();
    let unseen_s = to_s - from_s;
    for (let index = first; index < segments.length && segments[index].start_s < to_s; index += 1) {
        const { start_s, end_s, attitude } = segments[index];
        const time_s = Math.min(end_s, to_s) - Math.max(start_s, from_s);
        unseen_s -= time_s;
        times.set(attitude, (times.get(attitude) ?? 0) + time_s);
    }
    const [longest] = [...times].sort(([, a], [, b]) => b - a);
    return longest && longest[1] > unseen_s ? longest[0] : null;
}

for (const element of document.querySelectorAll(".timeline")) {
    const timeline = new TimelineDetails(/** @type {HTMLElement} */ (element));
    document.addEventListener("part", (event) => {
        const part = /** @type {CustomEvent<Part | null>} */ (event).detail;
        if (part) timeline.draw(part);
        else timeline.reset();
    });
}
