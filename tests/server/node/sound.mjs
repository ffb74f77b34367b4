// PCM as clients of the Realtime API send it, 24 kHz, and as scripted engines take it: what is not zero is speech.

const BYTES_PER_MS = 48;

export const voiced = (ms) => Buffer.alloc(ms * BYTES_PER_MS, Buffer.from([0xe8, 0x03]));

export const silent = (ms) => Buffer.alloc(ms * BYTES_PER_MS);
