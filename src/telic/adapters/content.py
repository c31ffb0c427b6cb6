"""Pictures and files among the text of a message: which fields may have them, and how they get there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from telic.types.parts import MARK_START, collecting, split_parts

if TYPE_CHECKING:
    from telic.adapters.layout import Layout
    from telic.types.parts import Part, PartCollector

_PLAIN = frozenset({str, int, float, bool, type(None)})


def content_of(layout: Layout, inputs: Mapping[str, Any], write: Callable[[], Any]) -> Any:
    """What `write` writes of `inputs`: text, or content parts where values in it are shown as such.

    Args:
        layout: of the signature.
        inputs: the values that are written.
        write: writes them as text.
    """
    if not _may_have_parts(layout, inputs):
        return write()
    with collecting() as collector:
        text = write()
    return collector.weave(text) if isinstance(text, str) else text


def content_of_demo(
    layout: Layout, demo: Mapping[str, Any], write: Callable[[Mapping[str, Any]], Any]
) -> Any:
    """The same of a demo, which may come out of a saved program: parts marked in its texts count too."""
    if not _may_have_parts(layout, demo):
        return write(demo)
    with collecting() as collector:
        values = {name: _unmarked(demo.get(name), collector) for name in layout.rich if name in demo}
        text = write({**dict(demo.items()), **values} if values else demo)
    return collector.weave(text) if isinstance(text, str) else text


def _may_have_parts(layout: Layout, inputs: Mapping[str, Any]) -> bool:
    if layout.rich:
        return True
    if "telic.types.base_type" not in sys.modules:
        return False
    return any(type(inputs.get(name)) not in _PLAIN for name in layout.loose)


def _unmarked(value: Any, collector: PartCollector) -> Any:
    if isinstance(value, str):
        if MARK_START not in value:
            return value
        parts = split_parts(value)
        return parts if isinstance(parts, str) else collector.keep(parts)
    if isinstance(value, list):
        return [_unmarked(item, collector) for item in value]
    if isinstance(value, dict):
        return {key: _unmarked(item, collector) for key, item in value.items()}
    return value


def text_of(content: str | list[Part] | None) -> str:
    """The text of a message's content; other parts are named in brackets."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(
        part["text"] if part.get("type") == "text" else f"[{part.get('type')}]" for part in content
    )
