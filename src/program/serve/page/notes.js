// SPDX-License-Identifier: MPL-2.0
//
// The dialog for a note, and the list of notes.

import { create, query } from "./dom.js";
import { formatPosition } from "./text.js";

/** @import { Note, SessionLog } from "./session-log.js" */

/** The text of a note that is saved without one; the empty field shows it. */
const BOOKMARK = "Bookmark";

export class Notes {
    #dialog = query("#note-dialog", HTMLDialogElement);
    #time = query("#note-time", HTMLElement);
    #text = query("#note-text", HTMLInputElement);
    #list = query("#notes", HTMLElement);
    #noNotes = query("#no-notes", HTMLElement);
    #heading = query("#notes-heading", HTMLElement);
    /**
     * The note that the dialog is open for.
     * @type {{ log: SessionLog, note: Note } | null}
     */
    #open = null;
    #onChange;

    /** @param {() => void} onChange called after each change of the notes */
    constructor(onChange) {
        this.#onChange = onChange;
        this.#text.placeholder = BOOKMARK;
        query("#note-form", HTMLFormElement).addEventListener("submit", (event) => {
            event.preventDefault();
            this.#save();
        });
        query("#note-cancel", HTMLElement).addEventListener("click", () => this.#dialog.close());
        this.#dialog.addEventListener("close", () => this.#discard());
    }

    /**
     * Adds a note at the current time, and opens the dialog for its text.
     * @param {SessionLog} log
     */
    add(log) {
        if (this.#dialog.open) return;
        const note = log.addNote();
        this.#open = { log, note };
        this.#time.textContent = formatPosition(note.time_ns / 1e9);
        this.#text.value = "";
        this.#dialog.showModal();
        this.#text.focus();
    }

    /**
     * Lists the notes of a session.
     * @param {SessionLog} log
     */
    list(log) {
        const items = log.notes.map((note) => this.#createItem(log, note));
        this.#list.replaceChildren(...items);
        this.#noNotes.hidden = items.length > 0;
        this.#onChange();
    }

    #save() {
        if (!this.#open) return;
        const text = this.#text.value.trim() || BOOKMARK;
        const { log, note } = this.#open;
        log.setNoteText(note, text);
        this.#open = null;
        this.#dialog.close();
        this.list(log);
    }

    #discard() {
        if (this.#open) this.#open.log.removeNote(this.#open.note);
        this.#open = null;
    }

    /**
     * @param {SessionLog} log
     * @param {Note} note
     */
    #createItem(log, note) {
        const position = formatPosition(note.time_ns / 1e9);
        const remove = create("button", "", "Remove");
        remove.type = "button";
        remove.setAttribute("aria-label", `Remove the note at ${position}`);
        remove.addEventListener("click", () => {
            log.removeNote(note);
            this.list(log);
            // The button that had the focus no longer exists.
            this.#heading.focus();
        });
        const item = create("li");
        item.append(create("time", "", position), create("span", "", note.text), remove);
        return item;
    }
}
