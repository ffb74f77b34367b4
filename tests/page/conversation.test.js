import assert from "node:assert/strict";
import { test } from "node:test";

import { requestOf } from "../../static/js/choices.js";
import { Conversation, asText } from "../../static/js/conversation.js";
import { rowsOf, scaleOf, summaryOf, ticksOf } from "../../static/js/latency.js";
import { Framer, fromWav, loudness, toFloat32, toInt16 } from "../../static/js/pcm.js";
import { applyPartial, decodeChunk, decodeEvent, subprotocols } from "../../static/js/protocol.js";
import { troubleOfMicrophone, troubleOfPage, troubleOfTurn } from "../../static/js/trouble.js";
import { Turn } from "../../static/js/turn.js";

/** @param {Conversation} conversation @param {object[]} events */
const feed = (conversation, ...events) => events.forEach((event, i) => conversation.apply(/** @type {any} */ (event), i));

const state = (turn, name) => ({ type: "state", turn, state: name });
const done = (turn, outcome, heard = 0) => ({ type: "done", turn, outcome, heard, remembered: true, latency: {} });

test("partials count code points", () => {
  assert.equal(applyPartial("what dime", { keep: 5, text: "time is it" }), "what time is it");
  assert.equal(applyPartial("𝄞𝄞 a", { keep: 2, text: " b" }), "𝄞𝄞 b");
});

test("the example of a chunk in the protocol is read as it says", () => {
  const bytes = "01 01 00 00 03 00 00 00 01 00 00 00 9d 08 00 00 0a 00 f6 ff".split(" ").map((one) => parseInt(one, 16));
  const { pcm, ...head } = decodeChunk(Uint8Array.from(bytes).buffer);
  assert.deepEqual(head, { phrase: 0, turn: 3, seq: 1, first: 2205 });
  assert.deepEqual([...pcm], [10, -10]);
  assert.equal(decodeChunk(Uint8Array.from([2, ...bytes.slice(1)]).buffer), null);
  assert.equal(decodeChunk(new ArrayBuffer(3)), null);
});

test("what is no event is none", () => {
  for (const text of ["", "{", "null", "[]", '{"type":1}']) assert.equal(decodeEvent(text), null);
});

test("a token is packed as the server unpacks it", () => {
  assert.deepEqual(subprotocols("", "resume"), ["voice-trio", "resume"]);
  assert.deepEqual(subprotocols("geheim+ü?", "resume"), ["voice-trio", "resume", "bearer.Z2VoZWltK8O8Pw"]);
});

test("a spoken turn, from the press to its end", () => {
  const conversation = new Conversation();
  const turn = conversation.ask("spoken", 0);
  feed(
    conversation,
    state(1, "CAPTURING"),
    { type: "partial", turn: 1, keep: 0, text: "what dime", stable: 0 },
    { type: "partial", turn: 1, keep: 5, text: "time is it", stable: 4 },
    { type: "final", turn: 1, text: "What time is it?" },
    state(1, "THINKING"),
    { type: "token", turn: 1, text: "It is " },
    { type: "token", turn: 1, text: "noon." },
  );
  assert.deepEqual([turn.number, turn.said, turn.reply, turn.isFinal], [1, "What time is it?", "It is noon.", true]);
  assert.equal(conversation.current, turn);
  feed(conversation, done(1, "completed", 11));
  assert.equal(conversation.isBusy, false);
  assert.deepEqual(turn.segments(false), [{ text: "It is noon.", kind: "said" }]);
  assert.deepEqual(Object.keys(turn.marks).sort(), ["done", "final", "first_partial", "first_token"]);
});

test("the words of a phrase in pieces come one piece after the other", () => {
  const conversation = new Conversation();
  const turn = conversation.ask("typed", 0, "count");
  feed(
    conversation,
    state(1, "THINKING"),
    { type: "token", turn: 1, text: "One two." },
    { type: "tts_phrase", turn: 1, phrase: 0, start: 0, end: 8, sample_rate: 22050 },
    { type: "tts_words", turn: 1, phrase: 0, words: [[0, 0]] },
    { type: "tts_words", turn: 1, phrase: 0, words: [[8000, 4]] },
    { type: "tts_words", turn: 1, phrase: 7, words: [[8000, 4]] },
  );
  assert.deepEqual(turn.phrases[0].words, [[0, 0], [8000, 4]]);
});

