/**
 * The page's mind: what a person asks for. What the server says is in `events.js`, what is heard and said in `sound.js`.
 * It knows no element of the page; whoever shows it listens to `onchange`, `onturn` and `onnotice`.
 */

import { Audio } from "./audio.js";
import { requestOf } from "./choices.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Events } from "./events.js";
import { phaseOf } from "./phase.js";
import { Recorded } from "./recorded.js";
import { Sound } from "./sound.js";
import { TROUBLES, troubleOfMicrophone } from "./trouble.js";

/** The last word often ends a moment after the finger has let go. */
const TAIL_MS = 150;

/** @typedef {import("./turn.js").Turn} Turn */
/** @typedef {import("./trouble.js").Trouble} Trouble */
/** @typedef {"tap" | "hold" | "hands_free"} Mode */

export class Assistant {
  /**
   * @param {string} url
   * @param {import("./choices.js").Choices} choices
   */
  constructor(url, choices) {
    this.choices = choices;
    this.conversation = new Conversation();
    this.connection = new Connection(url);
    /** What the server said of itself. @type {any} */
    this.server = null;
    /** Which conversation the next turn goes on; kept over connections. @type {string | null} */
    this.conversationId = null;
    this.isHandsFree = false;
    /** The server listens by itself after each turn. */
    this.isServerHandsFree = false;
    this.isOpening = false;
    this.wantsToken = false;
    /** A press counts only if no later one, and no stop, came while the microphone was opened. */
    this.press = 0;
    /** @type {Mode} */
    this.mode = "tap";
    /** @type {Promise<void>} */
    this.beginning = Promise.resolve();
    /** @type {() => void} */
    this.onchange = () => {};
    /** @type {(turn: Turn) => void} */
    this.onturn = () => {};
    /** @type {(level: number) => void} */
    this.onlevel = () => {};
    /** @type {(id: string, trouble: Trouble | null, kind?: "trouble" | "note") => void} */
    this.onnotice = () => {};
    this.sound = new Sound(this);
    this.events = new Events(this);
    this.recorded = new Recorded(this);
    this.wire();
  }

  /** @private */
  wire() {
    const { connection, events, sound } = this;
    connection.token = this.choices.token;
    connection.onevent = (event) => events.hear(event);
    connection.onchunk = (chunk) => sound.play(chunk);
    connection.onlost = () => events.lose();
    connection.onchange = () => this.onchange();
  }

  /** Where things stand, for whoever shows it. */
  get phase() {
    return phaseOf(this);
  }

  // --- what a person does -------------------------------------------------------------------------------------------

  /** The first touch of the page: from now on it may make sounds. */
  wake() {
    if (Audio.isPossible) this.sound.speaker.open().catch((error) => this.failMicrophone(error));
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
    if (!(await this.reach())) {
      this.isHandsFree = false;
      this.onchange();
      return;
    }
    this.press += 1;
    const { press } = this;
    this.silenceLocally();
    this.isOpening = !this.sound.microphone.stream;
    this.sound.hold();
    this.onchange();
    try {
      await this.sound.open();
      this.onnotice("microphone", null);
    } catch (error) {
      if (press === this.press) this.failMicrophone(/** @type {Error} */ (error));
      return;
    } finally {
      this.isOpening = false;
      this.onchange();
    }
    if (this.sound.canStream) {
      const settled = await mode;
      await this.sound.cancelling;
      if (press === this.press) this.start(settled);
    } else if (press === this.press) {
      this.record();
    }
    // Who was allowed in only after the person had changed their mind does not stay.
    if (press !== this.press && this.sound.feed === "off") this.sound.rest();
  }

  /** @private */
  record() {
    this.isHandsFree = false;
    this.onnotice("recorded", TROUBLES.recorded, "note");
    try {
      this.recorded.begin(/** @type {MediaStream} */ (this.sound.microphone.stream));
    } catch (error) {
      this.failMicrophone(/** @type {Error} */ (error));
    }
  }

  /** The person has finished speaking. */
  async finish() {
    // Whoever lets go while the microphone is still being opened has said nothing yet, but shall not be listened to for ever.
    await this.beginning;
    const { press } = this;
    await new Promise((resolve) => setTimeout(resolve, TAIL_MS));
    if (press !== this.press || !this.conversation.isBusy) return;
    const turn = this.conversation.current ?? this.conversation.waiting.at(-1);
    if (turn) turn.isSaid = true;
    if (this.recorded.turn) {
      await this.recorded.finish();
    } else if (turn?.isPostponed) {
      this.sound.close();
    } else {
      this.connection.say({ type: "stop" });
      if (!this.isHandsFree) this.sound.rest();
    }
  }

