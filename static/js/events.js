/** What the server says, and what the page does about it. */

import { markAll } from "./marks.js";
import { PROTOCOL } from "./protocol.js";
import { TROUBLES } from "./trouble.js";

/** @typedef {import("./turn.js").Turn} Turn */

export class Events {
  /** @param {import("./assistant.js").Assistant} assistant */
  constructor(assistant) {
    this.assistant = assistant;
    /** The turn that is begun again, `afterS` after it is over. @type {{turn: Turn, afterS: number} | null} */
    this.again = null;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /** @param {import("./protocol.js").Message} event */
  hear(event) {
    const { assistant } = this;
    const now = performance.now();
    const turn = assistant.conversation.apply(event, now);
    switch (event.type) {
      case "session":
        this.greet(event);
        break;
      case "state":
        if (turn && event.state === "CAPTURING") assistant.sound.speech.begin(turn);
        if (event.state === "THINKING" && !assistant.isHandsFree) assistant.sound.rest();
        break;
      case "final":
        if (turn) assistant.sound.speech.end(turn);
        break;
      case "error":
        this.fail(/** @type {any} */ (event), turn);
        break;
      case "info":
        this.inform(/** @type {any} */ (event));
        break;
      case "done":
        if (turn) this.end(turn);
        break;
    }
    if (turn) {
      markAll(turn);
      assistant.onturn(turn);
    }
    assistant.onchange();
  }

  /**
   * @private
   * @param {import("./protocol.js").Message} session
   */
  greet(session) {
    const { assistant } = this;
    assistant.server = session;
    assistant.conversationId ??= session.conversation;
    assistant.wantsToken = false;
    for (const id of ["connection", "noConnection", "token"]) assistant.onnotice(id, null);
    if (session.protocol > PROTOCOL) assistant.onnotice("newer", TROUBLES.newer, "note");
    if (assistant.isHandsFree && assistant.sound.microphone.stream) assistant.start("hands_free");
  }

  /**
   * @private
   * @param {Turn} turn
   */
  end(turn) {
    const { assistant } = this;
    if (turn === this.again?.turn) {
      this.timer = setTimeout(() => this.askAgain(turn), this.again.afterS * 1000);
      return;
    }
    assistant.connection.say({ type: "mark", turn: turn.number, marks: turn.marks });
    if (turn.outcome === "empty" && !assistant.isHandsFree) assistant.onnotice("heard", TROUBLES.nothingHeard, "note");
    if (assistant.isHandsFree) {
      if (!assistant.isServerHandsFree && !assistant.conversation.isBusy) assistant.start("hands_free");
    } else if (!assistant.conversation.isBusy && assistant.sound.feed === "on") {
      assistant.sound.rest();
    }
  }

  /**
   * @private
   * @param {{code: string, message: string, recoverable: boolean, retry_after_s?: number}} error
   * @param {Turn | null} turn
   */
  fail(error, turn) {
    const { assistant } = this;
    if (error.code === "SERVER_BUSY") {
      assistant.connection.retryAfter(error.retry_after_s ?? 15);
      assistant.onnotice("connection", TROUBLES.busy);
    } else if (error.code === "UNAUTHORIZED") {
      assistant.askForToken();
    } else if (!error.recoverable) {
      assistant.onnotice("connection", { ...TROUBLES.crashed, text: `${TROUBLES.crashed.text} (${error.message})` });
    } else if (turn && error.code === "PROTOCOL_VIOLATION" && !turn.reply) {
      this.postpone(turn, error);
    } else if (!turn) {
      const rejected = assistant.conversation.reject();
      if (rejected) assistant.onnotice("refused", { title: "The server did not take that.", text: error.message }, "note");
    }
  }

  /**
   * The server does not have the conversation, or another session does. The turn is begun again by itself, in a new one,
   * or when the other has let go: the person need not know what a session is.
   *
   * @private
   * @param {Turn} turn
   * @param {{retry_after_s?: number}} error
   */
  postpone(turn, { retry_after_s: afterS }) {
    const { assistant } = this;
    if (afterS !== undefined) {
      assistant.onnotice("conversation", TROUBLES.held, "note");
    } else if (assistant.conversationId !== assistant.server.conversation) {
      assistant.conversationId = assistant.server.conversation;
      assistant.onnotice("conversation", TROUBLES.forgotten, "note");
    } else {
      return;
    }
    if (assistant.isServerHandsFree) {
      // Otherwise it would go on listening, and begin a turn that it cannot take either.
      assistant.isServerHandsFree = false;
      assistant.connection.say({ type: "cancel" });
    }
    turn.isPostponed = true;
    turn.troubles = [];
    if (turn.kind === "spoken") assistant.sound.takeBack();
    // Not before its end, since a session has one turn at a time.
    this.again = { turn, afterS: afterS ?? 0 };
  }

  /**
   * @private
   * @param {Turn} turn
   */
  askAgain(turn) {
    const { assistant } = this;
    this.again = null;
    if (assistant.conversationId !== assistant.server.conversation) assistant.onnotice("conversation", null);
    assistant.conversation.askAgain(turn);
    assistant.ask(turn);
  }

  /** The person wants no more of the turn that is to be begun again. */
  giveUp() {
    clearTimeout(this.timer);
    const turn = this.again?.turn;
    this.again = null;
    if (!turn) return;
    this.assistant.onnotice("conversation", null);
    this.assistant.conversation.giveUp(turn);
    this.assistant.onturn(turn);
  }

  /**
   * @private
   * @param {{code: string, message: string, command?: string}} info
   */
  inform(info) {
    const { assistant } = this;
    switch (info.code) {
      case "asr_fallback":
        assistant.onnotice("asr", { title: info.message, text: info.command ? `Better ears: ${info.command}` : "" }, "note");
        break;
      case "llm_synthetic":
        assistant.onnotice("llm", { title: info.message, text: "Set OPENAI_API_KEY or OPENAI_BASE_URL for real answers." }, "note");
        break;
      case "shutting_down":
        while (assistant.conversation.reject());
        assistant.setHandsFree(false);
        assistant.onnotice("connection", TROUBLES.stopping);
        break;
      case "idle_timeout":
        assistant.setHandsFree(false);
        assistant.connection.giveUp();
        assistant.onnotice("connection", TROUBLES.idle, "note");
        break;
      case "place_needed":
        assistant.setHandsFree(false);
        assistant.connection.giveUp();
        assistant.onnotice("connection", TROUBLES.placeNeeded);
        break;
      case "session_limit":
        assistant.onnotice("session", TROUBLES.sessionLimit, "note");
        break;
    }
  }

  /** The session is over, whoever ended it. */
  lose() {
    const { assistant } = this;
    clearTimeout(this.timer);
    this.again = null;
    assistant.isServerHandsFree = false;
    if (!assistant.isHandsFree) assistant.sound.rest();
    for (const turn of assistant.conversation.breakOff()) assistant.onturn(turn);
    assistant.onchange();
  }
}