test("what was not heard is what the server says, and before that a guess", () => {
  const conversation = new Conversation();
  const turn = conversation.ask("typed", 0, "count");
  feed(
    conversation,
    state(1, "THINKING"),
    { type: "token", turn: 1, text: "One. Two three four. Five." },
    { type: "tts_phrase", turn: 1, phrase: 0, start: 0, end: 5, sample_rate: 22050 },
    { type: "tts_phrase", turn: 1, phrase: 1, start: 5, end: 21, sample_rate: 22050 },
    { type: "tts_phrase_done", turn: 1, phrase: 1, samples: 16000 },
  );
  turn.place(/** @type {any} */ ({ phrase: 0, first: 0 }));
  turn.place(/** @type {any} */ ({ phrase: 1, first: 8000 }));
  turn.position = 4000;
  assert.deepEqual(turn.segments(true)[0], { text: "One. ", kind: "now" });
  turn.position = 18_000;
  assert.deepEqual(turn.segments(true).map((piece) => piece.kind), ["said", "now", "rest"]);
  turn.silenced = true;
  assert.equal(turn.segments(true)[0].text, "One. Two three");
  feed(conversation, done(1, "cancelled", 9));
  assert.deepEqual(turn.segments(false), [
    { text: "One. Two ", kind: "said" },
    { text: "three four. Five.", kind: "lost" },
  ]);
  assert.equal(asText(conversation.turns), "You: count\nAssistant: One. Two\n(not heard: three four. Five.)\n");
});

test("cancel and start in one breath: numbers go to the turns in order", () => {
  const conversation = new Conversation();
  const first = conversation.ask("typed", 0, "one");
  feed(conversation, state(1, "THINKING"));
  const second = conversation.ask("spoken", 1);
  feed(conversation, state(1, "COMPLETE"), done(1, "cancelled"), state(2, "CAPTURING"));
  assert.deepEqual([first.number, second.number, conversation.current], [1, 2, second]);
});

test("a turn that is opened again shows its new words only, under the same number", () => {
  const conversation = new Conversation();
  const turn = conversation.ask("spoken", 0);
  feed(
    conversation,
    state(1, "CAPTURING"),
    { type: "partial", turn: 1, keep: 0, text: "call my", stable: 4 },
    { type: "final", turn: 1, text: "Call my." },
    state(1, "THINKING"),
    { type: "info", turn: 1, code: "new", message: "So it is." },
    { type: "token", turn: 1, text: "Whom?" },
    { type: "tts_phrase", turn: 1, phrase: 0, start: 0, end: 5, sample_rate: 22050 },
  );
  const { key, sound } = turn;
  feed(conversation, { type: "reopened", turn: 1, revision: 1 }, state(1, "CAPTURING"));
  assert.deepEqual([turn.said, turn.stable, turn.isFinal, turn.reply, turn.phrases, turn.troubles], ["", 0, false, "", [], []]);
  assert.deepEqual(Object.keys(turn.marks), ["first_partial"]);
  assert.ok(turn.key === key && turn.sound > sound);
  assert.equal(conversation.withSound(sound), undefined);
  assert.equal(conversation.withSound(turn.sound), turn);
  feed(
    conversation,
    { type: "partial", turn: 1, keep: 0, text: "call my mother", stable: 7 },
    { type: "final", turn: 1, text: "Call my mother." },
    { type: "token", turn: 1, text: "I do." },
    done(1, "completed", 5),
  );
  assert.deepEqual([turn.said, turn.reply, conversation.turns.length], ["Call my mother.", "I do.", 1]);
});

test("an interrupted turn is held until its end, and what was not heard of it is what the server says", () => {
  const conversation = new Conversation();
  const turn = conversation.ask("spoken", 0);
  feed(conversation, state(1, "CAPTURING"), state(1, "RESPONDING"), { type: "token", turn: 1, text: "One. Two. Three." });
  feed(conversation, { type: "hold", turn: 1, sample: 9000 });
  assert.equal(turn.isHeld, true);
  feed(conversation, { type: "release", turn: 1, sample: 9000 });
  assert.equal(turn.isHeld, false);
  feed(conversation, { type: "hold", turn: 1, sample: 9500 }, state(1, "COMPLETE"), done(1, "interrupted", 5));
  assert.deepEqual(turn.segments(false), [
    { text: "One. ", kind: "said" },
    { text: "Two. Three.", kind: "lost" },
  ]);
  feed(conversation, state(2, "CAPTURING"));
  assert.deepEqual([conversation.turns.length, conversation.current?.number, conversation.current?.isHeld], [2, 2, false]);
});

