// SPDX-License-Identifier: MPL-2.0
//
// Shows the trends of the valence: in words, and as a quiet alert while one falls.

import { create, query, setText } from "./dom.js";
import { formatDuration, formatPerson } from "./text.js";

/** @import { PersonSample, Trend, TrendDirection } from "./types.js" */

/** @type {Record<TrendDirection, { arrow: string, words: string }>} */
const DIRECTIONS = {
    steady: { arrow: "→", words: "steady" },
    rising: { arrow: "↗", words: "turning positive" },
    falling: { arrow: "↘", words: "turning negative" },
};

/** Maximum number of trends; those of more persons are left out. */
const MAX_TRENDS = 4;

/** Name of the setting in the browser's storage. */
const STORAGE_KEY = "gst-attitude-trend-alert";

/**
 * A trend with the name of a person, or of all faces.
 * @typedef {object} NamedTrend
 * @property {string} name
 * @property {Trend} trend
 */

export class TrendView {
    #section = query("#recent", HTMLElement);
    #list = query("#trends", HTMLElement);
    #announcement = query("#trend-announcement", HTMLElement);
    #option = query("#trend-alert-option", HTMLElement);
    #alert = query("#trend-alert", HTMLInputElement);
    /** The names of those whose attitude turns negative. */
    #falling = "";

    constructor() {
        this.#alert.checked = readSetting();
        this.#alert.addEventListener("change", () => {
            writeSetting(this.#alert.checked);
            this.#showAlert();
        });
    }

    /**
     * Shows the trends of a sample.
     * @param {PersonSample} sample
     * @param {number} now_ns the session's time
     */
    show(sample, now_ns) {
        const trends = trendsOf(sample);
        this.#list.replaceChildren(...trends.map((it) => createLine(it, now_ns)));
        if (trends.length > 0) this.#option.hidden = false;
        const falling = trends.filter(({ trend }) => trend.direction === "falling").map(({ name }) => name);
        this.#falling = falling.join(", ");
        this.#showAlert();
    }

    /** Removes all trends. */
    clear() {
        this.#list.replaceChildren();
        this.#falling = "";
        this.#showAlert();
    }

    #showAlert() {
        const names = this.#alert.checked ? this.#falling : "";
        this.#section.classList.toggle("alert", names !== "");
        setText(this.#announcement, names && `${names}: turning negative.`);
    }
}

/**
 * Returns the trends to show: of all faces if there are several, then of each person.
 * @param {PersonSample} sample
 * @returns {NamedTrend[]}
 */
function trendsOf({ trend, faces }) {
    const persons = faces.map((face) => ({ name: formatPerson(face.person), trend: face.trend }));
    const all = persons.length > 1 ? [{ name: "All faces", trend }] : [];
    return [...all, ...persons].flatMap(({ name, trend }) => (trend ? { name, trend } : [])).slice(0, MAX_TRENDS);
}

/**
 * @param {NamedTrend} named
 * @param {number} now_ns
 */
function createLine({ name, trend }, now_ns) {
    const line = create("li", trend.direction);
    const arrow = create("span", "arrow", DIRECTIONS[trend.direction].arrow);
    arrow.setAttribute("aria-hidden", "true");
    line.append(arrow, `${name}: ${describeTrend(trend, now_ns)}`);
    return line;
}

/**
 * Describes a trend in words, such as `turning negative for 40 s`.
 * @param {Trend} trend
 * @param {number} now_ns
 */
function describeTrend({ direction, since_ns }, now_ns) {
    const { words } = DIRECTIONS[direction];
    return direction === "steady" ? words : `${words} for ${formatDuration((now_ns - since_ns) / 1e9)}`;
}

/** Returns true unless the visitor has switched the alert off. A browser may forbid the storage. */
function readSetting() {
    try {
        return localStorage.getItem(STORAGE_KEY) !== "off";
    } catch {
        return true;
    }
}

/** @param {boolean} isOn */
function writeSetting(isOn) {
    try {
        localStorage.setItem(STORAGE_KEY, isOn ? "on" : "off");
    } catch {
        // The setting lasts until the page is closed.
    }
}
