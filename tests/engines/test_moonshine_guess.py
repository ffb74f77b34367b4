"""Whatever is guessed of a text, the decoder says what it would have said: with a decoder of arithmetic alone."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given, strategies as st

from voice_trio.engines.moonshine.decode import MoonshineDecoder
from voice_trio.engines.moonshine.guess import Guess
from voice_trio.engines.moonshine.tokenizer import END, START, Tokenizer

S = 16_000
TOKENS = 12
HEARD = np.arange(5, dtype=np.float32).reshape(1, 1, 5, 1)


class Ear:
    """In the encoder's place."""

    def run_with_ort_values(self, names, feed):
        return [feed["input_values"]]


class Speaker:
    """In the decoder's place: what comes next depends on all that was said, which the cache alone holds."""

    def __init__(self, key):
        self.key = key
        self.steps = 0
        self.tokens = 0

    def get_outputs(self):
        names = ("logits", "present.0.decoder.key", "present.0.encoder.key")
        return [SimpleNamespace(name=name) for name in names]

    def get_inputs(self):
        names = ("past_key_values.0.decoder.key", "past_key_values.0.encoder.key")
        return [SimpleNamespace(name=name, shape=(1, 1, "length", 1)) for name in names]

    def run_with_ort_values(self, names, feed):
        from onnxruntime import OrtValue

        self.steps += 1
        self.tokens += feed["input_ids"].shape()[1]
        cached = bool(feed["use_cache_branch"].numpy()[0])
        said = feed["past_key_values.0.decoder.key"].numpy()[0, 0, :, 0].astype(int).tolist() if cached else []
        if cached:
            assert feed["past_key_values.0.encoder.key"].numpy().tolist() == HEARD.tolist()
        logits = []
        for token in feed["input_ids"].numpy()[0].tolist():
            said.append(token)
            told = hash((self.key, *said)) % TOKENS + 1
            told = END if told == START else told
            # Some are said more surely than others.
            logits.append([(1 + told / 8) * (place == told) for place in range(TOKENS + 1)])
        found = {
            "logits": np.array([logits], np.float32),
            "present.0.decoder.key": np.array(said, np.float32)[None, None, :, None],
            "present.0.encoder.key": HEARD,
        }
        return [OrtValue.ortvalue_from_numpy(found[name]) for name in names]


def said(key, guess, seconds=2):
    speaker = Speaker(key)
    decoder = MoonshineDecoder(Ear(), speaker, Tokenizer([b"<s>"] * (TOKENS + 1)))
    decoded = decoder.decode(np.zeros(seconds * S, np.int16), guess=guess)
    return decoded.ids, decoded.mean_log_probability, speaker


tokens = st.lists(st.integers(3, TOKENS), max_size=40)


@given(st.integers(), tokens)
def test_a_guess_of_something_else_changes_no_word_and_costs_little(key, guess):
    plain, likely, slow = said(key, ())
    found, likely_too, speaker = said(key, guess)
    assert (found, likely_too) == (plain, likely)
    assert speaker.steps <= slow.steps
    # What is tried at first, and at most four in vain for each that is right.
    assert speaker.tokens <= len(guess) + 5 * slow.steps


@given(st.integers(), st.data())
def test_a_guess_that_is_nearly_right_changes_no_word(key, data):
    plain, likely, slow = said(key, ())
    guess = list(plain)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(guess)))
        guess[at : at + data.draw(st.integers(0, 3))] = data.draw(st.lists(st.integers(3, TOKENS), max_size=3))
    found, likely_too, speaker = said(key, guess)
    assert (found, likely_too) == (plain, likely)
    assert speaker.steps <= slow.steps


@given(st.integers())
def test_what_was_guessed_rightly_takes_one_step(key):
    plain, _, _ = said(key, ())
    assert said(key, plain)[2].steps == 1


def test_the_rest_of_a_guess_is_taken_up_where_it_fits():
    guess = Guess([5, 6, 7, 8, 9])
    assert guess.next_try(10) == [5, 6, 7, 8, 9]
    # Another word in the place of one.
    assert guess.follow([5, 3, 0, 0, 0, 0]) == 1
    assert guess.next_try(10) == ()
    assert guess.follow([7]) == 0
    assert guess.next_try(10) == [8, 9]
    assert guess.next_try(1) == [8]
    assert guess.follow([8, 9]) == 1
    # All of it is used up.
    assert guess.next_try(10) == []
    assert guess.follow([2]) == 0


def test_after_a_wrong_token_few_are_tried_and_more_as_they_are_right():
    guess = Guess([*range(3, 40)])
    assert len(guess.next_try(99)) == 37
    assert guess.follow([4, *[0] * 37]) == 0
    assert guess.next_try(99) == [5, 6, 7, 8]
    assert guess.follow([5, 6, 7, 8, 9]) == 4
    assert guess.next_try(99) == [*range(10, 18)]
    assert guess.follow([10, 11, 13, 0, 0, 0, 0, 0, 0]) == 2
    assert guess.next_try(99) == [14, 15, 16, 17]


def test_a_word_that_is_nowhere_near_is_waited_for_step_by_step():
    guess = Guess([4, 5, 6, 7, 8, 9, 10])
    guess.next_try(10)
    assert guess.follow([10, 0, 0, 0, 0, 0, 0, 0]) == 0
    assert guess.next_try(10) == ()
    assert guess.follow([4]) == 0
    assert guess.next_try(10) == [5, 6, 7, 8]
