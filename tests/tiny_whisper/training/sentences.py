"""Requests to a voice assistant, drawn from a grammar of some 250 words."""

from __future__ import annotations

import random
import re

# A pattern's braces name one of these lists; a bar inside a pattern separates what may be drawn instead.
_LISTS = {
    "please": ["", "", "", "please", "could you", "can you", "could you please", "would you", "I want you to", "now"],
    "room": [
        "kitchen", "bedroom", "living room", "bathroom", "garden", "hall", "house", "garage", "office", "dining room",
    ],
    "thing": ["lights", "light", "lamp", "heating", "fan", "television", "radio", "music", "oven", "alarm", "camera"],
    "shut": ["front door", "back door", "window", "windows", "curtains", "garage", "gate"],
    "colour": ["red", "blue", "green", "white", "yellow", "warm white", "orange"],
    "city": [
        "London", "New York", "Chicago", "Paris", "Berlin", "Rome", "Boston", "Madrid", "Dublin", "Tokyo", "Oslo",
    ],
    "day": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "when": [
        "today", "tomorrow", "tonight", "this morning", "this evening", "on {day}", "next week", "at {clock}",
        "in the winter", "in the summer", "this weekend", "after lunch", "before dinner", "in {count} minutes",
    ],
    "count": [
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "fifteen",
        "twenty", "thirty", "forty", "fifty",
    ],
    "hour": ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
    "clock": [
        "{hour} o'clock", "{hour} thirty", "half past {hour}", "a quarter to {hour}", "{hour} in the morning",
        "noon", "{hour} in the evening", "midnight", "{hour} fifteen", "a quarter past {hour}",
    ],
    "unit": ["minutes", "hours", "seconds", "days"],
    "kind": ["quiet", "loud", "old", "new", "happy", "slow", "good", "soft"],
    "music": ["music", "songs", "jazz", "piano music", "rock", "classical music", "a song"],
    "who": ["my mother", "my father", "my brother", "my sister", "the doctor", "Anna", "David", "my wife", "my friend"],
    "deed": [
        "buy milk", "call {who}", "water the plants", "take my medicine", "feed the cat", "walk the dog",
        "clean the {room}", "pay the bill", "close the {shut}", "write to {who}", "cook dinner", "wash the car",
    ],
    "goods": [
        "milk", "bread", "eggs", "butter", "apples", "rice", "tea", "coffee", "cheese", "tomatoes", "water", "sugar",
    ],
    "about": [
        "a little boy who lived in a house near the sea", "an old man who taught him how to swim", "a dog and a cat",
        "the old man and the sea", "a girl who lived near the river", "two friends who travel to {city}",
        "a boy and his dog", "the moon", "a king who lost his house",
    ],
    "adjective": ["short", "long", "funny", "good", "little", "sad"],
    "by": ["train", "car", "bus", "plane", "bike"],
    "measure": ["far", "long", "old", "high", "big", "cold", "warm", "many people are there"],
    "place": ["the station", "the airport", "the next shop", "the sea", "the school", "the river", "the bank"],
    "level": ["up", "down"],
    "degrees": ["eighteen", "nineteen", "twenty", "twenty one", "twenty two", "sixteen"],
    "fact": [
        "the sun", "the moon", "the sea", "the river", "the oldest man", "the capital of France", "a good book",
        "the first day of the week", "the name of this song", "the time", "the date",
    ],
}  # fmt: skip

_REQUESTS = [
    "{please} turn on|off the {thing} in the {room}",
    "{please} turn off the {thing} and close the {shut} when you leave the house",
    "{please} turn the {thing} {level}",
    "{please} switch on|off the {thing}",
    "{please} open|close the {shut}",
    "{please} make the {thing} in the {room} {colour}",
    "{please} set the heating in the {room} to {degrees} degrees",
    "{please} play some {kind} {music} in the {room}",
    "{please} play {music} and wake me up at {clock}",
    "{please} stop the {music}",
    "{please} wake me up at {clock} {when}",
    "{please} set a timer for {count} {unit}",
    "{please} set an alarm for {clock} {when}",
    "{please} remind me to {deed} {when}",
    "{please} remind {who} to {deed}",
    "{please} tell me a {adjective} story about {about}",
    "{please} tell me a story about {about}, and about {about}",
    "{please} call {who}",
    "{please} send a message to {who}",
    "{please} read me the news|my messages",
    "{please} add {goods} and {goods} to my list",
    "{please} put {goods}, {goods} and {goods} on the list",
    "{please} take {goods} off the list",
    "{please} tell me how to get to {place}",
    "{please} look for a train from {city} to {city} {when}",
    "I am going to {city} {when}",
    "I would like to hear some {kind} {music}",
    "thank you, that is all",
    "stop",
    "yes please",
    "no thank you",
    "never mind",
    "good morning|evening",
    "it is too cold|warm|loud in the {room}",
]

_QUESTIONS = [
    "what is the weather like in {city} {when}",
    "what is the weather like in {city} {when}, and will it rain {when}",
    "will it rain|snow in {city} {when}",
    "do I need a coat {when}",
    "how long does it take to travel from {city} to {city} by {by} {when}",
    "how long does it take to get to {place} by {by}",
    "how {measure} is {city}",
    "how {measure} is it to {place}",
    "what time is it in {city}",
    "what is {fact}",
    "who is {who}",
    "where is {place}",
    "when does the {by} to {city} leave {when}",
    "when is the next {by} to {city}",
    "what do I have to do {when}",
    "is the {shut} open|closed",
    "is the {thing} in the {room} on",
    "how much is {count} and {count}",
    "how many {unit} are there in {count} {unit}",
    "did {who} call me {when}",
    "can you tell me about {about}",
    "what is on my list",
    "which day is it {when}",
]

_SLOT = re.compile(r"\{(\w+)\}")
_CHOICE = re.compile(r"\S+\|\S+")


def request(random: random.Random) -> str:
    """Return one request or question, with a capital and its last mark."""
    pattern, mark = random.choice(
        [(pattern, ".") for pattern in _REQUESTS] + [(pattern, "?") for pattern in _QUESTIONS]
    )
    while _SLOT.search(pattern):
        pattern = _SLOT.sub(lambda slot: random.choice(_LISTS[slot[1]]), pattern, count=1)
    words = _CHOICE.sub(lambda choice: random.choice(choice[0].split("|")), pattern).strip()
    return words[0].upper() + words[1:] + mark


def cut_off(random: random.Random) -> str:
    """Return the first words of a request, as somebody who has not finished says them."""
    words = request(random).rstrip(".?").split()
    return " ".join(words[: random.randint(1, len(words))])


def rest(random: random.Random) -> str:
    """Return the last words of a request, as a window that begins inside a sentence hears them."""
    words = request(random).split()
    return " ".join(words[random.randrange(len(words)) :])


_WORDS = sorted(
    {
        word
        for text in [*_REQUESTS, *_QUESTIONS, *(item for items in _LISTS.values() for item in items)]
        for word in re.findall(r"[\w']+", _SLOT.sub(" ", text))
    }
)


def shuffled(random: random.Random) -> str:
    """Return words in no order, each as likely: no ear can lean on the grammar alone, and those of rare sentences are
    heard too.
    """
    return " ".join(random.sample(_WORDS, random.randint(3, 8)))
