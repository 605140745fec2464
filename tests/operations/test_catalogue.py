"""The catalogue, the staff and what they have agreed to."""

from typing import Any

import pytest

from tests.operations.necessities import NECESSITY
from tests.refusals import answer, refused
from tests.world import CATALOGUE, LOGIN, World
from vault.errors import Conflict, Denied, Invalid, NotFound
from vault.ledger.entry import decode
from vault.model.kinds import KINDS
from vault.operations.people import sessions, staff
from vault.operations.services import catalogue, services
from vault.values import Actor

TERMS = '[agreement]\ntext = "I keep to myself what I see of customers."\n'
TYPE = """[service-types.care]
title = "Care"
longest_lease_minutes = 60
longest_life_days = 30
needs = [{ kind = "ssh-password", because = "to look after the shop" }]
"""


EACH = "each lease of ssh-password takes"


def stating(necessity: str) -> str:
    """The type, with a necessity on its line."""
    return TYPE.replace(' shop" }', f' shop", necessity = "{necessity}" }}')


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "toml",
    [
        "",
        "agreement = 1",
        TYPE,
        TERMS,
        "[[[",
        "a = " + "[" * 100_000,
        "\0",
        "x" * 300_000,
        TERMS + "[other]\n" + TYPE,
        TERMS.replace("I keep to myself what I see of customers.", "short") + TYPE,
        TERMS.replace("customers", "customers\\u0000") + TYPE,
        TERMS + TYPE.replace("care", "Care", 1),
        TERMS + TYPE.replace("care", '"a b"', 1),
        TERMS + TYPE.replace("care", "a-b-c-d-e-f-g-h-i", 1),
        TERMS + TYPE.replace("ssh-password", ""),
        TERMS + TYPE.replace("ssh-password", "ssh-added-key"),
        TERMS + TYPE.replace("ssh-password", "registrar"),
        TERMS + stating(NECESSITY),
        TERMS + stating("too short, that is").replace("ssh-password", "registrar"),
        TERMS + stating("x" * 501).replace("ssh-password", "registrar"),
        TERMS + stating(f"{NECESSITY}\\u202e").replace("ssh-password", "registrar"),
        TERMS + stating(" " * 30 + "x").replace("ssh-password", "registrar"),
        TERMS + TYPE.replace("= 30", "= 30\ngrace_days = -1"),
        TERMS + TYPE.replace("= 30", "= 30\ngrace_days = 31"),
        TERMS + TYPE.replace("= 30", "= 30\ngrace_days = true"),
        TERMS + TYPE.replace("= 30", "= 30\ngrace_days = 1.5"),
        *(
            TERMS + TYPE.replace("= 30", f"= 30\n{line}")
            for line in (
                "exclusive = 1",
                'exclusive = "yes"',
                "break_glass_minutes = 4",
                "break_glass_minutes = 61",
                "break_glass_minutes = -5",
                "break_glass_minutes = true",
                "review_days = 0",
                "review_days = 15",
            )
        ),
        TERMS + TYPE.replace('"Care"', '"Care\\u200b"'),
        TERMS + TYPE.replace("look after", "look\\u202eafter"),
        TERMS + TYPE.replace("to look after the shop", "because"),
        TERMS + TYPE.replace("= 60", "= 4"),
        TERMS + TYPE.replace("= 60", "= 100000"),
        TERMS + TYPE.replace("= 60", '= "an hour"'),
        TERMS + TYPE.replace("= 60", "= nan"),
        TERMS + TYPE.replace("= 30", "= true"),
        TERMS + TYPE.replace("= 30", "= 0"),
        TERMS + TYPE.replace("= 30", "= 1000000000000000000000000000000"),
        TERMS + TYPE.replace("needs", "wants"),
        TERMS + TYPE.replace("needs = [", "needs = [1, "),
        TERMS + TYPE + 'may_ask = [{ kind = "ssh-password", because = "to look after the shop" }]\n',
        TERMS + TYPE + "approvals = 1\n",
        TERMS + TYPE.replace("because", 'approval = "administrator", because'),
        TERMS + TYPE.replace("because", 'approval = "", because'),
        TERMS + TYPE.replace("because", "approval = true, because"),
        TERMS + TYPE.replace("because", 'approval = ["customer"], because'),
        TERMS + TYPE.split("needs", maxsplit=1)[0],
    ],
)
def test_a_catalogue_that_cannot_be_right_is_refused(toml: str) -> None:
    with pytest.raises(Invalid) as caught:
        catalogue.parse(toml)
    assert "to look after the shop" not in str(caught.value)
    catalogue.parse(TERMS + TYPE)


