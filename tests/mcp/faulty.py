"""An MCP server without any package, so that it can do everything wrong: ``python faulty.py MODE``.

It is a program of its own; no test imports it.
"""

import json
import os
import signal
import subprocess
import sys
import time

MODE = sys.argv[1]
EMPTY = {"type": "object", "properties": {}}
NAMES = [
    "echo",
    "crash",
    "quit",
    "doze",
    "big",
    "never",
    "cancelled",
    "environment",
    "pids",
    "grow",
    "decline",
    "blob",
    "data",
]

tools = [{"name": name, "description": f"Does {name}.", "inputSchema": EMPTY} for name in NAMES]
cancelled = []


def nested(levels):
    return {"type": "object", "properties": {"inner": nested(levels - 1)}} if levels else {"type": "string"}


BAD = {
    "no_schema": None,
    "a_number": 5,
    "an_array": {"type": "array"},
    "any_of": {"type": "object", "anyOf": [EMPTY]},
    "itself": {"type": "object", "properties": {"a": {"$ref": "#"}}},
    "elsewhere": {"type": "object", "properties": {"a": {"$ref": "https://example.com/a.json"}}},
    "nowhere": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}},
    "deep": nested(40),
    "big": {"type": "object", "description": "x" * 40_000},
}
GOOD = {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "string"}}}

if MODE == "schemas":
    tools = [{"name": name, "inputSchema": schema} for name, schema in BAD.items()]
    tools += [None, {"inputSchema": EMPTY}, {"name": "good", "inputSchema": GOOD}]
if MODE == "many":
    tools = [{"name": f"tool {number}", "inputSchema": EMPTY} for number in range(1000)]


def write(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def text(answer, **more):
    return {"content": [{"type": "text", "text": answer}], **more}


def call(name, arguments, number):
    """Return the result of a call; None where there is to be none."""
    match name:
        case "echo":
            return text(json.dumps(arguments))
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "quit":
            print("the disk is full\x1b[31m", file=sys.stderr, flush=True)
            sys.exit(3)
        case "doze":
            time.sleep(1000)
        case "big":
            return text("begin " + "x" * 10_000_000)
        case "cancelled":
            return text(json.dumps(cancelled))
        case "environment":
            return text(json.dumps(dict(os.environ)))
        case "pids":
            child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(1000)"])
            return text(json.dumps([os.getpid(), child.pid]))
        case "grow":
            tools.append({"name": "grown", "inputSchema": EMPTY})
            write({"method": "notifications/tools/list_changed"})
            return text("grown")
        case "decline":
            return text("There is no such city.", isError=True)
        case "blob":
            image = {"type": "image", "data": "AAAA" * 100, "mimeType": "image/png"}
            return {"content": [image, {"type": "resource_link", "uri": "file:///a.txt", "name": "a"}, "nonsense"]}
        case "data":
            return {"content": [], "structuredContent": {"degrees": 21}}
    return None


def answer(message):
    match message["method"]:
        case "initialize":
            if MODE == "hang":
                return None
            return {
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "faulty", "version": "1"},
            }
        case "tools/list" if MODE == "pages":
            at = int(message.get("params", {}).get("cursor", 0))
            return {"tools": tools[at : at + 1], "nextCursor": str((at + 1) % len(tools))}
        case "tools/list":
            return {"tools": tools}
        case "tools/call":
            return call(message["params"]["name"], message["params"].get("arguments", {}), message["id"])
    return None


if MODE == "deaf":
    time.sleep(1000)
if MODE == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if MODE == "garbage":
    sys.stdout.write('Welcome!\n{"jsonrpc": "2.0"\n[]\n5\n\x00\n\n')
    write({"id": 99, "result": {}})
    write({"method": "notifications/message", "params": {"level": 5}})
if MODE == "latin":
    sys.stdout.buffer.write(b"\xff\xfe\n")
if MODE == "endless":
    while True:
        sys.stdout.write("x" * 1_000_000)

for line in sys.stdin:
    received = json.loads(line)
    if received["method"] == "notifications/cancelled":
        cancelled.append(received["params"]["requestId"])
    if "id" not in received:
        continue
    result = answer(received)
    if result is not None:
        write({"id": received["id"], "result": result})
    elif received["method"] not in ("initialize", "tools/call"):
        write({"id": received["id"], "error": {"code": -32601, "message": "Method not found"}})
    if MODE == "flood" and received["method"] == "tools/list":
        for number in range(2_000):
            write({"method": "notifications/message", "params": {"level": "info", "data": number}})
if MODE == "stubborn":
    time.sleep(1000)
