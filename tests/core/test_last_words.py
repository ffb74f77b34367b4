"""Whether what was said so far can be all."""

import re
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.last_words import Sense, sense_of

SENTENCES = Path(__file__).parent.parent / "skills"

BROKEN_OFF = [
    "5 times",
    "I would like to go to the",
    "Turn left and",
    "Turn left, and.",
    "Um",
    "I think, uh...",
    "Remind me to",
    "It is because",
    "I'M",
    "I’m",
    "A glass of",
    "Where is the",
    "My number is 555",
    "Call 5 5 5 1",
    "I",
    "I think that we",
    "Is?",
    "Where is",
    "How many of them, and what are",
    "Write to john dot",
    "How long is?",
    "How many days are?",
    "Can you book me a flight to?",
    "What is the sum of?",
    "The doctor said,",
    "Before you go to bed, close,",
    "If it rains tomorrow",
    "When I was young.",
    "Could you?",
    "Remind me.",
    "Can you send him?",
    "Set.",
    "What can you?",
    "Which of these two restaurants?",
    "He was not.",
    "It's at platform four,",
]
DOUBTFUL = [
    "",
    "...",
    "What?",
    "How many days?",
    "My sister.",
    "A blue one.",
    "What is two?",
    "Convert twelve.",
    "Set a timer for ten.",
    "Please.",
    "Good.",
    "That.",
    "Don't!",
    "It was.",
    "I came on Tuesday",
    "How many days until Christmas?",
    "When is the next?",
]
COMPLETE = [
    "What time is it?",
    "what time is it",
    "Stop.",
    "How are you?",
    "Thank you very much.",
    "Okay, thanks a lot.",
    "No, thank you.",
    "Yes, please.",
    "Please do.",
    "Good morning.",
    "Never mind.",
    "Skip this song, please.",
    "Oh, that's all.",
]
WHOLE = [
    "Times.",
    "How many people live in the city of London?",
    "Thank you.",
    "Okay, thanks.",
    "See you.",
    "Thank you for the music.",
    "What time is it in London?",
    "Yes, London.",
    "Yes.",
    "Okay.",
    "Turn it on.",
    "Who is it for?",
    "Where do you come from?",
    "What is it made of?",
    "What is it about?",
    "My number is 555 0123.",
    "Set a timer for 10 minutes.",
    "Pick a number from 1 to 100.",
    "it is 12",
    "Call me at 5 in the evening.",
    "I like it.",
    "Android.",
    "So do I.",
    "Where are we?",
    "Do you know where the station is?",
    "Not really.",
    "What is the weather like?",
    "Who was it?",
    "It was the worst of times.",
    "If it rains tomorrow, we stay at home.",
    "How many legs does a spider have?",
    "What did I just ask?",
    "What is two plus two?",
    "Please come in.",
    "When is it?",
]


@pytest.mark.parametrize(
    ("text", "sense"),
    [
        *((text, Sense.BROKEN_OFF) for text in BROKEN_OFF),
        *((text, Sense.DOUBTFUL) for text in DOUBTFUL),
        *((text, Sense.WHOLE) for text in WHOLE),
        *((text, Sense.COMPLETE) for text in COMPLETE),
    ],
)
def test_what_words_say(text, sense):
    assert sense_of(text, "en") is sense


@pytest.mark.parametrize("language", [None, "de", "fr"])
def test_of_other_languages_nothing_is_known(language):
    assert sense_of("I would like to go to the", language) is Sense.WHOLE


def said_to_us():
    """Return whole sentences that people say to an assistant, or near one."""
    ours, foreign = (SENTENCES / name for name in ("ours.txt", "foreign.txt"))
    lines = [re.sub(r"^\S+ \{.*?\} ", "", line) for line in ours.read_text().splitlines()]
    lines += foreign.read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def test_few_whole_sentences_are_waited_for_and_most_beginnings_of_them_are():
    sentences = said_to_us()
    whole = [sense_of(sentence, "en") for sentence in sentences]
    assert whole.count(Sense.BROKEN_OFF) <= len(sentences) / 100
    assert whole.count(Sense.DOUBTFUL) <= len(sentences) / 20
    beginnings = [
        sense_of(f"{' '.join(words[:end]).rstrip('.?!')}.", "en")
        for words in map(str.split, sentences)
        for end in range(1, len(words))
    ]
    assert beginnings.count(Sense.WHOLE) <= 0.45 * len(beginnings)
    assert beginnings.count(Sense.COMPLETE) <= 0.02 * len(beginnings)
    assert whole.count(Sense.COMPLETE) > 0


@given(st.text())
def test_anything_can_be_said(text):
    assert sense_of(text, "en") in Sense


@pytest.mark.parametrize("text", ["a " * 100_000, "5" * 100_000, "5 , " * 50_000, "'" * 100_000])
def test_a_long_text_takes_no_longer_than_its_length(text):
    assert sense_of(text, "en") in Sense
