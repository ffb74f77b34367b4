"""A slow client gets fewer partials, and everything else."""

import trio

from voice_trio.core import messages as m
from voice_trio.core.messages import InfoCode
from voice_trio.testing.conversation import conversation
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedRecognizer, ScriptedReply, scripted_engines


async def test_partials_thin_to_every_third_and_come_back(autojump_clock):
    recognizer = ScriptedRecognizer(words=[f"word{n}" for n in range(300)], word_ms=200)
    engines = scripted_engines(recognizer=recognizer)
    with trio.fail_after(600):
        async with conversation(
            engines=engines, read_s=1.0, partial_interval_ms=300, send_queue_high=4, max_utterance_ms=60_000
        ) as talk:
            await talk.ask(m.Start(mode="hold"))
            await talk.say(30_000)
            talk.read_s = 0.0
            await talk.say(6000)
            await talk.ask(m.Stop())
            final = await talk.wait_for(m.Final)
            await talk.wait_for(m.Done)
    active = [event.active for event in talk.heard if isinstance(event, m.Info) and event.code is InfoCode.THROTTLED]
    assert active == [True, False] * (len(active) // 2)
    assert active
    shown, partials = "", [event for event in talk.of_turn(1) if isinstance(event, m.Partial)]
    for partial in partials:
        shown = shown[: partial.keep] + partial.text
    assert final.text.startswith(shown)
    # 36 s at one each 300 ms would be 120 partials; 30 s of it come thinned to a third, one or two before that starts.
    assert 34 + 20 - 5 <= len(partials) <= 34 + 20 + 8


async def test_nothing_but_partials_is_ever_dropped(autojump_clock):
    tokens = [f"Word number {n}. " for n in range(60)]
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=tokens, token_s=0.0)])
    with trio.fail_after(3600):
        async with conversation(engines=scripted_engines(language_model=model), read_s=0.3) as talk:
            await talk.ask(m.Text(text="go"))
            await talk.wait_for(m.Done)
    assert talk.reply(1) == "".join(tokens)
    chunks = [event for event in talk.of_turn(1) if isinstance(event, m.TtsChunk)]
    assert [chunk.seq for chunk in chunks] == list(range(len(chunks)))
    phrases = [event.phrase for event in talk.of_turn(1) if isinstance(event, m.TtsPhraseDone)]
    assert phrases == list(range(60))


async def test_phrases_that_wait_for_the_voice_are_bounded(autojump_clock, monkeypatch):
    waiting = []

    original = trio.MemorySendChannel.send

    async def send(self, value):
        await original(self, value)
        if type(value).__name__ == "Phrase":
            waiting.append(self.statistics().current_buffer_used)

    monkeypatch.setattr(trio.MemorySendChannel, "send", send)
    tokens = [f"Word number {n}. " for n in range(40)]
    model = ScriptedLanguageModel(replies=[ScriptedReply(tokens=tokens, token_s=0.0)])
    with trio.fail_after(600):
        async with conversation(engines=scripted_engines(language_model=model), max_pending_phrases=3) as talk:
            await talk.ask(m.Text(text="go"))
            await talk.wait_for(m.Done)
    assert max(waiting) == 3
