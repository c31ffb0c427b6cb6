"""Labelled examples as demonstrations: which ones, and in what mix."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from telic.signatures.validation import to_jsonable

_MAX_CLASSES = 50


def labelled_demo(example: Any) -> dict[str, Any]:
    """An example as a demo, in JSON."""
    return {key: to_jsonable(value) for key, value in example.toDict().items()}


def sample_examples(
    examples: Sequence[Any],
    count: int,
    random_: random.Random,
    label: Callable[[Any], Any] | None,
    shown: Iterable[Any] = (),
) -> list[int]:
    """Draw `count` positions at random; where there is a label, so that every class is shown equally often.

    Small models copy the labels they are shown: a sample without a class makes that class unreachable for
    them, and one class too many draws the answers to it. A balanced draw is still a random one.

    Args:
        examples: to draw from.
        count: how many; all of them where there are fewer.
        random_: where chance comes from.
        label: gives an example's class, or `None` for a plain draw.
        shown: examples that are shown besides, and count towards the balance.

    Returns:
        Positions, in random order.
    """
    order = list(range(len(examples)))
    random_.shuffle(order)
    if label is None:
        return order[:count]
    classes: dict[Any, list[int]] = {}
    for index in order:
        classes.setdefault(label(examples[index]), []).append(index)
    times = Counter(label(example) for example in shown)
    groups = list(classes.items())
    chosen: list[int] = []
    level = 0
    while len(chosen) < min(count, len(order)):
        # A round raises every class to the same level; in the last, shorter one chance decides which come.
        level += 1
        random_.shuffle(groups)
        for name, rows in groups:
            if rows and times[name] < level:
                chosen.append(rows.pop())
                times[name] += 1
    chosen = chosen[:count]
    random_.shuffle(chosen)
    return chosen


def class_label(examples: Sequence[Any], output_fields: Mapping[str, Any]) -> Callable[[Any], Any] | None:
    """The function that gives an example's class, where the task is a classification.

    It is one when an output field is a `Literal`, an enum or a bool, or when it is text with so few distinct
    values that most recur.
    """
    for name, field in output_fields.items():
        values = [example.get(name) for example in examples]
        if any(isinstance(v, (list, dict, set)) for v in values) or all(v is None for v in values):
            continue
        distinct = {repr(to_jsonable(v)) for v in values}
        closed = _closed(field.annotation)
        recurring = len(distinct) <= min(_MAX_CLASSES, len(values) // 3)
        if 1 < len(distinct) <= _MAX_CLASSES and (closed or recurring):
            return lambda example, name=name: repr(to_jsonable(example.get(name)))  # type: ignore[misc]
    return None


def _closed(annotation: Any) -> bool:
    import enum
    from typing import Literal, get_origin

    return (
        annotation is bool
        or get_origin(annotation) is Literal
        or (isinstance(annotation, type) and issubclass(annotation, enum.Enum))
    )
