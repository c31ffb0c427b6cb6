"""`Auto`: what `telic.compile` runs. It looks at budget, data and model, and decides what to try."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from telic.budget.caps import Budget
from telic.data.splits import split
from telic.optimize.attribution import compared, leave_one_out, without
from telic.optimize.auto.board import START, Board
from telic.optimize.auto.draws import FINALISTS, search_draws
from telic.optimize.auto.facts import BLOCK, Facts, look_at
from telic.optimize.auto.kinds import Kind, Pool, Wording, labelled_pool
from telic.optimize.auto.purse import BudgetLike, Purse, ask_clock, ask_left, within
from telic.optimize.auto.screening import kinds_of, screen, start_looks
from telic.optimize.auto.wording import MOST_WORDINGS, propose, try_wordings
from telic.optimize.bootstrap_few_shot import teacher_state
from telic.optimize.demos.bootstrap import bootstrap
from telic.optimize.demos.sampling import class_label, sample_examples
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.strategy import Choice, Evaluating, Strategy

_TEACHER_DEMOS = 8
_MOST_BOOTSTRAPPED = 32
_SCREENING, _BOOTSTRAPPING, _ATTRIBUTING = 0.35, 0.2, 0.25
"""Shares of what can be spent before the confirmation."""
_LEAST_FOR_WORDING = 150
"""Runs left, below which instructions are not tried: a demo costs nothing to propose, an instruction does."""


class Auto(Optimizer):
    """Search adapter, demos and instructions together, within a budget.

    1. Kinds of candidates (adapter × number of demos) are screened on a few examples.
    2. Where the data has not the outputs of every step, or a teacher is given, demos are bootstrapped.
    3. Where the model, or another one given for it, is able to, instructions are proposed and tried.
    4. Sets of demos of the best kinds are drawn, raced, changed and crossed.
    5. The best are confirmed against the program as given, on all examples that the budget allows for; what
       this takes is set aside from the start.

    Args:
        metric: scores a run; it is given a trace (not `None`) while bootstrapping.
        teacher_settings: settings for the teacher, such as `{"lm": larger_model}`.
        prompt_model: who proposes instructions; the teacher's model by default, or the program's own where it
            is not a small one.
        budget: see `telic.compile`.
        adapters: names of the adapters to try; by default those that suit the model, or the one that was set.
        attribute: also measure which demos of the winner earn their place, and drop those that hurt.
        metric_threshold: score from which a teacher's run is good enough to learn from.
        num_threads: how many examples at once; `settings.num_threads` by default.
        max_errors: errors (not unreadable answers) after which to stop; `settings.max_errors` by default.
        seed: of every random choice.
    """

    def __init__(
        self,
        metric: Any,
        *,
        budget: BudgetLike = None,
        teacher_settings: Mapping[str, Any] | None = None,
        prompt_model: Any = None,
        adapters: Sequence[str] | None = None,
        attribute: bool = False,
        metric_threshold: float | None = None,
        num_threads: int | None = None,
        max_errors: int | None = None,
        seed: int = 0,
    ) -> None:
        self.metric = metric
        self.budget = budget
        self.teacher_settings = dict(teacher_settings or {})
        self.prompt_model = prompt_model
        self.adapters = adapters
        self.attribute = attribute
        self.metric_threshold = metric_threshold
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.seed = seed

    def get_params(self) -> dict[str, Any]:
        """The parameters; of a budget that is already in use its caps."""
        caps = self.budget.caps if isinstance(self.budget, Budget) else self.budget
        return {**super().get_params(), "budget": caps}

    def compile(
        self,
        student: Any,
        *,
        trainset: Sequence[Any],
        teacher: Any = None,
        valset: Sequence[Any] | None = None,
        run_id: str | None = None,
    ) -> Any:
        """Return the best candidate as a copy of `student`; see `telic.compile`."""
        notes: list[str] = []
        if valset is None:
            trainset, valset, said = _divided(student, trainset, self.seed)
            notes.append(said)
        problem = make_problem(
            student,
            trainset=trainset,
            valset=valset,
            metric=self.metric,
            teacher=teacher,
            seed=self.seed,
            teacher_settings=self.teacher_settings,
            threshold=self.metric_threshold,
        )
        with within(self.budget):
            return self.run(problem, self.strategy(problem, notes), run_id=run_id)

    def strategy(self, problem: Problem, notes: Sequence[str] = ()) -> Strategy:
        """The stages, one after the other."""
        facts = look_at(problem, self.adapters)
        caps = yield from ask_left()
        default = min(2000, max(300, 12 * len(problem.valset)))
        purse = Purse(caps, default, len(problem.student.named_predictors()))
        search = _Search(self, problem, facts, purse, [*notes, *facts.notes(problem)])
        return (yield from search.strategy(timed="seconds" in caps))


class _Search:
    """One search: its stages share the board, the purse and the notes."""

    def __init__(
        self, optimizer: Auto, problem: Problem, facts: Facts, purse: Purse, notes: list[str]
    ) -> None:
        self.optimizer = optimizer
        self.problem = problem
        self.facts = facts
        self.purse = purse
        self.notes = notes
        self.board = Board(problem, facts, purse)
        self.full = 0
        self.keep = 0
        self.wording: Wording = ()

    def strategy(self, *, timed: bool) -> Strategy:
        """All stages."""
        began = (yield from ask_clock(0)) if timed else 0.0
        yield from start_looks(self.board)
        if timed:
            self.purse.book_seconds((yield from ask_clock(1)) - began)
        self._divide_budget()
        stages = (self._screened(), self._bootstrapped(), self._worded(), self._drawn())
        self.kinds: list[Kind] = []
        for number, stage in enumerate(stages, 2):
            yield from stage
            if timed:
                self.purse.book_seconds((yield from ask_clock(number)) - began)
        chosen = yield from self._confirmed()
        if self.optimizer.attribute and chosen != START:
            chosen = yield from self._attributed(chosen)
        ranking = self.board.ranked(self.full)
        ranking.sort(key=lambda ranked: ranked.label != chosen)
        return Choice(self.board.states[chosen], tuple(ranking), (*self.notes, *self.board.notes))

    def _divide_budget(self) -> None:
        runs, total = self.purse.runs(), len(self.facts.order)
        self.full = min(total, max(BLOCK, runs // 5))
        self.keep = 2 * self.full
        if self.optimizer.attribute:
            self.keep += int(_ATTRIBUTING * max(0, runs - self.keep))
        calls = f"{self.purse.calls_each:.1f} LM calls a run"
        said = f"The budget allows for about {runs} more runs of the program ({calls})"
        if not self.purse.capped:
            said = f"No budget was given; {runs} runs of the program are planned ({calls})"
        self.notes.append(f"{said}, of which {self.keep} are set aside for the confirmation.")
        if self.full < total:
            self.notes.append(
                f"That is too little for all {total} examples: {self.full} are used to confirm."
            )

    @property
    def _left(self) -> int:
        return max(0, self.purse.runs() - self.keep)

    def _screened(self) -> Evaluating[None]:
        pool = labelled_pool(self.problem, self.facts)
        self.board.pools[pool.source] = pool
        kinds = kinds_of(self.board, pool)
        if not kinds or self._left < 2 * BLOCK:
            self.notes.append("No kinds of candidates were screened: nothing to choose, or too little left.")
            return
        self.kinds = yield from screen(self.board, kinds, int(_SCREENING * self._left))
        self.notes.append(
            f"Screened {len(self.kinds)} of {len(kinds)} kinds (adapter × demos) on a few examples each; "
            f"best: {'; '.join(str(kind) for kind in self.kinds[:2])}."
        )

    def _bootstrapped(self) -> Evaluating[None]:
        facts = self.facts
        if facts.complete and not (facts.teacher and not facts.classes):
            self.notes.append("No demos were bootstrapped: the data has every output already.")
            return
        tries = min(int(_BOOTSTRAPPING * self._left), 2 * _MOST_BOOTSTRAPPED)
        if tries < BLOCK:
            self.notes.append("No demos were bootstrapped: too little is left of the budget.")
            return
        order = sample_examples(
            self.problem.trainset, tries, self.problem.rng("bootstrap order"), facts.label
        )
        made = yield from _booked(
            self.purse, bootstrap(self.problem, self._teacher(), order, count=_MOST_BOOTSTRAPPED)
        )
        who = "the teacher" if facts.teacher else "the program itself"
        self.notes.append(f"Bootstrapped: {len(made.used)} of {made.tried} runs of {who} were good enough.")
        if not made.used:
            return
        classes = [facts.label(self.problem.trainset[at]) for at in made.used] if facts.label else []
        demos = {path: found for path, found in made.demos.items() if found}
        pool = Pool("bootstrapped", demos, classes)
        self.board.pools[pool.source] = pool
        adapters = list(dict.fromkeys(kind.adapter for kind in self.kinds))[:2] or list(facts.adapters[:2])
        kinds = [kind for kind in kinds_of(self.board, pool) if kind.adapter in adapters]
        if kinds and self._left >= 2 * BLOCK:
            found = yield from screen(self.board, kinds, int(_SCREENING * self._left))
            self.kinds = self._best_kinds([*found, *self.kinds])
            self.notes.append(f"With bootstrapped demos the best is: {self.kinds[0]}.")

    def _worded(self) -> Generator[Any, Any, None]:
        model = self.optimizer.prompt_model or self.problem.teacher_settings.get("lm")
        if model is None and self.facts.small:
            self.notes.append(
                "No instructions were proposed: the model is a small one, better shown than told."
            )
            return
        if self._left < _LEAST_FOR_WORDING or not self.board.draws:
            self.notes.append("No instructions were proposed: too little is left of the budget.")
            return
        label = self._top(1)[0]
        wordings = yield from propose(self.board, label, MOST_WORDINGS, model)
        self.wording = yield from try_wordings(self.board, label, wordings)
        better = "one was better" if self.wording else "none was better than the present ones"
        self.notes.append(f"Tried {len(wordings)} instructions, written by a model, with {label}: {better}.")

    def _drawn(self) -> Evaluating[None]:
        kinds = [kind for kind in self.kinds if kind.count][:2]
        if not kinds:
            self.notes.append("No sets of demos were drawn: there was no kind to draw from.")
            return
        drawn = yield from search_draws(self.board, kinds, self.keep, self.wording)
        turns = "; classes are balanced, and take turns" if self.facts.classes else ""
        self.notes.append(f"Drew {drawn} sets of demos of the best kinds, and out of the best sets{turns}.")

    def _confirmed(self) -> Evaluating[str]:
        finalists = self._top(FINALISTS)
        spendable = self.purse.runs() - (self.keep - 2 * self.full)
        while len(finalists) > 1 and self.board.price([START, *finalists], self.full) > spendable:
            finalists.pop()
        if not finalists:
            self.notes.append("The program is as it was: the budget was too small to compare anything.")
            return START
        while self.full > 1 and self.board.price([START, *finalists], self.full) > spendable:
            self.full -= 1
        yield from self.board.see([START, *finalists], self.full)
        chosen = max(finalists, key=self.board.likely)
        before, after = (100 * self.board.mean(label, self.full) for label in (START, chosen))
        if after <= before:
            (chosen,) = self.board.best([START, *finalists], 1, self.full)
            after = 100 * self.board.mean(chosen, self.full)
        if chosen == START:
            self.notes.append("The program is as it was: no candidate did better on all examples.")
        else:
            self.notes.append(
                f"Chosen: {chosen}; {after:.1f} % against {before:.1f} % as given, on the same {self.full} "
                "examples."
            )
        return chosen

    def _attributed(self, chosen: str) -> Evaluating[str]:
        state, board = self.board.states[chosen], self.board
        demos = sum(len(state.demos(path)) for path in state.paths)
        examples = min(self.full, self.purse.runs() // max(1, demos))
        if examples < BLOCK:
            self.notes.append("Demos were not attributed: too little is left of the budget.")
            return chosen
        order = self.facts.order[:examples]
        ranking = yield from _booked(self.purse, leave_one_out(state, order, racing=True))
        effects, _ = compared(state, ranking)
        self.notes += [f"Demo {effect}" for effect in effects if effect.verdict != "no difference shown"]
        hurting = [(effect.path, effect.index) for effect in effects if effect.verdict == "hurts"]
        self.notes.append(f"Of {demos} demos, {len(hurting)} are shown to hurt on {examples} examples.")
        label = "chosen, without demos that hurt"
        if not hurting or self.purse.runs() < self.full:
            return chosen
        board.states[label], board.scores[label] = without(state, hurting), {}
        yield from board.see([label], self.full)
        (better,) = board.best([chosen, label], 1, self.full)
        self.notes.append(f"Without them: {100 * board.mean(label, self.full):.1f} %.")
        return better

    def _teacher(self) -> Any:
        if self.facts.teacher or not self.board.draws:
            return teacher_state(self.problem, _TEACHER_DEMOS)
        return self.board.states[self._top(1)[0]]

    def _top(self, count: int) -> list[str]:
        """The best candidates, whatever they have seen."""
        tried = [label for label in self.board.draws if self.board.scores[label] and label != START]
        return sorted(tried, key=lambda label: -self.board.likely(label))[:count]

    def _best_kinds(self, kinds: Sequence[Kind]) -> list[Kind]:
        """Kinds by the best of their candidates."""
        best = self._top(len(self.board.draws))
        order = [self.board.draws[label].kind for label in best]
        return [kind for kind in dict.fromkeys(order) if kind in kinds]


def _booked(purse: Purse, part: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """A part of strategies, what it evaluates booked."""
    results: Any = None
    while True:
        try:
            asked = next(part) if results is None else part.send(results)
        except StopIteration as end:
            return end.value
        results = yield asked
        purse.book(results)


def _divided(student: Any, rows: Sequence[Any], seed: int) -> tuple[list[Any], list[Any], str]:
    """Training and validation examples, where only the former were given; and a note."""
    if len(rows) < 2 * BLOCK:
        return list(rows), list(rows), "There are too few examples to keep some back to choose by."
    label = None
    for _, predictor in student.named_predictors():
        label = label or class_label(rows, predictor.signature.output_fields)
    chosen, rest = split(list(rows), [min(200, len(rows) // 2), -1], seed, stratify=label)
    note = f"No valset was given: {len(chosen)} of {len(rows)} training examples were kept back to choose by."
    return rest, chosen, note
