"""What is published speaks only of the project: no credentials, no machine's paths, no private hosts."""

from __future__ import annotations

import re
import subprocess
from functools import cache

import pytest

from tests.project.source import ROOT

TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".json",
    ".jsonl",
    ".yml",
    ".yaml",
    ".cfg",
    ".sh",
    ".csv",
    "",
    ".typed",
}

SECRET = re.compile(
    r"\bsk-(?:proj-|ant-|or-)?[A-Za-z0-9]{20,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bhf_[A-Za-z0-9]{30,}"
    r"|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
PERSONAL_PATH = re.compile(r"(?<![\w.:/])/(?:root|home|Users|work|mnt|srv|opt|tmp)/\w")
PRIVATE_ADDRESS = re.compile(
    r"(?<![\d.])(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(?![\d.])"
)


@cache
def tracked() -> dict[str, str]:
    """The text of every file that git would publish, by its path."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listing.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listing.stdout.splitlines()]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in paths
        if path.is_file() and path.suffix in TEXT
    }


@pytest.mark.parametrize(
    ("what", "pattern"),
    [("a credential", SECRET), ("a person's path", PERSONAL_PATH), ("a private address", PRIVATE_ADDRESS)],
)
def test_nothing_private_is_published(what: str, pattern: re.Pattern[str]) -> None:
    found = [
        f"{name}:{text[: match.start()].count(chr(10)) + 1} {match.group()[:12]}…"
        for name, text in tracked().items()
        if not name.endswith("test_text.py")
        for match in pattern.finditer(text)
    ]
    assert not found, f"{what} in:\n" + "\n".join(found)
