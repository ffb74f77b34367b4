/** The conversation as it is shown: one list item a turn, changed in place. */

import { make, setText } from "./dom.js";
import { latencyOf } from "./latency-view.js";
import { sliceCodePoints } from "./protocol.js";
import { ToolsView } from "./tools-view.js";

/** @typedef {import("./turn.js").Turn} Turn */

/** @type {Record<string, string>} */
const CAPTIONS = {
  cancelled: "Stopped. What is struck out was not heard.",
  interrupted: "Interrupted. What is struck out was not heard.",
  timed_out: "",
  failed: "",
  lost: "The connection broke off here.",
};

export class TranscriptView {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} scroller
   */
  constructor(list, scroller) {
    this.list = list;
    this.scroller = scroller;
    /** @type {Map<number, TurnView>} */
    this.views = new Map();
  }

  /**
   * @param {Turn} turn
   * @param {boolean} isThere whether it is still part of the conversation
   * @param {boolean} isSounding
   */
  show(turn, isThere, isSounding) {
    const known = this.views.get(turn.key);
    if (!isThere) {
      known?.element.remove();
      this.views.delete(turn.key);
      return;
    }
    const follows = this.isAtEnd;
    const view = known ?? new TurnView();
    if (!known) {
      this.views.set(turn.key, view);
      this.list.append(view.element);
    }
    view.show(turn, isSounding);
    if (follows) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  clear() {
    this.views.clear();
    this.list.replaceChildren();
  }

  /** Whether the end is in sight; a person who has scrolled up to read is left there. @private */
  get isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < 80;
  }
}

class TurnView {
  constructor() {
    this.element = make("li", "turn");
    this.you = make("div", "part you");
    this.said = make("p", "words");
    this.stable = make("span", "stable");
    this.unstable = make("span", "unstable");
    this.said.append(this.stable, this.unstable);
    this.you.append(make("h3", "who", "You"), this.said);
    this.assistant = make("div", "part assistant");
    this.reply = make("p", "words");
    this.tools = new ToolsView();
    this.assistant.append(make("h3", "who", "Assistant"), this.reply);
    this.assistant.hidden = true;
    this.caption = make("p", "caption");
    this.caption.hidden = true;
    this.element.append(this.you, this.tools.element, this.assistant, this.caption);
    this.hasLatency = false;
  }

  /**
   * @param {Turn} turn
   * @param {boolean} isSounding
   */
  show(turn, isSounding) {
    this.you.hidden = turn.isUnasked;
    this.showSaid(turn);
    this.tools.show(turn.calls);
    this.assistant.hidden = !turn.reply && !(turn.state === "THINKING" && !turn.isOver);
    this.reply.classList.toggle("pending", !turn.reply);
    this.showReply(turn.segments(isSounding));
    this.showCaption(turn);
    if (turn.isOver && !isSounding && !this.hasLatency && turn.latency && turn.reply) {
      this.hasLatency = true;
      this.element.append(latencyOf(turn));
    }
  }

  /**
   * @private
   * @param {Turn} turn
   */
  showSaid(turn) {
    const stable = turn.isFinal ? turn.said : sliceCodePoints(turn.said, 0, turn.stable);
    setText(this.stable, stable);
    setText(this.unstable, turn.said.slice(stable.length));
    this.said.classList.toggle("pending", !turn.said && !turn.isOver);
    // While words come and go the lines below must not jump: the paragraph never gets lower.
    const height = turn.isFinal ? 0 : Math.max(parseFloat(this.said.style.minHeight) || 0, this.said.offsetHeight);
    this.said.style.minHeight = height ? `${height}px` : "";
  }

  /**
   * @private
   * @param {import("./turn.js").Segment[]} segments
   */
  showReply(segments) {
    segments.forEach((segment, i) => {
      const tag = segment.kind === "lost" ? "S" : "SPAN";
      let span = this.reply.children[i];
      if (span?.tagName !== tag) {
        const fresh = make(tag, "");
        if (span) span.replaceWith(fresh);
        else this.reply.append(fresh);
        span = fresh;
      }
      if (span.className !== segment.kind) span.className = segment.kind;
      setText(span, segment.text);
    });
    while (this.reply.children.length > segments.length) this.reply.lastElementChild?.remove();
  }

  /**
   * @private
   * @param {Turn} turn
   */
  showCaption(turn) {
    const parts = turn.troubles.map((trouble) => `${trouble.title} ${trouble.text}`.trim());
    const wasCut = turn.cutAt() !== null && turn.reply;
    if (turn.outcome && wasCut) parts.unshift(CAPTIONS[turn.outcome] ?? "");
    else if (turn.outcome === "lost") parts.unshift(CAPTIONS.lost);
    else if (turn.outcome === "cancelled") parts.unshift("Stopped before an answer.");
    const text = parts.filter(Boolean).join(" ");
    this.caption.hidden = !text;
    setText(this.caption, text);
  }
}