  /** Silences the reply, or drops what is being said; between the turns of hands-free, ends that. */
  async silence() {
    const wasIdle = this.phase === "waiting" || (this.phase === "listening" && !this.conversation.current?.said);
    const goesOn = this.isHandsFree && !wasIdle;
    if (!goesOn) this.isHandsFree = false;
    this.press += 1;
    this.silenceLocally();
    if (!goesOn) this.sound.rest();
    this.onchange();
    await this.sound.cancelling;
    if (goesOn && this.isHandsFree) this.start("hands_free");
  }

  /**
   * @param {string} text
   * @returns {Promise<boolean>} whether it was taken
   */
  async type(text) {
    if (!(await this.reach())) return false;
    this.wake();
    this.press += 1;
    this.silenceLocally();
    if (!this.isHandsFree) this.sound.rest();
    await this.sound.cancelling;
    this.isServerHandsFree = false;
    this.ask(this.conversation.ask("typed", performance.now(), text));
    return true;
  }

  /** @param {boolean} isOn */
  async setHandsFree(isOn) {
    if (isOn === this.isHandsFree || (isOn && !this.sound.canStream)) return;
    this.isHandsFree = isOn;
    this.onchange();
    if (isOn && (this.phase === "thinking" || this.phase === "answering")) {
      // What is being answered goes on; its end begins the listening.
      await this.sound.microphone.open().catch((error) => this.failMicrophone(error));
      if (this.isHandsFree && !this.isServerHandsFree && !this.conversation.isBusy) this.start("hands_free");
    } else if (isOn) {
      await this.talk("hands_free");
    } else if (this.phase === "listening" || this.phase === "waiting") {
      await this.silence();
    } else {
      // The reply goes on; only the listening after it is over.
      this.sound.rest();
    }
  }

  /** Begins a conversation that knows nothing of this one. */
  newConversation() {
    this.setHandsFree(false);
    this.press += 1;
    this.silenceLocally();
    this.sound.rest();
    this.conversation = new Conversation();
    this.conversationId = null;
    // Only a new session has a conversation of its own to offer.
    this.connection.connect();
  }

  /** @param {string} token */
  present(token) {
    this.choices.token = this.connection.token = token;
    this.onnotice("token", null);
    this.connection.connect();
  }

  // --- what the parts of it use -------------------------------------------------------------------------------------

  /**
   * Ends the turn, if there is one, and leaves hands-free at the server.
   *
   * @private
   */
  silenceLocally() {
    this.events.giveUp();
    this.recorded.drop();
    this.sound.cut(this.isServerHandsFree);
    this.isServerHandsFree = false;
  }

  /**
   * Begins a spoken turn.
   *
   * @param {Mode} mode
   */
  start(mode) {
    this.mode = mode;
    this.ask(this.conversation.ask("spoken", performance.now()));
  }

  /**
   * Asks the server for a turn.
   *
   * @param {Turn} turn
   */
  ask(turn) {
    const request = { conversation: this.conversationId, ...requestOf(this.choices, this.server) };
    if (turn.kind === "typed") {
      this.connection.say({ type: "text", text: turn.said, ...request });
    } else {
      const silence = this.choices.silenceMs ? { silence_ms: this.choices.silenceMs } : {};
      this.isServerHandsFree = this.mode === "hands_free";
      this.connection.say({ type: "start", mode: this.mode, ...silence, ...request });
      this.sound.send();
      if (turn.isSaid) this.connection.say({ type: "stop" });
    }
    this.onturn(turn);
    this.onchange();
  }

  /** The microphone was pulled out. */
  unplug() {
    this.onnotice("microphone", TROUBLES.unplugged);
    this.setHandsFree(false);
    this.silence();
  }

  /** The server lets nobody in without a token, or without the right one. */
  askForToken() {
    this.connection.giveUp();
    this.wantsToken = true;
    if (this.connection.token) this.onnotice("token", TROUBLES.wrongToken);
  }

  /**
   * @private
   * @param {Error} error
   */
  failMicrophone(error) {
    this.isHandsFree = false;
    this.sound.rest();
    this.onnotice("microphone", troubleOfMicrophone(error.name));
    this.onchange();
  }

  /**
   * Makes sure of a session, or says that there is none.
   *
   * @private
   * @returns {Promise<boolean>}
   */
  async reach() {
    if (this.wantsToken) return false;
    if (this.connection.status === "closed") this.onnotice("connection", null);
    const isOpen = await this.connection.reach();
    if (!isOpen && !this.wantsToken) this.onnotice("noConnection", TROUBLES.noConnection);
    return isOpen;
  }
}
