// SPDX-License-Identifier: MPL-2.0
//
// Matches frames with their records.

import { context2d, create } from "./dom.js";

/** @import { AnnotatedFrame, FrameRecord } from "./types.js" */

/** @typedef {(frame: AnnotatedFrame) => void} ShowFrame */

/** Maximum age of a record that is drawn on a frame other than its own. */
const MAX_RECORD_AGE_MS = 500;

/** Maximum age and number of frames that wait for their records. */
const MAX_FRAME_AGE_MS = 1_000;
const MAX_FRAMES = 24;

/** Maximum number of records that wait for their frames: of the camera, and of the server's video. */
const MAX_EARLY_RECORDS = 12;
const MAX_SOURCE_RECORDS = 90;

/** Maximum difference between the times of a record and its frame; times have a resolution of milliseconds. */
const EXACT_MS = 12;

/** Maximum time by which a frame without a record may follow the frame whose record it takes. */
const MAX_SUBSTITUTE_MS = 150;

/** The clock rate of video in RTP, per millisecond. */
const RTP_TICKS_PER_MS = 90;

/**
 * Calls back for each frame that a video shows.
 * @param {HTMLVideoElement} video
 * @param {(now: number, metadata: Partial<VideoFrameCallbackMetadata>) => void} callback
 */
function forEachFrame(video, callback) {
    const hasCallback = "requestVideoFrameCallback" in HTMLVideoElement.prototype;
    const request = () => {
        if (hasCallback) video.requestVideoFrameCallback(step);
        else requestAnimationFrame((now) => step(now, {}));
    };
    const step = (/** @type {number} */ now, /** @type {Partial<VideoFrameCallbackMetadata>} */ metadata) => {
        request();
        if (video.videoWidth > 0) callback(now, metadata);
    };
    request();
}

/**
 * Frames of the visitor's camera, matched by their time of capture. A record usually arrives after its frame, which is
 * kept for it. A record from a nearby server can arrive before the browser shows its frame.
 */
export class CameraFrames {
    #video;
    #show;
    /**
     * Copies of frames that wait for their records, oldest first.
     * @type {{ image: HTMLCanvasElement, utc_ms: number, captured_ms: number }[]}
     */
    #frames = [];
    /** @type {HTMLCanvasElement[]} */
    #unusedCanvases = [];
    /**
     * The frame that is shown.
     * @type {HTMLCanvasElement | null}
     */
    #shownImage = null;
    /**
     * Records without a frame, oldest first.
     * @type {{ record: FrameRecord, utc_ms: number, received_ms: number }[]}
     */
    #earlyRecords = [];
    #received_ms = -Infinity;
    #shown_ms = -Infinity;
    #shownUtc_ms = -Infinity;

