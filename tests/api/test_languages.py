"""Who is spoken to in which language beside the form: the terms, refusals as pages, a customer's own page."""

from collections.abc import Iterator

import pytest
from httpx2 import Client

from api.security import SESSION_COOKIE
from api.visiting import MINE_COOKIE
from tests.operations.visiting import come
from tests.world import World
from vault.operations.customers import terms
from vault.values import Actor

GERMAN = {"accept": "text/html", "accept-language": "de-AT,de;q=0.9,en;q=0.8"}


@pytest.fixture
def client(embedded: World, server: str) -> Iterator[Client]:
    with Client(base_url=server, headers={"origin": embedded.settings.origin}) as client:
        yield client


def test_a_refusal_is_a_page_in_the_language_that_a_browser_wishes_for(client: Client) -> None:
    for wished, language, said in (
        ("de", "de", "So etwas gibt es hier nicht."),
        ("en", "en", "There is no such thing here."),
        ("fr", "en", "There is no such thing here."),
        ("'><script>", "en", "There is no such thing here."),
    ):
        answer = client.get("/nothing", headers={"accept": "text/html", "accept-language": wished})
        assert answer.status_code == 404
        assert f'<html lang="{language}">' in answer.text
        assert said in answer.text
    assert "Unter diesem Namen" in client.get("/", headers=GERMAN | {"host": "evil.example"}).text


def test_programs_and_staff_are_spoken_to_in_english(embedded: World, client: Client) -> None:
    german = {"accept-language": "de"}
    assert client.get("/api/v1/nothing", headers=german).json()["detail"] == "There is no such thing here."
    embedded.actor("coordinator")
    cookie = {"cookie": f"{SESSION_COOKIE}={embedded.member('coordinator').token}"}
    page = client.get("/nothing", headers=GERMAN | cookie)
    assert '<html lang="en">' in page.text
    assert "There is nothing here" in page.text
    assert '<html lang="en">' in client.get("/signin", headers=GERMAN).text


def test_the_terms_are_read_in_the_language_of_the_browser_or_of_the_address(
    embedded: World, client: Client
) -> None:
    embedded.run(terms.publish(embedded.vault, Actor.host(), "# Our terms\n\nWe ask for little.", 0))
    german = client.get("/terms", headers=GERMAN).text
    assert '<html lang="de">' in german
    assert "Unsere Bedingungen" in german
    assert "We ask for little." in german, "the business's own words stay as they are"
    assert 'href="?language=en"' in german
    chosen = client.get("/terms?language=de").text
    assert '<html lang="de">' in chosen
    assert 'href="/terms/1?language=de"' in chosen, "and goes on with it"
    assert 'href="/terms?language=de"' in client.get("/terms/1?language=de").text
    for other in ("fr", "../de", ""):
        assert '<html lang="en">' in client.get(f"/terms?language={other}").text
    assert client.get("/terms?language=" + "x" * 11).status_code == 422


def test_the_customer_of_a_page_is_spoken_to_in_their_language_and_not_in_the_browsers(
    embedded: World, client: Client
) -> None:
    customer = embedded.customer().id
    cookie = {"cookie": f"{MINE_COOKIE}={come(embedded, customer).token}"}
    assert client.post("/api/v1/mine/details", json={"language": "de"}, headers=cookie).status_code == 200
    english = cookie | {"accept": "text/html", "accept-language": "en"}
    form_token = client.get("/mine/details", headers=english).text.partition('name="form_token" value="')[2]
    fields = {"form_token": form_token.partition('"')[0], "name": "", "mail": "x", "language": "de"}
    refused = client.post("/mine/details", data=fields, headers=english)
    assert refused.status_code == 422
    assert "Name hat 1 bis 120 Zeichen" in refused.text
    refused = client.post("/mine/details", data=fields | {"name": "Acme"}, headers=english)
    assert "Das ist keine Mailadresse" in refused.text
    none = client.get("/mine/services/svc_00000000000000000000", headers=english)
    assert none.status_code == 404
    assert '<html lang="de">' in none.text
    assert "Hier ist nichts" in none.text
