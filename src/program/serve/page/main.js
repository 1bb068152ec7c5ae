// SPDX-License-Identifier: MPL-2.0
//
// Connects the parts of the page: passes the visitor's input to the connection, and its records to the views.

import { Palette } from "./attitudes.js";
import { CaptureError, ENDED, isAvailable, open } from "./capture.js";
import { Connection } from "./connection.js";
import { DiscardDialog } from "./discard-dialog.js";
import { query, setText } from "./dom.js";
import { Downloads } from "./downloads.js";
import { CameraFrames, SourceFrames } from "./frames.js";
import { Notes } from "./notes.js";
import { PageState } from "./page-state.js";
import { Results } from "./results.js";
import { RequestError, Server } from "./server.js";
import { SessionLog } from "./session-log.js";
import { Statistics } from "./statistics.js";
import { VideoView } from "./video-view.js";

/** @import { CaptureKind } from "./capture.js" */
/** @import { StateDetails, StateName } from "./page-state.js" */
/** @import { AnnotatedFrame, FrameRecord, Settings } from "./types.js" */

/** Intervals of updates of the page and of the statistics. */
const UPDATE_INTERVAL_MS = 250;
const STATISTICS_INTERVAL_MS = 1_000;

const state = new PageState();

/** The page after it has received the server's settings. */
class Page {
    #settings;
    #connection;
    #frames;
    /**
     * The track of the visitor's video, and what it shows.
     * @type {MediaStreamTrack | null}
     */
    #track = null;
    /** @type {CaptureKind} */
    #captureKind = "camera";
    #isConnected = false;
    #isPaused = false;
    #isAnalysisOn = true;
    #statistics_ms = -Infinity;

    #log;
    #video = query("#video", HTMLVideoElement);
    #view;
    #results;
    #statistics = new Statistics();
    #notes = new Notes(() => this.#results.requestDrawing());
    #downloads;
    #discardDialog = new DiscardDialog();
    #newSession = query("#new-session", HTMLButtonElement);

