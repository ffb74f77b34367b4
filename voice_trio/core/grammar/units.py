"""Units of measure and amounts of them: "5 miles", "six foot two", "a pound and a half", "20 degrees celsius"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from voice_trio.core.grammar.numbers import fraction, numbers, word_at
from voice_trio.core.grammar.tokens import Token, tokens

_NAMES: Final = """
millimeter: millimeters millimetre millimetres mm
centimeter: centimeters centimetre centimetres cm
meter: meters metre metres m
kilometer: kilometers kilometre kilometres km kms kilometer's
inch: inches
foot: feet ft
yard: yards
mile: miles
nautical_mile: nautical_miles
light_year: light_years
milligram: milligrams mg
gram: grams gramme grammes g
kilogram: kilograms kilo kilos kg kgs kilogramme kilogrammes
metric_ton: metric_tons tonne tonnes
ounce: ounces oz
pound: pounds lb lbs
stone: stones
ton: tons
milliliter: milliliters millilitre millilitres ml
centiliter: centiliters centilitre centilitres cl
liter: liters litre litres l leader leaders
teaspoon: teaspoons tsp
tablespoon: tablespoons tbsp
fluid_ounce: fluid_ounces
cup: cups
pint: pints
quart: quarts
gallon: gallons
imperial_gallon: imperial_gallons
imperial_pint: imperial_pints
cubic_meter: cubic_meters cubic_metre cubic_metres
degC: celsius degrees_celsius degree_celsius centigrade degrees_centigrade degrees_c c
degF: fahrenheit degrees_fahrenheit degree_fahrenheit degrees_f f
kelvin: kelvins degrees_kelvin
millisecond: milliseconds ms
second: seconds sec secs
minute: minutes min mins
hour: hours hr hrs
day: days
week: weeks
fortnight: fortnights
month: months
year: years
decade: decades
century: centuries
kilometer/hour: kilometers_per_hour kilometres_per_hour kilometers_an_hour kilometres_an_hour km_per_hour km/h kph kmh
mile/hour: miles_per_hour miles_an_hour mph
meter/second: meters_per_second metres_per_second m/s
knot: knots
square_meter: square_meters square_metre square_metres
square_foot: square_feet
square_kilometer: square_kilometers square_kilometre square_kilometres
square_mile: square_miles
acre: acres
hectare: hectares
bit: bits
byte: bytes
kilobyte: kilobytes kb
megabyte: megabytes mb
gigabyte: gigabytes gb gigs
terabyte: terabytes tb
joule: joules
calorie: calories
kilocalorie: kilocalories kcal
kilojoule: kilojoules kj
kilowatt_hour: kilowatt_hours kwh
watt: watts
kilowatt: kilowatts kw
horsepower: hp
pascal: pascals
bar: bars
psi: pounds_per_square_inch
atmosphere: atmospheres
degree: degrees
radian: radians
"""
"""Unit: what it is called besides, and what recognizers take it for."""

_CALLED: Final = {
    "degC": ("degree Celsius", "degrees Celsius"),
    "degF": ("degree Fahrenheit", "degrees Fahrenheit"),
    "foot": ("foot", "feet"),
    "inch": ("inch", "inches"),
    "century": ("century", "centuries"),
    "kilometer/hour": ("kilometer per hour", "kilometers per hour"),
    "mile/hour": ("mile per hour", "miles per hour"),
    "meter/second": ("meter per second", "meters per second"),
    "square_foot": ("square foot", "square feet"),
    "kelvin": ("kelvin", "kelvin"),
    "horsepower": ("horsepower", "horsepower"),
    "psi": ("pound per square inch", "pounds per square inch"),
}

_SMALLER: Final = {
    ("foot", "inch"): 12,
    ("hour", "minute"): 60,
    ("minute", "second"): 60,
    ("day", "hour"): 24,
    ("week", "day"): 7,
    ("year", "month"): 12,
    ("pound", "ounce"): 16,
    ("stone", "pound"): 14,
    ("meter", "centimeter"): 100,
    ("kilometer", "meter"): 1000,
    ("kilogram", "gram"): 1000,
    ("yard", "foot"): 3,
    ("mile", "yard"): 1760,
}
"""A unit and a smaller one -> how many make one: both may be said in one amount."""


class Amount(NamedTuple):
    """So much of a unit."""

    number: Fraction
    unit: str


def _rows() -> Iterator[tuple[tuple[str, ...], str]]:
    for row in _NAMES.strip().splitlines():
        unit, _, names = row.partition(": ")
        for name in (unit, *names.split()):
            yield tuple(token.word for token in tokens(name.replace("_", " "))), unit


_BY_WORDS: Final = dict(_rows())
_LONGEST: Final = max(map(len, _BY_WORDS))


def read(text: str) -> str | None:
    """Return the unit that ``text`` is a name of."""
    return _BY_WORDS.get(tuple(token.word for token in tokens(text.replace("_", " "))))


def called(unit: str, *, one: bool = False) -> str:
    """Return what people call ``unit``, or several."""
    single, several = _CALLED.get(unit, (unit.replace("_", " "), f"{unit.replace('_', ' ')}s"))
    return single if one else several


def units(heard: Sequence[Token], at: int) -> Iterator[tuple[int, str]]:
    """Yield each unit that begins there, with where it ends, the longest first."""
    for length in range(_LONGEST, 0, -1):
        unit = _BY_WORDS.get(tuple(token.word for token in heard[at : at + length]))
        if unit is not None and at + length <= len(heard):
            yield at + length, unit


def amounts(heard: Sequence[Token], at: int) -> Iterator[tuple[int, Amount]]:
    """Yield each amount that begins there, with where it ends."""
    for end, number in _counts(heard, at):
        for behind, unit in units(heard, end):
            yield behind, Amount(number, unit)
            joined = behind + (word_at(heard, behind) == "and")
            part = fraction(heard, joined)
            if part is not None and joined > behind:
                yield part[0], Amount(number + part[1], unit)
            yield from _with_smaller(heard, joined, number, unit)


def _counts(heard: Sequence[Token], at: int) -> Iterator[tuple[int, Fraction]]:
    word = word_at(heard, at)
    if word in ("a", "an"):
        yield at + 1, Fraction(1)
    part = fraction(heard, at)
    if part is not None:
        # "half a mile", "three quarters of a pound"
        end = part[0] + (word_at(heard, part[0]) == "of")
        yield end + (word_at(heard, end) in ("a", "an")), part[1]
    yield from numbers(heard, at)


def _with_smaller(heard: Sequence[Token], at: int, number: Fraction, unit: str) -> Iterator[tuple[int, Amount]]:
    """Yield "six foot two" and "two hours and ten minutes" in the smaller unit."""
    for end, more in numbers(heard, at):
        for behind, smaller in units(heard, end):
            if (many := _SMALLER.get((unit, smaller))) is not None:
                yield behind, Amount(number * many + more, smaller)
        if unit == "foot" and 0 < more < 12:
            yield end, Amount(number * 12 + more, "inch")
