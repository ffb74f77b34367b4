/** What to do so that an engine can be used that cannot be yet: a press that fetches it, or a command to copy. */

import { copyButton } from "./clipboard.js";
import { make } from "./dom.js";
import { FetchView } from "./fetch-view.js";

/** @typedef {import("./engines.js").Kind} Kind */
/** @typedef {import("./engines.js").Candidate} Candidate */

export class AdviceView {
  /**
   * @param {import("./engines.js").Engines} engines
   * @param {Kind} kind
   * @param {ReturnType<typeof import("./engines.js").missingOf>[number]} missing
   */
  constructor(engines, kind, { label, why, command, candidate }) {
    this.element = make("div", { class: "advice" }, make("p", {}, `${label}: ${why}`));
    this.fetch = candidate.fetches ? new FetchView(engines, kind, candidate.name) : null;
    if (this.fetch) this.element.append(this.fetch.element);
    if (!command) return;
    const button = copyButton(() => command, `Copy the command for ${label}`);
    const hint = `${candidate.fetches ? "Or run" : "Run"} it where the server runs, then choose it in the settings.`;
    this.element.append(make("div", { class: "line command" }, make("code", {}, command), button));
    this.element.append(make("p", { class: "hint" }, hint));
  }

  /**
   * @param {Candidate} candidate
   * @param {boolean} may whether this page may have it fetched
   */
  show(candidate, may) {
    this.fetch?.show(candidate, may);
  }
}
