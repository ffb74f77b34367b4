import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { Api } from "../../static/js/api.js";
import { Engines, bestOf, detailOf, labelOf, missingOf } from "../../static/js/engines.js";
import { inWords } from "../../static/js/languages.js";
import { SamplePlayer } from "../../static/js/sample-player.js";
import { applyInfo, limitsOf } from "../../static/js/offer.js";
import { listening } from "./listening.js";
import { GREETING } from "./standins.js";

const CANDIDATE = { name: "x", title: "x", package: null, usable: true, why_not: null, command: null, fetches: null, fetching: false, in_use: false };

test("what an engine is called", () => {
  const label = (title, brought = null) => labelOf({ title, package: brought });
  assert.equal(label("the small built-in pocketsphinx"), "Small built-in pocketsphinx");
  assert.equal(label("a chat API"), "Chat API");
  assert.equal(label("another"), "Another");
  assert.equal(label("morse", "voice-morse 1.0"), "Morse (voice-morse 1.0)");
});

test("what is missing is a sentence, and its command stands by itself", () => {
  const command = "voice-trio models download small";
  const engines = [
    CANDIDATE,
    { ...CANDIDATE, title: "Whisper", usable: false, why_not: `small is not here: ${command}`, command },
    { ...CANDIDATE, title: "a chat API", usable: false, why_not: "none is configured" },
    { ...CANDIDATE, title: "odd", usable: false, command: "do it" },
  ];
  assert.deepEqual(missingOf({ at_work: "x", swapping_to: null, engines }), [
    { label: "Whisper", why: "small is not here.", command, candidate: engines[1] },
    { label: "Chat API", why: "none is configured.", command: null, candidate: engines[2] },
    { label: "Odd", why: ".", command: "do it", candidate: engines[3] },
  ]);
});

test("the best is one that this server can have; one on another machine counts where it is set", () => {
  const away = { ...CANDIDATE, name: "remote", usable: false, why_not: "no address of one is set" };
  const whisper = { ...CANDIDATE, name: "whisper", usable: false, command: "voice-trio models download small-int8" };
  const ofKind = (...engines) => ({ at_work: "x", swapping_to: null, engines });
  assert.equal(bestOf(ofKind(away, whisper, CANDIDATE)), whisper);
  assert.equal(bestOf(ofKind({ ...away, usable: true }, whisper)).name, "remote");
  assert.equal(bestOf(ofKind(away, CANDIDATE)), CANDIDATE);
  assert.equal(bestOf(ofKind(away)), away);
});

test("what is limited is one quiet line, as long as it is true", () => {
  const offer = { ...GREETING, asr: "moonshine tiny-en", llm: "parrot", languages: ["en"], limits: new Set() };
  assert.equal(limitsOf(offer), "");
  assert.equal(applyInfo(offer, { type: "info", code: "throttled" }), false);
  assert.equal(applyInfo(offer, { type: "info", code: "asr_fallback" }), true);
  assert.equal(applyInfo(offer, { type: "info", code: "llm_synthetic" }), true);
  assert.equal(limitsOf(offer), "No language model yet · English only");
  const changed = { type: "info", code: "engines_changed", llm: "parrot", voices: ["anna"], languages: ["en"] };
  assert.equal(applyInfo(offer, { ...changed, asr: "pocketsphinx", synthetic: false, command: "get it" }), true);
  assert.equal(limitsOf(offer), "Simple recognizer, English only");
  applyInfo(offer, { ...changed, asr: "moonshine tiny-en", command: "get it" });
  assert.equal(limitsOf(offer), "Understands English only");
  applyInfo(offer, { ...changed, asr: "odd", languages: [], command: "get it" });
  assert.equal(limitsOf(offer), "A better recognizer can be had");
  assert.equal(applyInfo(offer, { ...changed, asr: "great", languages: ["de"], synthetic: true }), true);
  assert.equal(limitsOf(offer), "No language model yet");
  assert.deepEqual([offer.asr, offer.voices, offer.languages], ["great", ["anna"], ["de"]]);
});

