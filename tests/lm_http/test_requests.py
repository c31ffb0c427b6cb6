"""Bodies, addresses and keys: what is sent where, without a server."""

import json

import pytest

from telic._json import encoded
from telic.errors import LMAuthError, LMConfigurationError
from telic.lm.http.address import address_of
from telic.lm.http.body import body_of, strict_schema
from telic.lm.http.dialect import DIALECTS, OPENAI, traits_of
from telic.lm.http.engine import HttpEngine
from telic.lm.http.keys import key_of, paths_of
from telic.lm.http.providers import http_engine_for
from telic.lm.http.table import PROVIDERS
from telic.types import Constraint, Request

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "x"},
        "kind": {"enum": ["a", None]},
        "part": {"$ref": "#/$defs/Part"},
        "next": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
    },
    "required": ["kind"],
    "$defs": {
        "Part": {"type": "object", "properties": {"default": {"type": "array", "items": {"type": "number"}}}}
    },
}


def built(dialect="compatible", name="m", *, constraint=None, prompt=None, **params):
    messages = None if prompt else [{"role": "user", "content": "hi"}]
    request = Request("p/m", messages=messages, prompt=prompt, params=params, constraint=constraint)
    return body_of(request, name, DIALECTS[dialect], traits_of(name, DIALECTS[dialect]))


def test_parameters_pass_through_without_none():
    body = built(temperature=0, stop=None, tools=[{"type": "function"}], extra_body={"top_k": 5})
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0,
        "tools": [{"type": "function"}],
        "top_k": 5,
    }


@pytest.mark.parametrize("name", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5-mini", "gpt-5.1"])
def test_reasoning_models_take_other_parameters(name):
    body = built("openai", name, temperature=0.7, max_tokens=10, seed=1)
    assert body["max_completion_tokens"] == 10
    assert body["seed"] == 1
    assert "temperature" not in body
    assert "max_tokens" not in body


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-5-chat-latest", "gpt-4.1", "llama-o1-like"])
def test_other_models_take_the_usual_ones(name):
    assert built("openai", name, temperature=0.7, max_tokens=10)["max_tokens"] == 10


def test_plain_completions_take_logprobs_as_a_number():
    assert built(prompt="x", logprobs=True, top_logprobs=4)["logprobs"] == 4
    assert built(prompt="x", logprobs=True)["logprobs"] == 1
    assert built(logprobs=True, top_logprobs=4)["logprobs"] is True


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("llama_cpp", {"json_schema": SCHEMA}),
        (
            "vllm",
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
                }
            },
        ),
        ("plain", {}),
    ],
)
def test_a_schema_is_said_in_the_servers_dialect(dialect, expected):
    body = built(dialect, constraint=Constraint(json_schema=SCHEMA))
    assert {k: v for k, v in body.items() if k not in ("model", "messages")} == expected


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("llama_cpp", {"grammar": 'root ::= "a"'}),
        ("vllm", {"structured_outputs": {"grammar": 'root ::= "a"'}}),
        ("vllm_guided", {"guided_grammar": 'root ::= "a"'}),
        ("openai", {}),
        ("local", {}),
    ],
)
def test_a_grammar_is_said_in_the_servers_dialect(dialect, expected):
    body = built(dialect, constraint=Constraint(grammar='root ::= "a"'))
    assert {k: v for k, v in body.items() if k not in ("model", "messages")} == expected


def test_the_callers_own_format_wins_over_the_constraint():
    body = built("vllm", constraint=Constraint(json_schema=SCHEMA), response_format={"type": "json_object"})
    assert body["response_format"] == {"type": "json_object"}


def test_openai_gets_the_strict_form_of_a_schema():
    sent = built("openai", "gpt-4o", constraint=Constraint(json_schema=SCHEMA))["response_format"][
        "json_schema"
    ]
    assert sent["strict"] is True
    strict = sent["schema"]
    assert strict["required"] == ["name", "kind", "part", "next"]
    assert strict["additionalProperties"] is False
    assert strict["properties"]["name"] == {"type": "string"}
    assert strict["properties"]["kind"] == {"enum": ["a", None]}
    assert strict["properties"]["next"] == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert strict["$defs"]["Part"]["required"] == ["default"]
    assert strict["$defs"]["Part"]["properties"]["default"]["type"] == "array"


def test_an_object_with_free_keys_has_no_strict_form():
    free = {
        "type": "object",
        "properties": {"map": {"type": "object", "additionalProperties": {"type": "string"}}},
    }
    assert strict_schema(free) is None
    sent = built("openai", "gpt-4o", constraint=Constraint(json_schema=free))["response_format"][
        "json_schema"
    ]
    assert sent == {"name": "answer", "schema": free, "strict": False}


def test_old_models_are_not_sent_a_schema():
    assert not traits_of("gpt-3.5-turbo", OPENAI).json_schema
    assert not traits_of("gpt-4", OPENAI).json_schema
    assert traits_of("gpt-4o-mini", OPENAI).json_schema
    assert "response_format" not in built(
        "openai", "gpt-3.5-turbo", constraint=Constraint(json_schema=SCHEMA)
    )


