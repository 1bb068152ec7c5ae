// SPDX-License-Identifier: MPL-2.0
//
// Client of the server's HTTP API.

import { toSentence } from "./text.js";

/** @import { ProblemResponse, ServerExportFormat, SessionOffer, Settings } from "./types.js" */

const REQUEST_TIMEOUT_MS = 10_000;
const EXPORT_TIMEOUT_MS = 120_000;

/** Reports a request that failed; the message is for the visitor. */
export class RequestError extends Error {
    /**
     * @param {string} message
     * @param {number} status the response's HTTP status; 0 if there was no response
     * @param {number | null} retryAfter_s the response's `Retry-After`
     */
    constructor(message, status, retryAfter_s = null) {
        super(message);
        this.status = status;
        this.retryAfter_s = retryAfter_s;
    }

    /** True if the server rejected the token. */
    get isUnauthorized() {
        return this.status === 401 || this.status === 403;
    }
}

/** Sends requests. All methods but `deleteSession` throw a `RequestError`. */
export class Server {
    /** @type {Record<string, string>} */
    #headers;

    /** @param {string | null} token from the page's address */
    constructor(token) {
        this.#headers = token === null ? {} : { Authorization: `Bearer ${token}` };
    }

    /** @returns {Promise<Settings>} */
    async settings() {
        return (await this.#request("/settings")).json();
    }

    /** @returns {Promise<SessionOffer>} */
    async createSession() {
        return (await this.#request("/sessions", { method: "POST" })).json();
    }

    /**
     * Sends the SDP answer to a session's offer.
     * @param {string} id
     * @param {string} sdpAnswer
     */
    async sendSdpAnswer(id, sdpAnswer) {
        const headers = { "Content-Type": "application/json" };
        const body = JSON.stringify({ answer: sdpAnswer });
        await this.#request(`/sessions/${encodeURIComponent(id)}/answer`, { method: "POST", headers, body });
    }

    /**
     * Ends a session, even while the page is being closed. If the request fails, the session times out on the server.
     * @param {string} id
     */
    deleteSession(id) {
        const options = { method: "DELETE", keepalive: true };
        this.#request(`/sessions/${encodeURIComponent(id)}`, options).catch(() => {});
    }

    /**
     * Exports a session's JSON lines to another format.
     * @param {ServerExportFormat} format
     * @param {Blob} lines
     */
    async export(format, lines) {
        const headers = { "Content-Type": "application/x-ndjson" };
        const options = { method: "POST", headers, body: lines };
        return (await this.#request(`/export/${format}`, options, EXPORT_TIMEOUT_MS)).blob();
    }

    /**
     * @param {string} path
     * @param {RequestInit & { headers?: Record<string, string> }} options
     * @param {number} timeout_ms
     */
    async #request(path, options = {}, timeout_ms = REQUEST_TIMEOUT_MS) {
        let response;
        try {
            response = await fetch(path, {
                ...options,
                headers: { ...this.#headers, ...options.headers },
                cache: "no-store",
                signal: AbortSignal.timeout(timeout_ms),
            });
        } catch {
            throw new RequestError("The server cannot be reached.", 0);
        }
        if (response.ok) return response;
        /** @type {ProblemResponse | null} */
        const body = await response.json().catch(() => null);
        const status = `${response.status} ${response.statusText}`.trim();
        const message = toSentence(body?.problem ?? `The server responded with ${status}`);
        const seconds = Number(response.headers.get("Retry-After") || NaN);
        throw new RequestError(message, response.status, Number.isFinite(seconds) ? seconds : null);
    }
}
