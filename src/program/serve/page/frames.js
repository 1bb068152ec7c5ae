// SPDX-License-Identifier: MPL-2.0
//
// Which record belongs to which frame. A picture, which is what the stage draws, is a frame with its record.

/** Records older than this are not drawn on later frames. */
const STALE_MS = 500;

/** Frames are kept so long for their records, and at most so many. */
const RING_MS = 1_000;
const RING_FRAMES = 24;

/** Most records that wait for their frames. */
const WAITING = 12;

/** How far a record's time may be from its frame's: clocks are told in milliseconds. */
const SAME_MS = 12;

/** Ticks a millisecond of RTP time. */
const TICKS = 90;

/** A record may be drawn on frames that are so much later, where theirs is missing. */
const NEAR_MS = 150;

/** Records that are kept for their frames. */
const RECORDS = 90;

/**
 * Calls back for each frame that a video shows.
 * @param {function(number, object): void} callback with the time and what the browser knows of the frame
 */
function eachFrame(video, callback) {
    const request =
        "requestVideoFrameCallback" in video
            ? (step) => video.requestVideoFrameCallback(step)
            : (step) => requestAnimationFrame((now) => step(now, {}));
    const step = (now, metadata) => {
        request(step);
        if (video.videoWidth > 0) callback(now, metadata);
    };
    request(step);
}

/**
 * Frames of this page's camera. Records tell when theirs was captured. Mostly they come later, and frames wait for
 * them; a near server may be faster than the browser shows its own camera.
 */
export class CameraFrames {
    #video;
    #show;
    /** Oldest first. */
    #ring = [];
    #spare = [];
    /** What is shown. */
    #held = null;
    /** Records whose frames are not known, or not yet, and when they came; oldest first. */
    #waiting = [];
    #heard_ms = -Infinity;
    #shown_ms = -Infinity;
    #shownUtc_ms = -Infinity;

    /** @param {function(Picture): void} show */
    constructor(video, show) {
        [this.#video, this.#show] = [video, show];
        eachFrame(video, (now, metadata) => this.#frame(now, metadata));
    }

    /** What the server says of a frame. */
    record(record) {
        const now = performance.now();
        this.#heard_ms = now;
        const utc_ms = record.utc === null ? NaN : Date.parse(record.utc);
        // It was overtaken on its way. By more than a second, the clock was set.
        const behind_ms = this.#shownUtc_ms - utc_ms;
        if (behind_ms >= 0 && behind_ms < RING_MS) return;
        const index = this.#closest(utc_ms);
        if (index >= 0) return this.#showKept(index, record, utc_ms);
        this.#waiting.push({ record, utc_ms, came_ms: now });
        if (this.#waiting.length > WAITING) this.#waiting.shift();
    }

    #frame(now, { captureTime = now }) {
        // From the page's steady clock to the one that the server is told.
        const utc_ms = captureTime + Date.now() - performance.now();
        while (this.#ring.length > 0 && (this.#ring.length >= RING_FRAMES || utc_ms - this.#ring[0].utc_ms > RING_MS)) {
            this.#spare.push(this.#ring.shift().image);
        }
        if (now - this.#heard_ms < RING_MS) {
            this.#ring.push({ image: this.#copy(), utc_ms, captured_ms: captureTime });
            const early = this.#waiting.find((it) => Math.abs(it.utc_ms - utc_ms) <= SAME_MS);
            if (early) return this.#showKept(this.#ring.length - 1, early.record, early.utc_ms);
        }
        if (now - this.#shown_ms < STALE_MS) return;
        const last = this.#waiting.at(-1);
        const record = last && now - last.came_ms < STALE_MS ? last.record : null;
        this.#show({ image: this.#video, record, isExact: false, captured_ms: captureTime });
    }

    /** Shows a frame of the ring with its record, and gives up what is older. */
    #showKept(index, record, utc_ms) {
        const past = this.#ring.splice(0, index + 1);
        const frame = past.pop();
        this.#spare.push(...past.map(({ image }) => image));
        this.#waiting = this.#waiting.filter((it) => it.utc_ms > utc_ms);
        [this.#shown_ms, this.#shownUtc_ms] = [performance.now(), utc_ms];
        this.#show({ image: frame.image, record, isExact: true, captured_ms: frame.captured_ms });
        // The stage may draw it again until the next one.
        if (this.#held) this.#spare.push(this.#held);
        this.#held = frame.image;
    }

    /** Where the frame is that was captured at a time; -1 where there is none. */
    #closest(utc_ms) {
        const far_ms = (index) => Math.abs(this.#ring[index].utc_ms - utc_ms);
        let best = -1;
        for (let index = 0; index < this.#ring.length; index += 1) {
            if (far_ms(index) <= (best < 0 ? SAME_MS : far_ms(best))) best = index;
        }
        return best;
    }

    #copy() {
        const { videoWidth: width, videoHeight: height } = this.#video;
        const image = this.#spare.pop() ?? document.createElement("canvas");
        if (image.width !== width || image.height !== height) Object.assign(image, { width, height });
        image.getContext("2d", { alpha: false }).drawImage(this.#video, 0, 0);
        return image;
    }
}

/** Frames that the server sends. Their records come first, and tell their RTP timestamp. */
export class SourceFrames {
    #video;
    #show;
    /** Oldest first. */
    #records = [];

    /** @param {function(Picture): void} show */
    constructor(video, show) {
        [this.#video, this.#show] = [video, show];
        eachFrame(video, (now, metadata) => this.#frame(now, metadata));
    }

    /** What the server says of a frame. */
    record(record) {
        const ticks = record.running_time_ns === null ? null : Math.floor((record.running_time_ns * 9) / 1e5) % 2 ** 32;
        this.#records.push({ record, ticks, came_ms: performance.now() });
        if (this.#records.length > RECORDS) this.#records.shift();
    }

    #frame(now, { rtpTimestamp, captureTime }) {
        const found = rtpTimestamp === undefined ? this.#newest(now) : this.#closest(rtpTimestamp);
        this.#show({ image: this.#video, record: null, isExact: false, captured_ms: captureTime ?? null, ...found });
    }

    #newest(now) {
        const last = this.#records.at(-1);
        return last && now - last.came_ms < STALE_MS ? { record: last.record } : {};
    }

    #closest(timestamp) {
        let best = null;
        for (const { record, ticks } of this.#records) {
            if (ticks === null) continue;
            // Both wrap at 32 bits.
            const late_ms = ((timestamp - ticks) | 0) / TICKS;
            const isExact = Math.abs(late_ms) <= SAME_MS;
            if (!isExact && (late_ms < 0 || late_ms > NEAR_MS)) continue;
            if (best === null || Math.abs(late_ms) < Math.abs(best.late_ms)) best = { record, isExact, late_ms };
        }
        return best ?? {};
    }
}

/**
 * @typedef {object} Picture
 * @property {CanvasImageSource} image the frame
 * @property {object|null} record what was seen
 * @property {boolean} isExact whether that was on this very frame
 * @property {number|null} captured_ms when a camera took it, by `performance.now`, where that is known
 */
