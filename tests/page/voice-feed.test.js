import assert from "node:assert/strict";
import { test } from "node:test";

import { MESSAGE_MS } from "../../static/js/pcm.js";
import { VoiceFeed } from "../../static/js/voice-feed.js";

/** @returns {{feed: VoiceFeed, out: any[], push: (...pieces: any[]) => void}} a feed of things that stand for sound */
function feeding() {
  const feed = new VoiceFeed();
  /** @type {any[]} */
  const out = [];
  feed.onaudio = (pcm) => out.push(pcm);
  return { feed, out, push: (...pieces) => pieces.forEach((piece) => feed.push(piece)) };
}

test("what is heard before the server is asked is sent first, and nothing before that is", () => {
  const { feed, out, push } = feeding();
  push("dropped");
  feed.hold();
  push(1, 2);
  assert.deepEqual(out, []);
  feed.send();
  push(3);
  assert.deepEqual(out, [1, 2, 3]);
  feed.stop();
  push("dropped");
  assert.deepEqual(out, [1, 2, 3]);
  assert.equal(feed.isListening, false);
});

test("who has finished before the server was asked is sent no further than that", () => {
  const { feed, out, push } = feeding();
  feed.hold();
  push(1);
  feed.close();
  push("too late");
  feed.send();
  push("too late");
  assert.deepEqual(out, [1]);
  assert.equal(feed.state, "off");
});

test("what the server took nothing of is sent again, and what came meanwhile after it", () => {
  const { feed, out, push } = feeding();
  feed.hold();
  push(1);
  feed.send();
  push(2);
  feed.takeBack();
  push(3);
  assert.deepEqual(out.splice(0), [1, 2]);
  feed.send();
  push(4);
  assert.deepEqual(out, [1, 2, 3, 4]);
});

test("taken back after its end, it is sent again without more", () => {
  const { feed, out, push } = feeding();
  feed.hold();
  push(1);
  feed.close();
  feed.send();
  feed.takeBack();
  push("too late");
  feed.send();
  assert.deepEqual(out, [1, 1]);
  assert.equal(feed.state, "off");
});

test("half a minute may wait for the server, and nothing is kept without end", () => {
  const { feed, out, push } = feeding();
  feed.hold();
  push(...Array(1010).keys());
  feed.send();
  assert.deepEqual([out[0], out.length * MESSAGE_MS], [10, 30_000]);
  feed.hold();
  feed.send();
  push(...Array(110).keys());
  feed.takeBack();
  out.length = 0;
  feed.send();
  assert.deepEqual(out, [...Array(100).keys()]);
});
