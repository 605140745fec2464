"""The desktop's keyring, where the extra `keyring` is installed and a real one answers. Imported only when used."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from vault.errors import Unavailable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE = "valetkey"
_REAL = 1
"""The least priority of a recommended backend in keyring's own scale; below are plain files and nothing at all."""


@dataclass(frozen=True)
class Keyring:
    """A keyring that holds secrets for this desktop's user."""

    name: str
    backend: "KeyringBackend"

    def put(self, url: str, secret: str) -> bool:
        """Whether the keyring has kept the secret for that vault: it is read back, for some only seem to."""
        try:
            self.backend.set_password(_SERVICE, url, secret)
            return self.backend.get_password(_SERVICE, url) == secret
        except Exception:  # noqa: BLE001 (each backend has errors of its own, and the file is there for all)
            return False


def keyring() -> Keyring | None:
    """The keyring of this desktop; None without the extra, without a desktop, and for one that hides nothing."""
    if find_spec("keyring") is None:
        return None
    from keyring import get_keyring  # noqa: PLC0415 (it takes longer to import than most commands run)
    from keyring.backends.chainer import ChainerBackend  # noqa: PLC0415

    try:
        found = get_keyring()
        if isinstance(found, ChainerBackend):  # it would fall back to its weakest
            found = found.backends[0]
        if found.priority < _REAL:
            return None
    except Exception:  # noqa: BLE001 (as above)
        return None
    return Keyring(str(found.name), found)


def get(url: str) -> str:
    """What the keyring has for that vault; nothing when it was deleted. Raises Unavailable when it does not answer."""
    found = keyring()
    try:
        if found is not None:
            return found.backend.get_password(_SERVICE, url) or ""
    except Exception:  # noqa: BLE001 (as above)
        found = None
    raise Unavailable("the keyring that has your session is locked, or is not there").hinting(
        "Unlock it, or sign in again: valetkey login URL"
    )


def forget(url: str) -> None:
    """Delete what the keyring has for that vault, as far as it answers."""
    found = keyring()
    try:
        if found is not None:
            found.backend.delete_password(_SERVICE, url)
    except Exception:  # noqa: BLE001 (as above; what it keeps then is of a session that has ended)
        return
