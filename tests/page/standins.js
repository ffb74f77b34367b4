// What a browser has and node lacks, as little of it as the parts of the page need.

/** A socket whose other end is the test. */
export class Socket {
  /** @type {Socket[]} */
  static all = [];

  constructor(url, protocols) {
    Object.assign(this, { url, protocols, isClosed: false });
    /** Messages as objects, sound as it is. @type {any[]} */
    this.sent = [];
    Socket.all.push(this);
  }

  /** The latest one. */
  static get last() {
    return Socket.all.at(-1);
  }

  send(data) {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : data);
  }

  close() {
    this.isClosed = true;
  }

  /** The server says this, so it has taken the handshake. */
  tell(...events) {
    this.onopen();
    for (const event of events) this.onmessage({ data: JSON.stringify(event) });
  }

  /** Takes what was sent since the last time. */
  take() {
    return this.sent.splice(0);
  }
}

/** A recorder that has heard `bytes`. */
export class Recorder {
  static bytes = "what was said";

  static isTypeSupported(type) {
    return type.startsWith("audio/webm");
  }

  constructor(_stream, { mimeType }) {
    Object.assign(this, { mimeType, state: "inactive" });
  }

  start() {
    this.state = "recording";
  }

  stop() {
    this.state = "inactive";
    queueMicrotask(() => {
      this.ondataavailable({ data: new Blob([Recorder.bytes]) });
      this.onstop();
    });
  }
}

/** An output device whose time passes when the test says so. */
export class Context {
  /** @type {Context} */
  static last;

  constructor() {
    Object.assign(this, { state: "running", sampleRate: 24_000, currentTime: 0, destination: {} });
    Context.last = this;
  }

  async resume() {}

  createGain() {
    return { gain: { value: 1 }, connect() {} };
  }

  createScriptProcessor(size) {
    this.node = { size, connect() {} };
    return this.node;
  }

  /** Fetches one block of sound and returns its first channel. */
  block() {
    const channels = [0, 1].map(() => new Float32Array(this.node.size));
    this.node.onaudioprocess({ outputBuffer: { getChannelData: (channel) => channels[channel] } });
    this.currentTime += this.node.size / this.sampleRate;
    return channels[0];
  }
}

// What a browser in Switzerland says of itself; some versions of node speak for the machine.
Object.defineProperty(globalThis, "navigator", { value: { language: "de-CH" }, configurable: true });

export const CHOICES = { microphone: "", output: "", voice: "", speed: 1, silenceMs: 0, language: "", token: "", bargeIn: true };

export const GREETING = { type: "session", protocol: 1, conversation: "ours", voices: ["en-gb"], languages: [] };

export const state = (turn, name) => ({ type: "state", turn, state: name });

export const done = (turn, outcome, heard = 0) => ({ type: "done", turn, outcome, heard, remembered: true, latency: {} });

/** The server does not take a turn: at all, or not before so many seconds. */
export const refusal = (turn, retry_after_s) => ({
  ...{ type: "error", turn, code: "PROTOCOL_VIOLATION", message: "No.", recoverable: true },
  ...(retry_after_s === undefined ? {} : { retry_after_s }),
});

/**
 * Has events written down as they come.
 *
 * @param {import("../../static/js/events.js").Events} events
 * @param {any[]} told is what they are written into
 * @param {string[]} names of those that are
 */
export function note(events, told, ...names) {
  for (const name of names) events.on({ [name]: (...values) => told.push([name, ...values]) });
  return told;
}
