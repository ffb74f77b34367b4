"""What a maintainer works with: news becomes a changelog, and hooks and workflows call what the Makefile has."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def towncrier(folder, *options):
    return subprocess.run(
        [sys.executable, "-m", "towncrier", "build", *options, "--dir", folder, "--date", "2030-01-02"],
        capture_output=True,
        text=True,
    )


@pytest.fixture
def project(tmp_path):
    """What towncrier looks at, without the news that there is, and out of git's sight."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "newsfragments").mkdir()
    shutil.copy(ROOT / "newsfragments" / "README.md", tmp_path / "newsfragments")
    return tmp_path


@pytest.mark.real
def test_all_news_can_be_told():
    told = towncrier(ROOT, "--draft", "--version", "next")
    assert told.returncode == 0, told.stderr


@pytest.mark.real
def test_news_becomes_the_first_section_of_the_changelog(project):
    kinds = re.findall(r"^\| `(\w+)` \|", (project / "newsfragments" / "README.md").read_text(), re.MULTILINE)
    for kind in kinds:
        (project / "newsfragments" / f"+some.{kind}.md").write_text(f"What is {kind}.\n")
    (project / "newsfragments" / "12.fixed.md").write_text("It works.\n")
    before = (project / "CHANGELOG.md").read_text()
    assert towncrier(project, "--yes", "--version", "9.8.7").returncode == 0
    after = (project / "CHANGELOG.md").read_text()
    head, section, rest = re.split(r"^(?=## )", after, maxsplit=2, flags=re.MULTILINE)
    assert section.startswith("## 9.8.7 (2030-01-02)\n")
    assert head.startswith("# Changelog\n")
    assert before.endswith(rest)
    assert re.findall(r"^### (\w+)$", section, re.MULTILINE) == [kind.capitalize() for kind in kinds]
    assert all(f"- What is {kind}.\n" in section for kind in kinds)
    assert "- It works. (#12)\n" in section
    assert [path.name for path in (project / "newsfragments").iterdir()] == ["README.md"]


@pytest.mark.real
def test_news_of_an_unknown_kind_is_an_error(project):
    (project / "newsfragments" / "+some.fixd.md").write_text("It works.\n")
    told = towncrier(project, "--draft", "--version", "9.8.7")
    assert told.returncode == 1
    assert "+some.fixd.md" in told.stderr


def test_each_commit_is_checked_as_make_check_does():
    yaml = pytest.importorskip("yaml", reason="what parses YAML is no dependency of ours")
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (ours,) = (repo["hooks"] for repo in config["repos"] if repo["repo"] == "local")
    recipe = re.search(r"^check: .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    lines = recipe[1].replace("$(BIN)", ".venv/bin").replace("\t", "").splitlines()
    assert [hook["entry"] for hook in ours] == lines
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+", repo["rev"]) for repo in config["repos"] if repo["repo"] != "local")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_what_there_is_and_may_do_no_more_than_it_needs(path):
    yaml = pytest.importorskip("yaml", reason="what parses YAML is no dependency of ours")
    workflow = yaml.safe_load(path.read_text())
    targets = set(re.findall(r"^([\w-]+):(?!=)", MAKEFILE, re.MULTILINE))
    for name, job in workflow["jobs"].items():
        may = job.get("permissions", workflow["permissions"])
        assert may == ({"id-token": "write"} if name == "publish" else {"contents": "read"})
        for step in job.get("steps", []):
            if "uses" in step:
                assert re.fullmatch(r"actions/[\w-]+@v\d+|pypa/gh-action-pypi-publish@release/v1", step["uses"])
            else:
                command, *rest = step["run"].split()
                assert rest[0] in targets if command == "make" else (ROOT / command).stat().st_mode & 0o100
        if "uses" in job:
            assert (ROOT / job["uses"]).is_file()
    assert "secrets" not in path.read_text()


def test_there_are_workflows():
    assert [path.stem for path in WORKFLOWS] == ["ci", "release"]
