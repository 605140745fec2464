"""Sentences know how they were made, refusals come through the door with it, and scripts say nothing else."""

import copy
import pickle
import re
from pathlib import Path

import pytest
from babel.messages.jslexer import tokenize

from api.errors import problem_of
from tests import words
from tests.source_tree import ROOT
from vault.errors import Conflict, Invalid, VaultError
from vault.languages import javascript_words, translation
from vault.model.kinds import KINDS
from vault.model.messages import Refused
from vault.sentences import Sentence

GERMAN = translation("de")
LONG = Sentence(
    "%(field)s can have at most %(longest)s characters", field=Sentence("Password"), longest=65_536
)

# -- sentences -------------------------------------------------------------------------------------------------------


def test_a_sentence_is_its_english_text_and_can_be_said_in_german() -> None:
    assert LONG == "Password can have at most 65,536 characters"
    assert GERMAN.said(LONG) == "Passwort: höchstens 65.536 Zeichen"
    assert translation("en").said(LONG) == str(LONG)
    assert GERMAN.said("A confidential note") == "Eine vertrauliche Notiz"


def test_text_without_values_keeps_its_signs() -> None:
    for text in ("100% sure", "%(name)s", "100%%"):
        assert str(Sentence(text)) == text
        assert GERMAN.said(Sentence(text)) == GERMAN.said(text) == text


def test_a_value_that_is_text_stays_as_it_is() -> None:
    made = Sentence("An %(type)s key", type="Password")
    assert GERMAN.said(made) == "Ein Password-Schlüssel"
    assert GERMAN.said(Sentence("%(key)s of %(bits)s bits", key=made, bits="3072")).endswith("mit 3072 Bit")


def test_a_copy_of_a_sentence_still_knows_how_it_was_made() -> None:
    for other in (copy.deepcopy(LONG), pickle.loads(pickle.dumps(LONG))):  # noqa: S301 (our own bytes)
        assert (other, other.template, GERMAN.said(other)) == (LONG, LONG.template, GERMAN.said(LONG))


def test_a_title_within_a_sentence_is_small_in_english_only() -> None:
    assert Sentence.within("User name") == "user name"
    assert Sentence.within("API token") == "API token"
    assert GERMAN.said(Sentence.within("User name")) == "Benutzername"
    missing = KINDS["ssh-password"].field("username").missing
    assert (missing, GERMAN.said(missing)) == ("Enter the user name", "Hier fehlt noch: Benutzername")


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refusal",
    [
        Invalid(LONG, "/fields/password"),
        Invalid(KINDS["ssh-key"].field("username").missing, "/fields/username"),
        Conflict("this form is out of date; load the page again"),
    ],
    ids=["values", "a title", "no values"],
)
def test_a_refusal_is_said_in_german_on_either_side_of_the_door(refusal: VaultError) -> None:
    passed = Refused.model_validate_json(Refused.of(refusal).model_dump_json())
    assert passed.message == passed.sentence == str(refusal)
    assert GERMAN.said(passed.sentence) == GERMAN.said(refusal.sentence) != str(refusal)
    assert (passed.error, passed.hint) == (type(refusal).__name__, refusal.hint)


def test_a_sentence_with_values_within_a_sentence_stays_english_behind_the_door() -> None:
    """Its values do not pass, and a placeholder is nothing to read."""
    inner = Sentence("%(key)s of %(bits)s bits", key=Sentence("Password"), bits=3072)
    refusal = Invalid(Sentence("An %(type)s key", type=inner))
    passed = Refused.model_validate_json(Refused.of(refusal).model_dump_json())
    assert passed.sentence == str(refusal) == "An Password of 3,072 bits key"
    assert GERMAN.said(passed.sentence) == "Ein Password of 3,072 bits-Schlüssel"


def test_a_problem_is_said_in_english_unless_a_page_asks_otherwise() -> None:
    refusal = Invalid(LONG, "/fields/password")
    english, german = problem_of(refusal), problem_of(refusal, GERMAN)
    assert english.detail == "Password can have at most 65,536 characters."
    assert german.detail == "Passwort: höchstens 65.536 Zeichen."
    assert german.hint == "Berichtigen Sie das genannte Feld, und senden Sie es noch einmal."
    assert (english.hint, english.pointer) == (Invalid.hint, german.pointer)


def test_whatever_a_form_refuses_can_be_said_in_german() -> None:
    """Every fault of every kind, empty and overlong: none of it stays English."""
    seen = 0
    for kind in KINDS.values():
        for spoilt in ("", "x" * 1_500_000, "\0", "a\nb", " "):
            for fault in kind.faults({field.name: spoilt for field in kind.fields}).values():
                seen += 1
                assert GERMAN.said(fault) != fault
    assert seen > 100


# -- scripts ---------------------------------------------------------------------------------------------------------

