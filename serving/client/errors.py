"""What a server or the way to it said no with, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus

_ADVICE = {
    "INVALID_ARGUMENT": "Correct the request: the same one is refused again.",
    "NOT_FOUND": "Check the model's name and version; `Client.status()` lists what is loaded.",
    "FAILED_PRECONDITION": "The model lacks what was asked; `Client.metadata()` lists what it has.",
    "DEADLINE_EXCEEDED": (
        "Give more time with `deadline`, or send fewer products at once. It is not repeated: the "
        "server may still be at work on it."
    ),
    "RESOURCE_EXHAUSTED": "Send less at once: fewer products or smaller pictures.",
    "UNAVAILABLE": "Check that the server runs at this address and is not overloaded.",
    "UNIMPLEMENTED": "This server does not offer it.",
    "UNAUTHENTICATED": "Give the server's credentials with `headers`.",
    "PERMISSION_DENIED": "Give the server's credentials with `headers`.",
}
_CODES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "INVALID_ARGUMENT",
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "PERMISSION_DENIED",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.CONFLICT: "ABORTED",
    HTTPStatus.PRECONDITION_FAILED: "FAILED_PRECONDITION",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "RESOURCE_EXHAUSTED",
    HTTPStatus.TOO_MANY_REQUESTS: "RESOURCE_EXHAUSTED",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL",
    HTTPStatus.NOT_IMPLEMENTED: "UNIMPLEMENTED",
    HTTPStatus.SERVICE_UNAVAILABLE: "UNAVAILABLE",
    HTTPStatus.GATEWAY_TIMEOUT: "DEADLINE_EXCEEDED",
}


class ServingError(RuntimeError):
    """A request that was not answered.

    Args:
        code: str. A gRPC status by name, such as `"UNAVAILABLE"`; HTTP's are
            translated as TensorFlow Serving does.
        detail: str. What the server said, or what went wrong on the way to it.
        is_safe: bool. Whether the same request may be sent again.
        retry_after: float. Seconds that the server asked to wait, `None` if it
            said nothing.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        is_safe: bool = False,
        retry_after: float | None = None,
    ) -> None:
        self.code = code
        self.detail = detail
        self.advice = _ADVICE.get(code, "")
        self.is_safe = is_safe
        self.retry_after = retry_after
        super().__init__(f"{code}: {detail}")

    def __str__(self) -> str:
        return f"{self.code}: {self.detail.rstrip('.')}. {self.advice}".strip()


def code_of_status(status: int) -> str:
    """Returns the gRPC code of an HTTP status that is not 200."""
    return _CODES.get(status, "UNKNOWN")
