/** Two notes, by which a person finds out which loudspeaker is at work, and how loud it is. */

const NOTES_HZ = [587.33, 880];
const NOTE_S = 0.35;
const LOUD = 0.3;

/**
 * Plays them, and returns when they have sounded.
 *
 * @param {BaseAudioContext} context
 * @param {AudioNode} out what they go through
 * @returns {Promise<void>}
 */
export function chime(context, out) {
  return new Promise((resolve) => {
    NOTES_HZ.forEach((hz, index) => {
      const at = context.currentTime + 0.05 + index * NOTE_S;
      const note = new OscillatorNode(context, { frequency: hz });
      const envelope = new GainNode(context, { gain: 0 });
      envelope.gain.setValueAtTime(0, at);
      envelope.gain.linearRampToValueAtTime(LOUD, at + 0.02);
      envelope.gain.exponentialRampToValueAtTime(0.001, at + NOTE_S);
      note.connect(envelope).connect(out);
      note.start(at);
      note.stop(at + NOTE_S);
      if (index === NOTES_HZ.length - 1) note.onended = () => resolve();
    });
  });
}
