"""Conversations to record, in virtual time, with the link, engines and store that a session log knows nothing of."""

from contextlib import asynccontextmanager, nullcontext
from functools import partial

import trio
import trio.testing

from voice_trio.core import faults as core_faults, messages as m
from voice_trio.core.messages import ErrorCode, Outcome
from voice_trio.core.playout import UnpacedPlayout, WholePlayout
from voice_trio.engines.base import Alive, EngineError
from voice_trio.fault_tap import inject
from voice_trio.faults import Faults
from voice_trio.journal.compare import first_difference
from voice_trio.journal.entries import Entry
from voice_trio.journal.file import spell
from voice_trio.journal.read import parse
from voice_trio.journal.recorded_session import RecordedSession
from voice_trio.journal.replay import replay
from voice_trio.memory.in_process import InProcessStore
from voice_trio.session.farewell import Farewell
from voice_trio.session.link import Malformed
from voice_trio.testing import scripted
from voice_trio.testing.conversation import conversation
from voice_trio.testing.literal import LiteralRecognizer, spoken as spoken_words

TOLERANCE_S = 0.001


@asynccontextmanager
async def recording(notes, *, leaves_after_s=1.0, **options):
    """Hold a session that is recorded into the list ``notes``.

    The client vanishes so long after its last word; with None, the session is cancelled.
    """
    new_session = partial(RecordedSession, note=notes.append, keeping=nullcontext)
    with trio.CancelScope() as scope:
        async with conversation(new_session=new_session, **options) as talk:
            yield talk
            if leaves_after_s is None:
                scope.cancel()
                await trio.sleep_forever()
            await trio.sleep(leaves_after_s)


def record(converse):
    """Return what is noted of ``converse``."""
    notes: list[Entry] = []

    async def run():
        with trio.fail_after(10_000):
            await converse(notes)

    trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))
    return notes


def spelled(notes):
    """Return ``notes`` as a file has them."""
    return b"".join(map(spell, notes))


def difference(data, tolerance_s=TOLERANCE_S):
    """Return the first difference in a replay of the session log ``data``."""
    recorded = parse(data)
    return first_difference(recorded, replay(recorded, tolerance_s), tolerance_s)


async def spoken(notes):
    """One turn with partials, and a reply of several phrases, heard to its end."""
    async with recording(notes) as talk:
        await talk.question()
        await talk.wait_for(m.Done, outcome=Outcome.COMPLETED)


async def cut_off(notes):
    """Two turns that are cut off: one while it is heard, one while it speaks; and one that is not."""
    model = scripted.ScriptedLanguageModel(
        replies=[scripted.ScriptedReply(tokens=["A sentence that goes on and on. "] * 20)]
    )
    async with recording(notes, engines=scripted.scripted_engines(language_model=model)) as talk:
        await talk.ask(m.Start())
        await talk.say(700)
        await talk.ask(m.Cancel(), m.Start())
        await talk.say(1500, 900)
        await talk.wait_for(m.TtsChunk, seq=12)
        await talk.ask(m.Played(turn=2, samples=9000))
        await trio.sleep(0.0437)
        await talk.ask(m.Cancel(), m.Cancel())
        await talk.wait_for(m.Done, turn=2, outcome=Outcome.CANCELLED)
        await talk.ask(m.Text(text="And now?"))
        await talk.wait_for(m.TtsChunk)
        await trio.sleep(1.7321)
        await talk.ask(m.Cancel())
        await talk.wait_for(m.Done, turn=3)


async def failing(notes):
    """What engines and clients do wrong: each kind of error, a defect of ours among them."""
    engines = scripted.scripted_engines(
        recognizer=scripted.ScriptedRecognizer(
            fails=[EngineError(ErrorCode.ASR_FAIL, "it hears nothing"), ValueError("a defect")]
        ),
        language_model=scripted.ScriptedLanguageModel(
            replies=[
                scripted.ScriptedReply(tokens=["Well. ", EngineError(ErrorCode.LLM_FAIL, "no mind")]),
                scripted.ScriptedReply(tokens=["Broken off. "], finish=None),
                scripted.ScriptedReply(),
            ]
        ),
        synthesizer=scripted.ScriptedSynthesizer(
            fails=[None, EngineError(ErrorCode.TTS_FAIL, "no voice")], hangs=frozenset({2}), sample_rate=22_050
        ),
    )
    async with recording(notes, engines=engines, tts_timeout_s=2) as talk:
        for turn in (1, 2):
            await talk.ask(m.Start())
            await talk.say(900, 900)
            await talk.wait_for(m.Done, turn=turn, outcome=Outcome.FAILED)
        await talk.ask(m.Audio(scripted.silent(30)), m.Played(turn=7, samples=1))
        for turn in range(3, 6):
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.Done, turn=turn)
        await talk.ask(m.Text(text="hello", conversation="somebody else's"))
        await talk.wait_for(m.Done, turn=6, outcome=Outcome.FAILED)
        await talk.ask(Malformed("nonsense", Farewell.BAD_DATA))
        await trio.sleep(10)


