/**
 * What happens at this end of a session, told in one place by whatever it happens to (the microphone, the loudspeaker,
 * the session, the uploads), and listened to there by whoever wants to know, so that none of them knows another.
 */

/** @typedef {import("./turn.js").Turn} Turn */

/**
 * What is told, by its name, and with what.
 *
 * Of the page:
 * - `change`: where things stand is another by now.
 * - `turn`: something has changed of this turn.
 * - `notice`: the person should know this.
 *
 * Of the session:
 * - `greeting`: the server has greeted, and takes turns.
 * - `offer`: what the server offers is known, or has changed.
 * - `timers`: these wait, and no others.
 * - `listening`: the server listens for this turn.
 * - `thinking`: the server has stopped listening, and makes up its answer; not where it begins to speak by itself.
 * - `final`: all that was said in this turn is known.
 * - `chunk`: a piece of the reply's sound.
 * - `rest`: a phrase's sound is over: what of its packets no piece has brought, where it is Opus.
 * - `hold`: somebody speaks into the reply, which stands still.
 * - `release`: that was not meant for the server, and the reply goes on.
 * - `drop`: what is left of the reply is not to be heard: it was interrupted, or is void.
 * - `end`: the turn is over.
 * - `postponed`: the server took nothing of the turn; `again` follows, unless it is given up or lost.
 * - `again`: the turn may be asked for again.
 * - `farewell`: the server is about to end the session, and nothing that is said counts any more.
 * - `lost`: the session is over, by either side's doing.
 *
 * Of the microphone:
 * - `voice`: a piece of the voice for the server.
 * - `level`: how loud it is, as the root of the mean square, 0 to 1.
 * - `unplugged`: it was pulled out.
 *
 * Of the loudspeaker:
 * - `played`: so many samples of the turn's reply were played.
 *
 * Of the uploads:
 * - `said`: the person has finished speaking.
 * - `recorded`: the microphone is needed no more.
 * - `posting`: the recording is about to be posted.
 * - `posted`: nothing is being posted any more, whatever came of it.
 * - `answer`: the server has answered the turn.
 * - `unauthorized`: the server wants a token, or another one.
 * - `uploaded`: the turn is over.
 *
 * @typedef {{
 *   change: () => void,
 *   turn: (turn: Turn) => void,
 *   notice: import("./trouble.js").Tell,
 *   greeting: () => void,
 *   offer: () => void,
 *   timers: (timers: import("./protocol.js").Timer[]) => void,
 *   listening: (turn: Turn) => void,
 *   thinking: () => void,
 *   final: (turn: Turn) => void,
 *   chunk: (turn: Turn, chunk: import("./protocol.js").Chunk) => void,
 *   rest: (turn: Turn, phrase: import("./spoken.js").Phrase, rest: string[]) => void,
 *   hold: (turn: Turn) => void,
 *   release: (turn: Turn) => void,
 *   drop: (turn: Turn) => void,
 *   end: (turn: Turn) => void,
 *   postponed: (turn: Turn) => void,
 *   again: (turn: Turn) => void,
 *   farewell: () => void,
 *   lost: () => void,
 *   voice: (pcm: ArrayBuffer) => void,
 *   level: (rms: number) => void,
 *   unplugged: () => void,
 *   played: (turn: Turn, samples: number) => void,
 *   said: (turn: Turn) => void,
 *   recorded: () => void,
 *   posting: () => void,
 *   posted: () => void,
 *   answer: (turn: Turn, answer: import("./api.js").Answer) => void,
 *   unauthorized: () => void,
 *   uploaded: (turn: Turn) => void,
 * }} Listeners
 */

export class Events {
  /** @private @type {Partial<Listeners>[]} */
  all = [];

  /** @param {Partial<Listeners>} listeners are told after those that came before */
  on(listeners) {
    this.all.push(listeners);
  }

  /**
   * @template {keyof Listeners} Name
   * @param {Name} name
   * @param {Parameters<Listeners[Name]>} told
   */
  tell(name, ...told) {
    for (const listeners of this.all) /** @type {any} */ (listeners[name])?.(...told);
  }
}
