import pytest
import trio

from tests.streams import events_of
from voice_trio.core.history import Message
from voice_trio.engines.base import Finish, LanguageModel, Prompt, TextDelta
from voice_trio.engines.synthetic import TOKEN_S, SyntheticModel, reply

MODEL: LanguageModel = SyntheticModel()


async def answer(*messages):
    async with MODEL.stream(Prompt(messages)) as stream:
        return [event async for event in events_of(stream)]


async def test_tokens_give_the_reply_and_end_in_a_finish(autojump_clock):
    with trio.fail_after(60):
        began = trio.current_time()
        *tokens, last = await answer(Message("system", "Be kind."), Message("user", "What time is it?"))
    assert last == Finish("stop")
    assert all(isinstance(token, TextDelta) and token.text for token in tokens)
    text = "".join(token.text for token in tokens)
    assert text == reply("What time is it?")
    assert trio.current_time() - began == pytest.approx(len(tokens) * TOKEN_S)


async def test_it_answers_the_last_thing_the_person_said(autojump_clock):
    with trio.fail_after(60):
        events = await answer(Message("user", "one"), Message("assistant", "two"), Message("user", "three"))
    assert "You said: three." in "".join(event.text for event in events[:-1])


async def test_leaving_early_ends_it(autojump_clock):
    with trio.fail_after(60):
        async with MODEL.stream(Prompt([Message("user", "hello")])) as stream:
            await stream.receive()
        with trio.move_on_after(TOKEN_S * 3.5) as scope:
            await answer(Message("user", "hello to all of you"))
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Turn on the light.", "You said: Turn on the light."),
        ("what time is it", "You said: what time is it."),
        ("Eh?", "You said: Eh?"),
        ("  \n ", "I caught no words."),
    ],
)
def test_the_reply_is_one_sentence_that_repeats_what_was_heard(said, answer):
    assert reply(said) == answer


@pytest.mark.parametrize("said", ["", "  \n ", "a" * 5000, "word " * 2000, "Eh?", "line\nbreak"])
def test_any_words_get_a_reply_of_bounded_length(said):
    text = reply(said)
    assert len(text) < 200
    assert "\n" not in text
    assert reply(said) == text
