"""Downloading a payload when the user asks for it; with the standard library, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from telic.errors import InputError
from telic.types.media import MAX_BYTES, check_size

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

_CHUNK = 1 << 16


def fetch(
    url: str,
    what: str,
    *,
    verify: bool = True,
    timeout: float | None = 30.0,
    limit: int = MAX_BYTES,
) -> tuple[bytes, str | None]:
    """Download `url`, blocking.

    Args:
        url: an `http` or `https` address; redirects are followed to such addresses only.
        what: what it is to be, for messages: `"Image"`.
        verify: whether the server's certificate is checked.
        timeout: seconds without an answer after which it is given up; `None` for no limit.
        limit: the largest size, in bytes.

    Returns:
        The bytes, and the MIME type that the server states (without parameters), if any.

    Raises:
        InputError: the address is of another kind, the server does not give the file, or it is too large.
    """
    from http.client import HTTPException

    if urlsplit(url).scheme.lower() not in ("http", "https"):
        raise InputError(f"{what}: only http and https addresses can be downloaded, not '{url}'.")
    opener = _opener(verify)
    try:
        with opener.open(url) if timeout is None else opener.open(url, timeout=timeout) as answer:
            check_size(int(answer.headers.get("Content-Length") or 0), f"{what} '{url}'", limit)
            data = bytearray()
            while block := answer.read(_CHUNK):
                data += block
                check_size(len(data), f"{what} '{url}'", limit)
            stated = answer.headers.get("Content-Type")
    except (OSError, HTTPException) as error:  # URLError, HTTPError and time-outs are OSErrors
        raise InputError(f"{what}: '{url}' could not be downloaded: {error}.") from error
    return bytes(data), stated.partition(";")[0].strip().lower() if stated else None


def _opener(verify: bool) -> OpenerDirector:
    import ssl
    from urllib import request

    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    opener = request.OpenerDirector()  # without the handlers for files, FTP and data that the default one has
    handlers = (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(context=context),
        request.HTTPDefaultErrorHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    )
    for handler in handlers:
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", "telic"), ("Accept", "*/*")]
    return opener
