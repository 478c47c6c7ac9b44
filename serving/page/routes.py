"""Routes of the page, for an aiohttp application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web

_STATIC = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HEADERS = {
    # Nothing from elsewhere, no inline script; photos are shown from blobs.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def build_page_routes(list_models: Callable[[], Sequence[str]]) -> list[web.RouteDef]:
    """Returns the routes of the page.

    Args:
        list_models: Returns the names of the models that can be asked now. They are
            answered at `/page/models`, which TensorFlow Serving's protocol lacks.
    """

    async def models(request: web.Request) -> web.Response:
        return web.json_response({"models": list(list_models())}, headers=_HEADERS)

    files = [path for path in sorted(_STATIC.iterdir()) if path.suffix in _TYPES]
    routes = [web.get(f"/{path.name}", _answer_with(path)) for path in files]
    return [
        web.get("/", _answer_with(_STATIC / "index.html")),
        *routes,
        web.get("/page/models", models),
    ]


def _answer_with(path: Path) -> Callable:
    content = path.read_bytes()

    async def answer(request: web.Request) -> web.Response:
        return web.Response(
            body=content, content_type=_TYPES[path.suffix], charset="utf-8", headers=_HEADERS
        )

    return answer
