"""`telic demo finetune`: a program with demonstrations teaches its own small model to do without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from telic.cli.demo.cases import MODEL
from telic.cli.demo.data import Splits, messages
from telic.cli.demo.programs import Intent
from telic.cli.output import line, print_json, print_table
from telic.evaluate.comparison import compare
from telic.evaluate.evaluate import Evaluate
from telic.evaluate.result import EvaluationResult
from telic.lm.base import BaseLM
from telic.lm.model import LM
from telic.optimize.bootstrap_finetune import BootstrapFinetune
from telic.optimize.random_search import BootstrapFewShotWithRandomSearch
from telic.program.predict import Predict
from telic.runtime.settings import settings
from telic.store.home import home

THREADS = 8
MAX_TOKENS = 16
ROUNDS = 4
"""Tries of each training example by the teacher, until it is right."""
TRAINING: dict[str, Any] = {"epochs": 4, "batch_size": 8, "lora": 16}


@dataclass(frozen=True)
class Measured:
    """A program on the unseen examples.

    Attributes:
        label: what it is called.
        program: it.
        result: its evaluation.
        prompt_tokens: of one call, on average.
    """

    label: str
    program: Predict
    result: EvaluationResult
    prompt_tokens: float

    def to_json(self) -> dict[str, Any]:
        """Numbers by name."""
        return {
            "program": self.label,
            "score": self.result.score,
            "interval": list(self.result.interval),
            "prompt_tokens": round(self.prompt_tokens, 1),
            "demos": len(self.program.demos),
        }


def same_intent(example: Any, prediction: Any, trace: Any = None) -> bool:
    """Whether the message was sorted as it should be."""
    return bool(example.intent == prediction.intent)


def run(*, as_json: bool = False) -> None:
    """Compile, distil and measure on the embedded model. Run again after a kill, it goes on where it was.

    Args:
        as_json: print the numbers as JSON instead of a table.
    """
    play(LM(MODEL, temperature=0.0, max_tokens=MAX_TOKENS), messages(), as_json=as_json)


def play(
    lm: BaseLM,
    splits: Splits,
    *,
    backend: Any = None,
    training: dict[str, Any] | None = None,
    as_json: bool = False,
) -> list[Measured]:
    """The demo with some LM, examples and backend."""
    began = monotonic()
    say = _say(as_json)
    say(f"telic demo finetune: {MODEL} teaches itself to sort messages without demonstrations.")
    with settings.context(lm=lm, num_threads=THREADS):
        bare = Predict(Intent)
        say(f"1. As declared, on {len(splits.test)} unseen messages")
        rows = [_measured("as declared", bare, splits)]
        say(f"2. The teacher: demonstrations, chosen with {len(splits.dev)} messages")
        teacher = _teacher(splits)
        rows.append(_measured("with demos", teacher, splits))
        say(f"3. Its good runs on {len(splits.train)} messages, and a LoRA trained on them")
        optimizer = BootstrapFinetune(
            metric=same_intent,
            train_kwargs=TRAINING if training is None else training,
            exclude_demos=True,
            max_rounds=ROUNDS,
            backend=backend,
        )
        trained = optimizer.compile(bare, splits.train, teacher=teacher)
        for note in trained.report.notes:
            say(f"   {note}")
        rows.append(_measured("trained, no demos", trained, splits))
    file = home() / "demo" / "finetuned.json"
    trained.save(file)
    _report(rows, file, monotonic() - began, as_json=as_json)
    return rows


def _teacher(splits: Splits) -> Predict:
    search = BootstrapFewShotWithRandomSearch(
        metric=same_intent,
        max_bootstrapped_demos=0,
        max_labeled_demos=16,
        num_candidate_programs=4,
        num_threads=THREADS,
    )
    made = search.compile(Predict(Intent), trainset=splits.train, valset=splits.dev)
    assert isinstance(made, Predict)
    return made


def _measured(label: str, program: Predict, splits: Splits) -> Measured:
    evaluate = Evaluate(
        devset=splits.test,
        metric=same_intent,
        num_threads=THREADS,
        display_progress=True,
        max_errors=len(splits.test),
    )
    result = evaluate(program)
    tokens = [call.tokens or 0 for row in splits.test for call in program.preview(**row.inputs()).calls]
    return Measured(label, program, result, sum(tokens) / len(tokens))


def _report(rows: Sequence[Measured], file: Path, seconds: float, *, as_json: bool) -> None:
    comparison = compare(rows[0].result, rows[-1].result)
    if as_json:
        numbers = [row.to_json() for row in rows]
        more = {"comparison": comparison.to_json(), "file": str(file)}
        print_json({"demo": "finetune", "seconds": round(seconds, 1), "programs": numbers, **more})
        return
    low_high = [f"{low:.0f} to {high:.0f}" for low, high in (row.result.interval for row in rows)]
    table = [
        [row.label, f"{row.result.score:.1f}", interval, len(row.program.demos), f"{row.prompt_tokens:.0f}"]
        for row, interval in zip(rows, low_high, strict=True)
    ]
    print_table(["program", "right %", "95 % interval", "demos", "prompt tokens a call"], table)
    line(f"Trained against declared: {comparison}")
    line(f"It took {seconds:,.0f} s. Saved: {file}, with its model beside it. Look at it: telic show {file}")


def _say(as_json: bool) -> Any:
    return (lambda text: None) if as_json else line
