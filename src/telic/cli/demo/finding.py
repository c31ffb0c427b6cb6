"""`Finding`: one program of a demo, measured before and after it was compiled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from telic.cli.demo.cases import Entry
from telic.evaluate.pairing import Comparison
from telic.evaluate.result import EvaluationResult
from telic.optimize.report import CompileReport
from telic.program.module import Module


@dataclass(frozen=True)
class Finding:
    """What came of one program.

    Attributes:
        entry: the program.
        before: its evaluation on the test examples as declared.
        compiled: the compiled program.
        after: the compiled program's evaluation on the same examples.
        comparison: of the two, paired.
        file: where the compiled program was saved.
    """

    entry: Entry
    before: EvaluationResult
    compiled: Module
    after: EvaluationResult
    comparison: Comparison
    file: Path

    @property
    def report(self) -> CompileReport:
        """What the compile took and found."""
        report = self.compiled.report  # type: ignore[attr-defined]
        assert isinstance(report, CompileReport)
        return report
