// SPDX-License-Identifier: MPL-2.0
//
// Zooms all timelines: the style sheet moves and widens them, and details.js draws the visible part.

import { find, formatPosition } from "./shared.js";

/**
 * The visible part, in seconds.
 * @typedef {object} Part
 * @property {number} start_s
 * @property {number} end_s
 */

/** Minimum duration of the visible part, and the factors of a step and of a turn of the wheel. */
const MIN_PART_S = 10;
const STEP = 2;
const WHEEL_STEP = 1.25;

/** Position of the playhead in the visible part after it has left the part. */
const PLAYHEAD_SHARE = 0.1;

const timelines = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".timeline")]);
const [first] = timelines;
/** @type {Part} */
const whole = { start_s: Number(first.dataset.start), end_s: Number(first.dataset.end) };
const whole_s = whole.end_s - whole.start_s;
let part = whole;
let now_s = Number(first.getAttribute("aria-valuenow"));
/** The request for the next animation frame, 0 if there is none. */
let request = 0;

const zoomIn = /** @type {HTMLButtonElement} */ (find(document, "#zoom-in"));
const zoomOut = /** @type {HTMLButtonElement} */ (find(document, "#zoom-out"));
const zoomWhole = /** @type {HTMLButtonElement} */ (find(document, "#zoom-whole"));
const partText = find(document, "#zoom-part");

/**
 * Shows a part of about this start and duration.
 * @param {number} start_s
 * @param {number} duration_s
 */
function showPart(start_s, duration_s) {
    const length_s = Math.min(Math.max(duration_s, MIN_PART_S), whole_s);
    const from_s = Math.min(Math.max(start_s, whole.start_s), whole.end_s - length_s);
    part = length_s >= whole_s ? whole : { start_s: from_s, end_s: from_s + length_s };
    if (request === 0) request = requestAnimationFrame(draw);
}

function draw() {
    request = 0;
    const isWhole = part === whole;
    const length_s = part.end_s - part.start_s;
    const { style } = document.documentElement;
    style.setProperty("--zoom", String(whole_s / length_s));
    style.setProperty("--zoom-start", String((part.start_s - whole.start_s) / length_s));
    document.dispatchEvent(new CustomEvent("part", { detail: isWhole ? null : part }));
    partText.textContent = isWhole ? "" : `${formatPosition(part.start_s)} to ${formatPosition(part.end_s)}`;
    zoomIn.disabled = length_s <= MIN_PART_S;
    zoomOut.disabled = zoomWhole.disabled = isWhole;
}

/**
 * Zooms so that a time stays where it is.
 * @param {number} factor more than 1 to zoom in
 * @param {number} time_s
 */
function zoom(factor, time_s) {
    const length_s = part.end_s - part.start_s;
    const center_s = time_s < part.start_s || time_s > part.end_s ? part.start_s + length_s / 2 : time_s;
    const newLength_s = Math.min(Math.max(length_s / factor, MIN_PART_S), whole_s);
    showPart(center_s - ((center_s - part.start_s) * newLength_s) / length_s, newLength_s);
}

/** @param {WheelEvent} event */
function handleWheel(event) {
    const moved = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    const length_s = part.end_s - part.start_s;
    if (event.ctrlKey) {
        event.preventDefault();
        const { left, width } = first.getBoundingClientRect();
        const time_s = part.start_s + ((event.clientX - left) / width) * length_s;
        zoom(event.deltaY < 0 ? WHEEL_STEP : 1 / WHEEL_STEP, time_s);
    } else if (moved !== 0 && part !== whole) {
        event.preventDefault();
        showPart(part.start_s + (moved / first.clientWidth) * length_s, length_s);
    }
}

/** @param {KeyboardEvent} event */
function handleKey(event) {
    const isTyping = event.target instanceof Element && event.target.closest("input, textarea, select, dialog");
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || isTyping) return;
    if (event.key === "+" || event.key === "=") zoom(STEP, now_s);
    else if (event.key === "-") zoom(1 / STEP, now_s);
    else if (event.key === "0") showPart(whole.start_s, whole_s);
}

/** @param {number} time_s */
function follow(time_s) {
    now_s = time_s;
    if (part === whole || (now_s >= part.start_s && now_s <= part.end_s)) return;
    const length_s = part.end_s - part.start_s;
    showPart(now_s - PLAYHEAD_SHARE * length_s, length_s);
}

find(document, "#zoom").hidden = false;
zoomIn.hidden = zoomOut.hidden = zoomWhole.hidden = whole_s <= MIN_PART_S;
if (whole_s > MIN_PART_S) {
    zoomIn.addEventListener("click", () => zoom(STEP, now_s));
    zoomOut.addEventListener("click", () => zoom(1 / STEP, now_s));
    zoomWhole.addEventListener("click", () => showPart(whole.start_s, whole_s));
    for (const timeline of timelines) timeline.addEventListener("wheel", handleWheel, { passive: false });
    addEventListener("keydown", handleKey);
    addEventListener("resize", () => showPart(part.start_s, part.end_s - part.start_s));
    addEventListener("beforeprint", () => {
        part = whole;
        draw();
    });
    document.addEventListener("position", (event) => follow(/** @type {CustomEvent} */ (event).detail));
    draw();
}