test("hands-free begins turns by itself, and one without words leaves no trace", () => {
  const conversation = new Conversation();
  feed(conversation, state(1, "CAPTURING"));
  assert.equal(conversation.turns.length, 1);
  feed(conversation, done(1, "empty"));
  assert.equal(conversation.turns.length, 0);
});

test("what the server does not take is given back; what broke off stays as far as it came", () => {
  const conversation = new Conversation();
  const refused = conversation.ask("typed", 0, "now?");
  assert.equal(conversation.reject(), refused);
  assert.equal(conversation.reject(), null);
  conversation.ask("typed", 0, "hello");
  feed(conversation, state(1, "THINKING"), { type: "token", turn: 1, text: "Well" });
  conversation.ask("spoken", 0);
  assert.equal(conversation.breakOff().length, 2);
  assert.deepEqual(conversation.turns.map((turn) => [turn.said, turn.outcome]), [["hello", "lost"]]);
  feed(conversation, state(1, "THINKING"));
  assert.equal(conversation.turns.length, 2, "numbers begin anew");
});

test("a turn that the server cannot take yet is asked for again, and looks as if nothing had been", () => {
  const conversation = new Conversation();
  const turn = conversation.ask("typed", 0, "hello");
  feed(conversation, state(1, "THINKING"), { type: "error", turn: 1, code: "PROTOCOL_VIOLATION", message: "in use" });
  turn.isPostponed = true;
  feed(conversation, state(1, "COMPLETE"), done(1, "failed"));
  assert.deepEqual([turn.isOver, turn.number, turn.troubles, turn.marks], [false, null, [], {}]);
  assert.equal(conversation.current, turn);
  conversation.askAgain(turn);
  assert.equal(conversation.current, null);
  feed(conversation, state(2, "THINKING"), { type: "token", turn: 2, text: "Hi." }, done(2, "completed", 3));
  assert.deepEqual([turn.number, turn.reply, turn.outcome], [2, "Hi.", "completed"]);
});

test("a postponed turn that nobody wants any more is over, and one without words gone", () => {
  const conversation = new Conversation();
  for (const [kind, said, left] of [["typed", "hello", 1], ["spoken", "", 1]]) {
    const turn = conversation.append(new Turn(kind, 0, said));
    turn.isPostponed = true;
    conversation.giveUp(turn);
    assert.equal(turn.outcome, "cancelled");
    assert.equal(conversation.turns.length, left);
  }
  assert.equal(conversation.isBusy, false);
});

test("a lost socket breaks off what it carried, and no recording", () => {
  const conversation = new Conversation();
  const recorded = conversation.append(new Turn("spoken", 0));
  recorded.isUpload = true;
  const postponed = conversation.append(new Turn("typed", 0, "hello"));
  postponed.isPostponed = true;
  assert.deepEqual(conversation.breakOff(), [postponed]);
  assert.deepEqual([postponed.outcome, recorded.outcome], ["lost", null]);
});

test("an error of a turn is kept in plain words", () => {
  const conversation = new Conversation();
  conversation.ask("typed", 0, "hello");
  feed(conversation, state(1, "THINKING"), { type: "error", turn: 1, code: "LLM_FAIL", message: "The key is wrong." });
  assert.deepEqual(conversation.turns[0].troubles, [{ title: "The language model failed.", text: "The key is wrong." }]);
  for (const code of ["ASR_TIMEOUT", "ASR_FAIL", "LLM_TIMEOUT", "TTS_FAIL", "INTERNAL", "MAX_DURATION_EXCEEDED", "NEW"]) {
    assert.ok(troubleOfTurn({ code, message: "m" }).title);
  }
  assert.match(troubleOfTurn({ code: "INTERNAL", message: "m", incident: "abc" }).text, /abc/);
});

test("a page that cannot listen says why", () => {
  const able = { isSecureContext: true, hasMicrophone: true, hasWorklets: true, hasRecorder: true };
  assert.equal(troubleOfPage(able), null);
  assert.equal(troubleOfPage({ ...able, hasWorklets: false }), null);
  assert.match(troubleOfPage({ ...able, isSecureContext: false }).text, /STREAM_TLS_SELF_SIGNED/);
  assert.match(troubleOfPage({ ...able, hasMicrophone: false }).title, /no microphone/);
  assert.match(troubleOfPage({ ...able, hasWorklets: false, hasRecorder: false }).title, /no microphone/);
  for (const name of ["NotAllowedError", "NotFoundError", "NotReadableError", "OddError"]) {
    assert.ok(troubleOfMicrophone(name).text);
  }
});

