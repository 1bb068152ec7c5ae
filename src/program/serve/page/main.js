// SPDX-License-Identifier: MPL-2.0
//
// Connects the parts of the page: passes the visitor's input to the connection, and its records to the views.

import { Legend, Palette } from "./attitudes.js";
import { CameraError, isCameraAvailable, openCamera } from "./camera.js";
import { Connection } from "./connection.js";
import { query } from "./dom.js";
import { Downloads } from "./downloads.js";
import { FaceAnnouncer, FaceList } from "./faces.js";
import { CameraFrames, SourceFrames } from "./frames.js";
import { History } from "./history.js";
import { Notes } from "./notes.js";
import { PageState } from "./page-state.js";
import { RequestError, Server } from "./server.js";
import { SessionLog } from "./session-log.js";
import { Statistics } from "./statistics.js";
import { formatCount, formatPosition } from "./text.js";
import { RecentTimeline, SessionTimeline } from "./timelines.js";
import { VideoView } from "./video-view.js";

/** @import { StateDetails, StateName } from "./page-state.js" */
/** @import { AnnotatedFrame, FrameRecord, SessionRecord, Settings } from "./types.js" */

/** Intervals of updates: of the page, of its timelines if the visitor prefers reduced motion, and of the statistics. */
const UPDATE_INTERVAL_MS = 250;
const REDUCED_MOTION_INTERVAL_MS = 1_000;
const STATISTICS_INTERVAL_MS = 1_000;

/** Minimum time for which the faces must not change before the status line describes them. */
const STABLE_FACES_MS = 1_500;

/** Minimum interval of changes of the timelines' descriptions, and the number of samples before it applies. */
const DESCRIPTION_INTERVAL_MS = 10_000;
const FIRST_SAMPLES = 10;

const state = new PageState();

/** The page after it has received the server's settings. */
class Page {
    #settings;
    #connection;
    #frames;
    /**
     * The camera's track.
     * @type {MediaStreamTrack | null}
     */
    #track = null;
    #isConnected = false;
    #isPaused = false;
    #isAnalysisOn = true;
    /** @type {{ record: SessionRecord, received_ms: number } | null} */
    #lastSample = null;
    /** The description of the faces in the status line. */
    #shownFaces = "";
    /** The description of the current faces, and since when it is the same. */
    #currentFaces = "";
    #currentFaces_ms = 0;
    #needsDrawing = true;
    #drawn_ms = -Infinity;
    #described_ms = -Infinity;
    #statistics_ms = -Infinity;

    #log;
    #history = new History();
    #video = query("#video", HTMLVideoElement);
    #palette = new Palette();
    #view;
    #statistics = new Statistics();
    #faceList = new FaceList();
    #announcer = new FaceAnnouncer();
    #recentCanvas = query("#recent-timeline", HTMLCanvasElement);
    #recentTimeline = new RecentTimeline(this.#recentCanvas, this.#palette);
    #sessionCanvas = query("#session-timeline", HTMLCanvasElement);
    #sessionTimeline = new SessionTimeline(this.#sessionCanvas, this.#palette);
    #sessionLength = query("#session-length", HTMLElement);
    #legend = new Legend(query("#legend", HTMLElement));
    #notes = new Notes(() => this.#requestDrawing());
    #downloads;
    #newSession = query("#new-session", HTMLButtonElement);

