/**
 * What a person asks for: presses, typed words, hands-free, silence. It decides what follows from what the server and
 * the microphone tell, and knows no element of the page.
 */

import { Client } from "./client.js";
import { phaseOf } from "./phase.js";
import { TROUBLES, troubleOfMicrophone } from "./trouble.js";

/** The last word often ends a moment after the finger has let go. */
const TAIL_MS = 150;

/** A sound that the browser lets go begins within this time. */
const START_MS = 500;

/** @typedef {import("./session.js").Mode} Mode */
/** @typedef {import("./conversation.js").Conversation} Conversation */

export class Assistant {
  /**
   * @param {string} socket where the server takes sessions
   * @param {import("./api.js").Api} api
   * @param {import("./choices.js").Choices} choices
   */
  constructor(socket, api, choices) {
    this.client = new Client(socket, api, choices);
    this.events = this.client.events;
    this.input = this.client.input;
    this.output = this.client.output;
    this.session = this.client.session;
    this.isHandsFree = false;
    this.isOpening = false;
    /** Whether the server goes on by choices that are others by now. */
    this.isStale = false;
    /** A press counts only if no later one, and no stop, came while the microphone was opened. */
    this.press = 0;
    /** @type {Promise<void>} */
    this.beginning = Promise.resolve();
    this.wire();
  }

  get conversation() {
    return this.session.conversation;
  }

  /** Where things stand, for the views. @returns {import("./phase.js").Standing} */
  get standing() {
    const { isHandsFree, isOpening, session } = this;
    const canInterrupt = isHandsFree && session.isHandsFree && session.choices.bargeIn;
    return { isOpening, isHandsFree, canInterrupt, ...this.client.standing };
  }

  /** The same in one word. */
  get phase() {
    return phaseOf(this.standing);
  }

  /** @private */
  wire() {
    const { client, events, input } = this;
    const rest = () => this.isHandsFree || input.rest();
    events.on({
      unplugged: () => {
        events.tell("notice", "microphone", TROUBLES.unplugged);
        this.setHandsFree(false);
        this.silence();
      },
      greeting: () => this.isHandsFree && input.microphone.stream && client.start("hands_free"),
      thinking: rest,
      lost: rest,
      farewell: () => this.setHandsFree(false),
      end: ({ outcome }) => {
        if (outcome === "empty" && !this.isHandsFree) events.tell("notice", "heard", TROUBLES.nothingHeard, "note");
        if (this.isHandsFree) this.listenAgain();
        else if (!this.conversation.isBusy && input.feed.state === "on") input.rest();
      },
    });
  }

  // --- what a person does -------------------------------------------------------------------------------------------

  /** The first touch of the page: from now on it may make sounds. */
  wake() {
    this.output.open().catch((error) => this.failMicrophone(error));
  }

  /**
   * Begins to listen: the microphone at once, the server when the microphone is there and `mode` is settled.
   *
   * @param {Promise<Mode> | Mode} mode
   */
  talk(mode) {
    this.beginning = this.begin(mode);
    return this.beginning;
  }

  /**
   * @private
   * @param {Promise<Mode> | Mode} mode
   */
  async begin(mode) {
    // At once, while the browser still takes the press for a reason to let the page make sounds.
    this.wake();
    if (!(await this.session.reach())) {
      await this.setHandsFree(false);
      this.events.tell("change");
      return;
    }
    const press = ++this.press;
    this.client.cancel();
    this.isOpening = !this.input.microphone.stream;
    this.input.feed.hold();
    this.events.tell("change");
    try {
      await Promise.all([this.input.microphone.open(), this.output.open()]);
      // One that is held back does not hear either.
      setTimeout(() => this.output.tellIfHeldBack(), START_MS);
      if (press === this.press) this.input.expect(!this.isHandsFree);
      this.events.tell("notice", "microphone", null);
    } catch (error) {
      if (press === this.press) this.failMicrophone(/** @type {Error} */ (error));
      return;
    } finally {
      this.isOpening = false;
      this.events.tell("change");
    }
    if (this.input.canStream) {
      const settled = await mode;
      await this.client.cancelling;
      if (press === this.press) this.client.start(settled);
    } else if (press === this.press) {
      this.record();
    }
    // A microphone that opens only after the person has taken the press back is closed.
    if (press !== this.press && this.input.feed.state === "off") this.input.rest();
  }

