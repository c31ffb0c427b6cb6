"""What a provider wants in the request besides the body: the key, in its header, and the path."""

from __future__ import annotations

import os
from base64 import b64encode
from urllib.parse import quote

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
    if provider.needs_key and provider.base in (None, address.endpoint):
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
    """Paths of chat requests and of plain completions.

    Azure has the model (its deployment) in the path and a version in the query, unless the base URL is that
    of its newer interface, which ends in `/v1` and is like everybody's.
    """
    if provider.name != "azure" or address.endpoint.endswith("/v1"):
        return "/chat/completions", "/completions"
    deployment = f"/openai/deployments/{quote(name, safe='')}"
    version = version or os.environ.get("AZURE_API_VERSION") or _AZURE_VERSION
    query = "" if "api-version=" in address.query else f"?api-version={version}"
    return f"{deployment}/chat/completions{query}", f"{deployment}/completions{query}"