STAFF = frozenset(
    f"{name}.js"
    for name in (
        "begins",
        "clipboard",
        "countdown",
        "day",
        "keys",
        "lease",
        "password",
        "presence",
        "register",
        "signin",
        "ticks",
        "waiting",
    )
)
"""Scripts of pages that only staff see: they speak English."""
PAGES = (
    *(ROOT / "api" / "intake" / "templates").glob("*.html"),
    *(ROOT / "api" / "pages" / "templates").glob("mine*.html"),
    ROOT / "api" / "pages" / "templates" / "letter.html",
)
"""What customers see."""
SAID = [(file, said) for file, said in words.sentences() if file.startswith("api/static/")]
_WORDS = re.compile(r"[A-Za-z]{2,}[,.:;…]? [A-Za-z]{2,}|^[A-Z][a-z]+[ .:…]?$")
_NEVER_SHOWN = re.compile(
    r"PRIVATE KEY|PUBLIC KEY|BEGIN CERTIFICATE|BEGIN PGP|BEGIN SSH2"  # what key files hold
    r"|^Encryption$|^User$|^valetkey key statement v1"  # names in files and commands
    r"|^(quiet small|question wrong|state sure|state bad)$|textarea, select"  # classes, selectors
)


def literals(script: str) -> list[str]:
    """The words of a script that stand outside of `say(…)` and of errors that nobody reads."""
    found, inside, depth, before = [], [], 0, ["", ""]
    for token in tokenize(script, jsx=False):
        if token.type.endswith("comment"):
            continue
        if token.value == "(":
            depth += 1
            if before[1] in {"say", "Error", "RangeError"}:
                inside.append(depth)
        elif token.value == ")":
            if inside and inside[-1] == depth:
                inside.pop()
            depth -= 1
        elif token.type in {"string", "template_string"} and not inside:
            text = re.sub(r"\$\{[^}]*\}", "", token.value[1:-1])
            if _WORDS.search(text) and not _NEVER_SHOWN.search(text):
                found.append(text)
        before = [before[1], token.value]
    return found


def customers_scripts() -> set[Path]:
    """Every module that a page of customers loads, and what these import."""
    names = {name for page in PAGES for name in re.findall(r"static/(\w+\.js)", page.read_text("utf-8"))}
    reached: set[Path] = set()
    while names:
        path = words.SCRIPTS / names.pop()
        if path not in reached:
            reached.add(path)
            names |= set(re.findall(r'from "[./\w]*?(\w+\.js)"', path.read_text("utf-8")))
    return reached


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('said.textContent = "Copied";', ["Copied"]),
        ('said.textContent = say("Copied");', []),
        ("said.textContent = `${name} was copied here`;", [" was copied here"]),
        ('element("p", "Please look at this again")', ["Please look at this again"]),
        ('element("p", say("Please look " + "at this again", { a: f(1) }), "Then this")', ["Then this"]),
        ('x = say("One two"); y = "Three four";', ["Three four"]),
        ('throw new Error("nobody reads this");', []),
        ("// a comment that says something\nf(1);", []),
    ],
)
def test_the_sweep_of_scripts_sees_a_sentence(script: str, found: list[str]) -> None:
    """The canary of the next one."""
    assert literals(script) == found


def test_no_script_of_customers_says_a_sentence_that_cannot_be_translated() -> None:
    scripts = customers_scripts()
    names = {path.name for path in scripts}
    assert {"give.js", "faults.js", "sshkey.js", "mine.js", "times.js", "passkeys.js", "say.js"} <= names
    assert names.isdisjoint(STAFF), "a page of customers loads a script of staff, which speaks English"
    assert {
        path.name: found for path in sorted(scripts) if (found := literals(path.read_text("utf-8")))
    } == {}


def test_every_script_is_swept_or_speaks_to_staff_only() -> None:
    every = {path.name for path in words.SCRIPTS.glob("*.js")}
    assert every - {path.name for path in customers_scripts()} <= STAFF


def test_the_extractor_finds_everything_that_scripts_say() -> None:
    """Within a template string, or under a name, it would find nothing."""
    for path in words.SCRIPTS.glob("*.js"):
        found = [said for file, said in SAID if file == f"api/static/{path.name}"]
        calls = re.findall(r"(?<![\w.])say\((?!sentence)(\s*.)", path.read_text("utf-8"))
        assert len(calls) == len(found), path.name
        assert {call[-1] for call in calls} <= {'"'}, f"{path.name} says what is no text"


def test_a_page_carries_what_its_scripts_say_and_nothing_else() -> None:
    carried = javascript_words("de")
    assert carried["This file is empty"] == "Diese Datei ist leer"
    assert "A confidential note" not in carried
    assert set(carried) == {said for _, said in SAID}
    assert javascript_words("en") == {}
    with pytest.raises(Invalid):
        javascript_words("fr")


def test_the_letterhead_carries_the_words_before_any_script() -> None:
    """So that no page can forget them; in English there are none."""
    letterhead = (ROOT / "api" / "pages" / "templates" / "letter.html").read_text("utf-8")
    carried = (
        '{% if words %}\n<script type="application/json" id="words">{{ words|tojson }}</script>\n{% endif %}'
    )
    assert letterhead.index(carried) < letterhead.index('<script type="module"')


def test_a_script_puts_in_what_python_puts_in() -> None:
    """`say` knows %(name)s and nothing else: no doubled percent sign, no other form."""
    for said in javascript_words("de").items():
        assert not [text for text in said if re.sub(r"%\(\w+\)s", "", text).count("%")]
