// SPDX-License-Identifier: MPL-2.0
//
// The editor of corrections: a list of segments that is worked through by keyboard. Each change is saved at once if
// `gst-attitude review` serves the page; else the file of corrections is offered for download. The figures of the page
// show saved corrections after a reload.

/**
 * @typedef {object} Seen
 * @property {string} time
 * @property {number} x
 * @property {number} y
 *
 * @typedef {{ number: number, name?: string, participant?: string, excluded?: boolean, seen?: Seen }} PersonEntry
 * @typedef {{ person: number, time: string, number: number }} Split
 * @typedef {{ person: number, with: number[] }} Merge
 * @typedef {{ person?: number, start: string, end: string, reason?: string }} Exclusion
 * @typedef {{ person?: number, start: string, end: string, attitude: string }} AttitudeEntry
 * @typedef {{ time: string, end?: string, name: string }} EventEntry
 * @typedef {{ time: string, text: string }} NoteEntry
 *
 * @typedef {object} Corrections
 * @property {number} version
 * @property {PersonEntry[]} person
 * @property {Split[]} split
 * @property {Merge[]} merge
 * @property {Exclusion[]} exclude
 * @property {AttitudeEntry[]} attitude
 * @property {EventEntry[]} event
 * @property {NoteEntry[]} note
 *
 * @typedef {object} Tier
 * @property {number | null} number
 * @property {string} name
 * @property {Seen | null} seen
 * @property {[string, string, string][]} segments
 *
 * @typedef {object} Row
 * @property {Tier} tier
 * @property {string} start
 * @property {string} end
 * @property {string} attitude
 * @property {number} start_s
 * @property {HTMLElement} element
 *
 * @typedef {object} Covered
 * @property {number | null} number
 * @property {number} start_s
 * @property {number} end_s
 * @property {string} [attitude]
 */

/** The keys of each table, in the order of the file. */
const FIELDS = /** @type {const} */ ({
    person: ["number", "name", "participant", "excluded", "seen"],
    split: ["person", "time", "number"],
    merge: ["person", "with"],
    exclude: ["person", "start", "end", "reason"],
    attitude: ["person", "start", "end", "attitude"],
    event: ["time", "end", "name"],
    note: ["time", "text"],
});

const TABLES = /** @type {(keyof typeof FIELDS)[]} */ (Object.keys(FIELDS));

/** Maximum number of steps that can be undone. */
const MAX_UNDO = 200;

/** Value of the choice of all persons. */
const EVERYONE = "persons";

/** The actions, by key; the order is that of the buttons. */
const ACTIONS = [
    { key: "1", label: "Positive", run: () => setAttitude("positive") },
    { key: "2", label: "Neutral", run: () => setAttitude("neutral") },
    { key: "3", label: "Negative", run: () => setAttitude("negative") },
    { key: "0", label: "Unknown", run: () => setAttitude("unknown") },
    { key: "x", label: "Exclude this time", run: toggleExclusion },
    { key: "X", label: "Exclude this person", run: togglePerson },
    { key: "n", label: "Name", run: () => nameIt("name") },
    { key: "p", label: "Participant", run: () => nameIt("participant") },
    { key: "m", label: "Merge", run: merge },
    { key: "s", label: "Split before", run: split },
    { key: "e", label: "Event", run: addEvent },
    { key: "t", label: "Note", run: addNote },
    { key: "u", label: "Undo", run: undo },
    { key: " ", label: "Play or pause", run: play },
    { key: "r", label: "Update the report", run: update },
    { key: "d", label: "Download", run: download },
];

const root = /** @type {HTMLElement} */ (document.querySelector("#editor"));
const data = JSON.parse(document.querySelector("#editor-data")?.textContent ?? "{}");
const tiers = /** @type {Tier[]} */ (data.tiers);
let corrections = withAllTables(data.corrections);
/** The revision of the file that the corrections are based on. */
let revision = /** @type {string} */ (data.revision);
/** Earlier corrections, the last one at the end. */
const undoSteps = /** @type {Corrections[]} */ ([]);
/** Address for saving; null if the page is not served by `gst-attitude review`. */
let saveAddress = /** @type {string | null} */ (null);
/** Set while corrections are being saved, and if they have changed since. */
let [isSaving, isChanged] = [false, false];
/** Set if the page is to be loaded again when everything is saved. */
let isUpdateWanted = false;
let rows = /** @type {Row[]} */ ([]);
let selected = 0;
/** The position of the recording, in seconds. */
let position_s = Number(document.querySelector(".timeline[role=slider]")?.getAttribute("aria-valuenow") ?? 0);
document.addEventListener("position", (event) => {
    position_s = /** @type {CustomEvent} */ (event).detail;
});

