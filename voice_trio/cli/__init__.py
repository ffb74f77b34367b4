"""The command line: one file a command."""

from __future__ import annotations

import errno
import sys
from typing import Any

import click

from voice_trio import __version__
from voice_trio.cli import output
from voice_trio.cli.doctor import doctor
from voice_trio.cli.errors import EXIT_INTERRUPTED, EXIT_UNREAD, EXIT_USAGE, sentence
from voice_trio.cli.forget import forget
from voice_trio.cli.models import models
from voice_trio.cli.output import ReaderGone
from voice_trio.cli.replay import replay
from voice_trio.cli.serve import serve
from voice_trio.cli.talk import talk


class _Commands(click.Group):
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


for command in (serve, talk, forget, models, doctor, replay):
    cli.add_command(command)


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
