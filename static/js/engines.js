/**
 * The server's engines: which are there, another one please, and how a voice sounds. It tells what came of it, and knows
 * nothing of who shows it.
 */

import { Refusal, ask, read } from "./api.js";

/** @typedef {"recognizer" | "language_model" | "synthesizer"} Kind */

/** @typedef {{
 *   name: string,
 *   title: string,
 *   package: string | null,
 *   usable: boolean,
 *   why_not: string | null,
 *   command: string | null,
 *   in_use: boolean,
 * }} Candidate */

/** @typedef {{at_work: string, swapping_to: string | null, engines: Candidate[], synthetic?: boolean, advice?: string | null}} OfKind */

/** @typedef {{may_swap: boolean} & Record<Kind, OfKind>} List */

export class Engines {
  /**
   * @param {string} url of /api, with a slash at its end
   * @param {() => string} token
   */
  constructor(url, token) {
    this.url = url;
    this.token = token;
    /** @type {List | null} */
    this.list = null;
    /** What this page has asked for and not got yet. @type {{kind: Kind, name: string} | null} */
    this.wish = null;
    /** Why the latest request came to nothing, in a sentence. */
    this.trouble = "";
    this.latest = 0;
    this.onchange = () => {};
  }

  /** Asks what there is. */
  load() {
    return this.take((token) => ask(`${this.url}engines`, { token }));
  }

  /**
   * Has another engine take over.
   *
   * @param {Kind} kind
   * @param {string} name
   */
  async swap(kind, name) {
    this.wish = { kind, name };
    this.onchange();
    const body = JSON.stringify({ name });
    const headers = { "Content-Type": "application/json" };
    await this.take((token) => ask(`${this.url}engines/${kind}`, { method: "PUT", body, headers, token }));
    this.wish = null;
    this.onchange();
  }

  /**
   * A sentence in a voice, as a WAV.
   *
   * @param {string} voice
   * @param {string} language that the person speaks; empty where that is open
   * @param {AbortSignal} [signal]
   * @returns {Promise<ArrayBuffer>} throws `Refusal`, and what `fetch` throws
   */
  async sample(voice, language, signal) {
    const query = language ? `?${new URLSearchParams({ language })}` : "";
    const url = `${this.url}voices/${encodeURIComponent(voice)}/sample${query}`;
    return (await ask(url, { token: this.token(), signal })).arrayBuffer();
  }

  /** @param {string} trouble why something that somebody else has asked for came to nothing */
  tell(trouble) {
    this.trouble = trouble;
    this.onchange();
  }

  /**
   * @private
   * @param {(token: string) => Promise<Response>} ask
   */
  async take(ask) {
    this.latest += 1;
    const mine = this.latest;
    try {
      const list = await read(await ask(this.token()));
      // One that was asked for earlier may come later, and is older.
      if (mine === this.latest) this.list = list;
      this.trouble = "";
    } catch (error) {
      this.trouble = sentenceOf(/** @type {Error} */ (error));
    }
    this.onchange();
  }
}

/**
 * @param {Error} error
 * @returns {string} what the person is told of it
 */
export function sentenceOf(error) {
  return error instanceof Refusal ? error.message : "The server does not answer.";
}

/**
 * What people call an engine, where that stands alone.
 *
 * @param {{title: string, package: string | null}} candidate
 */
export function labelOf({ title, package: brought }) {
  const bare = title.replace(/^(a|an|the) /i, "");
  return bare.charAt(0).toUpperCase() + bare.slice(1) + (brought ? ` (${brought})` : "");
}

/**
 * What could be used if something were done about it, and what that is.
 *
 * @param {OfKind} ofKind
 * @returns {{label: string, why: string, command: string | null}[]}
 */
export function missingOf({ engines }) {
  return engines
    .filter((one) => !one.usable)
    .map((one) => {
      const why = one.why_not ?? "";
      // A reason may end with the command, which stands by itself.
      const bare = one.command && why.endsWith(one.command) ? why.slice(0, -one.command.length).replace(/[\s:]+$/, "") : why;
      return { label: labelOf(one), why: bare.replace(/\.?$/, "."), command: one.command };
    });
}
