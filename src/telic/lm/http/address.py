"""Base URLs: read once, split into what may be shown and what may not."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from telic.errors import LMConfigurationError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """A server's address.

    Attributes:
        endpoint: scheme, host, port and path, normalised; no credentials, no query. Safe to show.
        query: sent with every request; may hold a secret.
        credentials: user and password that stood in the URL.
    """

    endpoint: str
    query: str = field(default="", repr=False)
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    def url(self, path: str) -> str:
        """Where to post to."""
        joint = "&" if "?" in path else "?"
        return f"{self.endpoint}{path}" + (f"{joint}{self.query}" if self.query else "")

    @property
    def is_local(self) -> bool:
        """The server is on this machine."""
        return (urlsplit(self.endpoint).hostname or "") in ("localhost", "127.0.0.1", "::1", "0.0.0.0")


def address_of(base: str, *, versioned: bool = True) -> Address:
    """Read a base URL as users write them.

    A missing scheme becomes `http` on this machine and `https` elsewhere, a pasted `/chat/completions` is
    taken off, and a bare host gets `/v1` (where nearly every server has its interface).

    Args:
        base: the URL.
        versioned: give a bare host `/v1`.

    Raises:
        LMConfigurationError: it is not the URL of a server.
    """
    parts = _split(base.strip())
    try:
        port = parts.port
    except ValueError:
        raise LMConfigurationError("api_base has a port that is not a number.") from None
    host = (parts.hostname or "").lower()
    if parts.scheme not in _PORTS or not host:
        raise LMConfigurationError("api_base must be the URL of a server, as in http://localhost:8000/v1.")
    name = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[parts.scheme]:
        name = f"{name}:{port}"
    path = parts.path.rstrip("/")
    for tail in ("/chat/completions", "/completions"):
        path = path.removesuffix(tail)
    if not path and versioned:
        path = "/v1"
    credentials = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return Address(f"{parts.scheme}://{name}{path}", parts.query, credentials)


def _split(base: str) -> SplitResult:
    if "://" not in base:
        host = base.partition("/")[0].rpartition("@")[2].partition(":")[0]
        base = f"{'http' if host in ('localhost', '127.0.0.1', '0.0.0.0') else 'https'}://{base}"
    parts = urlsplit(base)
    return parts._replace(scheme=parts.scheme.lower())
