// SPDX-License-Identifier: MPL-2.0
//
// What state the page is in, said in words.

/**
 * What a state says, by its name. `text` is the status; the picture is covered where there is a `cover`, which may
 * have a text of its own, or an `action`, the name of the button on it.
 */
const STATES = {
    loading: () => ({ text: "Loading.", cover: true }),
    unreachable: ({ problem }) => ({ text: problem, action: "Try again", warns: true }),
    ready: ({ source }) =>
        source === null
            ? {
                  text: "Ready. The camera is off.",
                  cover:
                      "The camera’s picture goes to this server, which sends back what it sees in it and keeps nothing.",
                  action: "Start camera",
              }
            : { text: `Ready to show ${source}.`, action: "Watch" },
    asking: () => ({ text: "Asking for the camera. Please allow this page to use it.", cover: true }),
    connecting: () => ({ text: "Connecting.", cover: true }),
    live: ({ seen }) => ({ text: seen ? `Live. ${seen}` : "Live." }),
    paused: ({ source }) => ({
        text:
            source === null
                ? "Paused. No picture is sent, and nothing is analysed."
                : "Paused. Nothing is shown or kept.",
    }),
    muted: () => ({ text: "Live, but the analysis is off." }),
    busy: ({ problem, delay_s }) => waiting(problem, delay_s),
    reconnecting: ({ problem, delay_s }) =>
        delay_s === undefined
            ? { text: "Reconnecting. The session so far is kept.", cover: true, warns: true }
            : waiting(`${problem ?? "The connection was lost."} The session so far is kept.`, delay_s),
    denied: () => ({
        text: "The camera was not allowed. Allow it in the browser, beside this page’s address, then try again.",
        action: "Try again",
        warns: true,
    }),
    "no-camera": ({ problem }) => ({ text: problem, action: "Try again", warns: true }),
    insecure: ({ port }) => ({
        text:
            "Browsers give a camera to secure pages only. Open this page by https, or on the machine that serves it as " +
            `http://localhost${port}.`,
        cover: true,
        warns: true,
    }),
    token: ({ problem }) => ({ text: problem, cover: true, warns: true }),
    ended: ({ problem, resumes }) => ({ text: problem ?? "The session has ended.", action: resumes }),
    shutdown: ({ problem }) => ({
        text: `${problem ?? "The server was shut down."} The session so far is kept.`,
        action: "Connect again",
        warns: true,
    }),
};

/** In which of them there is a connection, or soon is. */
const RUNNING = ["connecting", "live", "paused", "muted", "busy", "reconnecting"];

function waiting(problem, delay_s) {
    return { text: `${problem} Next try in ${Math.ceil(delay_s)} s.`, action: "Try now", warns: true };
}

export class States {
    #status = document.querySelector("#status");
    #cover = document.querySelector("#cover");
    #coverText = document.querySelector("#cover-text");
    #action = document.querySelector("#action");
    #controls = document.querySelector("#controls");
    #facts = document.querySelector("#facts");

    /** The name of the present one. */
    get name() {
        return document.body.dataset.state;
    }

    get isRunning() {
        return RUNNING.includes(this.name);
    }

    /**
     * Shows a state.
     * @param {keyof STATES} name
     * @param {object} details what its sentences need
     */
    show(name, details = {}) {
        const { text, cover, action, warns } = STATES[name](details);
        const focused = document.activeElement;
        document.body.dataset.state = name;
        // The same again would be read aloud again.
        if (this.#status.textContent !== text) this.#status.textContent = text;
        this.#status.classList.toggle("warning", Boolean(warns));
        this.#cover.hidden = !cover && !action;
        this.#coverText.textContent = typeof cover === "string" ? cover : "";
        this.#action.hidden = !action;
        this.#action.textContent = action ?? "";
        this.#controls.hidden = this.#facts.hidden = !this.isRunning;
        this.#keepFocus(focused);
    }

    /** What had the focus may be hidden now. */
    #keepFocus(focused) {
        const isLost = [this.#action, ...this.#controls.children].includes(focused) && !focused.checkVisibility();
        if (!isLost && focused !== this.#status) return;
        if (!this.#action.hidden) this.#action.focus();
        else if (!this.#controls.hidden) this.#controls.querySelector("button").focus();
        else this.#status.focus();
    }
}
