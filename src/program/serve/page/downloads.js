// SPDX-License-Identifier: MPL-2.0
//
// The session's file as a download, as it is or in another format, which the server makes of it.

/** Names of the formats' files end so. */
const FORMATS = ["jsonl", "csv", "vtt", "html"];

export class Downloads {
    #server;
    #session;
    #status = document.querySelector("#download-status");
    #buttons = new Map(FORMATS.map((format) => [format, document.querySelector(`[data-export=${format}]`)]));

    /**
     * @param {import("./server.js").Server} server
     * @param {function(): import("./session.js").Session} session the present one
     */
    constructor(server, session) {
        [this.#server, this.#session] = [server, session];
        for (const [format, button] of this.#buttons) button.addEventListener("click", () => this.#download(format));
    }

    /** Offers what there is. */
    refresh() {
        const isEmpty = this.#session().samples === 0;
        for (const button of this.#buttons.values()) button.disabled = isEmpty;
    }

    /** Says nothing of a session that is gone. */
    reset() {
        this.#status.textContent = "";
        this.refresh();
    }

    async #download(format) {
        const session = this.#session();
        const name = `attitudes-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${format}`;
        const file = session.file();
        this.#status.textContent = "Preparing the file.";
        try {
            save(name, format === "jsonl" ? file : await this.#server.export(format, file));
            session.isKept = true;
            this.#status.textContent = `${name} was handed to the browser.`;
        } catch (problem) {
            this.#status.textContent = `${problem.message} JSON lines are made in this page and need no server.`;
        }
    }
}

function save(name, blob) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    // A browser may need a moment before it has it.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
