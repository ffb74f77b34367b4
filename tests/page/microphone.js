// Runs before the page's own scripts: a microphone in a quiet room, in which the test speaks whenever it likes.
(() => {
  const ROOM = 1e-4;
  const { AudioContext } = window;

  /** @type {{ context: AudioContext, destination: MediaStreamAudioDestinationNode } | undefined} */
  let room;

  function enter() {
    const context = new AudioContext();
    const destination = context.createMediaStreamDestination();
    const second = context.createBuffer(1, context.sampleRate, context.sampleRate);
    const samples = second.getChannelData(0);
    for (let at = 0; at < samples.length; at += 1) samples[at] = ROOM * (2 * Math.random() - 1);
    const noise = new AudioBufferSourceNode(context, { buffer: second, loop: true });
    noise.connect(destination);
    noise.start();
    return { context, destination };
  }

  navigator.mediaDevices.getUserMedia = async () => {
    room ??= enter();
    // A track that the page has stopped stays so: each time it is given one of its own.
    return room.destination.stream.clone();
  };

  /** Say what is in the WAV file of these bytes, in base64; resolves when it is said. */
  window.speakInto = async (/** @type {string} */ file) => {
    if (!room) throw new Error("no microphone is open");
    const { context, destination } = room;
    const buffer = await context.decodeAudioData(Uint8Array.from(atob(file), (one) => one.charCodeAt(0)).buffer);
    const voice = new AudioBufferSourceNode(context, { buffer });
    voice.connect(destination);
    voice.start();
    await new Promise((resolve) => (voice.onended = resolve));
  };
})();
