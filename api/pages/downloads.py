"""A revealed file: what its page says of it, and the file itself as a download."""

from typing import Any

from starlette.responses import Response

from vault.errors import Invalid
from vault.model.files import MARK, file_bytes
from vault.model.kinds import KINDS
from vault.model.views import LeaseView


def is_file(lease: LeaseView, secret: str, field: str) -> bool:
    """Whether this field of a lease's secret holds a file."""
    kinds = (KINDS[held.kind] for held in lease.secrets if held.id == secret)
    return any(one.name == field and one.reads == "file" for kind in kinds for one in kind.fields)


def revealed(secret: str, field: str, value: str, *, file: bool) -> dict[str, Any]:
    """What lease.html shows of a revealed field; of a file that is no text only how large it is."""
    told = f"A file of {len(bytes_of(value)):,} bytes" if file and value.startswith(MARK) else ""
    return {"secret": secret, "field": field, "value": "" if told else value, "told": told}


def download(secret: str, value: str) -> Response:
    """The file, byte for byte, for the browser to save and never to show.

    Its name is ours: the customer's is sealed too, and to open it would be another look.
    """
    headers = {"Content-Disposition": f'attachment; filename="{name_of(secret)}"'}
    return Response(bytes_of(value), media_type="application/octet-stream", headers=headers)


def bytes_of(value: str) -> bytes:
    """What a revealed value stands for: the bytes of a file, or of what was kept as one before its rule was known."""
    try:
        return file_bytes(value)
    except Invalid:
        return value.encode("utf-8", "surrogatepass")


def name_of(secret: str) -> str:
    """A safe name for a file of a secret, whose ids are short ASCII words."""
    return f"file-{secret.removeprefix('sec_')[:8]}"
