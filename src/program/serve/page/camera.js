// SPDX-License-Identifier: MPL-2.0
//
// Opens the visitor's camera.

import { toSentence } from "./text.js";

/** @import { VideoLimits } from "./types.js" */

/** Reports that the camera cannot be opened. */
export class CameraError extends Error {
    /**
     * @param {"denied" | "no-camera"} state the page state that explains it
     * @param {string} [message]
     */
    constructor(state, message) {
        super(message);
        this.state = state;
    }
}

/** Returns true if the browser allows this page to open a camera. */
export function isCameraAvailable() {
    // Undefined on insecure pages.
    const devices = /** @type {MediaDevices | undefined} */ (navigator.mediaDevices);
    return isSecureContext && Boolean(devices?.getUserMedia);
}

/**
 * Opens the camera, without a microphone. Throws a `CameraError`.
 * @param {VideoLimits} limits
 * @returns {Promise<MediaStreamTrack>}
 */
export async function openCamera({ width, height, frames_per_second }) {
    const video = {
        width: { ideal: width, max: width },
        height: { ideal: height, max: height },
        frameRate: { ideal: frames_per_second, max: frames_per_second },
        facingMode: "user",
    };
    try {
        const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
        const [track] = stream.getVideoTracks();
        // Tracking faces needs a steady frame rate more than sharp frames.
        track.contentHint = "motion";
        return track;
    } catch (error) {
        throw toCameraError(error);
    }
}

/** @param {unknown} error */
function toCameraError(error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    switch (name) {
        case "NotAllowedError":
        case "SecurityError":
            return new CameraError("denied");
        case "NotFoundError":
            return new CameraError("no-camera", "No camera was found. Connect one and try again.");
        case "NotReadableError":
        case "AbortError":
            return new CameraError(
                "no-camera",
                "The camera cannot be opened. Close other applications that use it and try again.",
            );
        case "OverconstrainedError":
            return new CameraError(
                "no-camera",
                "The camera does not support a resolution that this server accepts. Try another one.",
            );
        default:
            return new CameraError("no-camera", toSentence(`The camera did not start: ${message}`));
    }
}
