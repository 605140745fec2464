"""JSON with one meaning (RFC 7493): whoever reads it reads the same, and nothing of it grows beyond its bounds."""

import json
import math
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

from vault.errors import Invalid

MOST_FIELDS = 100
"""Of one object or form. Each unknown field costs a validator a hundred times what it costs its sender."""
MOST_DEEP = 16
LARGEST_INTEGER = 2**53 - 1
"""The largest that every reader of JSON keeps exact (RFC 7493, 2.2)."""


def read_json(body: bytes, most_fields: int = MOST_FIELDS) -> Any:
    """The value of a JSON text that has one meaning only.

    UTF-8; no NaN or Infinity, no number beyond exactness, no name twice, no NUL, no lone surrogate; at most
    `most_fields` names an object and MOST_DEEP levels. Raises Invalid and never repeats the text.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_number,
            object_pairs_hook=partial(_object, most_fields),
        )
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise Invalid("the body is not JSON in UTF-8") from None
    except RecursionError:
        raise Invalid("the body is nested too deep") from None
    _walk(value, MOST_DEEP, escapes=b"\\u" in body)
    return value


def _no_constant(_name: str) -> NoReturn:
    raise Invalid("JSON knows neither NaN nor Infinity")


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(number := int(digits)) > LARGEST_INTEGER:  # noqa: PLR2004 (a sign and 16 digits)
        raise Invalid("a number in the body is too large")
    return number


def _number(digits: str) -> float:
    if len(digits) > 40 or not math.isfinite(number := float(digits)):  # noqa: PLR2004 (more digits than a double has)
        raise Invalid("a number in the body is too large")
    return number


def _object(most_fields: int, pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    if len(pairs) > most_fields:
        raise Invalid("an object in the body has too many fields")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("an object in the body has the same field twice")
    return found


def _walk(value: Any, left: int, *, escapes: bool) -> None:
    """Raises Invalid for nesting, and for characters that only an escape could bring past the decoder."""
    if isinstance(value, str):
        if escapes and any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in value):
            raise Invalid("a text in the body holds NUL or half a character")
    elif isinstance(value, dict):
        if left == 0:
            raise Invalid("the body is nested too deep")
        for name, member in value.items():
            _walk(name, left - 1, escapes=escapes)
            _walk(member, left - 1, escapes=escapes)
    elif isinstance(value, list):
        if left == 0:
            raise Invalid("the body is nested too deep")
        for member in value:
            _walk(member, left - 1, escapes=escapes)
