"""Callbacks are told in order, with ids that make a tree, and never break the program."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from telic.runtime.events import (
    ACTIVE_CALL_ID,
    BaseCallback,
    active_callbacks,
    notify,
    notify_around,
    notifying,
)
from telic.runtime.settings import context
from telic.runtime.steps import Do, Steps, adrive, drive


class Listener(BaseCallback):
    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        self.told.append(("module start", call_id, ACTIVE_CALL_ID.get(), inputs))

    def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        self.told.append(("module end", call_id, outputs, exception))

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        self.told.append(("lm start", call_id, ACTIVE_CALL_ID.get(), inputs))

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        self.told.append(("lm end", call_id, outputs, exception))


def test_those_of_the_settings_come_before_the_own() -> None:
    assert active_callbacks() == ()
    assert active_callbacks([]) == ()
    with context(callbacks=["general"]):
        assert active_callbacks(["own"]) == ("general", "own")
        assert active_callbacks() == ("general",)
    assert active_callbacks(["own"]) == ("own",)


def test_ids_make_a_tree() -> None:
    listener = Listener()
    with notify_around([listener], "module", object(), {"q": 1}) as done:
        with notify_around([listener], "lm", object(), {}) as inner_done:
            inner_done("text")
        done("prediction")
    assert [entry[0] for entry in listener.told] == ["module start", "lm start", "lm end", "module end"]
    module, lm = listener.told[0][1], listener.told[1][1]
    assert module != lm
    assert (listener.told[0][2], listener.told[1][2]) == (None, module)
    assert listener.told[2] == ("lm end", lm, "text", None)
    assert listener.told[3] == ("module end", module, "prediction", None)
    assert ACTIVE_CALL_ID.get() is None


def test_an_error_is_told_and_raised() -> None:
    listener = Listener()
    with pytest.raises(LookupError), notify_around([listener], "lm", object(), {}):
        raise LookupError("gone")
    assert isinstance(listener.told[1][3], LookupError)
    assert listener.told[1][2] is None
    assert ACTIVE_CALL_ID.get() is None


def steps() -> Steps[int]:
    async def later() -> int:
        return 2

    return 2 * (yield Do(lambda: 2, later))


@pytest.mark.parametrize("driver", ["sync", "async"])
async def test_a_pipeline_is_told_of_too(driver: str) -> None:
    listener = Listener()
    pipeline = notifying([listener], "lm", object(), {"a": 1}, steps(), shown=lambda result: f"<{result}>")
    assert (drive(pipeline) if driver == "sync" else await adrive(pipeline)) == 4
    assert listener.told[0][3] == {"a": 1}
    assert listener.told[1][2] == "<4>"
    assert ACTIVE_CALL_ID.get() is None


def test_a_callback_that_raises_is_logged_and_the_others_are_told(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(BaseCallback):
        def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
            raise ValueError("my own fault")

    listener = Listener()
    with (
        caplog.at_level(logging.WARNING, "telic"),
        notify_around([Broken(), listener], "lm", object(), {}) as done,
    ):
        done("fine")
    assert listener.told[-1][2] == "fine"
    assert "my own fault" in caplog.text


def test_an_object_with_some_of_the_methods_will_do() -> None:
    class Partial:
        ended = 0

        def on_lm_end(self, **facts: Any) -> None:
            self.ended += 1

    partial = Partial()
    notify([partial], "lm_start", call_id="1", instance=None, inputs={})
    notify([partial], "lm_end", call_id="1", outputs=None, exception=None)
    assert partial.ended == 1


@pytest.mark.parametrize(
    "kind", ["module", "lm", "adapter_format", "adapter_parse", "tool", "evaluate", "compile"]
)
def test_the_base_class_accepts_everything(kind: str) -> None:
    with notify_around([BaseCallback()], kind, object(), {}) as done:
        done(None)
