"""What the scripts of a German page say: word for word what the core says in German, numbers and times too."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Page, expect
from starlette.staticfiles import StaticFiles

from tests.browser.conftest import STATIC, serving
from tests.browser.forms import Form, fill, open_for
from tests.browser.outside import CODE
from tests.browser.test_readers import asked, mangled
from tests.keys import PASSPHRASE, made_by_ssh_keygen, putty_key
from tests.logins import ALSO_GOOD, WRONG
from tests.pasted import BAD_KEYS, SEEDS
from tests.samples import BIP39
from tests.test_words import pairs
from vault.errors import Invalid
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
LONG = Sentence("%(field)s can have at most %(longest)s characters", field=Sentence("Password"), longest=1024)
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


# -- the form itself -------------------------------------------------------------------------------------------------


@pytest.fixture
def form(tmp_path: Path) -> Iterator[Form]:
    with open_for(("ssh-password", "ssh-key", "note"), tmp_path) as form:
        form.core.language = "de"
        yield form


def question(form: Form, page: Page, secret: str) -> Page:
    """The page that asks for that secret, ready to seal."""
    page.goto(f"{form.address}/give/?secret={secret}")
    page.wait_for_selector("[data-suite]")
    return page


def english_on(page: Page) -> list[str]:
    """The English sentences of the catalogue that stand somewhere on a page that should be German."""
    text = page.inner_text("html") + " ".join(page.evaluate(ATTRIBUTES))
    return [
        part.strip()
        for english, german in pairs()
        for part in re.split(r"%\(\w+\)s", english)
        if len(part.strip()) > 12 and part not in german and part.strip() in text
    ]


ATTRIBUTES = """[...document.querySelectorAll("body *")].flatMap((one) =>
  ["title", "aria-label", "placeholder", "data-missing", "data-wrong", "data-title", "data-sealed"]
    .map((name) => one.getAttribute(name) ?? ""))"""


def test_the_sweep_for_english_sees_a_sentence(german_bench: str, surf: Any) -> None:
    """The canary of the tests below."""
    page: Page = surf()
    page.goto(german_bench)
    assert english_on(page) == []
    page.evaluate("document.body.append('Bitte: Take it out again!')")
    assert english_on(page) == ["Take it out again"]


def test_a_german_form_speaks_german_while_it_is_filled_in(form: Form, surf: Any) -> None:
    page = question(form, form.knocked(surf()), "sec_1")
    page.click("#submit")
    page.wait_for_selector("#summary")
    assert page.text_content("#username-error") == "Fehler: Hier fehlt noch: Benutzername"
    assert page.inner_text("#summary h2") == "Bitte sehen Sie sich das noch einmal an"
    page.fill("#private_key", "ssh-rsa AAAA deploy@shop")
    expect(page.locator("#private_key-verdict")).to_contain_text("öffentliche Hälfte")
    page.fill("#private_key", putty_key(3, PASSPHRASE))
    expect(page.locator("#private_key-verdict")).to_contain_text("im Format von PuTTY, mit einer Passphrase")
    page.fill("#host", "ssh -p 2222 root@shop.example.com")
    page.locator("#host").dispatch_event("change")
    assert page.inner_text("#host-verdict") == "Aus dieser Zeile eingetragen: Server, Port und Benutzername"
    assert english_on(page) == []


@pytest.mark.promise("P7")
def test_a_german_form_refuses_and_doubts_in_german(form: Form, surf: Any) -> None:
    page = question(form, form.knocked(surf()), "sec_0")
    fill(page, password="4111 1111 1111 1111")
    page.click("#submit")
    expect(page.locator("#password-error")).to_contain_text("Das sieht nach einer Kartennummer")
    form.core.wrong = Invalid(LONG, "/fields/password")
    fill(page)
    page.click("#submit")
    expect(page.locator("#password-error")).to_contain_text("Passwort: höchstens 1.024 Zeichen.")
    form.core.wrong = Invalid(SEED_PHRASE, "/sure")
    page.click("#submit")
    expect(page.locator("#doubt")).to_contain_text("Ist das wirklich für uns gedacht?")
    expect(page.locator("#doubt")).to_contain_text("Ja, das gehört zu diesem Zugang")
    assert english_on(page) == []
    page = question(form, page, "sec_2")
    page.fill("#subject", "Für Sie")
    page.fill("#text", BIP39[0])
    page.click("#submit")
    expect(page.locator("#doubt")).to_contain_text("Wiederherstellungswörtern einer Wallet")
    assert english_on(page) == []


def test_a_german_form_without_scripts_says_the_same(form: Form, surf: Any) -> None:
    page: Page = surf(java_script_enabled=False, locale="de-DE")
    page.goto(f"{form.address}/give/begin")
    page.fill("#code", CODE)
    page.click("main button")
    page.goto(f"{form.address}/give/?secret=sec_1")
    page.fill("#host", "shop.example.com")
    page.fill("#username", "root")
    page.fill("#private_key", putty_key(3, PASSPHRASE))
    page.click("#submit")
    expect(page.locator("#passphrase-error")).to_contain_text(
        "Dieser Schlüssel ist mit einer Passphrase geschützt"
    )
    page.fill("#private_key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA")
    page.fill("#passphrase", "x")
    page.click("#submit")
    expect(page.locator("#private_key-error")).to_contain_text("Die letzte Zeile fehlt")
