// SPDX-License-Identifier: MPL-2.0
//
// How numbers are told.

/** A position such as `1:02:03`, cut to seconds. */
export function clock(seconds) {
    const whole = Math.max(Math.floor(seconds), 0);
    const padded = (number) => String(number).padStart(2, "0");
    const minutes = Math.floor(whole / 60) % 60;
    const hours = Math.floor(whole / 3600);
    const rest = padded(whole % 60);
    return hours ? `${hours}:${padded(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** A share such as `23%`; what there is a little of does not become nothing. */
export function percent(share) {
    return share > 0 && share < 0.005 ? "under 1%" : `${Math.round(100 * share)}%`;
}

/** A score or another figure from 0 to 1. */
export function score(value) {
    return value.toFixed(2);
}

/** A number of things, such as `1 face` or `2 faces`. */
export function count(number, thing) {
    return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/** What the server says, as a sentence. It may begin with the name of a file. */
export function sentence(text) {
    const whole = /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
    return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
