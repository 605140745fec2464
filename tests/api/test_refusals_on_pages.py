import pytest
from httpx2 import Client

from api.security import HEADERS, SESSION_COOKIE, form_token
from tests.world import World

BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.mark.attack("DP17")
def test_a_browser_reads_a_refusal_as_a_page_with_the_same_headers(embedded: World, server: str) -> None:
    embedded.actor("coordinator")
    cookie = {"cookie": f"{SESSION_COOKIE}={embedded.member('coordinator').token}"}
    twice = {"cookie": f"{SESSION_COOKIE}=a; {SESSION_COOKIE}=b"}
    with Client(base_url=server) as client:
        answers = {
            404: client.get("/nothing-hunter2", headers=BROWSER),
            405: client.put("/signin", headers=BROWSER),
            403: client.post("/signout", headers=BROWSER | cookie | {"origin": "https://hunter2.example"}),
            413: client.post("/signin", data={"mail": "hunter2" * 20_000}, headers=BROWSER),
            414: client.get("/signin?" + "hunter2" * 2_000, headers=BROWSER),
            415: client.post("/signin", files={"mail": b"hunter2"}, headers=BROWSER),
            421: client.get("/signin", headers=BROWSER | {"host": "hunter2.example"}),
            400: client.get("/signin", headers=BROWSER | twice),
        }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "<h1>" in answer.text
        assert "hunter2" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        for name, value in HEADERS.items():
            assert answer.headers[name] == value


@pytest.mark.attack("AN15", "AZ17")
def test_signing_out_needs_a_form_of_this_very_session(embedded: World, server: str) -> None:
    embedded.actor("coordinator")
    cookie = {"cookie": f"{SESSION_COOKIE}={embedded.member('coordinator').token}", "origin": server}
    with Client(base_url=server) as client:
        assert client.post("/signout", data={"form_token": "x"}, headers=cookie).status_code == 403
        assert client.get("/api/v1/session", headers=cookie).status_code == 200


def test_a_form_that_is_refused_comes_back_with_the_status_of_the_refusal(
    embedded: World, server: str
) -> None:
    _, secret, ticket, _ = embedded.lent()
    token = embedded.member("technician").token
    cookie = {"cookie": f"{SESSION_COOKIE}={token}", "origin": server}
    typed = {"form_token": form_token(token), "secrets": secret, "reason": "look whether it works"}
    with Client(base_url=server) as client:
        for given, status, said in (
            ({"minutes": "30"}, 401, "Prove that it is you"),
            ({"minutes": "30", "code": "000000"}, 403, "that code is wrong"),
            ({"minutes": "999", "code": "000000"}, 422, "1 to 240 minutes"),
        ):
            answer = client.post(f"/tickets/{ticket.id}/leases", data=typed | given, headers=BROWSER | cookie)
            assert answer.status_code == status
            assert said.lower() in answer.text.lower()
            assert "look whether it works" in answer.text, "what was typed comes back"
