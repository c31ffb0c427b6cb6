"""A type checker knows the outputs of signatures that are classes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = '''
from typing import Any, Literal

import telic


class Sort(telic.Signature):
    """Sort a message."""

    message: str = telic.InputField()
    intent: Literal["refund", "other"] = telic.OutputField()
    sure: float = telic.OutputField()


class Desk(telic.Module):
    def __init__(self) -> None:
        super().__init__()
        self.sort = telic.ChainOfThought(Sort)
        self.plain = telic.Predict("question -> answer")

    def forward(self, message: str) -> float:
        sorted_ = self.sort(message=message)
        reveal_type(sorted_.intent)
        reveal_type(sorted_.reasoning)
        return sorted_.sure


async def later(sort: telic.Predict[Sort]) -> float:
    return (await sort.acall(message="m")).sure


def untyped(predict: telic.Predict) -> Any:  # no type argument is needed
    return predict(question="?").anything


reveal_type(telic.Predict(Sort))
reveal_type(telic.Predict(Sort)(message="m").sure)
reveal_type(telic.ReAct(Sort, tools=[])(message="m").sure)
reveal_type(telic.ProgramOfThought(Sort)(message="m").sure)
reveal_type(telic.Predict(Sort.with_instructions("Better."))(message="m").sure)
reveal_type(telic.Predict("question -> answer")(question="?").answer)
reveal_type(telic.Predict(telic.Signature("question -> answer"))(question="?").answer)
reveal_type(telic.Predict(telic.make_signature("question -> answer"))(question="?").answer)
reveal_type(telic.Predict(Sort.append("more", telic.OutputField()))(message="m").more)
several = telic.Predict(Sort)(message="m")
several.completions, several["intent"], several.toDict(), several.get_lm_usage()
predictors: list[telic.Predict] = [telic.Predict(Sort), telic.Predict("a -> b")]
'''

REVEALED = [
    "Literal['refund'] | Literal['other']",
    "Any",
    "telic.program.predict.Predict[program.Sort]",
    "float",
    "float",
    "float",
    "float",
    "Any",
    "Any",
    "Any",
    "Any",
]

MISTAKES = {
    'telic.Predict(Sort)(message="m").intnet': '"Sort" has no attribute "intnet"',
    'length: int = telic.ChainOfThought(Sort)(message="m").intent': "Incompatible types in assignment",
    "telic.Predict(3)": "Argument 1",
}


def _checked(folder: Path, text: str) -> str:
    (folder / "program.py").write_text(text, encoding="utf-8")
    config = str(ROOT / "pyproject.toml")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", config, "program.py"],
        cwd=folder, capture_output=True, text=True,
        env={"MYPYPATH": str(ROOT / "src"), "MYPY_CACHE_DIR": str(folder / "cache"), "PATH": ""},
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_type_checker_knows_the_outputs(tmp_path: Path) -> None:
    mistakes = "\n".join(MISTAKES)
    said = _checked(tmp_path, f"{PROGRAM}\n{mistakes}\n")
    first = PROGRAM.count("\n") + 2
    revealed = re.findall(r'Revealed type is "(.*)"', said)
    assert revealed == REVEALED, said
    errors = {int(line): text for line, text in re.findall(r"program\.py:(\d+): error: (.*)", said)}
    assert sorted(errors) == [first + number for number in range(len(MISTAKES))], said
    for number, wanted in enumerate(MISTAKES.values()):
        assert wanted in errors[first + number]


def test_at_run_time_nothing_is_different() -> None:
    import telic
    from telic.testing import DummyLM

    class Sort(telic.Signature):
        """Sort a message."""

        message: str = telic.InputField()
        intent: str = telic.OutputField()

    sort = telic.Predict[Sort](Sort)
    with telic.context(lm=DummyLM([{"intent": "refund"}])):
        answer = sort(message="m")
    assert isinstance(answer, telic.Prediction)
    assert answer.intent == "refund"
    assert isinstance(sort.deepcopy(), telic.Predict)
