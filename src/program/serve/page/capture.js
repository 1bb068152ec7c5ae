// SPDX-License-Identifier: MPL-2.0
//
// Opens the visitor's video: a camera, or a window or screen that the visitor shares.

import { toSentence } from "./text.js";

/** @import { VideoLimits } from "./types.js" */

/** @typedef {"camera" | "screen"} CaptureKind */

/** Reports that the video cannot be opened. */
export class CaptureError extends Error {
    /**
     * @param {"denied" | "no-video"} state the page state that explains it
     * @param {string} message
     */
    constructor(state, message) {
        super(message);
        this.state = state;
    }
}

/** What to tell the visitor when the video ends without a request of the page. */
export const ENDED = {
    camera: "The camera was disconnected. Connect it and try again.",
    screen: "The window or screen is no longer shared.",
};

/** The functions that open the kinds of video, undefined if the browser does not have them on this page. */
const OPENERS = {
    // The devices are undefined on insecure pages.
    camera: () => /** @type {MediaDevices | undefined} */ (navigator.mediaDevices)?.getUserMedia,
    screen: () => /** @type {MediaDevices | undefined} */ (navigator.mediaDevices)?.getDisplayMedia,
};

/**
 * Returns true if the browser allows this page to open video of a kind.
 * @param {CaptureKind} kind
 */
export function isAvailable(kind) {
    return isSecureContext && OPENERS[kind]() !== undefined;
}

/**
 * Opens video, without sound. Throws a `CaptureError`.
 * @param {CaptureKind} kind
 * @param {VideoLimits} limits
 * @returns {Promise<MediaStreamTrack>}
 */
export async function open(kind, { width, height, frames_per_second }) {
    const video = {
        width: { ideal: width, max: width },
        height: { ideal: height, max: height },
        frameRate: { ideal: frames_per_second, max: frames_per_second },
    };
    try {
        const devices = navigator.mediaDevices;
        const stream =
            kind === "camera"
                ? await devices.getUserMedia({ video: { ...video, facingMode: "user" }, audio: false })
                : await devices.getDisplayMedia({ video, audio: false });
        const [track] = stream.getVideoTracks();
        // Tracking faces needs a steady frame rate more than sharp frames.
        track.contentHint = "motion";
        return track;
    } catch (error) {
        const { name, message } = error instanceof Error ? error : new Error(String(error));
        throw kind === "camera" ? toCameraError(name, message) : toScreenError(name, message);
    }
}

/**
 * @param {string} name
 * @param {string} message
 */
function toCameraError(name, message) {
    switch (name) {
        case "NotAllowedError":
        case "SecurityError":
            return new CaptureError(
                "denied",
                "Access to the camera was denied. Allow it in the browser’s settings for this page, then try again.",
            );
        case "NotFoundError":
            return new CaptureError("no-video", "No camera was found. Connect one and try again.");
        case "NotReadableError":
        case "AbortError":
            return new CaptureError(
                "no-video",
                "The camera cannot be opened. Close other applications that use it and try again.",
            );
        case "OverconstrainedError":
            return new CaptureError(
                "no-video",
                "The camera does not support a resolution that this server accepts. Try another one.",
            );
        default:
            return new CaptureError("no-video", toSentence(`The camera did not start: ${message}`));
    }
}

/**
 * @param {string} name
 * @param {string} message
 */
function toScreenError(name, message) {
    if (name === "NotAllowedError") {
        return new CaptureError(
            "denied",
            "No window or screen was shared. Select one, and allow the browser to share it.",
        );
    }
    return new CaptureError("no-video", toSentence(`The window or screen cannot be shared: ${message}`));
}
