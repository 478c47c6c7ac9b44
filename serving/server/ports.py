"""Addresses to listen on, tried before anything that takes long."""

from __future__ import annotations

import errno
import socket


def bind(host: str, port: int, option: str) -> socket.socket:
    """Returns a socket that listens.

    Args:
        host: str.
        port: int. 0 lets the system choose.
        option: str. Of the command line, for the error.

    Raises:
        ValueError: if the port is taken, or the address is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error}"
        raise ValueError(
            f"{format_address(host, port)} {why}. Choose another with {option}."
        ) from None


def format_address(host: str, port: int) -> str:
    """Writes an address as URLs have it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