@pytest.mark.promise("P8")
@pytest.mark.parametrize(
    ("strict", "easier", "said"),
    [
        ("exclusive = true", "exclusive = false", "exclusive"),
        ("break_glass_minutes = 0", "break_glass_minutes = 5", "break_glass_minutes"),
        ("break_glass_minutes = 5", "break_glass_minutes = 6", "break_glass_minutes"),
        (
            "break_glass_minutes = 5\nreview_days = 3",
            "break_glass_minutes = 5\nreview_days = 4",
            "review_days",
        ),
    ],
)
def test_the_log_says_what_of_a_type_opens_more_easily_and_nothing_of_the_way_back(
    embedded: World, strict: str, easier: str, said: str
) -> None:
    def loosened(lines: str) -> str:
        embedded.run(
            catalogue.apply(embedded.vault, Actor.host(), TERMS + TYPE.replace("= 30", f"= 30\n{lines}"))
        )
        (body,) = embedded.sql("SELECT body FROM ledger_entry ORDER BY seq DESC LIMIT 1")[0]
        return decode(body.encode()).ids.get("loosened", "")

    assert [loosened(lines) for lines in (strict, easier, strict)] == ["", f"care:{said}", ""]


@pytest.mark.promise("P7")
@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if not kind.made])
def test_every_kind_can_be_asked_for_and_the_extraordinary_ones_with_a_necessity(kind: str) -> None:
    plain, stated = TYPE.replace("ssh-password", kind), stating(NECESSITY).replace("ssh-password", kind)
    right, wrong = (stated, plain) if KINDS[kind].extraordinary else (plain, stated)
    _, types = catalogue.parse(TERMS + right)
    assert types["care"].needs[0].kind == kind
    assert types["care"].needs[0].approval == ("customer" if KINDS[kind].extraordinary else "")
    with pytest.raises(Invalid, match="extraordinary") as caught:
        catalogue.parse(TERMS + wrong)
    assert caught.value.pointer == "/service-types/care/needs/0/necessity"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"Care"', '"Looking after"', ["is called “Looking after”"]),
        ("= 60", "= 45", ["longest lease 45 minutes instead of 60"]),
        ("= 30", "= 31", ["longest life 31 days instead of 30"]),
        ("= 30", "= 30\ngrace_days = 3", ["grace 3 days instead of 0"]),
        ("= 30", "= 30\nexclusive = true", ["lends each login to one person at a time"]),
        (
            "= 30",
            "= 30\nbreak_glass_minutes = 15\nreview_days = 5",
            [
                "where nobody can say yes, the glass can be broken for 15 minutes",
                "broken glass is reviewed within 5 days instead of 3",
            ],
        ),
        ("needs", "may_ask", ["may ask for ssh-password now"]),
        ("ssh-password", "ssh-key", ["asks for no ssh-password any more", "needs ssh-key now"]),
        ("to look after", "to care for", ["another reason for ssh-password"]),
        ("because", 'approval = "customer", because', [f"{EACH} the customer's yes"]),
        ("because", 'approval = "coordinator", because', [f"{EACH} a coordinator's yes"]),
        ("[{", "[{ kind = 'ftp', because = 'to copy the shop' }, {", ["needs ftp now"]),
        (
            "[{",
            "[{ kind = 'ftp', approval = 'customer', because = 'to copy the shop' }, {",
            ["needs ftp now", "each lease of ftp takes the customer's yes"],
        ),
    ],
)
def test_what_a_file_changes_is_said_line_by_line(
    embedded: World, before: str, after: str, said: list[str]
) -> None:
    vault, host = embedded.vault, Actor.host()
    embedded.run(catalogue.apply(vault, host, TERMS + TYPE))
    other = TERMS + TYPE.replace(before, after, 1)
    for dry_run in (True, False):
        lines = embedded.run(catalogue.apply(vault, host, other, dry_run=dry_run))
        assert lines == [f"service type care: {one}" for one in said]
    assert embedded.run(catalogue.apply(vault, host, other)) == []
    embedded.run(catalogue.apply(vault, host, TERMS + TYPE.replace("care", "cure", 1)))
    back = embedded.run(catalogue.apply(vault, host, other))
    assert back == ["service type care: back again", "service type cure: retired"]


def test_another_order_of_kinds_is_a_change_too(embedded: World) -> None:
    vault, host = embedded.vault, Actor.host()
    one, two = '{ kind = "ftp", because = "to copy the shop" }', '{ kind = "sftp", because = "to copy it" }'
    begun = TYPE.split("needs", maxsplit=1)[0]
    embedded.run(catalogue.apply(vault, host, f"{TERMS}{begun}needs = [{one}, {two}]\n"))
    changed = embedded.run(catalogue.apply(vault, host, f"{TERMS}{begun}needs = [{two}, {one}]\n"))
    assert changed == ["service type care: another order of kinds"]


