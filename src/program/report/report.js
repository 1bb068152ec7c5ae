// SPDX-License-Identifier: MPL-2.0
//
// Synchronizes the timelines with the recording: turns each timeline into a slider that seeks the recording and follows
// its position. Without a recording, the sliders move together.

import { find, formatPosition, parseSegments } from "./shared.js";

/** @typedef {import("./shared.js").Segment} Segment */

/** A timeline, and the line of text above it with the current attitude. */
class Timeline {
    /** @param {HTMLElement} element */
    constructor(element) {
        this.element = element;
        /** The whole timeline; the element shows a part of it. */
        this.whole = find(element, ".zoomable");
        this.start_s = Number(element.dataset.start);
        this.end_s = Number(element.dataset.end);
        this.segments = parseSegments(element.dataset.segments ?? "");
        this.playhead = find(element, ".playhead");
        this.current = find(element.parentElement ?? element, ".now");
        this.label = find(this.current, ".attitude");
    }
}

const video = document.querySelector("video");
const position = document.querySelector("#position");
const step_s = Number(find(document, "main").dataset.step);
const timelines = [...document.querySelectorAll(".timeline")].map(
    (it) => new Timeline(/** @type {HTMLElement} */ (it)),
);
const { start_s, end_s } = timelines[0];

/** The position in the recording, or in the timelines if there is no recording that plays. */
let now_s = start_s;
/** Timestamp of position 0 of the recording. */
const timestamp_s = Number(video?.dataset.origin ?? 0);
/** Time of the player at position 0 of the recording; null until it is known. */
let origin_s = timestamp_s > 0 ? null : 0;
/** The position to seek to when that time is known; null if there is none. */
let pending_s = /** @type {number | null} */ (null);
/** The second for which the sliders were last updated; null if they must be updated. */
let updated_s = /** @type {number | null} */ (null);
/** The request for the next animation frame. */
let frameRequest = 0;

/**
 * @param {number} value
 * @param {number} min
 * @param {number} max
 */
function clamp(value, min, max) {
    return Math.min(Math.max(value, min), max);
}

/**
 * Returns the attitude at a time, null if there is none.
 * @param {Segment[]} segments
 * @param {number} time_s
 */
function attitudeAt(segments, time_s) {
    let [low, high] = [0, segments.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if (segments[middle].end_s <= time_s) low = middle + 1;
        else high = middle;
    }
    const segment = segments.at(low);
    return segment && segment.start_s <= time_s ? segment.attitude : null;
}

/**
 * Shows a position in all timelines.
 * @param {number} time_s
 */
function show(time_s) {
    now_s = time_s;
    const share = clamp((now_s - start_s) / (end_s - start_s), 0, 1);
    for (const { playhead } of timelines) playhead.style.transform = `translateX(${100 * share}%)`;
    if (position) position.textContent = `${formatPosition(now_s)}.${Math.floor(now_s * 10) % 10}`;
    // Once per second: screen readers announce it.
    if (updated_s !== Math.floor(now_s)) updateSliders();
    document.dispatchEvent(new CustomEvent("position", { detail: now_s }));
}

function updateSliders() {
    updated_s = Math.floor(now_s);
    for (const { element, segments, label } of timelines) {
        const attitude = attitudeAt(segments, now_s);
        const text = attitude ?? "not seen";
        element.setAttribute("aria-valuenow", String(clamp(now_s, start_s, end_s)));
        element.setAttribute("aria-valuetext", `${formatPosition(now_s)} of ${formatPosition(end_s)}, ${text}`);
        label.className = `attitude ${attitude ?? "gap"}`;
        label.textContent = text;
    }
}

/**
 * Finds out whether the player, which shows the first frame, counts from the first timestamp of the recording, as
 * Chromium does, or from 0.
 * @param {HTMLVideoElement} video
 */
