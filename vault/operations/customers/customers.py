"""The customers of the business."""

from sqlalchemy import select

from vault.errors import Conflict, Invalid
from vault.languages import LANGUAGES
from vault.model.tables import Customer
from vault.model.views import CustomerView
from vault.operations import showing
from vault.operations.asking import may
from vault.operations.customers.visits import link_hash
from vault.operations.people.altering import new_subject
from vault.operations.vault import Vault
from vault.storage.reading import Reading
from vault.storage.unit import Unit, operation
from vault.values import Actor, MailAddress, Title, new_id


async def add(
    vault: Vault,
    actor: Actor,
    name: str,
    mail: str,
    language: str = LANGUAGES[0],
    *,
    once: bool = False,
) -> CustomerView:
    """Add a customer, who is written to in that language.

    With `once` there must be none with that address yet: a form that is sent twice adds one. Raises NotSignedIn,
    Denied, Invalid, Conflict, Sealed.
    """
    await vault.read(may, actor, "customer.add")  # before a key is made for nothing; judged again below
    customer, generation = await prepared(vault, name, mail, language)
    view: CustomerView = await vault.perform(_added, actor, customer, generation, once)
    return view


async def prepared(vault: Vault, name: str, mail: str, language: str) -> tuple[Customer, int]:
    """A customer who is still to be put into the vault, their key durable in a keyring of that generation.

    Whoever asks for it has been judged. Raises Invalid, Sealed, NotRecorded.
    """
    parsed = Title.parse(name, "a customer's name", "/name")
    address = MailAddress.parse(mail)
    if language not in LANGUAGES:
        raise Invalid("customers are written to in English (en) or in German (de)", "/language")
    customer = Customer(id=new_id("cus"), name=parsed.text, mail=address.text, language=language)
    return customer, await new_subject(vault, customer.id)


@operation("customer.add")
def _added(unit: Unit, actor: Actor, customer: Customer, generation: int, once: bool) -> CustomerView:
    person = may(unit, actor, "customer.add")
    unit.about(customer=customer.id)
    put_customer(unit, customer, person.id, generation, once=once)
    return showing.customer(customer)


def put_customer(unit: Unit, customer: Customer, by: str, generation: int, *, once: bool) -> None:
    """Add a prepared customer as part of another change, for whoever `by` is, who has been judged.

    With `once` there must be none with that address yet. Raises Conflict.
    """
    if once and unit.find_all_unchecked(Customer, mail=customer.mail):
        raise Conflict("there is a customer with this address already")
    unit.disclose(customer.id, name=customer.name, mail=customer.mail)
    customer.added_by = by
    customer.created_at = unit.now
    customer.link_hash = link_hash(unit, customer.id, customer.link_number)
    unit.keyring_is_at(generation)
    unit.insert(customer)


def customers(reading: Reading, actor: Actor) -> list[CustomerView]:
    """The customers by name, for coordinators. Raises NotSignedIn or Denied."""
    may(reading, actor, "customer.list")
    table = Customer.table()
    query = select(table).order_by(table.c.name, table.c.id)
    return [showing.customer(row) for row in reading.connection.execute(query)]
