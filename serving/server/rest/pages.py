"""Files at `/`: the page that people look at."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from aiohttp import web

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Pages:
    """Serves the files of one folder.

    Only those that were there at the start: a path of a request is looked up,
    never joined.

    Args:
        folder: May be absent.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {
            "/" + PurePosixPath(path.relative_to(folder)).as_posix(): path
            for path in (folder.rglob("*") if folder.is_dir() else ())
            if path.is_file()
        }
        if "/index.html" in self._files:
            self._files["/"] = self._files["/index.html"]

    @property
    def found(self) -> bool:
        """Says whether there is a page at `/`."""
        return "/" in self._files

    def find(self, path: str) -> web.StreamResponse:
        """Returns the file of a path, or an error 404."""
        file = self._files.get(path)
        if file is None:
            return web.json_response({"error": f"Not found: {path[:64]}"}, status=404)
        caching = "no-store" if file.suffix == ".html" else "no-cache"
        return web.FileResponse(file, headers={**_HEADERS, "Cache-Control": caching})
