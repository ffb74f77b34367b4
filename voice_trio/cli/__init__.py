"""The command line: one file a command."""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import Any

import click

from voice_trio import __version__
from voice_trio.cli import output
from voice_trio.cli.output import EXIT_UNREAD, EXIT_USAGE, ReaderGone, sentence
from voice_trio.start import EXIT_INTERRUPTED

_COMMANDS = "serve", "talk", "conversations", "forget", "models", "doctor", "top", "replay"


class _Commands(click.Group):
    """Imports the one command that is run: all of them take a quarter of a second longer."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, as the help shows them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, which is what its module calls so; None where there is none."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"voice_trio.cli.{cmd_name}"), cmd_name)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line. What click itself writes, its help, may not find room either."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno == errno.ENOSPC and error.filename is None:
                raise output.refused(error) from error
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Ctrl-C has the shells' exit code, where click has a word and 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(EXIT_INTERRUPTED) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="voice-trio")
def cli() -> None:
    """A voice assistant server: talk to it, hear it answer, cut it off at any moment."""


def main() -> None:
    """Run the command line; what a person can mend is one sentence and exit code 2."""
    output.prepare()
    # Leaving from inside `except*` would wrap the SystemExit in a group: a traceback, and exit code 1.
    code: int | None = None
    try:
        cli()
    except* KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except* ReaderGone:
        code = EXIT_UNREAD
    except* Exception as group:
        said = sentence(group)
        if said is None:
            raise
        output.say(f"voice-trio: {said}", err=True)
        code = EXIT_USAGE
    sys.exit(code)
