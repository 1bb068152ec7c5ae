// SPDX-License-Identifier: MPL-2.0
//
// Downloads the session as JSON lines or, exported by the server, in another format.

import { create, query } from "./dom.js";
import { RequestError } from "./server.js";

/** @import { Server } from "./server.js" */
/** @import { SessionLog } from "./session-log.js" */
/** @import { ServerExportFormat } from "./types.js" */

/** Names of the formats, which are also the extensions of their files. */
const FORMATS = /** @type {const} @satisfies {readonly (ServerExportFormat | "jsonl")[]} */ ([
    "jsonl",
    "csv",
    "vtt",
    "srt",
    "html",
]);

/**
 * Formats without the notes.
 * @type {readonly string[]}
 */
const FORMATS_WITHOUT_NOTES = ["csv"];

/** Time until the browser has certainly read a file. */
const REVOKE_DELAY_MS = 60_000;

export class Downloads {
    #server;
    #currentLog;
    #status = query("#download-status", HTMLElement);
    /** @type {HTMLButtonElement[]} */
    #buttons = [];

    /**
     * @param {Server} server
     * @param {() => SessionLog} currentLog
     */
    constructor(server, currentLog) {
        this.#server = server;
        this.#currentLog = currentLog;
        for (const format of FORMATS) {
            const button = query(`[data-export=${format}]`, HTMLButtonElement);
            button.addEventListener("click", () => this.#download(format));
            this.#buttons.push(button);
        }
    }

    /** Enables the buttons if there is something to download. */
    refresh() {
        const isEmpty = this.#currentLog().samples === 0;
        for (const button of this.#buttons) button.disabled = isEmpty;
    }

    /** Removes the message about a previous session. */
    reset() {
        this.#status.textContent = "";
        this.refresh();
    }

    /** @param {ServerExportFormat | "jsonl"} format */
    async #download(format) {
        const log = this.#currentLog();
        const name = `attitudes-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${format}`;
        const lines = log.toBlob();
        const hasNotes = !FORMATS_WITHOUT_NOTES.includes(format);
        const withoutNotes = !hasNotes && log.notes.length > 0 ? " It does not contain the notes." : "";
        const fail = log.startDownload({ hasNotes });
        this.#status.textContent = "Preparing the file.";
        try {
            save(name, format === "jsonl" ? lines : await this.#server.export(format, lines));
            this.#status.textContent = `Downloading ${name}.${withoutNotes}`;
        } catch (error) {
            fail();
            const problem = error instanceof RequestError ? error.message : "The download failed.";
            this.#status.textContent = `${problem} “Data for programs” can be downloaded without the server.`;
        }
    }
}

/**
 * @param {string} name
 * @param {Blob} file
 */
function save(name, file) {
    const link = create("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), REVOKE_DELAY_MS);
}
