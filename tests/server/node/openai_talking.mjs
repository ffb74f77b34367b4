// OpenAI's client for node: `node openai_talking.mjs SCENARIO BASE_URL [KEY]` prints a line of JSON for each event that
// came. Those of its own making are `client.error`, `client.closed` and `client.found`.

import OpenAI, { toFile } from "openai";
import { OpenAIRealtimeWS } from "openai/realtime/ws";

import { silent, voiced } from "./sound.mjs";

const [scenario, baseURL, apiKey = "any"] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const print = (event) => console.log(JSON.stringify(event));

class Talk {
  #events = [];
  #news = () => {};

  constructor(asking = client) {
    this.realtime = new OpenAIRealtimeWS({ model: "gpt-realtime" }, asking);
    this.realtime.on("event", (event) => this.#take(event));
    this.realtime.on("error", (error) => {
      // What the server told of was taken as an event.
      if (!error.error) this.#take({ type: "client.error", message: error.message });
    });
    this.realtime.socket.on("close", (code, reason) =>
      this.#take({ type: "client.closed", code, reason: reason.toString() }),
    );
  }

  #take(event) {
    print(event);
    this.#events.push(event);
    this.#news();
  }

  // Return the next event of that type; those before it are passed over.
  async until(type) {
    for (;;) {
      while (this.#events.length > 0) {
        const event = this.#events.shift();
        if (event.type === type) return event;
      }
      await new Promise((resolve) => (this.#news = resolve));
    }
  }

  send(type, fields = {}) {
    this.realtime.send({ type, ...fields });
  }

  say(...parts) {
    this.send("input_audio_buffer.append", { audio: Buffer.concat(parts).toString("base64") });
  }

  write(text) {
    const content = [{ type: "input_text", text }];
    this.send("conversation.item.create", { item: { type: "message", role: "user", content } });
  }

  async update(session) {
    this.send("session.update", { session: { type: "realtime", ...session } });
    return this.until("session.updated");
  }

  async hearing(input, rest = {}) {
    return this.update({ audio: { input: { transcription: { model: "whisper-1" }, ...input } }, ...rest });
  }

  async close() {
    this.realtime.close();
    await this.until("client.closed");
  }
}

async function opened(asking) {
  const talk = new Talk(asking);
  await talk.until("session.created");
  return talk;
}

const scenarios = {
  async typed(talk) {
    talk.write("How is the weather?");
    talk.send("response.create", { response: { metadata: { topic: "weather" } } });
    await talk.until("response.done");
  },

  async text_only(talk) {
    await talk.update({ output_modalities: ["text"] });
    await scenarios.typed(talk);
  },

  async spoken(talk, type) {
    await talk.hearing({ turn_detection: { type } });
    talk.say(voiced(1500), silent(2500));
    const { item_id } = await talk.until("conversation.item.input_audio_transcription.completed");
    await talk.until("response.done");
    talk.send("conversation.item.retrieve", { item_id });
    await talk.until("conversation.item.retrieved");
  },

  server_vad: (talk) => scenarios.spoken(talk, "server_vad"),

  semantic_vad: (talk) => scenarios.spoken(talk, "semantic_vad"),

  async push_to_talk(talk) {
    await talk.hearing({ turn_detection: null, format: { type: "audio/pcm", rate: 24000 } });
    talk.say(voiced(1500));
    talk.send("input_audio_buffer.commit");
    talk.send("response.create");
    await talk.until("response.done");
  },

  async cancelled(talk) {
    talk.write("Tell me a story.");
    talk.send("response.create");
    await talk.until("response.output_audio.delta");
    talk.send("response.cancel");
    await talk.until("response.done");
    talk.send("response.cancel", { event_id: "late" });
    await talk.until("error");
  },

  async interrupted(talk) {
    await talk.hearing({ turn_detection: { type: "server_vad" } });
    talk.write("Tell me a story.");
    talk.send("response.create");
    const { item_id } = await talk.until("response.output_audio.delta");
    talk.say(voiced(1500));
    await talk.until("input_audio_buffer.speech_started");
    talk.send("conversation.item.truncate", { item_id, content_index: 0, audio_end_ms: 700 });
    talk.send("conversation.item.retrieve", { item_id });
    await talk.until("conversation.item.retrieved");
    // Only now, so that what is remembered cannot be asked for before it is cut.
    talk.say(silent(1500));
    await talk.until("response.done");
  },

  async called(talk) {
    const parameters = { type: "object", properties: { place: { type: "string" } }, required: ["place"] };
    await talk.update({ tools: [{ type: "function", name: "weather", description: "How it is.", parameters }] });
    talk.write("How is the weather at sea?");
    talk.send("response.create");
    const { call_id, arguments: given } = await talk.until("response.function_call_arguments.done");
    await talk.until("response.done");
    const output = `sunny at ${JSON.parse(given).place}`;
    talk.send("conversation.item.create", { item: { type: "function_call_output", call_id, output } });
    talk.send("response.create");
    await talk.until("response.done");
  },

  async aside(talk) {
    talk.write("How is the weather?");
    const input = [{ type: "message", role: "user", content: [{ type: "input_text", text: "Which topic is it?" }] }];
    const response = { conversation: "none", output_modalities: ["text"], metadata: { topic: "yes" }, input };
    talk.send("response.create", { response });
    await talk.until("response.done");
    talk.send("response.create");
    await talk.until("response.done");
  },

  async garbage(talk) {
    talk.realtime.socket.send("{");
    talk.realtime.socket.send(Buffer.from([0]));
    talk.send("nonsense", { event_id: "mine" });
    talk.send("session.update", { session: { audio: { input: { format: { type: "audio/mp7" } } } } });
    for (let count = 0; count < 4; count += 1) await talk.until("error");
    await scenarios.text_only(talk);
  },

  async crowded() {
    await new Talk().until("client.closed");
  },

  async secret() {
    const session = { type: "realtime", instructions: "Be kind." };
    const { value } = await client.realtime.clientSecrets.create({ session });
    const talk = await opened(new OpenAI({ baseURL, apiKey: value }));
    await talk.close();
  },

  async audio_api() {
    const speech = await client.audio.speech.create({
      model: "tts-1", voice: "alloy", input: "It is sunny today, I think.", response_format: "wav",
    });
    const wav = Buffer.from(await speech.arrayBuffer());
    const file = await toFile(wav, "speech.wav");
    const { text } = await client.audio.transcriptions.create({ model: "whisper-1", file });
    const models = [];
    for await (const model of client.models.list()) models.push(model.id);
    print({ type: "client.found", bytes: wav.length, text, models });
  },
};

if (scenario === "refused") {
  await new Talk().until("client.closed");
} else {
  const talk = await opened();
  await scenarios[scenario](talk);
  await talk.close();
}
