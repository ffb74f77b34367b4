import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler } from "../../static/js/resampler.js";

/** @param {number} hz @param {number} rate @param {number} count */
const tone = (hz, rate, count) => Float32Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** How strong `samples` are, in dB of a full tone, their first and last 50 ms left out. */
function level(samples, rate) {
  const middle = samples.slice(rate / 20, -rate / 20);
  const power = middle.reduce((sum, one) => sum + one * one, 0) / middle.length;
  return 10 * Math.log10(2 * power + 1e-20);
}

function whole(from, to, input, piece = 128) {
  const resampler = new Resampler(from, to);
  const parts = [];
  for (let at = 0; at < input.length; at += piece) parts.push(...resampler.push(input.subarray(at, at + piece)));
  return Float32Array.from([...parts, ...resampler.tail()]);
}

for (const rate of [44_100, 48_000, 96_000]) {
  test(`from ${rate} Hz, speech passes unchanged`, () => {
    for (const hz of [50, 200, 1000, 3000, 5000, 6500, 7000]) {
      assert.ok(Math.abs(level(whole(rate, 16_000, tone(hz, rate, rate / 2)), 16_000)) < 0.1, `${hz} Hz`);
    }
  });

  test(`from ${rate} Hz, what 16 kHz cannot hold is gone`, () => {
    for (const hz of [8000, 8100, 9000, 12_000, 15_900, 17_000, 20_000]) {
      assert.ok(level(whole(rate, 16_000, tone(hz, rate, rate / 2)), 16_000) < -60, `${hz} Hz`);
    }
  });
}

for (const rate of [44_100, 48_000]) {
  test(`to ${rate} Hz, nothing is heard that was not said`, () => {
    for (const hz of [440, 3000, 9000]) {
      const output = whole(22_050, rate, tone(hz, 22_050, 11_025));
      const wanted = tone(hz, rate, output.length);
      assert.ok(level(output.map((one, i) => one - wanted[i]), rate) < -60, `${hz} Hz`);
    }
  });
}

test("the output is as long as the input, and in its place, however it is cut", () => {
  const input = tone(700, 22_050, 5000);
  for (const [from, to] of [[22_050, 48_000], [22_050, 44_100], [48_000, 16_000], [44_100, 16_000], [16_000, 16_000]]) {
    const at = whole(from, to, input, 5000);
    assert.equal(at.length, Math.ceil((5000 * to) / from));
    for (const piece of [1, 7, 128, 441]) assert.deepEqual(whole(from, to, input, piece), at, `${from} to ${to} by ${piece}`);
  }
});

test("one that is reset begins anew", () => {
  const resampler = new Resampler(22_050, 48_000);
  const input = tone(500, 22_050, 1000);
  const first = [...resampler.push(input), ...resampler.tail()];
  resampler.reset();
  assert.deepEqual([...resampler.push(input), ...resampler.tail()], first);
});
