"""What is read of the Containerfile to try it without a container engine."""

import json

import click
import pytest

from tools.try_container import CONTAINERFILE, Builder, Stage, stages_of


def test_the_file_is_read_as_a_build_would_read_it(tmp_path):
    build, last = stages_of(CONTAINERFILE.read_text(), tmp_path)
    assert (build.name, build.root, last.name) == ("build", tmp_path / "build", "last")
    assert [name for name, _ in build.steps] == ["WORKDIR", "RUN", "COPY", "RUN"]
    assert " && " in build.steps[-1][1], "a command over several lines is one"
    assert ("COPY", "--from=build /opt/voice-trio /opt/voice-trio") in last.steps
    assert [json.loads(last.last(name)) for name in ("ENTRYPOINT", "CMD")] == [["voice-trio"], ["serve"]]
    with pytest.raises(click.ClickException, match="no ONBUILD"):
        last.last("ONBUILD")


def test_what_is_not_known_is_not_passed_over(tmp_path):
    with pytest.raises(click.ClickException, match="SHELL is not known here"):
        Builder(tmp_path, tmp_path).do(Stage("a", tmp_path), "SHELL", "[]", {})
