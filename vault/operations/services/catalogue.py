"""The catalogue: what types of services there are, what each may ask a customer for, and why."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlalchemy import select

from vault.errors import Denied, Invalid
from vault.model.kinds import KINDS
from vault.model.tables import Agreement, ServiceType
from vault.model.views import AskedKind, ServiceTypeView
from vault.operations.asking import agreement_in_force, may
from vault.operations.services import necessity
from vault.operations.vault import Vault
from vault.policy.approval import Approver, is_easier
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, clean_text

LARGEST = 256 * 1024
SHORTEST_GLASS = 5
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,7}", re.ASCII)


# -- the file ----------------------------------------------------------------------------------------------------------


def _text(what: str, longest: int, shortest: int = 1, *, one_line: bool = True) -> AfterValidator:
    def cleaned(raw: str) -> str:
        try:
            folded = clean_text(raw, what, longest, shortest)
        except Invalid as error:
            raise ValueError(str(error)) from None
        return folded if one_line else raw.strip()

    return AfterValidator(cleaned)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Asked(_Strict):
    kind: str
    because: Annotated[str, _text("a reason", 300, 10)]
    necessity: Annotated[str, _text("a necessity", 500, 20)] | None = None
    approval: Literal["coordinator", "customer"] | None = None


class _Type(_Strict):
    title: Annotated[str, _text("a title", 120)]
    needs: tuple[_Asked, ...] = ()
    may_ask: tuple[_Asked, ...] = ()
    longest_lease_minutes: int = Field(ge=5, le=24 * 60, strict=True)
    longest_life_days: int = Field(ge=1, le=730, strict=True)
    grace_days: int = Field(default=0, ge=0, le=30, strict=True)
    exclusive: bool = Field(default=False, strict=True)
    break_glass_minutes: int = Field(default=0, ge=0, le=60, strict=True)
    review_days: int = Field(default=3, ge=1, le=14, strict=True)

    @field_validator("break_glass_minutes")
    @classmethod
    def _long_enough(cls, minutes: int) -> int:
        if 0 < minutes < SHORTEST_GLASS:
            raise ValueError(f"a lease by broken glass lasts {SHORTEST_GLASS} to 60 minutes; 0 is never")
        return minutes


class _Agreement(_Strict):
    text: Annotated[str, _text("the agreement", 20_000, 20, one_line=False)]


class _File(_Strict):
    agreement: _Agreement
    service_types: dict[str, _Type] = Field(alias="service-types", max_length=200)


def parse(toml: str) -> tuple[str, dict[str, ServiceTypeView]]:
    """The agreement's text and the service types of a catalogue file. Raises Invalid and says where."""
    if len(toml) > LARGEST:
        raise Invalid("a catalogue has at most 256 KiB")
    try:
        read = _File.model_validate(tomllib.loads(toml))
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"the catalogue is not TOML: {error}") from None
    except RecursionError:
        raise Invalid("the catalogue is nested too deeply") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        message = first["msg"].removeprefix("Value error, ").lower()
        raise Invalid(message, "/" + "/".join(str(part) for part in first["loc"])) from None
    return read.agreement.text, {name: _view(name, body) for name, body in read.service_types.items()}


def _view(name: str, body: _Type) -> ServiceTypeView:
    place = f"/service-types/{name}"
    if not _NAME.fullmatch(name):
        raise Invalid("a service type's name is small letters, digits and single hyphens", "/service-types")
    kinds = [asked.kind for asked in (*body.needs, *body.may_ask)]
    askable = {kind for kind, of in KINDS.items() if not of.made}
    if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= askable:
        raise Invalid(f"name each kind once, out of: {', '.join(sorted(askable))}", place)
    return ServiceTypeView(
        name=name,
        title=body.title,
        needs=tuple(_asked(one, f"{place}/needs/{at}") for at, one in enumerate(body.needs)),
        may_ask=tuple(_asked(one, f"{place}/may_ask/{at}") for at, one in enumerate(body.may_ask)),
        longest_lease_minutes=body.longest_lease_minutes,
        longest_life_days=body.longest_life_days,
        grace_days=body.grace_days,
        exclusive=body.exclusive,
        break_glass_minutes=body.break_glass_minutes,
        review_days=body.review_days,
    )


