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
        key_env: environment variables that may hold the key, best first; empty where no key is needed.
        base_env: environment variables that may hold the base URL, best first.
        dialect: what it understands.
        path: path of chat requests below the base URL.
        text_path: path of plain completions.
        key_header: header of the key; `Authorization` carries it as a bearer token.
    """

    name: str
    base: str | None = None
    key_env: tuple[str, ...] = ()
    base_env: tuple[str, ...] = ()
    dialect: Dialect = COMPATIBLE
    path: str = "/chat/completions"
    text_path: str = "/completions"
    key_header: str = "Authorization"


_VLLM_HOME = "http://localhost:8000/v1"
_LLAMA_CPP_HOME = "http://localhost:8080/v1"
_AZURE = "/openai/deployments/{model}"

_ALL = (
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
        f"{_AZURE}/chat/completions",
        f"{_AZURE}/completions",
        "api-key",
    ),
    Provider("vllm", _VLLM_HOME, (), ("VLLM_API_BASE", "HOSTED_VLLM_API_BASE"), VLLM),
    Provider("hosted_vllm", _VLLM_HOME, (), ("HOSTED_VLLM_API_BASE", "VLLM_API_BASE"), VLLM),
    Provider("llama_cpp", _LLAMA_CPP_HOME, (), ("LLAMA_CPP_API_BASE",), LLAMA_CPP),
    Provider("llamacpp", _LLAMA_CPP_HOME, (), ("LLAMA_CPP_API_BASE",), LLAMA_CPP),
    Provider("ollama", "http://localhost:11434/v1", (), ("OLLAMA_API_BASE", "OLLAMA_HOST"), LOCAL),
    Provider("ollama_chat", "http://localhost:11434/v1", (), ("OLLAMA_API_BASE", "OLLAMA_HOST"), LOCAL),
    Provider("lm_studio", "http://localhost:1234/v1", (), ("LM_STUDIO_API_BASE",), LOCAL),
    Provider("sglang", "http://localhost:30000/v1", (), ("SGLANG_API_BASE",), VLLM),
    Provider(
        "together_ai",
        "https://api.together.xyz/v1",
        ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY"),
        (),
        COMPLETING,
    ),
    Provider(
        "fireworks_ai",
        "https://api.fireworks.ai/inference/v1",
        ("FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY"),
        (),
        COMPLETING,
    ),
    Provider(
        "openrouter",
        "https://openrouter.ai/api/v1",
        ("OPENROUTER_API_KEY",),
        ("OPENROUTER_API_BASE",),
        SINGLE,
    ),
    Provider("groq", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",), (), SINGLE),
    Provider("mistral", "https://api.mistral.ai/v1", ("MISTRAL_API_KEY",), ("MISTRAL_API_BASE",)),
    Provider("deepseek", "https://api.deepseek.com/v1", ("DEEPSEEK_API_KEY",), ("DEEPSEEK_API_BASE",), PLAIN),
    Provider("xai", "https://api.x.ai/v1", ("XAI_API_KEY",), ("XAI_API_BASE",)),
    Provider("deepinfra", "https://api.deepinfra.com/v1/openai", ("DEEPINFRA_API_KEY",), (), COMPLETING),
    Provider("cerebras", "https://api.cerebras.ai/v1", ("CEREBRAS_API_KEY",), (), SINGLE),
    Provider("sambanova", "https://api.sambanova.ai/v1", ("SAMBANOVA_API_KEY",), (), SINGLE),
    Provider(
        "nvidia_nim",
        "https://integrate.api.nvidia.com/v1",
        ("NVIDIA_NIM_API_KEY", "NVIDIA_API_KEY"),
        ("NVIDIA_NIM_API_BASE",),
        PLAIN,
    ),
    Provider(
        "perplexity", "https://api.perplexity.ai", ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"), (), SINGLE
    ),
    Provider("moonshot", "https://api.moonshot.ai/v1", ("MOONSHOT_API_KEY",), ("MOONSHOT_API_BASE",), PLAIN),
    Provider(
        "anyscale",
        "https://api.endpoints.anyscale.com/v1",
        ("ANYSCALE_API_KEY",),
        ("ANYSCALE_API_BASE",),
        COMPLETING,
    ),
)

PROVIDERS: Mapping[str, Provider] = {provider.name: provider for provider in _ALL}
