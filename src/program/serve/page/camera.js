// SPDX-License-Identifier: MPL-2.0
//
// The visitor's camera.

/** Why there is no camera: the name of a state of states.js. */
export class NoCamera extends Error {
    constructor(state, problem) {
        super(problem);
        this.state = state;
    }
}

/** Whether a browser gives this page a camera at all. */
export function isPossible() {
    return isSecureContext && Boolean(navigator.mediaDevices?.getUserMedia);
}

/**
 * Asks for the camera. Nothing is heard: there is no microphone.
 * @param {{width: number, height: number, frames_per_second: number}} limits what the server takes
 * @returns {Promise<MediaStreamTrack>}
 */
export async function open({ width, height, frames_per_second }) {
    const video = {
        width: { ideal: width, max: width },
        height: { ideal: height, max: height },
        frameRate: { ideal: frames_per_second, max: frames_per_second },
        facingMode: "user",
    };
    try {
        const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
        const [track] = stream.getVideoTracks();
        // Faces that move should be seen often rather than sharply.
        track.contentHint = "motion";
        return track;
    } catch (error) {
        throw explained(error);
    }
}

function explained({ name, message }) {
    switch (name) {
        case "NotAllowedError":
        case "SecurityError":
            return new NoCamera("denied");
        case "NotFoundError":
            return new NoCamera("no-camera", "No camera was found. Connect one and try again.");
        case "NotReadableError":
        case "AbortError":
            return new NoCamera("no-camera", "The camera cannot be used. Close what else uses it and try again.");
        case "OverconstrainedError":
            return new NoCamera("no-camera", "No camera has a picture small enough for this server. Try another one.");
        default:
            return new NoCamera("no-camera", `The camera did not start: ${message}.`);
    }
}