@pytest.mark.promise("P2")
def test_the_host_applies_the_catalogue_and_hears_what_changed(world: World) -> None:
    vault, host = world.vault, Actor.host()
    assert world.run(catalogue.apply(vault, host, CATALOGUE)) == []
    changed = world.run(catalogue.apply(vault, host, CATALOGUE.replace("= 240", "= 120") + TYPE))
    assert changed == [
        "service type installation: longest lease 120 minutes instead of 240",
        "service type care: new",
    ]
    coordinator = world.actor("coordinator")
    assert [one.name for one in world.read(catalogue.service_types, coordinator)] == ["care", "installation"]
    assert world.run(catalogue.apply(vault, host, TERMS + TYPE)) == [
        "agreement: version 2 is in force; everybody has to accept it",
        "service type installation: retired",
    ]
    assert [one.name for one in world.read(catalogue.service_types, coordinator)] == ["care"]
    for actor in (world.actor("administrator"), Actor.core(), Actor.nobody("192.0.2.7", "api")):
        kind, *_ = answer(world, catalogue.apply(vault, actor, TERMS + TYPE))
        assert kind is Denied
    coordinator = world.actor("coordinator")
    world.perform(staff.agree, coordinator, 2)
    late = services.register(vault, coordinator, world.customer().id, "installation", "A shop", soon(world))
    assert answer(world, late)[0] is NotFound


def soon(world: World) -> Any:
    from vault.values import to_datetime

    return to_datetime(world.clock.wall() + 3_600_000_000)


@pytest.mark.promise("P2")
@pytest.mark.attack("AZ22")
def test_without_the_agreement_there_are_no_customers(embedded: World) -> None:
    from vault.operations.customers import customers
    from vault.operations.leases import checkout
    from vault.operations.services import tickets

    nina = embedded.hire("Nina New", "coordinator")
    token = embedded.sign_in(nina)
    actor = embedded.run(sessions.resolve(embedded.vault, token, "192.0.2.7", "api"))
    for look in (customers.customers, services.services, tickets.tickets, checkout.leases):
        with pytest.raises(Denied, match="agreement"):
            embedded.read(look, actor)
    assert not embedded.read(sessions.session, actor).person.agreed
    for version in (0, -1, 2, 10**30):
        with refused(embedded, Conflict, "agreement.accept"):
            embedded.perform(staff.agree, actor, version)
    embedded.perform(staff.agree, actor, embedded.read(staff.agreement, actor).version)
    assert embedded.read(sessions.session, actor).person.agreed
    assert embedded.read(services.services, actor) == []


def test_before_any_agreement_nobody_has_agreed(embedded: World) -> None:
    technician = embedded.actor("technician")
    embedded.sql("DELETE FROM agreement")
    embedded.sql(
        "DELETE FROM row_head WHERE row_id LIKE 'agreement:%'"
    )  # else the ledger knows that there was one
    with pytest.raises(NotFound):
        embedded.read(staff.agreement, technician)
    with refused(embedded, Conflict, "agreement.accept"):
        embedded.perform(staff.agree, technician, 0)
    assert not embedded.read(sessions.session, technician).person.agreed


def test_staff_are_added_on_the_host_with_one_address_and_roles_that_go_together(world: World) -> None:
    vault, host = world.vault, Actor.host()
    add = (vault, host, "Eve Else")
    since = world.size()
    enrolled = world.run(staff.add(*add, "eve@agency.example", ["technician", "coordinator"]))
    assert world.ledger(since) == ["staff.add ok"]
    assert enrolled.person.roles == ("coordinator", "technician")
    assert enrolled.person.state == "invited"
    assert enrolled.person.by_host
    with refused(world, Conflict, "staff.add"):
        world.run(staff.add(*add, " EVE@agency.example", ["auditor"]))
    for mail, roles in (
        ("eve2@agency.example", ["root"]),
        ("eve2@agency.example", []),
        ("eve2@agency.example", ["auditor", "technician"]),
        ("eve2@agency.example", ["administrator", "coordinator"]),
        ("eve2@agency.example", ["administrator", "auditor"]),
        ("no address", ["technician"]),
    ):
        with refused(world, Invalid):
            world.run(staff.add(*add, mail, roles))
    for actor in (world.actor("administrator"), Actor.core()):
        with refused(world, Denied, match="on the vault's host"):
            world.run(staff.add(vault, actor, "Eve Else", "eve2@agency.example", ["technician"]))
    names = [person.name for person in world.read(staff.staff, world.actor("administrator")).people]
    assert "Eve Else" in names
    world.perform(staff.disable, world.actor("administrator"), enrolled.person.id)
    assert world.sql("SELECT state FROM person WHERE id = :id", id=enrolled.person.id) == [("disabled",)]


def test_a_retired_type_still_governs_the_services_that_run_under_it(embedded: World) -> None:
    service = embedded.service()
    other = CATALOGUE.replace("[service-types.installation]", "[service-types.moving]")
    embedded.run(catalogue.apply(embedded.vault, Actor.host(), other))
    secret = embedded.give(service)
    lease = embedded.lease(embedded.ticket(service), secret)
    assert embedded.reveal(lease, secret) == LOGIN["password"]
    with pytest.raises(NotFound, match="no such service type"):
        embedded.service()
