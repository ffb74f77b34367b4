"""What the page is tested against: a real server in its own process, a language model that says what it is told."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


class Server:
    """A ``voice-trio serve`` that can be killed and started again at the same address."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.url = ""
        # The microphone hears flite, whose voices mean nothing to what weighs pauses.
        self._environment = {**os.environ, "STREAM_DATA_DIR": str(data), "STREAM_ENDPOINTING": "fixed"}
        self._environment |= {"STREAM_SHUTDOWN_GRACE_S": "0", **environment}
        if "OPENAI_BASE_URL" in environment:
            self._environment["STREAM_LLM_ENGINE"] = "openai-chat"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        port = self.url.rpartition(":")[2] or "0"
        command = [sys.executable, "-P", "-m", "voice_trio", "serve", "--port", port]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("Talk at "):
                self.url = line.split()[2]
                return
        raise AssertionError(f"the server did not start: {self._process.wait()}")

    def kill(self) -> None:
        """End it without a goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout
            self._process.stdout.close()
            self._process = None


@contextmanager
def serving(data: Path, **environment: str) -> Iterator[Server]:
    """Run a server for as long as the block."""
    server = Server(data, **environment)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@dataclass
class Mind:
    """An OpenAI-compatible model whose every reply is ``reply``."""

    url: str
    reply: str = "It is noon."
    asked: list[list[dict[str, Any]]] = field(default_factory=list)
    """The messages of each request."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Tools that it asks for before it replies: names, and arguments."""


@contextmanager
def thinking() -> Iterator[Mind]:
    """Serve a model on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked.append(body["messages"])
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            if model.calls and body["messages"][-1]["role"] != "tool":
                called = [
                    {"index": at, "id": f"c{at}", "function": {"name": name, "arguments": arguments}}
                    for at, (name, arguments) in enumerate(model.calls)
                ]
                self._say({"tool_calls": called}, "tool_calls")
            else:
                for word in model.reply.split(" "):
                    self._say({"content": f"{word} "}, None)
                self._say({}, "stop")
            self.wfile.write(b"data: [DONE]\n\n")

        def _say(self, delta: dict[str, Any], finish: str | None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        model = Mind(f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield model
        finally:
            server.shutdown()
            thread.join()
