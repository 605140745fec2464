"""How a command ends: one table from what went wrong to sysexits, and an error put into words."""

import errno
import os
from urllib.parse import urlsplit

from vault import errors
from vault.errors import VaultError

INTERRUPTED = 130
CLOSED_PIPE = 141
NOT_VERIFIED = 1


class Misconfigured(errors.Invalid):
    """A setting of this deployment cannot be right."""

    hint = "Correct it in /etc/valetkey/valetkey.toml or in the VALETKEY_ variable of that name."


EXITS: dict[type[VaultError], int] = {
    Misconfigured: os.EX_CONFIG,
    errors.Invalid: os.EX_DATAERR,
    errors.NotSignedIn: os.EX_NOPERM,
    errors.Denied: os.EX_NOPERM,
    errors.NotAgreed: os.EX_NOPERM,
    errors.Resting: os.EX_NOPERM,
    errors.PinNeeded: os.EX_NOPERM,
    errors.StaleProof: os.EX_NOPERM,
    errors.ProofNeeded: os.EX_NOPERM,
    errors.NotFound: os.EX_NOINPUT,
    errors.Conflict: os.EX_CANTCREAT,
    errors.Ended: os.EX_NOINPUT,
    errors.TooMany: os.EX_TEMPFAIL,
    errors.Unavailable: os.EX_UNAVAILABLE,
    errors.Sealed: os.EX_UNAVAILABLE,
    errors.Busy: os.EX_TEMPFAIL,
    errors.NotRecorded: os.EX_IOERR,
    errors.ClockInDoubt: os.EX_UNAVAILABLE,
    errors.Tampered: os.EX_PROTOCOL,
    VaultError: os.EX_SOFTWARE,
}

BY_STATUS: dict[int, type[VaultError]] = {
    400: errors.Invalid,
    401: errors.NotSignedIn,
    403: errors.Denied,
    404: errors.NotFound,
    405: errors.NotFound,
    409: errors.Conflict,
    410: errors.Ended,
    413: errors.Invalid,
    415: errors.Invalid,
    421: errors.Denied,
    422: errors.Invalid,
    429: errors.TooMany,
    503: errors.Unavailable,
}
"""For answers that do not name a class of vault.errors themselves: a proxy's, or a newer server's."""

_BY_ERRNO = {
    errno.ENOENT: os.EX_NOINPUT,
    errno.EISDIR: os.EX_NOINPUT,
    errno.ENOTDIR: os.EX_NOINPUT,
    errno.EACCES: os.EX_NOPERM,
    errno.EPERM: os.EX_NOPERM,
    errno.EEXIST: os.EX_CANTCREAT,
    errno.EROFS: os.EX_CANTCREAT,
}


def _spelt(name: str) -> str:
    """Fold `StaleProof`, `stale-proof` and `urn:valetkey:stale_proof` into one spelling."""
    return "".join(character for character in name.lower() if character.isalpha())


_BY_NAME = {_spelt(cls.__name__): cls for cls in EXITS}


def refusal(name: str, status: int, message: str, hint: str = "", pointer: str = "") -> VaultError:
    """Rebuild the server's no as the error that it was there.

    `name` is a class name, or a problem type that ends in one. An unknown name is read by its
    HTTP status; an unknown status is Unavailable.
    """
    last = urlsplit(name).path.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    cls = _BY_NAME.get(_spelt(last)) or BY_STATUS.get(status, errors.Unavailable)
    error: VaultError
    if issubclass(cls, errors.ProofNeeded):
        error = cls(message, {})
    elif cls is errors.Invalid:
        error = cls(message, pointer)
    else:
        error = cls(message)
    return error.hinting(hint) if hint else error  # the server knows better than the class what helps here


def exit_status(error: BaseException) -> int:
    """Give the sysexits code of an error by its nearest class; EX_SOFTWARE for what nobody foresaw."""
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, os.EX_IOERR)
    if hasattr(error, "format_message"):
        return os.EX_USAGE  # Typer's own: an unknown option, a missing argument
    return next((EXITS[cls] for cls in type(error).__mro__ if cls in EXITS), os.EX_SOFTWARE)


def is_help(error: BaseException) -> bool:
    """Whether it is Typer's way of showing the help of a group that was called without a command."""
    return type(error).__name__ == "NoArgsIsHelpError"


def sentence(error: BaseException) -> tuple[str, str]:
    """Put an error into a message and a hint. Never a traceback, and of the unforeseen only its class."""
    if isinstance(error, VaultError):
        message = str(error) or (type(error).__doc__ or "").split("\n", 1)[0]
        # what Invalid hints at is a form with its fields; the command that was just typed is seen anyway
        return message, "" if error.hint == errors.Invalid.hint else error.hint
    if isinstance(error, OSError):
        where = f"{error.filename}: " if isinstance(error.filename, str) else ""
        what = error.strerror or type(error).__name__
        return f"{where}{what[:1].lower()}{what[1:]}", ""
    if callable(told := getattr(error, "format_message", None)):
        context = getattr(error, "ctx", None)
        return str(told()), f"{context.command_path} --help" if context else ""
    return (
        f"this should not have happened ({type(error).__name__})",
        "Please report the command and this line to the makers of Valetkey; nothing secret is in it.",
    )
