// SPDX-License-Identifier: MPL-2.0
//
// Keeps a connection to the server: makes peers, notices when one is gone, and makes the next one.

import { Peer } from "./peer.js";
import { Refusal } from "./server.js";
import { sentence } from "./text.js";

/** Between tries; the last one stands. */
const BACK_OFF_S = [1, 2, 4, 8];

/** Without a record for so long, something is wrong. The first one may wait for the networks to be loaded. */
const SILENCE_MS = 5_000;
const FIRST_SILENCE_MS = 10_000;

/** Where a busy server does not say when to come again. */
const BUSY_S = 5;

/** Ends that another try may mend. */
const MENDABLE = ["failed", "timeout"];

export class Connection {
    #server;
    #settings;
    #events;
    #peer = null;
    #track = null;
    #analysis = true;
    #paused = false;
    #open = false;
    #tries = 0;
    #timer = 0;
    #heard_ms = 0;
    #silence_ms = FIRST_SILENCE_MS;

    /**
     * @param {import("./server.js").Server} server
     * @param {object} settings the server's
     * @param {{state: function, connected: function, sample: function, frame: function, video: function}} events
     *     `state` is told the name of a state of states.js and its details.
     */
    constructor(server, settings, events) {
        [this.#server, this.#settings, this.#events] = [server, settings, events];
        setInterval(() => this.#listenForSilence(), 1_000);
        addEventListener("online", () => this.#timer && this.retry());
        // Nothing may have been heard because nothing ran.
        document.addEventListener("visibilitychange", () => (this.#heard_ms = performance.now()));
    }

    /** @param {MediaStreamTrack|null} track the camera's, to be sent */
    start(track) {
        this.#track = track;
        this.#tries = 0;
        this.#events.state("connecting");
        this.#connect();
    }

    /** Does not wait for the next try. */
    retry() {
        this.#events.state(this.#tries > 0 ? "reconnecting" : "connecting", {});
        this.#connect();
    }

    /** For good. */
    stop() {
        clearTimeout(this.#timer);
        this.#timer = 0;
        this.#open = false;
        this.#peer?.close();
        this.#peer = null;
    }

    /** Whether the server looks at the video. */
    set analysis(on) {
        this.#analysis = on;
        this.#tellAnalysis();
    }

    /** While paused nothing is sent and nothing analysed. */
    set paused(paused) {
        this.#paused = paused;
        this.#tellAnalysis();
        // Only a peer that is closing refuses.
        this.#peer?.replaceTrack(paused ? null : this.#track).catch(() => {});
    }

    get #wanted() {
        return this.#analysis && !this.#paused;
    }

    #tellAnalysis() {
        this.#heard_ms = performance.now();
        this.#peer?.send({ analysis: this.#wanted });
    }

    async #connect() {
        this.stop();
        const heard = (event) => (record) => {
            this.#heard_ms = performance.now();
            this.#silence_ms = SILENCE_MS;
            this.#tries = 0;
            event(record);
        };
        const peer = new Peer(this.#server, this.#settings, this.#paused ? null : this.#track, {
            sample: heard(this.#events.sample),
            frame: heard(this.#events.frame),
            video: this.#events.video,
            closing: (closing) => this.#close(closing),
            lost: () => this.#tryLater(),
        });
        this.#peer = peer;
        try {
            await peer.open();
            if (this.#peer !== peer) return;
            this.#open = true;
            this.#heard_ms = performance.now();
            this.#silence_ms = FIRST_SILENCE_MS;
            if (!this.#wanted) this.#tellAnalysis();
            this.#events.connected();
        } catch (problem) {
            if (this.#peer === peer) this.#refused(problem);
        }
    }

    #refused(problem) {
        if (!(problem instanceof Refusal)) return this.#tryLater("No connection came about.");
        switch (problem.status) {
            case 401:
            case 403:
                this.stop();
                return this.#events.state("token", { problem: problem.message });
            case 503:
                return this.#tryAfter(problem.retryAfter_s ?? BUSY_S, "busy", problem.message);
            default:
                return this.#tryLater(problem.message);
        }
    }

    #close({ reason, problem: told }) {
        const problem = told && sentence(told);
        if (MENDABLE.includes(reason)) return this.#tryLater(problem);
        this.stop();
        this.#events.state(reason === "shutdown" ? "shutdown" : "ended", { problem });
    }

    #tryLater(problem) {
        const delay_s = BACK_OFF_S[Math.min(this.#tries, BACK_OFF_S.length - 1)];
        this.#tries += 1;
        this.#tryAfter(delay_s, "reconnecting", problem);
    }

    #tryAfter(delay_s, state, problem) {
        this.stop();
        this.#timer = setTimeout(() => this.retry(), 1_000 * delay_s);
        this.#events.state(state, { problem, delay_s });
    }

    #listenForSilence() {
        const silent = performance.now() - this.#heard_ms > this.#silence_ms;
        if (this.#open && this.#wanted && !document.hidden && silent) this.#tryLater("No results come any more.");
    }
}
