"""What the first installation says."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.install import described

INSTALL = Path(__file__).parent.parent.parent / "tools" / "install.py"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("  Downloading trio-0.35.0-py3-none-any.whl (513 kB)\n", "  trio 0.35.0, 513 kB"),
        ("  Using cached av-18.1.0-cp311-abi3-manylinux_2_28_x86_64.whl (36.1 MB)", "  av 18.1.0, 36.1 MB"),
        ("  Downloading https://example.org/a/outcome-1.3.0.post0-py2.py3-none-any.whl", "  outcome 1.3.0.post0"),
        ("  Downloading structlog-26.1.0-py3-none-any.whl.metadata (7.0 kB)", None),
        ("Collecting trio", None),
        ("Successfully installed trio-0.35.0", None),
        ("", None),
    ],
)
def test_what_is_fetched_is_said_with_its_size(line, told):
    assert described(line) == told


def test_a_file_of_this_machine_has_its_size_too(tmp_path):
    wheel = tmp_path / "a_b-1.0-py3-none-any.whl"
    wheel.write_bytes(bytes(2_500_000))
    assert described(f"Processing {wheel} (from x)") == "  a_b 1.0, 2.5 MB"


@pytest.mark.real
def test_what_pip_cannot_do_is_said_in_its_words_with_its_exit_code(tmp_path):
    done = subprocess.run(
        [sys.executable, INSTALL, "--no-index", tmp_path / "nothing-1.0-py3-none-any.whl"],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("Installing what voice_trio needs.")
    assert "nothing-1.0" in done.stderr
