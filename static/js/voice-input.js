/** The person's voice: what the microphone hears, how loud it is, and when the person spoke. */

import { Microphone } from "./capture.js";
import { SpeechClock } from "./speech-clock.js";
import { TROUBLES, troubleOfSilence } from "./trouble.js";
import { VoiceFeed } from "./voice-feed.js";

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
    this.clock = new SpeechClock();
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
    else if (atOnce && this.clock.lastLoud < this.expectedAt && !this.clock.turn?.said) {
      this.events.tell("notice", "quiet", TROUBLES.quiet, "note");
    }
  }

  /** @private */
  wonderNoMore() {
    clearTimeout(this.expecting);
    this.events.tell("notice", "quiet", null);
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
    this.clock.hear(rms, performance.now());
    if (this.clock.lastLoud > this.expectedAt) this.wonderNoMore();
    if (pcm) this.feed.push(pcm);
  }
}
