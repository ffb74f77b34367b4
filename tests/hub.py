"""A model store on loopback, as far as a download needs one."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "a" * 40
TINY = Path(__file__).parent / "tiny_whisper" / "model"
TINY_FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json", "preprocessor_config.json")


class Hub(ThreadingHTTPServer):
    """It has ``files`` for every model. While `go` is not set, the weights are sent to their half."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.files = files
        self.status = 200
        self.asked: list[str] = []
        self.go = threading.Event()
        self.go.set()


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        self.server.asked.append(self.path)
        files = self.server.files
        path = self.path.partition("?")[0]
        headers = {"X-Repo-Commit": COMMIT}
        if "/resolve/" in path:
            name = path.rpartition("/")[2]
            data = files.get(name, b"")
            headers["ETag"] = f'"{name}"'
        elif "/tree/" in path:
            entries = [{"type": "file", "path": n, "size": len(d), "oid": n} for n, d in files.items()]
            data = json.dumps(entries).encode()
        else:
            siblings = [{"rfilename": n, "size": len(d), "blobId": n} for n, d in files.items()]
            data = json.dumps({"id": "x/y", "sha": COMMIT, "siblings": siblings}).encode()
        self.send_response(self.server.status)
        for header, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(header, value)
        self.end_headers()
        if body:
            self.send(data, held=path.endswith("/model.bin"))

    def send(self, data: bytes, held: bool) -> None:
        half = len(data) // 2 if held else len(data)
        try:
            self.wfile.write(data[:half])
            self.wfile.flush()
            if held:
                self.server.go.wait(60)
            self.wfile.write(data[half:])
        except OSError:
            # Who downloads has given up.
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving_hub(files: dict[str, bytes] | None = None) -> Iterator[Hub]:
    """Serve ``files``, or else a model that can be loaded: ours, of a few megabytes."""
    if files is None:
        files = {name: (TINY / name).read_bytes() for name in TINY_FILES}
    with Hub(files) as hub:
        thread = threading.Thread(target=hub.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield hub
        finally:
            hub.go.set()
            hub.shutdown()
            thread.join()
