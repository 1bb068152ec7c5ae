// SPDX-License-Identifier: MPL-2.0
//
// Shows the state of the page: a status line, a cover over the video, and the buttons that the state allows.

import { query, setText } from "./dom.js";

/**
 * @typedef {object} StateDetails
 * @property {string | null} [source] name of the server's video; null if the visitor's own video is analyzed
 * @property {string} [problem]
 * @property {number} [delay_s] until the next retry
 * @property {string} [resumeAction] name of the button that starts or continues the session
 * @property {boolean} [canShareScreen] true if the visitor's screen can be analyzed
 * @property {string} [port] port of the server with its colon, empty if it is the default
 */

/**
 * @typedef {object} State
 * @property {string} text of the status line
 * @property {string} [cover] text on the cover, which may be empty; without it and an action there is no cover
 * @property {string} [action] name of the button on the cover
 * @property {boolean} [offersScreen] true if the visitor may also share a window or screen
 * @property {boolean} [isWarning]
 */

/** @typedef {keyof typeof STATES} StateName */

/** @satisfies {Record<string, (details: StateDetails) => State>} */
const STATES = {
    loading: () => ({ text: "Loading.", cover: "" }),
    unreachable: ({ problem = "" }) => ({ text: problem, action: "Try again", isWarning: true }),
    ready: ({ source }) =>
        source === null
            ? {
                  text: "Ready. The camera is off.",
                  cover: "The video is sent to this server, which returns the results and stores nothing.",
                  action: "Start camera",
                  offersScreen: true,
              }
            : { text: `Ready to show ${source}.`, action: "Start" },
    asking: () => ({ text: "Waiting for the video. Allow this page to use it.", cover: "" }),
    connecting: () => ({ text: "Connecting.", cover: "" }),
    live: () => ({ text: "Live." }),
    paused: ({ source }) => ({
        text:
            source === null
                ? "Paused. No video is sent, and nothing is analyzed."
                : "Paused. Nothing is shown or recorded.",
    }),
    "analysis-off": () => ({ text: "Live. The analysis is off." }),
    full: ({ problem, delay_s }) => waiting(problem ?? "The server is full.", delay_s),
    reconnecting: ({ problem, delay_s }) =>
        delay_s === undefined
            ? { text: "Reconnecting. The session so far is kept.", cover: "", isWarning: true }
            : waiting(`${problem ?? "The connection was lost."} The session so far is kept.`, delay_s),
    denied: (details) => withoutVideo(details),
    "no-video": (details) => withoutVideo(details),
    insecure: ({ port = "" }) => ({
        text:
            "Browsers allow access to a camera on secure pages only. Open this page over HTTPS or, on the server’s " +
            `machine, as http://localhost${port}.`,
        cover: "",
        isWarning: true,
    }),
    unauthorized: ({ problem = "" }) => ({ text: problem, cover: "", isWarning: true }),
    ended: ({ problem, resumeAction }) => ({
        text: problem ?? "The session has ended.",
        action: resumeAction,
        offersScreen: true,
    }),
    finished: ({ problem = "" }) => ({ text: problem, action: "Watch again" }),
    unplayable: ({ problem = "" }) => ({ text: problem, action: "Try again", isWarning: true }),
    shutdown: ({ problem }) => ({
        text: `${problem ?? "The server was shut down."} The session so far is kept.`,
        action: "Reconnect",
        isWarning: true,
    }),
};

/**
 * The states with a connection, or with attempts to establish one.
 * @type {StateName[]}
 */
const RUNNING = ["connecting", "live", "paused", "analysis-off", "full", "reconnecting"];

/**
 * Returns the state after the visitor's video could not be opened, or has ended.
 * @param {StateDetails} details
 */
function withoutVideo({ problem = "" }) {
    return { text: problem, action: "Try again", offersScreen: true, isWarning: true };
}

/**
 * Returns the state while the page waits for the next retry.
 * @param {string} problem
 * @param {number} [delay_s]
 */
function waiting(problem, delay_s = 0) {
    return { text: `${problem} Retrying in ${Math.ceil(delay_s)} s.`, action: "Retry now", isWarning: true };
}

export class PageState {
    /** @type {StateName} */
    #name = "loading";
    #status = query("#status", HTMLElement);
    #cover = query("#cover", HTMLElement);
    #coverText = query("#cover-text", HTMLElement);
    #action = query("#action", HTMLButtonElement);
    #share = query("#share-screen", HTMLButtonElement);
    #controls = query("#controls", HTMLElement);
    #statistics = query("#statistics", HTMLElement);

    /** The name of the current state. */
    get name() {
        return this.#name;
    }

    get isRunning() {
        return RUNNING.includes(this.#name);
    }

    /** True while the page waits for the next retry. */
    get isWaiting() {
        return this.#name === "full" || this.#name === "reconnecting";
    }

    /**
     * Shows a state.
     * @param {StateName} name
     * @param {StateDetails} details
     */
    show(name, details = {}) {
        /** @type {State} */
        const { text, cover, action, offersScreen = false, isWarning = false } = STATES[name](details);
        const focused = document.activeElement;
        this.#name = name;
        document.body.dataset.state = name;
        setText(this.#status, text);
        this.#status.classList.toggle("warning", isWarning);
        this.#cover.hidden = cover === undefined && action === undefined;
        this.#coverText.textContent = cover ?? "";
        this.#action.hidden = action === undefined;
        this.#action.textContent = action ?? "";
        this.#share.hidden = !(offersScreen && details.canShareScreen);
        document.body.classList.toggle("running", this.isRunning);
        this.#controls.hidden = this.#statistics.hidden = !this.isRunning;
        this.#moveFocus(focused);
    }

    /**
     * Moves the focus if the element that had it is now hidden.
     * @param {Element | null} focused
     */
    #moveFocus(focused) {
        const elements = [this.#action, this.#share, ...this.#controls.children];
        const isLost = focused && elements.includes(focused) && !focused.checkVisibility();
        if (!isLost && focused !== this.#status) return;
        if (!this.#action.hidden) this.#action.focus();
        // The controls are always visible; without preventScroll the browser scrolls to where they are below the notes.
        else if (!this.#controls.hidden) this.#controls.querySelector("button")?.focus({ preventScroll: true });
        else this.#status.focus();
    }
}
