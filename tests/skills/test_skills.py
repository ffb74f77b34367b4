"""What skills do and say, and what they refuse."""

import threading
from fractions import Fraction
from functools import partial

import pytest
import trio
from hypothesis import given, strategies as st

from tests.skills.using import Using
from voice_trio.core.grammar.tokens import tokens
from voice_trio.core.items import ToolOutput, ToolUse, Words
from voice_trio.core.messages import Latency
from voice_trio.core.speakable import Speakable
from voice_trio.skills import conversion, lists, spoken
from voice_trio.skills.keeping import MOST_ITEMS, MOST_LISTS
from voice_trio.skills.skill import Means
from voice_trio.skills.table import SKILLS, Skills
from voice_trio.toolbox.base import ToolError


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (56, "56"),
        (-18, "minus 18"),
        (1234567, "1,234,567"),
        (2.5, "2.5"),
        (Fraction(1, 3), "about 0.3333"),
        (Fraction(-10, 3), "about minus 3.333"),
        (Fraction(22000, 7), "about 3,143"),
        (Fraction(1, 7000), "about 0.0001429"),
        (Fraction(10) ** 30, "10 to the power of 30"),
        (Fraction(10) ** 30 / 7, "about 1.43 times 10 to the power of 29"),
        (-Fraction(25, 10**9), "minus 2.5 times 10 to the power of minus 8"),
        (Fraction(99999, 10), "9,999.9"),
        (Fraction(999_999_999_999_999), "999,999,999,999,999"),
    ],
)
def test_figures_are_rounded_for_the_ear(number, said):
    assert spoken.figure(number) == said


@given(st.fractions())
def test_any_figure_is_short(number):
    assert len(spoken.figure(number)) < 60


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("seven times eight", "Seven times eight is 56."),
        ("15 percent of 80", "15 percent of 80 is 12."),
        ("twelve minus thirty", "Twelve minus thirty is minus 18."),
        ("10 divided by 3", "10 divided by 3 is about 3.333."),
        ("2 * (3 + 4)", "That is 14."),
        ("add 5 and 7", "That is 12."),
        ("9 ^ 99", "That is about 2.95 times 10 to the power of 94."),
    ],
)
async def test_sums(expression, said, autojump_clock):
    assert await Using()("calculate", expression=expression) == said


@pytest.mark.parametrize(
    "expression",
    [
        "10**10**10",
        "9" * 100_000,
        "(" * 5000 + ")" * 5000,
        "NaN",
        "1e400",
        "",
        None,
        7.5e300,
        ["1 + 1"],
        {"1": 1},
        True,
        float("nan"),
        float("inf"),
        "__import__('os').system('true')",
        "1 / 0",
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_sums_that_cannot_be_worked_out(expression, autojump_clock):
    with pytest.raises(ToolError, match=r"^[A-Z].*[.]$") as refused:
        await Using()("calculate", expression=expression)
    assert len(str(refused.value)) < 100


async def test_coins_dice_and_numbers_are_drawn(autojump_clock):
    use = Using(drawn=[0, 1, 1, 0, 3, 7, 2, 5, 0, 19, 41])
    assert await use("flip_coin") == "Heads."
    assert await use("flip_coin") == "Tails."
    assert await use("flip_coin", coins=2) == "Tails and heads."
    assert await use("roll_dice") == "It is a 4."
    assert await use("roll_dice", sides=20) == "It is an 8."
    assert await use("roll_dice", dice=2) == "3 and 6, which makes 9."
    assert await use("pick_number", low=5, high=50) == "My number is 5."
    assert await use("pick_number", low=20.0, high="1") == "My number is 20."
    assert await use("pick_number") == "My number is 42."


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("flip_coin", {"coins": 0}),
        ("flip_coin", {"coins": 10**9}),
        ("roll_dice", {"dice": 10**400}),
        ("roll_dice", {"dice": 1.5}),
        ("roll_dice", {"dice": "many"}),
        ("roll_dice", {"dice": "9" * 100_000}),
        ("roll_dice", {"sides": float("nan")}),
        ("roll_dice", {"sides": float("inf")}),
        ("roll_dice", {"sides": True}),
        ("roll_dice", {"sides": -6}),
        ("roll_dice", {"sides": [6]}),
        ("pick_number", {"low": 5, "high": 5}),
        ("pick_number", {"high": 10**30}),
        ("pick_number", {"low": "1e999"}),
    ],
)
async def test_what_cannot_be_drawn(name, arguments, autojump_clock):
    with pytest.raises(ToolError, match=r"^[A-Z].*[.]$"):
        await Using(drawn=[0] * 20)(name, **arguments)


