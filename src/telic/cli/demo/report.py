"""What the demo shows: prompts before and after, scores with their intervals, what it took."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from telic.cli.output import print_json

if TYPE_CHECKING:
    from telic.cli.demo.cases import Case
    from telic.evaluate.result import EvaluationResult

WIDTH = 100
_SHOWN_LINES = 14
"""Lines of a prompt that are shown; of a longer one, the beginning and the end."""


class Screen:
    """The demo's output: a screen for people, or JSON at the end."""

    def __init__(self, case: Case, *, as_json: bool) -> None:
        from rich.console import Console

        self._case = case
        self._as_json = as_json
        # Where numbers go to standard output as JSON, people read standard error.
        self._console = Console(width=WIDTH, stderr=as_json, highlight=False)

    def opening(self) -> None:
        """What is about to be shown."""
        from telic.cli.demo.cases import MODEL

        sizes = self._case.splits
        self._console.print(f"\n[bold]telic demo {self._case.name}[/bold]  {self._case.story}.")
        self._console.print(
            f"[dim]Model {MODEL}, in this process. {len(sizes.train)} examples to compile with, "
            f"{len(sizes.dev)} to choose with, {len(sizes.test)} unseen ones to report on.[/dim]\n"
        )

    def step(self, text: str) -> None:
        """One more step begins."""
        self._console.print(f"[cyan]▸[/cyan] {text}")

    def found(self, finding: Any, inputs: dict[str, Any]) -> None:
        """One program is through: its prompts before and after."""
        before, after = finding.entry.program.preview(**inputs), finding.compiled.preview(**inputs)
        for (path, _), old, new in zip(
            finding.compiled.named_predictors(), before.calls, after.calls, strict=False
        ):
            self._panel(f"{path} as declared: {old.tokens} prompt tokens", old.text)
            self._panel(f"{path} compiled: {new.tokens} prompt tokens", new.text)

    def closing(self, findings: Sequence[Any], seconds: float) -> None:
        """The table, the test, and what to do next."""
        if self._as_json:
            print_json(self._numbers(findings, seconds))
            return
        self._console.print(self._table(findings))
        for finding in findings:
            self._console.print(_verdict(finding), soft_wrap=True)
        spent = [finding.compiled.report.spent for finding in findings]
        calls = sum(s.calls for s in spent) + sum(f.before.calls + f.after.calls for f in findings)
        known = sum(s.cached_calls for s in spent)
        known += sum(f.before.cached_calls + f.after.cached_calls for f in findings)
        self._console.print(
            f"\n{calls:,} calls were made, {known:,} answers came from the record, in {seconds:.0f} s."
        )
        for finding in findings:
            self._console.print(f"Saved: {finding.file}   (telic show {finding.file})", soft_wrap=True)
        sys.stdout.flush()

    def _panel(self, title: str, text: str) -> None:
        from rich.panel import Panel
        from rich.text import Text

        self._console.print(
            Panel(Text(_shortened(text)), title=title, title_align="left", border_style="dim")
        )

    def _table(self, findings: Sequence[Any]) -> Any:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
        for column in (
            "program",
            "",
            "score",
            "95 % interval",
            "failures",
            "calls",
            "tokens a call",
            "seconds",
        ):
            table.add_column(column, justify="left" if column in ("program", "") else "right")
        for finding in findings:
            table.add_row(finding.entry.label, "as declared", *_cells(finding.before))
            table.add_row("", "[bold]compiled[/bold]", *_cells(finding.after))
        return table

    def _numbers(self, findings: Sequence[Any], seconds: float) -> dict[str, Any]:
        return {
            "demo": self._case.name,
            "seconds": round(seconds, 1),
            "programs": [
                {
                    "program": finding.entry.label,
                    "before": _summary(finding.before),
                    "after": _summary(finding.after),
                    "comparison": finding.comparison.to_json(),
                    "compile": finding.compiled.report.to_json(),
                    "file": str(finding.file),
                }
                for finding in findings
            ],
        }


def _cells(result: EvaluationResult) -> list[str]:
    calls = result.calls + result.cached_calls
    return [
        f"{result.score:.1f} %",
        f"{result.interval.low:.1f} to {result.interval.high:.1f}",
        str(len(result.failures) + len(result.errors)),
        f"{calls:,}",
        f"{result.usage.total_tokens / result.calls:.0f}" if result.calls else "recorded",
        f"{result.seconds:.1f}",
    ]


def _summary(result: EvaluationResult) -> dict[str, Any]:
    return {
        "score": result.score,
        "interval": list(result.interval),
        "failures": len(result.failures),
        "errors": len(result.errors),
        "calls": result.calls,
        "cached_calls": result.cached_calls,
        "tokens": result.usage.total_tokens,
        "seconds": round(result.seconds, 1),
    }


def _verdict(finding: Any) -> str:
    c = finding.comparison
    return (
        f"[bold]{finding.entry.label}[/bold]: {c.difference:+.1f} points "
        f"(95 % interval {c.interval.low:+.1f} to {c.interval.high:+.1f}, {c.test}, p = {c.p:.2g}; "
        f"{c.wins} better, {c.losses} worse, {c.ties} the same)"
    )


def _shortened(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    if len(lines) <= _SHOWN_LINES:
        return "\n".join(lines)
    head, tail = _SHOWN_LINES // 2, _SHOWN_LINES - _SHOWN_LINES // 2
    return "\n".join([*lines[:head], f"   … {len(lines) - head - tail} more lines …", *lines[-tail:]])
