/** Puts the page together: what a person touches on one side, the assistant on the other. */

import { Api } from "./api.js";
import { Assistant } from "./assistant.js";
import { Microphone } from "./capture.js";
import { loadChoices, saveChoices } from "./choices.js";
import { copy } from "./clipboard.js";
import { asText } from "./conversation.js";
import { byId, make, setText, showLine } from "./dom.js";
import { Engines } from "./engines.js";
import { EnginesView } from "./engines-view.js";
import { installWorker } from "./install.js";
import { Keeping } from "./keeping.js";
import { listenToKeys } from "./keys.js";
import { NoticesView } from "./notices-view.js";
import { limitsOf } from "./offer.js";
import { hasOpus } from "./opus.js";
import { OrbView } from "./orb-view.js";
import { Recording } from "./recording.js";
import { Settings } from "./settings.js";
import { SetupView } from "./setup-view.js";
import { StatusView } from "./status-view.js";
import { TalkButton } from "./talk-button.js";
import { TimersView } from "./timers-view.js";
import { TranscriptView } from "./transcript-view.js";
import { troubleOfPage } from "./trouble.js";

const choices = loadChoices();
// A proxy may serve the page under any path, so whatever it asks for is asked for beside itself.
const socket = new URL("ws", document.baseURI);
socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
const api = new Api(new URL("api/", document.baseURI).href, () => choices.token);
const assistant = new Assistant(socket.href, api, choices);
const engines = new Engines(api);
const { audio, connection } = assistant.client;
const { speaker } = assistant.output;
const transcript = new TranscriptView((turn) => say(turn.said));
const timers = new TimersView((id) => assistant.session.cancelTimer(id));
const notices = new NoticesView();

const unable = troubleOfPage({
  isSecureContext,
  hasMicrophone: Microphone.isPossible,
  hasWorklets: assistant.input.canStream,
  hasRecorder: Recording.isPossible,
});
if (unable) notices.show("page", unable);
const status = new StatusView(() => assistant.standing, unable === null);
const orb = new OrbView(() => speaker.level);

// --- what the assistant tells ---------------------------------------------------------------------------------------

/** Turns whose words were announced, by key and part. @type {Set<string>} */
const announced = new Set();

/**
 * Has a screen reader say something once; the words on the page change too often to be announced themselves.
 *
 * @param {string} id
 * @param {string} text
 */
function announce(id, text) {
  if (announced.has(id) || !text.trim()) return;
  announced.add(id);
  setText(byId("announcer"), text);
}

/** @param {import("./turn.js").Turn} turn */
function showTurn(turn) {
  if (speaker.key === turn.sound) turn.position = Math.max(turn.position, speaker.heard(turn.sound));
  transcript.show(assistant.conversation.turns, [turn], speaker.key);
  if (turn.isFinal && turn.kind === "spoken") announce(`${turn.sound} said`, `You said: ${turn.said}`);
  if (turn.isOver) announce(`${turn.key} reply`, `Assistant: ${turn.audible}`);
  showWhetherThereAreAny();
}

function showWhetherThereAreAny() {
  const hasTurns = assistant.conversation.turns.length > 0;
  byId("welcome").hidden = hasTurns;
  for (const id of ["copy", "download", "new"]) /** @type {HTMLButtonElement} */ (byId(id)).disabled = !hasTurns;
}

/** Shows a conversation in the place of another; nothing of it is news. */
function showAll() {
  const { turns } = assistant.conversation;
  for (const turn of turns) announced.add(`${turn.key} reply`);
  transcript.show(turns, turns, speaker.key);
  showWhetherThereAreAny();
}

const keeping = new Keeping(assistant, {
  api,
  showAll,
  tell: (text) => setText(byId("announcer"), text),
});
byId("open-conversations").addEventListener("click", () => keeping.view.show());

let isFollowing = false;

