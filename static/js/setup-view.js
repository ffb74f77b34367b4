/** The sheet behind the quiet word of what is limited: what would be better, and how to have it. */

import { AdviceView, commandOf } from "./advice-view.js";
import { byId, dialogById, make, showLine } from "./dom.js";
import { bestOf, labelOf, missingOf } from "./engines.js";

/** @typedef {import("./engines.js").Kind} Kind */
/** @typedef {import("./engines.js").OfKind} OfKind */

/** A small model that Ollama fetches: one of those that are found by themselves. */
const LOCAL_MODEL = "ollama pull llama3.2";

export class SetupView {
  /**
   * @param {import("./engines.js").Engines} engines
   * @param {import("./copy-button.js").Copy} copy
   */
  constructor(engines, copy) {
    this.engines = engines;
    this.copy = copy;
    this.dialog = dialogById("setup");
    this.rows = byId("setup-rows");
    /** What the rows were made of, so that nothing that a person points at is made anew. */
    this.made = "";
    /** @type {{kind: Kind, name: string, view: AdviceView}[]} */
    this.advice = [];
  }

  open() {
    this.dialog.showModal();
    this.show();
    this.engines.load();
  }

  /** Shows what there is to know now, to whoever looks. */
  show() {
    if (!this.dialog.open) return;
    const { list, trouble, wish } = this.engines;
    this.dialog.setAttribute("aria-busy", String(wish !== null));
    showLine(byId("setup-trouble"), trouble);
    byId("setup-waiting").hidden = list !== null;
    if (!list) return;
    const made = JSON.stringify([list.recognizer, list.language_model], (key, value) => (key === "fetching" ? undefined : value));
    if (made !== this.made) {
      this.made = made;
      this.advice = [];
      const parts = [this.languageModel(list.language_model), this.recognizer(list.recognizer)].filter((part) => part !== null);
      this.rows.replaceChildren(...(parts.length ? parts : [make("p", {}, "Nothing is limited any more.")]));
    }
    for (const { kind, name, view } of this.advice) {
      const candidate = list[kind].engines.find((one) => one.name === name);
      if (candidate) view.show(candidate, list.may_swap);
    }
  }

  /**
   * @private
   * @param {OfKind} ofKind
   */
  languageModel({ synthetic, advice, engines }) {
    if (!synthetic) return null;
    const section = part("A language model", "Without one, it tells the time, does sums, converts units and keeps lists.");
    if (engines.some((one) => one.name === "local" && one.in_use)) {
      section.append(make("p", {}, "With Ollama on the server's machine:"));
      section.append(commandOf(LOCAL_MODEL, "a language model", this.copy));
    }
    if (advice) section.append(make("p", { class: "hint" }, advice));
    const byName = "Or name one by its address or key in the settings, under Model.";
    if (this.engines.list?.may_swap) section.append(make("p", { class: "hint" }, byName));
    return section;
  }

  /**
   * @private
   * @param {OfKind} ofKind
   */
  recognizer(ofKind) {
    const best = bestOf(ofKind);
    if (best.in_use) return null;
    const section = part("A better recognizer", "It understands more languages, and hears better in noise.");
    const missing = missingOf(ofKind).find(({ candidate }) => candidate === best);
    if (!missing) {
      const use = () => this.engines.swap("recognizer", best.name);
      section.append(make("button", { type: "button", onclick: use }, `Use ${labelOf(best)}`));
      return section;
    }
    const view = new AdviceView(this.engines, "recognizer", missing, this.copy);
    this.advice.push({ kind: "recognizer", name: best.name, view });
    section.append(view.element);
    return section;
  }
}

/**
 * @param {string} title
 * @param {string} what it is good for
 */
function part(title, what) {
  return make("section", { class: "better" }, make("h3", {}, title), make("p", {}, what));
}
