/** The part of the settings that shows what is at work, lets a person choose, and says what would be better. */

import { AdviceView } from "./advice-view.js";
import { byId, make, setText, showLine } from "./dom.js";
import { detailOf, labelOf, missingOf } from "./engines.js";
import { OwnModelView } from "./own-model-view.js";

/** @typedef {import("./engines.js").Kind} Kind */

/** @type {[Kind, string][]} */
const KINDS = [
  ["recognizer", "Recognizer"],
  ["language_model", "Language model"],
  ["synthesizer", "Speaks with"],
];

export class EnginesView {
  /**
   * @param {import("./engines.js").Engines} engines
   * @param {{copy: (text: string) => Promise<boolean>}} options
   */
  constructor(engines, { copy }) {
    this.engines = engines;
    this.copy = copy;
    this.section = byId("engines");
    this.ownModel = new OwnModelView(engines);
    this.rows = new Map(KINDS.map(([kind, name]) => [kind, this.addRow(kind, name)]));
    /** What the row of a kind was made of, so that nothing that a person points at is made anew. @type {Map<Kind, string>} */
    this.shown = new Map();
    /** By kind and name. @type {Map<string, AdviceView>} */
    this.advice = new Map();
  }

  show() {
    const { list, trouble, wish } = this.engines;
    for (const [kind] of KINDS) if (list) this.showKind(kind, list[kind], list.may_swap);
    const swapping = wish ?? KINDS.map(([kind]) => ({ kind, name: list?.[kind].swapping_to })).find(({ name }) => name);
    this.ownModel.show();
    this.section.setAttribute("aria-busy", String(Boolean(wish)));
    setText(byId("engines-status"), this.statusOf(swapping ?? null));
    showLine(byId("engines-trouble"), trouble);
  }

  /**
   * @private
   * @param {{kind: Kind, name?: string | null} | null} swapping
   */
  statusOf(swapping) {
    const { list, fetching, fetched } = this.engines;
    if (!list) return "Looking …";
    if (swapping?.name === "auto") return "Going back to the server's own …";
    if (swapping) return `Getting ${this.label(swapping)} ready … What is at work goes on until then.`;
    if (fetching) return `Fetching ${this.label(fetching)} … Talk on meanwhile, and leave the page open.`;
    if (fetched) return `${this.label(fetched)} is here. Choose it above.`;
    return list.may_swap ? "" : "They are chosen at the server's own machine, or with its token.";
  }

  /**
   * @private
   * @param {{kind: Kind, name?: string | null}} engine
   */
  label({ kind, name }) {
    const candidate = this.engines.list?.[kind].engines.find((one) => one.name === name);
    return candidate ? labelOf(candidate) : name;
  }

  /**
   * @private
   * @param {Kind} kind
   * @param {string} name
   */
  addRow(kind, name) {
    const select = make("select", { id: `engine-${kind}`, onchange: () => this.engines.swap(kind, select.value) });
    const at = make("p", { class: "hint" });
    const missing = make("details", { class: "missing" });
    byId("engine-rows").append(make("div", { class: "engine" }, make("label", {}, `${name} `, select), at, missing));
    return { select, at, missing };
  }

  /**
   * @private
   * @param {Kind} kind
   * @param {import("./engines.js").OfKind} ofKind
   * @param {boolean} maySwap
   */
  showKind(kind, ofKind, maySwap) {
    const { select, at, missing } = /** @type {any} */ (this.rows.get(kind));
    const { wish } = this.engines;
    const asked = wish?.kind === kind ? wish.name : null;
    const made = JSON.stringify(ofKind, (key, value) => (key === "fetching" ? undefined : value));
    if (this.shown.get(kind) !== made) {
      this.shown.set(kind, made);
      this.fill(select, ofKind);
      const wasThere = missing.contains(document.activeElement);
      this.fillMissing(kind, missing, ofKind);
      // Who pressed a button that is gone goes on where the thing is now.
      if (wasThere && !missing.contains(document.activeElement)) select.focus();
    }
    for (const one of ofKind.engines) this.advice.get(`${kind} ${one.name}`)?.show(one, maySwap);
    const current = ofKind.engines.find((one) => one.in_use);
    select.value = asked ?? current?.name ?? "";
    // Not "disabled", which would take the focus away from whoever has just chosen.
    select.disabled = !maySwap || (wish !== null && !asked);
    setText(at, detailOf(ofKind));
  }

  /**
   * @private
   * @param {HTMLSelectElement} select
   * @param {import("./engines.js").OfKind} ofKind
   */
  fill(select, ofKind) {
    const options = ofKind.engines.map((one) => {
      // What bears another's name has no model yet, and the name of the one that it looks for would be cut off here.
      const without = ofKind.synthetic && one.in_use && one.name !== ofKind.at_work;
      const label = without ? "None yet" : labelOf(one);
      const option = new Option(one.usable ? label : `${label}: not here yet`, one.name);
      option.disabled = !one.usable;
      return option;
    });
    // What was not chosen by a name is at work all the same.
    if (!ofKind.engines.some((one) => one.in_use)) options.unshift(new Option(ofKind.at_work, ""));
    select.replaceChildren(...options);
  }

  /**
   * @private
   * @param {Kind} kind
   * @param {HTMLElement} details
   * @param {import("./engines.js").OfKind} ofKind
   */
  fillMissing(kind, details, ofKind) {
    const missing = missingOf(ofKind);
    details.hidden = !missing.length;
    // They come with the best first.
    const couldBeBetter = !ofKind.engines[0].in_use && !ofKind.engines[0].usable;
    const better = ofKind.synthetic ? "How to have one" : "How to have a better one";
    const summary = make("summary", {}, couldBeBetter ? better : "What else could be had");
    const advice = missing.map((one) => {
      const view = new AdviceView(this.engines, kind, one, this.copy);
      this.advice.set(`${kind} ${one.candidate.name}`, view);
      return view.element;
    });
    details.replaceChildren(summary, ...advice);
  }
}