    /**
     * @param {HTMLVideoElement} video
     * @param {ShowFrame} show
     */
    constructor(video, show) {
        this.#video = video;
        this.#show = show;
        forEachFrame(video, (now, metadata) => this.#addFrame(now, metadata));
    }

    /**
     * Adds a record, and shows its frame if that is known.
     * @param {FrameRecord} record
     */
    addRecord(record) {
        const now = performance.now();
        this.#received_ms = now;
        const utc_ms = record.utc === null ? NaN : Date.parse(record.utc);
        // A later frame is already shown. If it is much later, the clock was set.
        const lateness_ms = this.#shownUtc_ms - utc_ms;
        if (lateness_ms >= 0 && lateness_ms < MAX_FRAME_AGE_MS) return;
        const index = this.#findFrame(utc_ms);
        if (index >= 0) {
            this.#showCopy(index, record, utc_ms);
            return;
        }
        this.#earlyRecords.push({ record, utc_ms, received_ms: now });
        if (this.#earlyRecords.length > MAX_EARLY_RECORDS) this.#earlyRecords.shift();
    }

    /**
     * @param {number} now
     * @param {Partial<VideoFrameCallbackMetadata>} metadata
     */
    #addFrame(now, { captureTime = now }) {
        // Converts from the page's monotonic clock to UTC.
        const utc_ms = captureTime + Date.now() - performance.now();
        this.#dropFrames(utc_ms);
        if (now - this.#received_ms < MAX_FRAME_AGE_MS) {
            this.#frames.push({ image: this.#copyFrame(), utc_ms, captured_ms: captureTime });
            const early = this.#earlyRecords.find((it) => Math.abs(it.utc_ms - utc_ms) <= EXACT_MS);
            if (early) {
                this.#showCopy(this.#frames.length - 1, early.record, early.utc_ms);
                return;
            }
        }
        if (now - this.#shown_ms < MAX_RECORD_AGE_MS) return;
        const last = this.#earlyRecords.at(-1);
        const record = last && now - last.received_ms < MAX_RECORD_AGE_MS ? last.record : null;
        this.#show({ image: this.#video, record, isExact: false, captured_ms: captureTime });
    }

    /**
     * Drops frames that are too many or too old.
     * @param {number} utc_ms the current time
     */
    #dropFrames(utc_ms) {
        const isKept = (/** @type {{ utc_ms: number }} */ frame) => utc_ms - frame.utc_ms <= MAX_FRAME_AGE_MS;
        let first = Math.max(this.#frames.length - MAX_FRAMES + 1, 0);
        while (first < this.#frames.length && !isKept(this.#frames[first])) first += 1;
        this.#unusedCanvases.push(...this.#frames.splice(0, first).map(({ image }) => image));
    }

    /**
     * Shows a copied frame with its record, and drops older frames and records.
     * @param {number} index
     * @param {FrameRecord} record
     * @param {number} utc_ms
     */
    #showCopy(index, record, utc_ms) {
        const { image, captured_ms } = this.#frames[index];
        this.#unusedCanvases.push(
            ...this.#frames
                .splice(0, index + 1)
                .slice(0, -1)
                .map((frame) => frame.image),
        );
        this.#earlyRecords = this.#earlyRecords.filter((it) => it.utc_ms > utc_ms);
        [this.#shown_ms, this.#shownUtc_ms] = [performance.now(), utc_ms];
        this.#show({ image, record, isExact: true, captured_ms });
        // The frame may be drawn again until the next one is shown.
        if (this.#shownImage) this.#unusedCanvases.push(this.#shownImage);
        this.#shownImage = image;
    }

    /**
     * Returns the index of the frame that was captured at a time, -1 if there is none.
     * @param {number} utc_ms
     */
    #findFrame(utc_ms) {
        const distance_ms = (/** @type {number} */ index) => Math.abs(this.#frames[index].utc_ms - utc_ms);
        let closest = -1;
        for (let index = 0; index < this.#frames.length; index += 1) {
            if (distance_ms(index) <= (closest < 0 ? EXACT_MS : distance_ms(closest))) closest = index;
        }
        return closest;
    }

    #copyFrame() {
        const { videoWidth: width, videoHeight: height } = this.#video;
        const canvas = this.#unusedCanvases.pop() ?? create("canvas");
        if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
        context2d(canvas, { alpha: false }).drawImage(this.#video, 0, 0);
        return canvas;
    }
}

/** Frames of the server's video, matched by their RTP timestamp. Their records arrive first. */
export class SourceFrames {
    #video;
    #show;
    /**
     * Oldest first.
     * @type {{ record: FrameRecord, rtpTimestamp: number | null, received_ms: number }[]}
     */
    #records = [];

    /**
     * @param {HTMLVideoElement} video
     * @param {ShowFrame} show
     */
    constructor(video, show) {
        this.#video = video;
        this.#show = show;
        forEachFrame(video, (now, metadata) => this.#addFrame(now, metadata));
    }

    /**
     * Adds a record.
     * @param {FrameRecord} record
     */
    addRecord(record) {
        const { running_time_ns } = record;
        const rtpTimestamp =
            running_time_ns === null ? null : Math.floor((running_time_ns * RTP_TICKS_PER_MS) / 1e6) % 2 ** 32;
        this.#records.push({ record, rtpTimestamp, received_ms: performance.now() });
        if (this.#records.length > MAX_SOURCE_RECORDS) this.#records.shift();
    }

    /**
     * @param {number} now
     * @param {Partial<VideoFrameCallbackMetadata>} metadata
     */
    #addFrame(now, { rtpTimestamp, captureTime }) {
        const match = rtpTimestamp === undefined ? this.#newest(now) : this.#closest(rtpTimestamp);
        this.#show({ image: this.#video, captured_ms: captureTime ?? null, ...match });
    }

    /** @param {number} now */
    #newest(now) {
        const last = this.#records.at(-1);
        const isRecent = last && now - last.received_ms < MAX_RECORD_AGE_MS;
        return { record: isRecent ? last.record : null, isExact: false };
    }

    /** @param {number} rtpTimestamp */
    #closest(rtpTimestamp) {
        /** @type {{ record: FrameRecord | null, isExact: boolean }} */
        let match = { record: null, isExact: false };
        let matchDistance_ms = Infinity;
        for (const { record, rtpTimestamp: recordTimestamp } of this.#records) {
            if (recordTimestamp === null) continue;
            // Both wrap at 32 bits.
            const lateness_ms = ((rtpTimestamp - recordTimestamp) | 0) / RTP_TICKS_PER_MS;
            const distance_ms = Math.abs(lateness_ms);
            const isExact = distance_ms <= EXACT_MS;
            if (!isExact && (lateness_ms < 0 || lateness_ms > MAX_SUBSTITUTE_MS)) continue;
            if (distance_ms < matchDistance_ms) [match, matchDistance_ms] = [{ record, isExact }, distance_ms];
        }
        return match;
    }
}
