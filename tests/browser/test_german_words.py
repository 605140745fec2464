"""What the scripts of a German page say: word for word what the core says in German, numbers and times too."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Page
from starlette.staticfiles import StaticFiles

from tests.browser.conftest import STATIC, serving
from tests.browser.test_readers import asked, mangled
from tests.keys import PASSPHRASE, made_by_ssh_keygen, putty_key
from tests.logins import ALSO_GOOD, WRONG
from tests.pasted import BAD_KEYS, SEEDS
from vault.languages import javascript_words, translation
from vault.model.cards import NO_CARDS
from vault.model.doubts import AUTHORITY_KEY, SEED_PHRASE
from vault.model.files import MARK, read_file
from vault.model.kinds import KINDS
from vault.model.otpauth import read_otpauth
from vault.model.sshkeys import read_key
from vault.sentences import Sentence

pytestmark = [pytest.mark.browser]

GERMAN = translation("de")
PAGE = """<!doctype html><html lang="de"><title>Werkbank</title>
<script type="application/json" id="words">{words}</script>
<time datetime="2026-12-06T14:05:00Z" data-style="moment"></time>
<time id="now" data-style="moment"></time>
<form id="give">
<div class="question" data-field="username" data-title="Benutzername" data-missing="Hier fehlt noch: Benutzername"
 data-wrong="" data-longest="2000"><label for="username">Benutzername</label><input id="username"></div>
</form>
<div id="faults"></div><div id="doubt"></div>
</html>"""


@pytest.fixture(scope="module")
def german_bench() -> Iterator[str]:
    """The product's own modules, and a German page as the letterhead begins one, to run them in."""
    app = FastAPI(openapi_url=None)
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.get("/")
    async def page() -> HTMLResponse:
        words = json.dumps(javascript_words("de"), ensure_ascii=False).replace("<", "\\u003c")
        return HTMLResponse(PAGE.replace("{words}", words))

    with serving(lambda _port: app) as address:
        yield address


@pytest.fixture
def bench(german_bench: str, surf: Any) -> Page:
    page: Page = surf(timezone_id="UTC")
    page.goto(german_bench)
    return page


def test_of_every_key_both_sides_say_the_same(bench: Page, tmp_path: Path) -> None:
    real = [path.read_text() for path in made_by_ssh_keygen(tmp_path).values()]
    real += [putty_key(version, locked) for version in (2, 3) for locked in ("", PASSPHRASE)]
    samples = real + [text for text, _ in BAD_KEYS.values()] + ["", "x" * 65_537]
    for one in real:
        samples += mangled(one, 3)
    expected = [read_key(sample) for sample in samples]
    known = asked(bench, "sshkey.js", "readKey", samples)
    assert [one["sentence"] for one in known] == [GERMAN.said(one.sentence) for one in expected]
    assert all(one["sentence"] != each.sentence for one, each in zip(known, expected, strict=True)), "English"
    assert any(one["sentence"].startswith("Ein RSA-Schlüssel mit ") for one in known)


def test_of_every_seed_both_sides_say_the_same(bench: Page) -> None:
    samples = [*SEEDS, *ALSO_GOOD["otpauth"], *WRONG["otpauth"]]
    expected = [read_otpauth(sample) for sample in samples]
    known = asked(bench, "otpauth.js", "readOtpauth", samples)
    assert [one["sentence"] for one in known] == [GERMAN.said(one.sentence) for one in expected]
    assert "Damit entstehen Codes mit 6 Ziffern, alle 30 Sekunden ein neuer" in [
        one["sentence"] for one in known
    ]


def test_of_every_file_both_sides_say_the_same(bench: Page) -> None:
    samples = [*WRONG["contents"], *ALSO_GOOD["contents"], "x", "x" * 12_345, MARK + "AAA=", MARK + "AA=="]
    expected = [read_file(sample) for sample in samples]
    known = asked(bench, "files.js", "readFile", samples)
    assert [one["sentence"] for one in known] == [GERMAN.said(one.sentence) for one in expected]
    said = [one["sentence"] for one in known]
    assert {"Ein Text mit 12.345 Byte", "Eine Datei mit 1 Byte"} <= set(said)