    /**
     * @param {Server} server
     * @param {Settings} settings
     */
    constructor(server, settings) {
        const palette = new Palette();
        this.#settings = settings;
        this.#log = this.#createLog();
        this.#view = new VideoView(palette, this.#capturesVideo);
        this.#results = new Results(palette, settings.joining, this.#log);
        const Frames = this.#capturesVideo ? CameraFrames : SourceFrames;
        this.#frames = new Frames(this.#video, (frame) => this.#showFrame(frame));
        this.#downloads = new Downloads(server, () => this.#log);
        this.#connection = new Connection(server, settings, {
            state: (name, details) => this.#showDisconnected(name, details),
            connected: () => this.#handleConnected(),
            sample: (record) => this.#addSample(record),
            frame: (record) => this.#addFrameRecord(record),
            video: (track) => this.#play(track),
        });
        // The faces of a source have one baseline for all who watch it.
        query("#learn-baseline", HTMLButtonElement).hidden = !this.#capturesVideo;
        this.#listen();
        this.#showNewSession();
    }

    /** True if the visitor's own video is analyzed. */
    get #capturesVideo() {
        return this.#settings.source === null;
    }

    #listen() {
        const onClick = (/** @type {string} */ selector, /** @type {() => void} */ handle) =>
            query(selector, HTMLButtonElement).addEventListener("click", handle);
        onClick("#action", () => this.#act());
        onClick("#share-screen", () => this.#startCapture("screen"));
        onClick("#add-note", () => this.#notes.add(this.#log));
        onClick("#pause", () => this.#setPaused(!this.#isPaused));
        onClick("#analysis", () => this.#setAnalysis(!this.#isAnalysisOn));
        onClick("#hide-faces", () => this.#setHidesFaces(!this.#view.hidesFaces));
        onClick("#learn-baseline", () => this.#connection.learnBaseline());
        onClick("#end", () => this.#end());
        onClick("#new-session", () => this.#discardDialog.ask(this.#log, () => this.#startNewSession()));
        addEventListener("keydown", pressShortcut);
        addEventListener("beforeunload", (event) => {
            if (this.#log.unsaved !== null) event.preventDefault();
        });
        addEventListener("pagehide", () => this.#end());
        setInterval(() => this.#update(), UPDATE_INTERVAL_MS);
    }

    // Session

    #createLog() {
        return new SessionLog(!this.#capturesVideo);
    }

    #startNewSession() {
        this.#log = this.#createLog();
        this.#showNewSession();
        query("#action", HTMLButtonElement).focus();
    }

    /** Shows an empty session. */
    #showNewSession() {
        this.#captureKind = "camera";
        this.#notes.list(this.#log);
        this.#downloads.reset();
        const port = location.port ? `:${location.port}` : "";
        this.#showDisconnected(this.#capturesVideo && !isAvailable("camera") ? "insecure" : "ready", { port });
        this.#results.reset(this.#log);
    }

    // Visitor's input

    #act() {
        if (state.isWaiting) this.#connection.retry();
        else if (state.name === "finished") this.#discardDialog.ask(this.#log, () => this.#watchAgain());
        else if (this.#capturesVideo) this.#startCapture(this.#captureKind);
        else this.#start(null);
    }

    #watchAgain() {
        this.#startNewSession();
        this.#start(null);
    }

    /** @param {CaptureKind} kind */
    async #startCapture(kind) {
        this.#captureKind = kind;
        this.#track = await this.#openCapture(kind);
        if (this.#track) this.#start(this.#track);
    }

    /** @param {MediaStreamTrack | null} track */
    #start(track) {
        this.#setPaused(false);
        this.#connection.start(track);
    }

    /**
     * Opens and plays the visitor's video; returns null if that fails.
     * @param {CaptureKind} kind
     */
    async #openCapture(kind) {
        state.show("asking");
        try {
            const track = await open(kind, this.#settings.limits);
            track.addEventListener("ended", () => {
                this.#connection.stop();
                this.#showDisconnected("no-video", { problem: ENDED[kind] });
            });
            this.#play(track);
            return track;
        } catch (error) {
            if (!(error instanceof CaptureError)) throw error;
            this.#showDisconnected(error.state, { problem: error.message });
            return null;
        }
    }

    /** @param {boolean} isPaused */
    #setPaused(isPaused) {
        this.#isPaused = isPaused;
        setName("#pause", isPaused ? "Continue" : "Pause");
        this.#connection.setPaused(isPaused);
        if (isPaused) this.#video.pause();
        else this.#resumeVideo();
        this.#showConnected();
    }

    /** @param {boolean} isOn */
    #setAnalysis(isOn) {
        this.#isAnalysisOn = isOn;
        setName("#analysis", isOn ? "Stop analysis" : "Start analysis");
        this.#connection.setAnalysis(isOn);
        this.#showConnected();
    }

    /** @param {boolean} hidesFaces */
    #setHidesFaces(hidesFaces) {
        this.#view.hidesFaces = hidesFaces;
        setName("#hide-faces", hidesFaces ? "Show faces" : "Hide faces");
    }

    #end() {
        this.#connection.stop();
        if (state.isRunning) this.#showDisconnected("ended");
    }

    // Events of the connection

    #handleConnected() {
        this.#isConnected = true;
        this.#log.connected();
        this.#showConnected();
    }

    get #acceptsRecords() {
        return !this.#isPaused && this.#isAnalysisOn;
    }

    /** @param {FrameRecord} record */
    #addSample(record) {
        if (!this.#acceptsRecords) return;
        this.#results.add(this.#log.add(record));
        this.#statistics.addSample();
        if (this.#log.samples === 1) this.#downloads.refresh();
    }

    /** @param {FrameRecord} record */
    #addFrameRecord(record) {
        if (this.#acceptsRecords) this.#frames.addRecord(this.#log.renumber(record));
    }

    // Video

    /** @param {MediaStreamTrack} track */
    #play(track) {
        this.#video.srcObject = new MediaStream([track]);
        this.#resumeVideo();
    }

    #resumeVideo() {
        // Fails if the video is replaced or removed before it plays.
        if (this.#video.srcObject && !this.#isPaused) this.#video.play().catch(() => {});
    }

    /** @param {AnnotatedFrame} frame */
    #showFrame(frame) {
        this.#view.show({ ...frame, record: frame.record && this.#results.labelPersons(frame.record) });
        this.#statistics.addFrame(frame);
    }

    /** Closes the visitor's video, and removes it. */
    #stopVideo() {
        this.#track?.stop();
        this.#track = null;
        this.#video.srcObject = null;
        this.#view.clear();
        this.#statistics.reset();
        this.#log.stopClock();
    }

    // State

    /** Shows the state if there is a connection. */
    #showConnected() {
        if (!this.#isConnected) return;
        const name = this.#isPaused ? "paused" : this.#isAnalysisOn ? "live" : "analysis-off";
        if (name !== "live") this.#results.clearFaces("The analysis is off.");
        // A paused frame keeps its boxes.
        if (name === "analysis-off") this.#view.removeBoxes();
        state.show(name, { source: this.#settings.source });
        this.#newSession.hidden = true;
    }

    /**
     * Shows a state without a connection.
     * @param {StateName} name
     * @param {StateDetails} details
     */
    #showDisconnected(name, details = {}) {
        this.#isConnected = false;
        this.#view.removeBoxes();
        const hasSamples = this.#log.samples > 0;
        state.show(name, {
            source: this.#settings.source,
            resumeAction: hasSamples ? "Continue" : "Start again",
            canShareScreen: this.#capturesVideo && isAvailable("screen"),
            ...details,
        });
        this.#results.clearFaces(state.isRunning ? "Waiting for the server." : "The analysis is off.");
        if (!state.isRunning) this.#stopVideo();
        this.#newSession.hidden = state.isRunning || !hasSamples || name === "finished";
        this.#results.requestDrawing();
    }

    #update() {
        if (document.hidden) return;
        const now = performance.now();
        if (now - this.#statistics_ms >= STATISTICS_INTERVAL_MS) {
            this.#statistics_ms = now;
            this.#statistics.show();
        }
        this.#results.update(state.isRunning);
    }
}

