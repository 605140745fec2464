"""What a kind of secret is made of, the registry of all kinds, and how a secret is spelt when it is sealed."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, TypeVar

from vault.errors import Invalid
from vault.model.files import read_file
from vault.model.otpauth import read_otpauth
from vault.model.sshkeys import read_key
from vault.model.verdict import Verdict
from vault.sentences import Sentence

LONGEST_PAYLOAD = 1536 * 1024
"""Bytes of all fields of one secret together, as JSON: a file of 1 MiB in base64, with its name."""

_UNTYPED = re.compile(r"[\x00\ud800-\udfff]")

Reader = Literal["", "ssh-key", "ssh-command", "otpauth", "file"]
"""Who reads along while a field is filled in, and says at once what it is: one module of the browser each."""

READERS: Mapping[str, Callable[[str], Verdict]] = {
    "ssh-key": read_key,
    "otpauth": read_otpauth,
    "file": read_file,
}
"""Those whose verdict counts: what they call wrong is refused. The other one only helps to fill in a form."""


@dataclass(frozen=True)
class Field:
    """One thing to type.

    `pattern` is a regular expression that Python and browsers read alike, `wrong` the sentence for what does
    not match it; `longest` counts code points. `choices` are all values there are, where there are few;
    `example` is a value that would be right.
    """

    name: str
    title: str
    hint: str = ""
    secret: bool = False
    required: bool = True
    multiline: bool = False
    longest: int = 255
    pattern: str = ""
    wrong: str = ""
    default: str = ""
    autocomplete: str = "off"
    inputmode: str = "text"
    reads: Reader = ""
    example: str = ""
    choices: tuple[str, ...] = ()

    @property
    def missing(self) -> Sentence:
        """What a person reads who left it empty."""
        if self.choices:
            return Sentence("Choose the %(field)s", field=self.called)
        return Sentence("Enter the %(field)s", field=self.called)

    @property
    def called(self) -> Sentence:
        """Its title within a sentence."""
        return Sentence.within(self.title)

    @cached_property
    def _matches(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def check(self, value: str) -> None:
        """Raise Invalid, pointing at this field, for a value nobody could log in with. Nothing is trimmed."""
        pointer = f"/fields/{self.name}"
        if not value:
            if self.required:
                raise Invalid(self.missing, pointer)
            return
        if len(value) > self.longest:
            raise Invalid(
                Sentence(
                    "%(field)s can have at most %(longest)s characters",
                    field=Sentence(self.title),
                    longest=self.longest,
                ),
                pointer,
            )
        if _UNTYPED.search(value):
            raise Invalid(
                Sentence("%(field)s holds a character that no keyboard types", field=Sentence(self.title)),
                pointer,
            )
        if not self.multiline and ("\n" in value or "\r" in value):
            raise Invalid(Sentence("%(field)s is one line", field=Sentence(self.title)), pointer)
        if self.choices and value not in self.choices:
            raise Invalid(Sentence("Choose the %(field)s from the list", field=self.called), pointer)
        if self.pattern and not self._matches.fullmatch(value):
            raise Invalid(self.wrong, pointer)
        if self.reads in READERS and (verdict := READERS[self.reads](value)).kind == "wrong":
            raise Invalid(verdict.sentence, pointer)


class Kind:
    """One kind of secret. Its name is set where it is registered and is never used again for another one."""

    name: ClassVar[str]
    title: ClassVar[str]
    hint: ClassVar[str] = ""
    """A sentence for the customer above the fields."""
    because: ClassVar[str]
    """Why such a secret can be needed at all, for a catalogue that does not say it better."""
    fields: ClassVar[tuple[Field, ...]]
    """What a customer gives."""
    made: ClassVar[tuple[Field, ...]] = ()
    """What the core made and keeps beside it."""
    all_fields: ClassVar[tuple[Field, ...]]
    """Given and made: what can be revealed."""
    extraordinary: ClassVar[bool] = False
    """Never stored normally: it needs a written necessity and a second person."""
    codes: ClassVar[str] = ""
    """The field of which one-time codes are made; then codes are all that is ever made of it, and no field opens."""
    instead: ClassVar[str] = ""
    """The kind that a customer may rather give, because it needs no password of theirs."""

    @classmethod
    def field(cls, name: str) -> Field:
        """Find its field of that name, given or made. Raises Invalid for one that it does not have."""
        for field in cls.all_fields:
            if field.name == name:
                return field
        raise Invalid("this kind of secret has no such field", "/field")

    @classmethod
    def check(cls, fields: Mapping[str, str]) -> None:
        """Raise Invalid, with a pointer like `/fields/host`, at the first wrong, missing or unknown field."""
        known = {field.name for field in cls.fields}
        if not known.issuperset(fields):
            raise Invalid("there is a field that this kind of secret does not have", "/fields")
        for field in cls.fields:
            field.check(fields.get(field.name, ""))
        cls.agree(fields)

    @classmethod
    def faults(cls, fields: Mapping[str, str]) -> dict[str, str]:
        """Name every wrong or missing field of this kind, with its sentence. Empty means that `check` passes."""
        found: dict[str, str] = {}
        for field in cls.fields:
            try:
                field.check(fields.get(field.name, ""))
            except Invalid as fault:
                found[field.name] = fault.sentence
        if not found:
            try:
                cls.agree(fields)
            except Invalid as fault:
                found[fault.pointer.removeprefix("/fields/")] = fault.sentence
        return found

    @classmethod
    def agree(cls, fields: Mapping[str, str]) -> None:
        """Raise Invalid where fields, each right by itself, cannot be right together. Quick enough for a form."""

    @classmethod
    def judge(cls, fields: Mapping[str, str]) -> None:
        """Raise Invalid for what only work finds out, like a passphrase that opens nothing. May take a second."""


KINDS: dict[str, type[Kind]] = {}

K = TypeVar("K", bound=type[Kind])


def kind(name: str) -> Callable[[K], K]:
    """Register a kind under its name. A taken name, and one field name given and made, fail at import."""

    def register(cls: K) -> K:
        if name in KINDS:
            raise TypeError(f"two kinds are called {name}")
        cls.all_fields = cls.fields + cls.made
        if len({field.name for field in cls.all_fields}) != len(cls.all_fields):
            raise TypeError(f"two fields of {name} are called the same")
        cls.name = name
        KINDS[name] = cls
        return cls

    return register


def kind_named(name: str) -> type[Kind]:
    """Find the kind of that name. Raises Invalid for one that does not exist."""
    if name not in KINDS:
        raise Invalid("there is no such kind of secret", "/kind")
    return KINDS[name]


def judge(kind: str, fields: Mapping[str, str]) -> None:
    """Raise Invalid for whatever can be known to be wrong with a secret. May take a second: not on the event loop."""
    found = kind_named(kind)
    found.check(fields)
    found.judge(fields)


def pack_fields(fields: Mapping[str, str]) -> bytes:
    """Write what is sealed of a secret: JSON in UTF-8, keys sorted, each value as typed. Raises Invalid."""
    text = json.dumps(
        {"fields": dict(fields), "v": 1}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    try:
        packed = text.encode()
    except UnicodeEncodeError:
        raise Invalid("there is a character that no keyboard types", "/fields") from None
    if len(packed) > LONGEST_PAYLOAD:
        raise Invalid("that is more than a login can be", "/fields")
    return packed


def unpack_fields(packed: bytes) -> dict[str, str]:
    """Read the fields of an opened secret, unchecked against its kind. Raises Invalid for anything else."""
    if len(packed) > LONGEST_PAYLOAD:
        raise Invalid("that is more than a login can be", "/fields")
    try:
        payload = json.loads(packed)
    except (ValueError, RecursionError):
        raise Invalid("what was sealed is not a secret of this vault", "/fields") from None
    match payload:
        case {"fields": dict() as fields, "v": 1, **rest} if not rest and all(
            isinstance(value, str) for value in fields.values()
        ):
            return fields
    raise Invalid("what was sealed is not a secret of this vault", "/fields")
