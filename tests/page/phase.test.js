import assert from "node:assert/strict";
import { test } from "node:test";

import { phaseOf } from "../../static/js/phase.js";
import { Turn } from "../../static/js/turn.js";

/** @type {import("../../static/js/phase.js").Standing} */
const REST = {
  ...{ isOpening: false, isHandsFree: false, canInterrupt: false, wantsToken: false, status: "open", reconnectAt: 0 },
  ...{ upload: null, isPosting: false, postAt: 0, isSounding: false, feed: "off", turn: null, asked: null },
};

const turn = (kind, state, more = {}) => Object.assign(new Turn(kind, 0, "hello"), { state, ...more });

test("each standing has its word", () => {
  for (const [word, standing] of /** @type {[string, object][]} */ ([
    ["ready", {}],
    ["ready", { status: "closed" }],
    ["opening", { isOpening: true, status: "waiting" }],
    ["offline", { status: "waiting" }],
    ["offline", { status: "connecting", asked: turn("typed", "ASKED") }],
    ["answering", { status: "waiting", isSounding: true }],
    ["listening", { upload: turn("spoken", "CAPTURING"), status: "closed" }],
    ["thinking", { upload: turn("spoken", "THINKING"), status: "connecting" }],
    ["listening", { feed: "held", turn: turn("typed", "RESPONDING") }],
    ["listening", { asked: turn("spoken", "ASKED") }],
    ["thinking", { asked: turn("typed", "ASKED") }],
    ["listening", { turn: turn("spoken", "CAPTURING") }],
    ["thinking", { turn: turn("spoken", "THINKING") }],
    ["thinking", { turn: turn("typed", "ASKED", { isPostponed: true }) }],
    ["answering", { turn: turn("spoken", "RESPONDING"), feed: "on" }],
    ["held", { turn: turn("spoken", "RESPONDING", { isHeld: true }), isSounding: true, isHandsFree: true, feed: "on" }],
    ["ready", { turn: turn("spoken", "RESPONDING", { silenced: true }) }],
    ["ready", { turn: turn("spoken", "RESPONDING", { isHeld: true, silenced: true }) }],
    ["answering", { isSounding: true }],
    ["waiting", { isHandsFree: true, feed: "on" }],
    ["ready", { isHandsFree: true }],
  ])) {
    assert.equal(phaseOf({ ...REST, ...standing }), word, JSON.stringify(standing));
  }
});
