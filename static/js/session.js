/**
 * What the page asks of the server, what the server answers, and what that does to the turns of the conversation. It
 * neither hears nor plays anything: the parts that do listen to what it tells.
 */

import { requestOf, seenHere, spokenHere } from "./choices.js";
import { Conversation } from "./conversation.js";
import { applyInfo } from "./offer.js";
import { PROTOCOL } from "./protocol.js";
import { NOTICES, TROUBLES, troubleOfBusy } from "./trouble.js";

/** @typedef {import("./turn.js").Turn} Turn */
/** @typedef {"tap" | "hold" | "hands_free"} Mode */

/** Infos after which the server ends the session. */
const FAREWELLS = new Set(["shutting_down", "idle_timeout", "place_needed"]);

export class Session {
  /**
   * @param {import("./events.js").Events} events
   * @param {import("./connection.js").Connection} connection
   * @param {import("./choices.js").Choices} choices
   */
  constructor(events, connection, choices) {
    this.events = events;
    this.connection = connection;
    this.choices = choices;
    this.conversation = new Conversation();
    /** What the server could not take, until it is asked for again or given up, and how long after its end that is. */
    this.postponed = { turn: /** @type {Turn | null} */ (null), afterS: 0 };
    /** What the server said of itself: an `Offer`. @type {any} */
    this.server = null;
    /** Which conversation the next turn goes on; kept over connections. @type {string | null} */
    this.conversationId = null;
    /** The server listens by itself after each turn. */
    this.isHandsFree = false;
    /** How sound is coded from the next turn on; null: as ever. @type {"opus" | "pcm" | null} */
    this.codec = null;
    this.wantsToken = false;
    events.on({ played: (turn, samples) => connection.say({ type: "played", turn: turn.number, samples }) });
    connection.onevent = (event) => this.take(event);
    connection.onchunk = (chunk) => {
      const turn = this.conversation.numbered.get(chunk.turn);
      if (turn) this.events.tell("chunk", turn, chunk);
    };
    connection.onlost = () => this.lose();
    connection.onchange = () => this.events.tell("change");
  }

  // --- what is asked of the server ----------------------------------------------------------------------------------

  /**
   * Makes sure of a session, or says that there is none.
   *
   * @returns {Promise<boolean>} whether there is one
   */
  async reach() {
    if (this.wantsToken) return false;
    if (this.connection.status === "closed") this.events.tell("notice", "connection", null);
    const isOpen = await this.connection.reach();
    if (!isOpen && !this.wantsToken) this.events.tell("notice", "noConnection", TROUBLES.noConnection);
    return isOpen;
  }

  /** What goes with every turn: the conversation that it goes on, and what the person has chosen for it. */
  request() {
    const chosen = this.server ? requestOf(this.choices, this.server) : {};
    return { ...seenHere(), conversation: this.conversationId, ...chosen };
  }

  /**
   * Asks the server for a turn.
   *
   * @param {Turn} turn
   * @param {Mode} mode of a spoken one
   */
  ask(turn, mode) {
    const codec = this.codec ? { codec: this.codec } : {};
    if (turn.kind === "typed") {
      this.connection.say({ type: "text", text: turn.said, hands_free: this.isHandsFree, ...codec, ...this.request() });
      return;
    }
    const silence = this.choices.silenceMs ? { silence_ms: this.choices.silenceMs } : {};
    this.isHandsFree = mode === "hands_free";
    this.conversation.silenceMs = mode === "hold" ? 0 : this.choices.silenceMs || (this.server?.silence_ms ?? 0);
    // Whoever does not mind has it as the server has it.
    const bargeIn = this.isHandsFree && !this.choices.bargeIn ? { barge_in: false } : {};
    this.connection.say({ type: "start", mode, ...silence, ...bargeIn, ...codec, ...spokenHere(), ...this.request() });
  }

  /** The person has finished speaking. */
  stop() {
    this.connection.say({ type: "stop" });
  }

  /** Ends the turn, and hands-free. */
  cancel() {
    this.connection.say({ type: "cancel" });
  }

  /** @param {string} id of a timer that is to be no more */
  cancelTimer(id) {
    this.connection.say({ type: "cancel_timer", id });
  }

  /** The person wants no more of the turn that is to be asked for again. */
  giveUp() {
    const { turn } = this.postponed;
    this.postponed.turn = null;
    if (!turn) return;
    this.events.tell("notice", "conversation", null);
    this.conversation.giveUp(turn);
    this.events.tell("turn", turn);
  }

  /**
   * Goes on with a conversation; one without an id is new.
   *
   * @param {Conversation} conversation
   * @param {string | null} id
   */
  goOn(conversation, id) {
    this.conversation = conversation;
    this.conversationId = id;
    // Only a new session has let go of what was open, and has a conversation of its own to offer.
    this.connection.connect();
  }

  /** @param {string} token */
  present(token) {
    this.choices.token = token;
    this.events.tell("notice", "token", null);
    this.connection.connect();
  }

  /** The server lets nobody in without a token, or without the right one. */
  askForToken() {
    this.connection.giveUp();
    this.wantsToken = true;
    if (this.choices.token) this.events.tell("notice", "token", TROUBLES.wrongToken);
  }

  // --- what the server says -----------------------------------------------------------------------------------------

