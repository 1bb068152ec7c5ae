// SPDX-License-Identifier: MPL-2.0
//
// The records and notes of a session. Their times and track numbers continue over reconnections. They are stored in
// this page only.

/** @import { FrameRecord, NoteRecord, SessionRecord, Trend } from "./types.js" */

/** Lines before they are moved to a blob, which a browser may store outside of memory. */
const MAX_LINES = 500;

/** Frame numbers may decrease by this: samples and frames arrive on data channels of their own. */
const MAX_REORDERED_FRAMES = 300;

const NS_PER_MS = 1e6;

/** A time that the visitor marked. It is not part of the session until it has a text. */
export class Note {
    text = "";

    /** @param {number} time_ns */
    constructor(time_ns) {
        this.time_ns = time_ns;
    }
}

/** The start of a stream, in its own times and in those of the session. */
class StreamStart {
    /**
     * @param {FrameRecord} record the stream's first sample
     * @param {number} session_ns
     * @param {number} sessionFrame
     */
    constructor(record, session_ns, sessionFrame) {
        this.record = record;
        this.session_ns = session_ns;
        this.sessionFrame = sessionFrame;
    }

    /**
     * Converts a time of a record to the session's; returns null if it is not known.
     * @param {FrameRecord} record
     * @param {"pts_ns" | "running_time_ns" | "stream_time_ns"} name
     */
    convert(record, name) {
        const [time_ns, start_ns] = [record[name], this.record[name]];
        return time_ns === null || start_ns === null ? null : this.session_ns + time_ns - start_ns;
    }

    /**
     * Returns the trend of a record or face in the session's time, if it has one.
     * @param {{ trend?: Trend }} of
     * @returns {{ trend?: Trend }}
     */
    convertTrend({ trend }) {
        if (!trend) return {};
        const since_ns = this.session_ns + trend.since_ns - (this.record.running_time_ns ?? 0);
        return { trend: { ...trend, since_ns: Math.max(since_ns, 0) } };
    }
}

export class SessionLog {
    /**
     * Lines, blobs of lines and notes, by time.
     * @type {(string[] | Blob | Note)[]}
     */
    #parts = [];
    /** The last part with lines. */
    #lines = this.#startLines();
    /**
     * The stream that the server sends now: its name, highest frame number, what is added to its track numbers, and
     * where it starts.
     * @type {{ name: string, frame: number, trackOffset: number, start: StreamStart | null } | null}
     */
    #stream = null;
    #highestTrack = 0;
    #highestFrame = -1;
    /**
     * Time of the last sample, and when it arrived.
     * @type {number | null}
     */
    #last_ns = null;
    #received_ms = 0;
    /** When the session's first sample arrived. */
    #origin_ms = 0;
    /**
     * The session's time while it is stopped.
     * @type {number | null}
     */
    #paused_ns = null;
    /** True if the next record is the first one of a connection. */
    #isFirstRecord = false;
    #isShared;

    /** The number of samples. */
    samples = 0;

    /** The parts that changed since they were downloaded. */
    #unsaved = { records: false, notes: false };

    /** @param {boolean} isShared true if the stream continues while this page is not connected */
    constructor(isShared) {
        this.#isShared = isShared;
    }

    /** Handles a new connection, and with it a new stream unless that is shared. */
    connected() {
        this.#isFirstRecord = true;
    }

    /**
     * Returns the record with the session's track numbers.
     * @param {FrameRecord} record
     */
    renumber(record) {
        const { trackOffset } = this.#streamOf(record);
        const faces = record.faces.map((face) => ({ ...face, track: face.track + trackOffset }));
        for (const { track } of faces) this.#highestTrack = Math.max(this.#highestTrack, track);
        return { ...record, faces };
    }

