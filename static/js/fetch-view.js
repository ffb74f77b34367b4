/** A button that fetches what an engine lacks, and how far that is. */

import { make, setText } from "./dom.js";

/** @typedef {import("./engines.js").Kind} Kind */
/** @typedef {import("./engines.js").Candidate} Candidate */

export class FetchView {
  /**
   * @param {import("./engines.js").Engines} engines
   * @param {Kind} kind
   * @param {string} name of the engine
   */
  constructor(engines, kind, name) {
    this.engines = engines;
    this.kind = kind;
    this.name = name;
    const press = () => (this.mine ? engines.stopFetching() : engines.fetch(kind, name));
    this.button = make("button", { class: "main", type: "button", onclick: press });
    this.bar = make("progress");
    this.far = make("span", { class: "far" });
    this.element = make("div", { class: "fetch" }, this.button, this.bar, this.far);
  }

  /**
   * @param {Candidate} candidate
   * @param {boolean} may whether this page may have it fetched
   */
  show({ fetches, fetching }, may) {
    const mine = this.mine;
    this.element.hidden = !may;
    // Not "disabled" while it is ours: who has just pressed it may press it again.
    this.button.disabled = !mine && (fetching || this.engines.fetching !== null);
    setText(this.button, mine ? "Stop" : fetching ? "Being fetched …" : `Fetch ${fetches}`);
    this.button.setAttribute("aria-label", mine ? `Stop fetching ${fetches}` : this.button.textContent ?? "");
    this.button.classList.toggle("main", !mine);
    this.bar.hidden = !mine;
    this.bar.setAttribute("aria-label", `How much of ${fetches} is here`);
    if (mine?.total) {
      this.bar.max = mine.total;
      this.bar.value = mine.done;
    } else this.bar.removeAttribute("value");
    setText(this.far, mine?.total ? `${megabytes(mine.done)} of ${megabytes(mine.total)} MB` : "");
  }

  /** @private */
  get mine() {
    const { fetching } = this.engines;
    return fetching?.kind === this.kind && fetching.name === this.name ? fetching : null;
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return Math.round(bytes / 1e6);
}