function findOrigin(video) {
    if (origin_s !== null || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    origin_s = video.currentTime >= timestamp_s / 2 ? timestamp_s : 0;
    if (pending_s !== null) seek(pending_s);
}

/** @param {number} time_s */
function seek(time_s) {
    const target_s = clamp(time_s, 0, Math.max(end_s, (video?.duration || 0) - (origin_s ?? 0)));
    updated_s = null;
    if (origin_s === null) pending_s = target_s;
    else if (video) video.currentTime = target_s + origin_s;
    show(target_s);
}

/**
 * Follows the recording while it plays.
 * @param {HTMLVideoElement} video
 */
function follow(video) {
    // A recording that seeks, or has not begun, still has its old position.
    if (!video.seeking && origin_s !== null) show(Math.max(video.currentTime - origin_s, 0));
    cancelAnimationFrame(frameRequest);
    if (!video.paused) frameRequest = requestAnimationFrame(() => follow(video));
}

/**
 * Returns the position that a key of a slider moves to.
 * @param {string} key
 */
function keyTarget(key) {
    switch (key) {
        case "ArrowRight":
        case "ArrowUp":
            return now_s + step_s;
        case "ArrowLeft":
        case "ArrowDown":
            return now_s - step_s;
        case "PageUp":
            return now_s + 10 * step_s;
        case "PageDown":
            return now_s - 10 * step_s;
        case "Home":
            return start_s;
        case "End":
            return end_s;
        default:
            return null;
    }
}

/** @param {KeyboardEvent} event */
function handleKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const target_s = keyTarget(event.key);
    if (target_s === null) return;
    event.preventDefault();
    seek(clamp(target_s, start_s, end_s));
}

/**
 * @param {HTMLElement} whole
 * @param {PointerEvent} event
 */
function seekToPointer(whole, event) {
    const { left, width } = whole.getBoundingClientRect();
    seek(start_s + clamp((event.clientX - left) / width, 0, 1) * (end_s - start_s));
}

/** @param {Timeline} timeline */
function makeSlider({ element, whole, playhead, current }) {
    element.setAttribute("role", "slider");
    element.setAttribute("aria-valuemin", String(start_s));
    element.setAttribute("aria-valuemax", String(end_s));
    element.tabIndex = 0;
    element.addEventListener("keydown", handleKey);
    element.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        element.setPointerCapture(event.pointerId);
        seekToPointer(whole, event);
    });
    element.addEventListener("pointermove", (event) => {
        if (element.hasPointerCapture(event.pointerId)) seekToPointer(whole, event);
    });
    playhead.hidden = false;
    current.hidden = false;
}

/**
 * Returns the position in a fragment such as `#t=12.5`, null if there is none.
 * @param {string} fragment
 */
function parseFragment(fragment) {
    const match = /^#t=(\d+(?:\.\d+)?)$/.exec(fragment);
    return match && Number(match[1]);
}

/** @param {MouseEvent} event */
function followLink(event) {
    if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const fragment = event.target.closest("a[href^='#t=']")?.getAttribute("href");
    const time_s = fragment ? parseFragment(fragment) : null;
    if (time_s === null) return;
    event.preventDefault();
    history.replaceState(null, "", fragment);
    seek(time_s);
}

timelines.forEach(makeSlider);
document.addEventListener("click", followLink);
addEventListener("hashchange", () => {
    const time_s = parseFragment(location.hash);
    if (time_s !== null) seek(time_s);
});
if (video) {
    const fail = () => {
        find(document, "#unplayable").hidden = false;
    };
    findOrigin(video);
    video.addEventListener("loadeddata", () => findOrigin(video));
    for (const event of ["play", "seeked", "timeupdate"]) video.addEventListener(event, () => follow(video));
    // If only the picture cannot be decoded, the sound plays and there is no error.
    const check = () => {
        const hasNoPicture = video.readyState >= HTMLMediaElement.HAVE_METADATA && video.videoWidth === 0;
        if (video.error || hasNoPicture) fail();
    };
    for (const event of ["error", "loadedmetadata"]) video.addEventListener(event, check);
    // Both may have occurred before this script ran.
    check();
}
const linked_s = parseFragment(location.hash);
if (linked_s === null) show(start_s);
else seek(linked_s);
