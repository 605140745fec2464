"""Where a request comes from and with what it was made, as far as either can be believed."""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.requests import Request

LONGEST_CLIENT = 400
"""Characters of a User-Agent that are looked at."""

_BROWSERS = (
    ("Edg", "Edge"),  # each of these says that it is Chrome and Safari too, so the order decides
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_PLATFORMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def client_of(headers: Headers) -> str:
    """With what somebody signs in, in words of ours: “Firefox on Windows”, “command line”; nothing for what is unknown.

    It is the sender's own claim, for the owner of an account to recognise their sessions by, and decides nothing.
    """
    if headers.get("valetkey-client") == "cli":
        return "command line"
    claim = headers.get("user-agent", "")[:LONGEST_CLIENT]
    browser = next((name for sign, name in _BROWSERS if sign in claim), "")
    platform = next((name for sign, name in _PLATFORMS if sign in claim), "")
    return f"{browser} on {platform}" if browser and platform else browser


def source_of(request: Request, trusted_proxies: tuple[str, ...]) -> str:
    """The network address a request comes from, or nothing where there is none (a Unix socket).

    X-Forwarded-For is read only behind a proxy that is trusted by its address, from the right, and only as
    far as its writers are trusted too: what stands left of the first stranger is the stranger's own claim.
    """
    source = request.client.host if request.client else ""
    claims = [
        claim.strip() for line in request.headers.getlist("x-forwarded-for") for claim in line.split(",")
    ]
    while source in trusted_proxies and claims:
        claim = claims.pop()
        try:
            source = ip_address(claim).compressed
        except ValueError:
            return source
    return source
