/** The loudspeaker, seen from the page: turns are named by their keys. */

import { loudness } from "./pcm.js";
import { playInPage, playInWorklet } from "./players.js";

/** What is asked to stop has done so within a few ms; where the browser holds the sound back, no answer comes. */
const STOP_LIMIT_MS = 80;

/** What counts as this moment where it is asked how loud it is: about 20 ms. */
const LEVEL_SAMPLES = 1024;

/** @typedef {{key: number, played: number, stumbles: number, time: number, idle: boolean, still: boolean}} Report */

export class Speaker {
  /** @param {import("./audio.js").Audio} audio */
  constructor(audio) {
    this.audio = audio;
    /** @type {import("./players.js").Placed | null} */
    this.player = null;
    /** @type {Promise<void> | null} */
    this.opening = null;
    /** Chunks that came before the player was ready. @type {object[]} */
    this.early = [];
    this.dropped = 0;
    /** Of which turn something is left to hear. @type {number | null} */
    this.key = null;
    /** The turn with which everything stands still. @type {number | null} */
    this.held = null;
    this.rate = 1;
    /** What tells how loud it is, once somebody has asked. @type {AnalyserNode | null} */
    this.analyser = null;
    this.moment = new Float32Array(LEVEL_SAMPLES);
    /** @type {Report} */
    this.report = { key: 0, played: 0, stumbles: 0, time: 0, idle: true, still: false };
    /** @type {((played: {key: number, played: number} | null) => void) | null} */
    this.answer = null;
    /** How far the sound is, about every 50 ms. @type {(key: number, played: number) => void} */
    this.onprogress = () => {};
    /** Nothing is left to play for now. @type {(key: number) => void} */
    this.onidle = () => {};
  }

  /** Makes ready for sound. */
  open() {
    this.opening ??= this.start();
    return this.opening;
  }

  /** @private */
  async start() {
    const context = await this.audio.open();
    const place = this.audio.hasWorklets ? playInWorklet : playInPage;
    this.player = place(context, (report) => this.take(report));
    this.player.node.connect(/** @type {GainNode} */ (this.audio.out));
    if (this.held !== null) this.player.post({ hold: this.held });
    for (const chunk of this.early) this.player.post({ chunk });
    this.early = [];
  }

  /**
   * @param {number} key
   * @param {number} rate
   * @param {{first: number, pcm: Int16Array}} chunk
   */
  push(key, rate, chunk) {
    if (key <= this.dropped || !chunk.pcm.length) return;
    this.key = key;
    this.rate = rate;
    const message = { key, rate, first: chunk.first, pcm: chunk.pcm };
    if (this.player) this.player.post({ chunk: message });
    else this.early.push(message);
  }

  /**
   * Silences all turns up to `key`, now and for good.
   *
   * @param {number} key
   * @returns {Promise<number | null>} how many samples of that turn were played; null if that is not known
   */
  async flush(key) {
    this.dropped = Math.max(this.dropped, key);
    this.early = [];
    this.key = null;
    if (this.held !== null && this.held <= key) this.held = null;
    return this.stop(key, { flush: key });
  }

  /**
   * Has everything stand still until `release`; what comes is kept. Of a turn that was silenced it holds nothing.
   *
   * @param {number} key of the turn that is held
   * @returns {Promise<number | null>} how many samples of that turn were played; null if that is not known
   */
  async hold(key) {
    if (key <= this.dropped) return null;
    this.held = key;
    return this.stop(key, { hold: key });
  }

  /** Goes on where it stands still. */
  release() {
    this.held = null;
    this.player?.post({ release: true });
  }

  /**
   * @private
   * @param {number} key
   * @param {{flush: number} | {hold: number}} message
   * @returns {Promise<number | null>}
   */
  async stop(key, message) {
    const { player } = this;
    if (!player) return null;
    const told = await new Promise((resolve) => {
      this.answer?.(null);
      this.answer = resolve;
      setTimeout(() => resolve(null), STOP_LIMIT_MS);
      // In the page, the answer may come at once.
      player.post(message);
    });
    if (told?.key === key) return told.played;
    return this.report.key === key ? this.report.played : null;
  }

  /**
   * How many samples of the turn `key` have reached the ear.
   *
   * @param {number} key
   */
  heard(key) {
    const { context } = this.audio;
    if (!context || this.report.key !== key) return 0;
    // Not every browser knows both.
    const late = (context.outputLatency || 0) + (context.baseLatency || 0);
    const { played, still, time } = this.report;
    const since = this.key === key ? Math.min(0.1, Math.max(0, context.currentTime - time)) : 0;
    const ahead = still ? Math.min(0, since - late) : since - late;
    return Math.max(0, Math.round(played + ahead * this.rate));
  }

  /** How loud it is at this moment, as the root of the mean square, 0 to 1. */
  get level() {
    const { player } = this;
    if (!player) return 0;
    if (!this.analyser) {
      this.analyser = new AnalyserNode(player.node.context, { fftSize: LEVEL_SAMPLES });
      player.node.connect(this.analyser);
    }
    this.analyser.getFloatTimeDomainData(this.moment);
    return loudness(this.moment).rms;
  }

  /**
   * @private
   * @param {Report & {stopped?: true}} report
   */
  take(report) {
    if (report.stopped) {
      this.answer?.(report);
      this.answer = null;
      return;
    }
    this.report = report;
    this.onprogress(report.key, report.played);
    if (report.idle && (this.key === report.key || this.key === null)) {
      this.key = null;
      this.onidle(report.key);
    }
  }
}
