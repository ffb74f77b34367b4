"""Where the command line starts: Ctrl-C is obeyed before anything else is imported, which takes most of a second.

Until a command is at work, and again when it is done, there is nothing to put away: the process ends at once and says
nothing. In between, Ctrl-C is a `KeyboardInterrupt`, or what the command makes of it.
"""

import os

EXIT_INTERRUPTED = 130
"""What shells give for a command that Ctrl-C ended."""

try:
    import signal
    from types import FrameType
except KeyboardInterrupt:
    os._exit(EXIT_INTERRUPTED)


def leave(number: int, frame: FrameType | None) -> None:
    """End the process, as a handler of SIGINT."""
    os._exit(EXIT_INTERRUPTED)


def leave_at_once() -> None:
    """Have Ctrl-C end the process, unless it means nothing here, as in the background of a script."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)


def interrupt() -> None:
    """Have Ctrl-C interrupt what is at work."""
    if signal.getsignal(signal.SIGINT) is leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def main() -> None:
    """Run the command line."""
    leave_at_once()
    from voice_trio.cli import main

    try:
        main()
    finally:
        leave_at_once()
