/** The sheet behind the quiet word of what is limited: what would be better, and how to have it. */

import { AdviceView } from "./advice-view.js";
import { copyButton } from "./clipboard.js";
import { byId, dialogById, setText, showLine } from "./dom.js";
import { bestOf, labelOf, missingOf, stableOf } from "./engines.js";

/** @typedef {import("./engines.js").List} List */

export class SetupView {
  /** What the advice was made of, so that nothing that a person points at is made anew. */
  made = "";
  /** How to have a better recognizer. @type {AdviceView | null} */
  advice = null;

  /** @param {import("./engines.js").Engines} engines */
  constructor(engines) {
    this.engines = engines;
    this.dialog = dialogById("setup");
    const command = byId("setup-command");
    const text = command.textContent ?? "";
    command.append(copyButton(() => text, "Copy the command for a language model"));
    byId("setup-use").addEventListener("click", () => {
      if (engines.list) engines.swap("recognizer", bestOf(engines.list.recognizer).name);
    });
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
    const { synthetic, advice, engines } = list.language_model;
    byId("setup-model").hidden = !synthetic;
    byId("setup-ollama").hidden = !engines.some((one) => one.name === "local" && one.in_use);
    showLine(byId("setup-advice"), advice ?? "");
    byId("setup-own").hidden = !list.may_swap;
    this.showRecognizer(list);
    byId("setup-nothing").hidden = !(byId("setup-model").hidden && byId("setup-recognizer").hidden);
  }

  /**
   * @private
   * @param {List} list
   */
  showRecognizer({ recognizer, may_swap: maySwap }) {
    const best = bestOf(recognizer);
    const missing = missingOf(recognizer).find(({ candidate }) => candidate === best);
    const section = byId("setup-recognizer");
    section.hidden = best.in_use;
    byId("setup-use").hidden = missing !== undefined;
    setText(byId("setup-use"), `Use ${labelOf(best)}`);
    const made = stableOf(missing ?? "");
    if (made !== this.made) {
      this.made = made;
      this.advice?.element.remove();
      this.advice = missing ? new AdviceView(this.engines, "recognizer", missing) : null;
      if (this.advice) section.append(this.advice.element);
    }
    this.advice?.show(best, maySwap);
  }
}
