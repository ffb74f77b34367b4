import errno
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path

import pytest

from tests.hub import COMMIT, serving_hub
from voice_trio.engines.whisper import models as whisper_models
from voice_trio.engines.whisper.models import download, find, list_models
from voice_trio.engines.whisper.names import REPOSITORIES, ModelError, ModelName, parse

pytestmark = pytest.mark.real

FILES = {
    "model.bin": b"weights" * 5000,
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "vocabulary.txt": b"a\nb\n",
    "README.md": b"not wanted" * 1000,
}
WANTED = sum(len(data) for name, data in FILES.items() if name != "README.md")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and no network."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "home" / "hub"


def put(cache: Path, repository: str, commit: str, names=FILES) -> Path:
    """Lay files in the cache as a download does: whole ones are links to their content."""
    root = cache / f"models--{repository.replace('/', '--')}"
    snapshot = root / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (root / "blobs").mkdir(exist_ok=True)
    (root / "refs").mkdir(exist_ok=True)
    (root / "refs" / "main").write_text(commit)
    for name in names:
        blob = root / "blobs" / f"{commit}-{name}"
        blob.write_bytes(FILES[name])
        (snapshot / name).symlink_to(blob)
    return snapshot


@pytest.mark.parametrize(
    ("name", "size", "compute_type"),
    [
        ("small-int8", "small", "int8"),
        ("base.en-int8", "base.en", "int8"),
        ("large-v3-float16", "large-v3", "float16"),
        ("large-v3-turbo-int8_float16", "large-v3-turbo", "int8_float16"),
        ("distil-large-v3.5-float32", "distil-large-v3.5", "float32"),
    ],
)
def test_a_name_is_a_size_and_a_compute_type(name, size, compute_type):
    assert parse(name) == ModelName(compute_type, size=size)


def test_a_name_may_be_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small-int8").mkdir()
    assert parse("small-int8") == ModelName("default", folder=Path("small-int8"))
    assert parse("./anywhere").folder == Path("anywhere")
    assert parse("~/anywhere").folder == Path.home() / "anywhere"


def test_a_folder_may_be_told_how_to_compute(tmp_path):
    assert parse(f"{tmp_path}:int8") == ModelName("int8", folder=tmp_path)
    assert parse("./anywhere:float32") == ModelName("float32", folder=Path("anywhere"))
    (tmp_path / "strange:int8").mkdir()
    assert parse(f"{tmp_path}/strange:int8") == ModelName("default", folder=tmp_path / "strange:int8")
    with pytest.raises(ModelError, match="unknown compute type 'int4'"):
        parse(f"{tmp_path}:int4")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("small", "small-int8"),
        ("enormous-int8", "tiny.en"),
        ("int8", "tiny.en"),
        ("small-int4", "float16"),
        ("small.de-int8", "unknown"),
    ],
)
def test_an_unknown_name_is_one_sentence_with_what_is_known(name, words):
    with pytest.raises(ModelError, match=words) as caught:
        find(name)
    assert "\n" not in str(caught.value)


def test_a_folder_has_to_hold_a_whole_model(tmp_path):
    with pytest.raises(ModelError, match="not a folder"):
        find(str(tmp_path / "nowhere"))
    names = ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"]
    for name in names:
        with pytest.raises(ModelError, match=name):
            find(str(tmp_path))
        (tmp_path / name).touch()
        with pytest.raises(ModelError, match=name):
            find(str(tmp_path))
        (tmp_path / name).write_bytes(b"x")
    assert find(str(tmp_path)) == tmp_path


def test_nothing_is_found_in_an_empty_cache():
    assert find("small-int8") is None
    assert {model.path for model in list_models()} == {None}


def test_a_whole_download_is_found(cache):
    snapshot = put(cache, "Systran/faster-whisper-small", COMMIT)
    assert find("small-int8") == snapshot
    assert find("small-float32") == snapshot
    assert find("small.en-int8") is None
    (small,) = [model for model in list_models() if model.path]
    assert (small.size, small.path, small.size_bytes) == ("small", snapshot, sum(map(len, FILES.values())))


@pytest.mark.parametrize("missing", ["model.bin", "config.json", "tokenizer.json", "vocabulary.txt"])
def test_a_download_broken_off_is_not_found(cache, missing):
    snapshot = put(cache, "Systran/faster-whisper-small", COMMIT, [name for name in FILES if name != missing])
    (snapshot.parents[1] / "blobs" / "rest.incomplete").write_bytes(b"half")
    assert find("small-int8") is None
    (snapshot / missing).symlink_to(snapshot / "gone")
    assert find("small-int8") is None


