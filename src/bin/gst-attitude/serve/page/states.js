// SPDX-License-Identifier: MPL-2.0
//
// What state the page is in, said in words.

/**
 * What a state says, by its name. `text` is the status, `cover` what stands over the picture, if anything does,
 * and `action` the button with it.
 */
const STATES = {
    loading: () => ({ text: "Loading." }),
    unreachable: ({ problem }) => ({ text: problem, cover: problem, action: "Try again", warns: true }),
    ready: ({ source }) =>
        source === null
            ? {
                  text: "Ready. The camera is off.",
                  cover: "The camera’s picture goes to this server, which sends back what it sees in it and keeps nothing.",
                  action: "Start camera",
              }
            : { text: `Ready to show ${source}.`, cover: source, action: "Watch" },
    asking: () => ({ text: "Asking for the camera.", cover: "Please allow this page to use the camera." }),
    connecting: () => ({ text: "Connecting.", cover: "Connecting." }),
    live: ({ seen }) => ({ text: seen ? `Live. ${seen}` : "Live." }),
    paused: ({ source }) => ({
        text: source === null ? "Paused. No picture is sent, and nothing analysed." : "Paused. Nothing is shown or noted.",
    }),
    muted: () => ({ text: "Live, but the analysis is off." }),
    busy: ({ problem, delay_s }) => waiting(problem ?? "The server is busy.", delay_s),
    reconnecting: ({ problem, delay_s }) =>
        delay_s === undefined
            ? { text: "Reconnecting. The session so far is kept.", cover: "Reconnecting." }
            : waiting(`${problem ?? "The connection was lost."} The session so far is kept.`, delay_s),
    denied: () => {
        const text =
            "The camera was not allowed. Allow it for this page in the browser, beside its address, then try again.";
        return { text, cover: text, action: "Try again", warns: true };
    },
    "no-camera": ({ problem }) => ({ text: problem, cover: problem, action: "Try again", warns: true }),
    insecure: ({ port }) => {
        const text =
            "Browsers give a camera to secure pages only. Open this page by https, or on the machine that serves it " +
            `as http://localhost${port}.`;
        return { text, cover: text, warns: true };
    },
    token: ({ problem }) => {
        const text = problem ?? "The token in this page’s address is missing or wrong.";
        return { text: `${text} Open the address that the server printed when it started.`, cover: text, warns: true };
    },
    ended: ({ problem, resumes }) => {
        const text = problem ?? "The session has ended.";
        return { text, cover: text, action: resumes };
    },
    shutdown: ({ problem }) => {
        const text = `${problem ?? "The server was shut down."} The session so far is kept.`;
        return { text, cover: text, action: "Connect again", warns: true };
    },
};

/** In which of them there is a connection, or soon is. */
const RUNNING = ["connecting", "live", "paused", "muted", "busy", "reconnecting"];

function waiting(problem, delay_s) {
    const text = `${problem} Next try in ${Math.ceil(delay_s)} s.`;
    return { text, cover: text, action: "Try now", warns: true };
}

export class States {
    #status = document.querySelector("#status");
    #cover = document.querySelector("#cover");
    #coverText = document.querySelector("#cover-text");
    #action = document.querySelector("#action");
    #controls = document.querySelector("#controls");

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
        this.#coverText.textContent = cover ?? "";
        this.#cover.hidden = !cover;
        this.#action.hidden = !action;
        this.#action.textContent = action ?? "";
        this.#controls.hidden = !this.isRunning;
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
