/** The conversation as it is shown: one list item a turn, changed in place. */

import { byId, make, setText, showEach } from "./dom.js";
import { EndingView } from "./ending-view.js";
import { latencyOf } from "./latency-view.js";
import { sliceCodePoints } from "./protocol.js";
import { ReplyView } from "./reply-view.js";
import { ToolsView } from "./tools-view.js";

/** @typedef {import("./turn.js").Turn} Turn */
/** @typedef {(turn: Turn) => void} Retry asks once more for what was said in a turn */

/** So near is the end in sight. */
const NEAR_PX = 80;

export class TranscriptView {
  list = byId("turns");
  scroller = byId("scroller");
  /** What leads back to the end. */
  latest = byId("latest");
  /** @type {Map<Turn, TurnView>} */
  views = new Map();
  /** Whether its end is kept in sight. */
  isFollowing = true;

  /** @param {Retry} retry */
  constructor(retry) {
    this.retry = retry;
    this.scroller.addEventListener("scroll", () => this.showLatest());
    // What stands below it came or went.
    new ResizeObserver(() => this.isFollowing && this.follow()).observe(this.scroller);
    this.latest.addEventListener("click", () => {
      this.follow();
      this.scroller.focus({ preventScroll: true });
    });
  }

  /**
   * @param {Turn[]} turns of the whole conversation
   * @param {Turn[]} changed those of which something has changed
   * @param {number | null} sounding the sound that is heard now, as in `Turn.sound`
   */
  show(turns, changed, sounding) {
    showEach(this.list, this.views, turns, () => {
      // A person who has scrolled up to read is left there, until they say something new.
      this.isFollowing = true;
      return new TurnView(this.retry);
    });
    for (const turn of changed) this.views.get(turn)?.show(turn, turn.sound === sounding);
    if (this.isFollowing) this.follow();
    this.showLatest();
  }

  /** @private */
  follow() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** @private */
  showLatest() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.isFollowing = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    this.latest.hidden = this.isFollowing || !this.views.size;
  }
}

class TurnView {
  /** @param {Retry} retry */
  constructor(retry) {
    const title = (/** @type {string} */ who) => make("h3", { class: "unseen" }, who);
    this.stable = make("span", { class: "stable" });
    this.unstable = make("span", { class: "unstable" });
    this.said = make("p", { class: "words" }, this.stable, this.unstable);
    this.you = make("div", { class: "part you" }, title("You"), this.said);
    this.reply = new ReplyView();
    this.tools = new ToolsView();
    this.assistant = make("div", { class: "part assistant", hidden: true }, title("Assistant"), this.reply.element);
    this.ending = new EndingView(this.reply.element, retry);
    this.element = make("li", { class: "turn" }, this.you, this.tools.element, this.assistant, this.ending.element);
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
    // A tool that is used says for itself that something goes on.
    const isThinking = turn.state === "THINKING" && !turn.isOver && !turn.calls.length;
    this.assistant.hidden = !turn.reply && !isThinking;
    this.reply.show(turn.segments(isSounding), turn.isOver);
    this.ending.show(turn);
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
}