const elements = build();

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} children
 */
function create(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
}

/**
 * @param {Partial<Corrections>} some
 * @returns {Corrections}
 */
function withAllTables(some) {
    return {
        person: [],
        split: [],
        merge: [],
        exclude: [],
        attitude: [],
        event: [],
        note: [],
        ...some,
        version: some.version ?? 1,
    };
}

/** Builds the elements of the editor, which do not change. */
function build() {
    const list = create("ul", { role: "listbox", tabindex: "0", "aria-label": "Segments", class: "segments" });
    const show = /** @type {HTMLSelectElement} */ (create("select", { id: "editor-show" }));
    show.append(create("option", { value: EVERYONE }, "all persons"));
    for (const [index, tier] of tiers.entries()) show.append(create("option", { value: String(index) }, tier.name));
    const status = create("p", { role: "status", class: "status" });
    const buttons = create("p", { class: "actions" });
    for (const action of ACTIONS) {
        const button = create("button", { type: "button", "aria-keyshortcuts": action.key });
        button.append(create("kbd", { "aria-hidden": "true" }, keyName(action.key)), ` ${action.label}`);
        button.dataset.key = action.key;
        button.addEventListener("click", () => {
            action.run();
            if (!elements.prompt.contains(document.activeElement)) list.focus();
        });
        buttons.append(button);
    }
    const prompt = create("form", { class: "prompt", hidden: "" });
    const changes = /** @type {HTMLDetailsElement} */ (create("details", { class: "changes" }));
    const summary = create("summary");
    const entries = create("ul", { class: "entries" });
    changes.append(summary, entries);
    changes.addEventListener("toggle", renderEntries);
    const choice = create("p", {}, create("label", { for: "editor-show" }, "Segments of "), show);
    root.append(status, choice, list, prompt, buttons, changes);
    show.addEventListener("change", () => {
        selected = 0;
        listRows();
    });
    list.addEventListener("click", (event) => {
        const row = event.target instanceof Element ? event.target.closest("li") : null;
        const index = rows.findIndex(({ element }) => element === row);
        if (index >= 0) select(index);
    });
    root.addEventListener("keydown", handleKey);
    return { list, show, status, buttons, prompt, summary, entries, changes };
}

/** @param {string} key */
function keyName(key) {
    return key === " " ? "Space" : key;
}

/**
 * Parses a time such as `1:02:03.5` into seconds.
 * @param {string} time
 */
function seconds(time) {
    return time.split(":").reduce((total, part) => 60 * total + Number(part), 0);
}

/** @param {number} time_s */
function formatTime(time_s) {
    const ms = Math.round(time_s * 1000);
    const pad = (/** @type {number} */ number, width = 2) => String(number).padStart(width, "0");
    const [hours, minutes, rest] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, ms % 60_000];
    const whole = hours ? `${hours}:${pad(minutes)}` : String(minutes);
    return `${whole}:${pad(Math.floor(rest / 1000))}.${pad(rest % 1000, 3)}`.replace(/\.?0+$/, "");
}

/**
 * Returns a time with all digits of its milliseconds, so that times of a list can be compared.
 * @param {string} time
 */
function withMilliseconds(time) {
    const [whole, fraction = ""] = time.split(".");
    return `${whole}.${fraction.padEnd(3, "0")}`;
}

/** Lists the segments of the chosen tier. */
function listRows() {
    const { value } = elements.show;
    const chosen = value === EVERYONE ? tiers.filter((tier) => tier.number !== null) : [tiers[Number(value)]];
    rows = chosen.flatMap((tier) =>
        tier.segments.map(([start, end, attitude]) => {
            const element = create("li", { role: "option", class: "segment" });
            return { tier, start, end, attitude, start_s: seconds(start), element };
        }),
    );
    rows.sort((a, b) => a.start_s - b.start_s || (a.tier.number ?? 0) - (b.tier.number ?? 0));
    for (const [index, row] of rows.entries()) row.element.id = `segment-${index}`;
    elements.list.replaceChildren(...rows.map(({ element }) => element));
    renderRows();
    select(Math.min(selected, rows.length - 1), false);
}

/**
 * Returns what an entry covers.
 * @param {{ person?: number, start: string, end: string, attitude?: string }} entry
 * @returns {Covered}
 */
function covered({ person, start, end, attitude }) {
    return { number: person ?? null, start_s: seconds(start), end_s: seconds(end), attitude };
}

/**
 * @param {Row} row
 * @param {Covered[]} attitudes
 * @param {Covered[]} exclusions
 */
