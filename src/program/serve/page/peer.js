// SPDX-License-Identifier: MPL-2.0
//
// One WebRTC connection to the server. A peer that has failed is not reused: connection.js creates a new one.

/** @import { Server } from "./server.js" */
/** @import { Closing, ControlMessage, FrameRecord, PageMessage, Settings } from "./types.js" */

/**
 * @typedef {object} PeerEvents
 * @property {(record: FrameRecord) => void} sample a record of an analyzed frame
 * @property {(record: FrameRecord) => void} frame a record of any frame, for drawing
 * @property {(track: MediaStreamTrack) => void} video the server's video
 * @property {(closing: Closing) => void} closing the server closes the session
 * @property {() => void} lost the connection is lost
 */

/** Maximum time for gathering ICE candidates. */
const GATHERING_TIMEOUT_MS = 2_000;

/** Maximum time until the data channels are open. */
const OPENING_TIMEOUT_MS = 15_000;

/** Maximum duration of a network outage. */
const OUTAGE_TIMEOUT_MS = 3_000;

export class Peer {
    #server;
    #settings;
    #track;
    #events;
    #connection = new RTCPeerConnection();
    /** @type {RTCRtpSender | null} */
    #sender = null;
    /** @type {RTCDataChannel | null} */
    #control = null;
    /** @type {string | null} */
    #id = null;
    #isClosed = false;
    #heartbeatTimer = 0;
    #outageTimer = 0;

    /**
     * @param {Server} server
     * @param {Settings} settings
     * @param {MediaStreamTrack | null} track the camera's track, which is sent to the server
     * @param {PeerEvents} events
     */
    constructor(server, settings, track, events) {
        this.#server = server;
        this.#settings = settings;
        this.#track = track;
        this.#events = events;
    }

    /** Resolves when messages pass in both directions. Rejects with a `RequestError` or another error. */
    async open() {
        const connection = this.#connection;
        const opened = this.#listen();
        // It may reject before it is awaited below.
        opened.catch(() => {});
        const { id, offer } = await this.#server.createSession();
        this.#id = id;
        if (this.#isClosed) {
            this.#server.deleteSession(id);
            return;
        }
        await connection.setRemoteDescription({ type: "offer", sdp: offer });
        if (this.#settings.source === null) await this.#attachCamera();
        await connection.setLocalDescription();
        await this.#gatherCandidates();
        await this.#server.sendSdpAnswer(id, connection.localDescription?.sdp ?? "");
        await this.#limitBitrate();
        await opened;
    }

    /**
     * Sends a message if the connection is open.
     * @param {PageMessage} message
     */
    send(message) {
        if (this.#control?.readyState === "open") this.#control.send(JSON.stringify(message));
    }

    /**
     * Sends another track, or none.
     * @param {MediaStreamTrack | null} track
     */
    async replaceTrack(track) {
        this.#track = track;
        await this.#sender?.replaceTrack(track);
    }

    /** Closes the connection without an event. */
    close() {
        if (this.#isClosed) return;
        this.#isClosed = true;
        clearInterval(this.#heartbeatTimer);
        clearTimeout(this.#outageTimer);
        this.#connection.close();
        if (this.#id !== null) this.#server.deleteSession(this.#id);
    }

    #lose() {
        if (this.#isClosed) return;
        this.close();
        this.#events.lost();
    }

    /** Handles events of the connection. Resolves when the data channel `control` is open. */
    #listen() {
        const connection = this.#connection;
        connection.addEventListener("track", ({ track }) => {
            if (this.#settings.source !== null) this.#events.video(track);
        });
        connection.addEventListener("connectionstatechange", () => {
            clearTimeout(this.#outageTimer);
            const state = connection.connectionState;
            if (state === "failed" || state === "closed") this.#lose();
            if (state === "disconnected") this.#outageTimer = setTimeout(() => this.#lose(), OUTAGE_TIMEOUT_MS);
        });
        return new Promise((/** @type {(value?: void) => void} */ resolve, reject) => {
            const fail = () => reject(new Error("the data channels did not open in time"));
            const timer = setTimeout(fail, OPENING_TIMEOUT_MS);
            connection.addEventListener("datachannel", ({ channel }) => {
                this.#receive(channel);
                if (channel.label !== "control") return;
                const ready = () => {
                    clearTimeout(timer);
                    this.#startHeartbeat();
                    resolve();
                };
                this.#control = channel;
                if (channel.readyState === "open") ready();
                else channel.addEventListener("open", ready, { once: true });
            });
        });
    }

    /** @param {RTCDataChannel} channel */
    #receive(channel) {
        const receive = this.#receiver(channel.label);
        if (!receive) return;
        channel.addEventListener("message", ({ data }) => {
            const message = this.#isClosed ? null : parseMessage(data);
            if (message) receive(message);
        });
        channel.addEventListener("close", () => this.#lose());
    }

    /**
     * Returns the receiver of the messages of a data channel.
     * @param {string} label
     * @returns {((message: any) => void) | null}
     */
    #receiver(label) {
        switch (label) {
            case "samples":
                return this.#events.sample;
            case "frames":
                return this.#events.frame;
            case "control":
                return (message) => this.#receiveControl(message);
            default:
                return null;
        }
    }

    /** @param {ControlMessage} message */
    #receiveControl({ closing }) {
        if (!closing || this.#isClosed) return;
        this.close();
        this.#events.closing(closing);
    }

    #startHeartbeat() {
        const beat = () => this.send({ alive: true });
        beat();
        this.#heartbeatTimer = setInterval(beat, 1_000 * this.#settings.heartbeat_s);
    }

    async #attachCamera() {
        const transceiver = this.#connection.getTransceivers().find((it) => it.receiver.track.kind === "video");
        if (!transceiver) throw new Error("the server does not accept video");
        transceiver.direction = "sendonly";
        this.#sender = transceiver.sender;
        await this.#sender.replaceTrack(this.#track);
    }

    async #limitBitrate() {
        if (!this.#sender) return;
        const parameters = this.#sender.getParameters();
        const { kilobits_per_second, frames_per_second } = this.#settings.limits;
        for (const encoding of parameters.encodings) {
            encoding.maxBitrate = 1_000 * kilobits_per_second;
            encoding.maxFramerate = frames_per_second;
        }
        // Tracks of faces restart if the size of frames changes.
        parameters.degradationPreference = "maintain-resolution";
        // The server enforces its limits even if the browser does not support these parameters.
        await this.#sender.setParameters(parameters).catch(() => {});
    }

    /** Resolves when all ICE candidates are known, or after a timeout. */
    #gatherCandidates() {
        const connection = this.#connection;
        return new Promise((/** @type {(value?: void) => void} */ resolve) => {
            const check = () => {
                if (connection.iceGatheringState === "complete") resolve();
            };
            connection.addEventListener("icegatheringstatechange", check);
            setTimeout(resolve, GATHERING_TIMEOUT_MS);
            check();
        });
    }
}

/**
 * Parses a message; returns null if it is not JSON.
 * @param {string} data
 */
function parseMessage(data) {
    try {
        return JSON.parse(data);
    } catch {
        return null;
    }
}