async def test_chance_is_fair(autojump_clock):
    tools = {one.tool.name: one for one in Skills(Means()).tools()}
    rolled = {await tools["roll_dice"].use({}, None) for _ in range(200)}
    assert rolled == {f"It is a {side}." for side in range(1, 7)}


async def test_what_was_said_is_said_again(autojump_clock):
    use = Using()
    use.say("person", "What time is it?")
    with pytest.raises(ToolError, match="not said anything"):
        await use("repeat")
    with pytest.raises(ToolError, match="not said anything before"):
        await use("what_did_i_say")
    use.say("assistant", "It is noon.")
    use.say("person", "what did I say")
    assert await use("what_did_i_say") == "You said: What time is it?"
    assert await use("repeat") == "It is noon."
    use.say("assistant", "You said: What time is it?")
    use.say("person", "And before that?")
    assert await use("what_did_i_say") == "You said: what did I say."


async def test_what_was_cut_off_goes_on_where_it_was_cut_off(autojump_clock):
    use = Using()
    whole = "Once there was a miller. He had a cat, and it could talk."
    with pytest.raises(ToolError, match="not saying anything more"):
        await use("go_on")
    use.say("person", "Tell me a story.")
    use.items += [
        ToolUse(id="use", call="use", name="tell_story", arguments="{}"),
        ToolOutput(id="output", call="use", output=whole),
        # Of the rest, no more had been written when it was cut off.
        Words(id="cut", by="assistant", text=whole[:34], heard=23),
    ]
    assert whole[:23].endswith("miller")
    use.say("person", "Hm.")
    use.say("assistant", "I did not understand that.")
    use.say("person", "Go on.")
    rest = "He had a cat, and it could talk."
    assert await use("go_on") == rest
    use.items.append(Words(id="again", by="assistant", text=rest, heard=len("He had")))
    assert await use("go_on") == "a cat, and it could talk."
    use.say("assistant", "a cat, and it could talk.")
    use.say("assistant", "Okay.")
    with pytest.raises(ToolError, match="not saying anything more"):
        await use("go_on")


async def test_what_is_to_be_forgotten_is(autojump_clock):
    use = Using()
    assert [await use("forget_that"), await use("forget_that")] == ["Forgotten.", "There is nothing to forget."]


@pytest.mark.parametrize(
    ("latency", "said"),
    [
        (
            Latency(t_final_transcript_ms=702, t_first_audio_ms=1240),
            "I began to answer 1.2 seconds after you had finished, and had your words after 0.7 seconds.",
        ),
        (Latency(t_first_audio_ms=1000), "I began to answer 1 second after you had finished."),
        (
            Latency(t_final_transcript_ms=0, t_first_audio_ms=86),
            "I began to answer 0.09 seconds after you had finished.",
        ),
    ],
)
async def test_how_fast_it_was(latency, said, autojump_clock):
    assert await Using(latency=latency)("how_fast") == said


@pytest.mark.parametrize("latency", [None, Latency(), Latency(t_final_transcript_ms=7)])
async def test_how_fast_nothing_was(latency, autojump_clock):
    with pytest.raises(ToolError, match="not answered anything"):
        await Using(latency=latency)("how_fast")


async def test_speed_has_limits(autojump_clock):
    use = Using()
    for _ in range(4):
        assert await use("set_speed", speed="slower") == "I speak slower from now on."
    with pytest.raises(ToolError, match="cannot speak any slower"):
        await use("set_speed", speed="slower")
    assert use.control.speed == 0.5
    for _ in range(7):
        assert await use("set_speed", speed="Faster") == "I speak faster from now on."
    with pytest.raises(ToolError, match="cannot speak any faster"):
        await use("set_speed", speed="faster")
    assert use.control.speed == 2.0
    assert await use("set_speed", speed="normal") == "I speak at my normal speed again."
    assert use.control.speed == 1.0
    with pytest.raises(ToolError, match="one of slower, faster, normal"):
        await use("set_speed")