async def timing_out(notes):
    """A recognizer that never settles, a model that falls silent, and speech that never ends."""
    engines = scripted.scripted_engines(
        recognizer=scripted.ScriptedRecognizer(settle_s=99),
        language_model=scripted.ScriptedLanguageModel(
            replies=[
                scripted.ScriptedReply(tokens=[Alive("thinking"), "So, this is how it begins ", Alive("waiting"), 99.0])
            ]
        ),
    )
    async with recording(notes, engines=engines, max_utterance_ms=3000, asr_timeout_s=3) as talk:
        await talk.ask(m.Start())
        await talk.say(4000)
        await talk.wait_for(m.Done, turn=1, outcome=Outcome.TIMED_OUT)
        await talk.ask(m.Text(text="hello"))
        await talk.wait_for(m.Done, turn=2, outcome=Outcome.TIMED_OUT)


async def hands_free(notes):
    """Turn after turn without a button, and a session that is drained in the middle of a reply."""
    async with recording(notes) as talk:
        await talk.ask(m.Start(mode="hands_free"))
        for turn in (1, 2, 3):
            await talk.say(1500, 900)
            await talk.wait_for(m.Done, turn=turn, outcome=Outcome.COMPLETED)
            await talk.say(0, 2000)
        await talk.say(1500, 900)
        await talk.wait_for(m.TtsChunk, turn=4)
        talk.session.drain(1.0)
        await trio.sleep(10)


async def into_replies(notes):
    """Speech before a reply, which reopens the turn; and into it: a listener's sign, and words that interrupt it."""
    replies = [
        scripted.ScriptedReply(tokens=[3.0, "Late."]),
        scripted.ScriptedReply(tokens=["A long reply that goes on. "] * 12),
        scripted.ScriptedReply(),
    ]
    engines = scripted.scripted_engines(
        recognizer=LiteralRecognizer(), language_model=scripted.ScriptedLanguageModel(replies=replies)
    )
    async with recording(notes, engines=engines, barge_in=True) as talk:
        await talk.ask(m.Start(mode="hands_free"))
        await talk.say(spoken_words("tell", "me"), 900)
        await talk.say(spoken_words("please"), 900)
        await talk.wait_for(m.Reopened)
        await talk.wait_for(m.TtsChunk)
        await talk.ask(m.Played(turn=1, samples=700))
        await talk.say(scripted.silent(600) + spoken_words("mhm"), 900)
        await talk.wait_for(m.Release)
        await talk.say(scripted.silent(600) + spoken_words("tell", "me", "something", "else"), 900)
        await talk.wait_for(m.Done, turn=1, outcome=Outcome.INTERRUPTED)
        assert (await talk.wait_for(m.Final, turn=2)).text == "tell me something else"
        await talk.wait_for(m.Done, turn=2, outcome=Outcome.COMPLETED)


async def slow_client(notes):
    """A client that reads so slowly that partials thin out, and goes away while it is being answered."""
    words = [f"word{n}" for n in range(99)]
    engines = scripted.scripted_engines(recognizer=scripted.ScriptedRecognizer(words=words, word_ms=100))
    async with recording(
        notes,
        engines=engines,
        read_s=2.0,
        leaves_after_s=0.0,
        partial_interval_ms=300,
        send_queue_high=2,
        vad_silence_ms=5000,
    ) as talk:
        await talk.ask(m.Start(mode="hold"))
        await talk.say(6000)
        talk.read_s = 0.0
        await talk.ask(m.Stop())
        await talk.wait_for(m.TtsChunk)


async def cancelled(notes):
    """A session that is cancelled from outside, as one is whose socket is gone."""
    async with recording(notes, leaves_after_s=None) as talk:
        await talk.question()
        await trio.sleep(1.2345)


