"""`import telic` stays light: what is heavy loads where it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "aiohttp",
    "asyncio",
    "genai_prices",
    "jiter",
    "json_repair",
    "litellm",
    "multiprocessing",
    "numpy",
    "pandas",
    "pydantic",
    "rich",
    "sqlite3",
    "torch",
    "transformers",
    "typer",
    "xllamacpp",
}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running `code`."""
    program = f"{code}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import telic; telic.Predict",
        "import telic; telic.Predict('question -> answer')",
        "import telic; telic.LM('openai/gpt-4o-mini')",
        "import telic; telic.Evaluate; telic.BootstrapFewShot; telic.ChainOfThought",
        "import telic.cli",
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    assert not loaded_by(code) & HEAVY
