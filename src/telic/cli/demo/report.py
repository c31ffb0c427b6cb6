"""What the demo shows: prompts before and after, scores with their intervals, what it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from telic.cli.output import print_json

if TYPE_CHECKING:
    from telic.cli.demo.cases import Case
    from telic.cli.demo.finding import Finding
    from telic.evaluate.result import EvaluationResult

WIDTH = 100
_LINES = 11
"""Lines of a prompt that are shown; of a longer one, the beginning and the end."""
_BEFORE, _AFTER = 38, 60
"""Columns of a prompt as declared, and of one compiled."""


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

    def closing(self, findings: Sequence[Finding], seconds: float) -> None:
        """Prompts, an example, the table, the tests, and where the programs were saved."""
        for finding in findings:
            self._prompts(finding)
        self._example(findings[-1])
        self._console.print(self._table(findings))
        if self._case.parts:
            self._console.print(self._shares(findings))
        for finding in findings:
            self._console.print(_verdict(finding))
        self._console.print(_spent(findings, seconds))
        for finding in findings:
            self._console.print(f"Saved: {finding.file}", soft_wrap=True)
        self._console.print(f"[dim]Look at it: telic show {findings[-1].file}[/dim]", soft_wrap=True)
        if self._as_json:
            print_json(self._numbers(findings, seconds))

    def _prompts(self, finding: Finding) -> None:
        """Each predictor's prompt as declared, and compiled, side by side."""
        from rich.table import Table

        inputs = self._case.splits.test[0].inputs().toDict()
        before = finding.entry.program.preview(**inputs).calls
        after = finding.compiled.preview(**inputs).calls
        predictors = finding.compiled.named_predictors()
        for (path, predictor), old, new in zip(predictors, before, after, strict=False):
            name = path.removeprefix("self.")
            demos = f"{len(predictor.demos)} demos, {new.tokens} tokens"
            grid = Table.grid(padding=(0, 2, 0, 0))
            grid.add_row(
                _panel(f"{name} as declared: {old.tokens} tokens", old.text, _BEFORE),
                _panel(f"{name} compiled: {demos}", new.text, _AFTER),
            )
            self._console.print(grid)

    def _example(self, finding: Finding) -> None:
        """One unseen example that only the compiled program got right."""
        outcomes = zip(finding.before.results, finding.after.results, strict=True)
        gains = [(float(new[2]) - float(old[2]), old, new) for old, new in outcomes if _scored(old, new)]
        if not gains:
            return
        _, old, new = max(gains, key=lambda gain: (gain[0], float(gain[2][2])))
        (asked,) = old[0].inputs().toDict().values()
        self._console.print(f"\n[italic]{asked}[/italic]")
        for name, row in (("as declared", old), ("compiled", new)):
            said = "  ".join(
                f"[dim]{key}[/dim] {' '.join(str(value).split())}" for key, value in row[1].items()
            )
            self._console.print(f"  [bold]{name:12}[/bold] {said}", no_wrap=True, overflow="ellipsis")
        self._console.print()

    def _table(self, findings: Sequence[Finding]) -> Any:
        return _grid(findings, ("score", "95 % interval", "calls", "tokens", "seconds"), _cells)

    def _shares(self, findings: Sequence[Finding]) -> Any:
        parts = self._case.parts
        return _grid(findings, parts, lambda r: [f"{_share(r, part):.0f} %" for part in parts], "right:")

    def _numbers(self, findings: Sequence[Finding], seconds: float) -> dict[str, Any]:
        return {
            "demo": self._case.name,
            "seconds": round(seconds, 1),
            "programs": [
                {
                    "program": finding.entry.label,
                    "before": self._summary(finding.before),
                    "after": self._summary(finding.after),
                    "comparison": finding.comparison.to_json(),
                    "compile": finding.report.to_json(),
                    "file": str(finding.file),
                }
                for finding in findings
            ],
        }

    def _summary(self, result: EvaluationResult) -> dict[str, Any]:
        return {
            "score": result.score,
            "interval": list(result.interval),
            "right": {part: round(_share(result, part), 2) for part in self._case.parts},
            "failures": len(result.failures),
            "errors": len(result.errors),
            "calls": result.calls,
            "cached_calls": result.cached_calls,
            "tokens": result.usage.total_tokens,
            "seconds": round(result.seconds, 1),
        }


def _grid(
    findings: Sequence[Finding],
    numbers: Sequence[str],
    cells: Callable[[EvaluationResult], list[str]],
    head: str = "program",
) -> Any:
    """Two rows of numbers for each program."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(head, no_wrap=True)
    table.add_column("", no_wrap=True)
    for number in numbers:
        table.add_column(number, justify="right", no_wrap=True)
    for finding in findings:
        table.add_row(finding.entry.label, "as declared", *cells(finding.before))
        table.add_row("", "[bold]compiled[/bold]", *(f"[bold]{cell}[/bold]" for cell in cells(finding.after)))
    return table


def _cells(result: EvaluationResult) -> list[str]:
    return [
        f"{result.score:.1f} %",
        f"{result.interval.low:.1f} to {result.interval.high:.1f}",
        f"{result.calls + result.cached_calls:,}",
        f"{result.usage.total_tokens:,}" if result.calls else "recorded",
        f"{result.seconds:.0f}",
    ]


def _panel(title: str, text: str, width: int) -> Any:
    from rich.panel import Panel
    from rich.text import Text

    lines = [line[: width - 5] + "…" if len(line) > width - 4 else line for line in _shortened(text)]
    return Panel(Text("\n".join(lines)), title=title, title_align="left", border_style="dim", width=width)


def _shortened(text: str) -> Iterator[str]:
    lines = text.rstrip("\n").split("\n")
    if len(lines) <= _LINES:
        yield from lines
        return
    tail = 3
    head = _LINES - tail - 1
    yield from lines[:head]
    yield f"   … {len(lines) - head - tail} more lines …"
    yield from lines[-tail:]


def _scored(*rows: tuple[Any, Any, Any]) -> bool:
    return all(row[2] is not None and row[1] is not None for row in rows)


def _share(result: EvaluationResult, part: str) -> float:
    """Percent of examples whose field is exactly right."""
    pairs = [(prediction, example) for example, prediction, _ in result.results if prediction]
    right = sum(bool(prediction.get(part) == example[part]) for prediction, example in pairs)
    return 100 * right / max(1, len(result))


def _verdict(finding: Finding) -> str:
    c = finding.comparison
    p = "p < 0.0001" if c.p < 0.0001 else f"p = {c.p:.2g}"
    return (
        f"[bold]{finding.entry.label}[/bold]: {c.difference:+.1f} points, 95 % interval "
        f"{c.interval.low:+.1f} to {c.interval.high:+.1f}, {p}\n  [dim]{c.test}: {c.wins} better, "
        f"{c.losses} worse, {c.ties} the same[/dim]"
    )


def _spent(findings: Sequence[Finding], seconds: float) -> str:
    """What all of it took: now, and before where it was interrupted."""
    parts = [part for f in findings for part in (f.before, f.report.spent, f.after)]
    calls = sum(part.calls for part in parts)
    known = sum(part.cached_calls for part in parts)
    tokens = sum(f.before.usage.total_tokens + f.after.usage.total_tokens for f in findings)
    tokens += sum(f.report.spent.tokens for f in findings)
    recorded = f", {known:,} answers came from the record" if known else ""
    return f"In all {calls:,} calls of the model, {tokens:,} tokens, {seconds:.0f} seconds{recorded}."