    /**
     * @param {Server} server
     * @param {Settings} settings
     */
    constructor(server, settings) {
        this.#settings = settings;
        this.#log = this.#createLog();
        this.#view = new VideoView(this.#palette, this.#usesCamera);
        const Frames = this.#usesCamera ? CameraFrames : SourceFrames;
        this.#frames = new Frames(this.#video, (frame) => this.#showFrame(frame));
        this.#downloads = new Downloads(server, () => this.#log);
        this.#connection = new Connection(server, settings, {
            state: (name, details) => this.#showDisconnected(name, details),
            connected: () => this.#handleConnected(),
            sample: (record) => this.#addSample(record),
            frame: (record) => this.#addFrameRecord(record),
            video: (track) => this.#play(track),
        });
        this.#listen();
        this.#showNewSession();
    }

    get #usesCamera() {
        return this.#settings.source === null;
    }

    #listen() {
        const onClick = (/** @type {string} */ selector, /** @type {() => void} */ handle) =>
            query(selector, HTMLButtonElement).addEventListener("click", handle);
        const discardDialog = query("#discard-dialog", HTMLDialogElement);
        onClick("#action", () => this.#act());
        onClick("#add-note", () => this.#notes.add(this.#log));
        onClick("#pause", () => this.#setPaused(!this.#isPaused));
        onClick("#analysis-off", () => this.#setAnalysis(!this.#isAnalysisOn));
        onClick("#hide-faces", () => this.#setHidesFaces(!this.#view.hidesFaces));
        onClick("#end", () => this.#end());
        onClick("#new-session", () => {
            const { unsaved } = this.#log;
            if (unsaved === null) {
                this.#startNewSession();
                return;
            }
            query("#discard-text", HTMLElement).textContent = `Its ${unsaved} have not been downloaded.`;
            discardDialog.showModal();
        });
        onClick("#keep-session", () => discardDialog.close());
        onClick("#discard-session", () => {
            discardDialog.close();
            this.#startNewSession();
        });
        addEventListener("keydown", pressShortcut);
        addEventListener("resize", () => this.#requestDrawing());
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#requestDrawing());
        addEventListener("beforeunload", (event) => {
            if (this.#log.unsaved !== null) event.preventDefault();
        });
        addEventListener("pagehide", () => this.#end());
        setInterval(() => this.#update(), UPDATE_INTERVAL_MS);
    }

    // Session

    #createLog() {
        return new SessionLog(!this.#usesCamera);
    }

    #startNewSession() {
        this.#log = this.#createLog();
        this.#history = new History();
        this.#showNewSession();
        query("#action", HTMLButtonElement).focus();
    }

    /** Shows an empty session. */
    #showNewSession() {
        this.#recentTimeline.reset();
        this.#notes.list(this.#log);
        this.#downloads.reset();
        const port = location.port ? `:${location.port}` : "";
        this.#showDisconnected(this.#usesCamera && !isCameraAvailable() ? "insecure" : "ready", { port });
        this.#draw();
    }

    // Visitor's input

    #act() {
        if (state.isWaiting) this.#connection.retry();
        else this.#start();
    }

    async #start() {
        this.#setPaused(false);
        if (!this.#usesCamera) {
            this.#connection.start(null);
            return;
        }
        if (this.#track?.readyState !== "live") this.#track = await this.#openCamera();
        if (this.#track) this.#connection.start(this.#track);
    }

    /** Opens and plays the camera; returns null if that fails. */
    async #openCamera() {
        state.show("asking");
        try {
            const track = await openCamera(this.#settings.limits);
            track.addEventListener("ended", () => {
                this.#connection.stop();
                this.#showDisconnected("no-camera", {
                    problem: "The camera was disconnected. Connect it and try again.",
                });
            });
            this.#play(track);
            return track;
        } catch (error) {
            if (!(error instanceof CameraError)) throw error;
            this.#showDisconnected(error.state, { problem: error.message });
            return null;
        }
    }

    /** @param {boolean} isPaused */
    #setPaused(isPaused) {
        this.#isPaused = isPaused;
        setPressed("#pause", isPaused);
        this.#connection.setPaused(isPaused);
        if (isPaused) this.#video.pause();
        else this.#resumeVideo();
        this.#showConnected();
    }

    /** @param {boolean} isOn */
    #setAnalysis(isOn) {
        this.#isAnalysisOn = isOn;
        setPressed("#analysis-off", !isOn);
        this.#connection.setAnalysis(isOn);
        this.#showConnected();
    }

    /** @param {boolean} hidesFaces */
    #setHidesFaces(hidesFaces) {
        this.#view.hidesFaces = hidesFaces;
        setPressed("#hide-faces", hidesFaces);
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

    /** @param {FrameRecord} received */
    #addSample(received) {
        if (!this.#acceptsRecords) return;
        const record = this.#log.add(received);
        this.#history.add(record);
        this.#lastSample = { record, received_ms: performance.now() };
        this.#statistics.addSample();
        this.#announcer.update(record);
        this.#describeFaces(record);
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
        this.#view.show(frame);
        this.#statistics.addFrame(frame);
    }

    /** Closes the camera, and removes the video. */
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
        if (name !== "live") {
            this.#forgetFaces();
            this.#faceList.clear("The analysis is off.");
        }
        // A paused frame keeps its boxes.
        if (name === "analysis-off") this.#view.removeBoxes();
        state.show(name, { source: this.#settings.source, faces: this.#shownFaces });
        this.#newSession.hidden = true;
    }

    /**
     * Shows a state without a connection.
     * @param {StateName} name
     * @param {StateDetails} details
     */
    #showDisconnected(name, details = {}) {
        this.#isConnected = false;
        this.#forgetFaces();
        this.#view.removeBoxes();
        const hasSamples = this.#log.samples > 0;
        const resumeAction = hasSamples ? "Continue" : this.#usesCamera ? "Start camera" : "Start";
        state.show(name, { source: this.#settings.source, resumeAction, ...details });
        this.#faceList.clear(state.isRunning ? "Waiting for the server." : "The analysis is off.");
        if (!state.isRunning) this.#stopVideo();
        this.#newSession.hidden = state.isRunning || !hasSamples;
        this.#requestDrawing();
    }

    #forgetFaces() {
        this.#lastSample = null;
        this.#shownFaces = this.#currentFaces = "";
    }

    /**
     * Describes a record's faces in the status line when they have not changed for some time.
     * @param {SessionRecord} record
     */
    #describeFaces({ faces }) {
        const isUnclear = faces.every(({ attitude }) => attitude === "unknown");
        const confidence = isUnclear ? " Confidence is low: the attitude is unknown." : "";
        const text = faces.length > 0 ? `${formatCount(faces.length, "face")}.${confidence}` : "No face detected.";
        const now = performance.now();
        if (text !== this.#currentFaces) [this.#currentFaces, this.#currentFaces_ms] = [text, now];
        if (text === this.#shownFaces || now - this.#currentFaces_ms < STABLE_FACES_MS) return;
        this.#shownFaces = text;
        this.#showConnected();
    }

    // Views

    #requestDrawing() {
        this.#needsDrawing = true;
    }

    #update() {
        if (document.hidden) return;
        const now = performance.now();
        if (this.#lastSample) this.#faceList.show(this.#lastSample.record, now - this.#lastSample.received_ms);
        if (now - this.#statistics_ms >= STATISTICS_INTERVAL_MS) {
            this.#statistics_ms = now;
            this.#statistics.show();
        }
        const moves = state.isRunning && this.#log.samples > 0;
        const prefersReducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
        const isDue = !prefersReducedMotion || now - this.#drawn_ms >= REDUCED_MOTION_INTERVAL_MS;
        if (!this.#needsDrawing && !(moves && isDue)) return;
        [this.#needsDrawing, this.#drawn_ms] = [false, now];
        this.#draw();
    }

    #draw() {
        const now_s = this.#log.now_ns / 1e9;
        const { notes, samples } = this.#log;
        this.#recentTimeline.draw(this.#history, notes, now_s);
        this.#sessionTimeline.draw(this.#history, notes, now_s);
        this.#sessionLength.textContent = samples > 0 ? formatPosition(now_s) : "";
        this.#legend.show(this.#history.shares);
        const now = performance.now();
        const isDescribed = now - this.#described_ms < DESCRIPTION_INTERVAL_MS;
        if (samples > FIRST_SAMPLES && isDescribed && state.isRunning) return;
        this.#described_ms = now;
        this.#recentCanvas.setAttribute("aria-label", RecentTimeline.describe(this.#history));
        this.#sessionCanvas.setAttribute("aria-label", SessionTimeline.describe(this.#history, now_s));
    }
}

/**
 * Shows whether a button is pressed.
 * @param {string} selector
 * @param {boolean} isPressed
 */
function setPressed(selector, isPressed) {
    query(selector, HTMLButtonElement).setAttribute("aria-pressed", String(isPressed));
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
    const button = document.querySelector(`#controls:not([hidden]) [aria-keyshortcuts="${key}"]`);
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
