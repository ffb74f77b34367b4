"""Tries what deploy/Containerfile makes, where there is no container engine: lays its stages out, and talks to it.

    python tools/try_container.py
    python tools/try_container.py --base /tmp/bookworm --python /usr/local

The commands are read from the file and run by bubblewrap, each stage in a folder of its own. In the place of the base
image stand the programs and libraries of this machine, or of a Debian in a folder (``--base``, as debootstrap makes
it), with a copy of a Python (``--python``) in /usr/local. Then the last stage runs as its container would: a root that
cannot be written but in /tmp and /data, no network but its own, no right, and a user whom nobody knows. The image's
health check has to pass, a recording has to be answered, and SIGTERM has to end it. Needs root, to be somebody else.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

ROOT: Final = Path(__file__).parent.parent
CONTAINERFILE: Final = ROOT / "deploy" / "Containerfile"
STRANGER: Final = 12345
"""A user and a group that no file knows."""

_SYSTEM: Final = (
    "usr",
    "bin",
    "sbin",
    "lib",
    "lib64",
    "etc/ssl",
    "etc/alternatives",
    "etc/ld.so.conf",
    "etc/ld.so.conf.d",
)
"""What of a system programs need to run."""

_TO_THE_INDEX: Final = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY")
"""What pip may need on this machine, and an image's own build has from its network."""

_TRY: Final = """
{entry} & server=$!
for n in $(seq 120); do
    kill -0 $server || exit 90
    {health} 2>/dev/null && break
    sleep 0.5
done
{health} || exit 91
id
for place in / /opt/voice-trio/ /usr/; do
    if touch $place/here 2>/dev/null; then echo "$place can be written"; exit 92; fi
done
voice-trio talk --url http://127.0.0.1:8765 --save /tmp/reply.wav /tmp/question.wav; talked=$?
voice-trio conversations
kill -TERM $server; wait $server; ended=$?
echo "talk exited with $talked, the server with $ended"
[ $talked = 0 ] && [ $ended = 0 ]
"""
"""What is done inside: the image's own commands, a look at what can be written, and a question."""


@dataclass
class Stage:
    """One ``FROM`` of the file, and what it says of the image."""

    name: str
    root: Path
    steps: list[tuple[str, str]] = field(default_factory=list)
    """Instruction and its arguments, as written."""
    environment: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"

    def last(self, instruction: str) -> str:
        """Return the arguments of its last ``instruction``. Raises click.ClickException where it has none."""
        for name, arguments in reversed(self.steps):
            if name == instruction:
                return arguments
        raise click.ClickException(f"The Containerfile has no {instruction}.")


def stages_of(text: str, folder: Path) -> list[Stage]:
    """Return the stages of the Containerfile ``text``, each with a root in ``folder``."""
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    stages: list[Stage] = []
    for line in bare.replace("\\\n", " ").splitlines():
        instruction, _, arguments = line.strip().partition(" ")
        if instruction == "FROM":
            name = arguments.partition(" AS ")[2] or "last"
            stages.append(Stage(name, folder / name))
        elif instruction:
            stages[-1].steps.append((instruction, arguments.strip()))
    return stages


