/** The person's voice: what the microphone hears, how loud it is, and when the person spoke. */

import { Microphone } from "./capture.js";
import { MESSAGE_MS } from "./pcm.js";
import { TROUBLES, troubleOfSilence } from "./trouble.js";
import { VoiceFeed } from "./voice-feed.js";

/** Far above the noise of a room behind a gain control, far below a voice. */
const LOUD = 0.02;

/** Whoever has pressed to talk has begun to by then, or is not heard. */
const SOON_MS = 4000;

export class VoiceInput {
  /**
   * @param {import("./events.js").Events} events
   * @param {import("./audio.js").Audio} audio
   * @param {string} device which microphone; empty for the usual one
   */
  constructor(events, audio, device) {
    this.events = events;
    this.audio = audio;
    this.microphone = new Microphone(events, audio);
    this.microphone.device = device;
    /** The turn that the person speaks in. @type {import("./turn.js").Turn | null} */
    this.turn = null;
    /** When it was loud last: the server has a better detector of speech, but not the page's clock. */
    this.lastLoud = 0;
    this.feed = new VoiceFeed();
    /** When the person was about to speak, on the page's clock, and what has come of it since. */
    this.expectedAt = 0;
    this.hasCome = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.expecting = undefined;
    this.feed.onaudio = (pcm) => events.tell("voice", pcm);
    this.microphone.onmessage = (message) => this.listen(message);
  }

  /** Whether a voice can be sent as it is spoken; certain once it is open. */
  get canStream() {
    return this.audio.hasWorklets;
  }

  /**
   * The microphone is open and the person about to speak: if nothing comes of it, that is said.
   *
   * @param {boolean} atOnce whether they have pressed to, and do not just leave it open
   */
  expect(atOnce) {
    clearTimeout(this.expecting);
    this.expectedAt = performance.now();
    this.hasCome = false;
    this.expecting = setTimeout(() => this.wonder(atOnce), SOON_MS);
  }

  /**
   * @private
   * @param {boolean} atOnce
   */
  wonder(atOnce) {
    if (!this.feed.isListening || this.microphone.isHushed) return;
    if (!this.hasCome) this.events.tell("notice", "silence", troubleOfSilence(this.microphone.label));
    else if (atOnce && this.lastLoud < this.expectedAt && !this.turn?.said) {
      this.events.tell("notice", "quiet", TROUBLES.quiet, "note");
    }
  }

  /** @private */
  wonderNoMore() {
    clearTimeout(this.expecting);
    this.events.tell("notice", "quiet", null);
  }

  /** The person has finished speaking in it. @param {import("./turn.js").Turn} turn */
  end(turn) {
    if (turn.marks.speech_start !== undefined) turn.mark("speech_end", this.lastLoud);
    this.turn = null;
  }

  /** Listens no more, but what was kept is still sent. */
  close() {
    this.feed.close();
    this.quieten();
  }

  /** Listens no more, and drops what was kept. */
  rest() {
    this.feed.stop();
    this.quieten();
  }

  /** @private */
  quieten() {
    this.wonderNoMore();
    this.events.tell("level", 0);
    if (this.microphone.stream) this.microphone.rest();
  }

  /**
   * @private
   * @param {import("./taps.js").Message} message
   */
  listen({ pcm, rms }) {
    if (!this.feed.isListening) return;
    this.events.tell("level", rms);
    this.hasCome = true;
    if (rms >= LOUD) {
      this.lastLoud = performance.now();
      // A message covers what was before it came.
      this.turn?.mark("speech_start", this.lastLoud - MESSAGE_MS);
    }
    if (this.lastLoud > this.expectedAt) this.wonderNoMore();
    if (pcm) this.feed.push(pcm);
  }
}