function renderRow(row, attitudes, exclusions) {
    const { number } = row.tier;
    const isNow = (/** @type {Covered} */ entry) => entry.start_s <= row.start_s && row.start_s < entry.end_s;
    const correction = attitudes.findLast((entry) => entry.number === number && isNow(entry));
    const person = corrections.person.find((entry) => entry.number === number);
    const isExcluded =
        person?.excluded || exclusions.some((entry) => [null, number].includes(entry.number) && isNow(entry));
    const attitude = correction?.attitude ?? row.attitude;
    const name = create("bdi", {}, person?.name ?? row.tier.name);
    const marks = [correction ? "corrected" : "", isExcluded ? "excluded" : ""].filter(Boolean).join(", ");
    row.element.classList.toggle("excluded", Boolean(isExcluded));
    row.element.replaceChildren(
        create("span", { class: "time" }, `${withMilliseconds(row.start)} to ${withMilliseconds(row.end)}`),
        " ",
        name,
        " ",
        create("span", { class: `attitude ${attitude}` }, attitude),
        marks && ` (${marks})`,
    );
}

function renderRows() {
    const [attitudes, exclusions] = [corrections.attitude.map(covered), corrections.exclude.map(covered)];
    for (const row of rows) renderRow(row, attitudes, exclusions);
    const count = TABLES.reduce((total, table) => total + corrections[table].length, 0);
    elements.summary.textContent = count === 1 ? "1 correction" : `${count} corrections`;
    renderEntries();
}

/**
 * Describes an entry of the file.
 * @param {keyof typeof FIELDS} table
 * @param {Record<string, unknown>} entry
 */
function describe(table, entry) {
    const fields = FIELDS[table].filter((field) => field !== "seen" && entry[field] !== undefined);
    return `${table}: ${fields.map((field) => `${field} ${entry[field]}`).join(", ")}`;
}

/** Lists the corrections, if the list is open. */
function renderEntries() {
    if (!elements?.changes.open) return;
    const items = TABLES.flatMap((table) =>
        corrections[table].map((entry, index) => {
            const text = describe(table, /** @type {Record<string, unknown>} */ (entry));
            const remove = create("button", { type: "button", "aria-label": `Remove ${text}` }, "Remove");
            remove.addEventListener("click", () => {
                change((all) => all[table].splice(index, 1));
                elements.summary.focus();
            });
            return create("li", {}, create("bdi", {}, text), " ", remove);
        }),
    );
    elements.entries.replaceChildren(...items);
}

/**
 * Selects a row, and seeks the recording to its start.
 * @param {number} index
 * @param {boolean} [isSeeking]
 */
function select(index, isSeeking = true) {
    rows[selected]?.element.removeAttribute("aria-selected");
    selected = Math.max(index, 0);
    const row = rows[selected];
    if (!row) return;
    row.element.setAttribute("aria-selected", "true");
    elements.list.setAttribute("aria-activedescendant", row.element.id);
    const { list } = elements;
    const { offsetTop, offsetHeight } = row.element;
    if (offsetTop < list.scrollTop) list.scrollTop = offsetTop;
    const excess = offsetTop + offsetHeight - list.clientHeight;
    if (excess > list.scrollTop) list.scrollTop = excess;
    // The script of the report seeks.
    if (isSeeking) location.replace(`#t=${seconds(row.start)}`);
}

/** @param {string} text */
function say(text) {
    elements.status.textContent = text;
}

/**
 * Changes the corrections.
 * @param {(corrections: Corrections) => void} edit
 */
function change(edit) {
    undoSteps.push(structuredClone(corrections));
    if (undoSteps.length > MAX_UNDO) undoSteps.shift();
    edit(corrections);
    renderRows();
    save();
}

function undo() {
    const before = undoSteps.pop();
    if (!before) return say("There is nothing to undo.");
    corrections = before;
    renderRows();
    save();
}

/**
 * Returns the entry of a person, which also says where the person was first seen, so that it is found again after
 * another analysis.
 * @param {Corrections} all
 * @param {number} number
 */
function personEntry(all, number) {
    let entry = all.person.find((entry) => entry.number === number);
    if (!entry) {
        const seen = tiers.find((tier) => tier.number === number)?.seen;
        entry = seen ? { number, seen } : { number };
        all.person.push(entry);
    }
    return entry;
}

/**
 * Calls `act` with the selected row and the number of its person.
 * @param {(row: Row, number: number) => void} act
 */
function withPerson(act) {
    const row = rows[selected];
    if (!row) return say("There is no segment.");
    if (row.tier.number === null) return say("Choose a segment of a person first.");
    act(row, row.tier.number);
}

