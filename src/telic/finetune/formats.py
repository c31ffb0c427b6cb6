"""DSPy's names of training formats."""

from __future__ import annotations

from enum import StrEnum


class TrainDataFormat(StrEnum):
    """What rows are, as `LM.finetune` is told."""

    CHAT = "chat"
    COMPLETION = "completion"
    GRPO_CHAT = "grpo_chat"
