"""Numbers, times, durations, days, units and sums, in words and figures."""

from datetime import date, time, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from voice_trio.core.grammar import days, sums, units
from voice_trio.core.grammar.numbers import numbers, ordinal
from voice_trio.core.grammar.times import LONGEST, clock, duration
from voice_trio.core.grammar.tokens import tokens
from voice_trio.core.grammar.working_out import CannotWorkOut, work_out


def whole(reader, text):
    """Return what all of ``text`` is to ``reader``; None where it is nothing."""
    heard = tokens(text)
    return next((value for end, value in reader(heard, 0) if end == len(heard)), None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("zero", 0),
        ("seven", 7),
        ("nineteen", 19),
        ("twenty-five", 25),
        ("25", 25),
        ("a hundred", 100),
        ("one hundred and five", 105),
        ("two thousand and five", 2005),
        ("a hundred and twenty three thousand four hundred and fifty six", 123_456),
        ("one million two hundred thousand", 1_200_000),
        ("2.5 million", 2_500_000),
        ("1,250.5", Fraction("1250.5")),
        ("three point one four", Fraction("3.14")),
        ("point five", Fraction("0.5")),
        ("two point oh five", Fraction("2.05")),
        ("minus five", -5),
        ("negative two point five", Fraction("-2.5")),
        ("half", Fraction(1, 2)),
        ("a half", Fraction(1, 2)),
        ("two and a half", Fraction(5, 2)),
        ("one and three quarters", Fraction(7, 4)),
        ("two thirds", Fraction(2, 3)),
        ("a dozen", 12),
        ("half a dozen", 6),
        ("five twenty", None),
        ("twenty thousand million", None),
        ("hundred", None),
        ("9" * 31, None),
        ("٣", None),
    ],
)
def test_numbers(text, number):
    assert whole(numbers, text) == number


@given(st.integers(0, 999_999_999_999))
def test_every_number_in_words_is_read(number):
    assert whole(numbers, in_words(number)) == number


ONES = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def in_words(number):
    """Spell ``number`` as English does."""
    for scale, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = f" {in_words(number % scale)}" if number % scale else ""
            return f"{in_words(number // scale)} {name}{rest}"
    if number < 20:
        return ONES.split()[number]
    return TENS.split()[number // 10 - 2] + (f"-{in_words(number % 10)}" if number % 10 else "")


@pytest.mark.parametrize(
    ("text", "which"),
    [("third", 3), ("twenty-first", 21), ("21st", 21), ("thirtieth", 30), ("twelfth", 12), ("ninety", None)],
)
def test_ordinals(text, which):
    heard = tokens(text)
    assert ordinal(heard, 0) == (None if which is None else (len(heard), which))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2:30", time(2, 30)),
        ("2:30 p.m.", time(14, 30)),
        ("14:05", time(14, 5)),
        ("half past two", time(2, 30)),
        ("a quarter to three in the afternoon", time(14, 45)),
        ("quarter past twelve", time(12, 15)),
        ("ten past four", time(4, 10)),
        ("five minutes to one", time(12, 55)),
        ("twenty to one pm", time(12, 40)),
        ("two thirty", time(2, 30)),
        ("nine oh five", time(9, 5)),
        ("three o'clock", time(3)),
        ("three", time(3)),
        ("eleven at night", time(23)),
        ("noon", time(12)),
        ("midnight", time(0)),
        ("twelve am", time(0)),
        ("12 pm", time(12)),
        ("24:00", time(0)),
        ("24:01", None),
        ("99:99", None),
        ("12:60", None),
        ("14 am", None),
    ],
)
def test_times_of_the_day(text, expected):
    assert whole(clock, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ten minutes", timedelta(minutes=10)),
        ("an hour", timedelta(hours=1)),
        ("half an hour", timedelta(minutes=30)),
        ("a quarter of an hour", timedelta(minutes=15)),
        ("three quarters of an hour", timedelta(minutes=45)),
        ("an hour and a half", timedelta(minutes=90)),
        ("one and a half hours", timedelta(minutes=90)),
        ("2.5 hours", timedelta(minutes=150)),
        ("two hours and thirty minutes", timedelta(minutes=150)),
        ("one hour twenty minutes and five seconds", timedelta(hours=1, minutes=20, seconds=5)),
        ("a couple of minutes", timedelta(minutes=2)),
        ("a day", timedelta(days=1)),
        ("90 secs", timedelta(seconds=90)),
        ("thirty minutes and two hours", None),
        ("five miles", None),
        ("ten", None),
        ("9" * 30 + " weeks", None),
    ],
)
def test_durations(text, expected):
    assert whole(duration, text) == expected


def test_no_duration_is_too_long_for_a_calendar():
    assert whole(duration, f"{LONGEST.days} days") == LONGEST
    assert whole(duration, f"{LONGEST.days + 1} days") is None


