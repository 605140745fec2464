"""Joining: an invitation opens once, for one browser, and nobody acts before a second factor is confirmed by it."""

import base64
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.authenticator import SoftPasskey
from tests.refusals import answer
from tests.world import PASSWORD, World
from vault.crypto.factors import current_code
from vault.crypto.tokens import new_intake_code, new_token
from vault.errors import Conflict, Denied, Invalid, NotFound, NotSignedIn, TooMany
from vault.model.views import InvitationView
from vault.operations.people import enrolling, factors, sessions, staff
from vault.policy.attempts import LIMITS
from vault.values import SECOND, Actor

NOBODY = Actor.nobody("192.0.2.7", "page")
OVER = "this invitation was used, has run out, or was never there"


def invited(world: World, name: str = "Nina New", roles: str = "technician") -> InvitationView:
    mail = f"{name.partition(' ')[0].lower()}@agency.example"
    return world.run(staff.add(world.vault, Actor.host(), name, mail, roles.split()))


def begun(world: World, invitation: InvitationView | None = None) -> str:
    """A browser with the invitation open and a password chosen."""
    code = (invitation or invited(world)).code
    browser, view = world.run(enrolling.begin(world.vault, NOBODY, code or ""))
    assert view.step == "password"
    world.run(enrolling.choose_password(world.vault, NOBODY, browser, PASSWORD))
    assert world.run(enrolling.look(world.vault, NOBODY, browser)).step == "factor"
    return browser


def seed_of(offered: factors.OfferedTotp) -> bytes:
    return base64.b32decode(parse_qs(urlsplit(offered.uri).query)["secret"][0])


