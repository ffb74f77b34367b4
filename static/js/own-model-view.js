/** The part of the settings where a person names the language model: its address, its key, or both. */

import { byId, setText } from "./dom.js";

const field = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (byId(id));

export class OwnModelView {
  /** @param {import("./engines.js").Engines} engines */
  constructor(engines) {
    this.engines = engines;
    /** What the fields were filled with, so that nothing that a person writes is written over. */
    this.filled = "";
    this.hasKey = false;
    byId("own-use").addEventListener("click", () => this.use());
    byId("own-forget").addEventListener("click", () => engines.forgetGiven());
    byId("own-model").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.target instanceof HTMLInputElement)) return;
      // Or the sheet would be closed with it.
      event.preventDefault();
      this.use();
    });
  }

  show() {
    const { list } = this.engines;
    const given = list?.language_model.given ?? null;
    byId("own-model").hidden = !list?.may_swap;
    byId("own-forget").hidden = !given;
    const filled = JSON.stringify(given);
    if (!list || filled === this.filled) return;
    this.filled = filled;
    field("own-url").value = given?.url ?? "";
    field("own-key").value = "";
    setText(byId("own-forget"), given?.kept ? "Forget it" : "Use it no more");
    this.hasKey = given?.has_key ?? false;
    field("own-key").placeholder = this.hasKey ? "not shown" : "none";
    field("own-name").value = given?.model ?? "";
    field("own-keep").checked = given?.kept ?? false;
  }

  /** @private */
  use() {
    const [url, key, model] = ["own-url", "own-key", "own-name"].map((id) => field(id).value);
    // One that is not shown is none to say again: the server has it, for the same address.
    this.engines.give({ url, ...(key || !this.hasKey ? { key } : {}), model, keep: field("own-keep").checked });
  }
}
