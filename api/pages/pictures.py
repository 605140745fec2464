"""An authenticator's key as a picture to be scanned and as letters to be typed. It is shown once and kept nowhere."""

from urllib.parse import parse_qs, urlsplit

import segno
from markupsafe import Markup


def scanned(uri: str) -> Markup:
    """A QR code as SVG inside the page: nothing is fetched, and nothing in it is style or script."""
    drawn = segno.make(uri, error="m", micro=False).svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, lineclass=None
    )
    return Markup(drawn)  # noqa: S704 (segno makes it of numbers: what was encoded does not stand in it)


def typed(uri: str) -> str:
    """The key itself in groups of four, for an app that cannot scan."""
    key = parse_qs(urlsplit(uri).query)["secret"][0]
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))
