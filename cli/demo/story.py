"""The unattended story: the whole life of one login, each step carried out and checked, in plain words."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

from cli.demo import ending, lending, paper, visit
from cli.demo.background import background
from cli.demo.company import CUSTOMER, PEOPLE, refused
from cli.demo.customer import hand_over
from cli.demo.customer_server import customer_server
from cli.demo.ground import BUSINESS, NotHeld, ground, require
from cli.demo.mailbox import mailbox
from cli.demo.stage import Stage
from vault.errors import Denied, Ended, NotFound, NotSignedIn, VaultError


def made(stage: Stage) -> str:
    """The operator makes a vault."""
    stage.company.found()
    place = stage.ground
    modes = {path.name: path.stat().st_mode & 0o777 for path in (place.data, place.key_file)}
    require(set(modes.values()) == {0o700, 0o600}, f"others can read it: {modes}")
    require(place.data not in place.key_file.parents, "the root key lies beside what it opens")
    return "`valetkey init` makes a vault: two databases, and a root key kept elsewhere"


def served(stage: Stage) -> str:
    """The operator runs the server."""
    stage.stack.enter_context(stage.ground.serving())
    status = stage.ground.told("status")
    require(not status["sealed"], "the vault is sealed")
    return "`valetkey serve` runs it on loopback, unsealed by the file with the root key"


def posted(stage: Stage) -> str:
    """The operator posts the terms for customers."""
    terms = stage.company.publish_terms()
    waits = datetime.fromisoformat(terms["effective_at"]) - datetime.fromisoformat(terms["posted_at"])
    require((terms["state"], waits) == ("announced", timedelta(days=30)), "they hold at once")
    return "The terms for customers are posted; they hold in thirty days, never sooner"


def staffed(stage: Stage) -> str:
    """The operator applies the catalogue and adds the staff."""
    changed = stage.company.apply_catalogue()
    require(any("shop-care" in line for line in changed), "the catalogue did not change")
    for role, name in PEOPLE.items():
        stage.people[role] = stage.company.invite(name, role)
    stage.people["colleague"] = stage.company.invite("Theo Brand", "technician")
    stage.people["stranger"] = stage.company.invite("Tessa Thorn", "technician")
    return "One service type in the catalogue, six people invited by mail, nobody with a password yet"


def enrolled(stage: Stage) -> str:
    """Each opens the invitation that came by mail, once, and chooses a password and a second factor."""
    company = stage.company
    for person in stage.people.values():
        letter = stage.mailbox.wait(person.mail, "invites you")
        company.enrol(person, letter.link)
        refused(NotFound, "this invitation was used", partial(company.enrol, person, letter.link))
    require(len(stage.tom.recovery) == 10, "there are no recovery codes")  # noqa: PLR2004
    return "Each opens their invitation, once: own password, own authenticator, ten recovery codes"


def signed_in(stage: Stage) -> str:
    """Everybody signs in with password and code; no code works twice."""
    company = stage.company
    for person in stage.people.values():
        code = person.fresh_code()
        company.sign_in(person, code)
        if person is stage.clara:
            refused(NotSignedIn, "", partial(company.sign_in, person, code))
    return "All six sign in over HTTP with password and code; no code works twice"


def agreed(stage: Stage) -> str:
    """Nobody sees customers' data before accepting the agreement."""
    for person in (stage.clara, stage.tom):
        refused(Denied, "confidentiality agreement", partial(stage.company.get, person, "tickets"))
    for person in stage.people.values():
        stage.company.agree(person)
    return "Nobody sees customers before accepting the confidentiality agreement"


def registered(stage: Stage) -> str:
    """The coordinator registers a service for the customer."""
    customer = stage.company.add_customer(stage.clara)
    service = stage.company.register(stage.clara, customer, "New version of the shop")
    require(service["state"] == "open" and service["ends_at"], "it has no end")
    stage.service = str(service["id"])
    return f"Clara, coordinator, registers a service for {CUSTOMER[0]}, with an end date"


