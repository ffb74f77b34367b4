"""A real server with scripted engines, and clients that do as they are told, right or wrong."""

import os
import struct
from contextlib import asynccontextmanager

import trio
import trustme

from tools.raw_websocket import read_head
from voice_trio import config
from voice_trio.client import SessionClosed
from voice_trio.server.run import open_server
from voice_trio.testing.scripted import ScriptedLanguageModel, ScriptedReply, scripted_engines


@asynccontextmanager
async def scripted(settings):
    long = ScriptedReply(tokens=["A sentence that goes on. "] * 50)
    yield scripted_engines(language_model=ScriptedLanguageModel(replies=[long]))


@asynccontextmanager
async def serving(**settings):
    try:
        async with open_server(config.load(port=0, **settings), scripted) as running:
            yield running
    finally:
        while _dialled:
            _dialled.pop().socket.close()


def certified(folder):
    """Return a file with an authority's certificate, and the settings of a server that has one of it."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key, signer = folder / "chain.pem", folder / "key.pem", folder / "authority.pem"
    chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    signer.write_bytes(authority.cert_pem.bytes())
    return signer, {"certfile": str(chain), "keyfile": str(key)}


async def get(url, path):
    """Return the status line and the body of an HTTP answer."""
    host, port = url.removeprefix("http://").split(":")
    stream = await trio.open_tcp_stream(host, int(port))
    async with stream:
        await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < length_of(answer):
            data = await stream.receive_some()
            if not data:
                break
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0].decode(), body.decode()


def length_of(answer):
    for line in answer.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


async def closing(client):
    """Hear the session out and return the close code."""
    try:
        while True:
            await client.hear()
    except SessionClosed as closed:
        return closed.code


# --- raw bytes --------------------------------------------------------------------------------------------------------

UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
)
_dialled: list[trio.SocketStream] = []
"""Connections made by hand, which are closed after the server."""

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


async def dial(running, **options):
    """Open a plain connection; ``options`` name socket options of SOL_SOCKET and their values."""
    stream = trio.SocketStream(trio.socket.socket())
    _dialled.append(stream)
    for name, value in options.items():
        stream.socket.setsockopt(trio.socket.SOL_SOCKET, getattr(trio.socket, name), value)
    host, port = running.url.split("://")[1].rsplit(":", 1)
    await stream.socket.connect((host, int(port)))
    return stream


async def upgrade(running, extra="", path="/ws", **options):
    """Open a WebSocket by hand; returns the stream, after the head of the answer, and that head."""
    stream = await dial(running, **options)
    await stream.send_all((UPGRADE.replace("/ws", path, 1) + extra + "\r\n").encode())
    return stream, (await read_head(stream)).decode()


def frame(opcode, payload=b"", *, final=True):
    """Return a client's frame, masked with zeros."""
    length = len(payload)
    if length < 126:
        size = struct.pack(">B", 0x80 | length)
    elif length < 1 << 16:
        size = struct.pack(">BH", 0x80 | 126, length)
    else:
        size = struct.pack(">BQ", 0x80 | 127, length)
    return bytes([(0x80 if final else 0) | opcode]) + size + bytes(4) + payload


async def read_to_end(stream):
    """Return what comes until the other side closes, however it does."""
    said = b""
    try:
        while data := await stream.receive_some():
            said += data
    except trio.BrokenResourceError:
        pass
    return said


async def until_none(running):
    """Wait until no connection is left."""
    await eventually(lambda: not len(running.connections))


async def eventually(condition):
    # What a server does inside sets no event that a test could wait for.
    while not condition():  # noqa: ASYNC110
        await trio.sleep(0.01)


def open_files():
    return len(os.listdir("/proc/self/fd"))