test("languages in few words", () => {
  const words = [[], ["en"], ["de", "en"], ["de", "en", "fr", "it"], ["xx"]].map(inWords);
  assert.deepEqual(words, ["", "English only", "German and English only", "4 languages", "xx only"]);
});

test("what is at work is told as far as its label does not say it", () => {
  const engines = [{ ...CANDIDATE, title: "Moonshine", in_use: true }];
  const detail = (at_work, more) => detailOf({ at_work, swapping_to: null, engines, ...more });
  assert.equal(detail("moonshine tiny-en", { languages: ["en"] }), "moonshine tiny-en: English only");
  assert.equal(detail("moonshine", { languages: ["en"] }), "English only");
  assert.equal(detail("moonshine", {}), "");
  const alone = { synthetic: true, advice: "Start one." };
  assert.equal(detail("skills", alone), "Only its skills answer. Start one.");
  assert.equal(detail("synthetic", alone), "Replies only repeat what was heard. Start one.");
});

/** Serves /api, each request by `answer`. */
async function serving(t, answer) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    asked.push([request.method, request.url, Buffer.concat(parts).toString(), request.headers.authorization]);
    answer(request, response, asked.length);
  });
  const address = await listening(t, server);
  return { url: `${address}/api/`, asked };
}

test("a swap is asked for with the token, and what comes of it is told", async (t) => {
  const { url, asked } = await serving(t, (request, response, count) => {
    if (count === 2) response.writeHead(503);
    response.end(JSON.stringify(count === 2 ? { error: { code: "ASR_FAIL", message: "It is torn." } } : { count }));
  });
  const engines = new Engines(new Api(url, () => "a tök€n"));
  const told = [];
  engines.onchange = () => told.push([engines.wish?.name, engines.list?.count, engines.trouble]);
  await engines.swap("recognizer", "great");
  assert.deepEqual(told, [["great", undefined, ""], ["great", 1, ""], [undefined, 1, ""]]);
  await engines.swap("recognizer", "torn");
  assert.deepEqual([engines.list.count, engines.trouble, engines.wish], [1, "It is torn.", null]);
  await engines.load();
  assert.deepEqual([engines.list.count, engines.trouble], [3, ""]);
  const bearer = `Bearer ${Buffer.from("a tök€n").toString("latin1")}`;
  assert.deepEqual(asked[0], ["PUT", "/api/engines/recognizer", '{"name":"great"}', bearer]);
  assert.deepEqual(asked[2].slice(0, 2), ["GET", "/api/engines"]);
});

test("what is fetched tells how far it is, and is asked for anew when it is here", async (t) => {
  const { url, asked } = await serving(t, (request, response) => {
    if (request.method === "GET") response.end('{"here":true}');
    else {
      // Lines come as they come, and not one by one.
      response.write('{"done":0,"total":0}\n{"done":5,');
      setImmediate(() => response.end('"total":9}\n{"fetched":"small"}\n'));
    }
  });
  const engines = new Engines(new Api(url, () => "a token"));
  const told = [];
  engines.onchange = () => told.push(engines.fetching && [engines.fetching.done, engines.fetching.total]);
  const fetched = engines.fetch("recognizer", "great");
  engines.fetch("recognizer", "another");
  await fetched;
  assert.deepEqual(told, [[0, 0], [0, 0], [5, 9], null]);
  assert.deepEqual([engines.fetched, engines.list, engines.trouble], [{ kind: "recognizer", name: "great" }, { here: true }, ""]);
  const paths = asked.map(([method, path, body, token]) => [method, path, body, token]);
  assert.deepEqual(paths, [
    ["POST", "/api/engines/recognizer/fetch", '{"name":"great"}', "Bearer a token"],
    ["GET", "/api/engines", "", "Bearer a token"],
  ]);
});

