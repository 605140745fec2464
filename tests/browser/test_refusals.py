"""P7: what the browser refuses and questions before it seals is what the core refuses and questions."""

import base64
import secrets
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.model.test_doubts import certified
from tests.samples import BIP39, NO_SEEDS, base64_of
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
