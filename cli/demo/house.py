"""The open house: the small company to click through, until Ctrl-C."""

import select
import sys
import time
from contextlib import ExitStack
from datetime import datetime

from cli.demo import paper
from cli.demo.background import background
from cli.demo.company import CUSTOMER, PEOPLE, STEP_SECONDS, Company, Person
from cli.demo.customer_server import CustomerServer, customer_server
from cli.demo.ground import BUSINESS, NotHeld, ground
from cli.demo.mailbox import Mailbox, mailbox
from vault.errors import VaultError

WAITS = {
    "coordinator": "registers services, asks customers, ends services",
    "technician": "finds ticket T-2041 waiting, with a login to check out",
    "auditor": "reads, verifies and takes along the log of it all",
    "administrator": "keeps the staff; opens nothing",
}


NEWCOMER = ("Nora Nilsson", "technician")
"""Has an invitation in the mailbox, for visitors who want to enrol."""


def keep_open() -> int:
    """Seed the company, say who can sign in and how, and keep it open until a signal ends it."""
    try:
        with ExitStack() as stack:
            beside = stack.enter_context(background())
            box = stack.enter_context(mailbox(beside))
            server = stack.enter_context(customer_server(beside, "deploy", "lantern-by-the-canal"))
            company = Company(stack.enter_context(ground(box.smtp_port)))
            paper.write(f"Opening {BUSINESS}: a vault, its server, four people and a customer …")
            company.found()
            stack.enter_context(company.ground.serving())
            staff = _seed(company, server, box)
            _welcome(company, staff, server, box)
            _show_codes(staff)
    except SystemExit:
        paper.write(f"\n{BUSINESS} is closed, and everything of it removed.")
        raise
    except (NotHeld, VaultError) as fault:
        paper.write(f"error: {fault}")
        return 1
    return 0


def _seed(company: Company, server: CustomerServer, box: Mailbox) -> list[Person]:
    """One service whose login is here and whose ticket waits, and one whose customer has just been asked."""
    company.apply_catalogue()
    company.publish_terms()
    staff = [company.invite(name, role) for role, name in PEOPLE.items()]
    for person in staff:
        company.enrol(person, box.wait(person.mail, "invites you").link)
    company.invite(*NEWCOMER)
    clara, tom = staff[0], staff[1]
    company.sign_in(clara)
    company.agree(clara)
    customer = company.add_customer(clara)
    care = company.register(clara, customer, "New version of the shop")
    request = company.post(clara, "services", care["id"], "requests", deliver="hand")
    company.hand_over(str(request["link"]), server.login.fields())
    company.open_ticket(clara, care["id"], "T-2041", "Install version 4.2 of the shop", tom)
    check = company.register(clara, customer, "Yearly check of the server")
    company.post(clara, "services", check["id"], "requests", deliver="mail")
    box.wait(CUSTOMER[1], "asks you for access")
    with company.client(clara) as client:
        client.delete("/api/v1", "session")
    for person in staff:  # what is shown to visitors has to sign them in, and a code does that once
        person.wait_until_unused()
    return staff


def _welcome(company: Company, staff: list[Person], server: CustomerServer, box: Mailbox) -> None:
    """Say all that a visitor needs, once."""
    login = server.login
    paper.write()
    paper.write(paper.bold(f"{BUSINESS} is open"))
    paper.prose(
        "All of it is real and only on this machine. Sign in as one of the staff, each in a browser "
        "window of their own (private windows share one sign-in). Ctrl-C closes the house and removes "
        "everything."
    )
    for person in staff:
        paper.write()
        paper.write(f"{paper.bold(person.name)}, {person.role}: {WAITS[person.role]}")
        paper.write(f"    {company.ground.url}/signin")
        paper.write(f"    {person.mail.ljust(26)} password {person.password}   code {person.shown_code()}")
    paper.write()
    paper.write(f"{paper.bold(CUSTOMER[0])}, customer: has mail, and hands over by the link in it")
    paper.write(f"    {box.url}")
    paper.write("    Their own page opens by the link at the end of each mail")
    paper.write("    The login to type into the form:")
    paper.write(f"    server     {login.host}, port {login.port}")
    paper.write(f"    user name  {login.username}")
    paper.write(f"    password   {login.password}")
    paper.write(f"    host key   {server.fingerprint}")
    paper.write()
    paper.write(f"{paper.bold(NEWCOMER[0])}, {NEWCOMER[1]}: has an invitation in the same mailbox")
    paper.write()
    paper.write(f"{paper.bold('Their server')} answers by real SSH: log in with what Tom has revealed")
    paper.write(f"    ssh -p {login.port} {login.username}@{login.host}")
    paper.write()
    paper.prose("Each code works once: to sign in, and a new one for each lease. Enter shows them anew.")


def _show_codes(staff: list[Person]) -> None:
    """Keep the codes that authenticators show on the last line; a new line for Enter. Never returns."""
    live = sys.stdout.isatty()
    listening = sys.stdin is not None and sys.stdin.isatty()
    written = ""
    while True:
        now = time.time()
        until = (int(now // STEP_SECONDS) + 1) * STEP_SECONDS
        codes = "  ".join(f"{person.first_name} {person.shown_code()}" for person in staff)
        line = f"codes until {datetime.fromtimestamp(until).astimezone():%H:%M:%S}   {codes}"
        if line != written:
            paper.write(f"\r{line}" if live else line, end="" if live else "\n")
            written = line
        if not listening:
            time.sleep(until - now)
        elif select.select([sys.stdin], [], [], until - now)[0]:
            listening = bool(sys.stdin.readline())
            written = ""
