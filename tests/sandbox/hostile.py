"""Programs that a sandbox must survive; most are in the text file beside this one.

In them, @SECRET@ is a file, @OUTSIDE@ its folder, @HOST@ this process, @PORT@ a listener on the loopback
interface, @UNIX@ one on a path, @TEMPORARY@ the system's folder for what does not last, and @MARK@ a number
by which processes are found.
"""

from __future__ import annotations

from pathlib import Path

MADE = {
    "parser: brackets": "(" * 100_000,
    "parser: closed brackets": "(" * 500 + ")" * 500,
    "parser: minus signs": "-" * 200_000 + "1",
    "parser: sum": "+".join(["1"] * 50_000),
    "parser: nested blocks": "\n".join("    " * n + "if 1:" for n in range(150)) + f"\n{'    ' * 150}pass",
    "parser: null byte": "1\0",
    "parser: lone surrogate": "x = '\ud800'",
}
"""Those that are long or unprintable."""


def _read(text: str) -> dict[str, str]:
    programs = {}
    for part in text.split("### ")[1:]:
        name, _, code = part.partition("\n")
        programs[name] = code.strip("\n")
    return programs


CORPUS = {**_read((Path(__file__).parent / "hostile_programs.txt").read_text(encoding="utf-8")), **MADE}