test("a fetch that comes to nothing says why, and one that is stopped nothing", async (t) => {
  const answers = [
    (response) => response.end('{"done":1,"total":9}\n{"error":{"code":"ASR_FAIL","message":"No connection."}}\n'),
    (response) => response.writeHead(409).end('{"error":{"code":"SERVER_BUSY","message":"It is being fetched already."}}'),
    (response) => response.end('{"done":1,"total":9}\n'),
    (response) => response.write('{"done":1,"total":9}\n'),
  ];
  const { url } = await serving(t, (request, response) => {
    if (request.method === "GET") response.end("{}");
    else answers.shift()(response);
  });
  const engines = new Engines(new Api(url, () => ""));
  const said = [];
  for (let count = 0; count < 3; count += 1) {
    await engines.fetch("recognizer", "great");
    said.push(engines.trouble);
    assert.deepEqual([engines.fetching, engines.fetched], [null, null]);
  }
  assert.deepEqual(said, ["No connection.", "It is being fetched already.", "The server does not answer."]);
  engines.onchange = () => engines.fetching?.done && engines.stopFetching();
  await engines.fetch("recognizer", "great");
  assert.deepEqual([engines.trouble, engines.fetching, engines.fetched], ["", null, null]);
});

test("an answer that was overtaken does not count, and a server that is gone is one sentence", async (t) => {
  const waiting = [];
  const { url } = await serving(t, (_request, response) => waiting.push(response));
  const engines = new Engines(new Api(url, () => ""));
  const first = engines.load();
  while (waiting.length < 1) await new Promise(setImmediate);
  const second = engines.load();
  while (waiting.length < 2) await new Promise(setImmediate);
  waiting[1].end('{"count":2}');
  await second;
  waiting[0].end('{"count":1}');
  await first;
  assert.equal(engines.list.count, 2);
  const gone = new Engines(new Api("http://127.0.0.1:1/api/", () => ""));
  await gone.load();
  assert.equal(gone.trouble, "The server does not answer.");
});

test("a sample is asked for by the voice's whole name", async (t) => {
  const { url, asked } = await serving(t, (_request, response) => response.end("RIFF"));
  const engines = new Engines(new Api(url, () => ""));
  assert.equal((await engines.sample("a/b ü?", "")).byteLength, 4);
  await engines.sample("de", "en");
  const paths = asked.map(([, path]) => path);
  assert.deepEqual(paths, ["/api/voices/a%2Fb%20%C3%BC%3F/sample", "/api/voices/de/sample?language=en"]);
});

test("one sample plays at a time, and one that is stopped is stopped at once", async () => {
  const sources = [];
  const context = {
    destination: {},
    decodeAudioData: async (bytes) => bytes,
    createBufferSource() {
      const source = { isPlaying: false, connect() {}, start: () => (source.isPlaying = true), onended() {} };
      source.stop = () => {
        source.isPlaying = false;
        source.onended();
      };
      sources.push(source);
      return source;
    },
  };
  const failed = [];
  const player = new SamplePlayer(/** @type {any} */ ({ open: async () => context }), async (voice) => {
    if (voice === "none") throw new Error("no such voice");
    return new ArrayBuffer(4);
  });
  player.onfail = (error) => failed.push(error.message);
  const turn = () => new Promise(setImmediate);
  const first = player.play("anna");
  await turn();
  assert.ok(sources[0].isPlaying && player.playing);
  const second = player.play("ben");
  await turn();
  assert.deepEqual(sources.map((one) => one.isPlaying), [false, true]);
  await first;
  assert.ok(player.playing, "the end of the first is not that of the second");
  sources[1].stop();
  await second;
  assert.equal(player.playing, null);
  await player.play("none");
  assert.deepEqual(failed, ["no such voice"]);
  const third = player.play("anna");
  player.stop();
  await third;
  assert.deepEqual([sources.length, failed.length, player.playing], [2, 1, null]);
});