async def garbled(notes):
    """Engines that answer what no engine may."""
    faults = Faults(core_faults.parse("asr:garbage#1, llm:garbage#1, tts:garbage#1"), seed=1)
    engines, _ = inject(faults, scripted.scripted_engines(), InProcessStore())
    async with recording(notes, engines=engines) as talk:
        for turn in (1, 2):
            await talk.ask(m.Start())
            await talk.say(1500, 900)
            await talk.wait_for(m.Done, turn=turn)


async def handed_over(notes):
    """A reply that goes back in one piece."""
    async with recording(notes, new_playout=WholePlayout) as talk:
        await talk.ask(m.Text(text="hello"))
        await talk.wait_for(m.Done, outcome=Outcome.COMPLETED)


async def as_it_is_made(notes):
    """A reply whose sound nobody paces, cut off while it would still be heard."""
    async with recording(notes, new_playout=UnpacedPlayout) as talk:
        for _ in range(2):
            await talk.ask(m.Text(text="hello"))
            await talk.wait_for(m.TtsChunk)
            await trio.sleep(0.01)
            await talk.ask(m.Cancel())
            await talk.wait_for(m.Done, outcome=Outcome.CANCELLED)


async def configured(notes):
    """Turns that go by what the client configured, and a turn that does not."""
    voice = scripted.ScriptedSynthesizer(voices=("one", "two"))
    async with recording(notes, engines=scripted.scripted_engines(synthesizer=voice)) as talk:
        await talk.ask(m.Configure(instructions="Say 20 °C “aloud” 🌞." * 2000, voice="two", language="de", speed=1.5))
        await talk.question()
        await talk.ask(m.Configure())
        await talk.wait_for(m.Done, turn=1, outcome=Outcome.COMPLETED)
        await talk.ask(m.Configure(instructions=""), m.Text(text="hello", speed=0.5))
        await talk.wait_for(m.Done, turn=2, outcome=Outcome.COMPLETED)
        await talk.ask(m.Configure(voice="three"), m.Text(text="hello"))
        await talk.wait_for(m.Done, turn=3, outcome=Outcome.FAILED)
        await talk.ask(m.Configure(), m.Text(text="hello"))
        await talk.wait_for(m.Done, turn=4, outcome=Outcome.COMPLETED)


async def hesitant(notes):
    """Pauses that are weighed: what is said of one comes too late, of one it is wrong, and one is not judged."""
    weigher = scripted.ScriptedEndOfTurn(
        [0.99, 0.1, EngineError(ErrorCode.ASR_FAIL, "deaf"), None, 0.99, 0.1, 0.5, 0.97], judge_s=0.25
    )
    engines = scripted.scripted_engines(
        recognizer=scripted.ScriptedRecognizer(words=("turn", "left", "and", "right", "here")), end_of_turn=weigher
    )
    async with recording(notes, engines=engines, endpointing="adaptive", partial_interval_ms=300) as talk:
        await talk.ask(m.Start(mode="hands_free"))
        for turn in (1, 2):
            for pause in (240, 900, 450):
                await talk.say(600, pause)
            await talk.say(600, 900)
            await talk.wait_for(m.Done, turn=turn, outcome=Outcome.COMPLETED)
            await talk.say(0, 2000)
    assert (weigher.answered, len(weigher.asked)) == (6, 8)


async def drafted(notes):
    """Replies that are begun in pauses: for nothing, with an engine that fails, and for good."""
    model = scripted.ScriptedLanguageModel(
        replies=[
            scripted.ScriptedReply(tokens=["For ", "nothing."]),
            scripted.ScriptedReply(tokens=["Half ", EngineError(ErrorCode.LLM_FAIL, "no mind")]),
            scripted.ScriptedReply(),
        ]
    )
    engines = scripted.scripted_engines(recognizer=LiteralRecognizer(settles_early=True), language_model=model)
    async with recording(notes, engines=engines) as talk:
        await talk.ask(m.Start())
        for word in ("one", "two", "three"):
            await talk.say(spoken_words(word), 360)
        await talk.say(spoken_words("four"), 900)
        await talk.wait_for(m.Done, turn=1, outcome=Outcome.COMPLETED)
        await talk.ask(m.Start())
        await talk.say(spoken_words("five"), 900)
        await talk.wait_for(m.Done, turn=2, outcome=Outcome.COMPLETED)
    assert len(model.prompts) == 5


ALL = [
    spoken,
    drafted,
    hesitant,
    cut_off,
    failing,
    timing_out,
    hands_free,
    into_replies,
    slow_client,
    cancelled,
    garbled,
    handed_over,
    as_it_is_made,
    configured,
]
