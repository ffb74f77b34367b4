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
            await answer(Message("user", "hello"))
    assert scope.cancelled_caught


def test_the_first_sentence_is_short_and_the_reply_says_what_to_do():
    text = reply("Turn on the light.")
    assert text.index(".") < 20
    assert text.count(". ") >= 3
    assert "no language model is configured" in text
    assert "OPENAI_API_KEY" in text
    assert "OPENAI_BASE_URL" in text
    assert "Turn on the light. I can" in text


@pytest.mark.parametrize("said", ["", "  \n ", "a" * 5000, "word " * 2000, "Eh?", "line\nbreak"])
def test_any_words_get_a_reply_of_bounded_length(said):
    text = reply(said)
    assert len(text) < 600
    assert "\n" not in text
    assert reply(said) == text