    /**
     * Adds a sample. Returns it with the session's times and track numbers.
     * @param {FrameRecord} record
     * @returns {SessionRecord}
     */
    add(record) {
        const stream = this.#streamOf(record);
        const now = performance.now();
        stream.start ??= this.#startOf(record, now);
        const { start } = stream;
        const renumbered = this.renumber(record);
        const converted = {
            ...renumbered,
            ...start.convertTrend(renumbered),
            faces: renumbered.faces.map((face) => ({ ...face, ...start.convertTrend(face) })),
            frame: record.frame - start.record.frame + start.sessionFrame,
            pts_ns: start.convert(record, "pts_ns"),
            running_time_ns: start.convert(record, "running_time_ns") ?? this.now_ns,
            stream_time_ns: start.convert(record, "stream_time_ns"),
        };
        this.#highestFrame = converted.frame;
        [this.#last_ns, this.#received_ms, this.#paused_ns] = [converted.running_time_ns, now, null];
        this.samples += 1;
        this.#unsaved.records = true;
        this.#write(converted);
        return converted;
    }

    /** Stops the session's time until the next sample. */
    stopClock() {
        this.#paused_ns = this.now_ns;
    }

    /** The session's time. It advances between samples. */
    get now_ns() {
        if (this.#paused_ns !== null) return this.#paused_ns;
        if (this.#last_ns === null) return 0;
        return this.#last_ns + Math.round((performance.now() - this.#received_ms) * NS_PER_MS);
    }

    /** Adds a note without a text at the current time. */
    addNote() {
        const note = new Note(this.now_ns);
        this.#lines = this.#startLines(note);
        return note;
    }

    /**
     * @param {Note} note
     * @param {string} text
     */
    setNoteText(note, text) {
        note.text = text;
        this.#unsaved.notes = true;
    }

    /** @param {Note} note */
    removeNote(note) {
        this.#parts = this.#parts.filter((part) => part !== note);
        if (this.notes.length === 0) this.#unsaved.notes = false;
    }

    /** What would be lost with the session, in words; null if everything has been downloaded. */
    get unsaved() {
        const { records, notes } = this.#unsaved;
        if (records && notes) return "records and notes";
        if (records) return "records";
        return notes ? "notes" : null;
    }

    /**
     * Starts a download of the session as it is now. Returns a function to call if it fails.
     * @param {{ hasNotes: boolean }} format
     */
    startDownload({ hasNotes }) {
        const before = { ...this.#unsaved };
        this.#unsaved.records = false;
        if (hasNotes) this.#unsaved.notes = false;
        return () => {
            this.#unsaved.records ||= before.records;
            this.#unsaved.notes ||= before.notes;
        };
    }

    /** The notes that have a text, by time. */
    get notes() {
        return this.#parts.filter((part) => part instanceof Note).filter(({ text }) => text);
    }

    /** Returns the session as JSON lines. */
    toBlob() {
        const parts = this.#parts.map((part) => {
            if (Array.isArray(part)) return part.join("");
            if (part instanceof Blob) return part;
            return part.text ? toLine({ note: part.text, running_time_ns: part.time_ns }) : "";
        });
        return new Blob(parts, { type: "application/x-ndjson" });
    }

    /**
     * Appends a part for lines, after a note if there is one.
     * @param {Note[]} note
     */
    #startLines(...note) {
        /** @type {string[]} */
        const lines = [];
        this.#parts.push(...note, lines);
        return lines;
    }

    /** @param {FrameRecord} record */
    #write(record) {
        this.#lines.push(toLine(record));
        if (this.#lines.length < MAX_LINES) return;
        this.#parts[this.#parts.length - 1] = new Blob([this.#lines.join("")]);
        this.#lines = this.#startLines();
    }

    /**
     * Returns the record's stream: the current one or, if the record does not belong to it, a new one.
     * @param {FrameRecord} record
     */
    #streamOf(record) {
        const isSameConnection = this.#isShared || !this.#isFirstRecord;
        this.#isFirstRecord = false;
        const stream = this.#stream;
        if (
            stream &&
            isSameConnection &&
            stream.name === record.stream &&
            record.frame > stream.frame - MAX_REORDERED_FRAMES
        ) {
            stream.frame = Math.max(stream.frame, record.frame);
            return stream;
        }
        const started = { name: record.stream, frame: record.frame, trackOffset: this.#highestTrack, start: null };
        this.#stream = started;
        return this.#stream;
    }

    /**
     * Returns the start of a stream: the current time, which is after the last sample.
     * @param {FrameRecord} record
     * @param {number} now
     */
    #startOf(record, now) {
        if (this.#last_ns === null) {
            this.#origin_ms = now;
            return new StreamStart(record, 0, this.#highestFrame + 1);
        }
        const since_ns = Math.round((now - this.#origin_ms) * NS_PER_MS);
        return new StreamStart(record, Math.max(since_ns, this.#last_ns + 1), this.#highestFrame + 1);
    }
}

/** @param {FrameRecord | NoteRecord} value */
function toLine(value) {
    return `${JSON.stringify(value)}\n`;
}
