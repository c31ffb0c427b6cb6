"""What optimizers of weights share: forecasts that have the training, programs that tell what was trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telic.evaluate.metric import metric_name
from telic.finetune.artifacts import note_scores
from telic.optimize import running
from telic.optimize.forecast_calls import Range
from telic.optimize.optimizer import Optimizer
from telic.optimize.weights.training import Diary, Planned, joined, told

if TYPE_CHECKING:
    from telic.optimize.forecast import Forecast

AS_GIVEN = "as given"


class WeightOptimizer(Optimizer):
    """Base of optimizers that train models.

    A subclass gives its diary to `_begin` when it begins to compile, and what comes of it to `told_of`.
    """

    _diary: Diary
    _imagined: list[Diary] | None = None

    def get_params(self) -> dict[str, Any]:
        """The parameters this optimizer was made with."""
        given = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        backend = given.get("backend")
        if backend is None or isinstance(backend, str):
            return given
        # A backend keeps things for itself that no outcome depends on.
        own = backend.get_params() if hasattr(backend, "get_params") else {}
        return {**given, "backend": {"name": backend.name, **own}}

    def forecast(self, *args: Any, **kwargs: Any) -> Forecast:
        """What `compile` would take with these arguments, the training too; see `Optimizer.forecast`."""
        self._imagined = []
        try:
            made = super().forecast(*args, **kwargs)
            planned = max((diary.planned for diary in self._imagined), key=_size, default=[])
        finally:
            self._imagined = None
        if not planned:
            return made
        training = joined([each.backend.forecast(each.spec) for each in planned])
        return replace(
            made,
            cost=_more(made.cost, training.usd),
            seconds=_more(made.seconds, training.seconds),
            notes=(*made.notes, told(len(planned), training), *training.notes),
        )

    def _begin(self, diary: Diary) -> None:
        self._diary = diary
        if self._imagined is not None:
            self._imagined.append(diary)

    def told_of(self, program: Any) -> Any:
        """The program, with the models it uses in its provenance, and their scores in the models' folders."""
        used = self._diary.used_in(program)
        if not used or running.current() is not None:
            return program
        measured = _measured(program, self.metric)
        rows = []
        for part, trained in used:
            row = {"predictors": list(part.paths), "model": trained.model, **trained.provenance}
            rows.append(row if measured is None else {**row, "measured": measured})
            if measured is not None and trained.folder is not None:
                note_scores(trained.folder, measured)
        program.provenance = {**program.provenance, "training": rows}
        return program


def _size(planned: list[Planned]) -> int:
    return sum(len(each.spec.data) for each in planned)


def _measured(program: Any, metric: Any) -> dict[str, Any] | None:
    """How the program did before and after, where that was measured."""
    ranking = program.report.ranking
    before = next((ranked for ranked in ranking if ranked.label == AS_GIVEN), None)
    if before is None or metric is None:
        return None
    after = ranking[0]
    return {
        "metric": metric_name(metric),
        "before": round(before.mean, 6),
        "after": round(after.mean, 6),
        "examples": len(after.scores),
    }


def _more(known: Range | None, more: float | None) -> Range | None:
    return None if known is None or more is None else known + Range(more, more, more)
