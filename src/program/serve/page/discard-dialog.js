// SPDX-License-Identifier: MPL-2.0
//
// Asks before records or notes are discarded that have not been downloaded.

import { query } from "./dom.js";

/** @import { SessionLog } from "./session-log.js" */

export class DiscardDialog {
    #dialog = query("#discard-dialog", HTMLDialogElement);
    #text = query("#discard-text", HTMLElement);
    /** Called if the visitor discards the session. */
    #discard = () => {};

    constructor() {
        query("#keep-session", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
        query("#discard-session", HTMLButtonElement).addEventListener("click", () => {
            this.#dialog.close();
            this.#discard();
        });
    }

    /**
     * Calls `discard` at once if nothing would be lost, else if the visitor agrees.
     * @param {SessionLog} log
     * @param {() => void} discard
     */
    ask({ unsaved }, discard) {
        if (unsaved === null) {
            discard();
            return;
        }
        this.#discard = discard;
        this.#text.textContent = `Its ${unsaved} have not been downloaded.`;
        this.#dialog.showModal();
    }
}
