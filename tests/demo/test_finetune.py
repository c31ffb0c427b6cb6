"""The finetuning demo on a scripted model: three programs measured, the trained one saved with its model."""

from __future__ import annotations

import json

from telic.cli.demo.data import INTENTS, Splits, messages
from telic.cli.demo.finetune import MAX_TOKENS, play
from telic.testing import ScriptedBackend
from tests.scripted import RecordedLM, chat


class Sorter(RecordedLM):
    """Knows what a message wants once it has seen demonstrations."""

    def __init__(self, known, **kwargs):
        super().__init__(lambda text: "", **kwargs)
        self.known = known

    def forward(self, prompt=None, messages=None, **kwargs):
        asked = str(messages[-1]["content"])
        shown = len(messages) > 2
        intent = next((intent for text, intent in self.known.items() if text in asked), INTENTS[0])
        self._reply = lambda _: chat(intent=intent if shown else INTENTS[0])
        return super().forward(prompt, messages, **kwargs)

    def dump_state(self):
        return {"class": "tests.demo.test_finetune.Sorter", "model": self.model}


def test_the_demo(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TELIC_HOME", str(tmp_path))
    rows = messages()
    few = Splits(rows.train[:24], rows.dev[:8], rows.train[:16])
    lm = Sorter({row.message: row.intent for row in (*rows.train, *rows.dev)})
    declared, taught, trained = play(
        lm, few, backend=ScriptedBackend(tmp_path / "jobs"), training={}, as_json=True
    )
    assert declared.result.score < taught.result.score == trained.result.score == 100
    assert trained.prompt_tokens < taught.prompt_tokens / 3
    assert trained.program.demos == []
    told = json.loads(capsys.readouterr().out)
    assert [row["demos"] for row in told["programs"]][::2] == [0, 0]
    assert told["comparison"]
    file = tmp_path / "demo" / "finetuned.json"
    assert told["file"] == str(file)
    assert [path.name for path in (tmp_path / "demo" / "finetuned.models").iterdir()]


def test_answers_are_short_enough_for_the_longest_intent():
    assert all(len(intent) // 3 < MAX_TOKENS for intent in INTENTS)
