// SPDX-License-Identifier: MPL-2.0
//
// Measures and shows the latency, the frame rate and the sample rate.

import { query } from "./dom.js";

/** @import { AnnotatedFrame } from "./types.js" */

/** The periods that they are measured over. */
const FRAMES_MS = 1_000;
const SAMPLES_MS = 5_000;

/** Maximum number of kept frames and samples, more than the periods have at usual rates. */
const MAX_FRAMES = 200;
const MAX_SAMPLES = 500;

const NO_VALUE = "–";

export class Statistics {
    #latencyItem = query("#latency-item", HTMLElement);
    #latency = query("#latency", HTMLOutputElement);
    #frameRate = query("#frame-rate", HTMLOutputElement);
    #sampleRate = query("#sample-rate", HTMLOutputElement);
    /** @type {{ shown_ms: number, latency_ms: number | null }[]} */
    #frames = [];
    /** @type {number[]} */
    #samples_ms = [];

    /**
     * Adds a frame that is shown now.
     * @param {AnnotatedFrame} frame
     */
    addFrame({ record, isExact, captured_ms }) {
        const shown_ms = performance.now();
        const latency_ms = record && isExact && captured_ms !== null ? shown_ms - captured_ms : null;
        this.#frames.push({ shown_ms, latency_ms });
        if (this.#frames.length > MAX_FRAMES) this.#frames.shift();
    }

    /** Adds a sample that arrives now. */
    addSample() {
        this.#samples_ms.push(performance.now());
        if (this.#samples_ms.length > MAX_SAMPLES) this.#samples_ms.shift();
    }

    /** Removes all frames and samples. */
    reset() {
        [this.#frames, this.#samples_ms] = [[], []];
        this.show();
    }

    show() {
        const now = performance.now();
        const frames = this.#frames.filter(({ shown_ms }) => now - shown_ms < FRAMES_MS);
        const latencies = frames.flatMap(({ latency_ms }) => latency_ms ?? []).sort((a, b) => a - b);
        // Browsers usually do not know when the server's video was captured.
        this.#latencyItem.hidden = latencies.length === 0;
        const median_ms = latencies[latencies.length >> 1];
        this.#latency.textContent = latencies.length > 0 ? `${Math.round(median_ms)} ms` : NO_VALUE;
        this.#frameRate.textContent = frames.length > 0 ? String(frames.length) : NO_VALUE;
        const samples_ms = this.#samples_ms.filter((sample_ms) => now - sample_ms < SAMPLES_MS);
        const span_s = ((samples_ms.at(-1) ?? 0) - (samples_ms[0] ?? 0)) / 1_000;
        this.#sampleRate.textContent = span_s > 0 ? String(Math.round((samples_ms.length - 1) / span_s)) : NO_VALUE;
    }
}
