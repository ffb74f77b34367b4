/** The page's ears and its voice: what the microphone hears goes to the server, and what the server says is heard. */

import { Audio } from "./audio.js";
import { Microphone } from "./capture.js";
import { markAll } from "./marks.js";
import { Speaker } from "./playback.js";
import { SpeechClock } from "./speech-clock.js";
import { TROUBLES, troubleOfSilence } from "./trouble.js";

/** Messages that may wait for the server: the longest utterance. */
const MOST_HELD_BACK = 500;

/** Messages of a turn that the server can still refuse: it does so in its first moments, or not at all. */
const MOST_SENT = 50;

const PLAYED_EVERY_MS = 250;

/** A context that is let go begins within this time. */
const START_MS = 500;

export class Sound {
  /** @param {import("./assistant.js").Assistant} assistant */
  constructor(assistant) {
    this.assistant = assistant;
    this.audio = new Audio();
    this.microphone = new Microphone(this.audio);
    this.speaker = new Speaker(this.audio);
    this.speech = new SpeechClock();
    /**
     * off: what the microphone sends is dropped. held: kept until the server is asked. said: no more comes, but what was
     * kept still is. on: sent.
     */
    this.feed = "off";
    /** @type {ArrayBuffer[]} */
    this.held = [];
    /** The beginning of what was sent. @type {ArrayBuffer[]} */
    this.sent = [];
    this.toldAt = 0;
    /** The sound of a turn is being cut off, and its end asked for. @type {Promise<void>} */
    this.cancelling = Promise.resolve();
    this.wire();
  }

  /** @private */
  wire() {
    const { assistant, audio, microphone, speaker } = this;
    microphone.device = assistant.choices.microphone;
    speaker.device = assistant.choices.output;
    microphone.onmessage = (message) => this.listen(message);
    microphone.onsilence = (isSilent) =>
      assistant.onnotice("silence", isSilent ? troubleOfSilence(microphone.label) : null);
    microphone.onunplugged = () => assistant.unplug();
    microphone.ondevicegone = () => assistant.onnotice("device", TROUBLES.deviceGone, "note");
    speaker.onprogress = (key, played) => this.progress(key, played);
    speaker.onidle = (key) => this.progress(key, speaker.report.played);
    audio.onchange = () => {
      if (!audio.isHeldBack) assistant.onnotice("suspended", null);
      assistant.onchange();
    };
  }

  /** Whether a voice can be sent as it is spoken; certain once it is open. */
  get canStream() {
    return this.audio.hasWorklets;
  }

  /** Opens the microphone and the loudspeaker. Throws what `getUserMedia` throws. */
  async open() {
    await Promise.all([this.microphone.open(), Audio.isPossible && this.speaker.open()]);
    // One that is held back does not hear either.
    setTimeout(() => this.audio.isHeldBack && this.assistant.onnotice("suspended", TROUBLES.suspended), START_MS);
  }

  /** Keeps what the microphone hears from now on, until `send`. */
  hold() {
    this.held = [];
    this.feed = "held";
  }

  /** Sends what was kept, and, unless that was all, what comes. */
  send() {
    this.feed = this.feed === "said" ? "off" : "on";
    for (const pcm of this.held) this.assistant.connection.sendAudio(pcm);
    this.sent = this.held;
    this.held = [];
  }

  /** Keeps what is kept until `send`, and no more. */
  close() {
    this.feed = "said";
    this.assistant.onlevel(0);
    this.microphone.rest();
  }

  /** The server took nothing of what was sent: it is kept, and will be sent again. */
  takeBack() {
    this.feed = this.feed === "on" ? "held" : "said";
    this.held = this.sent;
    this.sent = [];
  }

  /** Listens no more. */
  rest() {
    this.feed = "off";
    this.held = [];
    this.assistant.onlevel(0);
    if (this.microphone.stream) this.microphone.rest();
  }

  /** @param {import("./protocol.js").Chunk} chunk */
  play(chunk) {
    const { connection, conversation, onnotice } = this.assistant;
    const turn = conversation.numbered.get(chunk.turn);
    if (!turn || turn.silenced) return;
    turn.place(chunk);
    if (Audio.isPossible) this.speaker.push(turn.key, turn.rate, chunk);
    if (chunk.seq === 0 && (this.audio.isHeldBack || !this.speaker.player)) {
      // Without this the server would take it for heard.
      connection.say({ type: "played", turn: chunk.turn, samples: 0 });
      if (this.audio.isHeldBack) onnotice("suspended", TROUBLES.suspended);
    }
  }

  /**
   * Plays a reply that came in one piece.
   *
   * @param {import("./turn.js").Turn} turn
   * @param {number} rate
   * @param {Int16Array} pcm
   */
  playWhole(turn, rate, pcm) {
    if (!Audio.isPossible) return;
    turn.rate = rate;
    this.speaker.push(turn.key, rate, { first: 0, pcm });
    if (this.audio.isHeldBack) this.assistant.onnotice("suspended", TROUBLES.suspended);
  }

  /**
   * Ends the turn, if there is one: its sound here and now, then, with the word on how far it came, at the server.
   *
   * @param {boolean} isExpected whether the server may have something to end of which no turn tells
   */
  cut(isExpected) {
    const { connection, conversation } = this.assistant;
    const turn = conversation.current;
    const last = conversation.turns.at(-1);
    if (!turn && !conversation.waiting.length && this.speaker.key === null && !isExpected) return;
    if (turn) turn.silenced = true;
    const flushed = last ? this.speaker.flush(last.key) : Promise.resolve(null);
    this.cancelling = flushed.then((played) => {
      if (turn) {
        turn.position = played ?? turn.position;
        if (turn.number !== null && played !== null && turn.state === "RESPONDING") {
          connection.say({ type: "played", turn: turn.number, samples: played });
        }
        this.assistant.onturn(turn);
      }
      connection.say({ type: "cancel" });
    });
  }

  /**
   * @private
   * @param {import("./capture.js").Message} message
   */
  listen(message) {
    if (this.feed !== "held" && this.feed !== "on") return;
    this.assistant.onlevel(message.rms);
    this.speech.hear(message.rms, performance.now());
    const { pcm } = message;
    if (!pcm) return;
    if (this.feed === "held") {
      if (this.held.push(pcm) > MOST_HELD_BACK) this.held.shift();
      return;
    }
    this.assistant.connection.sendAudio(pcm);
    if (this.sent.length < MOST_SENT) this.sent.push(pcm);
  }

  /**
   * @private
   * @param {number} key
   * @param {number} played
   */
  progress(key, played) {
    const { connection, conversation } = this.assistant;
    const turn = conversation.turns.find((one) => one.key === key);
    if (!turn) return;
    const now = performance.now();
    if (played && !turn.silenced) {
      turn.mark("first_audio", now);
      if (this.speaker.report.stumbles) turn.mark("ran_dry", now);
      markAll(turn);
    }
    if (turn.number !== null && !turn.isOver && !turn.silenced && now - this.toldAt >= PLAYED_EVERY_MS) {
      this.toldAt = now;
      connection.say({ type: "played", turn: turn.number, samples: played });
    }
    this.assistant.onturn(turn);
    this.assistant.onchange();
  }
}
