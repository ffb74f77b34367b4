"""Servers of language models as they are found on people's machines, each with what its documentation shows.

Each answers what it is asked for lists of models as it does, with 404 where it has no such list, and streams one reply
with the quirks of its own: who has the role alone in its first piece, who says ``null`` for no content, who thinks and
where, who counts tokens in a piece without choices.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import h11
import trio

from voice_trio.engines.local_llm.finder import LocalServer

SAID = "It is noon."
"""What each of them answers, however it spells it."""


@dataclass
class Stub:
    """A server, and what it was asked."""

    called: str
    lists: Mapping[str, Any]
    """Path -> the list there."""
    stream: Sequence[str]
    chat: str
    """The model to talk with."""
    port: int = 0
    key: str = ""
    """What it wants; empty: nothing."""
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    """Path, headers and body of each request."""

    def server(self, *paths: str) -> LocalServer:
        """Return where to look for it, by the paths that its kind is asked for."""
        return LocalServer(self.called, self.port, paths or tuple(self.lists))


def _chunk(
    delta: dict[str, Any], finish: str | None = None, choice: dict[str, Any] | None = None, **others: Any
) -> str:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish, **(choice or {})}]
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1764000000, "choices": choices, **others}
    return json.dumps(body)


def _models(*names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": name, "object": "model", "created": 1764000000, **fields} for name in names]


def _tag(name: str, family: str) -> dict[str, Any]:
    details = {"parent_model": "", "format": "gguf", "family": family, "families": [family], "parameter_size": "3.2B"}
    return {"name": name, "model": name, "modified_at": "2026-11-01T10:00:00Z", "size": 2019393189, "details": details}


USAGE = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


def ollama() -> Stub:
    """Has the role in each piece, and thinks in tags where the model does."""
    names = ("nomic-embed-text:latest", "llama3.2:latest")
    own: dict[str, Any] = {"model": "llama3.2:latest", "system_fingerprint": "fp_ollama"}
    pieces = ["<think>", "Noon?", "</think>", "It ", "is noon."]
    return Stub(
        "Ollama",
        {
            "/api/tags": {"models": [_tag(names[0], "nomic-bert"), _tag(names[1], "llama")]},
            "/v1/models": {"object": "list", "data": _models(*names, owned_by="library")},
        },
        [
            *(_chunk({"role": "assistant", "content": piece}, **own) for piece in pieces),
            _chunk({"role": "assistant", "content": ""}, "stop", **own),
            "[DONE]",
        ],
        names[1],
    )


def lm_studio() -> Stub:
    """Lists what is on disk, and which of it is loaded, in a list of its own."""
    names = ("text-embedding-nomic-embed-text-v1.5", "qwen2.5-7b-instruct", "qwen2.5-vl-3b")
    kinds = zip(names, ("embeddings", "llm", "vlm"), ("loaded", "not-loaded", "loaded"), strict=True)
    own = [{"id": name, "object": "model", "type": kind, "arch": "x", "state": state} for name, kind, state in kinds]
    return Stub(
        "LM Studio",
        {
            "/api/v0/models": {"object": "list", "data": own},
            "/v1/models": {"object": "list", "data": _models(*names, owned_by="organization_owner")},
        },
        [
            _chunk({"role": "assistant", "content": "It "}, choice={"logprobs": None}),
            _chunk({"content": "is noon."}, choice={"logprobs": None}),
            _chunk({}, "stop", choice={"logprobs": None}),
            "[DONE]",
        ],
        names[2],
    )


def llama_cpp() -> Stub:
    """Lists its one model twice, by the path of its file, and thinks in a field of its own."""
    name = "/models/Qwen3-4B-Q4_K_M.gguf"
    twice = {
        "name": name,
        "model": name,
        "type": "model",
        "capabilities": ["completion"],
        "details": {"format": "gguf"},
    }
    meta = {"vocab_type": 2, "n_vocab": 151936, "n_ctx_train": 40960, "n_embd": 2560, "n_params": 4022468096}
    return Stub(
        "llama.cpp",
        {"/v1/models": {"models": [twice], "object": "list", "data": _models(name, owned_by="llamacpp", meta=meta)}},
        [
            _chunk({"role": "assistant", "content": None}),
            _chunk({"reasoning_content": "Noon?"}),
            _chunk({"content": "It "}),
            _chunk({"content": "is noon."}),
            _chunk({}, "stop", timings={"predicted_per_second": 17.2}),
            json.dumps({"choices": [], "object": "chat.completion.chunk", "usage": USAGE}),
            "[DONE]",
        ],
        name,
    )


def vllm() -> Stub:
    """Says ``null`` for thinking that there is none of, and counts tokens at the end."""
    name = "Qwen/Qwen2.5-1.5B-Instruct"
    more = {"root": name, "parent": None, "max_model_len": 32768, "permission": [{"id": "modelperm-1"}]}
    return Stub(
        "vLLM",
        {"/v1/models": {"object": "list", "data": _models(name, owned_by="vllm", **more)}},
        [
            _chunk({"role": "assistant", "content": ""}, choice={"logprobs": None}),
            _chunk({"reasoning_content": "Noon?"}),
            _chunk({"content": "It ", "reasoning_content": None}),
            _chunk({"content": "is noon."}),
            _chunk({"content": ""}, "stop", choice={"stop_reason": None}),
            json.dumps({"choices": [], "object": "chat.completion.chunk", "usage": USAGE}),
            "[DONE]",
        ],
        name,
    )


def jan() -> Stub:
    """Begins with an empty piece of content."""
    name = "janhq/Jan-v1-4B"
    return Stub(
        "Jan",
        {"/v1/models": {"object": "list", "data": _models(name, owned_by="jan")}},
        [
            _chunk({"role": "assistant", "content": ""}),
            _chunk({"content": "It is noon."}),
            _chunk({}, "stop", usage=USAGE),
            "[DONE]",
        ],
        name,
    )


ALL = (ollama, lm_studio, llama_cpp, vllm, jan)


@asynccontextmanager
async def listening(stub: Stub) -> AsyncIterator[Stub]:
    """Have ``stub`` listen on a free port, or on the one that it had, for as long as the block lasts."""
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(stub.port, host="127.0.0.1")
        stub.port = listeners[0].socket.getsockname()[1]

        async def handle(stream: trio.SocketStream) -> None:
            with suppress(trio.BrokenResourceError, h11.RemoteProtocolError):
                await _converse(stub, stream)

        nursery.start_soon(trio.serve_listeners, handle, listeners)
        yield stub
        nursery.cancel_scope.cancel()


async def _converse(stub: Stub, stream: trio.SocketStream) -> None:
    http = h11.Connection(h11.SERVER)
    while True:
        head, body = None, bytearray()
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            match event:
                case h11.NEED_DATA:
                    http.receive_data(bytes(await stream.receive_some()))
                case h11.Request():
                    head = event
                case h11.Data(data=data):
                    body += data
                case h11.ConnectionClosed():
                    return
        assert head is not None
        path = head.target.decode()
        stub.asked.append((path, {name.decode(): value.decode() for name, value in head.headers}, bytes(body)))
        status, kind, answer = 200, "application/json", b'{"error":"not found"}'
        if stub.key and stub.asked[-1][1].get("authorization") != f"Bearer {stub.key}":
            status, answer = 401, json.dumps({"error": {"message": f"Not {stub.asked[-1][1]}"}}).encode()
        elif path == "/v1/chat/completions":
            kind, answer = "text/event-stream", "".join(f"data: {line}\n\n" for line in stub.stream).encode()
        elif path in stub.lists:
            answer = json.dumps(stub.lists[path]).encode()
        else:
            status = 404
        headers = [("Content-Type", kind), ("Content-Length", str(len(answer)))]
        sent = [h11.Response(status_code=status, headers=headers), h11.Data(data=answer), h11.EndOfMessage()]
        await stream.send_all(b"".join(http.send(part) or b"" for part in sent))
        if http.our_state is h11.MUST_CLOSE:
            return
        http.start_next_cycle()
