"""Examples, predictions and how a data set is divided."""

from telic.data.completions import Completions
from telic.data.example import Example
from telic.data.prediction import Prediction
from telic.data.splits import split

__all__ = ["Completions", "Example", "Prediction", "split"]
