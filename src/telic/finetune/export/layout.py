"""Where the numbers of a tensor lie in each form: rows in another order, norms with or without their one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from telic.finetune.export.families import Family

if TYPE_CHECKING:
    import numpy

    Array: TypeAlias = numpy.ndarray[Any, Any]
else:
    Array: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Layout:
    """Moves tensors of one model between the forms.

    Attributes:
        family: of the model.
        heads: attention heads of the queries.
        key_heads: attention heads of the keys.
    """

    family: Family
    heads: int
    key_heads: int

    def to_transformers(self, name: str, tensor: Array) -> Array:
        """A tensor as GGUF has it under `name`, to what transformers has."""
        if self.family.is_rotated(name):
            return _interleaved_to_halves(tensor, self._heads_of(name))
        return tensor - self.family.norm_offset if self._shifted(name) else tensor

    def to_gguf(self, name: str, tensor: Array) -> Array:
        """The inverse; also right for the second factor of a LoRA, whose rows are those of the weight.

        Args:
            name: the GGUF name of the weight.
            tensor: as transformers has it, shape (rows, …).
        """
        if self.family.is_rotated(name):
            return _halves_to_interleaved(tensor, self._heads_of(name))
        return tensor + self.family.norm_offset if self._shifted(name) else tensor

    def _shifted(self, name: str) -> bool:
        return bool(self.family.norm_offset) and self.family.is_norm(name)

    def _heads_of(self, name: str) -> int:
        return self.heads if ".attn_q." in name else self.key_heads


def _halves_to_interleaved(tensor: Array, heads: int) -> Array:
    """Transformers rotates row i of a head with row i + half of it; llama.cpp rotates neighbours."""
    width = tensor.shape[0] // heads
    split = tensor.reshape(heads, 2, width // 2, *tensor.shape[1:])
    return split.swapaxes(1, 2).reshape(tensor.shape)


def _interleaved_to_halves(tensor: Array, heads: int) -> Array:
    width = tensor.shape[0] // heads
    split = tensor.reshape(heads, width // 2, 2, *tensor.shape[1:])
    return split.swapaxes(1, 2).reshape(tensor.shape)
