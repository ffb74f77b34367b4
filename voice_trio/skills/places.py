"""In which time zone a place lies: the cities of the time zone database, and others that people ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voice_trio.core.grammar.tokens import Token, tokens
from voice_trio.toolbox.base import ToolError

_OTHERS = """
America/New_York: boston, philadelphia, washington, washington dc, miami, atlanta, orlando, baltimore, pittsburgh,
  buffalo, charlotte, cleveland, columbus, cincinnati, tampa, new york city, nyc, brooklyn, manhattan, florida, new
  jersey, virginia, georgia usa, massachusetts, the east coast, eastern time
America/Chicago: dallas, houston, austin, san antonio, minneapolis, new orleans, milwaukee, kansas city, memphis,
  nashville, oklahoma city, omaha, saint louis, st louis, texas, illinois, minnesota, central time
America/Denver: salt lake city, albuquerque, colorado, utah, montana, mountain time
America/Phoenix: tucson, arizona
America/Los_Angeles: san francisco, seattle, portland, san diego, las vegas, sacramento, oakland, san jose, silicon
  valley, hollywood, california, la, oregon, nevada, the west coast, pacific time
Pacific/Honolulu: hawaii
America/Anchorage: alaska
America/Toronto: ottawa, montreal, quebec, ontario
America/Edmonton: calgary, alberta
America/Vancouver: victoria, british columbia
America/Mexico_City: guadalajara, mexico
America/Sao_Paulo: rio, rio de janeiro, brasilia
America/Argentina/Buenos_Aires: argentina
America/Santiago: chile
America/Lima: peru
America/Bogota: colombia, medellin
America/Caracas: venezuela
America/Havana: cuba
America/Jamaica: kingston
America/Panama: panama city
America/Costa_Rica: san jose costa rica
America/Guatemala: guatemala city
America/Guayaquil: ecuador, quito
America/La_Paz: bolivia
America/Montevideo: uruguay
America/Asuncion: paraguay
Atlantic/Reykjavik: iceland
Europe/London: england, scotland, wales, britain, great britain, the uk, uk, the united kingdom, united kingdom,
  manchester, birmingham, liverpool, leeds, glasgow, edinburgh, cardiff, bristol, oxford, cambridge
Europe/Dublin: ireland, cork
Europe/Lisbon: portugal, porto
Europe/Madrid: spain, barcelona, valencia, seville
Europe/Paris: france, lyon, marseille, nice, toulouse, bordeaux, strasbourg
Europe/Berlin: germany, munich, hamburg, frankfurt, cologne, stuttgart, dusseldorf, düsseldorf, dresden, leipzig,
  nuremberg, bonn