/**
 * Returns the fields of an entry about the time and the person of a row.
 * @param {Row} row
 */
function spanOf({ tier, start, end }) {
    return tier.number === null ? { start, end } : { person: tier.number, start, end };
}

/**
 * @param {{ person?: number, start: string, end: string }} a
 * @param {{ person?: number, start: string, end: string }} b
 */
function isSameSpan(a, b) {
    return a.person === b.person && a.start === b.start && a.end === b.end;
}

/** @param {string} attitude */
function setAttitude(attitude) {
    const row = rows[selected];
    if (!row) return say("There is no segment.");
    const span = spanOf(row);
    change((all) => {
        if (span.person) personEntry(all, span.person);
        all.attitude = all.attitude.filter((entry) => !isSameSpan(entry, span));
        all.attitude.push({ ...span, attitude });
    });
    select(selected + 1 < rows.length ? selected + 1 : selected);
}

function toggleExclusion() {
    const row = rows[selected];
    if (!row) return say("There is no segment.");
    const span = spanOf(row);
    change((all) => {
        if (span.person) personEntry(all, span.person);
        const others = all.exclude.filter((entry) => !isSameSpan(entry, span));
        if (others.length === all.exclude.length) others.push(span);
        all.exclude = others;
    });
}

function togglePerson() {
    withPerson((_, number) =>
        change((all) => {
            const entry = personEntry(all, number);
            if (entry.excluded) delete entry.excluded;
            else entry.excluded = true;
        }),
    );
}

/**
 * Asks for a name or a participant of the selected person; an empty one removes it.
 * @param {"name" | "participant"} field
 */
function nameIt(field) {
    withPerson(({ tier }, number) => {
        const entry = corrections.person.find((entry) => entry.number === number);
        ask(`${field === "name" ? "Name" : "Participant"} of ${tier.name}`, entry?.[field] ?? "", (text) =>
            change((all) => {
                const entry = personEntry(all, number);
                if (text) entry[field] = text;
                else delete entry[field];
            }),
        );
    });
}

function merge() {
    withPerson(({ tier }, number) =>
        ask(`Number of the person that is ${tier.name} too`, "", (text) => {
            const other = Number(text.replace(/^person /i, ""));
            const exists = tiers.some((tier) => tier.number === other);
            if (!exists || other === number) return say(`There is no other person ${text}.`);
            change((all) => {
                personEntry(all, number);
                personEntry(all, other);
                all.merge.push({ person: number, with: [other] });
            });
        }),
    );
}

function split() {
    withPerson((row, number) => {
        const used = [
            ...tiers.map((tier) => tier.number ?? 0),
            ...corrections.person.map((entry) => entry.number),
            ...corrections.split.map((entry) => entry.number),
        ];
        const other = Math.max(...used) + 1;
        change((all) => {
            personEntry(all, number);
            all.split.push({ person: number, time: row.start, number: other });
        });
    });
}

function addEvent() {
    const time = formatTime(position_s);
    ask(`Event at ${time}`, "", (name) => {
        if (name) change((all) => all.event.push({ time, name }));
    });
}

function addNote() {
    const time = formatTime(position_s);
    ask(`Note at ${time}`, "", (text) => {
        if (text) change((all) => all.note.push({ time, text }));
    });
}

function play() {
    const video = document.querySelector("video");
    if (video?.paused) video.play();
    else video?.pause();
}

/** Loads the page again, once everything is saved: its figures then show the corrections. */
function update() {
    if (!saveAddress) return say("Put the downloaded file beside the report, and run gst-attitude analyze again.");
    isUpdateWanted = isSaving;
    if (isSaving) return;
    if (isChanged) return say("The corrections are not saved yet.");
    sessionStorage.setItem(storageKey(), JSON.stringify([elements.show.value, selected]));
    location.reload();
}

function storageKey() {
    return `selected ${location.pathname}`;
}

/**
 * Asks for a text, and calls `use` with it.
 * @param {string} label
 * @param {string} value
 * @param {(text: string) => void} use
 */
function ask(label, value, use) {
    const { prompt, list } = elements;
    const input = /** @type {HTMLInputElement} */ (create("input", { id: "editor-input", maxlength: "1000" }));
    input.value = value;
    const close = () => {
        prompt.hidden = true;
        prompt.replaceChildren();
        list.focus();
    };
    prompt.onsubmit = (event) => {
        event.preventDefault();
        const text = input.value.trim();
        close();
        use(text);
    };
    input.addEventListener("keydown", (event) => {
        event.stopPropagation();
        if (event.key === "Escape") close();
    });
    prompt.replaceChildren(
        create("label", { for: "editor-input" }, label),
        " ",
        input,
        " ",
        create("button", {}, "OK"),
    );
    prompt.hidden = false;
    input.focus();
    input.select();
}

