"""Program text in outputs and inputs."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import model_validator

from telic.errors import InputError
from telic.types.base_type import Type
from telic.types.wrapped import unwrapped

_FENCED = re.compile(r"```[ \t]*(?P<tag>[\w+#.\-]*)[ \t]*\r?\n(?P<code>.*?)(?:\r?\n)?[ \t]*```", re.DOTALL)
_FENCED_INLINE = re.compile(r"```(?P<code>[^`\n]+)```")
_OPENED = re.compile(r"\A\s*```[ \t]*[\w+#.\-]*[ \t]*\r?\n(?P<code>.*)\Z", re.DOTALL)
_SHORT_TAGS = {
    "py": "python",
    "python3": "python",
    "js": "javascript",
    "ts": "typescript",
    "sh": "bash",
    "shell": "bash",
    "c++": "cpp",
    "cs": "csharp",
    "c#": "csharp",
    "rb": "ruby",
    "rs": "rust",
    "golang": "go",
}


class Code(Type):
    """Code of a language: `Code["python"]`, `Code["sql"]`; of Python where none is named.

    What a model wrote is read with or without a fence around it. `code.code` is the text.
    """

    language: ClassVar[str] = "python"
    """The language that is asked for."""

    code: str

    def __class_getitem__(cls, language: Any) -> Any:
        return _code_in(cls, str(language))

    @classmethod
    def description(cls) -> str:
        """Asks for a fenced block of the language."""
        return (
            f"Source code in {cls.language}. Write it as one fenced block and nothing else:\n"
            f"```{cls.language}\n{{code}}\n```"
        )

    def format(self) -> str:
        """The code, without a fence."""
        return self.code

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, data: Any) -> Any:
        """Code from text (fenced or not), from `{"code": text}`, or from code of another language."""
        if isinstance(data, Code):
            return {"code": data.code}
        if isinstance(data, str):
            return {"code": unfenced(unwrapped(data, "code"), cls.language)}
        if isinstance(data, dict) and isinstance(data.get("code"), str):
            return {**data, "code": unfenced(data["code"], cls.language)}
        raise InputError(f"Code: text or {{'code': text}} is needed, not {data!r:.200}.")

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        # A plain text is the shape that models get right; `validate_input` reads it.
        return {"type": "string", "description": f"{cls.language} code"}

    def __reduce__(self) -> tuple[Any, ...]:
        # The classes made by `Code[...]` are no attributes of a module, so pickle cannot find them by name.
        return (_rebuild, (Code if type(self) is Code else None, type(self).language, self.code))


def unfenced(text: str, language: str = "") -> str:
    """The code in a model's answer.

    The first fenced block in `language`, or else the first block of all; the text itself where there is none.
    A fence that is not closed, because the answer was cut, is taken off too.
    """
    blocks = [(found.group("tag").lower(), found.group("code")) for found in _FENCED.finditer(text)]
    wanted = language.lower()
    for tag, code in blocks:
        if wanted in (tag, _SHORT_TAGS.get(tag)):
            return code.strip("\r\n")
    if blocks:
        return blocks[0][1].strip("\r\n")
    found = _FENCED_INLINE.search(text) or _OPENED.match(text)
    return found.group("code").strip("\r\n") if found else text


_LANGUAGES: dict[tuple[type[Code], str], type[Code]] = {}


def _code_in(base: type[Code], language: str) -> type[Code]:
    """The class of a language, one for each, so that annotations compare equal."""
    known = _LANGUAGES.get((base, language))
    if known is None:
        members = {
            "__module__": base.__module__,
            "__doc__": f"Code in {language}.",
            "__annotations__": {"language": ClassVar[str]},
            "language": language,
        }
        make: Any = type(base)
        known = _LANGUAGES[base, language] = make(f"Code_{language}", (base,), members)
    return known


def _rebuild(cls: type[Code] | None, language: str, code: str) -> Code:
    return (cls or _code_in(Code, language)).model_construct(code=code)