Europe/Brussels: belgium, antwerp
Europe/Amsterdam: the netherlands, netherlands, holland, rotterdam, the hague
Europe/Zurich: switzerland, geneva, basel, bern, zürich
Europe/Vienna: austria, salzburg, graz
Europe/Rome: italy, milan, naples, venice, florence, turin, sicily
Europe/Prague: the czech republic, czech republic, czechia
Europe/Warsaw: poland, krakow
Europe/Budapest: hungary
Europe/Athens: greece, thessaloniki
Europe/Istanbul: turkey, ankara
Europe/Kyiv: kiev, ukraine
Europe/Moscow: saint petersburg, st petersburg
Europe/Stockholm: sweden, gothenburg
Europe/Oslo: norway, bergen
Europe/Copenhagen: denmark
Europe/Helsinki: finland
Europe/Bucharest: romania
Europe/Sofia: bulgaria
Europe/Belgrade: serbia
Europe/Zagreb: croatia
Europe/Ljubljana: slovenia
Europe/Bratislava: slovakia
Europe/Tallinn: estonia
Europe/Riga: latvia
Europe/Vilnius: lithuania
Africa/Cairo: egypt, alexandria
Africa/Johannesburg: south africa, cape town, pretoria, durban
Africa/Lagos: nigeria, abuja
Africa/Nairobi: kenya
Africa/Addis_Ababa: ethiopia
Africa/Accra: ghana
Africa/Casablanca: morocco, marrakesh
Africa/Tunis: tunisia
Africa/Algiers: algeria
Asia/Jerusalem: israel, tel aviv
Asia/Beirut: lebanon
Asia/Baghdad: iraq
Asia/Tehran: iran
Asia/Riyadh: saudi arabia, mecca
Asia/Dubai: abu dhabi, the emirates, the united arab emirates, united arab emirates
Asia/Qatar: doha
Asia/Kabul: afghanistan
Asia/Karachi: pakistan, lahore, islamabad
Asia/Kolkata: india, mumbai, delhi, new delhi, bangalore, bengaluru, chennai, hyderabad, calcutta, bombay, goa
Asia/Kathmandu: nepal
Asia/Colombo: sri lanka
Asia/Dhaka: bangladesh
Asia/Yangon: myanmar, burma
Asia/Bangkok: thailand
Asia/Ho_Chi_Minh: vietnam, hanoi, saigon
Asia/Kuala_Lumpur: malaysia
Asia/Jakarta: java
Asia/Makassar: bali
Asia/Manila: the philippines, philippines
Asia/Shanghai: china, beijing, shenzhen, guangzhou, peking
Asia/Hong_Kong: hongkong
Asia/Taipei: taiwan
Asia/Seoul: south korea, korea
Asia/Tokyo: japan, osaka, kyoto, tokio
Australia/Sydney: canberra
Australia/Melbourne: victoria australia
Pacific/Auckland: new zealand, wellington, christchurch
UTC: greenwich, greenwich mean time, universal time, coordinated universal time, gmt
"""
"""Time zone: what lies in it besides the city that it is named for."""

_SEVERAL = {
    "america": "New York",
    "the united states": "New York",
    "united states": "New York",
    "the states": "New York",
    "the us": "New York",
    "the usa": "New York",
    "usa": "New York",
    "us": "New York",
    "canada": "Toronto",
    "russia": "Moscow",
    "australia": "Sydney",
    "brazil": "Sao Paulo",
    "indonesia": "Jakarta",
    "kazakhstan": "Almaty",
}
"""What lies in several zones -> a city of it."""

_AREAS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
_NO_PLACES = frozenset({"act", "lhi", "nsw", "north", "south", "west", "yancowinna", "general", "center", "wake"})
_LONGEST_WORDS = 4


@cache
def _keys() -> frozenset[str]:
    """Return the name of each time zone: to ask the system for them takes twenty times as long."""
    return frozenset(files("tzdata").joinpath("zones").read_text().split())


@cache
def zones() -> dict[str, str]:
    """Return the time zone of each place, by its name in small letters. Reads a file, the first time."""
    found: dict[str, str] = {}
    for key in sorted(_keys()):
        city = key.rpartition("/")[2].replace("_", " ").casefold()
        if key.startswith(_AREAS) and city not in _NO_PLACES:
            # The longer key of two is the newer one, as in America/Argentina/Buenos_Aires.
            found[_plain(city)] = key
    for row in _OTHERS.replace("\n  ", " ").strip().splitlines():
        key, _, places = row.partition(": ")
        for place in places.split(", "):
            found[_plain(place)] = key
    return found


def _plain(name: str) -> str:
    return " ".join(token.word for token in tokens(name))


def places(heard: Sequence[Token], at: int) -> Iterator[tuple[int, str]]:
    """Yield each place that begins there, with where it ends."""
    words = [token.word for token in heard[at : at + _LONGEST_WORDS]]
    for count in range(len(words), 0, -1):
        name = " ".join(words[:count])
        if name in zones() or name in _SEVERAL:
            yield at + count, name


def zone_of(place: str) -> tzinfo:
    """Return the time zone of ``place``, a name or a key of the database. Raises `ToolError`."""
    name = _plain(place)
    if name in _SEVERAL:
        raise ToolError(f"There are several time zones in {called(name)}: name a city, such as {_SEVERAL[name]}.")
    key = zones().get(name) or (place if place in _keys() else None)
    if key is None:
        # "Paris, France": the first part says it.
        head, comma, _ = place.partition(",")
        if comma and head.strip():
            return zone_of(head)
        raise ToolError(f"I do not know in which time zone {called(place) or 'that'} lies.")
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ToolError("The time zones of this machine cannot be read.") from error


def where(place: str) -> str:
    """Return where it is: "in Tokyo"."""
    return f"{'on' if place.casefold().endswith(' coast') else 'in'} {called(place)}"


def called(place: str) -> str:
    """Return the name of a place as it is written."""
    small = ("the", "de", "of")
    capitals = ("uk", "us", "usa", "utc", "gmt", "nyc", "la", "dc")
    words = place.strip()[:60].split()
    return " ".join(
        word.upper() if word.casefold() in capitals else word if word in small else word[:1].upper() + word[1:]
        for word in words
    )
