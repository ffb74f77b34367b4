"""`/api/language_model`: a person names the language model, by its address, its key, or both.

It is tried before it takes over. The key is never answered, and no file has it unless the person says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import trio
from quart import Response, request
from quart.wrappers import Request
from quart_trio import QuartTrio

from voice_trio.config import ConfigError, Settings
from voice_trio.core.messages import ErrorCode
from voice_trio.core.model_lists import ModelList
from voice_trio.engines.base import CannotLoad, EngineError
from voice_trio.engines.host import EngineHost, SwapUnderWay
from voice_trio.engines.openai_chat.given import ENGINE, GivenModel, GivenSettings
from voice_trio.engines.openai_chat.model import open_chat_model
from voice_trio.entry_points import Kind
from voice_trio.log import hide
from voice_trio.server import kept_model
from voice_trio.server.access import Access
from voice_trio.server.deciding import check_may_name_model, not_swapped
from voice_trio.server.engine_list import EngineList
from voice_trio.server.json_http import HttpError, answered, refusal, refused, small_object
from voice_trio.server.sessions import Sessions
from voice_trio.server.upload.answer import busy

_BAD_REQUEST = 400
_UNPROCESSABLE = 422
_UNAVAILABLE = 503

_MOST_BYTES = 10_000
_TRY_S: Final = 5.0
"""For its list of models."""
_FAILS = ErrorCode.LLM_FAIL
_KEY_CHARS = 8
"""A shorter key is a word that servers take for none ("x", "none"), and would be taken out of every line of the log."""
_STILL_KEPT = "What was kept before could not be removed, and its key is still in the data folder"


class GivenModelApi:
    """What can be asked of ``host`` about a model that no setting names. ``settings`` are those of the environment."""

    def __init__(
        self, settings: Settings, host: EngineHost, sessions: Sessions, access: Access, engines: EngineList
    ) -> None:
        self._settings = settings
        self._host = host
        self._sessions = sessions
        self._access = access
        self._engines = engines
        self._one_at_a_time = trio.Lock()

    def add_to(self, app: QuartTrio) -> None:
        """Add the routes to ``app``, which has looked at token and origin before."""

        @app.put("/api/language_model")
        async def give() -> Response:
            try:
                await self._give(request)
            except HttpError as error:
                return refused(error)
            return answered(await self._engines.tell(may_swap=True))

        @app.delete("/api/language_model")
        async def forget() -> Response:
            try:
                await self._forget(request)
            except HttpError as error:
                return refused(error)
            return answered(await self._engines.tell(may_swap=True))

    async def _give(self, asked: Request) -> None:
        """Have the model that ``asked`` describes take over. Raises `HttpError`."""
        self._check(asked)
        said = await small_object(asked, _MOST_BYTES)
        kept = said.get("keep") is True
        try:
            given = await trio.to_thread.run_sync(GivenModel.of, self._with_earlier_key(said))
        except ValueError as error:
            raise refusal(_BAD_REQUEST, str(error)) from None
        if len(given.key) >= _KEY_CHARS:
            hide([given.key])
        async with self._one_at_a_time:
            given = await self._named(given)
            await self._swap(ENGINE, GivenSettings.beside(self._settings, given, kept=kept))
            if kept:
                await _on_disk("It is used now, and could not be kept", kept_model.keep, self._settings, given)
            else:
                await _on_disk(_STILL_KEPT, kept_model.forget, self._settings)

    async def _forget(self, asked: Request) -> None:
        """Have the model that the environment means take over, and keep no other. Raises `HttpError`."""
        self._check(asked)
        async with self._one_at_a_time:
            if isinstance(self._host.settings, GivenSettings):
                await self._swap(self._settings.llm_engine, self._settings)
            await _on_disk(_STILL_KEPT, kept_model.forget, self._settings)

    def _with_earlier_key(self, said: dict[str, Any]) -> dict[str, Any]:
        """Return ``said`` with the key that is in use, where it names none and the address is the same.

        The page shows no key, so who corrects a name has none to say again.
        """
        now = self._host.settings
        if "key" in said or not isinstance(now, GivenSettings) or now.openai_api_key is None:
            return said
        if said.get("url", "") != (now.openai_base_url or ""):
            return said
        return {**said, "key": now.openai_api_key.get_secret_value()}

    async def _swap(self, name: str, settings: Settings) -> None:
        try:
            await self._host.swap(Kind.LANGUAGE_MODEL, name, settings)
        except (SwapUnderWay, CannotLoad) as error:
            raise not_swapped(error, _FAILS) from error
        self._engines.look_again()

    def _check(self, asked: Request) -> None:
        check_may_name_model(asked, self._access)
        if self._sessions.draining:
            raise busy("The server is stopping.")

    async def _named(self, given: GivenModel) -> GivenModel:
        """Return ``given`` with the name of a model, having seen that it answers. Raises `HttpError`."""
        listed: ModelList | None = None
        settings = GivenSettings.beside(self._settings, given, kept=False)
        try:
            with trio.fail_after(_TRY_S):
                async with open_chat_model(settings) as model:
                    listed = await model.models()
        except trio.TooSlowError:
            raise refusal(_UNPROCESSABLE, f"It did not answer within {_TRY_S:g} seconds.", _FAILS) from None
        except EngineError as error:
            raise refusal(_UNPROCESSABLE, error.message, _FAILS) from error
        except ConfigError as error:
            raise refusal(_UNPROCESSABLE, str(error), _FAILS) from error
        if given.model or not given.url:
            return given
        if listed is None or not listed.chat:
            raise refusal(_UNPROCESSABLE, "It lists no model that can talk: give the name of one.", _FAILS)
        return GivenModel(given.url, given.key, listed.chat[0])


async def _on_disk(trouble: str, work: Callable[..., None], *given: object) -> None:
    """Do ``work`` in a thread. Raises `HttpError` with ``trouble`` where the disk does not let it."""
    try:
        await trio.to_thread.run_sync(work, *given)
    except OSError as error:
        why = error.strerror or "the data folder cannot be used"
        raise refusal(_UNAVAILABLE, f"{trouble}: {why}.", _FAILS) from error