  /** @private */
  record() {
    this.isHandsFree = false;
    this.events.tell("notice", "uploads", TROUBLES.uploads, "note");
    try {
      this.client.record();
    } catch (error) {
      this.failMicrophone(/** @type {Error} */ (error));
    }
  }

  /** The person has finished speaking. */
  async finish() {
    // Who lets go while the microphone is still being opened has said nothing yet, and is not to be heard for ever.
    await this.beginning;
    const { press } = this;
    await new Promise((resolve) => setTimeout(resolve, TAIL_MS));
    if (press !== this.press || !this.conversation.isBusy) return;
    const turn = this.conversation.current ?? this.conversation.waiting.at(-1);
    if (turn) turn.isSaid = true;
    if (this.client.uploads.turn) {
      await this.client.uploads.finish();
    } else if (turn?.isPostponed) {
      this.input.close();
    } else {
      this.client.stop();
      if (!this.isHandsFree) this.input.rest();
    }
  }

  /** Silences the reply, or drops what is being said; between the turns of hands-free, ends that. */
  async silence() {
    const wasIdle = this.phase === "waiting" || (this.phase === "listening" && !this.conversation.current?.said);
    const goesOn = this.isHandsFree && !wasIdle;
    if (!goesOn) this.isHandsFree = false;
    this.press += 1;
    this.client.cancel();
    if (!goesOn) this.input.rest();
    this.events.tell("change");
    await this.client.cancelling;
    if (goesOn && this.isHandsFree) this.client.start("hands_free");
  }

  /**
   * @param {string} text
   * @returns {Promise<boolean>} whether it was taken
   */
  async type(text) {
    if (!(await this.session.reach())) return false;
    this.wake();
    this.press += 1;
    const goesOn = this.isHandsFree && this.session.isHandsFree && !this.isStale;
    this.client.cancel();
    if (!this.isHandsFree) this.input.rest();
    await this.client.cancelling;
    this.session.isHandsFree = goesOn;
    this.client.type(text);
    return true;
  }

  /** @param {boolean} isOn */
  async setHandsFree(isOn) {
    if (isOn === this.isHandsFree || (isOn && !this.input.canStream)) return;
    this.isHandsFree = isOn;
    this.events.tell("change");
    if (isOn && ["thinking", "answering", "held"].includes(this.phase)) {
      // What is being answered goes on; its end begins the listening.
      await this.input.microphone.open().catch((error) => this.failMicrophone(error));
      if (this.isHandsFree) this.listenAgain();
    } else if (isOn) {
      await this.talk("hands_free");
    } else if (["listening", "waiting", "offline"].includes(this.phase)) {
      // Also where nobody can be told just now: it is said as soon as the session goes on.
      await this.silence();
    } else {
      // The reply goes on; only the listening after it is over.
      this.input.rest();
    }
  }

  /** The person has chosen anew how to be heard or answered. In hands-free the server goes on as it was last told. */
  heed() {
    this.isStale = this.isHandsFree;
    const { phase, conversation } = this;
    if (this.isStale && (phase === "waiting" || (phase === "listening" && !conversation.current?.said))) this.start();
  }

  /**
   * Goes on with another conversation than this one, which ends here.
   *
   * @param {Conversation} conversation what is known of its turns
   * @param {string | null} id null: a new one
   */
  goOn(conversation, id) {
    this.setHandsFree(false);
    this.press += 1;
    this.client.cancel();
    this.input.rest();
    this.conversation.breakOff();
    this.session.goOn(conversation, id);
    this.events.tell("change");
  }

  // --- the steps of it ----------------------------------------------------------------------------------------------

  /**
   * Begins the next turn of hands-free, unless the server does so by itself.
   *
   * @private
   */
  listenAgain() {
    if ((this.isStale || !this.session.isHandsFree) && !this.conversation.isBusy) this.start();
  }

  /** @private */
  start() {
    this.isStale = false;
    this.client.start("hands_free");
  }

  /**
   * @private
   * @param {Error} error
   */
  failMicrophone(error) {
    this.isHandsFree = false;
    this.input.rest();
    this.events.tell("notice", "microphone", troubleOfMicrophone(error.name));
    this.events.tell("change");
  }
}
