"""Whether a model says the same in both its forms, and with a LoRA on it, merged into it, or quantised.

Run: make bench-convert, or python -m benchmarks.convert [--model smollm2-135m] [--prompts 50]

For each prompt the probabilities of the next token are asked of transformers (float32) and of llama.cpp,
and the logarithms of the 20 likeliest are compared. The LoRA has random factors, large enough to change what
the model says. Fails where a float32 file differs by more than `MOST`: as it is, with the LoRA put on, or
merged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import page
from benchmarks.framework.report import machine
from telic.finetune.export.adapter import adapter_to_gguf
from telic.finetune.export.from_gguf import transformers_folder
from telic.finetune.export.to_gguf import folder_to_gguf
from telic.lm.embedded.engine import EmbeddedEngine
from telic.lm.weights.folder import resolve
from telic.types import Request

MOST = 0.05
"""Largest difference of a log-probability between the forms, in float32 (llama.cpp keeps keys and values in
float16)."""
LIKELIEST = 20
MESSAGES = Path(__file__).parents[1] / "src" / "telic" / "cli" / "demo" / "messages.jsonl"


def prompts(count: int) -> list[str]:
    """Texts to go on from, of 10 to 60 tokens."""
    rows = [json.loads(line) for line in MESSAGES.read_text(encoding="utf-8").splitlines()]
    texts = [next(value for value in row.values() if isinstance(value, str) and " " in value) for row in rows]
    return [f"Message: {text}\nWhat the customer wants:" for text in texts[:count]]


def random_lora(base: Path, into: Path, rank: int = 8, seed: int = 0) -> Any:
    """A model with a LoRA of random factors, also written to `into`."""
    import peft
    import torch

    model = loaded(base)
    torch.manual_seed(seed)
    made = peft.get_peft_model(model, peft.LoraConfig(r=rank, lora_alpha=16, target_modules="all-linear"))
    for name, weight in made.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    made.save_pretrained(into)
    return made.eval()


def loaded(folder: Path) -> Any:
    """The transformers model of a folder, in float32."""
    import torch
    import transformers

    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def of_transformers(model: Any, folder: Path, texts: Sequence[str]) -> list[dict[int, float]]:
    """Log-probabilities of the next token by its number, for each text."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    found = []
    for text in texts:
        with torch.no_grad():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0, -1]
        found.append(dict(enumerate(torch.log_softmax(logits, -1).tolist())))
    return found


def of_llama(path: Path, texts: Sequence[str], adapter: Path | None = None) -> list[dict[int, float]]:
    """The same, of llama.cpp, for the likeliest tokens."""
    engine = EmbeddedEngine(str(path), adapter=adapter, n_ctx=512)
    params = {"max_tokens": 1, "logprobs": True, "top_logprobs": LIKELIEST}
    found = []
    for text in texts:
        choice = engine.complete(Request("local", prompt=text, params=params)).choices[0]
        (first,) = (choice.logprobs or {})["content"]
        found.append({one["id"]: one["logprob"] for one in first["top_logprobs"]})
    engine.close()
    return found


ODD = (
    "  two  spaces, a\ttab\n\n\nand three lines\r\n",
    "naïve café — “quotes” … 日本語 ☃ 🙂🙂",
    "x=1;y=[2,34,567,8901];f(x)!=y//2 # 3.14159e-10",
    '<b>bold</b> {"a": [1, 2]} https://example.org/?q=1&r=%20',
    "      indented\n        more\n\n",
)


def same_tokens(path: Path, base: Path, texts: Sequence[str]) -> int:
    """How many texts both forms cut into the same tokens."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    engine = EmbeddedEngine(str(path), n_ctx=512)
    same = 0
    with engine._loaded().adapted.using(None) as (native, _):
        for text in texts:
            asked = {"content": text, "add_special": True, "parse_special": True}
            ours, theirs = native.post("/tokenize", asked)["tokens"], tokenizer(text)["input_ids"]
            same += ours == theirs
            if ours != theirs:
                print(f"other tokens of {text!r}: llama.cpp {ours}, transformers {theirs}", file=sys.stderr)
    engine.close()
    return same


def compared(name: str, ours: list[dict[int, float]], reference: list[dict[int, float]]) -> dict[str, Any]:
    """How far `ours` is from `reference` over the likeliest tokens."""
    gaps = [abs(row[at] - other[at]) for row, other in zip(ours, reference, strict=True) for at in row]
    agree = [
        max(row, key=row.__getitem__) == max(other, key=other.__getitem__)
        for row, other in zip(ours, reference, strict=True)
    ]
    return {
        "what": name,
        "largest": max(gaps),
        "mean": sum(gaps) / len(gaps),
        "same_first": sum(agree),
        "prompts": len(agree),
    }


def measure(name: str, count: int, scratch: Path) -> list[dict[str, Any]]:
    """All comparisons for one model."""
    original = resolve(name)
    base, texts = transformers_folder(original), prompts(count)
    many = [*texts, *ODD]
    tokens = {"tokens_same": same_tokens(original, base, many), "tokens_of": len(many)}
    plain = of_transformers(loaded(base), base, texts)
    adapted = of_transformers(random_lora(base, scratch / "lora"), base, texts)
    adapter = adapter_to_gguf(scratch / "lora", base, scratch / "adapter.gguf")
    exact = folder_to_gguf(base, scratch / "base-F32.gguf", kind="F32", like=original)
    rows = [
        compared("base as it is (quantised)", of_llama(original, texts), plain),
        compared("base written as F32", of_llama(exact, texts), plain),
        compared("the LoRA's effect, in transformers", plain, adapted),
        compared("LoRA on the base as it is (quantised)", of_llama(original, texts, adapter), adapted),
        compared("LoRA on the base in F32", of_llama(exact, texts, adapter), adapted),
    ]
    for kind in ("F32", "F16", "Q8_0", "Q4_1"):
        target = scratch / f"merged-{kind}.gguf"
        folder_to_gguf(base, target, kind=kind, adapter=scratch / "lora", like=original)
        rows.append(compared(f"LoRA merged, {kind}", of_llama(target, texts), adapted))
        target.unlink()
    return [{"model": name, **row, **tokens} for row in rows]


def shown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table."""
    head = ("model", "llama.cpp against transformers", "largest gap", "mean gap", "same first token")
    lines = [
        (
            row["model"],
            row["what"],
            f"{row['largest']:.3f}",
            f"{row['mean']:.4f}",
            f"{row['same_first']} of {row['prompts']}",
        )
        for row in rows
    ]
    return page.table(head, lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and tell whether the forms agree."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convert", description=__doc__)
    parser.add_argument("--model", action="append", help="by default both small models")
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--no-record", action="store_true")
    given = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    rows: list[dict[str, Any]] = []
    for name in given.model or ("smollm2-135m", "gemma-3-270m"):
        with tempfile.TemporaryDirectory() as scratch:
            rows += measure(name, given.prompts, Path(scratch))
    print(shown(rows))
    if not given.no_record:
        page.record("convert", {"date": page.today(), "machine": machine(load), "most": MOST, "rows": rows})
    for name in dict.fromkeys(row["model"] for row in rows):
        one = next(row for row in rows if row["model"] == name)
        print(f"{name}: {one['tokens_same']} of {one['tokens_of']} texts are cut into the same tokens")
    wrong = [row for row in rows if row["what"].endswith("F32") and row["largest"] > MOST]
    for row in wrong:
        print(
            f"{row['model']}: {row['what']} differs by {row['largest']:.3f}, more than {MOST}",
            file=sys.stderr,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
