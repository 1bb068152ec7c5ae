// SPDX-License-Identifier: MPL-2.0
//
// What attitudes are called and look like. The style sheet has the colours.

import { percent } from "./text.js";

/** As records name them. */
export const ATTITUDES = ["positive", "neutral", "negative", "unknown"];

/** As the style sheet has them too. */
export const SIGNS = { positive: "+", neutral: "=", negative: "−", unknown: "?" };

/** Mean score of the faces from which on the scene has an attitude, as in a report. */
const MIN_SCENE_CONFIDENCE = 0.5;

/** An attitude's name with its sign and colour. */
export function named(attitude) {
    const label = document.createElement("span");
    rename(label, attitude);
    return label;
}

/** Makes a label of `named` that of another attitude. */
export function rename(label, attitude) {
    if (label.textContent === attitude) return;
    label.className = `attitude ${attitude}`;
    label.textContent = attitude;
}

/**
 * What all faces of a record show together, by the rule of a report.
 * @returns {{attitude: string|null, scores: {positive: number, neutral: number, negative: number}|null}}
 *     `attitude` is null where there is no face, `scores` where none was judged.
 */
export function scene({ faces }) {
    if (faces.length === 0) return { attitude: null, scores: null };
    const judged = faces.map((face) => face.scores).filter((it) => it.positive + it.neutral + it.negative > 0);
    if (judged.length === 0) return { attitude: "unknown", scores: null };
    const mean = (name) => judged.reduce((sum, scores) => sum + scores[name], 0) / judged.length;
    const scores = { positive: mean("positive"), neutral: mean("neutral"), negative: mean("negative") };
    const best = Object.keys(scores).reduce((a, b) => (scores[b] > scores[a] ? b : a));
    const known = faces.some((face) => face.attitude !== "unknown");
    return { attitude: known && scores[best] >= MIN_SCENE_CONFIDENCE ? best : "unknown", scores };
}

/** All names with their signs and colours, and how often each was seen. */
export class Legend {
    #shares;

    /** @param {HTMLElement} list */
    constructor(list) {
        this.#shares = ATTITUDES.map((attitude) => {
            const share = document.createElement("span");
            list.append(item(named(attitude), share));
            return [attitude, share];
        });
        const gap = named("not seen");
        gap.className = "attitude gap";
        list.append(item(gap));
    }

    /** @param {Object<string, number>|null} shares by name; null where no face was seen */
    show(shares) {
        for (const [attitude, share] of this.#shares) share.textContent = shares ? ` ${percent(shares[attitude])}` : "";
    }
}

function item(...children) {
    const item = document.createElement("li");
    item.append(...children);
    return item;
}

/** The style sheet's colours and patterns, for drawing on canvases. */
export class Palette {
    #fills = new Map();
    #style = getComputedStyle(document.documentElement);

    constructor() {
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#fills.clear());
    }

    /** A colour such as `ink`. */
    color(name) {
        if (!this.#fills.has(name)) this.#fills.set(name, this.#style.getPropertyValue(`--${name}`).trim());
        return this.#fills.get(name);
    }

    /** What an attitude's spells are filled with: two of them are told without their colours. */
    fill(context, attitude) {
        if (attitude !== "negative" && attitude !== "unknown") return this.color(attitude);
        const key = `pattern ${attitude}`;
        if (!this.#fills.has(key)) this.#fills.set(key, context.createPattern(this.#tile(attitude), "repeat"));
        return this.#fills.get(key);
    }

    #tile(attitude) {
        const tile = document.createElement("canvas");
        [tile.width, tile.height] = [6, 6];
        const context = tile.getContext("2d");
        context.fillStyle = this.color(attitude);
        context.fillRect(0, 0, 6, 6);
        context.strokeStyle = context.fillStyle = this.color("on-color");
        context.globalAlpha = 0.55;
        context.beginPath();
        if (attitude === "negative") {
            for (const [x, y, length] of [[-1, 1, 2], [-1, 7, 8], [5, 7, 2]]) {
                context.moveTo(x, y);
                context.lineTo(x + length, y - length);
            }
            context.stroke();
        } else {
            context.arc(3, 3, 1.2, 0, 2 * Math.PI);
            context.fill();
        }
        return tile;
    }
}
