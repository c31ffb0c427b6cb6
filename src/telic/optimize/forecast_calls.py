"""What one run of a program takes, before it is run: calls and tokens by model, as ranges.

Nothing of the user's is executed: calls are counted from the predictors of the program and the loops they
stand in, prompts are rendered predictor by predictor and counted by the model's own tokenizer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from telic._json import dumps
from telic.errors import TelicError
from telic.program.pipeline import resolve_lm
from telic.program.state import ProgramState
from telic.program.tree import named_sub_modules
from telic.runtime.settings import settings

_LOOPS = ("max_iters", "max_hops", "num_hops", "N")
"""Attributes of modules that say how often, at most, their predictors are called."""
_CHARS = 4
"""Characters of a token, where no tokenizer can be asked."""
_SAMPLE = 6
_UNLABELLED_ANSWER = 40
"""Tokens that an output field is taken to have where no example has a value for it."""
_MARKS = 8
"""Tokens around the value of a field in an answer."""
_SOME_TEXT = "some words of a text that another step of the program wrote, " * 3


@dataclass(frozen=True, slots=True)
class Range:
    """What is expected of a number, and what it may at least and at most be."""

    low: float = 0.0
    expected: float = 0.0
    worst: float = 0.0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.expected + other.expected, self.worst + other.worst)

    @property
    def ends(self) -> tuple[float, float, float]:
        """Low, expected, worst."""
        return self.low, self.expected, self.worst

    def times(self, low: float, expected: float, worst: float) -> Range:
        """Each end multiplied by its own factor."""
        return Range(self.low * low, self.expected * expected, self.worst * worst)


@dataclass(frozen=True, slots=True)
class Take:
    """What is asked of one model: calls, tokens read, tokens written."""

    calls: Range = Range()
    prompt: Range = Range()
    completion: Range = Range()

    def __add__(self, other: Take) -> Take:
        return Take(self.calls + other.calls, self.prompt + other.prompt, self.completion + other.completion)

    def since(self, before: Take, share: Sequence[float]) -> Take:
        """`before`, and of what came after it the share at each end."""
        grown = []
        for name in ("calls", "prompt", "completion"):
            was, now = getattr(before, name), getattr(self, name)
            grown.append(
                was + Range(*(s * (b - a) for s, a, b in zip(share, was.ends, now.ends, strict=True)))
            )
        return Take(*grown)


@dataclass(frozen=True, slots=True)
class Shape:
    """One predictor, as far as its size goes.

    Attributes:
        path: where it is in the program.
        model: whom it asks.
        recorded: whether an equal request is answered from the record.
        calls: how often it asks in one run of the program.
        prompt: tokens of its prompt as the program stands.
        per_char: tokens that a character of a demo, as JSON, adds.
        size: characters of demos and instructions that `prompt` has in it.
        answer: tokens of its answer.
    """

    path: str
    model: str
    recorded: bool
    calls: Range
    prompt: float
    per_char: float
    size: int
    answer: Range

    def take(self, size: int) -> Take:
        """What one run takes of it with so many characters of demos and instructions."""
        prompt = max(1.0, self.prompt + self.per_char * (size - self.size))
        return Take(
            self.calls,
            self.calls.times(0.8 * prompt, prompt, 1.3 * prompt + self.answer.worst),
            self.calls.times(self.answer.low, self.answer.expected, self.answer.worst),
        )


def shapes(program: Any, examples: Sequence[Mapping[str, Any]], *, growing: bool = True) -> list[Shape]:
    """The predictors of a program, measured with some of the examples.

    Args:
        program: is not run.
        examples: inputs, and what is known of outputs.
        growing: measure also what a demo adds.

    Raises:
        LMNotConfiguredError: a predictor has no LM.
    """
    predictors = program.named_predictors()
    loops = _loops(program)
    # A run may leave predictors out, but not all of them.
    return [
        _shape(path, predictor, loops.get(id(predictor), 1), 0.0 if number else 1.0, examples, growing)
        for number, (path, predictor) in enumerate(predictors)
    ]


def size_of(state: ProgramState, path: str) -> int:
    """Characters of demos and instructions at a path."""
    return sum(len(dumps(demo)) for demo in state.demos(path)) + len(state.instructions(path))


def _loops(program: Any) -> dict[int, int]:
    """How often at most each predictor (by id) is called in a run, where that is more than once."""
    times: dict[int, int] = {}
    for _, module in named_sub_modules(program):
        rounds = [getattr(module, name, None) for name in _LOOPS]
        factor = max((n for n in rounds if isinstance(n, int) and not isinstance(n, bool)), default=1)
        if factor > 1:
            for predictor in module.predictors():
                times[id(predictor)] = times.get(id(predictor), 1) * factor
    return times


def _shape(
    path: str,
    predictor: Any,
    loops: int,
    least: float,
    examples: Sequence[Mapping[str, Any]],
    growing: bool,
) -> Shape:
    lm = resolve_lm(predictor.lm)
    step = max(1, len(examples) // _SAMPLE)
    sample = list(examples[::step])[:_SAMPLE]
    inputs = [_inputs(predictor, row) for row in sample]
    state = ProgramState.of(predictor)
    tokens = [n for n in (_tokens(predictor, row) for row in inputs) if n is not None]
    prompt = sum(tokens) / len(tokens) if tokens else 200 + size_of(state, "self") / _CHARS
    adapter = predictor.adapter_in_use()
    steps = 2 if adapter.two_steps else 1
    calls = Range(least, steps * (1 + loops) / 2, steps * loops * (1 + _again(adapter)))
    return Shape(
        path,
        lm.model,
        bool(lm.recorded and lm.cache),
        calls,
        prompt,
        _per_char(predictor, inputs, sample) if growing else 0.0,
        size_of(state, "self"),
        _answer(predictor, lm, sample),
    )


def _again(adapter: Any) -> int:
    """How often one answer may be asked for again because it cannot be read."""
    policy = adapter.on_parse_failure or ("json" if settings.json_fallback else "repair")
    repairs: int = settings.max_repairs
    return {"none": 0, "json": 1 + repairs}.get(policy, repairs)


def _tokens(predictor: Any, inputs: Mapping[str, Any]) -> int | None:
    try:
        found: int = predictor.preview(**inputs).tokens
    except TelicError:  # made-up inputs that the signature does not take
        return None
    return found


def _per_char(
    predictor: Any, inputs: Sequence[Mapping[str, Any]], sample: Sequence[Mapping[str, Any]]
) -> float:
    """Measured by showing one example more."""
    names = [*predictor.signature.input_fields, *predictor.signature.output_fields]
    demo = {name: sample[0].get(name, _SOME_TEXT) for name in names} if sample else {}
    more = predictor.deepcopy()
    more.demos = [*more.demos, demo]
    tokens = _tokens(more, inputs[0]) if inputs else None
    before = _tokens(predictor, inputs[0]) if inputs else None
    if tokens is None or before is None:
        return 1.3 / _CHARS
    return max(0.1, (tokens - before) / len(dumps(demo)))


def _inputs(predictor: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    fields = predictor.signature.input_fields
    return {name: row[name] if name in row else _some(field.annotation) for name, field in fields.items()}


def _some(annotation: Any) -> Any:
    """Any value of a type, as far as that can be told."""
    simple: dict[Any, Any] = {str: _SOME_TEXT, int: 7, float: 0.5, bool: True}
    if annotation in simple:
        return simple[annotation]
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if get_origin(annotation) in (list, tuple, set) or annotation in (list, tuple, set):
        return [_some(arg) for arg in get_args(annotation)[:1]] * 3
    return _SOME_TEXT


def _answer(predictor: Any, lm: Any, sample: Sequence[Mapping[str, Any]]) -> Range:
    tokens = sum(_field_tokens(name, sample) for name in predictor.signature.output_fields)
    asked = {**lm.kwargs, **predictor.config}
    most = asked.get("max_tokens") or asked.get("max_completion_tokens")
    many = asked.get("n") or 1
    worst = max(float(most), tokens) if most else 4.0 * tokens
    return Range(0.3 * many * tokens, many * tokens, many * worst)


def _field_tokens(name: str, sample: Sequence[Mapping[str, Any]]) -> float:
    lengths = [len(str(row[name])) for row in sample if row.get(name) is not None]
    value = sum(lengths) / len(lengths) / _CHARS if lengths else _UNLABELLED_ANSWER
    return _MARKS + value


def by_model(takes: Iterable[tuple[str, Take]]) -> dict[str, Take]:
    """Takes of equal models added up."""
    total: dict[str, Take] = {}
    for model, take in takes:
        total[model] = total.get(model, Take()) + take
    return total
