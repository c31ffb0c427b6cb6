"""What a type checker knows of a module's answers: the outputs of a signature that is a class.

    class Sort(telic.Signature):
        message: str = telic.InputField()
        intent: Literal["refund", "other"] = telic.OutputField()

    sort = telic.Predict(Sort)             # Predict[Sort]
    sort(message="…").intent               # Literal["refund", "other"]
    sort(message="…").indent               # an error: "Sort" has no attribute "indent"

At run time nothing is different: what comes back is a `Prediction`. Signatures written as a string, made or
edited at run time leave the answer untyped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from telic.signatures import Signature

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Answer = TypeVar("Answer", bound=Signature, default=Any)
else:
    from typing import TypeVar

    Answer = TypeVar("Answer")


class Answering(Generic[Answer]):
    """A module that answers a signature; goes before the class that says how it is called."""

    if TYPE_CHECKING:

        def __call__(self, *args: Any, **kwargs: Any) -> Answer:
            """Answer, blocking."""
            ...

        async def acall(self, *args: Any, **kwargs: Any) -> Answer:
            """Answer on the running loop."""
            ...
