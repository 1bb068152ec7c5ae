// SPDX-License-Identifier: MPL-2.0
//
// What is known of a session, from its first record to its last: its records with numbers and times that go on
// over reconnections, and its notes. It is kept in this page alone.

/** Lines that are kept as they are before they become a blob, which a browser may keep outside of memory. */
const LINES = 500;

const NS_A_MS = 1e6;

/** A moment that somebody marked. It is nothing until it has a text. */
class Note {
    text = "";

    constructor(time_ns) {
        this.time_ns = time_ns;
    }
}

export class Session {
    /** Arrays of lines, blobs and notes, by time. */
    #parts = [];
    #lines = this.#begin();
    /** Of the server's stream that comes now, since its first record. */
    #stream = null;
    #highestTrack = 0;
    #highestFrame = -1;
    /** The last sample's time and when it came. */
    #last_ns = null;
    #came_ms = 0;
    #origin_ms = 0;
    #rested_ns = null;
    /** Whether the next record is the first one of a connection. */
    #isNew = false;

    /** How many samples there are. */
    samples = 0;

    /** Whether what there is has been downloaded. */
    isKept = true;

    /**
     * @param {boolean} isShared whether a stream goes on while this page is away from it
     */
    constructor(isShared) {
        this.isShared = isShared;
    }

    /** A connection was made: a stream that begins or, where it is shared, may be the same. */
    connected() {
        this.#isNew = true;
    }

    /** The record with the session's numbers of faces. Its times are as they were. */
    renumbered(record) {
        const { tracks } = this.#streamOf(record);
        const faces = record.faces.map((face) => ({ ...face, track: face.track + tracks }));
        for (const { track } of faces) this.#highestTrack = Math.max(this.#highestTrack, track);
        return { ...record, faces };
    }

    /** Adds a sample. The result has the session's numbers and times. */
    add(record) {
        const stream = this.#streamOf(record);
        const now = performance.now();
        stream.first ??= this.#firstOf(record, now);
        const { first } = stream;
        const isTold = (name) => record[name] !== null && first[name] !== null;
        const since = (name) => (isTold(name) ? first.at_ns + record[name] - first[name] : null);
        const continued = {
            ...this.renumbered(record),
            frame: record.frame - first.frame + first.atFrame,
            pts_ns: since("pts_ns"),
            running_time_ns: since("running_time_ns") ?? this.now_ns,
            stream_time_ns: since("stream_time_ns"),
        };
        this.#highestFrame = continued.frame;
        [this.#last_ns, this.#came_ms, this.#rested_ns] = [continued.running_time_ns, now, null];
        this.samples += 1;
        this.isKept = false;
        this.#write(continued);
        return continued;
    }

    /** Its time stands still until there is another sample. */
    rest() {
        this.#rested_ns = this.now_ns;
    }

    /** The session's time. It goes on while nothing comes. */
    get now_ns() {
        if (this.#rested_ns !== null) return this.#rested_ns;
        if (this.#last_ns === null) return 0;
        return this.#last_ns + Math.round((performance.now() - this.#came_ms) * NS_A_MS);
    }

    /** Marks the present moment. */
    mark() {
        const note = new Note(this.now_ns);
        this.#lines = this.#begin(note);
        return note;
    }

    write(note, text) {
        note.text = text;
        this.isKept = false;
    }

    remove(note) {
        this.#parts = this.#parts.filter((part) => part !== note);
    }

    /** Those that have a text, by time. */
    get notes() {
        return this.#parts.filter((part) => part instanceof Note && part.text);
    }

    /** The session's file: JSON lines. */
    file() {
        const parts = this.#parts.map((part) => {
            if (Array.isArray(part)) return part.join("");
            if (part instanceof Blob) return part;
            return part.text ? line({ note: part.text, running_time_ns: part.time_ns }) : "";
        });
        return new Blob(parts, { type: "application/x-ndjson" });
    }

    /** A place for lines, after a note where there is one. */
    #begin(...note) {
        const lines = [];
        this.#parts.push(...note, lines);
        return lines;
    }

    #write(record) {
        this.#lines.push(line(record));
        if (this.#lines.length < LINES) return;
        this.#parts[this.#parts.length - 1] = new Blob([this.#lines.join("")]);
        this.#lines = this.#begin();
    }

    #streamOf(record) {
        const known = this.#stream;
        const goesOn =
            known &&
            (this.isShared || !this.#isNew) &&
            known.name === record.stream &&
            // What is drawn and what is kept come on ways of their own.
            record.frame > known.frame - 300;
        this.#isNew = false;
        if (goesOn) known.frame = Math.max(known.frame, record.frame);
        else this.#stream = { name: record.stream, frame: record.frame, tracks: this.#highestTrack, first: null };
        return this.#stream;
    }

    /** Where a stream begins in its own times and in the session's. */
    #firstOf({ frame, pts_ns, running_time_ns, stream_time_ns }, now) {
        if (this.#last_ns === null) this.#origin_ms = now;
        const since_ns = Math.round((now - this.#origin_ms) * NS_A_MS);
        const at_ns = this.#last_ns === null ? 0 : Math.max(since_ns, this.#last_ns + 1);
        return { frame, pts_ns, running_time_ns, stream_time_ns, at_ns, atFrame: this.#highestFrame + 1 };
    }
}

function line(value) {
    return `${JSON.stringify(value)}\n`;
}
