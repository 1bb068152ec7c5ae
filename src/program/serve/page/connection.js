// SPDX-License-Identifier: MPL-2.0
//
// Keeps the page connected to the server: opens a peer and replaces it with a new one if it fails.

import { Peer } from "./peer.js";
import { RequestError } from "./server.js";
import { toSentence } from "./text.js";

/** @import { Server } from "./server.js" */
/** @import { StateDetails, StateName } from "./page-state.js" */
/** @import { Closing, FrameRecord, Settings } from "./types.js" */

/**
 * @typedef {object} ConnectionEvents
 * @property {(name: StateName, details?: StateDetails) => void} state there is no connection, for this reason
 * @property {() => void} connected
 * @property {(record: FrameRecord) => void} sample
 * @property {(record: FrameRecord) => void} frame
 * @property {(track: MediaStreamTrack) => void} video
 */

/** Delays before the first, second, … retry; the last one repeats. */
const RETRY_DELAYS_S = [1, 2, 4, 8];

/** Delay before a retry if a server that is full does not name one. */
const FULL_RETRY_DELAY_S = 5;

/** Maximum time without a record; the first one may wait until the models are loaded. */
const RECORD_TIMEOUT_MS = 5_000;
const FIRST_RECORD_TIMEOUT_MS = 10_000;

/** Status of a server whose source cannot be read; with `Retry-After` if it may be read later. */
const BAD_GATEWAY = 502;

/** Reasons for closing a session after which a retry can succeed. */
const TEMPORARY_REASONS = ["failed", "timeout"];

const NOT_ESTABLISHED = "The connection could not be established.";

export class Connection {
    #server;
    #settings;
    #events;
    /** @type {Peer | null} */
    #peer = null;
    /** @type {MediaStreamTrack | null} */
    #track = null;
    #isAnalysisOn = true;
    #isPaused = false;
    #isOpen = false;
    #attempts = 0;
    /** The timer of the next retry, 0 if none is due. */
    #retryTimer = 0;
    #lastRecord_ms = 0;
    #recordTimeout_ms = FIRST_RECORD_TIMEOUT_MS;

    /**
     * @param {Server} server
     * @param {Settings} settings
     * @param {ConnectionEvents} events
     */
    constructor(server, settings, events) {
        this.#server = server;
        this.#settings = settings;
        this.#events = events;
        setInterval(() => this.#checkRecords(), 1_000);
        addEventListener("online", () => {
            if (this.#retryTimer) this.retry();
        });
        // A hidden page may not receive records.
        document.addEventListener("visibilitychange", () => {
            this.#lastRecord_ms = performance.now();
        });
    }

    /**
     * Starts to connect.
     * @param {MediaStreamTrack | null} track the camera's track, which is sent to the server
     */
    start(track) {
        this.#track = track;
        this.#attempts = 0;
        this.#events.state("connecting");
        this.#connect();
    }

    /** Retries at once. */
    retry() {
        this.#events.state(this.#attempts > 0 ? "reconnecting" : "connecting");
        this.#connect();
    }

    /** Closes the connection and does not retry. */
    stop() {
        clearTimeout(this.#retryTimer);
        this.#retryTimer = 0;
        this.#isOpen = false;
        this.#peer?.close();
        this.#peer = null;
    }

    /**
     * Turns the analysis of the video on or off.
     * @param {boolean} isOn
     */
    setAnalysis(isOn) {
        this.#isAnalysisOn = isOn;
        this.#sendAnalysis();
    }

    /**
     * Pauses or continues sending and analyzing the video.
     * @param {boolean} isPaused
     */
    setPaused(isPaused) {
        this.#isPaused = isPaused;
        this.#sendAnalysis();
        // Fails only if the peer is closing.
        this.#peer?.replaceTrack(isPaused ? null : this.#track).catch(() => {});
    }

    /** Discards the baselines of all faces, and learns them from now on. */
    learnBaseline() {
        this.#peer?.send("learn-baseline");
    }

    get #wantsRecords() {
        return this.#isAnalysisOn && !this.#isPaused;
    }

    #sendAnalysis() {
        this.#lastRecord_ms = performance.now();
        this.#peer?.send({ analysis: this.#wantsRecords });
    }

    async #connect() {
        this.stop();
        const receiver =
            (/** @type {(record: FrameRecord) => void} */ event) => (/** @type {FrameRecord} */ record) => {
                this.#lastRecord_ms = performance.now();
                this.#recordTimeout_ms = RECORD_TIMEOUT_MS;
                this.#attempts = 0;
                event(record);
            };
        const peer = new Peer(this.#server, this.#settings, this.#isPaused ? null : this.#track, {
            sample: receiver(this.#events.sample),
            frame: receiver(this.#events.frame),
            video: this.#events.video,
            closing: (closing) => this.#handleClosing(closing),
            lost: () => this.#retryLater(),
        });
        this.#peer = peer;
        try {
            await peer.open();
            if (this.#peer !== peer) return;
            this.#isOpen = true;
            this.#lastRecord_ms = performance.now();
            this.#recordTimeout_ms = FIRST_RECORD_TIMEOUT_MS;
            if (!this.#wantsRecords) this.#sendAnalysis();
            this.#events.connected();
        } catch (error) {
            if (this.#peer === peer) this.#handleError(error);
        }
    }

    /** @param {unknown} error */
    #handleError(error) {
        if (!(error instanceof RequestError)) {
            this.#retryLater(NOT_ESTABLISHED);
        } else if (error.isUnauthorized) {
            this.stop();
            this.#events.state("unauthorized", { problem: error.message });
        } else if (error.status === 503) {
            this.#retryAfter(error.retryAfter_s ?? FULL_RETRY_DELAY_S, "full", error.message);
        } else if (error.status === BAD_GATEWAY && error.retryAfter_s === null) {
            this.stop();
            this.#events.state("unplayable", { problem: error.message });
        } else {
            this.#retryLater(error.message);
        }
    }

    /** @param {Closing} closing */
    #handleClosing({ reason, problem }) {
        const message = problem ? toSentence(problem) : undefined;
        if (TEMPORARY_REASONS.includes(reason)) {
            this.#retryLater(message);
            return;
        }
        this.stop();
        this.#events.state(this.#stateAfter(reason), { problem: message });
    }

    /**
     * Returns the state after the server has closed the session for good.
     * @param {Closing["reason"]} reason
     * @returns {StateName}
     */
    #stateAfter(reason) {
        if (reason === "shutdown" || reason === "unplayable") return reason;
        return reason === "ended" && this.#settings.is_recording ? "finished" : "ended";
    }

    /** @param {string} [problem] */
    #retryLater(problem) {
        const delay_s = RETRY_DELAYS_S[Math.min(this.#attempts, RETRY_DELAYS_S.length - 1)];
        this.#attempts += 1;
        this.#retryAfter(delay_s, "reconnecting", problem);
    }

    /**
     * @param {number} delay_s
     * @param {StateName} state shown until then
     * @param {string} [problem]
     */
    #retryAfter(delay_s, state, problem) {
        this.stop();
        this.#retryTimer = setTimeout(() => this.retry(), 1_000 * delay_s);
        this.#events.state(state, { problem, delay_s });
    }

    #checkRecords() {
        const isLate = performance.now() - this.#lastRecord_ms > this.#recordTimeout_ms;
        if (this.#isOpen && this.#wantsRecords && !document.hidden && isLate) {
            this.#retryLater("The server stopped sending results.");
        }
    }
}
