// SPDX-License-Identifier: MPL-2.0
//
// Shows the results of a session: the current faces, their trends, and the timelines.

import { Legend } from "./attitudes.js";
import { query } from "./dom.js";
import { FaceAnnouncer, FaceList } from "./faces.js";
import { History } from "./history.js";
import { Persons } from "./persons.js";
import { RecentTimeline } from "./recent-timeline.js";
import { SessionTimeline } from "./session-timeline.js";
import { formatPosition } from "./text.js";
import { TrendView } from "./trend.js";

/** @import { Palette } from "./attitudes.js" */
/** @import { SessionLog } from "./session-log.js" */
/** @import { FrameRecord, JoiningRule, PersonSample, SessionRecord } from "./types.js" */

/** Interval of drawing the timelines if the visitor prefers reduced motion. */
const REDUCED_MOTION_INTERVAL_MS = 1_000;

/** Minimum interval of changes of the timelines' descriptions, and the number of samples before it applies. */
const DESCRIPTION_INTERVAL_MS = 10_000;
const FIRST_SAMPLES = 10;

export class Results {
    #rule;
    /** @type {SessionLog} */
    #log;
    #persons;
    #history = new History();
    /** @type {{ sample: PersonSample, received_ms: number } | null} */
    #last = null;
    #needsDrawing = true;
    #drawn_ms = -Infinity;
    #described_ms = -Infinity;

    #faceList = new FaceList();
    #announcer = new FaceAnnouncer();
    #trends = new TrendView();
    #recentCanvas = query("#recent-timeline", HTMLCanvasElement);
    #recentTimeline;
    #sessionCanvas = query("#session-timeline", HTMLCanvasElement);
    #sessionTimeline;
    #sessionLength = query("#session-length", HTMLElement);
    #legend = new Legend(query("#legend", HTMLElement));

    /**
     * @param {Palette} palette
     * @param {JoiningRule} rule
     * @param {SessionLog} log
     */
    constructor(palette, rule, log) {
        this.#rule = rule;
        this.#log = log;
        this.#persons = new Persons(rule);
        this.#recentTimeline = new RecentTimeline(this.#recentCanvas, palette);
        this.#sessionTimeline = new SessionTimeline(this.#sessionCanvas, palette);
        addEventListener("resize", () => this.requestDrawing());
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.requestDrawing());
    }

    /**
     * Shows a new session.
     * @param {SessionLog} log
     */
    reset(log) {
        this.#log = log;
        this.#persons = new Persons(this.#rule);
        this.#history = new History();
        this.#recentTimeline.reset();
        this.#draw(false);
    }

    /**
     * Adds a sample.
     * @param {SessionRecord} record
     */
    add(record) {
        const sample = this.#persons.add(record);
        this.#history.add(sample);
        this.#last = { sample, received_ms: performance.now() };
        this.#announcer.update(sample);
    }

    /**
     * Returns a record with the persons of its faces.
     * @param {FrameRecord} record
     */
    labelPersons(record) {
        return this.#persons.label(record);
    }

    /**
     * Shows a reason instead of the current faces.
     * @param {string} reason
     */
    clearFaces(reason) {
        this.#last = null;
        this.#faceList.clear(reason);
        this.#trends.clear();
    }

    requestDrawing() {
        this.#needsDrawing = true;
    }

    /**
     * Shows the current faces, and draws the timelines if that is due.
     * @param {boolean} isRunning true while the session's time advances
     */
    update(isRunning) {
        const now = performance.now();
        if (this.#last) {
            this.#faceList.show(this.#last.sample, now - this.#last.received_ms);
            this.#trends.show(this.#last.sample, this.#log.now_ns);
        }
        const moves = isRunning && this.#log.samples > 0;
        const prefersReducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
        const isDue = !prefersReducedMotion || now - this.#drawn_ms >= REDUCED_MOTION_INTERVAL_MS;
        if (this.#needsDrawing || (moves && isDue)) this.#draw(isRunning);
    }

    /** @param {boolean} isRunning */
    #draw(isRunning) {
        const now = performance.now();
        [this.#needsDrawing, this.#drawn_ms] = [false, now];
        const now_s = this.#log.now_ns / 1e9;
        const { notes, samples } = this.#log;
        this.#recentTimeline.draw(this.#history, notes, now_s);
        this.#sessionTimeline.draw(this.#history, notes, now_s);
        this.#sessionLength.textContent = samples > 0 ? formatPosition(now_s) : "";
        this.#legend.show(this.#history.shares);
        const isDescribed = now - this.#described_ms < DESCRIPTION_INTERVAL_MS;
        if (samples > FIRST_SAMPLES && isDescribed && isRunning) return;
        this.#described_ms = now;
        this.#recentCanvas.setAttribute("aria-label", RecentTimeline.describe(this.#history));
        this.#sessionCanvas.setAttribute("aria-label", SessionTimeline.describe(this.#history, now_s));
    }
}
