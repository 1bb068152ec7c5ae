// SPDX-License-Identifier: MPL-2.0
//
// Functions that several scripts of the report import. A report is one file, so scripts.rs puts them into each of these
// scripts.

/**
 * @typedef {object} Segment
 * @property {number} start_s
 * @property {number} end_s
 * @property {string} attitude
 */

/**
 * Returns the element that matches a selector; the report has it.
 * @param {ParentNode} parent
 * @param {string} selector
 */
export function find(parent, selector) {
    return /** @type {HTMLElement} */ (parent.querySelector(selector));
}

/**
 * Parses segments, which are given as start, end and attitude, separated by spaces.
 * @param {string} text
 */
export function parseSegments(text) {
    const words = text.split(" ");
    /** @type {Segment[]} */
    const segments = [];
    for (let index = 0; index + 2 < words.length; index += 3) {
        const [start, end, attitude] = words.slice(index, index + 3);
        segments.push({ start_s: Number(start), end_s: Number(end), attitude });
    }
    return segments;
}

/**
 * Formats a position such as `1:02:03`, rounded down to seconds.
 * @param {number} seconds
 */
export function formatPosition(seconds) {
    const whole = Math.floor(seconds);
    const pad = (/** @type {number} */ number) => String(number).padStart(2, "0");
    const minutes = Math.floor(whole / 60) % 60;
    const hours = Math.floor(whole / 3600);
    const rest = pad(whole % 60);
    return hours ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`;
}