test("only what the server offers is asked for", () => {
  const chosen = { voice: "en-gb", speed: 1.5, language: "de" };
  const offer = { voices: ["en-us"], languages: ["en"] };
  assert.deepEqual(requestOf(/** @type {any} */ (chosen), offer), { speed: 1.5 });
  assert.deepEqual(requestOf(/** @type {any} */ (chosen), { voices: ["en-gb"], languages: [] }), chosen);
});

test("latency has one axis, with the person's last word at 0", () => {
  const marks = { speech_start: 200, first_partial: 600, speech_end: 3000, final: 3800, first_audio: 3950, done: 9000 };
  const latency = { t_first_partial_ms: 380, t_final_transcript_ms: 790, t_first_audio_ms: 880, total_reply_ms: 5900 };
  const rows = rowsOf(marks, /** @type {any} */ (latency));
  const at = Object.fromEntries(rows.map((row) => [row.name, [row.server, row.page]]));
  assert.deepEqual(at.first_partial, [-2420, -2400]);
  assert.deepEqual(at.final, [790, 800]);
  assert.deepEqual(at.speech_end, [0, 0]);
  assert.equal(at.first_token, undefined);
  assert.equal(summaryOf(rows, 700), "First sound after 0.95 s; 0.7 s of it was waiting for your pause");
  assert.equal(summaryOf(rows, 1400), "First sound after 0.95 s; 0.8 s of it was waiting for your pause");
  assert.equal(summaryOf(rows, 0), "First sound after 0.95 s");
  const scale = scaleOf(rows);
  assert.equal(scale(-2800), 0, "what was before has no part in it");
  for (const ms of [0, 100, 475, 950]) assert.ok(Math.abs(scale(ms) - (0.88 * ms) / 950) < 1e-9, "one measure as far as the first sound");
  assert.equal(scale(6000), 1);
  assert.deepEqual(ticksOf(rows), [0, 200, 400, 600, 800]);
  const typed = rowsOf({ final: 0, first_token: 300, done: 400 }, null);
  assert.equal(summaryOf(typed, 0), "First word after 0.30 s");
  assert.deepEqual(ticksOf(typed), [0, 100, 200, 300]);
  assert.equal(summaryOf(rowsOf({}, null), 0), "Timing");
});

test("samples and bytes", () => {
  assert.deepEqual([...toInt16(Float32Array.of(0, 1, -1, 2, 0.5))], [0, 32767, -32767, 32767, 16384]);
  assert.deepEqual([...toFloat32(Int16Array.of(0, 16384, -32768))], [0, 0.5, -1]);
  const framer = new Framer(3);
  /** @type {number[][]} */
  const pieces = [];
  for (const piece of [[1, 2], [3, 4, 5, 6, 7]]) framer.push(Float32Array.from(piece), (one) => pieces.push([...one]));
  assert.deepEqual(pieces, [[1, 2, 3], [4, 5, 6]]);
  assert.deepEqual(loudness(new Float32Array(4)), { rms: 0, silent: true });
  assert.deepEqual(loudness(Float32Array.of(0.5, -0.5)), { rms: 0.5, silent: false });
});

test("the samples of a WAV file, whatever stands before them", () => {
  const chunk = (name, bytes) => [...Buffer.from(name), bytes.length, 0, 0, 0, ...bytes];
  const body = [...chunk("LIST", [1, 2]), ...chunk("data", [1, 0, 255, 255])];
  const file = [...Buffer.from("RIFF"), 0, 0, 0, 0, ...Buffer.from("WAVE"), ...body];
  assert.deepEqual([...fromWav(Buffer.from(file).toString("base64"))], [1, -1]);
  assert.deepEqual([...fromWav(Buffer.from(file.slice(0, 16)).toString("base64"))], []);
});

test("tools are shown by their calls, and those of what is void are not", () => {
  const conversation = new Conversation();
  const turn = conversation.ask("spoken", 0);
  const tool = (call, state, result) => ({ type: "tool", turn: 1, call, name: "look_up", arguments: "{}", state, result });
  feed(conversation, state(1, "CAPTURING"), state(1, "THINKING"), tool("a", "started"), tool("b", "started"));
  feed(conversation, tool("b", "done", "It is noon."), tool("a", "failed", "No."));
  assert.deepEqual(turn.calls.map((one) => [one.call, one.state, one.result]), [["a", "failed", "No."], ["b", "done", "It is noon."]]);
  assert.equal(asText([turn]), "You: \n(used look_up {}: No.)\n(used look_up {}: It is noon.)\n");
  feed(conversation, { type: "reopened", turn: 1, revision: 1 });
  assert.deepEqual(turn.calls, []);
});
