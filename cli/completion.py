"""What lets a shell complete commands and options: a script that never calls valetkey, so it is quick."""

import re
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from cli import tree
from cli.terminal import put_exactly, say, say_next
from vault.errors import Invalid

_HELP = ("-h", "--help")


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print a script that lets your shell complete commands and options.

    bash: eval "$(valetkey completion bash)", in ~/.bashrc.
    zsh: eval "$(valetkey completion zsh)", in ~/.zshrc behind compinit.
    fish: valetkey completion fish | source, in config.fish.
    """
    put_exactly("".join(f"{line}\n" for line in script(shell)).encode())
    if sys.stdout.isatty():
        say(f"this is a script for {shell} to read")
        say_next(_READ_IN[shell])


def script(shell: str) -> Iterator[str]:
    """The script's lines. Raises Invalid for a shell that there is none for."""
    if shell not in _SCRIPTS:
        raise Invalid("there are scripts for bash, zsh and fish")
    return _SCRIPTS[shell](tree.root())


_READ_IN = {
    "bash": 'eval "$(valetkey completion bash)"',
    "zsh": 'eval "$(valetkey completion zsh)"',
    "fish": "valetkey completion fish | source",
}


def _options(command: tree.Command) -> list[str]:
    return [*(name for option in command.options for name in option.names), *_HELP]


def _taking(root: tree.Command, takes: tree.Takes) -> list[str]:
    """Options behind which a value of that sort stands, wherever they are."""
    commands = list(tree.every(root))
    return sorted(
        {name for one in commands for option in one.options if option.takes == takes for name in option.names}
    )


# -- bash --------------------------------------------------------------------------------------------------------------


def _bash(root: tree.Command) -> Iterator[str]:
    yield "# bash completion for valetkey"
    yield "_valetkey() {"
    yield "    local word path='' words='' at"
    yield '    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"'
    yield "    COMPREPLY=()"
    yield "    for ((at = 1; at < COMP_CWORD; at++)); do"
    yield '        word="${COMP_WORDS[at]}"'
    yield "        if [[ $word == -- ]]; then"
    yield "            # behind it stands a command with arguments of its own"
    yield '            if ((at + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- "$current")); else'
    yield '                compopt -o default; COMPREPLY=($(compgen -f -- "$current")); fi'
    yield "            return"
    yield "        fi"
    yield "        # an argument that is called like a command is no command: only groups have commands below"
    yield '        case "$path/$word" in'
    for one in tree.every(root):
        if one.words:
            yield f"            {'/' + '/'.join(one.words)}) path='/{'/'.join(one.words)}' ;;"
    yield "            /*) if [[ -z $path && $word != -* ]]; then path=/nothing; fi ;;"
    yield "        esac"
    yield "    done"
    yield '    case "$before" in'
    yield f"        {'|'.join(_taking(root, 'file'))}) compopt -o default; return ;;"
    yield f"        {'|'.join(_taking(root, 'text'))}) return ;;"
    yield "    esac"
    yield '    case "$path" in'
    for one in tree.every(root):
        offered = " ".join([*(child.words[-1] for child in one.children), *_options(one)])
        files = " compopt -o default;" if any(argument.takes == "file" for argument in one.arguments) else ""
        yield f"        '{'/' + '/'.join(one.words) if one.words else ''}'){files} words='{offered}' ;;"
    yield "    esac"
    yield "    # options are offered where one has begun, so that commands are not lost among them"
    yield '    COMPREPLY=($(compgen -W "$words" -- "$current"))'
    yield '    if [[ $current != -* ]]; then COMPREPLY=($(printf "%s\\n" "${COMPREPLY[@]}" | grep -v "^-")); fi'
    yield "}"
    yield "complete -F _valetkey valetkey"


# -- zsh ---------------------------------------------------------------------------------------------------------------


