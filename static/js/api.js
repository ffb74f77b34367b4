/** What is asked of the server over HTTP, and how it refuses. */

import { bytesOf } from "./pcm.js";

/**
 * What `POST /api/utterance` answers.
 *
 * @typedef {{
 *   conversation: string,
 *   outcome: string,
 *   transcript: string,
 *   reply: string,
 *   heard: number,
 *   remembered: boolean | null,
 *   latency: Record<string, number | null>,
 *   audio: {sample_rate: number, wav: string} | null,
 *   errors: {code: string, message: string}[],
 *   infos: {code: string, message: string}[],
 * }} Answer
 */

/** The server did not do what was asked, and says why as an `error` of /ws would. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{code: string, message: string, retry_after_s?: number, incident?: string}} [error] none where something
   *   before the server has answered
   */
  constructor(status, error = { code: "INTERNAL", message: `The server answered with status ${status}.` }) {
    super(error.message);
    this.code = error.code;
    this.status = status;
    this.incident = error.incident;
    /** When the same would do; undefined if it never will. */
    this.retryAfterS = error.retry_after_s;
    /** Whether it may be that the server no longer knows the conversation. */
    this.mayBeForgotten = status === 400 && error.code === "PROTOCOL_VIOLATION";
  }
}

export class Api {
  /**
   * @param {string} url of /api, with a slash at its end
   * @param {() => string} token empty where there is none
   */
  constructor(url, token) {
    this.url = url;
    this.token = token;
  }

  /**
   * @param {string} path
   * @param {Omit<RequestInit, "headers"> & {json?: object}} [options] `json` is what is said as such
   * @returns {Promise<Response>} one that says yes; throws `Refusal`, and what `fetch` throws
   */
  async ask(path, { json, ...options } = {}) {
    const token = this.token();
    const response = await fetch(this.url + path, {
      ...(json ? { body: JSON.stringify(json) } : {}),
      ...options,
      headers: {
        ...(json ? { "Content-Type": "application/json" } : {}),
        // A header knows bytes alone.
        ...(token ? { Authorization: `Bearer ${bytesOf(token)}` } : {}),
      },
    });
    if (response.ok) return response;
    const body = await response.json().catch(() => null);
    throw new Refusal(response.status, body?.error ?? undefined);
  }

  /**
   * Reads what an answer says in JSON.
   *
   * @param {string} path
   * @param {Parameters<Api["ask"]>[1]} [options]
   * @returns {Promise<any>} throws `Refusal` also where it says nothing of the kind: something before the server did
   */
  async read(path, options) {
    const response = await this.ask(path, options);
    const body = await response.json().catch(() => null);
    if (body) return body;
    throw new Refusal(response.status);
  }
}

/**
 * Reads what an answer says in JSON, an object a line, as it comes.
 *
 * @param {Response} response
 * @returns {AsyncGenerator<any>}
 */
export async function* readLines(response) {
  const reader = /** @type {ReadableStream<any>} */ (response.body).pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const lines = (rest + piece.value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line);
  }
}