/** Follows the sound from picture to picture, for as long as there is any. */
function follow() {
  const turn = assistant.conversation.withSound(speaker.key);
  if (turn) showTurn(turn);
  isFollowing = speaker.key !== null;
  if (isFollowing) requestAnimationFrame(follow);
}

assistant.events.on({
  turn: (turn) => {
    showTurn(turn);
    keeping.note(turn);
  },
  level: (rms) => (orb.input = rms),
  notice: (...told) => notices.show(...told),
  change: () => {
    status.show();
    orb.show(assistant.phase);
    if (!isFollowing) follow();
  },
});

// --- what a person does ---------------------------------------------------------------------------------------------

const talkButton = /** @type {HTMLButtonElement} */ (byId("talk"));
const talk = new TalkButton(talkButton, {
  press(mode) {
    if (talkButton.disabled) return false;
    const { phase } = assistant;
    if (phase === "listening" || phase === "opening") {
      if (assistant.isHandsFree && !assistant.conversation.current?.said) assistant.setHandsFree(false);
      else assistant.finish();
      return false;
    }
    if (phase === "waiting") {
      assistant.setHandsFree(false);
      return false;
    }
    assistant.talk(assistant.isHandsFree ? "hands_free" : mode);
    return !assistant.isHandsFree;
  },
  letGo: () => assistant.finish(),
});
listenToKeys({ talk, button: talkButton, silence: () => assistant.silence() });

const handsFree = /** @type {HTMLInputElement} */ (byId("hands-free"));
handsFree.addEventListener("change", () => assistant.setHandsFree(handsFree.checked));
byId("stop").addEventListener("click", () => assistant.silence());

const form = /** @type {HTMLFormElement} */ (byId("type"));
const box = /** @type {HTMLInputElement} */ (byId("text"));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = box.value.trim();
  box.value = "";
  status.show();
  if (text) say(text);
});
for (const chip of byId("chips").children) chip.addEventListener("click", () => say(chip.textContent ?? ""));

/** @param {string} text of a typed turn */
async function say(text) {
  // What could not be said is given back, unless something else stands there by now.
  if (await assistant.type(text)) return;
  box.value ||= text;
  status.show();
}

byId("new").addEventListener("click", () => {
  keeping.beginAnew();
  talkButton.focus();
});
byId("copy").addEventListener("click", async () => {
  const copied = await copy(asText(assistant.conversation.turns));
  setText(byId("announcer"), copied ? "Copied." : "The browser did not let it be copied.");
  status.showCopied(copied);
});
byId("download").addEventListener("click", () => {
  const file = new Blob([asText(assistant.conversation.turns)], { type: "text/plain" });
  const name = `conversation-${new Date().toISOString().slice(0, 10)}.txt`;
  const link = make("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});

const settings = new Settings(choices, { assistant, engines });
const enginesView = new EnginesView(engines);
const setup = new SetupView(engines);
engines.onchange = () => {
  settings.showSilence();
  enginesView.show();
  setup.show();
};

byId("limits").addEventListener("click", () => setup.open());

assistant.events.on({
  timers: (waiting) => timers.show(waiting),
  offer: () => {
    settings.offer();
    showLine(byId("limits"), limitsOf(assistant.session.server));
    // Whoever looks at them sees the change.
    if (settings.dialog.open || setup.dialog.open) engines.load();
    keeping.greeted();
  },
});

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = /** @type {HTMLInputElement} */ (byId("token"));
  assistant.session.present(input.value.trim());
  saveChoices(choices);
});

// Any touch may be the gesture that a browser waits for before it lets a page make sounds.
// For a mouse that is its press, for a finger its release.
for (const kind of ["pointerdown", "pointerup", "keydown"]) {
  addEventListener(kind, () => audio.isHeldBack && audio.open(), { capture: true });
}

// On the server's own machine there is nothing to be spared.
if (!/^(localhost|127\..*|\[::1\])$/.test(location.hostname)) {
  hasOpus().then((has) => (assistant.client.wantsOpus = has));
}
connection.connect();
installWorker();
