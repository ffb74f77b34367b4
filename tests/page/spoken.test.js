import assert from "node:assert/strict";
import { test } from "node:test";

import { heardOf, phraseOf, spokenAt } from "../../static/js/spoken.js";

/** What `spokenAt` says, as the words themselves. */
function wordAt(phrases, reply, position) {
  const place = spokenAt(phrases, reply, position);
  return place && Array.from(reply).slice(...place).join("");
}

const phrase = (first, fields) => ({ ...phraseOf({ phrase: 0, ...fields }), first });

test("the word that is being said, through all of the sound", () => {
  const reply = "It is noon. Go 𝄞 home.";
  const phrases = [
    phrase(0, { start: 0, end: 12, words: [[100, 0], [2000, 3], [4000, 6]] }),
    phrase(8000, { start: 12, end: 22, words: [[0, 12], [3000, 15], [5000, 17]] }),
    phrase(null, { start: 22, end: 22, words: [] }),
  ];
  const said = [0, 100, 1999, 2000, 7999, 8000, 11_000, 13_000, 99_000].map((at) => wordAt(phrases, reply, at));
  assert.deepEqual(said, ["It", "It", "It", "is", "noon.", "Go", "𝄞", "home.", "home."]);
  assert.equal(spokenAt([], reply, 5), null);
  assert.equal(spokenAt(phrases.slice(2), reply, 5), null, "its sound has not come yet");
});

test("signs around a word belong to it; two words without a gap between them do not", () => {
  const reply = "A **very** fine-tuned $5 [thing](http://x.y/z) 是的";
  const places = ["A", "very", "fine", "tuned", "5", "thing", "是", "的"].map((word) => reply.indexOf(word));
  const phrases = [phrase(0, { start: 0, end: reply.length, words: places.map((place, i) => [i, place]) })];
  const said = places.map((_, i) => wordAt(phrases, reply, i));
  assert.deepEqual(said, ["A", "**very**", "fine-", "tuned", "$5", "[thing](http://x.y/z)", "是", "的"]);
});

test("without words it is the phrase", () => {
  const phrases = [phrase(0, { start: 0, end: 4 }), phrase(100, { start: 4, end: 9 })];
  assert.deepEqual(spokenAt(phrases, "One. Two.", 99), [0, 4]);
  assert.deepEqual(spokenAt(phrases, "One. Two.", 100), [4, 9]);
});

test("a word was heard once the next one begins, as the server has it", () => {
  const reply = "It is noon. Go home.";
  const phrases = [
    { ...phrase(0, { start: 0, end: 12, words: [[100, 0], [2000, 3], [4000, 6]] }), samples: 6000 },
    phrase(6000, { start: 12, end: 20, words: [[0, 12], [3000, 15]] }),
  ];
  const heard = [0, 50, 1999, 2000, 5999, 6000, 6001, 9000].map((at) => heardOf(phrases, reply, at));
  assert.deepEqual(heard, [0, 0, 0, 3, 6, 12, 12, 15]);
  assert.equal(heardOf([{ ...phrases[1], first: null }], reply, 50), 0);
});
