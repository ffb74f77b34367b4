/**
 * The sound of the replies: plays it, cuts it off, and tells how far it came, so that the server knows what was heard.
 */

import { Audio } from "./audio.js";
import { SpeechDecoder } from "./opus.js";
import { Speaker } from "./playback.js";
import { TROUBLES } from "./trouble.js";

/** @typedef {import("./turn.js").Turn} Turn */

const PLAYED_EVERY_MS = 250;

export class ReplyOutput {
  /**
   * @param {import("./events.js").Events} events
   * @param {Audio} audio
   * @param {string} device which loudspeaker; empty for the usual one
   * @param {(key: number) => Turn | undefined} find the turn of a sound, if the conversation still has it
   */
  constructor(events, audio, device, find) {
    this.events = events;
    this.audio = audio;
    this.find = find;
    this.speaker = new Speaker(audio);
    this.decoder = new SpeechDecoder();
    audio.device = device;
    this.toldAt = 0;
    this.speaker.onprogress = (key, played) => this.progress(key, played);
    this.speaker.onidle = (key) => this.progress(key, this.speaker.report.played);
    audio.onchange = () => {
      if (!audio.isHeldBack) events.tell("notice", "suspended", null);
      events.tell("change");
    };
  }

  /** Whether something is left to hear. */
  get isSounding() {
    return this.speaker.key !== null;
  }

  /** Makes ready for sound, where the browser can make any. */
  async open() {
    if (Audio.isPossible) await this.speaker.open();
  }

  /** Says so if the browser holds the sound back. */
  tellIfHeldBack() {
    if (this.audio.isHeldBack) this.events.tell("notice", "suspended", TROUBLES.suspended);
  }

  /**
   * Plays a piece of a reply.
   *
   * @param {Turn} turn
   * @param {import("./protocol.js").Chunk} chunk
   */
  play(turn, chunk) {
    if (turn.silenced) return;
    turn.place(chunk);
    if (Audio.isPossible) this.push(turn, chunk);
    if (chunk.seq === 0 && (this.audio.isHeldBack || !this.speaker.player)) {
      // Without this the server would take it for heard.
      this.events.tell("played", turn, 0);
      this.tellIfHeldBack();
    }
  }

  /**
   * @private
   * @param {Turn} turn
   * @param {import("./protocol.js").Chunk} chunk
   */
  push({ sound, rate }, chunk) {
    const play = (/** @type {import("./opus.js").Piece} */ piece) => this.speaker.push(sound, rate, piece);
    if (chunk.packets) this.decoder.push(chunk, rate, play);
    else play(chunk);
  }

  /**
   * Plays what no piece has brought of a phrase.
   *
   * @param {import("./spoken.js").Phrase} phrase
   * @param {string[]} rest of its packets
   */
  finish({ first, samples }, rest) {
    // Where there was no piece, or nothing could play it, nothing is left.
    if (first !== null && samples !== null) this.decoder.end(rest, first + samples);
  }

  /**
   * Plays a reply that came in one piece.
   *
   * @param {Turn} turn
   * @param {number} rate
   * @param {Int16Array} pcm
   */
  playWhole(turn, rate, pcm) {
    if (!Audio.isPossible) return;
    turn.rate = rate;
    this.speaker.push(turn.sound, rate, { first: 0, pcm });
    this.tellIfHeldBack();
  }

  /**
   * Silences everything here and now, then tells how far it came.
   *
   * @param {Turn | null} turn the one that is under way
   * @param {Turn | undefined} last the latest one, which may sound though it is over
   */
  async cut(turn, last) {
    if (turn) turn.silenced = true;
    const sound = turn?.sound;
    const played = last ? await this.speaker.flush(last.sound) : null;
    if (!turn) return;
    if (played !== null && turn.sound === sound) this.stopped(turn, played);
    this.events.tell("turn", turn);
  }

  /**
   * Has the reply stand still, then tells how far it came: by that the server knows what was heard if it ends here.
   *
   * @param {Turn} turn
   */
  async hold(turn) {
    if (turn.silenced || !Audio.isPossible) return;
    const { sound } = turn;
    // Where the loudspeaker knows nothing of it, nothing of it was played.
    const played = (await this.speaker.hold(sound)) ?? 0;
    if (turn.sound !== sound || turn.silenced) return;
    this.toldAt = performance.now();
    this.stopped(turn, played);
    this.events.tell("turn", turn);
  }

  /** Has the reply that stands still go on. */
  release() {
    this.speaker.release();
  }

  /**
   * Silences what the server takes back of a turn: the rest of a reply that was spoken into, or one that is void
   * because the person had not finished.
   *
   * @param {Turn} turn
   */
  drop(turn) {
    if (turn.silenced) return;
    turn.silenced = turn.isOver;
    // All that has sounded has an older key than one that begins anew.
    this.speaker.flush(turn.isOver ? turn.sound : turn.sound - 1);
  }

  /**
   * @private
   * @param {Turn} turn
   * @param {number} played samples of it, where its sound has stopped
   */
  stopped(turn, played) {
    turn.position = played;
    if (turn.number !== null && turn.state === "RESPONDING") this.events.tell("played", turn, played);
  }

  /**
   * @private
   * @param {number} key
   * @param {number} played
   */
  progress(key, played) {
    const turn = this.find(key);
    if (!turn) return;
    const now = performance.now();
    if (played && !turn.silenced) {
      turn.mark("first_audio", now);
      if (this.speaker.report.stumbles) turn.mark("ran_dry", now);
    }
    if (turn.number !== null && !turn.isOver && !turn.silenced && now - this.toldAt >= PLAYED_EVERY_MS) {
      this.toldAt = now;
      this.events.tell("played", turn, played);
    }
    this.events.tell("turn", turn);
    this.events.tell("change");
  }
}
