// SPDX-License-Identifier: MPL-2.0
//
// What is asked of the server by HTTP.

import { sentence } from "./text.js";

/** How long an answer may take. */
const PATIENCE_MS = 10_000;

/** How long an export may take. */
const EXPORT_PATIENCE_MS = 120_000;

/** Why a request brought nothing; the message is for people. */
export class Refusal extends Error {
    /**
     * @param {string} problem
     * @param {number} status the answer's; 0 where there was none
     * @param {number|null} retryAfter_s when the server asks to come again
     */
    constructor(problem, status, retryAfter_s = null) {
        super(problem);
        this.status = status;
        this.retryAfter_s = retryAfter_s;
    }
}

export class Server {
    #headers;

    /** @param {string|null} token as the page's address has it */
    constructor(token) {
        this.#headers = token === null ? {} : { Authorization: `Bearer ${token}` };
    }

    async settings() {
        return (await this.#ask("/settings")).json();
    }

    /** @returns {Promise<{id: string, offer: string}>} */
    async createSession() {
        return (await this.#ask("/sessions", { method: "POST" })).json();
    }

    async answer(id, answer) {
        const headers = { "Content-Type": "application/json" };
        const body = JSON.stringify({ answer });
        await this.#ask(`/sessions/${encodeURIComponent(id)}/answer`, { method: "POST", headers, body });
    }

    /** Also while the page goes away. A server that does not hear it notices by itself. */
    end(id) {
        const options = { method: "DELETE", keepalive: true };
        this.#ask(`/sessions/${encodeURIComponent(id)}`, options).catch(() => {});
    }

    /** The session's file in another format: `csv`, `vtt` or `html`. */
    async export(format, file) {
        const headers = { "Content-Type": "application/x-ndjson" };
        const options = { method: "POST", headers, body: file };
        return (await this.#ask(`/export/${format}`, options, EXPORT_PATIENCE_MS)).blob();
    }

    async #ask(path, options = {}, patience_ms = PATIENCE_MS) {
        let response;
        try {
            response = await fetch(path, {
                ...options,
                headers: { ...this.#headers, ...options.headers },
                cache: "no-store",
                signal: AbortSignal.timeout(patience_ms),
            });
        } catch {
            throw new Refusal("The server cannot be reached.", 0);
        }
        if (response.ok) return response;
        const told = await response.json().catch(() => null);
        const status = `${response.status} ${response.statusText}`.trim();
        const problem = sentence(told?.problem ?? `The server answered ${status}`);
        const seconds = Number(response.headers.get("Retry-After") || NaN);
        throw new Refusal(problem, response.status, Number.isFinite(seconds) ? seconds : null);
    }
}
