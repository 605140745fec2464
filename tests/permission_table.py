"""The tables of docs/permissions.md: rights out of the policy, routes out of the application, commands out of the CLI.

`python -m tests.permission_table --write` brings the page up to date. Nothing in the tables is typed by hand but what a
right is called in words and what a command does that asks nobody.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import typer
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from api.app import build
from cli.http import Client
from cli.main import app as command_line
from vault.operations.vault import Vault
from vault.policy.rights import CUSTOMERS_OWN, RIGHTS, Right
from vault.settings import Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "permissions.md"
BEGIN, END = "<!-- tables:begin -->", "<!-- tables:end -->"

OPEN, ENROLMENT, FORM, HOST = "open", "enrolment", "customer's form", "on the host"
HELPDESK = "helpdesk.tell"
OTHERS = {
    OPEN: "whoever reaches the vault; what is asked for says by itself whether it is answered",
    ENROLMENT: "the browser or program in which an invitation was opened, until its enrolment is done",
    FORM: "the browser or command line in which a customer's code was opened, and nobody of the staff",
    HELPDESK: "a helpdesk, by its signature over what it sends; no session and no token of the staff",
    **CUSTOMERS_OWN,
}
"""What opens a route that is no right of the staff."""
ROLES = ("technician", "coordinator", "auditor", "administrator")

WORDS = {
    "session.show": "see who is signed in, and their own first page",
    "session.end": "sign out, here and elsewhere",
    "account.show": "see one's own account",
    "account.change": "change one's own password, factors and recovery codes",
    "token.make": "make an API token",
    "token.end": "end one's own API token",
    "device.answer": "let a command line sign in as oneself, or send it away",
    "presence.prove": "prove in a browser what was asked for at a command line",
    "agreement.read": "read the confidentiality agreement",
    "agreement.accept": "accept it",
    "description.read": "read the description of the API",
    "staff.assignable": "see the technicians who can be put on tickets",
    "staff.list": "see the staff, and what waits for a second person",
    "staff.ask": "ask for an invitation, other roles, a reset, another mail address",
    "staff.vouch": "be the second person for it",
    "staff.refuse": "say no to it, or withdraw what one has asked for",
    "staff.restrict": "disable an account, take a role away",
    "catalogue.read": "see the service types",
    "catalogue.approve": "be the second person for a line that asks for an extraordinary kind of secret",
    "catalogue.revoke": "take such a yes back",
    "customer.list": "see the customers",
    "customer.add": "add a customer",
    "service.list": "see the services, and the certificate of one that was destroyed",
    "service.register": "register a service",
    "service.connect": "see the helpdesks, and say of which services each may tell",
    "service.prolong": "move the end of a service, also within the grace after it",
    "service.end": "end a service and destroy its secrets",
    "request.ask": "ask a customer for access, ask anew, withdraw it",
    "board.show": "see what waits in the whole house",
    "search.find": "search for names and titles, among what one's other rights show",
    "ticket.list": "see tickets: a coordinator all, a technician those they are on",
    "ticket.manage": "open tickets, put technicians on them and take them off, close tickets",
    "lease.list": "see leases: a coordinator all that are open, a technician their own",
    "lease.start": "check logins of one's ticket out",
    "lease.extend": "make one's own lease longer while it runs, up to its type's longest",
    "secret.reveal": "reveal a field under one's own lease; what is extraordinary with a proof for each look",
    "secret.use": "hand a field to a program under one's own lease, in the same way",
    "secret.code": "have a one-time code made under one's own lease; what it is made of never opens",
    "host-key.meet": "keep the key that the server of a login showed first, under one's own lease",
    "host-key.show": "see the key that is kept of it, under one's own lease",
    "lease.check-in": "hand one's own lease back",
    "lease.revoke": "end anybody's lease",
    "lease.approve": "say yes to a lease of somebody else's that takes a coordinator's yes",
    "lease.refuse": "see what waits for such a yes, and say no to it",
    "secret.report": "say that a login of one's own lease does not work",
    "lease.break-glass": "begin one's own lease without a coordinator's yes, where nobody says it in time",
    "review.list": "see what began without such a yes, and what was opened then",
    "review.close": "say of somebody else's whether that was justified",
    "log.read": "read, prove and export the log",
}

ALONE = {
    "valetkey init": "makes a vault: whoever may write the data directory",
    "valetkey serve": "runs the server: whoever may read the data directory and the keyring",
    "valetkey audit verify": "nobody is asked: it reads a file that somebody has exported",
    "valetkey audit verifier": "nobody is asked: it prints the offline verifier",
    "valetkey completion": "nobody is asked: it prints a script",
    "valetkey manual": "nobody is asked: it prints the manual page",
}
"""Commands that ask no server for anything."""
_HOST_WORDS = "the vault's own Unix account, or root, over the operator's socket"


# -- routes -----------------------------------------------------------------------------------------------------------


def routes(app: FastAPI, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route as `METHOD /path` with what answers it, those of included and mounted applications too."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, Mount):
            if isinstance(route.app, StaticFiles):
                yield f"GET {prefix}{route.path}/", route
            else:
                assert isinstance(route.app, FastAPI), "a mount that this sweep cannot look into"
                yield from routes(route.app, prefix + route.path)
        else:
            assert context.methods, context.path
            for method in context.methods - {"HEAD"}:
                yield f"{method} {prefix}{context.path}", route


def right_of(route: str, handler: Any) -> str:
    """What opens a route: a name of RIGHTS or of OTHERS. Raises LookupError for a route without either."""
    if isinstance(handler, Mount):
        return OPEN
    if route.split(" ", 1)[1].startswith("/give"):
        asked = {getattr(one.call, "__name__", "") for one in handler.dependant.dependencies}
        return FORM if "_customer" in asked else OPEN
    if handler.name in RIGHTS or handler.name in OTHERS:
        return str(handler.name)
    raise LookupError(f"{route} carries no right: its name is {handler.name!r}")


def rights_of(app: FastAPI) -> dict[str, str]:
    """From every route of an application to what opens it. Raises LookupError as `right_of`."""
    return {route: right_of(route, handler) for route, handler in routes(app)}


def drawn() -> FastAPI:
    """The application with nobody behind it: its routes are there, and none of them can be asked."""
    return build(cast("Vault", SimpleNamespace(settings=Settings(base_url="http://127.0.0.1:8700"))))


# -- commands ---------------------------------------------------------------------------------------------------------


@dataclass
class Asks:
    """What a command asks a server for: routes as method and segments, None where one is filled in, and the host."""

    routes: set[tuple[str, tuple[str | None, ...]]] = field(default_factory=set)
    host: set[str] = field(default_factory=set)


_METHODS = {
    "get": "GET",
    "stream": "GET",
    "post": "POST",
    "post_form": "POST",
    "delete": "DELETE",
    "deed": "POST",
}


def asks_of(function: Callable[..., Any]) -> Asks:
    """Everything that a function of the CLI asks for, and whatever of the CLI it calls with what."""
    found, seen = Asks(), set[tuple[Any, frozenset[tuple[str, str]]]]()
    waiting: list[tuple[Any, frozenset[tuple[str, str]]]] = [(inspect.unwrap(function), frozenset())]
    while waiting:
        one, given = reached = waiting.pop()
        if reached in seen or one is Client:
            continue  # the client renews its session and asks for nothing else by itself
        seen.add(reached)
        known = vars(sys.modules[one.__module__]) | dict(given)
        calls, names = _read(one)
        for call in calls.values():
            _note(call, known, found)
        for node in names:
            named = inspect.unwrap(_resolved(node, known))
            if (inspect.isfunction(named) or inspect.isclass(named)) and named.__module__.startswith("cli."):
                waiting.append((named, _given(calls.get(id(node)), named, known)))
    return found


@cache
def _read(one: Any) -> tuple[dict[int, ast.Call], list[ast.AST]]:
    """The calls in a function or class, by what each of them calls, and every name."""
    nodes = list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(one)))))
    calls = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
    return calls, [node for node in nodes if isinstance(node, (ast.Name, ast.Attribute))]


def _given(call: ast.Call | None, called: Any, known: dict[str, Any]) -> frozenset[tuple[str, str]]:
    """The texts that a call hands over, by the names of the parameters that take them."""
    if call is None or not inspect.isfunction(called):
        return frozenset()
    said = {
        name: _text(one, known)
        for name, one in zip(inspect.signature(called).parameters, call.args, strict=False)
    }
    return frozenset((name, text) for name, text in said.items() if text is not None)


def _resolved(node: ast.AST, known: dict[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=ast.Name(id=name), attr=member) if isinstance(known.get(name), ModuleType):
            return getattr(known[name], member, None)
    return None


def _note(call: ast.Call, known: dict[str, Any], found: Asks) -> None:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called in {"tell_server", "ask_server"}:
        found.host |= {str(one.value) for one in call.args if isinstance(one, ast.Constant)}
    parts = call.args[1:] if called == "deed" else call.args
    begun = _text(parts[0], known) if called in _METHODS and parts else None
    if begun is not None and begun.startswith("/"):
        segments = [*begun.strip("/").split("/"), *(_text(one, known) for one in parts[1:])]
        found.routes.add((_METHODS[called], tuple(segments)))


def _text(node: ast.expr, known: dict[str, Any]) -> str | None:
    """What an argument says where that is known without running anything."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if isinstance(known.get(name), str):
            return str(known[name])
        case ast.JoinedStr(
            values=[ast.FormattedValue(value=ast.Name(id=name)), ast.Constant(value=str(text))]
        ) if isinstance(known.get(name), str):
            return f"{known[name]}{text}"
    return None


