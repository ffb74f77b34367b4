"""What deploy/ holds is understood by those that it is for, and names what there is."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tools.write_docs import metrics_table
from voice_trio.config import Settings, variable

DEPLOY = Path(__file__).parent.parent / "deploy"
FILES = [path for path in DEPLOY.rglob("*") if path.is_file()]

pytestmark = pytest.mark.real


def run(*command):
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_settings_that_are_named_exist(file):
    known = {variable(name) for name in Settings.model_fields}
    assert set(re.findall(r"\bSTREAM_[A-Z_]+\b", file.read_text())) <= known


@pytest.mark.parametrize("name", ["alerts.yml", "grafana.json"])
def test_metrics_that_are_asked_for_exist(name):
    known = set(re.findall(r"^\| `(\w+)`", metrics_table(), re.MULTILINE))
    asked = set(re.findall(r"\b(?:voice_trio|process)_\w+", (DEPLOY / name).read_text()))
    assert asked
    assert {re.sub(r"_bucket$", "", one) for one in asked if one != "voice_trio"} <= known


def test_the_dashboard_has_no_panel_over_another():
    panels = [one["gridPos"] for one in json.loads((DEPLOY / "grafana.json").read_text())["panels"]]
    places = [
        (x, y)
        for one in panels
        for x in range(one["x"], one["x"] + one["w"])
        for y in range(one["y"], one["y"] + one["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24


def test_kubernetes_takes_it():
    done = run(
        str(Path(sys.executable).parent / "kubernetes-validate"), "--strict", str(DEPLOY / "k8s" / "voice-trio.yaml")
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_under_systemd_it_has_few_rights():
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", str(DEPLOY / "voice-trio.service"))
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_it():
    for what, name in [("rules", "alerts.yml"), ("config", "prometheus.yml")]:
        done = run("promtool", "check", what, str(DEPLOY / name))
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_file_for_ray_names_what_its_application_has():
    """Ray itself is no dependency, so what it would import is read."""
    wanted = yaml.safe_load((DEPLOY / "ray" / "serve.yaml").read_text())
    code = ast.parse((DEPLOY / "ray" / "voice_engines.py").read_text())
    classes = {one.name for one in code.body if isinstance(one, ast.ClassDef)}
    bound = {ast.unparse(one.targets[0]) for one in code.body if isinstance(one, ast.Assign)}
    for application in wanted["applications"]:
        module, _, name = application["import_path"].partition(":")
        assert (module, name in bound) == ("voice_engines", True)
        assert {one["name"] for one in application["deployments"]} <= classes
    assert [one["route_prefix"] for one in wanted["applications"]] == [
        "/v1/audio/transcriptions",
        "/v1/audio/speech",
    ]
