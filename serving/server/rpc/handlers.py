"""What every gRPC method is wrapped in."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from serving.server.calls import Call, Calls
from serving.server.status import Code, ServingError, invalid

Method = Callable[[Any, grpc.aio.ServicerContext, Call], Awaitable[Any]]
_LOG = logging.getLogger(__name__)
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def build_service(
    descriptor: Any, methods: Mapping[str, Method], messages: Mapping[str, Any], calls: Calls
) -> grpc.GenericRpcHandler:
    """Builds a service by hand from its descriptor.

    The generated base class would answer a request that is no message with
    an internal error of Python; here it is an invalid argument.

    Args:
        descriptor: Of the service.
        methods: By method name; methods left out are unimplemented.
        messages: Class of the request by method name.
        calls: Requests under way.
    """
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            _wrap(name, method, calls),
            request_deserializer=_parser(messages[name]),
            response_serializer=lambda response: response.SerializeToString(),
        )
        for name, method in methods.items()
    }
    return grpc.method_handlers_generic_handler(descriptor.full_name, handlers)


def _parser(message: Any) -> Callable[[bytes], Any]:
    def parse(content: bytes) -> Any:
        try:
            return message.FromString(content), len(content)
        except DecodeError:
            return None, len(content)

    return parse


def _wrap(name: str, method: Method, calls: Calls) -> Any:
    async def answer(received: tuple[Any, int], context: grpc.aio.ServicerContext) -> Any:
        with calls.begin("grpc", name) as call:
            request, call.received = received
            try:
                calls.check_open()
                if request is None:
                    raise invalid("The request is not a message of this method.")
                response = await method(request, context, call)
                call.sent = response.ByteSize()
                return response
            except ServingError as error:
                call.code = error.code
                code, message = _CODES[int(error.code)], error.message
            except Exception:
                _LOG.exception("A request over gRPC failed.")
                call.code = Code.INTERNAL
                code, message = grpc.StatusCode.INTERNAL, "Internal error; see the log."
        await context.abort(code, message)

    return answer
