/** What is going on, in one line and in the looks of the controls; what cannot be used looks so. */

import { byId, setText } from "./dom.js";
import { phaseOf } from "./phase.js";
import { PHASES, connectionOf, wordsOf } from "./phase-words.js";

/** @typedef {import("./phase.js").Standing} Standing */

/** How long a button shows that it did what it was pressed for. */
const DONE_MS = 1500;

export class StatusView {
  /**
   * @param {() => Standing} look tells where things stand now
   * @param {boolean} canTalk whether the browser can listen at all
   */
  constructor(look, canTalk) {
    this.look = look;
    this.canTalk = canTalk;
    this.talk = /** @type {HTMLButtonElement} */ (byId("talk"));
    this.handsFree = /** @type {HTMLInputElement} */ (byId("hands-free"));
    this.text = /** @type {HTMLInputElement} */ (byId("text"));
    this.send = /** @type {HTMLButtonElement} */ (byId("send"));
    this.text.addEventListener("input", () => this.showSend());
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  show() {
    const standing = this.look();
    const { canStream, isHandsFree, isPosting, postAt, wantsToken } = standing;
    const phase = phaseOf(standing);
    document.body.dataset.phase = phase;
    document.body.dataset.locked = String(wantsToken);
    setText(byId("phase"), wordsOf(standing, phase, performance.now()));
    this.talk.setAttribute("aria-label", PHASES[phase].button);
    // Not "disabled" where it comes back by itself, which would take the focus away.
    this.talk.setAttribute("aria-disabled", String(phase === "offline"));
    this.talk.disabled = !this.canTalk || wantsToken;
    this.handsFree.disabled = !this.canTalk || !canStream || wantsToken;
    this.handsFree.checked = isHandsFree;
    this.text.disabled = wantsToken;
    const chips = /** @type {Iterable<HTMLButtonElement>} */ (byId("chips").children);
    for (const chip of chips) chip.disabled = wantsToken || phase === "offline";
    /** @type {HTMLButtonElement} */ (byId("stop")).disabled = ["offline", "ready"].includes(phase);
    this.showSend();
    // While the server works on a recording the socket is closed, and nothing is wrong.
    const shown = isPosting ? { ...standing, status: /** @type {const} */ ("open") } : standing;
    setText(byId("connection"), connectionOf(shown));
    byId("connection").dataset.status = shown.status;
    byId("token-form").hidden = !wantsToken;
    clearTimeout(this.timer);
    // The countdown goes on by itself.
    if (standing.status === "waiting" || postAt) this.timer = setTimeout(() => this.show(), 500);
  }

  /** Shows for a moment, in the place of the button for it, what came of copying. @param {boolean} copied */
  showCopied(copied) {
    setText(byId("copy-label"), copied ? "Copied" : "Not copied");
    byId("copy").classList.toggle("done", copied);
    setTimeout(() => {
      setText(byId("copy-label"), "Copy");
      byId("copy").classList.remove("done");
    }, DONE_MS);
  }

  /** @private */
  showSend() {
    this.send.disabled = !this.text.value.trim();
  }
}
