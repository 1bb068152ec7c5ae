// SPDX-License-Identifier: MPL-2.0
//
// One WebRTC connection to the server, from its offer to its end. It is never mended: connection.js
// makes another one.

/** How long candidates are collected. */
const GATHERING_MS = 2_000;

/** How long it may take until the channels are open. */
const OPENING_MS = 15_000;

/** A network may be away for so long. */
const ABSENCE_MS = 3_000;

export class Peer {
    #server;
    #settings;
    #track;
    #events;
    #connection = new RTCPeerConnection();
    #sender = null;
    #control = null;
    #id = null;
    #closed = false;
    #heartbeat = 0;
    #absence = 0;

    /**
     * @param {import("./server.js").Server} server
     * @param {object} settings the server's
     * @param {MediaStreamTrack|null} track the camera's, to be sent
     * @param {{sample: function, frame: function, video: function, closing: function, lost: function}} events
     */
    constructor(server, settings, track, events) {
        [this.#server, this.#settings, this.#track, this.#events] = [server, settings, track, events];
    }

    /** Resolves when the server hears and is heard. Rejects with a `Refusal` or another error. */
    async open() {
        const connection = this.#connection;
        const opened = this.#listen();
        // It is awaited last, and may fail before.
        opened.catch(() => {});
        const { id, offer } = await this.#server.createSession();
        this.#id = id;
        if (this.#closed) return this.#server.end(id);
        await connection.setRemoteDescription({ type: "offer", sdp: offer });
        if (this.#settings.source === null) await this.#attachCamera();
        await connection.setLocalDescription();
        await this.#gathered();
        await this.#server.answer(id, connection.localDescription.sdp);
        await this.#limitBitrate();
        await opened;
    }

    /** Tells the server something. */
    send(message) {
        if (this.#control?.readyState === "open") this.#control.send(JSON.stringify(message));
    }

    /** Sends another track, or none. */
    async replaceTrack(track) {
        this.#track = track;
        await this.#sender?.replaceTrack(track);
    }

    /** For good, and without an event. */
    close() {
        if (this.#closed) return;
        this.#closed = true;
        clearInterval(this.#heartbeat);
        clearTimeout(this.#absence);
        this.#connection.close();
        if (this.#id !== null) this.#server.end(this.#id);
    }

    #lose() {
        if (this.#closed) return;
        this.close();
        this.#events.lost();
    }

    #listen() {
        const connection = this.#connection;
        connection.addEventListener("track", ({ track }) => {
            if (this.#settings.source !== null) this.#events.video(track);
        });
        connection.addEventListener("connectionstatechange", () => {
            clearTimeout(this.#absence);
            const state = connection.connectionState;
            if (state === "failed" || state === "closed") this.#lose();
            if (state === "disconnected") this.#absence = setTimeout(() => this.#lose(), ABSENCE_MS);
        });
        return new Promise((resolve, reject) => {
            const timeout = setTimeout(() => reject(new Error("No connection came about.")), OPENING_MS);
            connection.addEventListener("datachannel", ({ channel }) => {
                this.#receive(channel);
                if (channel.label !== "control") return;
                const ready = () => {
                    clearTimeout(timeout);
                    this.#beat();
                    resolve();
                };
                this.#control = channel;
                if (channel.readyState === "open") ready();
                else channel.addEventListener("open", ready, { once: true });
            });
        });
    }

    #receive(channel) {
        const receivers = {
            samples: this.#events.sample,
            frames: this.#events.frame,
            control: ({ closing }) => {
                if (!closing || this.#closed) return;
                this.close();
                this.#events.closing(closing);
            },
        };
        const receive = receivers[channel.label];
        if (!receive) return;
        channel.addEventListener("message", ({ data }) => {
            const message = this.#closed ? null : parsed(data);
            if (message) receive(message);
        });
        channel.addEventListener("close", () => this.#lose());
    }

    #beat() {
        const alive = () => this.send({ alive: true });
        alive();
        this.#heartbeat = setInterval(alive, 1_000 * this.#settings.heartbeat_s);
    }

    async #attachCamera() {
        const transceiver = this.#connection.getTransceivers().find((it) => it.receiver.track.kind === "video");
        if (!transceiver) throw new Error("The server does not take video.");
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
        // Where frames change their size, faces are followed anew.
        parameters.degradationPreference = "maintain-resolution";
        // Where a browser does not know how, the server's own limits hold.
        await this.#sender.setParameters(parameters).catch(() => {});
    }

    #gathered() {
        const connection = this.#connection;
        return new Promise((resolve) => {
            const check = () => connection.iceGatheringState === "complete" && resolve();
            connection.addEventListener("icegatheringstatechange", check);
            setTimeout(resolve, GATHERING_MS);
            check();
        });
    }
}

/** A message, or null for what is none. */
function parsed(data) {
    try {
        return JSON.parse(data);
    } catch {
        return null;
    }
}
