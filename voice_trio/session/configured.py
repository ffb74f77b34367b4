"""What a turn goes by of what its client configured."""

from __future__ import annotations

from dataclasses import replace

from voice_trio.core import messages as m
from voice_trio.session.surroundings import Surroundings


def configured(
    around: Surroundings, request: m.Start | m.Text, wanted: m.Configure
) -> tuple[Surroundings, m.Start | m.Text]:
    """Return a turn's surroundings and request, with what is ``wanted`` where ``request`` says nothing itself."""
    if wanted.instructions is not None:
        around = replace(around, settings=replace(around.settings, llm_system_prompt=wanted.instructions))
    request = replace(
        request,
        voice=wanted.voice if request.voice is None else request.voice,
        language=wanted.language if request.language is None else request.language,
        speed=wanted.speed if request.speed is None else request.speed,
    )
    return around, request
