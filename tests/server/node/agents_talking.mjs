// The Agents SDK for node: `node agents_talking.mjs SCENARIO URL [KEY]` prints a line of JSON for each event of the
// server, and for each of its own, whose types begin with `agents.`. At the end it prints what it has of the history.

import { RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";

// No part of what the package exports: it says which events the SDK passes over without a word.
import { parseRealtimeEvent } from "../../../node_modules/@openai/agents-realtime/dist/openaiRealtimeEvents.mjs";
import { silent, voiced } from "./sound.mjs";

const [scenario, url, apiKey = "any"] = process.argv.slice(2);
const print = (event) => console.log(JSON.stringify(event));

const weather = tool({
  name: "weather",
  description: "Say how the weather is.",
  strict: true,
  parameters: {
    type: "object",
    properties: { place: { type: "string" } },
    required: ["place"],
    additionalProperties: false,
  },
  execute({ place }) {
    print({ type: "agents.called", place });
    return "sunny";
  },
});

const expert = new RealtimeAgent({ name: "Expert", instructions: "Be exact.", handoffDescription: "Knows it all." });
const agent = new RealtimeAgent({
  name: "Assistant",
  instructions: "Be brief.",
  tools: [weather],
  handoffs: [expert],
});

const OWN = ["agent_start", "agent_end", "agent_tool_start", "agent_tool_end", "audio_start", "audio_stopped"];

class Talk {
  #types = [];
  #news = () => {};

  constructor(input = {}) {
    this.session = new RealtimeSession(agent, {
      transport: "websocket",
      tracingDisabled: true,
      config: { audio: { input } },
    });
    this.session.on("transport_event", (event) => {
      if (event.event_id) this.#server(event);
    });
    this.session.on("error", ({ error }) => {
      this.#take({ type: "agents.error", error: error instanceof Error ? error.message : error });
    });
    this.session.on("audio_interrupted", () => this.#take({ type: "agents.audio_interrupted" }));
    this.session.on("agent_handoff", (context, from, to) => {
      this.#take({ type: "agents.handed_over", to: to.name });
    });
    for (const type of OWN) this.session.on(type, () => this.#take({ type: `agents.${type}` }));
    this.session.transport.on("connection_change", (status) => this.#take({ type: `agents.${status}` }));
  }

  #server(event) {
    this.#take(event);
    if (parseRealtimeEvent({ data: JSON.stringify(event) }).isGeneric) print({ type: "agents.passed_over", event });
  }

  #take(event) {
    print(event);
    this.#types.push(event.type);
    this.#news();
  }

  // Wait for the next event of each of those types, in whatever order; others before the last of them are passed over.
  async until(...types) {
    const missing = new Set(types);
    for (;;) {
      while (this.#types.length > 0) {
        missing.delete(this.#types.shift());
        if (missing.size === 0) return;
      }
      await new Promise((resolve) => (this.#news = resolve));
    }
  }

  say(...parts) {
    const { buffer, byteOffset, byteLength } = Buffer.concat(parts);
    this.session.sendAudio(buffer.slice(byteOffset, byteOffset + byteLength));
  }

  send(type, fields = {}) {
    this.session.transport.sendEvent({ type, ...fields });
  }
}

async function connected(input) {
  const talk = new Talk(input);
  await talk.session.connect({ apiKey, url });
  await talk.until("session.updated");
  return talk;
}

const scenarios = {
  async typed(talk) {
    talk.session.sendMessage("How is the weather?");
    await talk.until("agents.agent_end");
  },

  async spoken(talk) {
    talk.say(voiced(1500), silent(2500));
    // Once it knows the words, it asks for the item.
    await talk.until("agents.agent_end", "conversation.item.retrieved");
  },

  async push_to_talk(talk) {
    talk.say(voiced(1500));
    talk.send("input_audio_buffer.commit");
    talk.session.transport.requestResponse();
    await talk.until("agents.agent_end");
  },

  async stopped(talk) {
    talk.session.sendMessage("Tell me a story.");
    await talk.until("agents.audio_start");
    talk.session.interrupt();
    await talk.until("agents.agent_end", "conversation.item.retrieved");
    talk.session.sendMessage("And now?");
    await talk.until("agents.agent_end");
  },

  async interrupted(talk) {
    talk.session.sendMessage("Tell me a story.");
    await talk.until("agents.audio_start");
    talk.say(voiced(1500), silent(2500));
    await talk.until("agents.audio_interrupted");
    await talk.until("agents.agent_end", "conversation.item.retrieved");
  },

  async called(talk) {
    talk.session.sendMessage("How is the weather at sea?");
    await talk.until("agents.agent_tool_end");
    await talk.until("agents.audio_stopped");
    await talk.until("agents.agent_end");
  },

  async text_only(talk) {
    talk.send("session.update", { session: { type: "realtime", output_modalities: ["text"] } });
    await scenarios.typed(talk);
  },

  async aside(talk) {
    talk.session.transport.requestResponse({ conversation: "none", output_modalities: ["text"], input: [] });
    await talk.until("agents.agent_end");
    await scenarios.typed(talk);
  },

  async handed_over(talk) {
    talk.session.sendMessage("Who knows it?");
    await talk.until("agents.handed_over");
    await talk.until("agents.audio_stopped");
    await talk.until("agents.agent_end");
  },

  async rewritten(talk) {
    await scenarios.typed(talk);
    talk.session.updateHistory((history) => history.slice(0, -1));
    await scenarios.typed(talk);
  },

  async shown(talk) {
    talk.session.addImage("data:image/png;base64,iVBORw0KGgo=", { triggerResponse: false });
    await talk.until("conversation.item.done");
    await scenarios.typed(talk);
  },

  async garbage(talk) {
    talk.send("nonsense", { event_id: "mine" });
    await talk.until("error");
    await scenarios.typed(talk);
  },
};

const INPUTS = {
  push_to_talk: { turnDetection: null },
  server_vad: { turnDetection: { type: "server_vad" } },
};

if (scenario === "refused") {
  const talk = new Talk();
  await talk.session.connect({ apiKey, url }).catch((error) => print({ type: "agents.error", error: error.message }));
  await talk.until("agents.disconnected");
} else {
  const talk = await connected(INPUTS[scenario]);
  await (scenarios[scenario] ?? scenarios.spoken)(talk);
  print({ type: "agents.history", history: talk.session.history });
  talk.session.close();
}