def code_of(world: World, offered: factors.OfferedTotp) -> str:
    return current_code(seed_of(offered), world.clock.wall() // SECOND)


@pytest.mark.attack("AN10")
def test_somebody_joins_by_password_and_authenticator_and_signs_in_with_them(world: World) -> None:
    since = world.size()
    browser = begun(world)
    offered = world.run(enrolling.offer_totp(world.vault, NOBODY, browser))
    assert "secret=" not in repr(offered)
    codes = world.run(enrolling.confirm_totp(world.vault, NOBODY, browser, code_of(world, offered)))
    assert len(set(codes)) == 10
    assert world.ledger(since) == [
        "staff.add ok",
        "enrolment.begin ok",
        "enrolment.password ok",
        "factor.offer ok",
        "enrolment.done ok",
    ]
    world.clock.advance(seconds=30)
    nina = ("nina@agency.example", PASSWORD)
    code = current_code(seed_of(offered), world.clock.wall() // SECOND)
    started = world.run(sessions.sign_in(world.vault, *nina, code, NOBODY))
    assert started.session.person.state == "active"
    assert started.known_browser.startswith("vk_dev_")
    assert answer(world, enrolling.look(world.vault, NOBODY, browser))[0] is NotSignedIn


@pytest.mark.attack("AN10", "AN22")
def test_somebody_joins_by_passkey_and_signs_in_with_it_alone(world: World) -> None:
    browser = begun(world)
    asked = world.run(enrolling.ask_passkey(world.vault, NOBODY, browser))
    key = SoftPasskey(world.settings.origin)
    made = key.create(asked["passkey"])
    codes = world.run(
        enrolling.add_passkey(world.vault, NOBODY, browser, asked["challenge"], made, "My telephone")
    )
    assert len(codes) == 10
    asking = world.run(sessions.ask_passkey(world.vault, NOBODY))
    started = world.run(
        sessions.sign_in_with_passkey(world.vault, asking["challenge"], key.get(asking["passkey"]), NOBODY)
    )
    assert started.session.person.name == "Nina New"


@pytest.mark.attack("AZ22", "AN10")
def test_nobody_acts_before_a_second_factor_is_confirmed(embedded: World) -> None:
    """With the right password, and with the code of a seed that was only offered."""
    browser = begun(embedded)
    offered = embedded.run(enrolling.offer_totp(embedded.vault, NOBODY, browser))
    for code in ("", "000000", code_of(embedded, offered)):
        tried = sessions.sign_in(embedded.vault, "nina@agency.example", PASSWORD, code, NOBODY)
        assert answer(embedded, tried)[0] is NotSignedIn
    wrong = "000000" if code_of(embedded, offered) != "000000" else "000001"
    assert answer(embedded, enrolling.confirm_totp(embedded.vault, NOBODY, browser, wrong))[0] is Denied
    assert embedded.sql("SELECT state, password_hash FROM person WHERE name = 'Nina New'") == [
        ("invited", "")
    ]
    embedded.run(enrolling.confirm_totp(embedded.vault, NOBODY, browser, code_of(embedded, offered)))
    assert embedded.sql("SELECT state FROM person WHERE name = 'Nina New'") == [("active",)]


@pytest.mark.attack("AN19", "AZ16")
def test_an_invitation_opens_once_of_twenty(world: World) -> None:
    code = invited(world).code or ""
    tries = (Actor.nobody(f"192.0.2.{number}", "page") for number in range(20))
    answers = world.together(*(enrolling.begin(world.vault, who, code) for who in tries))
    assert sum(isinstance(one, tuple) for one in answers) == 1
    assert {type(one) for one in answers if not isinstance(one, tuple)} == {NotFound}
    assert answer(world, enrolling.begin(world.vault, NOBODY, code))[1] == OVER


@pytest.mark.attack("AN19", "AN11", "IN02")
def test_used_late_void_and_invented_codes_look_alike(embedded: World) -> None:
    used, late, void = (invited(embedded, name) for name in ("Una Used", "Lea Late", "Vic Void"))
    embedded.run(enrolling.begin(embedded.vault, NOBODY, used.code or ""))
    embedded.perform(staff.disable, Actor.host(), void.person.id)
    embedded.clock.advance(days=7)
    told = {
        answer(embedded, enrolling.begin(embedded.vault, NOBODY, code))
        for code in (
            used.code,
            late.code,
            void.code,
            new_intake_code(),
            "nonsense",
            "",
            "\ud800",
            "x" * 99_999,
        )
        if code is not None
    }
    assert told == {(NotFound, OVER, "")}


@pytest.mark.attack("AN19", "AN01")
def test_guesses_at_invitations_are_counted(embedded: World) -> None:
    invitation, guesser = invited(embedded), Actor.nobody("192.0.2.99", "page")
    for _ in range(LIMITS["enrol"]):
        with pytest.raises(NotFound):
            embedded.run(enrolling.begin(embedded.vault, guesser, new_intake_code()))
    with pytest.raises(TooMany):
        embedded.run(enrolling.begin(embedded.vault, guesser, invitation.code or ""))
    elsewhere = Actor.nobody("198.51.100.4", "page")
    assert embedded.run(enrolling.begin(embedded.vault, elsewhere, invitation.code or ""))


@pytest.mark.attack("AN10")
def test_what_one_enrolment_was_offered_another_cannot_confirm(embedded: World) -> None:
    nina, nora = begun(embedded, invited(embedded)), begun(embedded, invited(embedded, "Nora New"))
    offered = embedded.run(enrolling.offer_totp(embedded.vault, NOBODY, nina))
    code = code_of(embedded, offered)
    assert answer(embedded, enrolling.confirm_totp(embedded.vault, NOBODY, nora, code))[0] is NotFound
    asked = embedded.run(enrolling.ask_passkey(embedded.vault, NOBODY, nina))
    made = SoftPasskey(embedded.settings.origin).create(asked["passkey"])
    stolen = enrolling.add_passkey(embedded.vault, NOBODY, nora, asked["challenge"], made, "A key")
    assert answer(embedded, stolen)[0] is NotFound
    assert embedded.run(
        enrolling.add_passkey(embedded.vault, NOBODY, nina, asked["challenge"], made, "A key")
    )


@pytest.mark.attack("AN10")
def test_a_second_offer_voids_the_first_and_an_offer_runs_out(embedded: World) -> None:
    browser = begun(embedded)
    first = embedded.run(enrolling.offer_totp(embedded.vault, NOBODY, browser))
    second = embedded.run(enrolling.offer_totp(embedded.vault, NOBODY, browser))
    assert seed_of(first) != seed_of(second)
    tried = enrolling.confirm_totp(embedded.vault, NOBODY, browser, code_of(embedded, first))
    assert answer(embedded, tried)[0] is Denied
    embedded.clock.advance(minutes=15)
    tried = enrolling.confirm_totp(embedded.vault, NOBODY, browser, code_of(embedded, second))
    assert answer(embedded, tried)[0] is NotFound


@pytest.mark.attack("AN13")
def test_only_the_browser_that_opened_it_goes_on_and_not_for_ever(embedded: World) -> None:
    browser = begun(embedded)
    for other in (new_token("vk_enr"), new_token("vk_ses"), "", "x", browser[:-1]):
        assert answer(embedded, enrolling.look(embedded.vault, NOBODY, other))[0] is NotSignedIn
        tried = enrolling.choose_password(embedded.vault, NOBODY, other, PASSWORD)
        assert answer(embedded, tried)[0] is NotSignedIn
    embedded.clock.advance(hours=2)
    assert answer(embedded, enrolling.look(embedded.vault, NOBODY, browser))[0] is NotSignedIn


def test_a_password_comes_before_a_factor(embedded: World) -> None:
    browser, _ = embedded.run(enrolling.begin(embedded.vault, NOBODY, invited(embedded).code or ""))
    for early in (
        enrolling.offer_totp(embedded.vault, NOBODY, browser),
        enrolling.ask_passkey(embedded.vault, NOBODY, browser),
        enrolling.confirm_totp(embedded.vault, NOBODY, browser, "000000"),
    ):
        assert answer(embedded, early)[:2] == (Conflict, "choose a password first")


@pytest.mark.parametrize(
    "weak",
    ["short", "password1234", "nina@agency.example", "Green Lane Web 2026", "aaaaaaaaaaaaaaaa", "x" * 257],
)
def test_a_weak_password_is_refused_with_its_reason_and_without_its_echo(embedded: World, weak: str) -> None:
    browser, _ = embedded.run(enrolling.begin(embedded.vault, NOBODY, invited(embedded).code or ""))
    refused, sentence, hint = answer(
        embedded, enrolling.choose_password(embedded.vault, NOBODY, browser, weak)
    )
    assert refused is Invalid
    assert weak not in f"{sentence}{hint}"
    assert "password" in sentence


@pytest.mark.promise("P9")
def test_what_is_kept_of_factors_invitations_and_codes_cannot_be_read(embedded: World) -> None:
    invitation = invited(embedded)
    browser = begun(embedded, invitation)
    offered = embedded.run(enrolling.offer_totp(embedded.vault, NOBODY, browser))
    codes = embedded.run(enrolling.confirm_totp(embedded.vault, NOBODY, browser, code_of(embedded, offered)))
    rows: list[Any] = []
    for table in ("factor", "invitation", "person", "disclosure", "challenge"):
        rows += embedded.sql(f"SELECT * FROM {table}")
    stored = b"|".join(
        bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode()
        for row in rows
        for cell in row
    )
    seed = seed_of(offered)
    for secret in (
        seed,
        base64.b32encode(seed),
        seed.hex().encode(),
        browser.encode(),
        *map(str.encode, codes),
    ):
        assert secret not in stored
    assert (invitation.code or "").encode() not in stored
    assert b"$argon2id$" in stored, "the canary: this reads what is there"


def test_the_hashes_of_recovery_codes_hold_up_nobody_for_long(embedded: World) -> None:
    """Ten slow hashes wait their turn one by one: whoever signs in meanwhile stands behind one of them, not ten."""
    browser = begun(embedded)
    offered = embedded.run(enrolling.offer_totp(embedded.vault, NOBODY, browser))
    started = time.monotonic()
    tom = embedded.member("technician")
    answers = embedded.together(
        enrolling.confirm_totp(embedded.vault, NOBODY, browser, code_of(embedded, offered)),
        sessions.sign_in(embedded.vault, tom.view.mail, PASSWORD, embedded.code(tom), NOBODY),
    )
    assert not [one for one in answers if isinstance(one, BaseException)]
    assert time.monotonic() - started < 60
