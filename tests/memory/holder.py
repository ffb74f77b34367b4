"""A process that holds conversations as it is told: a word and a name a line, answered by a line each.

python -P -m tests.memory.holder FILE
"""

import sys
from pathlib import Path

import trio

from voice_trio.memory.holds import Claims, FileHolds


def main(path):
    claims = Claims(FileHolds(Path(path)))
    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case "claim", conversation, session:
                print("yes" if trio.run(claims.claim, conversation, session) else "no", flush=True)
            case "release", session:
                claims.release(session)
                print("yes", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
