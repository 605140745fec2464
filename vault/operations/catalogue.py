"""The catalogue: what types of services there are, what each may ask a customer for, and why."""

import re
import tomllib
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select

from vault.errors import Denied, Invalid
from vault.model.kinds import KINDS
from vault.model.tables import Agreement, ServiceType
from vault.model.views import AskedKind, ServiceTypeView
from vault.operations.asking import agreement_in_force, may
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor

LARGEST = 256 * 1024
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,7}", re.ASCII)


def _shown(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" and character not in "\t\n\r" for character in text):
        raise ValueError("there are characters that cannot be shown")
    return text


_Text = Annotated[str, AfterValidator(_shown)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Asked(_Strict):
    kind: str
    because: _Text = Field(min_length=10, max_length=300)


class _Type(_Strict):
    title: _Text = Field(min_length=1, max_length=120)
    needs: tuple[_Asked, ...] = ()
    may_ask: tuple[_Asked, ...] = ()
    longest_lease_minutes: int = Field(ge=5, le=24 * 60)
    longest_life_days: int = Field(ge=1, le=730)


class _Terms(_Strict):
    text: _Text = Field(min_length=20, max_length=20_000)


class _File(_Strict):
    agreement: _Terms
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
    types: dict[str, ServiceTypeView] = {}
    for name, body in read.service_types.items():
        place = f"/service-types/{name}"
        if not _NAME.fullmatch(name):
            raise Invalid(
                "a service type's name is small letters, digits and single hyphens", "/service-types"
            )
        kinds = [asked.kind for asked in (*body.needs, *body.may_ask)]
        if not kinds or len(set(kinds)) != len(kinds) or not set(kinds) <= set(KINDS):
            raise Invalid(f"name each kind once, out of: {', '.join(sorted(KINDS))}", place)
        types[name] = ServiceTypeView(
            name=name,
            title=body.title,
            needs=tuple(AskedKind(kind=one.kind, because=one.because) for one in body.needs),
            may_ask=tuple(AskedKind(kind=one.kind, because=one.because) for one in body.may_ask),
            longest_lease_minutes=body.longest_lease_minutes,
            longest_life_days=body.longest_life_days,
        )
    return read.agreement.text.strip(), types


async def apply(vault: Vault, actor: Actor, toml: str) -> list[str]:
    """Make the catalogue say what the file says: new and changed types, types no longer named, the agreement.

    Returns what changed, a line each. Running services keep what was registered. Raises Denied for anybody but the
    host's operator, and Invalid.
    """
    text, types = parse(toml)
    changed: list[str] = await vault.perform(_applied, actor, text, types)
    return changed


@operation("catalogue.apply")
def _applied(unit: Unit, actor: Actor, text: str, types: dict[str, ServiceTypeView]) -> list[str]:
    if actor.kind != "host":
        raise Denied("the catalogue is applied on the vault's host")
    changed: list[str] = []
    version = agreement_in_force(unit)
    present = unit.find(Agreement, id=version) if version else None
    if present is None or present.text != text:
        unit.insert(Agreement(id=version + 1, text=text, published_at=unit.now))
        changed.append(f"agreement: version {version + 1} is in force; everybody has to accept it")
    known = {row.id: row for row in unit.find_all(ServiceType)}
    for name, view in types.items():
        body = view.model_dump_json()
        row = known.pop(name, None)
        if row is None:
            unit.insert(ServiceType(id=name, body=body))
            changed.append(f"service type {name}: new")
        elif row.body != body or row.retired:
            unit.change(row, body=body, retired=False)
            changed.append(f"service type {name}: changed")
    for name, row in known.items():
        if not row.retired:
            unit.change(row, retired=True)
            changed.append(f"service type {name}: retired")
    unit.say(changes=str(len(changed)))
    return changed


def service_types(reading: Reading, actor: Actor) -> list[ServiceTypeView]:
    """The service types that are not retired, for all of the staff. Raises NotSignedIn."""
    may(reading, actor, "catalogue.read")
    table = ServiceType.table()
    rows: Any = reading.connection.execute(
        select(table).where(table.c.retired.is_(False)).order_by(table.c.id)
    )
    return [ServiceTypeView.model_validate_json(row.body) for row in rows]