/** @param {KeyboardEvent} event */
function handleKey(event) {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (!isUndo && (event.ctrlKey || event.metaKey || event.altKey)) return;
    const isButton = event.target instanceof HTMLButtonElement || event.target === elements.summary;
    if (isButton && [" ", "Enter"].includes(event.key)) return;
    const moved = { ArrowDown: selected + 1, ArrowUp: selected - 1, Home: 0, End: rows.length - 1 }[event.key];
    const action = ACTIONS.find(({ key }) => key === event.key);
    if (isUndo) undo();
    else if (moved !== undefined) select(Math.min(Math.max(moved, 0), rows.length - 1));
    else if (action) action.run();
    else return;
    event.preventDefault();
    event.stopPropagation();
}

/**
 * Formats a value of TOML.
 * @param {unknown} value
 * @returns {string}
 */
function tomlValue(value) {
    if (Array.isArray(value)) return `[${value.map(tomlValue).join(", ")}]`;
    if (typeof value === "string") return JSON.stringify(value.toWellFormed()).replaceAll("\x7f", "\\u007f");
    if (typeof value !== "object" || value === null) return String(value);
    return `{ ${Object.entries(value)
        .map(([key, value]) => `${key} = ${tomlValue(value)}`)
        .join(", ")} }`;
}

/** Formats the file. */
function toToml() {
    const lines = [`version = ${corrections.version}`];
    for (const table of TABLES) {
        for (const entry of corrections[table]) {
            lines.push("", `[[${table}]]`);
            const values = /** @type {Record<string, unknown>} */ (entry);
            const fields = FIELDS[table].filter((field) => values[field] !== undefined && values[field] !== null);
            lines.push(...fields.map((field) => `${field} = ${tomlValue(values[field])}`));
        }
    }
    return `${lines.join("\n")}\n`;
}

function download() {
    const blob = new Blob([toToml()], { type: "application/toml" });
    const link = /** @type {HTMLAnchorElement} */ (create("a", { download: data.file }));
    link.href = URL.createObjectURL(blob);
    link.click();
    URL.revokeObjectURL(link.href);
    if (!saveAddress) isChanged = false;
}

/** Saves the corrections, again if they change meanwhile. */
async function save() {
    isChanged = true;
    if (!saveAddress) return say(`Changes are not saved; download ${data.file} and put it beside the report.`);
    if (isSaving) return;
    isSaving = true;
    while (isChanged) {
        isChanged = false;
        const problem = await put(saveAddress);
        if (problem) {
            isChanged = true;
            say(`Cannot save: ${problem}`);
            break;
        }
        say("Saved. The figures show it when the report is updated.");
    }
    isSaving = false;
    if (isUpdateWanted && !isChanged) update();
    isUpdateWanted = false;
}

/**
 * Sends the file; returns the problem if it is not saved.
 * @param {string} address
 */
async function put(address) {
    try {
        const headers = { "Content-Type": "text/plain; charset=utf-8", "If-Match": `"${revision}"` };
        const response = await fetch(address, { method: "PUT", headers, body: toToml() });
        if (!response.ok) return (await response.json()).problem ?? response.statusText;
        revision = (response.headers.get("ETag") ?? "").replaceAll('"', "");
        return null;
    } catch {
        return "the server does not respond; download the file, or start gst-attitude review again";
    }
}

/** Finds out whether `gst-attitude review` serves the page. */
async function findServer() {
    if (!location.protocol.startsWith("http")) return;
    try {
        const address = new URL(data.file, location.href);
        address.search = address.hash = "";
        const response = await fetch(address);
        if (response.headers.has("gst-attitude-review")) saveAddress = address.href;
    } catch {
        // The page of another server, from which the file can be downloaded.
    }
}

/** Selects what was selected before the page was updated. */
function restoreSelection() {
    const stored = sessionStorage.getItem(storageKey());
    if (!stored) return;
    sessionStorage.removeItem(storageKey());
    [elements.show.value, selected] = JSON.parse(stored);
    if (!elements.show.value) elements.show.value = EVERYONE;
}

async function start() {
    await findServer();
    addEventListener("beforeunload", (event) => {
        if (isSaving || isChanged) event.preventDefault();
    });
    if (saveAddress) restoreSelection();
    root.hidden = false;
    listRows();
    if (saveAddress) {
        say("Each change is saved at once.");
        elements.list.focus();
    } else {
        say(`Changes are made here, and saved by downloading ${data.file}.`);
    }
}

start();
