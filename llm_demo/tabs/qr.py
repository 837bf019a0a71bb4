"""QR: a text as a picture for a telephone's camera."""

from html import escape

import segno


def svg(text: str, label: str) -> str:
    """Return a QR code (ISO/IEC 18004) as safe SVG that fills its container, black on white whatever the theme.

    Args:
        text: at most 2,900 bytes of UTF-8.
        label: what it is called where it cannot be seen.
    """
    # The lowest correction makes the largest squares, which is what a camera at the back of a room needs.
    picture = segno.make(text, error="l", micro=False).svg_inline(omitsize=True, light="#fff", border=4)
    return f'<div class="qr" role="img" aria-label="{escape(label)}">{picture}</div>'