async def test_lists_are_kept(autojump_clock):
    use = Using()
    assert await use("read_list") == "There is nothing on your shopping list."
    assert await use("name_lists") == "You have no lists yet."
    added = await use("add_to_list", items="Milk, eggs and bread", list="shopping")
    assert added == "I added Milk, eggs and bread to your shopping list."
    assert await use("add_to_list", items=["milk", "Milk", "butter"]) == "I added butter to your shopping list."
    assert await use("add_to_list", items="the egg") == "The egg: that is on your shopping list already."
    assert await use("read_list") == "On your shopping list are Milk, eggs, bread and butter."
    assert await use("add_to_list", items="wine", list="my groceries list") == "I added wine to your shopping list."
    assert await use("add_to_list", items="call Anna", list="to do") == "I added call Anna to your to-do list."
    assert await use("read_list") == "On your to-do list is call Anna."
    assert await use("read_list", list="shoping") == "On your shopping list are Milk, eggs, bread, butter and wine."
    assert await use("add_to_list", items="the key is red, and old", list="notes") == "Noted: the key is red, and old."
    assert await use("read_list", list="notes") == "You have 1 note: the key is red, and old."
    assert await use("name_lists") == "There are your shopping list, your to-do list and your notes."
    taken = await use("remove_from_list", items="the milk, egg and caviar", list="shopping")
    assert taken == "I took Milk and eggs off your shopping list. I did not find caviar on it."
    with pytest.raises(ToolError, match=r"I do not find caviar and gold on your shopping list\."):
        await use("remove_from_list", items=["caviar", "gold"], list="shopping")
    assert await use("clear_list", list="shopping") == "I took everything off your shopping list."
    assert await use("clear_list", list="shopping") == "There is nothing on your shopping list."
    assert await use("remove_from_list", items="the key is red, and old", list="notes") == (
        "I took the key is red, and old off your notes."
    )
    assert await use("read_list", list="notes") == "You have no notes."


async def test_a_thing_with_an_and_in_it_can_be_taken_off(autojump_clock):
    use = Using()
    await use("add_to_list", items=["Tools"], list="notes")
    await use("add_to_list", items="nuts and bolts", list="notes")
    assert (
        await use("remove_from_list", items="nuts and bolts", list="notes") == "I took nuts and bolts off your notes."
    )


async def test_a_long_list_is_cut_short_for_the_ear(autojump_clock):
    use = Using()
    await use("add_to_list", items=[f"thing {number}" for number in range(25)])
    assert (await use("read_list")).endswith("thing 18, thing 19 and 5 more.")


async def test_lists_have_limits(autojump_clock):
    use = Using()
    await use("add_to_list", items=[f"thing {number}" for number in range(MOST_ITEMS)])
    with pytest.raises(ToolError, match=f"no room for more than {MOST_ITEMS} things"):
        await use("add_to_list", items="a straw")
    names = [chr(ord("a") + number // 26) * 3 + chr(ord("a") + number % 26) * 5 for number in range(MOST_LISTS - 1)]
    for name in names:
        await use("add_to_list", items="a straw", list=name)
    with pytest.raises(ToolError, match=f"no room for more than {MOST_LISTS} lists"):
        await use("add_to_list", items="a straw", list="camels")


async def test_thousands_of_things_are_each_looked_at_once(monkeypatch, autojump_clock):
    looked_at = []

    def look(text):
        looked_at.append(text)
        return tokens(text)

    monkeypatch.setattr(lists, "tokens", look)
    use = Using()
    await use("add_to_list", items=[f"thing {number}" for number in range(MOST_ITEMS - 2)])
    looked_at.clear()
    many = ["milk,bread," * 36] * 9
    assert await use("add_to_list", items=many) == "I added milk and bread to your shopping list."
    assert await use("remove_from_list", items=many) == "I took milk and bread off your shopping list."
    # So many there are, on the list and to be added, and to be taken off, whole and in parts.
    assert len(looked_at) < 2000


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"items": ""},
        {"items": []},
        {"items": " , and ."},
        {"items": {"milk": 1}},
        {"items": [["milk"]]},
        {"items": "m" * 100_000},
        {"items": "m" * 300},
        {"items": ["milk"] * 1000},
        {"items": "milk", "list": "l" * 500},
        {"items": "milk", "list": 10**20},
        {"items": "milk", "list": 10**400},
        {"items": 10**400},
        {"items": None},
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_what_cannot_be_added(arguments, autojump_clock):
    with pytest.raises(ToolError, match=r"^[A-Z].*[.]$"):
        await Using()("add_to_list", **arguments)


async def test_the_rest_is_said_in_a_sentence_or_a_story(autojump_clock):
    use = Using()
    assert await use("stop") == "Okay."
    assert await use("set_volume", level=50) == "The volume is your device's: please change it there."
    assert "tell the time" in await use("help")
    assert len((await use("tell_story")).split()) >= 150


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"amount": 5, "unit": "miles", "to": "km"}, "5 miles are about 8.047 kilometers."),
        ({"amount": 30, "unit": "degC", "to": "fahrenheit"}, "30 degrees Celsius are 86 degrees Fahrenheit."),
        ({"amount": -40, "unit": "degF", "to": "degC"}, "Minus 40 degrees Fahrenheit are minus 40 degrees Celsius."),
        ({"unit": "mile", "to": "feet"}, "1 mile is 5,280 feet."),
        ({"amount": 74, "unit": "inch", "to": "meters"}, "74 inches are about 1.88 meters."),
        ({"amount": 1, "unit": "acre", "to": "square feet"}, "1 acre is about 43,560 square feet."),
        ({"amount": 100, "unit": "km/h", "to": "mph"}, "100 kilometers per hour are about 62.14 miles per hour."),
        ({"amount": "2", "unit": "square_kilometer", "to": "hectares"}, "2 square kilometers are 200 hectares."),
    ],
)
async def test_units(arguments, said):
    assert await Using()("convert_units", **arguments) == said


