"""DSPy's data sets by name, from telic's."""

from __future__ import annotations

import random
from typing import Any

from telic.compat.dspy.dataloader import DataLoader
from telic.compat.dspy.datasets import Dataset
from telic.data.example import Example
from telic.datasets.loading import load
from telic.errors import DataError

# The colour names of CSS, as words.
_COLOURS = """
alice blue, antique white, aqua, aquamarine, azure, beige, bisque, black, blanched almond, blue, blue
violet, brown, burlywood, cadet blue, chartreuse, chocolate, coral, cornflower blue, cornsilk, crimson,
cyan, dark blue, dark cyan, dark goldenrod, dark gray, dark green, dark khaki, dark magenta, dark olive
green, dark orange, dark orchid, dark red, dark salmon, dark sea green, dark slate blue, dark slate gray,
dark turquoise, dark violet, deep pink, deep sky blue, dim gray, dodger blue, firebrick, floral white,
forest green, fuchsia, gainsboro, ghost white, gold, goldenrod, gray, green, green yellow, honeydew, hot
pink, indian red, indigo, ivory, khaki, lavender, lavender blush, lawn green, lemon chiffon, light blue,
light coral, light cyan, light goldenrod yellow, light gray, light green, light pink, light salmon, light
sea green, light sky blue, light slate gray, light steel blue, light yellow, lime, lime green, linen,
magenta, maroon, medium aquamarine, medium blue, medium orchid, medium purple, medium sea green, medium
slate blue, medium spring green, medium turquoise, medium violet red, midnight blue, mint cream, misty rose,
moccasin, navajo white, navy, old lace, olive, olive drab, orange, orange red, orchid, pale goldenrod, pale
green, pale turquoise, pale violet red, papaya whip, peach puff, peru, pink, plum, powder blue, purple, red,
rosy brown, royal blue, saddle brown, salmon, sandy brown, sea green, sea shell, sienna, silver, sky blue,
slate blue, slate gray, snow, spring green, steel blue, tan, teal, thistle, tomato, turquoise, violet,
wheat, white, white smoke, yellow, yellow green
"""


class Colors(Dataset):
    """Names of colours: the smallest data set there is.

    Args:
        sort_by_suffix: keep colours of one kind together, so that the splits differ in kind.
        *args: of `Dataset`.
        **kwargs: of `Dataset`.
    """

    def __init__(self, sort_by_suffix: bool = True, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sort_by_suffix = sort_by_suffix
        colors = self.sorted_by_suffix([name.strip() for name in _COLOURS.split(",")])
        border = int(len(colors) * 0.6)
        self._train = [{"color": color} for color in colors[:border]]
        self._dev = [{"color": color} for color in colors[border:]]
        self._test: list[dict[str, str]] = []
        random.Random(0).shuffle(self._train)
        random.Random(0).shuffle(self._dev)

    def sorted_by_suffix(self, colors: list[Any]) -> list[Any]:
        """The colours by their names read backwards, if that was asked for."""
        if not self.sort_by_suffix:
            return colors
        return sorted(colors, key=lambda c: str(c if isinstance(c, str) else c["color"])[::-1])


class HotPotQA(Dataset):
    """Questions that take two passages, with their answers (Yang et al., 2018, arXiv:1809.09600).

    Args:
        only_hard_examples: accepted for compatibility; only hard ones are there.
        keep_details: keep, besides question and answer, the titles of the passages (`"dev_titles"`), or
            everything (`True`), or nothing (`False`).
        unofficial_dev: accepted for compatibility.
        *args: of `Dataset`.
        **kwargs: of `Dataset`.
    """

    def __init__(
        self,
        *args: Any,
        only_hard_examples: bool = True,
        keep_details: bool | str = "dev_titles",
        unofficial_dev: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if not only_hard_examples:
            raise DataError("HotPotQA: only_hard_examples=False is not to be had; only hard ones are there.")
        wanted = ["question", "answer"]
        if keep_details:
            wanted += ["gold_titles", "type", "context_titles"] if keep_details is True else ["gold_titles"]
        for split in ("train", "dev", "test"):
            rows = load("hotpotqa", split)
            kept = [{k: v for k, v in row.items() if k in wanted} for row in rows]
            setattr(self, f"_{split}", kept)


class GSM8K:
    """Word problems with whole numbers for answers (Cobbe et al., 2021, arXiv:2110.14168): `train`, `dev`,
    `test`.
    """

    def __init__(self) -> None:
        self.do_shuffle = False
        self.train = load("gsm8k", "train")
        self.dev = load("gsm8k", "dev")
        self.test = load("gsm8k", "test")


class MATH:
    """Competition mathematics (Hendrycks et al., 2021, arXiv:2103.03874), from the hub: `train`, `dev` and
    `test`.

    Args:
        subset: the field, such as `"algebra"`.
    """

    def __init__(self, subset: str) -> None:
        self.subset = subset
        splits: Any = DataLoader().from_huggingface("DigitalLearningGmbH/MATH-lighteval", subset)
        rows = [
            Example(question=row.problem, reasoning=row.solution, answer=extract_answer(row.solution))
            for split in ("train", "test")
            for row in splits[split]
        ]
        usable = [row.with_inputs("question") for row in rows if row.answer is not None]
        random.Random(0).shuffle(usable)
        third = len(usable) // 3
        self.train = usable[:third]
        self.dev = usable[third : 2 * third]
        self.test = usable[2 * third :]

    def metric(self, example: Any, pred: Any, trace: Any = None) -> bool:
        """Whether the answers are the same, written alike."""
        return _plain_math(example.answer) == _plain_math(pred.answer)


def extract_answer(solution: str) -> str | None:
    """What the last `\\boxed{…}` of a solution holds; `None` where there is none."""
    start = solution.rfind("\\boxed{")
    if start < 0:
        return None
    depth = 0
    for place in range(start + 6, len(solution)):
        depth += {"{": 1, "}": -1}.get(solution[place], 0)
        if depth == 0:
            return solution[start + 7 : place]
    return None


def _plain_math(answer: Any) -> str:
    return "".join(str(answer).replace("\\left", "").replace("\\right", "").split()).strip("$.")
