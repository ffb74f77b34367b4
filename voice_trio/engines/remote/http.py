"""How a far end is asked over HTTP, whatever it answers.

No redirect is followed: a key, and what a person said, go where the operator sends them. Nothing that was packed is
unpacked, of an answer that is no success only the head is read, and of one that is, no more than is asked for. Who is
cancelled, or has read enough, closes the connection, unless the answer was read to its end.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import trio

from voice_trio.config import Settings
from voice_trio.engines.openai_chat.client import distrusted, trust
from voice_trio.engines.openai_chat.proxy import proxy_for
from voice_trio.engines.remote.address import Remote
from voice_trio.engines.remote.ends import FarEnd, FarEndFailed

if TYPE_CHECKING:
    import httpx2

_REFUSED = {
    HTTPStatus.UNAUTHORIZED: "refused the key (HTTP 401): check {key}",
    HTTPStatus.FORBIDDEN: "refused the key (HTTP 403): check {key}",
    HTTPStatus.NOT_FOUND: "has no such address or model (HTTP 404): check {url} and {model}",
}
_PASSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_HAS_NO_ROOM = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Http:
    """The one HTTP client of a remote engine. `open_http` opens one."""

    def __init__(self, client: httpx2.AsyncClient, remote: Remote) -> None:
        self._client = client
        self._remote = remote

    @asynccontextmanager
    async def post(self, end: FarEnd, path: str, mimetypes: tuple[str, ...], **body: Any) -> AsyncIterator[Body]:
        """Ask ``end`` at ``path`` and give the body of its answer, of a type that begins with one of ``mimetypes``.

        Raises `FarEndFailed`.
        """
        request = self._client.build_request("POST", end.url + path, **body)
        with _told(end):
            response: httpx2.Response = await end.through(lambda: self._client.send(request, stream=True))
        answer = Body(response, end)
        try:
            self._check(response, end, mimetypes)
            yield answer
        finally:
            await answer.close()

    def _check(self, response: httpx2.Response, end: FarEnd, mimetypes: tuple[str, ...]) -> None:
        status = response.status_code
        if not response.is_success:
            raise self._refusal(response, end)
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise FarEndFailed(f"{end.place} packs its answers, which nobody asked for.")
        mimetype = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not mimetype.startswith(mimetypes):
            wanted = mimetypes[0].rstrip("/")
            shown = repr(mimetype[:40]) if mimetype else "no type"
            raise FarEndFailed(
                f"{end.place} answers with {shown} where {wanted} was asked for (HTTP {status}): "
                f"check {self._remote.setting}."
            )

    def _refusal(self, response: httpx2.Response, end: FarEnd) -> FarEndFailed:
        status, remote = response.status_code, self._remote
        if response.is_redirect:
            message = f"sends to another address (HTTP {status}): put the right one into {remote.setting}"
        elif status in _REFUSED:
            message = _REFUSED[HTTPStatus(status)].format(
                key=remote.key_setting, url=remote.setting, model=remote.model_setting
            )
        elif status in _HAS_NO_ROOM:
            wait_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
            return FarEndFailed(f"{end.place} has no room now (HTTP {status}).", wait_s=wait_s)
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            message = f"has a fault (HTTP {status})"
        else:
            message = f"refused what it was asked (HTTP {status})"
        again = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSES
        return FarEndFailed(f"{end.place} {message}.", again=again)


class Body:
    """The body of an answer."""

    def __init__(self, response: httpx2.Response, end: FarEnd) -> None:
        self._response = response
        self._end = end
        self._parts = response.aiter_raw()
        self._begun = False

    async def next(self) -> bytes | None:
        """Return some more of it, None at its end. Once this was cancelled nothing comes. Raises `FarEndFailed`."""
        self._begun = True
        with _told(self._end):
            return await anext(self._parts, None)

    async def read(self, most: int) -> bytes:
        """Return all of it, of at most ``most`` bytes. Raises `FarEndFailed`."""
        data = bytearray()
        while (part := await self.next()) is not None:
            data += part
            if len(data) > most:
                raise FarEndFailed(f"{self._end.place} answers with more than {most:,} bytes.")
        return bytes(data)

    async def close(self) -> None:
        """End it, and the connection with it where there may be more."""
        with trio.CancelScope() as scope:
            scope.cancel()
            if self._begun:
                # Several generators stand in one another, and a cancelled read ends all of them.
                with suppress(*_faults()):
                    while await anext(self._parts, None) is not None:
                        pass
        with trio.CancelScope(shield=True), suppress(*_faults()):
            await self._response.aclose()


@asynccontextmanager
async def open_http(remote: Remote, settings: Settings) -> AsyncIterator[Http]:
    """Have a client for the far ends of ``remote``; closed at the end. Raises `ConfigError`."""
    client = await trio.to_thread.run_sync(_client, remote, settings)
    async with client:
        yield Http(client, remote)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Return how long a header Retry-After asks to wait, which has seconds or a date; None where it has neither."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds())


def _client(remote: Remote, settings: Settings) -> httpx2.AsyncClient:
    """Return a client. It takes a fifth of a second, and reads certificates: not from within Trio."""
    import httpx2

    headers = {"Accept-Encoding": "identity", "User-Agent": "voice_trio"}
    if remote.key is not None:
        headers["Authorization"] = f"Bearer {remote.key}"
    is_tls = any(url.lower().startswith("https:") for url in remote.urls)
    # Of a plain address no certificate is asked for, and to read those there are takes its time.
    verify = trust() if is_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    mounts: dict[str, httpx2.AsyncBaseTransport | None] = {}
    if settings.remote_proxies == "on":
        for listed in remote.urls:
            url = httpx2.URL(listed)
            if url.scheme in ("http", "https") and (proxy := proxy_for(url)) is not None:
                mounts[f"{url.scheme}://{url.host}"] = httpx2.AsyncHTTPTransport(verify=verify, proxy=proxy.url)
    return httpx2.AsyncClient(
        headers=headers,
        verify=verify,
        mounts=mounts,
        # Nobody's cookies are kept.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        trust_env=False,
        follow_redirects=False,
        # The limit is that of the attempt, which covers all of it.
        timeout=None,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=16),
    )


@contextmanager
def _told(end: FarEnd) -> Iterator[None]:
    """Say of whatever goes wrong in the block that it did at ``end``. Raises `FarEndFailed`."""
    import httpx2

    try:
        yield
    except _faults() as error:
        # Without its cause, which may hold what the far end said.
        if why := distrusted(error):
            message = f"The certificate of {end.place} is not trusted: {why} (SSL_CERT_FILE says whose are)."
        elif isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
            message = f"{end.place} cannot be reached."
        else:
            message = f"{end.place} broke off, or answers in no HTTP."
        raise FarEndFailed(message) from None


def _faults() -> tuple[type[Exception], ...]:
    """Return what asking and reading raise; a fault of TLS in the middle comes through as it is."""
    import anyio
    import httpx2

    return httpx2.RequestError, httpx2.StreamError, ssl.SSLError, anyio.EndOfStream, anyio.BrokenResourceError
