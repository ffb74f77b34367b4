import assert from "node:assert/strict";
import { test } from "node:test";

import { Markdown, placesOf } from "../../static/js/markdown.js";

const ANSWER = `Take **two** of [these](https://a.b/c "x"), not \`three\`.

1. First \\*one\\* &amp; more
2. Second

   and on

\`\`\`js
let j = 1;
\`\`\`

> Said
> twice.

The end, <b>bare</b>.`;

/** All nodes below, and including, these. */
function* all(nodes) {
  for (const node of nodes) {
    yield node;
    yield* all(node.children);
  }
}

/** Each piece of text with the part of the answer from its first letter to its last. */
function texts(answer, blocks) {
  return [...all(blocks)]
    .filter((node) => node.value)
    .map(({ value, places }) => [value, answer.slice(places[0], places[value.length - 1] + 1)]);
}

test("each piece of text knows its place in the answer", () => {
  const blocks = new Markdown().read(ANSWER);
  assert.deepEqual(texts(ANSWER, blocks), [
    ["Take ", "Take "],
    ["two", "two"],
    [" of ", " of "],
    ["these", "these"],
    [", not ", ", not "],
    ["three", "three"],
    [".", "."],
    ["First *one* & more", "First \\*one\\* &amp; more"],
    ["Second", "Second"],
    ["and on", "and on"],
    ["let j = 1;", "let j = 1;"],
    ["Said\ntwice.", "Said\n> twice."],
    ["The end, ", "The end, "],
    ["<b>", "<b>"],
    ["bare", "bare"],
    ["</b>", "</b>"],
    [".", "."],
  ]);
  for (const { places, value } of all(blocks)) {
    if (!places) continue;
    assert.equal(places.length, value.length + 1);
    assert.deepEqual(places, places.toSorted((a, b) => a - b));
  }
});

test("an answer that grows is at each moment what it would be if it had come at once", () => {
  const growing = new Markdown();
  for (let length = 1; length <= ANSWER.length; length += 1) {
    const text = ANSWER.slice(0, length);
    assert.deepEqual(growing.read(text), new Markdown().read(text), text);
  }
  const before = growing.blocks;
  const after = growing.read(`${ANSWER} Really.`);
  assert.ok(after.slice(0, -1).every((block, i) => block === before[i]), "what is above the end is not made anew");
  assert.notEqual(after.at(-1), before.at(-1));
});

test("an answer that begins anew leaves nothing of the one before", () => {
  const markdown = new Markdown();
  markdown.read("One.\n\nTwo.\n\nThree.\n\nFour.");
  assert.deepEqual(texts("Two.\n\nTwo.", markdown.read("Two.\n\nTwo.")), [["Two.", "Two."], ["Two.", "Two."]]);
  assert.deepEqual(markdown.read(""), []);
});

test("a link leads to the web or to a mailbox, or nowhere", () => {
  const to = (address) => [...all(new Markdown().read(`[x](${address})`))].find(({ type }) => type === "link")?.url;
  assert.deepEqual(["https://a.b", "HTTP://a.b", "mailto:a@b.c"].map(to), ["https://a.b", "HTTP://a.b", "mailto:a@b.c"]);
  for (const address of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//a.b", "/api", "&#106;avascript:x", " \tjavascript:x"]) {
    assert.equal(to(address), undefined, address);
  }
});

test("places of what is not written as it reads", () => {
  assert.deepEqual(placesOf("a&copy;b", 0, 8, "a©b"), [0, 1, 7, 8]);
  assert.deepEqual(placesOf("&foo; x", 0, 7, "&foo; x"), [0, 1, 2, 3, 4, 5, 6, 7], "an entity that is none");
  assert.deepEqual(placesOf("a\\_b", 0, 4, "a_b"), [0, 2, 3, 4]);
  assert.deepEqual(placesOf("", 0, 0, ""), [0]);
});
