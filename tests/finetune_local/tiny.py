"""Models of random numbers, small enough to be made, trained and served in a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from telic.finetune.data import TrainingExample, TrainingSet

TEXTS = [
    "the cat sat on the mat and the dog sat on the cat",
    "a parcel, 12 lamps and 345 chargers did not arrive in time",
    "Where is my order? It's late, isn't it?\n\nPlease reply soon.",
    "system user assistant answer: yes or no, red or blue",
]

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def tokenizer(folder: Path, *, template: str | None = TEMPLATE) -> int:
    """A byte-level tokenizer learnt from `TEXTS`, written into `folder`; returns the number of its tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=SPECIAL, initial_alphabet=alphabet)
    made.train_from_iterator(TEXTS, trainer)
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    about: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
    }
    about |= {"bos_token": SPECIAL[0], "eos_token": SPECIAL[2], "pad_token": SPECIAL[0]}
    if template is not None:
        about["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
    return made.get_vocab_size()


def llama(folder: Path, *, seed: int = 0, template: str | None = TEMPLATE, window: int = 256) -> Path:
    """A llama of two layers; output layer of its own."""
    import torch
    import transformers

    torch.manual_seed(seed)
    words = tokenizer(folder, template=template)
    config = transformers.LlamaConfig(
        vocab_size=words,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=window,
        rms_norm_eps=1e-5,
        rope_theta=10_000.0,
        initializer_range=0.2,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=0,
        tie_word_embeddings=False,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def gemma(folder: Path, *, seed: int = 0) -> Path:
    """A Gemma 3 of seven layers, of which the sixth sees everything and the others a window of 16."""
    import torch
    import transformers

    torch.manual_seed(seed)
    words = tokenizer(folder, template=None)
    config = transformers.Gemma3TextConfig(
        vocab_size=words,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=7,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        query_pre_attn_scalar=32,
        sliding_window=16,
        max_position_embeddings=256,
        initializer_range=0.2,
        rope_theta=1_000_000.0,
        rope_local_base_freq=10_000.0,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=0,
    )
    model = transformers.Gemma3ForCausalLM(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" in name:
                weight.normal_(0, 0.1)  # else the one that GGUF adds to it could go unnoticed
    model.save_pretrained(folder)
    return folder


def lora(base: Path, into: Path, *, seed: int = 1, std: float = 0.1) -> Path:
    """A LoRA of random factors for a model folder."""
    import peft
    import torch
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    torch.manual_seed(seed)
    made = peft.get_peft_model(model, peft.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear"))
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, std)
    made.save_pretrained(into)
    return into


def log_probabilities(base: Path, texts: list[str], adapter: Path | None = None) -> list[list[float]]:
    """Of the next token after each text, by number, from transformers in float32."""
    import torch
    import transformers

    model: Any = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if adapter is not None:
        import peft

        model = peft.PeftModel.from_pretrained(model, adapter)
    words = transformers.AutoTokenizer.from_pretrained(base)
    found = []
    for text in texts:
        with torch.no_grad():
            logits = model.eval()(**words(text, return_tensors="pt")).logits[0, -1]
        found.append(torch.log_softmax(logits.float(), -1).tolist())
    return found


THINGS = ("cat", "mat", "dog", "lamp", "order", "time", "parcel", "charger", "user", "system", "yes", "no")


def colours(count: int = 12) -> TrainingSet:
    """Chats that can be learnt by heart: a thing, and its colour."""
    rows = [
        TrainingExample(
            ({"role": "system", "content": "answer"}, {"role": "user", "content": f"the {thing}"}),
            "blue" if number % 3 else "red",
        )
        for number, thing in enumerate(THINGS[:count])
    ]
    return TrainingSet("chat", tuple(rows), {"what": "colours"})


def continued(count: int = 12) -> TrainingSet:
    """The same as texts to go on with."""
    rows = [
        TrainingExample.of_text(f"the {thing}:", " blue" if number % 3 else " red")
        for number, thing in enumerate(THINGS[:count])
    ]
    return TrainingSet("completion", tuple(rows))
