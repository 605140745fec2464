"""The manual page valetkey(1), written from the commands themselves, so that it cannot be out of date."""

import os
import sys
from collections.abc import Iterator

from cli import exits, tree
from cli.terminal import put_exactly, say, say_next


def manual() -> None:
    """Print the manual page, in the format of man(7).

    To install it: valetkey manual > /usr/local/share/man/man1/valetkey.1
    """
    put_exactly("".join(f"{line}\n" for line in page(tree.root())).encode())
    if sys.stdout.isatty():
        say("this is for man to read")
        say_next("valetkey manual | man -l -")


def page(root: tree.Command) -> Iterator[str]:
    """The lines of the page."""
    what, _, more = root.text.partition("\n\n")
    yield '.TH VALETKEY 1 "" Valetkey "Valetkey"'
    yield from (".SH NAME", f"valetkey \\- {_text(what[:1].lower() + what[1:].rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B valetkey", ".I COMMAND", "[\\fIARGUMENT\\fR]...")
    yield from (".SH DESCRIPTION", *_paragraphs(more))
    yield from (
        ".SH OPTIONS",
        *_options(root),
        ".TP",
        "\\fB\\-h\\fR, \\fB\\-\\-help\\fR",
        "Show the help of any command.",
    )
    for people in dict.fromkeys(child.people for child in root.children):
        yield f'.SH "{_text(people.upper())}"'
        for child in root.children:
            if child.people == people:
                for one in tree.every(child):
                    yield from _command(one)
    yield from _vk_references()
    yield from _statuses()
    yield from _variables()
    yield from _files()


def _command(command: tree.Command) -> Iterator[str]:
    if command.runs:
        yield f".SS {_synopsis(command)}"
        yield from _paragraphs(command.text)
        for argument in command.arguments:
            yield from (".TP", f"\\fI{_text(argument.metavar)}\\fR", _text(argument.help))
        yield from _options(command)


def _options(command: tree.Command) -> Iterator[str]:
    for option in command.options:
        value = f" \\fI{_text(option.metavar)}\\fR" if option.takes else ""
        again = " Can be given several times." if option.repeats else ""
        yield from (".TP", f"{_joined(option.names)}{value}", _text(f"{option.help}{again}"))


def _synopsis(command: tree.Command) -> str:
    words = [f"\\fBvaletkey {_text(' '.join(command.words))}\\fR"]
    words += ["[\\fIOPTION\\fR]..."] if command.options else []
    for one in command.arguments:
        shown = f"\\fI{_text(one.metavar)}\\fR"
        words.append(shown if one.required else f"[{shown}]")
    return f'"{" ".join(words)}"'


def _joined(names: tuple[str, ...]) -> str:
    return ", ".join(f"\\fB{_text(name)}\\fR" for name in names)


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(part for part in text.split("\n\n") if part.strip()):
        if number:
            yield ".PP"
        yield from (_text(line.strip()) for line in paragraph.strip().splitlines())


def _text(text: str) -> str:
    """Text that troff shows as it stands."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    plain = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in plain)
    return f"\\&{plain}" if plain[:1] in {".", "'"} else plain


def _vk_references() -> Iterator[str]:
    yield '.SH "SECRETS AND REFERENCES"'
    yield from _paragraphs(
        "A lease is named by its id, or by the number or id of its ticket. A secret is named by its id or,\n"
        "where a lease has one of that kind, by its kind, like ssh-password.\n\n"
        "vk://T-1001/ssh-password/password is the field password of the secret ssh-password of your lease\n"
        "of ticket T-1001. A slash within a name is written as %2F.\n\n"
        "What is shown to eyes and what is handed to a program is recorded before it leaves the vault,\n"
        "the one as revealed and the other as used."
    )
    yield '.SH "WHAT RUN DOES AND DOES NOT"'
    yield from _paragraphs(
        "The command gets the secrets in its environment, or as files in memory, at /dev/fd/NUMBER. They are\n"
        "in no other process, in no argument and on no disk. No process here leaves a core dump.\n\n"
        "Where you type to it and read what it prints, the command has a terminal of its own: shells,\n"
        "editors and pagers work as anywhere. Else its output goes through pipes. Secrets are masked in\n"
        "it as they are, quoted, escaped, in base64 and in hexadecimal, however the output is cut; at a\n"
        "terminal their first three bytes may be seen, as somebody who types them expects. What a\n"
        "program writes to files and over the network is not seen and not masked, nor what it draws in\n"
        "pieces: this guards against accidents, and not against a program that wants to give a secret\n"
        "away. With --unmasked the output is left as it is.\n\n"
        "It lasts until the command and all that it has started have ended. It ends them when the lease\n"
        "ends, is revoked or paused: by SIGTERM, at a terminal by SIGHUP too, and after ten seconds by\n"
        "SIGKILL. Five minutes before,\n"
        "it says so, and the lease can be extended meanwhile. Signals are passed on to the command.\n\n"
        "The exit status is the command's; 128 and the signal's number where a signal ended it; 127 if\n"
        "there is no such command, 126 if it cannot be started, 75 if the end of the lease has cut short\n"
        "what would have ended well."
    )


def _statuses() -> Iterator[str]:
    yield '.SH "EXIT STATUS"'
    yield from _paragraphs("Zero if it was done, else as in sysexits.h:")
    for status, meaning in STATUSES.items():
        yield from (".TP", f"\\fB{status}\\fR", _text(meaning))


STATUSES = {
    exits.NOT_VERIFIED: "what was to be verified does not hold",
    os.EX_USAGE: "the command is not typed as its help says",
    os.EX_DATAERR: "what was given is not well formed",
    os.EX_NOINPUT: "there is no such thing, or it has ended",
    os.EX_UNAVAILABLE: "the vault does not answer, or is sealed",
    os.EX_SOFTWARE: "this should not have happened",
    os.EX_CANTCREAT: "it contradicts what already is",
    os.EX_IOERR: "it could not be recorded, read or written",
    os.EX_TEMPFAIL: "not now; try again",
    os.EX_PROTOCOL: "what is stored is not what was stored",
    os.EX_NOPERM: "you may not",
    os.EX_CONFIG: "a setting is wrong",
    exits.INTERRUPTED: "it was interrupted",
    exits.CLOSED_PIPE: "whoever read its output has gone",
}


def _variables() -> Iterator[str]:
    yield ".SH ENVIRONMENT"
    for name, meaning in (
        ("NO_COLOR", "If it is set, nothing is coloured."),
        ("XDG_CONFIG_HOME", "Where the session is kept if there is no keyring; ~/.config if it is not set."),
        ("VK_RUN", "Set for commands under valetkey run, which refuses to begin within another one."),
        (
            "WAYLAND_DISPLAY, DISPLAY",
            "Which clipboard valetkey copy uses; without either, the terminal's (OSC 52).",
        ),
        ("VALETKEY_...", "On the vault's host: its settings, by their names."),
    ):
        yield from (".TP", f"\\fB{_text(name)}\\fR", _text(meaning))


def _files() -> Iterator[str]:
    yield ".SH FILES"
    for place, meaning in (
        ("~/.config/valetkey/session.json", "The session, or where it is kept. Only its owner can read it."),
        ("/etc/valetkey/valetkey.toml", "On the vault's host: its settings."),
    ):
        yield from (".TP", f"\\fI{_text(place)}\\fR", _text(meaning))
