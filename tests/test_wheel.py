"""What a user installs is whole: the wheel, in an empty virtual environment, away from the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import trio

from tests.commands import serve
from tests.server.serving import get

pytestmark = pytest.mark.real

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True, capture_output=True
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_package_and_the_page_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"voice_trio/static/index.html", "voice_trio/__main__.py", "voice_trio/py.typed"} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"voice_trio"}


async def test_the_wheel_serves_the_same(wheel, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    await trio.run_process([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"])
    # Little of what is installed is imported, so it is compiled then.
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile"]
    await trio.run_process([*pip, "-c", ROOT / "constraints.txt", wheel], capture_stderr=True)
    with trio.fail_after(60):
        async with serve(tmp_path, command=[str(python.with_name("voice-trio"))], STREAM_TTS_ENGINE="auto") as (
            process,
            _,
            url,
        ):
            assert (await get(url, "/readyz"))[0].startswith("HTTP/1.1 200")
            assert "voice assistant server" in (await get(url, "/"))[1]
            talk = await trio.run_process(
                [python.with_name("voice-trio"), "talk", "--text", "hi", "--url", f"ws{url.removeprefix('http')}/ws"],
                cwd=tmp_path,
                capture_stdout=True,
            )
            assert b"done      completed" in talk.stdout
            process.terminate()
            assert await process.wait() == 0
