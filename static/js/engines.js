/**
 * The server's engines: which are there, another one please, and how a voice sounds. It tells what came of it, and
 * knows nothing of who shows it.
 */

import { Refusal, readLines } from "./api.js";
import { inWords } from "./languages.js";

/** @typedef {"recognizer" | "language_model" | "synthesizer"} Kind */

/** @typedef {{
 *   name: string,
 *   title: string,
 *   package: string | null,
 *   usable: boolean,
 *   why_not: string | null,
 *   command: string | null,
 *   fetches: string | null,
 *   fetching: boolean,
 *   in_use: boolean,
 * }} Candidate */

/**
 * The language model that a person named.
 *
 * @typedef {{url: string, model: string, has_key: boolean, kept: boolean}} Given
 */

/** @typedef {{
 *   at_work: string,
 *   swapping_to: string | null,
 *   engines: Candidate[],
 *   synthetic?: boolean,
 *   advice?: string | null,
 *   languages?: string[],
 *   given?: Given | null,
 * }} OfKind */

/** @typedef {{may_swap: boolean, end_of_turn: {at_work: string, endpointing: string}} & Record<Kind, OfKind>} List */

const AGAIN_MS = 1000;

export class Engines {
  /** @type {List | null} */
  list = null;
  /** What this page has asked for and not got yet. @type {{kind: Kind, name: string} | null} */
  wish = null;
  /** What this page fetches, and how far it is, in bytes; 0 in all while that is not known.
   * @type {{kind: Kind, name: string, done: number, total: number} | null} */
  fetching = null;
  fetchingEnds = new AbortController();
  /** What it has fetched last, until something else is asked for. @type {{kind: Kind, name: string} | null} */
  fetched = null;
  /** Why the latest request came to nothing, in a sentence. */
  trouble = "";
  latest = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  again = undefined;
  onchange = () => {};

  /** @param {import("./api.js").Api} api */
  constructor(api) {
    this.api = api;
  }

  /** Asks what there is; and again while the server fetches something for others, as nobody tells when that is over. */
  async load() {
    clearTimeout(this.again);
    await this.take("engines");
    const others = Object.values(this.list ?? {}).flatMap(({ engines = [] }) => engines);
    if (!this.fetching && others.some((one) => one.fetching)) this.again = setTimeout(() => this.load(), AGAIN_MS);
  }

  /**
   * Has another engine take over.
   *
   * @param {Kind} kind
   * @param {string} name
   */
  swap(kind, name) {
    return this.put(kind, name, `engines/${kind}`, { method: "PUT", json: { name } });
  }

  /**
   * Has a language model take over that no setting of the server names.
   *
   * @param {{url: string, key?: string, model: string, keep: boolean}} said
   */
  give(said) {
    return this.put("language_model", "openai-chat", "language_model", { method: "PUT", json: said });
  }

  /** Has the server's own take over again. */
  forgetGiven() {
    return this.put("language_model", "auto", "language_model", { method: "DELETE" });
  }

  /**
   * @private
   * @param {Kind} kind
   * @param {string} name
   * @param {Parameters<import("./api.js").Api["read"]>} request that has it take over
   */
  async put(kind, name, ...request) {
    this.wish = { kind, name };
    this.fetched = null;
    this.onchange();
    await this.take(...request);
    this.wish = null;
    this.onchange();
  }

  /**
   * Has what an engine lacks fetched, which goes on for as long as the page is open. One at a time.
   *
   * @param {Kind} kind
   * @param {string} name
   */
  async fetch(kind, name) {
    if (this.fetching) return;
    const { signal } = (this.fetchingEnds = new AbortController());
    this.fetching = { kind, name, done: 0, total: 0 };
    this.fetched = null;
    this.tell("");
    let trouble = "";
    try {
      await this.follow(kind, name, signal);
      this.fetched = { kind, name };
    } catch (error) {
      if (!signal.aborted) trouble = sentenceOf(/** @type {Error} */ (error));
    }
    this.fetching = null;
    await this.load();
    if (trouble) this.tell(trouble);
  }

  stopFetching() {
    this.fetchingEnds.abort();
  }

  /**
   * @private
   * @param {Kind} kind
   * @param {string} name
   * @param {AbortSignal} signal
   */
  async follow(kind, name, signal) {
    const response = await this.api.ask(`engines/${kind}/fetch`, { method: "POST", json: { name }, signal });
    for await (const said of readLines(response)) {
      if (said.error) throw new Refusal(response.status, said.error);
      if (said.fetched) return;
      this.fetching = { kind, name, done: said.done, total: said.total };
      this.onchange();
    }
    throw new Error("the answer broke off");
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
    return (await this.api.ask(`voices/${encodeURIComponent(voice)}/sample${query}`, { signal })).arrayBuffer();
  }

  /** @param {string} trouble why something that somebody else has asked for came to nothing */
  tell(trouble) {
    this.trouble = trouble;
    this.onchange();
  }

  /**
   * @private
   * @param {Parameters<import("./api.js").Api["read"]>} request that is answered by what there is
   */
  async take(...request) {
    this.latest += 1;
    const mine = this.latest;
    try {
      const list = await this.api.read(...request);
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
 * The same text for what a view is to be made of, whatever of it is fetched, and how far: the view there is shows that.
 *
 * @param {unknown} told
 */
export function stableOf(told) {
  return JSON.stringify(told, (key, value) => (key === "fetching" ? undefined : value));
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
 * @returns {{label: string, why: string, command: string | null, candidate: Candidate}[]}
 */
export function missingOf({ engines }) {
  return engines
    .filter((one) => !one.usable)
    .map((one) => {
      const { command } = one;
      const why = one.why_not ?? "";
      // A reason may end with the command, which stands by itself.
      const bare = command && why.endsWith(command) ? why.slice(0, -command.length).replace(/[\s:]+$/, "") : why;
      return { label: labelOf(one), why: bare.replace(/\.?$/, "."), command, candidate: one };
    });
}

/**
 * The best that the server uses, can use, or could after a press or a command: one on another machine is somebody's
 * wish.
 *
 * @param {OfKind} ofKind whose engines come with the best first
 */
export function bestOf({ engines }) {
  return engines.find((one) => one.usable || one.command || one.fetches) ?? engines[0];
}

/**
 * What is to be added to an engine's label.
 *
 * @param {OfKind} ofKind
 */
export function detailOf({ at_work: name, engines, synthetic, advice, languages = [] }) {
  if (synthetic) {
    const instead = name === "skills" ? "Only its skills answer." : "Replies only repeat what was heard.";
    return [instead, advice].filter(Boolean).join(" ");
  }
  const current = engines.find((one) => one.in_use);
  const said = current && labelOf(current).toLowerCase().includes(name.toLowerCase());
  return [said ? "" : name, inWords(languages)].filter(Boolean).join(": ");
}
