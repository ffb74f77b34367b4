"""Skills, used as a session uses them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from voice_trio.core.items import Words
from voice_trio.skills.skill import Means
from voice_trio.skills.table import Skills
from voice_trio.toolbox.base import Circumstances

BERLIN = ZoneInfo("Europe/Berlin")
THURSDAY = datetime(2026, 11, 26, 15, 45, 10, tzinfo=BERLIN)


class Controlled:
    """What a session would do."""

    def __init__(self, latency=None, turns=1):
        self.speed = 1.0
        self.latency = latency
        self.turns = turns
        self.changed_alerts = 0

    def speak_at(self, speed):
        self.speed = speed

    def latest_latency(self):
        return self.latency

    def forget_latest(self):
        self.turns -= 1
        return self.turns >= 0

    def alerts_changed(self):
        self.changed_alerts += 1


class Using:
    """Skills in one conversation, with a clock and a chance of the test's own."""

    def __init__(self, now=THURSDAY, drawn=(), latency=None):
        self.now = now
        self.items = []
        self.control = Controlled(latency)
        draws = iter(drawn)
        self.tools = {one.tool.name: one for one in Skills(Means(below=lambda limit: next(draws) % limit)).tools()}

    def say(self, by, text):
        self.items.append(Words(id=f"item_{len(self.items)}", by=by, text=text))

    async def __call__(self, tool, /, **arguments):
        return await self.tools[tool].use(
            arguments,
            Circumstances(
                conversation="c", turn=1, now=self.now, language="en", items=self.items, control=self.control
            ),
        )


def at(*when, zone=BERLIN):
    return datetime(*when).replace(tzinfo=zone)
