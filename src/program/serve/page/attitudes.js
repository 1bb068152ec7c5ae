// SPDX-License-Identifier: MPL-2.0
//
// Names, signs and colors of attitudes.

import { context2d, create } from "./dom.js";
import { formatPercent } from "./text.js";

/** @import { Attitude, FaceRecord, FrameRecord, ScoredAttitude, Scores } from "./types.js" */

/** @type {readonly ScoredAttitude[]} */
export const SCORED_ATTITUDES = ["positive", "neutral", "negative"];

/** @type {readonly Attitude[]} */
export const ATTITUDES = [...SCORED_ATTITUDES, "unknown"];

/** The signs of attitudes; common.css has the same. */
export const SIGNS = { positive: "+", neutral: "=", negative: "−", unknown: "?" };

/** Minimum confidence in an attitude of the scene, as in a report. */
const MIN_SCENE_CONFIDENCE = 0.45;

/**
 * Creates a label with the sign and the color of an attitude.
 * @param {Attitude} attitude
 */
export function createLabel(attitude) {
    return create("span", `attitude ${attitude}`, attitude);
}

/**
 * Changes the attitude of a label.
 * @param {HTMLElement} label
 * @param {Attitude} attitude
 */
export function updateLabel(label, attitude) {
    if (label.textContent === attitude) return;
    label.className = `attitude ${attitude}`;
    label.textContent = attitude;
}

/**
 * Classifies the scene, which is all faces of a record together, by the rule of a report. The attitude is null if the
 * record has no face, the scores are null if none of its faces has been classified.
 * @param {FrameRecord} record
 * @returns {{ attitude: Attitude | null, scores: Scores | null }}
 */
export function classifyScene({ faces }) {
    if (faces.length === 0) return { attitude: null, scores: null };
    const classified = faces.filter(({ scores: it }) => it.positive + it.neutral + it.negative > 0);
    if (classified.length === 0) return { attitude: "unknown", scores: null };
    const mean = (/** @type {(face: FaceRecord) => number} */ value) =>
        classified.reduce((sum, face) => sum + value(face), 0) / classified.length;
    const meanScore = (/** @type {ScoredAttitude} */ name) => mean((face) => face.scores[name]);
    const scores = { positive: meanScore("positive"), neutral: meanScore("neutral"), negative: meanScore("negative") };
    const quality = mean((face) => face.quality ?? 1);
    const highest = SCORED_ATTITUDES.reduce((a, b) => (scores[b] > scores[a] ? b : a));
    const isConfident = scores[highest] * quality >= MIN_SCENE_CONFIDENCE;
    const isKnown = isConfident && faces.some((face) => face.attitude !== "unknown");
    return { attitude: isKnown ? highest : "unknown", scores };
}

/** A list of all attitudes with their shares. */
export class Legend {
    /** @type {{ attitude: Attitude, share: HTMLElement }[]} */
    #entries;

    /** @param {HTMLElement} list */
    constructor(list) {
        this.#entries = ATTITUDES.map((attitude) => {
            const share = create("span");
            list.append(createItem(createLabel(attitude), share));
            return { attitude, share };
        });
        list.append(createItem(create("span", "attitude gap", "not seen")));
    }

    /** @param {Record<Attitude, number> | null} shares null if no face was seen */
    show(shares) {
        for (const { attitude, share } of this.#entries) {
            share.textContent = shares ? ` ${formatPercent(shares[attitude])}` : "";
        }
    }
}

/** @param {HTMLElement[]} children */
function createItem(...children) {
    const item = create("li");
    item.append(...children);
    return item;
}

/** The style sheet's colors and patterns, for drawing on a canvas. */
export class Palette {
    /** @type {Map<string, string>} */
    #colors = new Map();
    /** @type {Map<Attitude, CanvasPattern>} */
    #patterns = new Map();
    #style = getComputedStyle(document.documentElement);

    constructor() {
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
            this.#colors.clear();
            this.#patterns.clear();
        });
    }

    /**
     * Returns a color of the style sheet, such as `text`.
     * @param {string} name
     */
    color(name) {
        let color = this.#colors.get(name);
        if (color === undefined) {
            color = this.#style.getPropertyValue(`--${name}`).trim();
            this.#colors.set(name, color);
        }
        return color;
    }

    /**
     * Returns the fill for segments of an attitude: a pattern for two of them, so that color is not the only cue.
     * @param {CanvasRenderingContext2D} context
     * @param {Attitude} attitude
     */
    fill(context, attitude) {
        if (attitude !== "negative" && attitude !== "unknown") return this.color(attitude);
        let pattern = this.#patterns.get(attitude) ?? null;
        if (!pattern) {
            pattern = context.createPattern(this.#createTile(attitude), "repeat");
            if (!pattern) return this.color(attitude);
            this.#patterns.set(attitude, pattern);
        }
        return pattern;
    }

    /** @param {"negative" | "unknown"} attitude */
    #createTile(attitude) {
        const tile = create("canvas");
        [tile.width, tile.height] = [6, 6];
        const context = context2d(tile);
        context.fillStyle = this.color(attitude);
        context.fillRect(0, 0, 6, 6);
        context.strokeStyle = context.fillStyle = this.color("on-attitude");
        context.globalAlpha = 0.55;
        context.beginPath();
        if (attitude === "negative") {
            for (const [x, y, length] of [
                [-1, 1, 2],
                [-1, 7, 8],
                [5, 7, 2],
            ]) {
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