def test_an_older_whole_download_serves_while_the_current_is_not_whole(cache):
    older = put(cache, "Systran/faster-whisper-small", "b" * 40)
    put(cache, "Systran/faster-whisper-small", COMMIT, ["config.json"])
    assert find("small-int8") == older


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"HF_HOME": "/h"}, "/h/hub"),
        ({"HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old"}, "/old"),
        ({"HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old", "HF_HUB_CACHE": "$HOME/c"}, "/me/c"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
        ({}, "/me/.cache/huggingface/hub"),
    ],
)
def test_the_cache_is_where_the_library_has_it(monkeypatch, variables, place):
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("HOME", "/me")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(whisper_models.cache_dir()) == place
    code = "from huggingface_hub import constants; print(constants.HF_HUB_CACHE)"
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert theirs == place


def test_the_sizes_are_those_of_faster_whisper():
    from faster_whisper.utils import _MODELS

    assert REPOSITORIES.items() <= _MODELS.items()
    assert set(_MODELS) - set(REPOSITORIES) == {"large", "turbo"}  # other names of two that are there


def test_looking_imports_nothing_heavy():
    code = (
        "import sys; from voice_trio.engines.whisper import models as w; w.find('small-int8'); w.list_models();"
        "sys.exit(bool({'faster_whisper', 'ctranslate2', 'huggingface_hub', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def hub(monkeypatch):
    with serving_hub(dict(FILES)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def test_a_download_fetches_what_is_needed_and_tells_how_far_it_is(cache, hub):
    told: list[tuple[int, int]] = []
    path = download("small-int8", lambda done, total: told.append((done, total)))
    assert find("small-int8") == path
    assert cache in path.parents
    assert {file.name for file in path.iterdir()} == set(FILES) - {"README.md"}
    assert (path / "model.bin").read_bytes() == FILES["model.bin"]
    assert (cache / "models--Systran--faster-whisper-small" / "refs" / "main").read_text() == COMMIT
    assert told[0] == (0, WANTED)
    assert told[-1] == (WANTED, WANTED)
    assert told == sorted(told)


def test_threads_that_fetch_at_once_tell_it_in_order():
    told: list[int] = []
    telling, overtaken = threading.Event(), threading.Event()

    def tell(done: int, total: int) -> None:
        if done == 10:
            telling.set()
            # The other thread may not get past this one, however long this one takes.
            overtaken.wait(0.3)
        told.append(done)
        overtaken.set()

    reporter = whisper_models._reporter(tell, 100)
    first, second = (threading.Thread(target=reporter(unit="B").update, args=(n,)) for n in (10, 20))
    first.start()
    assert telling.wait(10)
    second.start()
    first.join()
    second.join()
    assert told == [10, 20]


def test_what_is_present_is_not_fetched_again(cache, hub):
    snapshot = put(cache, "Systran/faster-whisper-small", COMMIT)
    assert download("small-int8") == snapshot
    assert hub.asked == []


def test_a_download_broken_off_is_continued(cache, hub):
    put(cache, "Systran/faster-whisper-small", COMMIT, ["config.json", "tokenizer.json"])
    assert download("small-int8") == find("small-int8")
    assert not any(path.endswith("tokenizer.json") for path in hub.asked)


def test_without_a_connection_one_sentence_says_so():
    with pytest.raises(
        ModelError, match=r"^small-int8 cannot be downloaded: no connection to http://127\.0\.0\.1:9$"
    ) as caught:
        download("small-int8")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_refusal_is_told_with_its_number(hub, status):
    hub.status = status
    with pytest.raises(ModelError, match=f"answered HTTP {status}"):
        download("small-int8")


def test_a_store_without_the_whole_model_is_told(hub):
    del hub.files["tokenizer.json"]
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        download("small-int8")


def test_too_little_room_is_told_before_anything_is_fetched(hub, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**9, 10**9, 10))
    with pytest.raises(ModelError, match="has only 0 MB free"):
        download("small-int8")
    assert not any("/resolve/" in path for path in hub.asked)


def test_a_disk_that_fills_up_is_told(hub, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.snapshot_download", full)
    with pytest.raises(ModelError, match="is full"):
        download("small-int8")


def test_being_offline_by_choice_is_told(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        download("small-int8")


def test_a_folder_is_not_downloaded(tmp_path):
    with pytest.raises(ModelError, match="nothing to download"):
        download(str(tmp_path))