def asked(stage: Stage) -> str:
    """The coordinator asks; the link comes by mail to the customer and to nobody else."""
    request = stage.company.post(stage.clara, "services", stage.service, "requests", deliver="mail")
    require(request["code"] is None and request["link"] is None, "the coordinator saw the code")
    require(request["kinds"] == ["ssh-password"], "it asks for something else")
    letter = stage.mailbox.wait(CUSTOMER[1], "asks you for access")
    require(letter.link.startswith(f"{stage.ground.url}/give#"), "there is no link in the mail")
    stage.link = letter.link
    return "She asks for the login; the mail with the link goes to the customer alone"


def given(stage: Stage) -> str:
    """The customer hands the login over."""
    stage.sealed_in = hand_over(stage.company, stage.link, stage.login.fields(), stage.plain)
    entries = stage.company.get(stage.axel, "ledger", "entries", type="terms.accept")["entries"]
    require(
        [one["outcome"] for one in entries] == ["ok"], "the log does not say that the terms were accepted"
    )
    if stage.sealed_in == "Chromium":
        return "The customer accepts the terms, and types it into Chromium, which seals it"
    return f"No Chromium here: the customer accepts the terms, and seals with {stage.sealed_in}"


def once(stage: Stage) -> str:
    """The link opens one form, once."""
    refused(Ended, "used already", partial(stage.company.open_form, stage.link))
    return "The link opened one form, once; whoever comes second is refused"


def checked(stage: Stage) -> str:
    """The coordinator sees that it is there and opens, and nothing of what it is."""
    service = stage.company.get(stage.clara, "services", stage.service)
    (secret,) = service["secrets"]
    require(secret["state"] == "checked", f"the login is {secret['state']}")
    wanted = "browser" if stage.sealed_in == "Chromium" else "client"
    require(secret["sealed_by"] == wanted, f"it was sealed by {secret['sealed_by']}")
    shown = repr(service)
    require(not any(value in shown for value in stage.needles_of_sight()), "Clara can read it")
    stage.secret = str(secret["id"])
    return "The vault knows that it opens; Clara sees that it is there, not what it is"


Step = Callable[[Stage], str]
STEPS: tuple[Step, ...] = (
    made,
    served,
    posted,
    staffed,
    enrolled,
    signed_in,
    agreed,
    registered,
    asked,
    given,
    once,
    checked,
    lending.ticketed,
    lending.checked_out,
    lending.revealed,
    lending.logged_in,
    lending.not_assigned,
    lending.other_roles,
    lending.checked_in,
    visit.read,
    lending.exported,
    lending.edited,
    ending.searched,
    ending.copied,
    visit.paused,
    ending.ended,
    ending.over,
    ending.gone,
    ending.restored,
    ending.extended,
)


def play() -> int:
    """Play all steps in order; stops at the first that does not hold. Gives the exit status."""
    paper.write(paper.bold(f"The life of one login at {BUSINESS}, from the request to its destruction"))
    paper.write("Everything is real: commands, HTTP, mail, browser, SSH. Each line was checked.")
    paper.write()
    number, step = 0, STEPS[0]
    try:
        with ExitStack() as stack:
            beside = stack.enter_context(background())
            box = stack.enter_context(mailbox(beside))
            server = stack.enter_context(customer_server(beside))
            place = stack.enter_context(ground(box.smtp_port))
            stage = Stage(stack.enter_context(ExitStack()), beside, box, server, place)
            for number, step in enumerate(STEPS, 1):
                paper.held(number, step(stage))
    except (NotHeld, VaultError) as fault:
        paper.not_held(number, (step.__doc__ or "").splitlines()[0], str(fault))
        return 1
    paper.write()
    paper.write(paper.bold(f"story: {len(STEPS)} steps held"))
    return 0
