/** The part of the settings that shows what is at work, lets a person choose, and says what would be better. */

import { AdviceView } from "./advice-view.js";
import { byId, make, setText, showLine } from "./dom.js";
import { detailOf, labelOf, missingOf, stableOf } from "./engines.js";
import { OwnModelView } from "./own-model-view.js";

/** @typedef {import("./engines.js").Engines} Engines */
/** @typedef {import("./engines.js").Kind} Kind */

export class EnginesView {
  /** @param {Engines} engines */
  constructor(engines) {
    this.engines = engines;
    this.ownModel = new OwnModelView(engines);
    const rows = /** @type {Iterable<HTMLElement>} */ (byId("engine-rows").children);
    this.rows = Array.from(rows, (row) => new RowView(engines, row));
  }

  show() {
    const { list, trouble, wish } = this.engines;
    for (const row of this.rows) if (list) row.show(list);
    const swaps = this.rows.map(({ kind }) => ({ kind, name: list?.[kind].swapping_to }));
    this.ownModel.show();
    byId("engines").setAttribute("aria-busy", String(Boolean(wish)));
    setText(byId("engines-status"), this.statusOf(wish ?? swaps.find(({ name }) => name)));
    showLine(byId("engines-trouble"), trouble);
  }

  /**
   * @private
   * @param {{kind: Kind, name?: string | null}} [swapping]
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
}

/** The engines of one kind: the one at work, those that could be, and what the others lack. */
class RowView {
  /** What it was made of, so that nothing that a person points at is made anew. */
  made = "";
  /** By the name of what is missing. @type {Map<string, AdviceView>} */
  advice = new Map();

  /**
   * @param {Engines} engines
   * @param {HTMLElement} row
   */
  constructor(engines, row) {
    this.engines = engines;
    this.kind = /** @type {Kind} */ (row.dataset.kind);
    this.select = /** @type {HTMLSelectElement} */ (row.querySelector("select"));
    this.at = /** @type {HTMLElement} */ (row.querySelector(".hint"));
    this.missing = /** @type {HTMLElement} */ (row.querySelector(".missing"));
    this.select.addEventListener("change", () => engines.swap(this.kind, this.select.value));
  }

  /** @param {import("./engines.js").List} list */
  show(list) {
    const { kind, missing, select } = this;
    const { wish } = this.engines;
    const ofKind = list[kind];
    const made = stableOf(ofKind);
    if (made !== this.made) {
      this.made = made;
      select.replaceChildren(...optionsOf(ofKind));
      const wasThere = missing.contains(document.activeElement);
      this.fillMissing(ofKind);
      // Who pressed a button that is gone goes on where the thing is now.
      if (wasThere && !missing.contains(document.activeElement)) select.focus();
    }
    for (const one of ofKind.engines) this.advice.get(one.name)?.show(one, list.may_swap);
    const asked = wish?.kind === kind ? wish.name : null;
    select.value = asked ?? ofKind.engines.find((one) => one.in_use)?.name ?? "";
    // Not "disabled", which would take the focus away from whoever has just chosen.
    select.disabled = !list.may_swap || (wish !== null && !asked);
    setText(this.at, detailOf(ofKind));
  }

  /**
   * @private
   * @param {import("./engines.js").OfKind} ofKind
   */
  fillMissing(ofKind) {
    const missing = missingOf(ofKind);
    this.missing.hidden = !missing.length;
    // They come with the best first.
    const couldBeBetter = !ofKind.engines[0].in_use && !ofKind.engines[0].usable;
    const better = ofKind.synthetic ? "How to have one" : "How to have a better one";
    const summary = make("summary", {}, couldBeBetter ? better : "What else could be had");
    this.advice = new Map(missing.map((one) => [one.candidate.name, new AdviceView(this.engines, this.kind, one)]));
    this.missing.replaceChildren(summary, ...Array.from(this.advice.values(), ({ element }) => element));
  }
}

/** @param {import("./engines.js").OfKind} ofKind */
function optionsOf({ at_work, engines, synthetic }) {
  const options = engines.map((one) => {
    // What bears another's name has no model yet, and the name of the one that it looks for would be cut off here.
    const label = synthetic && one.in_use && one.name !== at_work ? "None yet" : labelOf(one);
    const option = new Option(one.usable ? label : `${label}: not here yet`, one.name);
    option.disabled = !one.usable;
    return option;
  });
  // What was not chosen by a name is at work all the same.
  return engines.some((one) => one.in_use) ? options : [new Option(at_work, ""), ...options];
}
