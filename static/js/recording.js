/** A recording in the browser's own format: what is sent where a voice cannot be sent as it is spoken. */

/** In the order in which the server likes them; Safari knows but the last. */
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

export class Recording {
  /** @param {MediaStream} stream */
  constructor(stream) {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    this.recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {});
    /** @type {Blob[]} */
    this.pieces = [];
    this.recorder.ondataavailable = ({ data }) => this.pieces.push(data);
    this.recorder.start();
  }

  static isPossible = "MediaRecorder" in globalThis;

  /**
   * Ends it; a second time is too late.
   *
   * @returns {Promise<Blob>} all of it
   */
  async stop() {
    const { recorder } = this;
    // The microphone may have been taken away, which ends it too.
    if (recorder.state !== "inactive") {
      await new Promise((resolve) => {
        recorder.onstop = resolve;
        recorder.stop();
      });
    }
    return new Blob(this.pieces, { type: recorder.mimeType });
  }
}
