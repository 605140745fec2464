"""Registering a service and asking its customer in one go, each step an operation. The answer says how far it came."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.responses import Response

from api.depends import CheckedForm, PageActor, TheVault
from api.pages import days
from api.pages.asking import Question, asked_page, fault_in, refused, usual
from api.pages.proving import NO_FAULTS, Faults, sentence_of, text
from api.pages.sheet import OwnSheet, PageRoute, Sheet
from api.pages.work import Work, begin
from vault.errors import Conflict, Invalid, VaultError
from vault.languages import LANGUAGES, NAMES
from vault.model.views import CustomerView, RequestView, ServiceTypeView, ServiceView, TicketView
from vault.operations.customers import customers, requests
from vault.operations.people import staff
from vault.operations.services import catalogue, services
from vault.operations.vault import Vault
from vault.values import Actor, MailAddress, Title, to_datetime

router = APIRouter(prefix="/services/new", route_class=PageRoute, include_in_schema=False)

NEW = "new"
"""What stands for a customer who is not here yet."""
NOTHING_ASKED, NO_WORK = Question((), "", pin=False), Work()
FIELDS = ("customer", "name", "mail", "language", "type", "title", "ends_at", "kinds", "deliver", "number")


@dataclass(frozen=True)
class Order:
    """What the form says: for whom, what, until when, what is asked, and who works on it."""

    customer: str = NEW
    name: str = ""
    mail: str = ""
    language: str = LANGUAGES[0]
    same_mail: bool = False
    """It is another customer who has the same address as one who is here."""
    type: str = ""
    shown: str = ""
    """The type for which the rest of the form was shown; while it is another one, nothing is registered yet."""
    title: str = ""
    ends_at: str = ""
    offset: str = ""
    ask: bool = True
    question: Question = NOTHING_ASKED
    work: Work = NO_WORK

    @classmethod
    def of(cls, form: FormData) -> "Order":
        """What was filled in."""
        return cls(
            customer=text(form, "customer", 40),
            name=text(form, "name"),
            mail=text(form, "mail"),
            language=text(form, "language", 10),
            same_mail="same_mail" in form,
            type=text(form, "type", 200),
            shown=text(form, "shown", 200),
            title=text(form, "title"),
            ends_at=text(form, "ends_at", 20),
            offset=text(form, "offset", 10),
            ask="ask" in form,
            question=Question.of(form),
            work=Work.of(form),
        )


@dataclass(frozen=True)
class House:
    """What can be chosen from: read anew for every look at the form."""

    customers: list[CustomerView]
    types: list[ServiceTypeView]
    services: list[ServiceView]
    now: datetime

    def customer(self, customer_id: str) -> CustomerView | None:
        """The customer with that id."""
        return next((one for one in self.customers if one.id == customer_id), None)

    def type(self, name: str) -> ServiceTypeView | None:
        """The service type of that name."""
        return next((one for one in self.types if one.name == name), None)

    def with_mail(self, mail: str) -> CustomerView | None:
        """A customer who has that address already."""
        return next((one for one in self.customers if one.mail == mail.strip().lower()), None)

    def twin(self, order: Order) -> ServiceView | None:
        """An open service of the same customer and type with the same title, as a form that is sent twice finds it."""
        try:
            title = Title.parse(order.title).text
        except Invalid:
            return None
        like = (order.customer, order.type, title, "open")
        return next(
            (one for one in self.services if (one.customer.id, one.type, one.title, one.state) == like), None
        )


async def _house(vault: Vault, actor: Actor) -> House:
    return House(
        await vault.read(customers.customers, actor),
        await vault.read(catalogue.service_types, actor),
        await vault.read(services.services, actor),
        to_datetime(vault.now()),
    )


async def _page(
    vault: Vault,
    actor: Actor,
    sheet: Sheet,
    house: House,
    order: Order,
    faults: Faults = NO_FAULTS,
    **context: Any,
) -> Response:
    proposed = {
        one.name: {
            "usual": usual(vault, one),
            "day": days.usual_day(house.now, one.longest_life_days),
            "latest": days.latest_day(house.now, one.longest_life_days),
        }
        for one in house.types
    }
    return sheet.shown(
        "register.html",
        faults.status,
        house=house,
        of=house.type(order.type),
        typed=order,
        proposed=proposed,
        people=await vault.read(staff.people, actor),
        mailing=bool(vault.settings.smtp_host),
        languages=NAMES,
        faults=faults.said,
        **({"twin": None, "taken": None, "added": None} | context),
    )


@router.get("", name="service.register")
async def form(
    vault: TheVault,
    actor: PageActor,
    sheet: OwnSheet,
    customer: str = "",
    type: str = "",  # noqa: A002 (as in the form)
) -> Response:
    """Ask for whom, what, until when."""
    house = await _house(vault, actor)
    chosen = house.types[0].name if len(house.types) == 1 else type
    order = Order(customer=customer if house.customer(customer) else NEW, type=chosen)
    return await _page(vault, actor, sheet, house, _proposed(vault, house, order))


def _proposed(vault: Vault, house: House, order: Order) -> Order:
    """The order with what is usual for its type wherever that is not the type that was shown."""
    of = house.type(order.type)
    if of is None:
        return order
    former = house.type(order.shown)
    return replace(
        order,
        shown=of.name,
        title=of.title if order.title in ("", former.title if former else "") else order.title,
        ends_at=days.usual_day(house.now, of.longest_life_days).isoformat(),
        question=replace(usual(vault, of), pin=order.question.pin),
        ask=order.ask or not order.shown,
    )


@router.post("", name="service.register")
async def register(vault: TheVault, actor: PageActor, sheet: OwnSheet, given: CheckedForm) -> Response:
    """Register it, ask the customer, open the ticket: as far as it goes, and the answer says how far that was."""
    order = Order.of(given)
    house = await _house(vault, actor)
    of = house.type(order.type)
    if of is None:
        return await _page(vault, actor, sheet, house, order, Faults({"type": "Choose what it is."}, 422))
    if order.type != order.shown:  # without JavaScript: only now is it known what to ask for
        return await _page(vault, actor, sheet, house, _proposed(vault, house, order))
    wrong = _faults(vault, house, order, of)
    known = await _known_already(vault, actor, sheet, house, order, wrong)
    if known or wrong:
        return known or await _page(vault, actor, sheet, house, order, Faults(wrong, 422))
    added = None
    try:
        if order.customer == NEW:
            added = await customers.add(
                vault, actor, order.name, order.mail, order.language, once=not order.same_mail
            )
            order = replace(order, customer=added.id)  # once, however often the rest is refused
        end = days.end_of(order.ends_at, order.offset, house.now, of.longest_life_days)
        service = await services.register(vault, actor, order.customer, of.name, order.title, end, once=True)
    except VaultError as refusal:
        faults = refused(refusal, *FIELDS)
        house = await _house(vault, actor)
        if isinstance(refusal, Conflict):  # the same form was sent twice, or somebody was faster
            known = await _known_already(vault, actor, sheet, house, order, {})
        return known or await _page(vault, actor, sheet, house, order, faults, added=added)
    return await _what_follows(vault, actor, sheet, service, order)


async def _known_already(
    vault: Vault, actor: Actor, sheet: Sheet, house: House, order: Order, wrong: dict[str, str]
) -> Response | None:
    """The form once more, where its service or its new customer is here already."""
    taken = house.with_mail(order.mail) if order.customer == NEW and not order.same_mail else None
    if taken:
        order = replace(order, customer=taken.id)
    twin = house.twin(order)
    if twin:
        title = "Such a service is registered already. Give this one another title, or go on with that one."
        faults = Faults({"title": title}, 409)
        return await _page(vault, actor, sheet, house, order, faults, twin=twin, taken=taken)
    if taken:
        here = f"{taken.name} has this address already, and is chosen now."
        faults = Faults(wrong | {"customer": here}, 422)
        return await _page(vault, actor, sheet, house, order, faults, taken=taken)
    return None


def _faults(vault: Vault, house: House, order: Order, of: ServiceTypeView) -> dict[str, str]:
    """Everything that is wrong, by field, before anything is done."""
    checks: dict[str, Callable[[], object]] = {
        "title": lambda: Title.parse(order.title, "a service's title", "/title"),
        "ends_at": lambda: days.end_of(order.ends_at, order.offset, house.now, of.longest_life_days),
    }
    faults = {}
    if order.customer == NEW:
        checks["name"] = lambda: Title.parse(order.name, "a customer's name", "/name")
        checks["mail"] = lambda: MailAddress.parse(order.mail)
    elif house.customer(order.customer) is None:
        faults["customer"] = "Choose for whom it is."
    if (order.work.title.strip() or order.work.people) and not order.work.number:
        faults["number"] = "Give the ticket its number, or leave all of it empty."
    for place, check in checks.items():
        try:
            check()
        except Invalid as refusal:
            faults[place] = sentence_of(refusal)
    return {place: faults[place] for place in FIELDS if place in faults} | (
        fault_in(vault, order.question) if order.ask else {}
    )


async def _what_follows(
    vault: Vault, actor: Actor, sheet: Sheet, service: ServiceView, order: Order
) -> Response:
    """Ask, then open the ticket. What is refused here undoes nothing, so the page says what is done and what is not."""
    request: RequestView | None = None
    ticket: TicketView | None = None
    why_not = ""
    missed: list[str] = []
    if order.ask:
        asked, deliver = order.question, order.question.deliver
        try:
            request = await requests.ask_customer(
                vault, actor, service.id, list(asked.kinds), deliver, pin=asked.pin
            )
        except VaultError as refusal:
            why_not = sentence_of(refusal)
    if order.work.number:
        try:
            ticket, missed = await begin(vault, actor, service, order.work)
        except VaultError as refusal:
            missed = [f"The ticket is not open. {sentence_of(refusal)}"]
    return asked_page(sheet, service, request, registered=True, why_not=why_not, missed=missed, ticket=ticket)