@pytest.mark.promise("P7")
def test_what_is_never_kept_and_what_is_doubted_is_said_in_german(bench: Page) -> None:
    known = bench.evaluate(
        """async () => [(await import("/static/cards.js")).NO_CARDS,
             (await import("/static/doubts.js")).SEED_PHRASE, (await import("/static/doubts.js")).AUTHORITY_KEY]"""
    )
    assert known == [GERMAN.said(one) for one in (NO_CARDS, SEED_PHRASE, AUTHORITY_KEY)]
    assert known[0].startswith("Das sieht nach einer Kartennummer")


def test_faults_of_a_field_are_said_as_the_core_says_them(bench: Page) -> None:
    field = next(one for one in KINDS["database"].fields if one.name == "username")
    faults = bench.evaluate(
        """async () => { const { faultOf, questions } = await import("/static/questions.js");
             const [question] = questions(); const input = question.querySelector("input");
             question.dataset.longest = "128"; input.value = "x".repeat(129); const long = faultOf(question);
             question.dataset.longest = "12000"; input.value = "x".repeat(12001); const longer = faultOf(question);
             input.value = "a\\ud800"; return [long, longer, faultOf(question)]; }"""
    )
    title = Sentence(field.title)
    template = "%(field)s can have at most %(longest)s characters"
    assert faults == [
        GERMAN.said(Sentence(template, field=title, longest=128)),
        "Benutzername: höchstens 12.000 Zeichen",
        GERMAN.said(Sentence("%(field)s holds a character that no keyboard types", field=title)),
    ]
    assert GERMAN.said(Sentence(template, field=title, longest=12_000)) == faults[1]


def test_a_summary_and_a_doubt_are_german_around_them_too(bench: Page) -> None:
    bench.evaluate(
        """async () => { (await import("/static/faults.js")).show({ username: "Hier fehlt noch: Benutzername" });
                         (await import("/static/sure.js")).askWhetherSure("Ist das wirklich für uns gedacht?"); }"""
    )
    assert bench.inner_text("#summary").split("\n")[0] == "Bitte sehen Sie sich das noch einmal an"
    assert bench.title() == "Fehler: Werkbank"
    assert bench.text_content("#username-error") == "Fehler: Hier fehlt noch: Benutzername"
    assert (
        bench.text_content("#doubt")
        == "Fehler: Ist das wirklich für uns gedacht?Ja, das gehört zu diesem Zugang"
    )
    bench.evaluate("import('/static/faults.js').then((faults) => faults.show({}))")
    assert bench.title() == "Werkbank"


def test_times_are_said_as_one_says_them_in_german(bench: Page) -> None:
    bench.evaluate(
        """async () => { document.getElementById("now").setAttribute("datetime", new Date().toISOString());
                         await import("/static/times.js"); }"""
    )
    assert bench.text_content("time") == "6. Dezember 2026 um 14:05 Uhr" or bench.text_content(
        "time"
    ).startswith("6. Dezember um 14:05 Uhr")
    assert bench.text_content("#now").startswith("heute um ")


def test_what_no_dictionary_holds_is_said_as_it_is_written(bench: Page) -> None:
    said = bench.evaluate(
        """async () => { const { say } = await import("/static/say.js");
             return [say("nobody ever wrote this"), say("toString"),
                     say("%(a)s %(b)s %(c)s", { a: "%(b)s", b: 1234567 })]; }"""
    )
    assert said == ["nobody ever wrote this", "toString", "%(b)s 1.234.567 %(c)s"]


def test_without_a_dictionary_scripts_speak_english(workbench: str, surf: Any) -> None:
    page: Page = surf()
    page.goto(workbench)
    assert page.evaluate("import('/static/cards.js').then((cards) => cards.NO_CARDS)") == NO_CARDS
    said = page.evaluate(
        "import('/static/files.js').then((files) => files.readFile('x'.repeat(12345)).sentence)"
    )
    assert said == "A text of 12,345 bytes"
