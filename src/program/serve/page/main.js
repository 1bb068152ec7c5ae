// SPDX-License-Identifier: MPL-2.0
//
// Wires the page: what a visitor does goes to the connection, what comes from it goes to the session and its
// drawings.

import { Legend, Palette, scene } from "./attitudes.js";
import * as camera from "./camera.js";
import { Connection } from "./connection.js";
import { Downloads } from "./downloads.js";
import { Announcer, FaceList } from "./faces.js";
import { Facts } from "./facts.js";
import { CameraFrames, SourceFrames } from "./frames.js";
import { History } from "./history.js";
import { Notes } from "./notes.js";
import { Server } from "./server.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { States } from "./states.js";
import { clock, count } from "./text.js";
import { Recent, Whole } from "./timeline.js";

/** Between drawings of the timelines, and for those who want less motion. */
const TICK_MS = 250;
const CALM_TICK_MS = 1_000;

/** What is seen must stay so for so long before the status tells it. */
const SETTLED_MS = 1_500;

/** Between changes of what drawings are called. */
const WORDS_MS = 10_000;

const find = (selector) => document.querySelector(selector);
const states = new States();

/** All that there is once the server has said what it serves. */
class Page {
    #server;
    #settings;
    #session;
    #history;
    #connection;
    #frames;
    #track = null;
    #isConnected = false;
    #isPaused = false;
    #isMuted = false;
    /** The last sample and when it came. */
    #sample = null;
    #sampled_ms = 0;
    /** What the status says of the scene, what it may say soon, and since when. */
    #seen = "";
    #seeing = "";
    #seeing_ms = 0;
    #isDirty = true;
    #worded_ms = -Infinity;
    #drawn_ms = -Infinity;
    #counted_ms = -Infinity;

    #video = find("#video");
    #palette = new Palette();
    #facts = new Facts();
    #faces = new FaceList();
    #announcer = new Announcer();
    #recent = new Recent(find("#recent"), this.#palette);
    #whole = new Whole(find("#whole"), this.#palette);
    #legend = new Legend(find("#shares"));
    #notes = new Notes(() => (this.#isDirty = true));
    #downloads;
    #stage;

