"""The hand-written messages are consistent, and nothing that is tested on was seen in training."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations

import pytest

from telic.cli.demo.data import INTENTS, RECORD, messages, word_problems
from telic.data.example import Example

SPLITS = messages()
ALL = [*SPLITS.train, *SPLITS.dev, *SPLITS.test]


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def test_every_split_has_every_intent_equally_often() -> None:
    for part, each in ((SPLITS.train, 8), (SPLITS.dev, 6), (SPLITS.test, 11)):
        assert Counter(row.intent for row in part) == dict.fromkeys(INTENTS, each)


def test_every_extracted_value_stands_in_its_message_once() -> None:
    for row in ALL:
        values = [row[name] for name in RECORD if row[name]]
        assert len(set(values)) == len(values), row
        for value in values:
            assert value == value.strip()
            assert row.message.count(value) == 1, (value, row.message)


@pytest.mark.parametrize(
    ("field", "pattern"),
    [
        ("contact", r"[\w.]+@[\w.]+\w|\+?\d[\d -]{6,}\d"),
        ("amount", r"[£€$][\d.,]*\d"),
        ("date", r"(?i)\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:yester|to)day\b"),
        ("date", r"\btomorrow\b|\btonight\b|\b\d+ [A-Z][a-z]+ber\b|\b\d+ (?:Ma|Ju|A)[a-z]+\b"),
    ],
)
def test_what_looks_like_a_value_is_extracted(field: str, pattern: str) -> None:
    for row in ALL:
        for found in re.findall(pattern, row.message):
            others = [row[name] for name in RECORD if row[name]]
            assert any(found in value for value in others), (field, found, row.message)


def test_each_field_is_given_in_some_messages_and_absent_in_others() -> None:
    for part in (SPLITS.train, SPLITS.dev, SPLITS.test):
        for name in RECORD:
            given = sum(bool(row[name]) for row in part)
            assert 6 <= given < len(part) - 10, name


def test_no_two_messages_are_alike() -> None:
    texts = [row.message for row in ALL]
    assert len(texts) == 200
    for one, other in combinations(texts, 2):
        a, b = words(one), words(other)
        assert len(a & b) / len(a | b) < 0.4, (one, other)


def test_messages_are_varied() -> None:
    lengths = [len(row.message) for row in ALL]
    assert min(lengths) < 30
    assert max(lengths) > 130
    products = [row["product"] for row in ALL if row["product"]]
    assert len(set(products)) == len(products) > 140


def test_only_message_is_an_input() -> None:
    assert all(row.inputs().keys() == ["message"] for row in ALL)


def test_no_word_problem_is_in_two_splits_and_every_kind_is_taught() -> None:
    parts = word_problems(60, 48, 60)
    texts = [row.question for part in (parts.train, parts.dev, parts.test) for row in part]
    assert len(set(texts)) == len(texts) == 168
    train, dev, test = (_kinds(part) for part in (parts.train, parts.dev, parts.test))
    assert len(train) >= 10
    assert dev | test <= train


def _kinds(problems: list[Example]) -> set[str]:
    return {re.sub(r"\d+", "#", row.equation) for row in problems}
