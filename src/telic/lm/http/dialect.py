"""How OpenAI-compatible servers differ, and what OpenAI's own models do not take."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one kind of server understands beyond the common protocol.

    Attributes:
        name: what users write to choose it.
        schema: how a JSON schema is passed: OpenAI's `response_format` (`strict` where the schema has to be
            put into OpenAI's strict form first), llama.cpp's top-level `json_schema`, or `None`: not at all.
        text_schema: `schema` works for plain completions too.
        grammar: the field that takes a GBNF grammar, or `None`.
        completion: serves `/completions`.
        many: answers `n` choices to one request.
        tools: takes native tools.
        priced: what the provider charges is in public price lists; a server of one's own has no known price.
    """

    name: str
    schema: Literal["strict", "response_format", "json_schema"] | None = "response_format"
    text_schema: bool = False
    grammar: Literal["grammar", "structured_outputs", "guided_grammar"] | None = None
    completion: bool = False
    many: bool = True
    tools: bool = True
    priced: bool = True


OPENAI = Dialect("openai", schema="strict")
COMPATIBLE = Dialect("compatible")
SINGLE = Dialect("single", many=False)
PLAIN = Dialect("plain", schema=None)
COMPLETING = Dialect("completing", completion=True)
VLLM = Dialect("vllm", text_schema=True, grammar="structured_outputs", completion=True, priced=False)
VLLM_GUIDED = Dialect(
    "vllm_guided", text_schema=True, grammar="guided_grammar", completion=True, priced=False
)
LLAMA_CPP = Dialect(
    "llama_cpp", schema="json_schema", text_schema=True, grammar="grammar", completion=True, priced=False
)
LOCAL = Dialect("local", completion=True, many=False, priced=False)

DIALECTS: dict[str, Dialect] = {
    d.name: d for d in (OPENAI, COMPATIBLE, SINGLE, PLAIN, COMPLETING, VLLM, VLLM_GUIDED, LLAMA_CPP, LOCAL)
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model's name tells about it.

    Attributes:
        chat: takes messages.
        completion: continues plain text.
        json_schema: can be held to a schema.
        reasoning: thinks before it answers: takes `max_completion_tokens` and no sampling parameters.
        shows_reasoning: sends what it thought as text.
        tools: known to call tools natively. Behind a server of one's own that depends on how it was started,
            and a model not made for it would just talk: there it has to be said.
    """

    chat: bool = True
    completion: bool = False
    json_schema: bool = True
    reasoning: bool = False
    shows_reasoning: bool = False
    tools: bool = True


_REASONING = re.compile(r"(?:^|/)(?:o[1-9](?:$|-)|gpt-5(?!.*chat))")
_COMPLETION_ONLY = re.compile(r"(?:^|/)(?:gpt-3\.5-turbo-instruct|davinci-002|babbage-002)")
_NO_SCHEMA = re.compile(
    r"(?:^|/)(?:gpt-3\.5|gpt-4(?:$|-turbo|-\d{4})|chatgpt-4o|o1-(?:mini|preview)|davinci|babbage)"
)
_OPENAI = re.compile(r"(?:^|/)(?:ft:)?(?:gpt-|o[1-9](?:$|-)|chatgpt-)")
_SHOWS_REASONING = re.compile(r"(?i)reasoner|(?:^|[-/_.])(?:r1|qwq|magistral|gpt-oss)(?:$|[-_.:])")


def traits_of(name: str, dialect: Dialect) -> Traits:
    """Read a model's name; names that OpenAI does not sell get the defaults of the dialect."""
    instruct = dialect is OPENAI and _COMPLETION_ONLY.search(name) is not None
    return Traits(
        chat=not instruct,
        completion=dialect.completion or instruct,
        json_schema=dialect.schema is not None and not (dialect is OPENAI and _NO_SCHEMA.search(name)),
        reasoning=dialect.priced and _REASONING.search(name) is not None,
        shows_reasoning=_SHOWS_REASONING.search(name) is not None,
        tools=dialect.priced and (dialect is not OPENAI or _OPENAI.search(name) is not None),
    )
