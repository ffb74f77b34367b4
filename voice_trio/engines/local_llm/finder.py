"""Which servers of language models run on this machine, and what they list.

Asked is loopback and nothing else: no name is resolved, no proxy of the environment is used, no redirect followed, no
key sent. Whoever listens on such a port may be anything, so what it answers is bounded in time and in size, and read as
a list of models or as nothing.

IPv4 alone, since Ollama, LM Studio, llama.cpp and Jan listen there and nowhere else unless they are told to, and vLLM
there too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import h11
import structlog
import trio

from voice_trio.core.model_lists import ModelList, is_called, read_models

log = structlog.get_logger()

HOST = "127.0.0.1"
ASK_S = 0.2
"""For all of them together: a start of the server waits no longer for them."""

_MOST_BYTES = 256 * 1024
"""Of a list. One of a thousand models is half of it."""
_READ_BYTES = 4096
"""At a time, with a checkpoint before the next: HTTP can be spelled so that a few bytes take long to read."""
_SHOWN_MODELS = 5

_KEY_WANTED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A program that serves language models, and where it listens unless it is told otherwise."""

    called: str
    port: int
    paths: tuple[str, ...] = ("/v1/models",)
    """What is asked for until one is a list of models: its own list tells more than that of OpenAI's API."""

    @property
    def base_url(self) -> str:
        """Where its OpenAI-compatible API is."""
        return f"http://{HOST}:{self.port}/v1"


SERVERS: Sequence[LocalServer] = (
    LocalServer("Ollama", 11434, ("/api/tags", "/v1/models")),
    LocalServer("LM Studio", 1234, ("/api/v0/models", "/v1/models")),
    LocalServer("llama.cpp", 8080),
    LocalServer("vLLM", 8000),
    LocalServer("Jan", 1337),
)
"""All that are asked; what comes first is taken first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    server: LocalServer
    said: str
    """The same for people, as the end of a sentence that begins with its name."""
    models: ModelList = field(default_factory=ModelList)

    def __str__(self) -> str:
        return f"{self.server.called} (port {self.server.port}) {self.said}"


@dataclass(frozen=True, slots=True)
class Found:
    """A model to talk with."""

    server: LocalServer
    model: str


Connect = Callable[[str, int], Awaitable[trio.abc.Stream]]
"""Opens a connection to a host and a port. Raises OSError."""


async def ask(
    servers: Sequence[LocalServer], *, within_s: float = ASK_S, connect: Connect = trio.open_tcp_stream
) -> list[Answer]:
    """Ask all ``servers`` at once and return what they said, in their order. Never raises, whatever they answer."""
    answers: dict[LocalServer, Answer] = {}

    async def ask_one(server: LocalServer) -> None:
        answers[server] = await _ask(server, connect)

    with trio.move_on_after(within_s):
        async with trio.open_nursery() as nursery:
            for server in servers:
                nursery.start_soon(ask_one, server)
    said = [answers.get(server) or Answer(server, "does not answer in time") for server in servers]
    log.debug("looked for language models on this machine", answers=[str(answer) for answer in said])
    return said


def choose(answers: Sequence[Answer], wanted: str) -> Found | None:
    """Return the first model that can talk or, where one is ``wanted``, the first that is called so."""
    for answer in answers:
        listed = answer.models
        # Whoever names a model knows better than its name whether it can talk.
        for name in (*listed.chat, *listed.others) if wanted else listed.chat:
            if not wanted or is_called(name, wanted):
                return Found(answer.server, name)
    return None


class _NoList(Exception):
    """What was answered is no list of models; the message is what there is to say of the server."""


async def _ask(server: LocalServer, connect: Connect) -> Answer:
    said = ""
    for path in server.paths:
        try:
            models = read_models(await _get(server.port, path, connect))
        except _NoList as error:
            said = str(error)
            continue
        except OSError:
            return Answer(server, "is not there")
        except (trio.BrokenResourceError, h11.RemoteProtocolError):
            said = "answers with something else than HTTP"
            continue
        if models is not None:
            return Answer(server, _listed(models), models)
        said = "answers with no list of models"
    return Answer(server, said)


async def _get(port: int, path: str, connect: Connect) -> bytes:
    """Return the body of the answer. Raises `_NoList`, OSError, and what a stream or HTTP that breaks off raise."""
    http = h11.Connection(h11.CLIENT)
    headers = [
        ("Host", f"{HOST}:{port}"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("Connection", "close"),
    ]
    question = http.send(h11.Request(method="GET", target=path, headers=headers)) or b""
    body = bytearray()
    async with await connect(HOST, port) as stream:
        await stream.send_all(question + (http.send(h11.EndOfMessage()) or b""))
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            match event:
                case h11.NEED_DATA:
                    http.receive_data(bytes(await stream.receive_some(_READ_BYTES)))
                case h11.Response(status_code=status) if status in _KEY_WANTED:
                    raise _NoList("asks for a key: set OPENAI_API_KEY, and OPENAI_BASE_URL to its address")
                case h11.Response(status_code=status) if status != HTTPStatus.OK:
                    raise _NoList(f"answers with HTTP {status}")
                case h11.Data(data=data):
                    body += data
                    if len(body) > _MOST_BYTES:
                        raise _NoList("answers with more than any list of models")
                case h11.ConnectionClosed():
                    raise h11.RemoteProtocolError("closed before it answered")
    return bytes(body)


def _listed(models: ModelList) -> str:
    if not models.chat:
        return "has no model that can talk" if models.others else "has no model"
    shown = ", ".join(models.chat[:_SHOWN_MODELS])
    more = len(models.chat) - _SHOWN_MODELS
    return f"has {shown} and {more} more" if more > 0 else f"has {shown}"
