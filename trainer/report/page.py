"""A page of the reports: one HTML file that loads nothing and runs no one else's code."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import jinja2

from trainer.files import new_file
from trainer.report.text_filters import FILTERS
from trainer.report.thumbnail import thumbnail

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, *, templates: Path = _TEMPLATES, **values: Any) -> str:
    """Fills a template that extends `page.html`; every text is escaped in it.

    Args:
        template: Name of the file.
        templates: Folder that it is in, by default that of the reports' own.
        values: What it shows; `title` is that of the page.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([templates, _TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS, thumbnail=thumbnail)
    script_hash = _script_hash(environment)
    return environment.get_template(template).render(script_hash=script_hash, **values)


def write_page(path: Path, html: str) -> None:
    """Writes a page, whole or not at all."""
    with new_file(path) as temporary:
        # Product texts may hold half a surrogate pair, which UTF-8 cannot.
        temporary.write_bytes(html.encode("utf-8", errors="replace"))


def _script_hash(environment: jinja2.Environment) -> str:
    """Returns the one script that the page's policy lets a browser run."""
    script = environment.get_template("sort.js").render().encode()
    return "sha256-" + base64.b64encode(hashlib.sha256(script).digest()).decode()
