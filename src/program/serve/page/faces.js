// SPDX-License-Identifier: MPL-2.0
//
// Shows the current faces as a list and announces them to screen readers.

import { ATTITUDES, createLabel, SCORED_ATTITUDES, SIGNS, updateLabel } from "./attitudes.js";
import { create, query, setText } from "./dom.js";
import { formatCount, formatPerson, formatScore, formatValence } from "./text.js";

/** @import { FaceRecord, PersonSample } from "./types.js" */

/** Maximum number of faces in the list. */
const MAX_ROWS = 8;

/** Minimum time between announcements. */
const ANNOUNCEMENT_INTERVAL_MS = 4_000;

/** Maximum number of faces that are announced one by one; more are counted by attitude. */
const MAX_ANNOUNCED_FACES = 3;

export class FaceList {
    #list = query("#faces", HTMLElement);
    #noFaces = query("#no-faces", HTMLElement);
    #moreFaces = query("#more-faces", HTMLElement);
    #count = query("#face-count", HTMLElement);
    /**
     * By the number of the person.
     * @type {Map<number, FaceRow>}
     */
    #rows = new Map();

    /**
     * Shows the faces of a sample.
     * @param {PersonSample} sample
     * @param {number} age_ms time since the sample arrived
     */
    show(sample, age_ms) {
        const faces = sample.faces.slice(0, MAX_ROWS);
        for (const [person, row] of this.#rows) {
            if (faces.some((face) => face.person === person)) continue;
            row.item.remove();
            this.#rows.delete(person);
        }
        for (const face of faces) this.#row(face.person).update(face, age_ms);
        const more = sample.faces.length - faces.length;
        this.#moreFaces.hidden = more === 0;
        this.#moreFaces.textContent = `and ${formatCount(more, "more face")}`;
        this.#noFaces.hidden = faces.length > 0;
        setText(this.#noFaces, "No face detected.");
        setText(this.#count, faces.length > 0 ? `${formatCount(sample.faces.length, "face")}.` : "No face detected.");
    }

    /**
     * Shows a reason instead of faces.
     * @param {string} reason
     */
    clear(reason) {
        for (const { item } of this.#rows.values()) item.remove();
        this.#rows.clear();
        this.#moreFaces.hidden = true;
        this.#noFaces.hidden = false;
        setText(this.#noFaces, reason);
        setText(this.#count, "");
    }

    /** @param {number} person */
    #row(person) {
        let row = this.#rows.get(person);
        if (!row) {
            row = new FaceRow(person);
            this.#rows.set(person, row);
            this.#list.append(row.item);
        }
        return row;
    }
}

class FaceRow {
    item = create("li");
    #attitude = createLabel("unknown");
    #confidence = create("span", "number");
    #valence = create("span", "valence number");
    #change = create("span", "change number");
    #age = create("span", "age");
    #bars = SCORED_ATTITUDES.map((attitude) => ({
        attitude,
        fill: create("span", `fill ${attitude}`),
        value: create("span", "number"),
    }));

    /** @param {number} person */
    constructor(person) {
        this.item.dataset.person = String(person);
        const heading = create("p", "face");
        const name = create("span", "name");
        name.append(create("strong", "", formatPerson(person)), this.#valence, this.#change);
        heading.append(name, this.#attitude, this.#confidence, this.#age);
        const scores = create("ul", "scores");
        for (const { attitude, fill, value } of this.#bars) {
            const sign = create("span", "sign", SIGNS[attitude]);
            sign.setAttribute("aria-hidden", "true");
            const bar = create("span", "bar");
            bar.append(fill);
            const item = create("li");
            item.append(sign, create("span", "visually-hidden", attitude), bar, value);
            scores.append(item);
        }
        this.item.append(heading, scores);
    }

    /**
     * @param {FaceRecord} face
     * @param {number} age_ms time since its record arrived
     */
    update(face, age_ms) {
        const { attitude, confidence, scores, valence, age_ns } = face;
        this.item.dataset.attitude = attitude;
        updateLabel(this.#attitude, attitude);
        this.#confidence.textContent = attitude === "unknown" ? "" : formatScore(confidence);
        this.#valence.textContent = valence === null ? "" : `valence ${formatValence(valence)}`;
        setText(this.#change, describeChange(face));
        this.#age.textContent = `${(age_ns / 1e9 + age_ms / 1000).toFixed(1)} s ago`;
        for (const { attitude, fill, value } of this.#bars) {
            fill.style.width = `${100 * scores[attitude]}%`;
            value.textContent = formatScore(scores[attitude]);
        }
    }
}

/**
 * Describes the change of a face against its neutral, which the visitor lets the page learn; empty before.
 * @param {FaceRecord} face
 */
function describeChange({ baseline, valence_change }) {
    if (baseline === "learning") return "learning neutral …";
    return valence_change === undefined ? "" : `${formatValence(valence_change)} from neutral`;
}

/** Announces changes of the faces to screen readers, at a limited rate. */
export class FaceAnnouncer {
    #region = query("#announcements", HTMLElement);
    #announced = "";
    #announced_ms = -Infinity;

    /**
     * Announces the faces of a sample if they have changed.
     * @param {PersonSample} sample
     */
    update(sample) {
        const now = performance.now();
        const text = describeFaces(sample.faces);
        if (text === this.#announced || now - this.#announced_ms < ANNOUNCEMENT_INTERVAL_MS) return;
        [this.#announced, this.#announced_ms] = [text, now];
        this.#region.textContent = text;
    }
}

/** @param {PersonSample["faces"]} faces */
function describeFaces(faces) {
    if (faces.length === 0) return "No face.";
    if (faces.length <= MAX_ANNOUNCED_FACES) {
        return faces.map(({ person, attitude }) => `${formatPerson(person)}: ${attitude}.`).join(" ");
    }
    const counts = ATTITUDES.map((attitude) => ({
        attitude,
        count: faces.filter((face) => face.attitude === attitude).length,
    }));
    const parts = counts.filter(({ count }) => count > 0).map(({ attitude, count }) => `${count} ${attitude}`);
    return `${formatCount(faces.length, "face")}: ${parts.join(", ")}.`;
}