@pytest.mark.real
async def test_nobody_waits_for_the_library_of_units_who_wants_no_answer(monkeypatch):
    begun, over = threading.Event(), threading.Event()
    waited = []

    def converted(amount, unit, to):
        begun.set()
        waited.append(over.wait(5))
        return 1.0

    monkeypatch.setattr(conversion, "_converted", converted)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(Using(), "convert_units", unit="miles", to="feet"))
            await trio.to_thread.run_sync(begun.wait)
            nursery.cancel_scope.cancel()
    assert not waited
    over.set()


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"amount": 5, "unit": "miles", "to": "kg"}, "Miles cannot be converted to kilograms."),
        ({"amount": 5, "unit": "parrots", "to": "kg"}, "I do not know the unit parrots."),
        ({"amount": 5, "unit": "meter**2", "to": "kg"}, r"I do not know the unit meter\*\*2."),
        ({"amount": 5, "unit": "m" * 5000, "to": "kg"}, "unit is longer than 60"),
        ({"amount": 5, "unit": "miles"}, "to has to be a unit"),
        ({"amount": float("nan"), "unit": "miles", "to": "km"}, "too large"),
        ({"amount": 1e300, "unit": "miles", "to": "km"}, "too large"),
        ({"amount": "lots", "unit": "miles", "to": "km"}, "amount has to be a number"),
    ],
)
async def test_units_that_cannot_be_converted(arguments, why):
    with pytest.raises(ToolError, match=why):
        await Using()("convert_units", **arguments)


async def test_skills_are_offered_with_and_without_a_model():
    alone = {one.tool.name: one for one in Skills(Means()).tools()}
    beside = {name for name, one in alone.items() if not one.only_alone}
    assert [*alone] == [skill.name for skill in SKILLS]
    assert alone.keys() - beside == {"repeat", "go_on", "what_did_i_say", "set_volume", "stop", "help", "tell_story"}
    assert {name for name, one in alone.items() if one.has_effects} == {
        "add_to_list",
        "remove_from_list",
        "clear_list",
        "forget_that",
        "set_speed",
        "set_timer",
        "cancel_timer",
        "set_alarm",
        "set_reminder",
    }


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("It is 3:45 PM in Tokyo.", "It is 3 45 PM in Tokyo."),
        ("Seven times eight is minus 18.", "Seven times eight is minus 18."),
        ("My number is 6.", "My number is 6."),
        ("5 miles are about 8.047 kilometers.", "5 miles are about 8.047 kilometers."),
        ("Tomorrow is Friday, January 1, 2027.", "Tomorrow is Friday, January 1, 2027."),
    ],
)
def test_what_is_answered_is_said_as_it_is_written(written, heard):
    assert Speakable().speak(written).text == heard
