"""P7: what the browser refuses and questions before it seals is what the core refuses and questions."""

import base64
import secrets
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.model.test_doubts import certified
from tests.samples import BIP39, CARDS, NO_CARDS, NO_SEEDS, SPELLINGS, VISA, base64_of
from vault.model.cards import NO_CARDS as REFUSAL
from vault.model.cards import holds_card_number
from vault.model.doubts import AUTHORITY_KEY, SEED_PHRASE, doubt_of
from vault.model.readings import readings


def in_browser(bench: Page, module: str, function: str, cases: list[Any]) -> list[Any]:
    """Every case given to a function of one of the product's own modules, in order."""
    answers: list[Any] = bench.evaluate(
        f"""async (cases) => {{ const {{{function}}} = await import("/static/{module}.js");
                              return cases.map((one) => {function}(...one)); }}""",
        cases,
    )
    return answers


def test_browser_and_core_read_values_alike(bench: Page) -> None:
    texts = [
        "",
        "a",
        "grüße " * 9,
        "4111 1111 1111 1111 12/27",
        "ﬁne ½ \uff14\uff11\uff11\uff11\u00a0",
        "=" * 20,
        "A" * 21,
        "QUJD" * 9 + "=",
    ]
    texts += [base64_of("Überweisung 4111111111111111", name) for name in ("utf-8", "latin-1", "utf-16")]
    for size in range(30, 60):
        raw = secrets.token_bytes(size)
        spelt = base64.b64encode(raw).decode()
        url_safe = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        texts += [
            spelt,
            url_safe,
            "\r\n".join(spelt[at : at + 16] for at in range(0, len(spelt), 16)),
            spelt[:-1],
            spelt + "!",
        ]
        texts += [f"data:application/octet-stream;base64,{spelt}", f"data:,{spelt}"]
    assert in_browser(bench, "readings", "readings", [[text] for text in texts]) == [
        list(readings(text)) for text in texts
    ]


@pytest.mark.promise("P7")
def test_browser_and_core_question_the_same(bench: Page) -> None:
    key, certificate = certified("Acme Root", authority=True)
    own_key, own = certified("shop.example", authority=False)
    contents = [
        *BIP39,
        *NO_SEEDS,
        *("\n".join(f"{at}. {word}" for at, word in enumerate(phrase.split(), 1)) for phrase in BIP39),
        *(base64_of(phrase) for phrase in BIP39),
        *(phrase.upper().replace(" ", "\u3000") for phrase in BIP39),
        key,
        key + certificate,
        base64_of(key + certificate),
        own_key + own,
        own_key + own + certificate,
        own_key + key + own + certificate,
        key + certificate.replace("M", "!"),
    ]
    pieces = [*BIP39[0].split(), *BIP39[6].split(), "the", "42.", "a", "und", "extraordinary"]
    marks = [" ", " ", " ", ", ", "\n", " - ", ". ", " 7) ", "\u00a0", "'"]
    contents += [
        "".join(secrets.choice(pieces) + secrets.choice(marks[: 2 + at % 9]) for _ in range(40))
        for at in range(300)
    ]
    cases: list[list[Any]] = [["file", {"name": "x.pem", "contents": text}] for text in contents]
    cases += [
        ["ssh-key", {"private_key": key, "passphrase": certificate}],
        ["note", {}],
        ["note", {"name": "ca.key"}],
    ]
    names = [
        "ca.key",
        "CA.KEY",
        "rootCA.key",
        "root-ca.key.pem",
        "cakey.pem",
        "my_ca.p12",
        "ca.crt",
        "shop.ca.key",
        "cat.key",
    ]
    cases += [["file", {"name": name, "contents": "x"}] for name in names]
    known = in_browser(bench, "doubts", "doubtOf", cases)
    assert known == [doubt_of(kind, fields) for kind, fields in cases]
    assert {SEED_PHRASE, AUTHORITY_KEY, ""} == set(known)


@pytest.mark.promise("P7")
@pytest.mark.attack("IN11")
def test_browser_and_core_refuse_the_same(bench: Page) -> None:
    long = "the rest of a long file\n" * 40
    cases: list[dict[str, str]] = [{}, {"password": ""}]
    for value in (*CARDS, *SPELLINGS, *NO_CARDS):
        cases += [
            {"password": value},
            {"contents": long + value + long},
            {"contents": base64_of(long + value)},
        ]
        cases += [{"username": value[: len(value) // 2], "port": "22", "password": value[len(value) // 2 :]}]
    cases += [
        {"text": VISA[:cut] + mark + VISA[cut:]}
        for cut in range(1, 16)
        for mark in ("x", "é", "xx", " a", "½", "ⅷ", "²")
    ]
    pieces = [
        "4",
        "41",
        "411",
        "4111",
        "1111",
        "11111111",
        VISA,
        VISA[:13],
        "5555",
        "34",
        "6011",
        "0",
        "00",
        "1227",
        "378282",
    ]
    marks = [
        " ",
        "",
        "-",
        "\n",
        ".",
        "x",
        "/",
        ":",
        "%20",
        "&#49;",
        "\\u0034",
        "\u0664",
        "\u00a0",
        "\u0332",
        "+",
        "ab",
        "cvv",
    ]
    for at in range(1500):
        size = 3 + at % 30
        row = [secrets.choice(pieces) + secrets.choice(marks[: 2 + at % 16]) for _ in range(size)]
        texts = ["".join(row[:2]), "".join(row[2:]) * (1 + at % 4)]
        cases.append(dict(zip(("username", "password"), texts, strict=True)))
    known = in_browser(bench, "cards", "holdsCardNumber", [[case] for case in cases])
    ours = [holds_card_number(case) for case in cases]
    assert [case for case, one, other in zip(cases, known, ours, strict=True) if one != other] == []
    assert 0.1 < sum(ours) / len(ours) < 0.9


@pytest.mark.promise("P7")
def test_browser_and_core_say_it_in_the_same_words(bench: Page) -> None:
    said = """async () => [(await import("/static/cards.js")).NO_CARDS,
                           (await import("/static/doubts.js")).SEED_PHRASE,
                           (await import("/static/doubts.js")).AUTHORITY_KEY]"""
    assert bench.evaluate(said) == [REFUSAL, SEED_PHRASE, AUTHORITY_KEY]


@pytest.mark.attack("DO04")
@pytest.mark.parametrize(
    "piece", ["1", "4 ", "4111 ", "44:", "%34", "\u200b4", "cvv code ", "QUJD", "abandon the ", "0f:"]
)
def test_no_file_holds_the_page_up(bench: Page, piece: str) -> None:
    spent = bench.evaluate(
        """async (piece) => {
             const {holdsCardNumber} = await import("/static/cards.js");
             const {doubtOf} = await import("/static/doubts.js");
             const fields = {name: "some.file", contents: piece.repeat(Math.floor(1400000 / piece.length))};
             const started = performance.now();
             holdsCardNumber(fields);
             doubtOf("file", fields);
             return performance.now() - started;
           }""",
        piece,
    )
    assert spent < 5000
