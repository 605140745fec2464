"""What a customer typed into a form without JavaScript, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from urllib.parse import parse_qsl

from api.intake.fallback import faults_of
from vault.errors import Invalid, NotFound
from vault.languages import Translation
from vault.model.doubts import doubt_of
from vault.model.kinds import Kind, kind_named
from vault.model.logins import read_login
from vault.model.messages import Form, FormItem
from vault.sentences import Sentence

_MOST_FIELDS = 30
_PREFIX = "field."
"""Before the names of a secret's fields, so that no kind can ever clash with the form's own."""
TAKEN_APART = Sentence("We took that line apart. Check what we made of it, and hand it over")
_NOT_OURS = Sentence("this form was not sent as its page sends it")


def form_fields(body: bytes) -> dict[str, str]:
    """Read a form's fields, byte for byte. Raises Invalid for other encodings and for a name given twice."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise Invalid(_NOT_OURS) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Invalid(_NOT_OURS)
    return fields


@dataclass(frozen=True)
class Answer:
    """The answer to one question of the form. `faults` are sentences by the name of their field."""

    item: FormItem
    kind: type[Kind]
    typed: Mapping[str, str] = field(default_factory=dict, repr=False)
    faults: Mapping[str, str] = field(default_factory=dict)
    doubt: str = ""
    """What the customer is asked about this content; empty when nothing is doubtful, or they are sure."""
    sure: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it can be sealed."""
        return not self.faults and not self.doubt

    @property
    def filled(self) -> dict[str, str]:
        """What was typed, without what was left empty: that is no part of a secret."""
        return {name: text for name, text in self.typed.items() if text}

    @property
    def shown(self) -> dict[str, str]:
        """What a page may write back: nothing that is secret."""
        return {one.name: self.typed.get(one.name, "") for one in self.kind.fields if not one.secret}

    def refused(self, item: FormItem, fault: Invalid) -> "Answer":
        """The same answer after the core has refused it, at the field that it names."""
        name = fault.pointer.removeprefix("/fields/")
        if fault.pointer == "/sure":
            return replace(self, item=item, doubt=fault.sentence, sure=False)
        known = any(one.name == name for one in self.kind.fields)
        return replace(self, item=item, faults={name if known else "": fault.sentence})

    def said(self, spoken: Translation) -> "Answer":
        """The same answer with its sentences in that language."""
        faults = {name: spoken.said(sentence) for name, sentence in self.faults.items()}
        return replace(self, faults=faults, doubt=spoken.said(self.doubt))


def kind_chosen(item: FormItem, wished: str) -> type[Kind]:
    """The kind that an item is answered with: the one that needs no password first, where there is one."""
    return kind_named(wished if wished and wished in {item.kind, item.instead} else item.instead or item.kind)


def judged(form: Form, fields: Mapping[str, str]) -> Answer:
    """Read the answer that a plain form gives, and say what is wrong with it.

    Raises NotFound when it was not asked for, Invalid for what the page's own form does not send.
    """
    item = next((one for one in form.items if one.secret == fields.get("secret")), None)
    if item is None:
        raise NotFound(Sentence("that was not asked for"))
    named = fields.get("kind", item.kind)
    if named not in {item.kind, item.instead}:
        raise Invalid(_NOT_OURS)
    kind = kind_named(named)
    own = {"secret", "kind", "sure", *(_PREFIX + one.name for one in kind.fields)}
    if not own.issuperset(fields):
        raise Invalid(_NOT_OURS)
    typed = {one.name: fields.get(_PREFIX + one.name, "") for one in kind.fields}
    for one in kind.fields:
        if one.multiline:  # browsers send each line break of a text area as CR LF, whatever was pasted
            typed[one.name] = typed[one.name].replace("\r\n", "\n")
    sure = fields.get("sure") == "yes"
    faults = faults_of(kind, typed)
    for one in kind.fields:
        if one.reads == "ssh-command" and one.name in faults and (login := read_login(typed[one.name])):
            typed |= {name: text for name, text in asdict(login).items() if text and name in typed}
            faults = {one.name: TAKEN_APART, **faults_of(kind, typed)}
    doubt = "" if faults or sure else doubt_of(kind.name, typed)
    return Answer(item, kind, typed, faults, doubt, sure)
