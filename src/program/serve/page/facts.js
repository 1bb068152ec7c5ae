// SPDX-License-Identifier: MPL-2.0
//
// The line of facts: how late, how many frames, how many samples.

/** Over how long they are told. */
const FRAMES_MS = 1_000;
const SAMPLES_MS = 5_000;

export class Facts {
    #delay = document.querySelector("#delay");
    #frameRate = document.querySelector("#frame-rate");
    #sampleRate = document.querySelector("#sample-rate");
    #frames = [];
    #samples = [];

    /** A picture was drawn. */
    frame({ record, isExact, captured_ms }) {
        const now = performance.now();
        this.#frames.push({ now, delay_ms: record && isExact && captured_ms !== null ? now - captured_ms : null });
        if (this.#frames.length > 200) this.#frames.shift();
    }

    sample() {
        this.#samples.push(performance.now());
        if (this.#samples.length > 500) this.#samples.shift();
    }

    /** Forgets what was. */
    reset() {
        [this.#frames, this.#samples] = [[], []];
        this.show();
    }

    show() {
        const now = performance.now();
        const frames = this.#frames.filter((frame) => now - frame.now < FRAMES_MS);
        const delays = frames.map((frame) => frame.delay_ms).filter((it) => it !== null).sort((a, b) => a - b);
        // Of what a server shows, browsers mostly do not know when it was taken.
        this.#delay.parentElement.hidden = delays.length === 0;
        this.#delay.textContent = delays.length > 0 ? `${Math.round(delays[delays.length >> 1])} ms` : "–";
        this.#frameRate.textContent = frames.length > 0 ? String(frames.length) : "–";
        const samples = this.#samples.filter((it) => now - it < SAMPLES_MS);
        const span_s = samples.length > 1 ? (samples.at(-1) - samples[0]) / 1_000 : 0;
        this.#sampleRate.textContent = span_s > 0 ? String(Math.round((samples.length - 1) / span_s)) : "–";
    }
}
