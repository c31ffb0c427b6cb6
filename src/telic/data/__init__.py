"""Examples, predictions and how a data set is divided."""

from typing import TYPE_CHECKING

from telic._lazy import exports

if TYPE_CHECKING:
    from telic.data.completions import Completions
    from telic.data.example import Example
    from telic.data.prediction import Prediction
    from telic.data.splits import split

__getattr__, __dir__ = exports(
    __name__,
    {
        "Completions": "telic.data.completions",
        "Example": "telic.data.example",
        "Prediction": "telic.data.prediction",
        "split": "telic.data.splits",
    },
)

__all__ = ["Completions", "Example", "Prediction", "split"]
