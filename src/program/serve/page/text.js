// SPDX-License-Identifier: MPL-2.0
//
// Formats numbers and messages as text.

/**
 * Formats a position such as `1:02:03`, rounded down to seconds.
 * @param {number} seconds
 */
export function formatPosition(seconds) {
    const whole = Math.max(Math.floor(seconds), 0);
    const pad = (/** @type {number} */ number) => String(number).padStart(2, "0");
    const minutes = Math.floor(whole / 60) % 60;
    const hours = Math.floor(whole / 3600);
    const rest = pad(whole % 60);
    return hours ? `${hours}:${pad(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/**
 * Formats a share such as `23%`; a small one is not rounded to zero.
 * @param {number} share from 0 to 1
 */
export function formatPercent(share) {
    return share > 0 && share < 0.005 ? "under 1%" : `${Math.round(100 * share)}%`;
}

/**
 * Formats the shares of attitudes, such as `positive 70%, neutral 30%`; those of zero are left out.
 * @param {{ attitude: string, share: number }[]} shares
 */
export function formatShares(shares) {
    const parts = shares.filter(({ share }) => share > 0);
    return parts.map(({ attitude, share }) => `${attitude} ${formatPercent(share)}`).join(", ");
}

/**
 * Formats a duration such as `40 s` or `2 min 5 s`, rounded down to seconds.
 * @param {number} seconds
 */
export function formatDuration(seconds) {
    const whole = Math.max(Math.floor(seconds), 0);
    const minutes = Math.floor(whole / 60);
    return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/**
 * Formats the name of a person.
 * @param {number | null} number null if it is not known yet
 */
export function formatPerson(number) {
    return number === null ? "Person" : `Person ${number}`;
}

/**
 * Formats a score or a confidence.
 * @param {number} value from 0 to 1
 */
export function formatScore(value) {
    return value.toFixed(2);
}

/**
 * Formats a valence with its sign, such as `+0.62`.
 * @param {number} value from -1 to 1
 */
export function formatValence(value) {
    const size = Math.abs(value).toFixed(2);
    if (size === "0.00") return size;
    return (value < 0 ? "−" : "+") + size;
}

/**
 * Formats a number of things, such as `1 face` or `2 faces`.
 * @param {number} number
 * @param {string} thing
 */
export function formatCount(number, thing) {
    return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/**
 * Turns a message into a sentence: with a capital letter, unless it starts with a file name, and a full stop.
 * @param {string} message
 */
export function toSentence(message) {
    const whole = /^[a-z]+ /.test(message) ? message.charAt(0).toUpperCase() + message.slice(1) : message;
    return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
