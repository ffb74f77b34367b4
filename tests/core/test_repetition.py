import pytest

from voice_trio.core.repetition import without_echo, without_loops


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stop",
        "no no no no",
        "very very good and very very bad",
        "turn it on turn it on",
        "one two one two one two",
        "What is the weather like in London today, and will it rain tonight?",
        "twenty one twenty two twenty three twenty four",
        "two  spaces",
    ],
)
def test_what_people_say_is_no_loop(text):
    assert without_loops(text) == text


@pytest.mark.parametrize(
    ("before", "group", "times"),
    [
        ("", "you", 5),
        ("thank", "you", 5),
        ("play some", "quiet music", 4),
        ("", "thank you for watching", 3),
        ("and then he said that", "the old man who taught him how to swim was", 3),
    ],
)
@pytest.mark.parametrize(("broken_off", "after"), [(0, ""), (1, ""), (0, "and now stop it")])
def test_of_a_loop_the_first_round_is_kept_and_what_is_around_it(before, group, times, broken_off, after):
    words = [*before.split(), *group.split() * times, *group.split()[:broken_off], *after.split()]
    assert without_loops(" ".join(words)) == " ".join([*before.split(), *group.split(), *after.split()])


def test_one_loop_after_another_is_found():
    assert without_loops("no " * 6 + "well " + "go on " * 5) == "no well go on"


@pytest.mark.parametrize(
    "text", ["はいはいはいはい、そうです。", "哈哈哈哈", "一共10000000元。", "谢谢大家谢谢大家", "ขอบคุณขอบคุณ"]
)
def test_what_people_say_is_no_loop_without_spaces_either(text):
    assert without_loops(text, spaced=False) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ご視聴ありがとうございました。" * 3, "ご視聴ありがとうございました。"),
        ("明天" + "天气" * 6 + "怎么样", "明天天气怎么样"),
        ("好" * 9, "好"),
        ("谢谢大家" * 4 + "谢谢", "谢谢大家"),
    ],
)
def test_loops_are_found_without_spaces_too(text, kept):
    assert without_loops(text, spaced=False) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1,5,5,5", "1,5"),
        ("AHHH", "AH"),
        ("Ahhhhh!", "Ah!"),
        ("well hahahaha", "well ha"),
        ("nooooooo way", "no way"),
    ],
)
def test_a_loop_inside_a_word_is_kept_once(text, kept):
    assert without_loops(text) == kept


@pytest.mark.parametrize(
    "text",
    ["1,000,000,000", "100000000", "2020", "Henry VIII and Louis XIII", "www.example.org", "hmm", "Mississippi", "AAA"],
)
def test_what_is_written_with_repeated_signs_is_no_loop(text):
    assert without_loops(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Turn on the light. Turn on the light.", "Turn on the light."),
        ("turn it on, Turn it on!", "turn it on,"),
        ("never mind never mind", "never mind never mind"),
        ("turn it on and turn it off", "turn it on and turn it off"),
        ("", ""),
    ],
)
def test_a_text_that_is_a_sentence_twice_is_kept_once(text, kept):
    assert without_echo(text) == kept