TODAY = date(2026, 11, 26)
"""A Thursday."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", TODAY),
        ("tomorrow", date(2026, 11, 27)),
        ("the day before yesterday", date(2026, 11, 24)),
        ("in ten days", date(2026, 12, 6)),
        ("two weeks from now", date(2026, 12, 10)),
        ("three days ago", date(2026, 11, 23)),
        ("in a week", date(2026, 12, 3)),
        ("thursday", date(2026, 12, 3)),
        ("next friday", date(2026, 11, 27)),
        ("last thursday", date(2026, 11, 19)),
        ("march third", date(2027, 3, 3)),
        ("the 5th of March", date(2027, 3, 5)),
        ("November 26", TODAY),
        ("5 march 2028", date(2028, 3, 5)),
        ("the twenty first of june twenty twenty seven", date(2027, 6, 21)),
        ("february 29th", date(2028, 2, 29)),
        ("the 29th of february 2027", None),
        ("february 30th", None),
        ("Christmas", date(2026, 12, 25)),
        ("New Year's Eve", date(2026, 12, 31)),
        ("2026-03-05", date(2026, 3, 5)),
        ("2026-13-05", None),
        ("0000-01-01", None),
    ],
)
def test_days(text, expected):
    day = days.read(text)
    assert day is not None
    assert day.on(TODAY) == expected


@pytest.mark.parametrize("text", ["", "someday", "in 99999999999 days", "march", "2026", "the 40th of may", "9" * 9999])
def test_what_is_no_day(text):
    assert days.read(text) is None


def test_the_end_of_the_calendar_is_no_error():
    assert days.Day("away", 10).on(date.max) is None
    assert days.Day("yearly", month=1, day=1).on(date.max) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 miles", (5, "mile")),
        ("six foot two", (74, "inch")),
        ("five feet eleven inches", (71, "inch")),
        ("a pound and a half", (Fraction(3, 2), "pound")),
        ("25°C", (25, "degC")),
        ("half a mile", (Fraction(1, 2), "mile")),
        ("100 km/h", (100, "kilometer/hour")),
        ("two hours and ten minutes", (130, "minute")),
        ("minus 40 fahrenheit", (-40, "degF")),
        ("six foot twelve", None),
        ("five apples", None),
    ],
)
def test_amounts(text, expected):
    assert whole(units.amounts, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seven times eight", 56),
        ("15% of 80", 12),
        ("fifteen per cent of eighty", 12),
        ("2*(3+4)^2", 98),
        ("3 plus 4 times 5", 23),
        ("10 minus 3 minus 2", 5),
        ("2 ** 3 ** 2", 512),
        ("-2^2", -4),
        ("the square root of 144", 12),
        ("cube root of 27", 3),
        ("half of ten plus 2", 7),
        ("100 minus 20 percent", 80),
        ("20% off 50", 40),
        ("two thirds of nine", 6),
        ("two to the tenth", 1024),
        ("2 to the power of minus 1", Fraction(1, 2)),
        ("add five to seven", 12),
        ("subtract 5 from 12", 7),
        ("the difference between 5 and 12", -7),
        ("the product of 3 and 4", 12),
        ("twice 8", 16),
        ("17 modulo 5", 2),
        ("0 ^ 5", 0),
        ("(-1) ^ 99999999999", -1),
        ("1 ^ (10 ^ 20)", 1),
    ],
)
def test_sums(text, expected):
    found = sums.read(text)
    assert found is not None
    assert work_out(found) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 / 0", "divided by zero"),
        ("5 mod 0", "divided by zero"),
        ("0 ^ -1", "divided by zero"),
        ("10**10**10", "too large"),
        ("9^9^9^9^9", "too large"),
        ("2 ^ 99999", "too large"),
        ("2 ^ -99999", "too large"),
        ("(10 ^ 999) * (10 ^ 999)", "too large"),
        ("10 ^ 400.5", "too large"),
        ("(10 ^ 400) ^ 0.5", "too large"),
        ("root of minus 4", "negative number"),
        ("(-8) ^ 0.5", "negative number"),
    ],
)
def test_sums_without_a_result(text, why):
    found = sums.read(text)
    assert found is not None
    with pytest.raises(CannotWorkOut, match=why):
        work_out(found)


@pytest.mark.parametrize(
    "text",
    ["", "ten plus", "plus", "(1", "1)", "(" * 30 + "1" + ")" * 30, "9" * 99_999, "__import__('os')", "1e9", "NaN"],
)
def test_what_is_no_sum(text):
    assert sums.read(text) is None


def test_a_root_that_is_not_whole_is_near():
    found = sums.read("square root of two")
    assert found is not None
    assert abs(work_out(found) ** 2 - 2) < 1e-9


SUM_WORDS = "1 2 10 minus plus times ( ) ^ ** / percent of root square the power to and add by half 9999999999"


@given(st.lists(st.sampled_from(SUM_WORDS.split()), max_size=59).map(" ".join))
def test_any_sum_has_a_result_or_a_reason(text):
    found = sums.read(text)
    if found is not None:
        try:
            result = work_out(found)
        except CannotWorkOut:
            return
        assert max(result.numerator.bit_length(), result.denominator.bit_length()) <= 4096
