"""The example in docs/testing-your-own.md, as it stands there."""

import re
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "testing-your-own.md"


async def test_the_example_counts(autojump_clock):
    [example] = re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    module: dict[str, Any] = {}
    exec(example, module)
    await module["test_it_counts"](autojump_clock)
