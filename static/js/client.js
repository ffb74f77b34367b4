/**
 * The page as a client of the server: the session, the microphone, the loudspeaker and the uploads. They know nothing
 * of each other and tell what happened; here what one tells becomes another's work, wherever nothing has to be
 * decided. What depends on what the person wants is left to `Assistant`, which listens to the other events.
 */

import { Audio } from "./audio.js";
import { spokenHere } from "./choices.js";
import { Connection } from "./connection.js";
import { Events } from "./events.js";
import { markAll } from "./marks.js";
import { VoiceEncoder } from "./opus.js";
import { fromWav } from "./pcm.js";
import { ReplyOutput } from "./reply-output.js";
import { Session } from "./session.js";
import { Uploads } from "./uploads.js";
import { VoiceInput } from "./voice-input.js";

/** @typedef {import("./turn.js").Turn} Turn */
/** @typedef {import("./session.js").Mode} Mode */

export class Client {
  /**
   * @param {string} socket where the server takes sessions
   * @param {import("./api.js").Api} api
   * @param {import("./choices.js").Choices} choices
   */
  constructor(socket, api, choices) {
    this.events = new Events();
    this.connection = new Connection(socket, api);
    this.session = new Session(this.events, this.connection, choices);
    this.audio = new Audio();
    this.input = new VoiceInput(this.events, this.audio, choices.microphone);
    this.encoder = new VoiceEncoder();
    this.output = new ReplyOutput(this.events, this.audio, choices.output, (key) => this.conversation.withSound(key));
    this.uploads = new Uploads(this.events, api, () => ({ ...spokenHere(), ...this.session.request() }));
    /** How the latest spoken turn was begun. @type {Mode} */
    this.mode = "tap";
    /** Whether sound is to be Opus wherever the server has it. */
    this.wantsOpus = false;
    /** Whether the voice of the latest spoken turn is. */
    this.isOpus = false;
    /** The sound of a turn is being cut off, and its end asked for. @type {Promise<void>} */
    this.cancelling = Promise.resolve();
    this.join();
  }

  get conversation() {
    return this.session.conversation;
  }

  /** Where things stand. */
  get standing() {
    const { connection, conversation, input, output, session, uploads } = this;
    return {
      wantsToken: session.wantsToken,
      status: connection.status,
      reconnectAt: connection.retryAt,
      upload: uploads.turn,
      isPosting: uploads.isPosting,
      canStream: input.canStream,
      postAt: uploads.retryAt,
      isSounding: output.isSounding,
      feed: input.feed.state,
      turn: conversation.current,
      asked: conversation.waiting.at(-1) ?? null,
    };
  }

  /** @private */
  join() {
    const { connection, encoder, events, input, output, session } = this;
    encoder.onpacket = (packet) => connection.send(packet);
    output.decoder.onfail = () => (this.wantsOpus = false);
    encoder.onfail = () => {
      this.wantsOpus = false;
      // There the server goes on listening by itself.
      if (session.isHandsFree) this.start("hands_free");
    };
    events.on({
      turn: markAll,
      voice: (pcm) => (this.isOpus ? encoder.push(pcm) : connection.send(pcm)),
      listening: (turn) => (input.turn = turn),
      final: (turn) => input.end(turn),
      chunk: (turn, chunk) => output.play(turn, chunk),
      rest: (_turn, phrase, rest) => output.finish(phrase, rest),
      hold: (turn) => output.hold(turn),
      release: () => output.release(),
      drop: (turn) => output.drop(turn),
      postponed: (turn) => turn.kind === "spoken" && input.feed.takeBack(),
      again: (turn) => this.ask(turn),
      said: (turn) => input.end(turn),
      recorded: () => input.rest(),
      // A conversation has one live session at a time. What is typed afterwards goes over a new one.
      posting: () => connection.close(),
      posted: () => connection.status === "closed" && !session.wantsToken && connection.connect(),
      answer: (turn, { audio, conversation }) => {
        session.conversationId = conversation;
        if (audio) output.playWhole(turn, audio.sample_rate, fromWav(audio.wav));
      },
      unauthorized: () => session.askForToken(),
      uploaded: (turn) => {
        if (turn.isEmpty) this.conversation.remove(turn);
        this.tell(turn);
      },
    });
  }

  /**
   * Begins a turn whose voice goes to the server as it is spoken.
   *
   * @param {Mode} mode
   */
  start(mode) {
    this.mode = mode;
    this.ask(this.conversation.ask("spoken", performance.now()));
  }

  /** @param {string} text of a typed turn */
  type(text) {
    this.ask(this.conversation.ask("typed", performance.now(), text));
  }

  /** Begins a turn that is recorded first. Throws what `MediaRecorder` throws. */
  record() {
    const stream = /** @type {MediaStream} */ (this.input.microphone.stream);
    const turn = this.conversation.append(this.uploads.begin(stream, this.session.server?.max_utterance_ms));
    this.input.turn = turn;
    this.tell(turn);
  }

  /** The person has finished speaking. */
  async stop() {
    // Behind the last of what they said, and not into a turn that came after it.
    if (!this.isOpus || (await this.encoder.finish())) this.session.stop();
  }

  /** Ends the turn, if there is one, and hands-free at the server; `cancelling` tells when the server has been told. */
  cancel() {
    const { conversation, output, session } = this;
    session.giveUp();
    this.encoder.close();
    this.uploads.drop();
    // In hands-free, the server may have something to end of which no turn tells.
    if (conversation.isBusy || output.isSounding || session.isHandsFree) {
      this.cancelling = output.cut(conversation.current, conversation.turns.at(-1)).then(() => session.cancel());
    }
    session.isHandsFree = false;
  }

  /**
   * @private
   * @param {Turn} turn
   */
  ask(turn) {
    const { encoder, input, session } = this;
    const isOpus = Boolean(this.wantsOpus && session.server?.features.includes("opus"));
    // What was chosen holds for the session, so that it has to be taken back.
    if (isOpus || session.codec) session.codec = isOpus ? "opus" : "pcm";
    session.ask(turn, this.mode);
    if (turn.kind === "spoken") {
      this.isOpus = isOpus;
      if (isOpus) encoder.begin();
      input.feed.send();
      if (turn.isSaid) this.stop();
    } else if (session.isHandsFree && this.isOpus && !encoder.encoder) encoder.begin();
    this.tell(turn);
  }

  /**
   * @private
   * @param {Turn} turn of which something has changed
   */
  tell(turn) {
    this.events.tell("turn", turn);
    this.events.tell("change");
  }
}
