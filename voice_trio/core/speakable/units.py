"""What the signs behind and before figures are called: one of it, and more than one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from voice_trio.core.speakable.draft import Draft

UNITS = {
    "km": ("kilometre", "kilometres"),
    "m": ("metre", "metres"),
    "cm": ("centimetre", "centimetres"),
    "nm": ("nanometre", "nanometres"),
    "mm": ("millimetre", "millimetres"),
    "mi": ("mile", "miles"),
    "yd": ("yard", "yards"),
    "ft": ("foot", "feet"),
    "m²": ("square metre", "square metres"),
    "m2": ("square metre", "square metres"),
    "m^2": ("square metre", "square metres"),
    "km²": ("square kilometre", "square kilometres"),
    "km2": ("square kilometre", "square kilometres"),
    "km^2": ("square kilometre", "square kilometres"),
    "cm^2": ("square centimetre", "square centimetres"),
    "cm²": ("square centimetre", "square centimetres"),
    "ft²": ("square foot", "square feet"),
    "m³": ("cubic metre", "cubic metres"),
    "m3": ("cubic metre", "cubic metres"),
    "m^3": ("cubic metre", "cubic metres"),
    "cm³": ("cubic centimetre", "cubic centimetres"),
    "cm^3": ("cubic centimetre", "cubic centimetres"),
    "µm": ("micrometre", "micrometres"),
    "μm": ("micrometre", "micrometres"),
    "µg": ("microgram", "micrograms"),
    "μg": ("microgram", "micrograms"),
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "t": ("tonne", "tonnes"),
    "oz": ("ounce", "ounces"),
    "L": ("litre", "litres"),
    "l": ("litre", "litres"),
    "cl": ("centilitre", "centilitres"),
    "dl": ("decilitre", "decilitres"),
    "ml": ("millilitre", "millilitres"),
    "mL": ("millilitre", "millilitres"),
    "tbsp": ("tablespoon", "tablespoons"),
    "tsp": ("teaspoon", "teaspoons"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "km/h": ("kilometre per hour", "kilometres per hour"),
    "kph": ("kilometre per hour", "kilometres per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "m/s": ("metre per second", "metres per second"),
    "m/s²": ("metre per second squared", "metres per second squared"),
    "m/s^2": ("metre per second squared", "metres per second squared"),
    "bps": ("bit per second", "bits per second"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "kB": ("kilobyte", "kilobytes"),
    "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "ns": ("nanosecond", "nanoseconds"),
    "µs": ("microsecond", "microseconds"),
    "μs": ("microsecond", "microseconds"),
    "ms": ("millisecond", "milliseconds"),
    "s": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "W": ("watt", "watts"),
    "kW": ("kilowatt", "kilowatts"),
    "GW": ("gigawatt", "gigawatts"),
    "MW": ("megawatt", "megawatts"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "V": ("volt", "volts"),
    "mAh": ("milliampere hour", "milliampere hours"),
    "mV": ("millivolt", "millivolts"),
    "kV": ("kilovolt", "kilovolts"),
    "mA": ("milliampere", "milliamperes"),
    "kΩ": ("kilohm", "kilohms"),
    "Ω": ("ohm", "ohms"),
    "kPa": ("kilopascal", "kilopascals"),
    "hPa": ("hectopascal", "hectopascals"),
    "kJ": ("kilojoule", "kilojoules"),
    "mol": ("mole", "moles"),
    "mmHg": ("millimetre of mercury", "millimetres of mercury"),
    "rpm": ("turn per minute", "turns per minute"),
    "fps": ("frame per second", "frames per second"),
    "dB": ("decibel", "decibels"),
    "cal": ("calorie", "calories"),
    "kcal": ("kilocalorie", "kilocalories"),
    "px": ("pixel", "pixels"),
    "%": ("percent", "percent"),
    "‰": ("per mille", "per mille"),
    "k": ("thousand", "thousand"),
    "M": ("million", "million"),
    "B": ("billion", "billion"),
}
ATTACHED = {"k", "M", "B"}
"""Mean this only right behind the figures: "5M", but "5 M"."""
DETACHED = {"s"}
"""Mean this only after a space or decimals: "5 s", but "the 1990s"."""


def either(words: Iterable[str]) -> str:
    """Return a pattern for any of ``words``, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def per_pattern(group: str) -> str:
    """Return a pattern for "/month", which ``group`` then names."""
    return rf"(?:/(?P<{group}>[a-zA-Z]{{2,12}}|[hsLl])(?!\w))?"


def per(m: re.Match[str], group: str, draft: Draft) -> None:
    """Add "per month" where ``group`` of `per_pattern` stands."""
    if m[group]:
        draft.word("per", m.start(group) - 1)
        if m[group] in UNITS:
            draft.say(UNITS[m[group]][0], m.start(group))
        else:
            draft.copy(m[group], m.start(group))