/**
 * Sets the name of a button, which says what a press does.
 * @param {string} selector
 * @param {string} name
 */
function setName(selector, name) {
    setText(query(`${selector} .name`, HTMLElement), name);
}

/**
 * Presses the button of a keyboard shortcut.
 * @param {KeyboardEvent} event
 */
function pressShortcut(event) {
    const hasModifier = event.altKey || event.ctrlKey || event.metaKey;
    const { target } = event;
    const isTyping = target instanceof Element && target.closest("input:not([type=checkbox]), dialog");
    if (hasModifier || event.repeat || isTyping || !query("#shortcuts", HTMLInputElement).checked) return;
    const key = CSS.escape(event.key.toLowerCase());
    const button = document.querySelector(`#controls:not([hidden]) [aria-keyshortcuts="${key}"]:not([hidden])`);
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    button.click();
}

/** Requests the settings, and creates the page. */
async function load() {
    const server = new Server(new URLSearchParams(location.search).get("token"));
    try {
        const settings = await server.settings();
        if (settings.source !== null) {
            document.title = `${settings.source}, live`;
            query("#title", HTMLElement).textContent = document.title;
        }
        new Page(server, settings);
    } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        state.show(error.isUnauthorized ? "unauthorized" : "unreachable", { problem: error.message });
        query("#action", HTMLButtonElement).addEventListener("click", load, { once: true });
    }
}

load();