  /**
   * @private
   * @param {import("./protocol.js").Message} event
   */
  take(event) {
    const turn = this.conversation.apply(event, performance.now());
    const { type, state } = event;
    if (type === "session") this.greet(event);
    else if (type === "error") this.fail(/** @type {any} */ (event), turn);
    else if (type === "info") this.inform(event);
    else if (type === "timers") this.events.tell("timers", event.timers);
    else if (type === "state" && state === "CAPTURING" && turn) this.events.tell("listening", turn);
    else if (type === "state" && state === "THINKING" && !event.origin) this.events.tell("thinking");
    if (turn) {
      this.follow(event, turn);
      this.events.tell("turn", turn);
    }
    this.events.tell("change");
  }

  /**
   * @private
   * @param {import("./protocol.js").Message} event that may mean something to all of the turn
   * @param {Turn} turn
   */
  follow({ type, phrase, rest }, turn) {
    if (rest) this.events.tell("rest", turn, /** @type {any} */ (turn.findPhrase(phrase)), rest);
    if (type === "reopened") {
      this.events.tell("drop", turn);
      this.events.tell("listening", turn);
    }
    if (type === "hold") this.events.tell("hold", turn);
    else if (type === "release") this.events.tell("release", turn);
    else if (type === "final") this.events.tell("final", turn);
    else if (type === "done") this.end(turn);
  }

  /** @private @param {import("./protocol.js").Message} greeting */
  greet(greeting) {
    this.wantsToken = false;
    for (const id of ["connection", "noConnection", "token"]) this.events.tell("notice", id, null);
    if (greeting.resumed) return;
    this.server = { ...greeting, limits: new Set() };
    this.events.tell("offer");
    this.conversationId ??= greeting.conversation;
    if (greeting.protocol > PROTOCOL) this.events.tell("notice", "newer", TROUBLES.newer, "note");
    this.events.tell("greeting");
    this.events.tell("timers", []);
    // A new session has a conversation of its own, and would tell nothing of what waits in this one.
    if (this.conversationId !== greeting.conversation && greeting.features?.includes("timers")) {
      this.connection.say({ type: "resume", conversation: this.conversationId });
    }
  }

  /** @private @param {Turn} turn */
  end(turn) {
    if (turn === this.postponed.turn) {
      setTimeout(() => this.askAgain(turn), this.postponed.afterS * 1000);
      return;
    }
    if (turn.isHeld || turn.outcome === "interrupted") this.events.tell("drop", turn);
    this.connection.say({ type: "mark", turn: turn.number, marks: turn.marks });
    this.events.tell("end", turn);
  }

  /** @private @param {Turn} turn that was postponed, unless it was given up */
  askAgain(turn) {
    if (turn !== this.postponed.turn) return;
    this.postponed.turn = null;
    if (this.conversationId !== this.server.conversation) this.events.tell("notice", "conversation", null);
    this.conversation.askAgain(turn);
    this.events.tell("again", turn);
  }

  /**
   * @private
   * @param {{code: string, message: string, recoverable: boolean, retry_after_s?: number}} error
   * @param {Turn | null} turn
   */
  fail(error, turn) {
    if (error.code === "SERVER_BUSY") {
      this.connection.retryAfter(error.retry_after_s ?? 15);
      this.events.tell("notice", "connection", troubleOfBusy(error));
    } else if (error.code === "UNAUTHORIZED") {
      this.askForToken();
    } else if (!error.recoverable) {
      const { title, text } = TROUBLES.crashed;
      this.events.tell("notice", "connection", { title, text: `${text} (${error.message})` });
    } else if (turn && error.code === "PROTOCOL_VIOLATION" && !turn.reply) {
      this.postpone(turn, error);
    } else if (!turn && this.conversation.reject()) {
      const refused = { title: "The server did not take that.", text: error.message };
      this.events.tell("notice", "refused", refused, "note");
    }
  }

  /**
   * The server does not have the conversation, or another session does. The turn is asked for again by itself, in a new
   * conversation, or when the other has let go: the person need not know what a session is.
   *
   * @private
   * @param {Turn} turn
   * @param {{retry_after_s?: number}} error
   */
  postpone(turn, { retry_after_s: afterS }) {
    if (afterS !== undefined) {
      this.events.tell("notice", "conversation", TROUBLES.held, "note");
    } else if (this.conversationId !== this.server.conversation) {
      this.conversationId = this.server.conversation;
      this.events.tell("notice", "conversation", TROUBLES.forgotten, "note");
    } else {
      return;
    }
    if (this.isHandsFree) {
      // Otherwise it would go on listening, and begin a turn that it cannot take either.
      this.isHandsFree = false;
      this.cancel();
    }
    turn.isPostponed = true;
    turn.troubles = [];
    this.postponed = { turn, afterS: afterS ?? 0 };
    this.events.tell("postponed", turn);
  }

  /**
   * @private
   * @param {any} info
   */
  inform(info) {
    if (applyInfo(this.server, info)) this.events.tell("offer");
    if (info.code === "shutting_down") while (this.conversation.reject());
    if (FAREWELLS.has(info.code)) this.events.tell("farewell");
    if (info.code === "idle_timeout" || info.code === "place_needed") this.connection.giveUp();
    if (info.code in NOTICES) this.events.tell("notice", ...NOTICES[info.code]);
  }

  /** @private */
  lose() {
    this.postponed.turn = null;
    this.isHandsFree = false;
    this.events.tell("lost");
    for (const turn of this.conversation.breakOff()) {
      if (turn.isHeld) this.events.tell("drop", turn);
      this.events.tell("turn", turn);
    }
    this.events.tell("change");
  }
}