def _asked(one: _Asked, place: str) -> AskedKind:
    if KINDS[one.kind].extraordinary and one.necessity is None:
        raise Invalid(f"{one.kind} is extraordinary: state its necessity", f"{place}/necessity")
    if not KINDS[one.kind].extraordinary and one.necessity is not None:
        raise Invalid(f"{one.kind} is not extraordinary: it has no necessity", f"{place}/necessity")
    return AskedKind(
        kind=one.kind,
        because=one.because,
        necessity=one.necessity or "",
        approval=one.approval or _usual(one.kind),
    )


def _usual(kind: str) -> Approver:
    """Whose yes a lease of a kind takes where its line does not say."""
    return "customer" if KINDS[kind].extraordinary else ""


# -- applying it -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """What has to be done so that the catalogue says what a file says, and the same in words."""

    agreement: Agreement | None
    new: list[ServiceTypeView]
    changed: list[tuple[ServiceType, ServiceTypeView]]
    retired: list[ServiceType]
    lines: list[str]
    loosened: dict[str, list[str]]
    """By service type what opens more easily: kinds whose leases take an easier yes than before, and its rules."""


async def apply(vault: Vault, actor: Actor, toml: str, *, dry_run: bool = False) -> list[str]:
    """Make the catalogue say what the file says: new and changed types, types no longer named, the agreement.

    Returns what changed, a line each; with `dry_run` the same lines, and nothing changes. The end of a running service
    stays as registered. Raises Denied for anybody but the host's operator, and Invalid.
    """
    text, types = parse(toml)
    if dry_run:
        return (await vault.read(_plan, actor, text, types)).lines
    changed: list[str] = await vault.perform(_applied, actor, text, types)
    return changed


@operation("catalogue.apply")
def _applied(unit: Unit, actor: Actor, text: str, types: dict[str, ServiceTypeView]) -> list[str]:
    plan = _plan(unit, actor, text, types)
    if plan.agreement is not None:
        unit.insert(plan.agreement)
    for view in plan.new:
        unit.insert(ServiceType(id=view.name, body=view.model_dump_json()))
    for row, view in plan.changed:
        unit.change(row, body=view.model_dump_json(), retired=False)
    for row in plan.retired:
        unit.change(row, retired=True)
    unit.say(changes=str(len(plan.lines)))
    if plan.loosened:
        unit.say(loosened=" ".join(f"{name}:{','.join(kinds)}" for name, kinds in plan.loosened.items()))
    return plan.lines


def _plan(reading: Reading, actor: Actor, text: str, types: dict[str, ServiceTypeView]) -> _Plan:
    if actor.kind != "host":
        raise Denied("the catalogue is applied on the vault's host")
    plan = _Plan(_new_agreement(reading, text), [], [], [], [], {})
    if plan.agreement is not None:
        plan.lines.append(f"agreement: version {plan.agreement.id} is in force; everybody has to accept it")
    known = {row.id: row for row in reading.find_all(ServiceType)}
    for name, view in types.items():
        row = known.pop(name, None)
        before = None if row is None else ServiceTypeView.model_validate_json(row.body)
        if row is None:
            plan.new.append(view)
        elif before != view or row.retired:
            plan.changed.append((row, view))
        said = [*_said(before, view, was_retired=row is not None and row.retired)]
        said += _still_to_approve(reading, before, view)
        loosened = _loosened(before, view)
        if loosened:
            plan.loosened[name] = loosened
        plan.lines.extend(f"service type {name}: {one}" for one in said)
    for name, row in known.items():
        if not row.retired:
            plan.retired.append(row)
            plan.lines.append(f"service type {name}: retired")
    return plan


def _new_agreement(reading: Reading, text: str) -> Agreement | None:
    version = agreement_in_force(reading)
    present = reading.find(Agreement, id=version) if version else None
    if present is not None and present.text == text:
        return None
    return Agreement(id=version + 1, text=text, published_at=reading.now)


def _said(before: ServiceTypeView | None, after: ServiceTypeView, *, was_retired: bool) -> Iterator[str]:
    """What is different of a service type, in words."""
    if before is None:
        yield "new"
        return
    if was_retired:
        yield "back again"
    if before.title != after.title:
        yield f"is called “{after.title}”"
    for what, name, unit in (
        ("longest lease", "longest_lease_minutes", "minutes"),
        ("longest life", "longest_life_days", "days"),
        ("grace", "grace_days", "days"),
    ):
        was, is_now = getattr(before, name), getattr(after, name)
        if was != is_now:
            yield f"{what} {is_now} {unit} instead of {was}"
    yield from _said_of_lending(before, after)
    yield from _said_of_kinds(before, after)


