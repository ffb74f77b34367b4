"""What is asked of the HTTP client under a chat API, whatever the other side answers.

A redirect is followed to the same host only: a key, and what a person said, go where the operator sends them, and not
where that host does. Of an answer that is no success only the head is read: nobody is shown the rest of it, and there
is no bound to what it unpacks to.

Importing this imports the HTTP client, which takes its time.
"""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

import anyio
import httpx2
import openai
import trio

_KEEPS_THE_QUESTION = {
    HTTPStatus.MOVED_PERMANENTLY: HTTPStatus.PERMANENT_REDIRECT,
    HTTPStatus.FOUND: HTTPStatus.TEMPORARY_REDIRECT,
}
"""Status -> the one that means the same, and leaves a POST a POST."""


class Redirected(Exception):
    """The server sends to another host; the message names it."""


async def look_at_head(response: httpx2.Response) -> None:
    """Make ``response`` one that can be read, or followed. Raises `Redirected`."""
    if response.is_success:
        return
    assert isinstance(response.stream, httpx2.AsyncByteStream), "the client is asynchronous"
    await response.stream.aclose()
    response.stream = httpx2.ByteStream(b"")
    if not response.has_redirect_location:
        return
    here = response.request.url
    try:
        there = here.join(response.headers["Location"])
    except httpx2.InvalidURL:
        raise Redirected("an address that is none") from None
    if there.host != here.host:
        raise Redirected(there.host or "an address that is none")
    if here.scheme == "https" != there.scheme:
        raise Redirected(f"{there.scheme or 'no'}:// on the same host, where anybody could read along")
    response.status_code = _KEEPS_THE_QUESTION.get(HTTPStatus(response.status_code), response.status_code)


def rehearse() -> None:
    """Ask nobody something: what the first question imports takes a fifth of a second. Not from within Trio."""
    nobody = openai.DefaultAsyncHttpxClient(
        transport=httpx2.MockTransport(lambda _: httpx2.Response(HTTPStatus.NOT_FOUND)), trust_env=False
    )
    client = openai.AsyncOpenAI(api_key="none", base_url="http://nobody", max_retries=0, http_client=nobody)
    # Imported with their names, and much with them: not in a step of a loop, not even of this one.
    _ = anyio.connect_tcp, client.chat.completions
    trio.run(_ask, client)


async def _ask(client: openai.AsyncOpenAI) -> None:
    async with client:
        create = client.chat.completions.with_streaming_response.create
        with suppress(openai.NotFoundError):
            async with create(model="none", messages=[{"role": "user", "content": "Hello?"}], stream=True):
                pass
