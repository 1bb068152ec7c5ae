// SPDX-License-Identifier: MPL-2.0
//
// Notes: the dialog that asks for one, and their list.

import { clock } from "./text.js";

export class Notes {
    #dialog = document.querySelector("#note-dialog");
    #time = document.querySelector("#note-time");
    #text = document.querySelector("#note-text");
    #list = document.querySelector("#notes");
    #none = document.querySelector("#no-notes");
    /** What the dialog asks about. */
    #asked = null;
    #changed;

    /** @param {function(): void} changed is called after each change */
    constructor(changed) {
        this.#changed = changed;
        document.querySelector("#note-form").addEventListener("submit", (event) => {
            event.preventDefault();
            this.#save();
        });
        document.querySelector("#note-cancel").addEventListener("click", () => this.#dialog.close());
        this.#dialog.addEventListener("close", () => this.#discard());
    }

    /** Asks for a note at the present moment. */
    ask(session) {
        if (this.#dialog.open) return;
        const note = session.mark();
        this.#asked = { session, note };
        this.#time.textContent = clock(note.time_ns / 1e9);
        this.#text.value = "";
        this.#dialog.showModal();
        this.#text.focus();
    }

    /** Lists a session's. */
    list(session) {
        const items = session.notes.map((note) => this.#item(session, note));
        this.#list.replaceChildren(...items);
        this.#none.hidden = items.length > 0;
        this.#changed();
    }

    #save() {
        const text = this.#text.value.trim();
        if (!text) return;
        const { session, note } = this.#asked;
        session.write(note, text);
        this.#asked = null;
        this.#dialog.close();
        this.list(session);
    }

    #discard() {
        if (this.#asked) this.#asked.session.remove(this.#asked.note);
        this.#asked = null;
    }

    #item(session, note) {
        const item = document.createElement("li");
        const [time, text, remove] = ["time", "span", "button"].map((name) => document.createElement(name));
        time.textContent = clock(note.time_ns / 1e9);
        text.textContent = note.text;
        remove.type = "button";
        remove.textContent = "Remove";
        remove.setAttribute("aria-label", `Remove the note at ${time.textContent}`);
        remove.addEventListener("click", () => {
            session.remove(note);
            this.list(session);
            // What had the focus is gone.
            document.querySelector("#notes-head").focus();
        });
        item.append(time, text, remove);
        return item;
    }
}
