"""The real weights, from their packages; what may be wrong with them, on small stand-ins for the parts."""

import errno
import hashlib
import importlib
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from voice_trio.config import load
from voice_trio.engines.whisper import models as whisper_models, packages
from voice_trio.engines.whisper.context import recall
from voice_trio.engines.whisper.loading import load as load_whisper, stored_in_half
from voice_trio.engines.whisper.names import ModelError
from voice_trio.engines.whisper.packages import Part
from voice_trio.engines.whisper.plug import PLUG

pytestmark = pytest.mark.real

PARTS = {"part_one": b"first " * 1000, "part_two": b"second"}
SMALL = ("config.json", "tokenizer.json", "vocabulary.json")


@pytest.fixture(autouse=True)
def nothing_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Two packages of a few bytes in the place of the real ones; returns where they are."""
    root = tmp_path / "site"
    for name in PARTS:
        (root / name / "data").mkdir(parents=True)
        # Whoever imports it learns of that at once.
        (root / name / "__init__.py").write_text("raise SystemExit('imported')")
        (root / name / "data" / "piece").write_bytes(PARTS[name])
    for name in SMALL:
        (root / "part_two" / "data" / name).write_bytes(b"{}")
    monkeypatch.setattr(sys, "path", [str(root), *sys.path])
    importlib.invalidate_caches()
    files = {name: [Part("part_two", name, 2, sha256(b"{}"))] for name in SMALL}
    files["model.bin"] = [Part(name, "piece", len(data), sha256(data)) for name, data in PARTS.items()]
    monkeypatch.setattr(packages, "FILES", files)
    monkeypatch.setattr(packages, "WHOLE", {"model.bin": sha256(b"".join(PARTS.values()))})
    return root


def left_over(data_dir: Path):
    return [path.name for path in (data_dir / "models").iterdir()]


def test_the_parts_are_put_together_once(small, tmp_path):
    told: list[tuple[int, int]] = []
    data = str(tmp_path / "data")
    assert whisper_models.find("base-int8", data) is None
    assert whisper_models.in_packages("base-int8")
    assert not whisper_models.in_packages("small-int8")
    folder = whisper_models.download("base-int8", lambda done, total: told.append((done, total)), data_dir=data)
    assert (folder / "model.bin").read_bytes() == b"".join(PARTS.values())
    assert told[-1] == (6012, 6012)
    assert whisper_models.find("base-int8", data) == folder
    assert left_over(tmp_path / "data") == ["whisper-base"]
    (small / "part_one" / "data" / "piece").unlink()
    assert whisper_models.get("base-int8", data) == folder
    (base,) = [model for model in whisper_models.list_models(data) if model.path]
    assert (base.size, base.size_bytes) == ("base", sum(file.stat().st_size for file in folder.iterdir()))


def test_what_these_weights_need_is_known_and_not_found_out(small, tmp_path):
    folder = whisper_models.download("base-int8", lambda done, total: None, data_dir=str(tmp_path))
    assert recall(folder) == packages.KNOWN


@pytest.mark.parametrize("damaged", [b"", PARTS["part_one"][:-1], PARTS["part_one"].upper()])
def test_a_damaged_part_is_named_and_nothing_is_left(small, tmp_path, damaged):
    (small / "part_one" / "data" / "piece").write_bytes(damaged)
    with pytest.raises(ModelError, match=r"part_one/data/piece is damaged; install the package part_one again$"):
        whisper_models.get("base-int8", str(tmp_path / "data"))
    assert left_over(tmp_path / "data") == []


def test_the_whole_is_compared_too(small, tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "WHOLE", {"model.bin": sha256(b"something else")})
    with pytest.raises(ModelError, match=r"model\.bin is not what its parts should make"):
        whisper_models.get("base-int8", str(tmp_path / "data"))


def test_what_another_left_half_is_replaced(small, tmp_path):
    half = packages.folder(tmp_path / "data")
    half.mkdir(parents=True)
    (half / "model.bin").write_bytes(b"hal")
    assert whisper_models.find("base-int8", str(tmp_path / "data")) is None
    folder = whisper_models.get("base-int8", str(tmp_path / "data"))
    assert folder == half
    assert (folder / "model.bin").read_bytes() == b"".join(PARTS.values())


def test_a_disk_without_room_is_told_before_and_in_between(small, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(ModelError, match=r"the disk with \S+ is full$"):
            whisper_models.get("base-int8", str(tmp_path / "data"))
    assert left_over(tmp_path / "data") == []
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9, 10**6))
    with pytest.raises(ModelError, match="has only 1 MB free"):
        whisper_models.get("base-int8", str(tmp_path / "data"))


def test_a_folder_that_cannot_be_made_is_told(small, tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ModelError, match="cannot be saved"):
        whisper_models.get("base-int8", str(tmp_path / "data"))


def test_without_packages_and_without_a_network_the_way_is_told(small, tmp_path):
    (small / "part_one" / "data" / "piece").unlink()
    with pytest.raises(ModelError, match=r"no connection to .*pip install 'voice-trio\[whisper-base\]'"):
        whisper_models.download("base-int8", data_dir=str(tmp_path / "data"))


def test_the_engine_can_be_used_where_the_packages_are(small, tmp_path):
    settings = load(model_whisper="base-int8", data_dir=str(tmp_path / "data"))
    assert PLUG.missing(settings) is None
    assert "put together when it is first used" in "\n".join(PLUG.weights.listing(settings))
    assert PLUG.missing(load(data_dir=str(tmp_path / "data"))) is not None


def test_looking_for_packages_imports_none(tmp_path):
    code = (
        "import sys; from voice_trio.engines.whisper import packages;"
        "print(packages.installed(), *[name for name in sys.modules if name.startswith('solids')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True"]


def test_the_real_weights_compute_in_int8(base_model):
    assert stored_in_half(base_model / "model.bin")
    for name in (str(base_model), f"{base_model}:int8"):
        loaded = load_whisper(load(model_whisper=name))
        assert loaded.decoder._model.model.compute_type.startswith("int8")
        assert "de" in loaded.decoder.languages


def test_other_weights_compute_as_they_are(tmp_path):
    assert not stored_in_half(Path(__file__).parents[1] / "tiny_whisper" / "model" / "model.bin")
    assert not stored_in_half(tmp_path / "nothing")
    (tmp_path / "broken").write_bytes(b"\x01\x02\x03")
    assert not stored_in_half(tmp_path / "broken")
