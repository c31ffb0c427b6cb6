"""What a provider wants in the request besides the body: the key, in its header, and the path."""

from __future__ import annotations

import os
from base64 import b64encode

from telic.errors import LMAuthError
from telic.lm.http.address import Address
from telic.lm.http.table import Provider

_AZURE_VERSION = "2024-10-21"


def key_of(provider: Provider, address: Address, given: str | None, model: str) -> str | None:
    """The key to use: the given one, else the environment's.

    A server at an address of the user's own may need none; the provider's own address does.

    Raises:
        LMAuthError: a key is needed and there is none.
    """
    key = given or next((os.environ[name] for name in provider.key_env if os.environ.get(name)), None)
    if key:
        return key.strip()
    if provider.key_env and provider.base is not None and address.endpoint == provider.base:
        names = " or ".join(provider.key_env)
        raise LMAuthError(
            f"{model} needs a key and there is none: set {names}, or pass api_key=… to LM.",
            model=model,
            provider=provider.name,
        )
    return None


def credentials_of(provider: Provider, address: Address, key: str | None) -> dict[str, str]:
    """The headers that carry the key, or the user and password that stood in the URL."""
    if key:
        return {provider.key_header: f"Bearer {key}" if provider.key_header == "Authorization" else key}
    if address.credentials:
        return {"Authorization": f"Basic {b64encode(':'.join(address.credentials).encode()).decode()}"}
    return {}


def paths_of(provider: Provider, address: Address, name: str, version: str | None) -> tuple[str, str]:
    """Paths of chat requests and of plain completions."""
    if provider.name != "azure":
        return provider.path, provider.text_path
    if address.endpoint.endswith("/v1"):
        return "/chat/completions", "/completions"
    query = (
        ""
        if "api-version" in address.query
        else f"api-version={version or os.environ.get('AZURE_API_VERSION') or _AZURE_VERSION}"
    )
    return tuple(
        path.format(model=name) + (f"?{query}" if query else "")
        for path in (provider.path, provider.text_path)
    )  # type: ignore[return-value]
