// SPDX-License-Identifier: MPL-2.0
//
// The faces that are seen now, as a list and in words.

import { SIGNS, named, rename } from "./attitudes.js";
import { count, score } from "./text.js";

/** Most faces that are listed. */
const MAX_ROWS = 8;

/** What is read aloud is said no more often. */
const ANNOUNCING_MS = 4_000;

/** Faces that are told apart when read aloud; more are counted. */
const MAX_TOLD = 3;

const SCORES = ["positive", "neutral", "negative"];

/** The list. */
export class FaceList {
    #list = document.querySelector("#faces");
    #nobody = document.querySelector("#nobody");
    #more = document.querySelector("#more-faces");
    #rows = new Map();

    /**
     * Shows a record's faces.
     * @param {object} record
     * @param {number} since_ms how long ago it came
     */
    show(record, since_ms) {
        const faces = record.faces.slice(0, MAX_ROWS);
        for (const [track, row] of this.#rows) {
            if (faces.some((face) => face.track === track)) continue;
            row.item.remove();
            this.#rows.delete(track);
        }
        for (const face of faces) this.#row(face.track).show(face, since_ms);
        const more = record.faces.length - faces.length;
        this.#more.hidden = more === 0;
        this.#more.textContent = `and ${count(more, "more face")}`;
        this.#nobody.hidden = faces.length > 0;
        this.#say("No face is seen.");
    }

    /** Shows none, and why. */
    clear(reason) {
        for (const { item } of this.#rows.values()) item.remove();
        this.#rows.clear();
        this.#more.hidden = true;
        this.#nobody.hidden = false;
        this.#say(reason);
    }

    #say(text) {
        if (this.#nobody.textContent !== text) this.#nobody.textContent = text;
    }

    #row(track) {
        if (!this.#rows.has(track)) {
            const row = new Row(track);
            this.#rows.set(track, row);
            this.#list.append(row.item);
        }
        return this.#rows.get(track);
    }
}

class Row {
    constructor(track) {
        this.item = element("li");
        this.item.dataset.track = track;
        this.attitude = named("unknown");
        this.confidence = element("span", "number");
        this.age = element("span", "age");
        const name = element("strong");
        name.textContent = `Face ${track}`;
        const head = element("p", "face");
        head.append(name, this.attitude, this.confidence, this.age);
        const scores = element("ul", "scores");
        this.scores = SCORES.map((attitude) => {
            const [item, sign, bar, fill, value] = [
                element("li", attitude),
                element("span", "sign"),
                element("span", "bar"),
                element("span", `fill ${attitude}`),
                element("span", "number"),
            ];
            const name = element("span", "hidden");
            name.textContent = attitude;
            sign.textContent = SIGNS[attitude];
            sign.setAttribute("aria-hidden", "true");
            bar.append(fill);
            item.append(sign, name, bar, value);
            scores.append(item);
            return { attitude, fill, value };
        });
        this.item.append(head, scores);
    }

    show({ attitude, confidence, scores, age_ns }, since_ms) {
        this.item.dataset.attitude = attitude;
        rename(this.attitude, attitude);
        this.confidence.textContent = attitude === "unknown" ? "" : score(confidence);
        this.age.textContent = `${(age_ns / 1e9 + since_ms / 1000).toFixed(1)} s old`;
        for (const { attitude, fill, value } of this.scores) {
            fill.style.width = `${100 * scores[attitude]}%`;
            value.textContent = score(scores[attitude]);
        }
    }
}

/** Tells those who do not see the page of changes, but not of each at once. */
export class Announcer {
    #region = document.querySelector("#announcements");
    #told = "";
    #told_ms = -Infinity;

    /** What a record shows, if that is news. */
    hear(record) {
        const now = performance.now();
        const words = inWords(record.faces);
        if (words === this.#told || now - this.#told_ms < ANNOUNCING_MS) return;
        [this.#told, this.#told_ms] = [words, now];
        this.#region.textContent = words;
    }
}

function inWords(faces) {
    if (faces.length === 0) return "No face.";
    if (faces.length <= MAX_TOLD) return faces.map(({ track, attitude }) => `Face ${track}: ${attitude}.`).join(" ");
    const counts = [...SCORES, "unknown"].map((it) => [faces.filter((face) => face.attitude === it).length, it]);
    const told = counts.filter(([number]) => number > 0).map(([number, attitude]) => `${number} ${attitude}`);
    return `${count(faces.length, "face")}: ${told.join(", ")}.`;
}

function element(name, className = "") {
    const element = document.createElement(name);
    element.className = className;
    return element;
}
