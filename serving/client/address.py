"""From the address of a server to the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from serving.client.protocol import Transport

_SCHEMES = ("http", "https", "grpc", "grpcs")


def open_transport(url: str, connections: int, headers: Mapping[str, str]) -> Transport:
    """Returns the way to a server; nothing is sent yet.

    Args:
        url: `http://host:8501` or `grpc://host:8500`; with an `s` for TLS.
        connections: int. Kept open at most over REST.
        headers: Sent with every request.

    Raises:
        ValueError: for any other address.
    """
    scheme, address = check_address(url)
    if scheme.startswith("http"):
        from serving.client.rest import RestTransport

        return RestTransport(url, connections, headers)
    from serving.client.grpc_calls import GrpcTransport

    return GrpcTransport(address, scheme == "grpcs", headers)


def check_address(url: str) -> tuple[str, str]:
    """Returns the scheme and `host:port` of a server's address.

    Raises:
        ValueError: unless it is one of `_SCHEMES` with a host.
    """
    parts = urlsplit(url)
    is_grpc_path = parts.scheme.startswith("grpc") and parts.path not in ("", "/")
    if parts.scheme not in _SCHEMES or not parts.hostname or is_grpc_path:
        raise ValueError(
            "A server's address must be like http://host:8501 or grpc://host:8500 "
            f"(https and grpcs for TLS). Received: {url!r}."
        )
    return parts.scheme, parts.netloc