def _zsh(root: tree.Command) -> Iterator[str]:
    yield "#compdef valetkey"
    yield from (line for one in tree.every(root) for line in _zsh_function(one))
    yield "compdef _valetkey valetkey"


def _zsh_function(command: tree.Command) -> Iterator[str]:
    name = "_".join(("_valetkey", *command.words)).replace("-", "_")
    yield f"{name}() {{"
    yield "    local curcontext=$curcontext state line"
    specs = ["'(- *)'{-h,--help}'[Show the help.]'"]
    for option in command.options:
        star = "*" if option.repeats else ""
        value = {"": "", "text": f":{_zsh_text(option.metavar.lower())}: ", "file": ":file:_files"}[
            option.takes
        ]
        specs += [f"'{star}{one}[{_zsh_text(option.help)}]{value}'" for one in option.names]
    if command.children:
        specs += ["'1: :->command'", "'*:: :->rest'"]
    for number, argument in enumerate(command.arguments, 1) if not command.children else ():
        action = "_files" if argument.takes == "file" else " "
        many = argument.metavar.endswith("...")
        if command.words == ("run",) and many:
            specs.append("'*::command:_normal'")
        else:
            place = "*" if many else f"{number}{'' if argument.required else ':'}"
            specs.append(f"'{place}:{_zsh_text(argument.metavar.lower())}:{action}'")
    yield "    _arguments -C \\"
    yield from (f"        {spec} \\" for spec in specs[:-1])
    yield f"        {specs[-1]}"
    if command.children:
        yield "    case $state in"
        yield "        command)"
        yield "            local -a commands=("
        for child in command.children:
            yield f"                '{child.words[-1]}:{_zsh_text(child.summary)}'"
        yield "            )"
        yield "            _describe command commands ;;"
        yield "        rest)"
        yield "            case $line[1] in"
        for child in command.children:
            yield f"                {child.words[-1]}) {'_'.join(('_valetkey', *child.words)).replace('-', '_')} ;;"
        yield "            esac ;;"
        yield "    esac"
    yield "}"


def _zsh_text(text: str) -> str:
    return re.sub(r"([\[\]:\\])", r"\\\1", text).replace("'", "'\\''")


# -- fish --------------------------------------------------------------------------------------------------------------


_FISH = """# fish completion for valetkey
function __valetkey_words
    # the words before this one that are no options; of a command behind -- none
    set -l before (commandline -opc)
    set -e before[1]
    if contains -- -- $before
        echo behind
        return
    end
    string match --invert -- '-*' $before
end
function __valetkey_at
    # whether these commands have been typed
    set -l words (__valetkey_words)
    set -l length (count $argv)
    test (count $words) -ge $length; and test "$words[1..$length]" = "$argv"
end
function __valetkey_below
    # whether these commands have been typed, and nothing else
    set -l words (__valetkey_words)
    test "$words" = "$argv"
end
complete -c valetkey -f
complete -c valetkey -n '__valetkey_at behind' -F"""


def _fish(root: tree.Command) -> Iterator[str]:
    yield from _FISH.splitlines()
    for one in tree.every(root):
        words = " ".join(one.words)
        for child in one.children:
            below = _fish_text(f"__valetkey_below {words}".strip())
            yield f"complete -c valetkey -n {below} -a {child.words[-1]} -d {_fish_text(child.summary)}"
        at = _fish_text(f"__valetkey_at {words}" if words else "__valetkey_below")
        for option in one.options:
            yield f"complete -c valetkey -n {at} {_fish_option(option)}"
        if any(argument.takes == "file" for argument in one.arguments):
            yield f"complete -c valetkey -n {at} -F"


def _fish_option(option: tree.Option) -> str:
    names = " ".join(f"-l {one[2:]}" if one.startswith("--") else f"-s {one[1:]}" for one in option.names)
    value = {"": "", "text": " -x", "file": " -r -F"}[option.takes]
    return f"{names}{value} -d {_fish_text(option.help)}"


def _fish_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_SCRIPTS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
