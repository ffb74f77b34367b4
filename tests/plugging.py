"""Packages of others with engines in them, installed for the length of a test."""

import importlib
import sys
import textwrap
from contextlib import contextmanager
from itertools import count

from voice_trio import entry_points

PARTS = """
    import sys
    from contextlib import asynccontextmanager
    from typing import Annotated
    from pydantic import Field, SecretStr
    from voice_trio.engines.base import CannotLoad
    from voice_trio.engines.plug import EngineSettings, Plug
    from voice_trio.engines.synthetic import SyntheticModel
    from voice_trio.entry_points import Kind

    class Own(EngineSettings):
        parrot_pitch: Annotated[int, Field(ge=1, le=9)] = 5
        parrot_key: SecretStr | None = None
        llm_timeout_s: float

    class Needy(EngineSettings):
        parrot_address: str

    class Parrot(SyntheticModel):
        name = "parrot"

    @asynccontextmanager
    async def open_parrot(settings):
        parrot = Parrot()
        parrot.settings = settings
        yield parrot

    def raises(error):
        def fail(settings):
            raise error
        return fail

    def parrot(**changes):
        plug = dict(kind=Kind.LANGUAGE_MODEL, name="parrot", settings=Own, open=open_parrot, quality=70)
        return Plug(**{**plug, **changes})
"""


NUMBERS = count()
"""A module of one name is imported once."""


@contextmanager
def plugging(folder, monkeypatch):
    """Give what installs a package with one module in ``folder``: its code, and what its entry points are called."""
    entry_points.forget()
    # Not syspath_prepend: it fails where a package brought a pkg_resources of its own.
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    importlib.invalidate_caches()
    for name in ("STREAM_LLM_ENGINE", "STREAM_ASR_ENGINE", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def plug_in(code="PLUG = parrot()", points="language_model.parrot", *, package="bird"):
        module = f"{package}_{next(NUMBERS)}"
        (folder / f"{module}.py").write_text(textwrap.dedent(PARTS) + textwrap.dedent(code))
        info = folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = "".join(f"{point} = {module}:PLUG\n" for point in points.split())
        (info / "entry_points.txt").write_text(f"[voice_trio.engines]\n{lines}")
        entry_points.forget()
        return module

    try:
        yield plug_in
    finally:
        monkeypatch.undo()
        entry_points.forget()