class Builder:
    """Does what the steps of stages say."""

    def __init__(self, base: Path, python: Path) -> None:
        self._base = base
        self._python = python

    def build(self, stage: Stage, others: dict[str, Stage]) -> None:
        """Do the steps of ``stage``. Raises click.ClickException as `do` does."""
        # bubblewrap makes what stands above a mount for its own user alone.
        (stage.root / "etc").mkdir(parents=True)
        stage.environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        # So has the base image, for a Python that has a library of its own.
        self._run(stage, "PATH=/usr/sbin:/sbin ldconfig")
        for instruction, arguments in stage.steps:
            self.do(stage, instruction, arguments, others)

    def do(self, stage: Stage, instruction: str, arguments: str, others: dict[str, Stage]) -> None:
        """Do one step of ``stage``. Raises click.ClickException where it fails, or is not known here."""
        match instruction:
            case "ENV":
                for one in shlex.split(arguments):
                    name, _, value = one.partition("=")
                    stage.environment[name] = value.replace(f"${name}", stage.environment.get(name, ""))
            case "WORKDIR":
                stage.workdir = arguments
                (stage.root / arguments.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(stage, arguments, others)
            case "RUN":
                click.echo(f"[{stage.name}] {re.sub(' +', ' ', arguments)}")
                self._run(stage, arguments)
            case "USER" | "VOLUME" | "EXPOSE" | "STOPSIGNAL" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD":
                pass
            case _:
                raise click.ClickException(f"{instruction} is not known here.")

    def _copy(self, stage: Stage, arguments: str, others: dict[str, Stage]) -> None:
        if found := re.fullmatch(r"--from=(\S+) (\S+) (\S+)", arguments):
            source, to = others[found[1]].root / found[2].lstrip("/"), stage.root / found[3].lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, to, symlinks=True)
        elif arguments == ". .":
            # What is tracked, as an image is built from a fresh checkout.
            listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
            for name in filter(None, listed.stdout.decode().split("\0")):
                if (ROOT / name).is_file():
                    to = stage.root / stage.workdir.lstrip("/") / name
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(ROOT / name, to)
        else:
            raise click.ClickException(f"COPY {arguments} is not known here.")

    def _run(self, stage: Stage, command: str) -> None:
        for name in ("tmp", "proc", "dev", "root"):
            (stage.root / name).mkdir(exist_ok=True)
        passed = {name: os.environ[name] for name in _TO_THE_INDEX if name in os.environ}
        done = subprocess.run(
            [
                *self._walls(stage, writable=True),
                *_binds("--ro-bind-try", "/etc/ssl", "/etc/resolv.conf", "/etc/hosts"),
                *("--chdir", stage.workdir, "/bin/sh", "-ec", command),
            ],
            env={**passed, "PIP_QUIET": "1", **stage.environment, "HOME": "/root"},
            check=False,
        )
        if done.returncode:
            raise click.ClickException(f"RUN {command} failed: {done.returncode}")

    def _walls(self, stage: Stage, *, writable: bool) -> list[str]:
        """Return the beginning of a command that sees nothing but ``stage`` and what its base image would have."""
        system = [option for name in _SYSTEM for option in ("--ro-bind-try", str(self._base / name), f"/{name}")]
        return [
            "bwrap",
            *("--bind" if writable else "--ro-bind", str(stage.root), "/"),
            *system,
            *("--ro-bind", str(self._python), "/usr/local"),
            *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
            *("--die-with-parent", "--unshare-pid", "--unshare-ipc"),
        ]

    def try_out(self, stage: Stage, data: Path, question: Path) -> bool:
        """Run ``stage`` as a container, with ``data`` for its volume; return whether it answered ``question``."""
        command = json.loads(stage.last("ENTRYPOINT")) + json.loads(stage.last("CMD"))
        health = json.loads(stage.last("HEALTHCHECK").partition("CMD ")[2])
        script = _TRY.format(entry=shlex.join(command), health=shlex.join(health))
        done = subprocess.run(
            [
                *("setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER), "--clear-groups", "--no-new-privs"),
                *self._walls(stage, writable=False),
                *("--bind", str(data), "/data", "--ro-bind", str(question), "/tmp/question.wav"),
                *("--unshare-net", "--unshare-uts", "--cap-drop", "ALL", "/bin/sh", "-c", script),
            ],
            env={**stage.environment, "STREAM_AUTH_TOKEN": "a long random text of this try"},
            check=False,
        )
        return done.returncode == 0


def _binds(kind: str, *paths: str) -> Iterator[str]:
    for path in paths:
        yield from (kind, path, path)


@click.command()
@click.option("--base", type=click.Path(path_type=Path), default=Path("/"), help="A Debian in a folder.")
@click.option("--python", type=click.Path(path_type=Path), default=Path(sys.base_prefix), help="For /usr/local.")
def main(base: Path, python: Path) -> None:
    """Lay out the image of deploy/Containerfile, and talk to it."""
    if os.getuid() or not shutil.which("bwrap") or not shutil.which("setpriv"):
        raise click.ClickException("This takes root, bubblewrap and setpriv. On Debian: apt-get install bubblewrap")
    with tempfile.TemporaryDirectory(prefix="voice-trio-image-") as name:
        folder = Path(name)
        # A stranger is to look into it.
        folder.chmod(0o755)
        shutil.copytree(
            python, folder / "python", symlinks=True, ignore=shutil.ignore_patterns("test", "site-packages")
        )
        builder, stages = Builder(base, folder / "python"), stages_of(CONTAINERFILE.read_text(), folder)
        for stage in stages:
            builder.build(stage, {one.name: one for one in stages})
        last = stages[-1]
        data, question = folder / "volume", folder / "question.wav"
        data.mkdir()
        # A new volume begins as what the image has there.
        data.chmod((last.root / "data").stat().st_mode)
        shutil.copyfile(ROOT / "examples" / "question.wav", question)
        click.echo(f"[{last.name}] USER {last.last('USER')}; it runs as {STRANGER}, whom nobody knows")
        well = builder.try_out(last, data, question)
    sys.exit(not well)


if __name__ == "__main__":
    main()