def _said_of_lending(before: ServiceTypeView, after: ServiceTypeView) -> Iterator[str]:
    if before.exclusive != after.exclusive:
        yield (
            "lends each login to one person at a time"
            if after.exclusive
            else "lends a login to several at a time"
        )
    was, is_now = before.break_glass_minutes, after.break_glass_minutes
    if was != is_now and not is_now:
        yield "nobody breaks the glass any more"
    elif was != is_now:
        yield f"where nobody can say yes, the glass can be broken for {is_now} minutes" + (
            f" instead of {was}" if was else ""
        )
    if before.review_days != after.review_days:
        yield f"broken glass is reviewed within {after.review_days} days instead of {before.review_days}"


def _said_of_kinds(before: ServiceTypeView, after: ServiceTypeView) -> Iterator[str]:
    was, is_now = _by_kind(before), _by_kind(after)
    for kind in was:
        if kind not in is_now:
            yield f"asks for no {kind} any more{_kept(was[kind][1], '')}"
    for kind, (way, asked) in is_now.items():
        if kind not in was or was[kind][0] != way:
            yield f"{way} {kind} now"
        if kind in was and was[kind][1].because != asked.because:
            yield f"another reason for {kind}"
        if kind in was and was[kind][1].necessity != asked.necessity:
            yield f"another necessity for {kind}"
        if (was[kind][1].approval if kind in was else _usual(kind)) != asked.approval:
            kept = _kept(was[kind][1], asked.approval) if kind in was else ""
            yield f"each lease of {kind} takes {_YES[asked.approval]}{kept}"
    common = [kind for kind in was if kind in is_now]
    if common != [kind for kind in is_now if kind in was]:
        yield "another order of kinds"


_YES = {
    "": "nobody else's yes any more",
    "coordinator": "a coordinator's yes",
    "customer": "the customer's yes",
}


def _loosened(before: ServiceTypeView | None, after: ServiceTypeView) -> list[str]:
    """What opens more easily than before: kinds by whose yes a lease takes, and the rules of the type itself."""
    if before is None:
        return []
    is_now = {kind: asked.approval for kind, (_, asked) in _by_kind(after).items()}
    rules = {
        "exclusive": before.exclusive and not after.exclusive,
        "break_glass_minutes": after.break_glass_minutes > before.break_glass_minutes,
        "review_days": after.break_glass_minutes > 0 and after.review_days > before.review_days,
    }
    return [
        *(
            kind
            for kind, (_, was) in _by_kind(before).items()
            if is_easier(is_now.get(kind, ""), was.approval)
        ),
        *(rule for rule, is_looser in rules.items() if is_looser),
    ]


def _kept(was: AskedKind, approval: str) -> str:
    """What a looser line says of the secrets that customers were asked for under the former one."""
    if KINDS[was.kind].extraordinary or not is_easier(approval, was.approval):
        return ""
    return f"; what customers were asked for before keeps taking {_YES[was.approval]}"


def _by_kind(of: ServiceTypeView) -> dict[str, tuple[str, AskedKind]]:
    needed = {one.kind: ("needs", one) for one in of.needs}
    return needed | {one.kind: ("may ask for", one) for one in of.may_ask}


def _still_to_approve(
    reading: Reading, before: ServiceTypeView | None, after: ServiceTypeView
) -> Iterator[str]:
    """The extraordinary lines that are other than before, and wait for their second person."""
    known = set(necessity.lines_of(before)) if before else set()
    for line in necessity.lines_of(after):
        if line not in known and not necessity.is_approved(reading, line):
            yield f"{line.kind} waits for an administrator's approval"


# -- reading it --------------------------------------------------------------------------------------------------------


def service_types(reading: Reading, actor: Actor) -> list[ServiceTypeView]:
    """The service types that are not retired, for all of the staff, with what is approved. Raises NotSignedIn."""
    may(reading, actor, "catalogue.read")
    table = ServiceType.table()
    rows: Any = reading.connection.execute(
        select(table).where(table.c.retired.is_(False)).order_by(table.c.id)
    )
    return [necessity.shown(reading, ServiceTypeView.model_validate_json(row.body)) for row in rows]