def routes_asked(asks: Asks, application: Iterable[str]) -> set[str]:
    """The routes that a command can reach. Raises LookupError for a call that leads to none."""
    reached: set[str] = set()
    for method, segments in asks.routes:
        matching = {route for route in application if _fits(method, segments, route)}
        if not matching:
            raise LookupError(f"the CLI asks for {method} /{'/'.join(one or '…' for one in segments)}")
        reached |= matching
    return reached


def _fits(method: str, segments: tuple[str | None, ...], route: str) -> bool:
    verb, path = route.split(" ", 1)
    template = path.strip("/").split("/")
    return (
        verb == method
        and len(template) == len(segments)
        and all(
            said is None or said == there or there.startswith("{")
            for said, there in zip(segments, template, strict=True)
        )
    )


def commands() -> dict[str, Callable[..., Any]]:
    """Every command as it is typed, with what it runs; a group that does something by itself is one too."""
    return dict(_commands(typer.main.get_command(command_line), "valetkey"))


def _commands(command: Any, typed: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    children = getattr(command, "commands", None)
    if not children:
        yield typed, command.callback
        return
    if getattr(command, "invoke_without_command", False) and command.callback and typed != "valetkey":
        yield typed, command.callback
    for name in children:
        yield from _commands(command.get_command(None, name), f"{typed} {name}")


def needs_of(typed: str, function: Callable[..., Any], application: dict[str, str]) -> str:
    """What a command needs, as its row says it. Raises LookupError for a command of which nobody knows."""
    asks = asks_of(function)
    if typed in ALONE:
        if asks.routes or asks.host:
            raise LookupError(f"{typed} asks a server, so ALONE does not describe it")
        return ALONE[typed]
    if asks.host:
        return f"{HOST}: {_HOST_WORDS}"
    reached = {application[route] for route in routes_asked(asks, application)}
    named = [f"`{right}`" for right in RIGHTS if right in reached]
    named += [told for told in (FORM, ENROLMENT) if told in reached]
    if not named and OPEN in reached:
        named = [OPEN]
    if not named:
        raise LookupError(f"nobody knows what {typed} needs")
    return ", ".join(named)


# -- the page ---------------------------------------------------------------------------------------------------------


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    titles = list(head)
    yield _row(*titles)
    yield _row(*["---"] * len(titles))
    for row in rows:
        yield _row(*row)


def _token(right: Right) -> str:
    return {"": "", "*": "any"}.get(right.scope, f"`{right.scope}`")


def _rights() -> Iterator[tuple[str, ...]]:
    for name, right in RIGHTS.items():
        marks = (right.customers, right.presence, right.rested, right.second)
        yield (
            f"`{name}`",
            WORDS[name],
            *("yes" if role in right.roles else "" for role in ROLES),
            *("yes" if mark else "" for mark in marks),
            _token(right),
        )


def tables(application: dict[str, str]) -> str:
    """The generated part of the page for these routes. Raises LookupError for a route or command without a row."""
    order = [*OTHERS, *RIGHTS]
    by_right = sorted(
        application, key=lambda route: (order.index(application[route]), *route.split(" ")[::-1])
    )
    lines = ["## Rights", ""]
    head = (
        "right",
        "to …",
        *ROLES,
        "agreement first",
        "presence",
        "not in the cooling-off day",
        "second person",
    )
    lines += _table((*head, "API token with"), _rights())
    lines += ["", "What is no right of the staff:", ""]
    lines += _table(("what opens it", "who that is"), OTHERS.items())
    lines += ["", "## Routes", ""]
    lines += _table(
        ("right", "method", "path"),
        ((_named(application[route]), *(f"`{part}`" for part in route.split(" "))) for route in by_right),
    )
    lines += ["", "## Commands", ""]
    lines += _table(
        ("command", "needs"),
        ((f"`{typed}`", needs_of(typed, run, application)) for typed, run in commands().items()),
    )
    return "\n".join(lines)


def _named(right: str) -> str:
    return f"`{right}`" if right in RIGHTS else right


def page_with(generated: str, page: str) -> str:
    """The page with these tables in the place of its own."""
    before, rest = page.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{generated}\n\n{END}{rest.split(END, 1)[1]}"


def main(arguments: list[str]) -> int:
    """Say whether the page is up to date, or with --write bring it up to date. Returns the exit code."""
    page = PAGE.read_text("utf-8")
    fresh = page_with(tables(rights_of(drawn())), page)
    if "--write" in arguments:
        PAGE.write_text(fresh, "utf-8")
        return 0
    sys.stderr.write(f"{PAGE.name} is {'up to date' if fresh == page else 'out of date: make docs'}\n")
    return 0 if fresh == page else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