def test_any_text_can_be_sent():
    text = 'tab\t"quote" \ud800 é 你 \u2028'
    assert json.loads(encoded({"content": text}))["content"] == text


def test_capabilities_follow_dialect_model_and_what_the_user_knows():
    vllm = http_engine_for("hosted_vllm/meta-llama/Llama-2-13b-chat-hf", context_window=4096).capabilities
    assert (vllm.chat, vllm.completion, vllm.json_schema, vllm.grammar, vllm.context_window) == (
        True,
        True,
        True,
        True,
        4096,
    )
    instruct = http_engine_for("openai/gpt-3.5-turbo-instruct").capabilities
    assert (instruct.chat, instruct.completion, instruct.tools) == (False, True, False)
    assert http_engine_for("deepseek/deepseek-reasoner").capabilities.reasoning
    assert not http_engine_for("ollama/x", capabilities={"tools": False}).capabilities.tools


@pytest.mark.parametrize(
    ("base", "endpoint"),
    [
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("http://LocalHost:8000", "http://localhost:8000/v1"),
        ("localhost:8000", "http://localhost:8000/v1"),
        ("example.org", "https://example.org/v1"),
        ("https://example.org:443/api/v2", "https://example.org/api/v2"),
        ("http://user:secret@h:80/v1?key=abc#x", "http://h/v1"),
        ("https://h/v1/chat/completions", "https://h/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
    ],
)
def test_endpoints_are_normalised_and_hold_no_secret(base, endpoint):
    address = address_of(base)
    assert address.endpoint == endpoint
    assert "secret" not in repr(address)
    assert "abc" not in repr(address)


def test_query_and_credentials_of_the_url_are_used():
    address = address_of("http://user:p%40ss@h/v1?key=abc")
    assert address.url("/chat/completions") == "http://h/v1/chat/completions?key=abc"
    assert address.credentials == ("user", "p@ss")


@pytest.mark.parametrize("base", ["ftp://h/v1", "http://", "http://h:port/v1", ""])
def test_what_is_no_url_is_said(base):
    with pytest.raises(LMConfigurationError, match="api_base"):
        HttpEngine("m", base)


def test_keys_come_from_the_argument_or_the_environment(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    openai = PROVIDERS["openai"]
    home = address_of(openai.base)
    with pytest.raises(LMAuthError, match="OPENAI_API_KEY"):
        key_of(openai, home, None, "openai/gpt-4o")
    assert key_of(openai, address_of("http://localhost:1"), None, "openai/x") is None
    monkeypatch.setenv("OPENAI_API_KEY", " from-the-environment\n")
    assert key_of(openai, home, None, "openai/gpt-4o") == "from-the-environment"
    assert key_of(openai, home, "given", "openai/gpt-4o") == "given"


def test_a_missing_key_is_said_at_the_first_call(monkeypatch):
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    engine = http_engine_for("mistral/mistral-small-latest")
    with pytest.raises(LMAuthError, match="MISTRAL_API_KEY"):
        engine.complete(Request("m", messages=[{"role": "user", "content": "x"}]))


def test_base_urls_come_from_the_argument_the_environment_or_the_table(monkeypatch):
    for name in PROVIDERS["openai"].base_env:
        monkeypatch.delenv(name, raising=False)
    assert http_engine_for("openai/gpt-4o").endpoint == "https://api.openai.com/v1"
    assert http_engine_for("perplexity/sonar").endpoint == "https://api.perplexity.ai"
    monkeypatch.setenv("OPENAI_API_BASE", "http://proxy:99")
    assert http_engine_for("openai/gpt-4o").endpoint == "http://proxy:99/v1"
    assert http_engine_for("openai/gpt-4o", api_base="http://h/x").endpoint == "http://h/x"


def test_names_keep_what_follows_the_provider():
    engine = http_engine_for("openrouter/openai/gpt-4o")
    assert engine.name == "openai/gpt-4o"
    assert engine.model == "openrouter/openai/gpt-4o"


def test_other_providers_are_left_to_the_bridge():
    assert http_engine_for("anthropic/claude-sonnet-4-5") is None


def test_azure_has_its_own_path_header_and_version(monkeypatch):
    monkeypatch.delenv("AZURE_API_VERSION", raising=False)
    monkeypatch.delenv("AZURE_API_BASE", raising=False)
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT", raising=False)
    with pytest.raises(LMConfigurationError, match="AZURE_API_BASE"):
        http_engine_for("azure/d")
    engine = http_engine_for("azure/my deployment", api_base="https://me.openai.azure.com/")
    assert engine.endpoint == "https://me.openai.azure.com"
    chat, text = paths_of(engine.provider, engine.address, engine.name, None)
    assert chat == "/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21"
    assert text.endswith("/completions?api-version=2024-10-21")
    newer = address_of("https://me.openai.azure.com/openai/v1")
    assert paths_of(engine.provider, newer, "d", None)[0] == "/chat/completions"


def test_an_unknown_dialect_is_said():
    with pytest.raises(LMConfigurationError, match="vllm_guided"):
        http_engine_for("openai/x", dialect="klingon")
    assert http_engine_for("openai/x", api_base="http://h", dialect="vllm").capabilities.grammar
