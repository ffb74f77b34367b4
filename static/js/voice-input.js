/** The person's voice: what the microphone hears, how loud it is, and when the person spoke. */

import { Microphone } from "./capture.js";
import { SpeechClock } from "./speech-clock.js";
import { TROUBLES, troubleOfSilence } from "./trouble.js";
import { VoiceFeed } from "./voice-feed.js";

/** @typedef {import("./trouble.js").Tell} Tell */

/** Whoever has pressed to talk has begun to by then, or is not heard. */
const SOON_MS = 4000;

export class VoiceInput {
  /**
   * @param {import("./audio.js").Audio} audio
   * @param {string} device which microphone; empty for the usual one
   */
  constructor(audio, device) {
    this.audio = audio;
    this.microphone = new Microphone(audio);
    this.microphone.device = device;
    this.clock = new SpeechClock();
    this.feed = new VoiceFeed();
    /** When the person was about to speak, on the page's clock, and what has come of it since. */
    this.expectedAt = 0;
    this.hasCome = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.expecting = undefined;
    /** A piece of the voice for the server. @type {(pcm: ArrayBuffer) => void} */
    this.onaudio = () => {};
    /** How loud it is, as the root of the mean square, 0 to 1. @type {(rms: number) => void} */
    this.onlevel = () => {};
    /** The microphone was pulled out. */
    this.onunplugged = () => {};
    /** @type {Tell} */
    this.onnotice = () => {};
    const { feed, microphone } = this;
    feed.onaudio = (pcm) => this.onaudio(pcm);
    microphone.onmessage = (message) => this.listen(message);
    microphone.onsilence = (isSilent) => this.onnotice("silence", isSilent ? troubleOfSilence(microphone.label) : null);
    microphone.onunplugged = () => this.onunplugged();
    microphone.ondevicegone = () => this.onnotice("device", TROUBLES.deviceGone, "note");
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
    if (!this.hasCome) this.onnotice("silence", troubleOfSilence(this.microphone.label));
    else if (atOnce && this.clock.lastLoud < this.expectedAt && !this.clock.turn?.said) {
      this.onnotice("quiet", TROUBLES.quiet, "note");
    }
  }

  /** @private */
  wonderNoMore() {
    clearTimeout(this.expecting);
    this.onnotice("quiet", null);
  }

  /** Listens no more, but what was kept is still sent. */
  close() {
    this.feed.close();
    this.wonderNoMore();
    this.onlevel(0);
    this.microphone.rest();
  }

  /** Listens no more, and drops what was kept. */
  rest() {
    this.feed.stop();
    this.wonderNoMore();
    this.onlevel(0);
    if (this.microphone.stream) this.microphone.rest();
  }

  /**
   * @private
   * @param {import("./taps.js").Message} message
   */
  listen({ pcm, rms }) {
    if (!this.feed.isListening) return;
    this.onlevel(rms);
    this.hasCome = true;
    this.clock.hear(rms, performance.now());
    if (this.clock.lastLoud > this.expectedAt) this.wonderNoMore();
    if (pcm) this.feed.push(pcm);
  }
}
