"""Product pictures small enough to live inside the report."""

from __future__ import annotations

import base64
import io
import warnings

from PIL import Image, ImageOps

MAX_PIXELS = 50_000_000


def thumbnail(picture: bytes, max_side: int = 160) -> str:
    """Returns a picture as the data URI of a small JPEG.

    Args:
        picture: bytes of a file in any format that Pillow reads.
        max_side: int. Longest side in pixels.

    Returns:
        `"data:image/jpeg;base64,..."`, or `""` where the picture is absent,
        broken, or too large to be decoded for a report.
    """
    if not picture:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            source = Image.open(io.BytesIO(picture))
            if source.width * source.height > MAX_PIXELS:
                return ""
            source.draft("RGB", (2 * max_side, 2 * max_side))
            image = ImageOps.exif_transpose(source).convert("RGBA")
    # Pillow's readers raise errors of many types for bad bytes; a report shows none of them.
    except Exception:
        return ""
    image.thumbnail((max_side, max_side))
    # Products cut out on a transparent ground are made for white pages.
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    buffer = io.BytesIO()
    ground.convert("RGB").save(buffer, "JPEG", quality=80, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
