"""Demos are written once and shown again, as long as they are what they were."""

from __future__ import annotations

from typing import Any

import pytest

import telic
from telic.adapters import ChatAdapter
from telic.signatures import ensure_signature

SIGNATURE = ensure_signature("question, sure: bool -> answer")


class Counting(ChatAdapter):
    """Counts how often a demo's answer is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0

    def format_assistant_message_content(self, *args: Any, **kwargs: Any) -> str:
        self.written += 1
        return super().format_assistant_message_content(*args, **kwargs)


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Counting:
    monkeypatch.setattr(Counting, "__module__", "telic.adapters.counting")
    return Counting()


def demos(**changes: Any) -> list[Any]:
    first = {"question": "one", "sure": True, "answer": "1", **changes}
    return [telic.Example(**first), {"question": "two", "sure": False, "answer": "2"}]


def test_equal_demos_are_written_once_and_copied(adapter: Counting) -> None:
    first = adapter.format_demos(SIGNATURE, demos())
    assert adapter.written == 2
    first[0]["content"] = "changed"
    again = adapter.format_demos(SIGNATURE, demos())
    assert adapter.written == 2
    assert again == ChatAdapter().format_demos(SIGNATURE, demos())


@pytest.mark.parametrize(
    "changed", [{"answer": "3"}, {"sure": 1}, {"answer": None}, {"more": "field"}, {"answer": ["a", "list"]}]
)
def test_any_difference_is_seen(adapter: Counting, changed: dict[str, Any]) -> None:
    adapter.format_demos(SIGNATURE, demos())
    found = adapter.format_demos(SIGNATURE, demos(**changed))
    assert adapter.written > 2
    assert found == ChatAdapter().format_demos(SIGNATURE, demos(**changed))


def test_a_demo_changed_in_place_is_written_anew(adapter: Counting) -> None:
    kept = demos()
    adapter.format_demos(SIGNATURE, kept)
    kept[0].answer = "other"
    assert "other" in adapter.format_demos(SIGNATURE, kept)[1]["content"]
    nested = demos(answer=["a"])
    adapter.format_demos(SIGNATURE, nested)
    nested[0].answer.append("b")
    assert "«b»" in adapter.format_demos(SIGNATURE, nested)[1]["content"]


def test_a_users_adapter_is_asked_each_time() -> None:
    adapter = Counting()
    adapter.format_demos(SIGNATURE, demos())
    adapter.format_demos(SIGNATURE, demos())
    assert adapter.written == 4
