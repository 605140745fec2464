"""Where a request comes from, as far as it can be believed."""

from ipaddress import ip_address

from starlette.requests import Request


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
