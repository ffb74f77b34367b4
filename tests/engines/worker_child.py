"""A worker that misbehaves on demand, for the tests of the pool. Run as a script; its argument says how."""

import os
import sys
import time

from voice_trio.workers.main import HEAD, READY_ID, pack, serve, unpack_head


def load():
    def handle(fields, body):
        print("a driver that prints")
        match fields["do"]:
            case "echo":
                time.sleep(fields.get("seconds", 0))
                return {"said": fields.get("say"), "pid": os.getpid()}, body
            case "input":
                return {"read": sys.stdin.read()}, b""
            case "die":
                print("last words", file=sys.stderr, flush=True)
                os._exit(7)
        raise ValueError("a secret")

    return {"mode": "good"}, handle


def misbehave(mode):
    """Be ready, then deaf, or answer once with something that is no answer."""
    os.write(1, pack(READY_ID, {"mode": mode}))
    if mode != "deaf":
        request_id, length, size = unpack_head(os.read(0, HEAD.size))
        os.read(0, length + size)
        stale = pack(request_id + 1, {"ok": {}})
        twice = pack(request_id, {"ok": {}}) * 2
        huge = HEAD.pack(b"vtw1", request_id, 0xFFFFFFFF, 0xFFFFFFFF)
        os.write(1, {"garbage": b"Audio saved to x.wav\n" * 4, "stale": stale, "twice": twice, "huge": huge}[mode])
    time.sleep(60)


match sys.argv[1]:
    case "good":
        serve(load)
    case "failing":
        sys.exit("no model here")
    case mode:
        misbehave(mode)
