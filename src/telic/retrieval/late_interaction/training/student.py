"""A late-interaction encoder with gradients: reads what `Encoder` reads, computes what it computes.

This module needs PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from telic.errors import InputError
from telic.retrieval.late_interaction.encoder.encoder import Encoder
from telic.retrieval.late_interaction.encoder.tokens import Piece, Tokens
from telic.retrieval.late_interaction.training.batches import Batch
from telic.retrieval.late_interaction.training.body import BertShape, hidden_rows, layer_of, torch, weights_of
from telic.retrieval.late_interaction.training.losses import contrastive, distillation, hinge, maxsim_scores
from telic.retrieval.late_interaction.training.settings import RetrievalSettings

Tensor = Any
LINEAR = "linear"
_ROWS_AT_ONCE = 8192
"""Tokens, padding included, that are encoded together where no gradient is needed."""


class Student:
    """The weights of an encoder as tensors, and its vectors as functions of them.

    Args:
        encoder: where it begins; it is not changed.
        settings: of the training.
        device: where it is computed.

    Attributes:
        weights: by name; `linear.weight` and `linear.bias` are the projection, where there is one.
        shape: of the model.

    Raises:
        ModelWeightsError: the encoder is of no kind that is trained here.
        InputError: a projection of another length is there already.
    """

    def __init__(self, encoder: Encoder, settings: RetrievalSettings, device: str = "cpu") -> None:
        files = encoder.files
        self.shape = BertShape.from_config(files.checkpoint.config, files.checkpoint.folder)
        self.weights = weights_of(files.checkpoint)
        if files.projection is not None:
            self.weights[f"{LINEAR}.weight"] = torch.tensor(files.projection.weight)
            self.weights[f"{LINEAR}.bias"] = torch.tensor(files.projection.bias)
        self._project(settings)
        self.weights = {name: weight.to(device) for name, weight in self.weights.items()}
        self.device = device
        length = settings.passage_length or encoder.settings.passage_length
        reading = encoder.settings.but(
            overlap=None, passage_length=min(length, encoder.settings.passage_length)
        )
        self._settings = settings
        self._tokens = Tokens(files.tokenizer, reading, files.mask, encoder.name)

    @property
    def dim(self) -> int:
        """Length of a row."""
        name = f"{LINEAR}.weight"
        return int(self.weights[name].shape[0]) if name in self.weights else self.shape.hidden

    def learnt(self) -> list[str]:
        """Names of the weights that change: those of the top layers, and of the projection.

        A projection's bias stays as it is where it is zero: ColBERT's own code has none.
        """
        top = self._settings.top_layers
        lowest = -1 if top is None else self.shape.layers - top
        return [
            name
            for name in sorted(self.weights)
            if layer_of(name, self.shape) >= lowest and not (name == f"{LINEAR}.bias" and self._unbiased)
        ]

    def loss(self, batch: Batch, dropout: float) -> Tensor:
        """What is made small, of one pass."""
        settings = self._settings
        queries = self._rows(list(self._tokens.queries(batch.queries)), dropout)
        passages = self._rows([one[0] for one in self._tokens.passages(batch.passages)], dropout)
        with torch.autocast(self.device.partition(":")[0], enabled=False):
            scores = maxsim_scores(*queries, *passages)
            return self._loss_of(scores, batch, settings)

    def _loss_of(self, scores: Tensor, batch: Batch, settings: RetrievalSettings) -> Tensor:
        positive = torch.tensor(batch.positive, device=self.device)
        left_out = _mask(scores, batch.left_out)
        total = torch.zeros((), device=self.device)
        if not settings.only_distil:
            if settings.loss == "margin":
                total = hinge(scores, positive, left_out, margin=settings.margin)
            else:
                total = contrastive(
                    scores, positive, left_out, margin=settings.margin, temperature=settings.temperature
                )
        if settings.distil:
            teacher = torch.zeros_like(scores)
            for row, known in enumerate(batch.teacher):
                for column, score in known.items():
                    teacher[row, column] = score
            judged = _mask(scores, [known.keys() for known in batch.teacher])
            total = total + settings.distil * distillation(
                scores, teacher, judged, temperature=settings.temperature
            )
        return total

    def encode_queries(self, texts: Sequence[str]) -> list[Tensor]:
        """Unit rows of each query, without gradient."""
        return self._encoded(list(self._tokens.queries(texts)))

    def encode_passages(self, texts: Sequence[str]) -> list[Tensor]:
        """Unit rows of each passage, without gradient; of a long one, of its first piece."""
        return self._encoded([one[0] for one in self._tokens.passages(texts)])

    def _encoded(self, pieces: list[Piece]) -> list[Tensor]:
        found: list[Tensor] = [None] * len(pieces)
        with torch.no_grad():
            for places in _alike(pieces):
                rows, counted = self._rows([pieces[place] for place in places], 0.0)
                for row, place in enumerate(places):
                    found[place] = rows[row][counted[row]]
        return found

    def _rows(self, pieces: list[Piece], dropout: float) -> tuple[Tensor, Tensor]:
        """Unit rows `(texts, tokens, dim)`, and which of them count."""
        longest = max(len(piece.ids) for piece in pieces)
        ids = torch.zeros(len(pieces), longest, dtype=torch.long)
        seen = torch.zeros(len(pieces), longest, dtype=torch.bool)
        kept = torch.zeros(len(pieces), longest, dtype=torch.bool)
        for row, piece in enumerate(pieces):
            ids[row, : len(piece.ids)] = torch.from_numpy(piece.ids.astype("int64"))
            seen[row, : piece.seen] = True
            kept[row, torch.from_numpy(piece.kept.astype("int64"))] = True
        ids, seen, kept = ids.to(self.device), seen.to(self.device), kept.to(self.device)
        rows = hidden_rows(self.weights, self.shape, ids, seen, dropout=dropout)
        if f"{LINEAR}.weight" in self.weights:
            rows = torch.nn.functional.linear(
                rows, self.weights[f"{LINEAR}.weight"], self.weights[f"{LINEAR}.bias"]
            )
        # In float32 whatever the products were computed in: cosines close to 1 are what is told apart.
        return torch.nn.functional.normalize(rows.float(), dim=-1, eps=1e-12), kept

    def _project(self, settings: RetrievalSettings) -> None:
        name = f"{LINEAR}.weight"
        if settings.dim is not None and settings.dim != self.dim:
            if name in self.weights or settings.dim > self.shape.hidden:
                raise InputError(
                    f"dim={settings.dim}: the base has rows of {self.dim} numbers"
                    + (" by a projection of its own." if name in self.weights else "; fewer are possible.")
                )
            generator = torch.Generator().manual_seed(settings.seed)
            drawn = torch.randn(self.shape.hidden, settings.dim, generator=generator)
            # Rows at right angles to each other keep the angles of what is projected, up to chance.
            self.weights[name] = torch.linalg.qr(drawn).Q.T.contiguous()
            self.weights[f"{LINEAR}.bias"] = torch.zeros(settings.dim)
        bias = self.weights.get(f"{LINEAR}.bias")
        self._unbiased = bias is None or not bool(bias.any())


def _mask(scores: Tensor, columns: Sequence[Any]) -> Tensor:
    mask = torch.zeros_like(scores, dtype=torch.bool)
    for row, some in enumerate(columns):
        for column in some:
            mask[row, column] = True
    return mask


def _alike(pieces: list[Piece]) -> Iterator[list[int]]:
    """Places of pieces of like length, so many together as are encoded at once."""
    batch: list[int] = []
    for place in sorted(range(len(pieces)), key=lambda i: len(pieces[i].ids)):
        if batch and (len(batch) + 1) * len(pieces[place].ids) > _ROWS_AT_ONCE:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