    constructor(server, settings) {
        [this.#server, this.#settings] = [server, settings];
        const ofCamera = settings.source === null;
        this.#stage = new Stage(this.#palette, ofCamera);
        this.#frames = new (ofCamera ? CameraFrames : SourceFrames)(this.#video, (picture) => this.#show(picture));
        this.#downloads = new Downloads(server, () => this.#session);
        this.#connection = new Connection(server, settings, {
            state: (name, details) => this.#disconnected(name, details),
            connected: () => this.#connected(),
            sample: (record) => this.#add(record),
            frame: (record) => this.#frame(record),
            video: (track) => this.#play(track),
        });
        this.#listen();
        this.#begin();
    }

    #listen() {
        const on = (selector, act) => find(selector).addEventListener("click", act);
        on("#action", () => this.#act());
        on("#note", () => this.#notes.ask(this.#session));
        on("#pause", () => this.#pause(!this.#isPaused));
        on("#mute", () => this.#mute(!this.#isMuted));
        on("#hide", () => this.#hide(!this.#stage.isHiding));
        on("#end", () => this.#end());
        on("#anew", () => (this.#session.isKept ? this.#beginAnew() : find("#anew-dialog").showModal()));
        on("#anew-no", () => find("#anew-dialog").close());
        on("#anew-yes", () => {
            find("#anew-dialog").close();
            this.#beginAnew();
        });
        addEventListener("keydown", press);
        addEventListener("resize", () => (this.#isDirty = true));
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (this.#isDirty = true));
        addEventListener("beforeunload", (event) => this.#session.isKept || event.preventDefault());
        addEventListener("pagehide", () => this.#end());
        setInterval(() => this.#tick(), TICK_MS);
    }

    /** Begins a session that has nothing yet. */
    #begin() {
        this.#session = new Session(this.#settings.source !== null);
        this.#history = new History();
        this.#recent.reset();
        this.#notes.list(this.#session);
        this.#downloads.reset();
        const isPossible = this.#settings.source !== null || camera.isPossible();
        const port = location.port ? `:${location.port}` : "";
        this.#disconnected(isPossible ? "ready" : "insecure", { port });
        this.#draw();
    }

    // What a visitor does

    #beginAnew() {
        this.#begin();
        find("#action").focus();
    }

    #act() {
        const isWaiting = states.name === "busy" || states.name === "reconnecting";
        if (isWaiting) this.#connection.retry();
        else this.#start();
    }

    async #start() {
        this.#pause(false);
        if (this.#settings.source !== null) return this.#connection.start(null);
        if (this.#track?.readyState !== "live" && !(await this.#openCamera())) return;
        this.#connection.start(this.#track);
    }

    async #openCamera() {
        states.show("asking");
        try {
            this.#track = await camera.open(this.#settings.limits);
        } catch (problem) {
            this.#disconnected(problem.state, { problem: problem.message });
            return false;
        }
        this.#track.addEventListener("ended", () => {
            this.#connection.stop();
            this.#disconnected("no-camera", { problem: "The camera is gone. Connect it and try again." });
        });
        this.#play(this.#track);
        return true;
    }

    #pause(on) {
        this.#isPaused = on;
        find("#pause").setAttribute("aria-pressed", String(on));
        this.#connection.paused = on;
        if (on) this.#video.pause();
        else this.#resume();
        this.#present();
    }

    #mute(on) {
        this.#isMuted = on;
        find("#mute").setAttribute("aria-pressed", String(on));
        this.#connection.analysis = !on;
        this.#present();
    }

    #hide(on) {
        this.#stage.isHiding = on;
        find("#hide").setAttribute("aria-pressed", String(on));
    }

    #end() {
        this.#connection.stop();
        if (states.isRunning) this.#disconnected("ended");
    }

    // What comes from the connection

    #connected() {
        this.#isConnected = true;
        this.#session.connected();
        this.#present();
    }

    /** Shows a state without a connection. */
    #disconnected(name, details = {}) {
        this.#isConnected = false;
        this.#sample = null;
        this.#seen = this.#seeing = "";
        this.#stage.forget();
        const { source } = this.#settings;
        const resumes = this.#session.samples > 0 ? "Go on" : source === null ? "Start camera" : "Watch";
        states.show(name, { source, resumes, ...details });
        this.#faces.clear(states.isRunning ? "Waiting for the server." : "Nothing is analysed.");
        if (!states.isRunning) this.#stop();
        find("#anew").hidden = states.isRunning || this.#session.samples === 0;
        this.#isDirty = true;
    }

    /** The camera's light goes out, and nothing is left of its picture. */
    #stop() {
        this.#track?.stop();
        this.#track = null;
        this.#video.srcObject = null;
        this.#stage.clear();
        this.#facts.reset();
        this.#session.rest();
    }

    #add(record) {
        if (this.#isPaused || this.#isMuted) return;
        const continued = this.#session.add(record);
        this.#history.add(continued);
        [this.#sample, this.#sampled_ms] = [continued, performance.now()];
        this.#facts.sample();
        this.#announcer.hear(continued);
        this.#see(continued);
        if (this.#session.samples === 1) this.#downloads.refresh();
    }

    #frame(record) {
        if (!this.#isPaused && !this.#isMuted) this.#frames.record(this.#session.renumbered(record));
    }

    #play(track) {
        this.#video.srcObject = new MediaStream([track]);
        this.#resume();
    }

    #resume() {
        // A browser refuses where there is nothing to play.
        if (this.#video.srcObject && !this.#isPaused) this.#video.play().catch(() => {});
    }

    #show(picture) {
        this.#stage.show(picture);
        this.#facts.frame(picture);
    }

    // What is told

    /** The state with a connection. */
    #present() {
        if (!this.#isConnected) return;
        const name = this.#isPaused ? "paused" : this.#isMuted ? "muted" : "live";
        if (name !== "live") {
            this.#sample = null;
            this.#seen = this.#seeing = "";
            this.#faces.clear("Nothing is analysed.");
        }
        // A picture that stands keeps its boxes.
        if (name === "muted") this.#stage.forget();
        states.show(name, { source: this.#settings.source, seen: this.#seen });
        find("#anew").hidden = true;
    }

    #see(record) {
        const { faces } = record;
        document.body.dataset.scene = scene(record).attitude ?? "nobody";
        const isUnclear = faces.every((face) => face.attitude === "unknown");
        const unclear = isUnclear ? " Confidence is low: the attitude is unknown." : "";
        const seeing = faces.length > 0 ? `${count(faces.length, "face")}.${unclear}` : "No face is seen.";
        const now = performance.now();
        if (seeing !== this.#seeing) [this.#seeing, this.#seeing_ms] = [seeing, now];
        if (seeing === this.#seen || now - this.#seeing_ms < SETTLED_MS) return;
        this.#seen = seeing;
        this.#present();
    }

    #tick() {
        if (document.hidden) return;
        const now = performance.now();
        if (this.#sample) this.#faces.show(this.#sample, now - this.#sampled_ms);
        if (now - this.#counted_ms >= CALM_TICK_MS) {
            this.#counted_ms = now;
            this.#facts.show();
        }
        const moves = states.isRunning && this.#session.samples > 0;
        const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
        const isDue = now - this.#drawn_ms >= (isCalm ? CALM_TICK_MS : TICK_MS - 20);
        if (!this.#isDirty && !(moves && isDue)) return;
        [this.#isDirty, this.#drawn_ms] = [false, now];
        this.#draw();
    }

    #draw() {
        const now_s = this.#session.now_ns / 1e9;
        const { notes } = this.#session;
        this.#recent.draw(this.#history, notes, now_s);
        this.#whole.draw(this.#history, notes, now_s);
        find("#length").textContent = this.#session.samples > 0 ? clock(now_s) : "";
        this.#legend.show(this.#history.shares);
        const now = performance.now();
        if (this.#session.samples > 10 && now - this.#worded_ms < WORDS_MS && states.isRunning) return;
        this.#worded_ms = now;
        find("#recent").setAttribute("aria-label", Recent.words(this.#history));
        find("#whole").setAttribute("aria-label", Whole.words(this.#history, now_s));
    }
}

/** A key anywhere on the page is a press of the button that has it. */
function press(event) {
    const isOther = event.altKey || event.ctrlKey || event.metaKey || event.repeat;
    const isTyping = event.target.closest("input:not([type=checkbox]), dialog");
    if (isOther || isTyping || !find("#keys").checked) return;
    const button = find(`#controls:not([hidden]) [aria-keyshortcuts="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
}

async function load() {
    const server = new Server(new URLSearchParams(location.search).get("token"));
    try {
        const settings = await server.settings();
        if (settings.source !== null) {
            document.title = `${settings.source}, live`;
            find("#title").textContent = document.title;
        }
        new Page(server, settings);
    } catch (problem) {
        if (!(problem.status >= 0)) throw problem;
        const name = problem.status === 401 || problem.status === 403 ? "token" : "unreachable";
        states.show(name, { problem: problem.message });
        find("#action").addEventListener("click", load, { once: true });
    }
}

load();
