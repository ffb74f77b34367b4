/** The tools of the server that were used for a reply: a folded line each. */

import { make, setText, showEach } from "./dom.js";

/** @typedef {import("./turn.js").Call} Call */

/** @type {Record<string, string>} */
const STATES = { started: "Using", done: "Used", failed: "Could not use", cancelled: "Stopped" };

export class ToolsView {
  element = make("div", { class: "tools", hidden: true });
  /** By the call's id. @type {Map<string, ToolView>} */
  views = new Map();

  /** @param {Call[]} calls */
  show(calls) {
    this.element.hidden = !calls.length;
    // A call is known by its id: two uses of one tool have one name.
    showEach(this.element, this.views, calls.map(({ call }) => call), () => new ToolView());
    for (const call of calls) this.views.get(call.call)?.show(call);
  }
}

class ToolView {
  line = make("summary");
  given = make("pre", { class: "given" });
  result = make("pre", { class: "result" });
  element = make("details", { class: "tool" }, this.line, this.given, this.result);

  /** @param {Call} call */
  show(call) {
    this.element.dataset.state = call.state;
    // As people write it: "set_timer" and "get-weather" are names for programs.
    setText(this.line, `${STATES[call.state] ?? call.state}: ${call.name.replace(/[_-]+/g, " ")}`);
    setText(this.given, call.arguments);
    this.result.hidden = call.result === undefined;
    setText(this.result, call.result ?? "");
  }
}
