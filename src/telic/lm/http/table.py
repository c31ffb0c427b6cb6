"""Providers and servers that speak OpenAI's protocol: where they are, which key they take, what they know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from telic.lm.http.dialect import (
    COMPATIBLE,
    COMPLETING,
    LLAMA_CPP,
    LOCAL,
    OPENAI,
    PLAIN,
    SINGLE,
    VLLM,
    Dialect,
)


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider, or one kind of server.

    Attributes:
        name: the part of the model's name before the slash.
        base: its usual base URL; `None` where every user has another.
        key_env: environment variables that may hold the key, best first.
        base_env: environment variables that may hold the base URL, best first.
        dialect: what it understands.
        key_header: header of the key; `Authorization` carries it as a bearer token.
    """

    name: str
    base: str | None = None
    key_env: tuple[str, ...] = ()
    base_env: tuple[str, ...] = ()
    dialect: Dialect = COMPATIBLE
    key_header: str = "Authorization"

    @property
    def needs_key(self) -> bool:
        """Nobody is served without a key (at the provider's own address)."""
        return bool(self.key_env) and self.dialect.priced


_GEMINI_HOME = "https://generativelanguage.googleapis.com/v1beta/openai"


def _named(name: str, base: str, dialect: Dialect, *names: str) -> Provider:
    """A provider whose environment variables are called `{name}_API_KEY` and `{name}_API_BASE`."""
    return Provider(
        name, base, tuple(f"{n}_API_KEY" for n in names), tuple(f"{n}_API_BASE" for n in names), dialect
    )


_ALL = (
    _named("vllm", "http://localhost:8000/v1", VLLM, "VLLM", "HOSTED_VLLM"),
    _named("hosted_vllm", "http://localhost:8000/v1", VLLM, "HOSTED_VLLM", "VLLM"),
    _named("sglang", "http://localhost:30000/v1", VLLM, "SGLANG"),
    _named("llama_cpp", "http://localhost:8080/v1", LLAMA_CPP, "LLAMA_CPP"),
    _named("llamacpp", "http://localhost:8080/v1", LLAMA_CPP, "LLAMA_CPP"),
    _named("ollama", "http://localhost:11434/v1", LOCAL, "OLLAMA"),
    _named("ollama_chat", "http://localhost:11434/v1", LOCAL, "OLLAMA"),
    _named("lm_studio", "http://localhost:1234/v1", LOCAL, "LM_STUDIO"),
    Provider(
        "openai",
        "https://api.openai.com/v1",
        ("OPENAI_API_KEY",),
        ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        OPENAI,
    ),
    Provider(
        "azure",
        None,
        ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
        ("AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"),
        OPENAI,
        "api-key",
    ),
    _named("anyscale", "https://api.endpoints.anyscale.com/v1", COMPLETING, "ANYSCALE"),
    _named("cerebras", "https://api.cerebras.ai/v1", SINGLE, "CEREBRAS"),
    _named("deepinfra", "https://api.deepinfra.com/v1/openai", COMPLETING, "DEEPINFRA"),
    _named("deepseek", "https://api.deepseek.com/v1", PLAIN, "DEEPSEEK"),
    _named("fireworks_ai", "https://api.fireworks.ai/inference/v1", COMPLETING, "FIREWORKS_AI", "FIREWORKS"),
    _named("gemini", _GEMINI_HOME, COMPATIBLE, "GEMINI", "GOOGLE"),
    _named("groq", "https://api.groq.com/openai/v1", SINGLE, "GROQ"),
    _named("mistral", "https://api.mistral.ai/v1", COMPATIBLE, "MISTRAL"),
    _named("moonshot", "https://api.moonshot.ai/v1", PLAIN, "MOONSHOT"),
    _named("nvidia_nim", "https://integrate.api.nvidia.com/v1", PLAIN, "NVIDIA_NIM", "NVIDIA"),
    _named("openrouter", "https://openrouter.ai/api/v1", SINGLE, "OPENROUTER"),
    _named("perplexity", "https://api.perplexity.ai", SINGLE, "PERPLEXITYAI", "PERPLEXITY"),
    _named("sambanova", "https://api.sambanova.ai/v1", SINGLE, "SAMBANOVA"),
    _named("together_ai", "https://api.together.xyz/v1", COMPLETING, "TOGETHERAI", "TOGETHER"),
    _named("xai", "https://api.x.ai/v1", COMPATIBLE, "XAI"),
)

PROVIDERS: Mapping[str, Provider] = {provider.name: provider for provider in _ALL}
