"""New texts: from a model that reflects, or from a proposer of the user's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic.evaluate.metric import metric_name
from telic.lm.base import BaseLM
from telic.optimize.fingerprint import code_fingerprint
from telic.optimize.gepa.reflection import Record, proposed_text, purposes, reflect
from telic.optimize.problem import Problem
from telic.optimize.strategy import Ask, Asking


class Rewriter:
    """Has texts rewritten.

    Args:
        problem: what is compiled.
        lm: the model that reflects; `settings.lm` where there is none.
        proposer: called with `candidate`, `reflective_dataset` and `components_to_update`; gives new texts by
            component name. It is run with `lm` as the model.

    Attributes:
        notes: what went wrong, a sentence each.
    """

    def __init__(self, problem: Problem, lm: BaseLM | None, proposer: Callable[..., Any] | None) -> None:
        self.notes: list[str] = []
        self._purposes = purposes(problem.student)
        self._lm = lm
        self._proposer = proposer
        self._asked: Counter[str] = Counter()

    def rewritten(
        self, candidate: Mapping[str, str], shown: Mapping[str, Sequence[Record]]
    ) -> Asking[dict[str, str]]:
        """New texts for the components there are runs of; those that did not change are left out."""
        if not shown:
            return {}
        if self._proposer is None:
            texts = yield from self._by_reflection(candidate, shown)
        else:
            texts = yield from self._by_proposer(candidate, shown, self._proposer)
        return {name: text for name, text in texts.items() if text.strip() != candidate[name].strip()}

    def _by_reflection(
        self, candidate: Mapping[str, str], shown: Mapping[str, Sequence[Record]]
    ) -> Asking[dict[str, str]]:
        replies = yield [self._reflection(name, candidate[name], runs) for name, runs in shown.items()]
        texts: dict[str, str] = {}
        for name, reply in zip(shown, replies, strict=True):
            text = proposed_text(reply.value)
            if text is None:
                why = (reply.failure or "it was empty").splitlines()[0]
                self.notes.append(f"A reflection on {name} gave no text: {why}")
            else:
                texts[name] = text
        return texts

    def _reflection(self, name: str, text: str, runs: Sequence[Record]) -> Ask:
        return self._anew(lambda rollout: reflect(name, text, self._purposes[name], runs, self._lm, rollout))

    def _by_proposer(
        self,
        candidate: Mapping[str, str],
        shown: Mapping[str, Sequence[Record]],
        proposer: Callable[..., Any],
    ) -> Asking[dict[str, str]]:
        inputs = {
            "candidate": dict(candidate),
            "reflective_dataset": {name: list(runs) for name, runs in shown.items()},
            "components_to_update": list(shown),
        }
        ask = self._anew(
            lambda rollout: Ask(
                proposer,
                inputs,
                lm=self._lm,
                rollout=rollout,
                name=f"{metric_name(proposer)} {code_fingerprint(proposer)}",
                like={name: f"{candidate[name]} Mind the feedback." for name in shown},
                why=f"propose {', '.join(shown)}",
            )
        )
        (reply,) = yield [ask]
        if not isinstance(reply.value, Mapping):
            why = (reply.failure or f"it gave {reply.value!r}").splitlines()[0]
            self.notes.append(f"The instruction proposer gave no texts by component: {why}")
            return {}
        return {n: t for n, t in reply.value.items() if n in candidate and isinstance(t, str) and t.strip()}

    def _anew(self, make: Callable[[int], Ask]) -> Ask:
        """The ask, or another sample of it where the very same was asked before."""
        key = make(0).key
        self._asked[key] += 1
        return make(self._asked[key] - 1)
