"""`Baleen`: condensed retrieval over several hops, and a reader of what it kept."""

from __future__ import annotations

from typing import Any, Literal

from telic.data.prediction import Prediction
from telic.errors import InputError
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.systems.baleen.condensing import Condenser, LateInteractionCondenser
from telic.systems.baleen.flipr import FLIPR
from telic.systems.baleen.fused import FusedHops, HopSearch
from telic.systems.baleen.hops import CondensedRetrieval
from telic.systems.baleen.reading import AnswerFromFacts, VerifyFromFacts


class Baleen(SteppedModule):
    """Robust multi-hop reasoning by condensed retrieval (Khattab, Potts and Zaharia 2021, arXiv:2101.00436).

    Facts are gathered over hops, and a reader answers from them, or says whether they support a claim. The
    reader and a condenser that is a program are compiled like any telic program.

    The prediction has what the reader gives (`answer`, or `label`), and `facts`, `context`, `passages` and
    `hops` of `CondensedRetrieval`.

    Args:
        search: finds the passages of a hop: `FusedHops`, `FLIPR`, or a `LateInteraction` index, over which
            FLIPR is then made.
        condenser: keeps facts; by default late interaction over the index.
        reader: any program with the inputs `context` (a list of texts) and `question`, or `claim`; `None` for
            retrieval alone. By default a predictor.
        task: `"answer"` questions, or `"verify"` claims.
        max_hops: how many hops at most.
        k: how many passages each hop looks at.
        **options: further options of `CondensedRetrieval`.

    Raises:
        InputError: the task is neither, or there is no index to make a condenser with.
    """

    def __init__(
        self,
        search: Any,
        condenser: Condenser | None = None,
        reader: Any = "default",
        *,
        task: Literal["answer", "verify"] = "answer",
        max_hops: int = 2,
        k: int = 10,
        **options: Any,
    ) -> None:
        if task not in ("answer", "verify"):
            raise InputError(f"Baleen: task must be 'answer' or 'verify', not {task!r}.")
        hops = search if hasattr(search, "find") else FLIPR(search)
        condenser = condenser or LateInteractionCondenser(_index(hops))
        self.retrieve = CondensedRetrieval(hops, condenser, max_hops=max_hops, k=k, **options)
        self.asked = "claim" if task == "verify" else "question"
        signature = VerifyFromFacts if task == "verify" else AnswerFromFacts
        self.reader = Predict(signature) if reader == "default" else reader

    def steps(self, question: str | None = None, claim: str | None = None) -> Steps[Any]:
        """Gather facts and read them.

        Args:
            question: what is asked.
            claim: what is to be verified.

        Raises:
            InputError: it is not the one that the task needs.
        """
        text = {"question": question, "claim": claim}[self.asked]
        if text is None:
            raise InputError(f"Baleen: this program needs a {self.asked}: program({self.asked}=…).")
        found = yield Call(self.retrieve, question=text)
        if self.reader is None:
            return found
        read = yield Call(self.reader, context=found.context, **{self.asked: text})
        return Prediction({**dict(found.items()), **dict(read.items())})


def _index(search: HopSearch) -> Any:
    flipr = search.flipr if isinstance(search, FusedHops) else search
    if not isinstance(flipr, FLIPR):
        raise InputError("Baleen: give a condenser; there is no index here to make one with.")
    return flipr.index
