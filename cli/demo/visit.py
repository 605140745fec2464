"""The customer on their own page: they read who opened what, and stop it for a while.

It is opened as a browser does that runs no script: two forms, and a code that came by mail.
"""

import http.client
import re
from functools import partial
from urllib.parse import urlencode, urlsplit

from cli.demo.company import CUSTOMER, refused
from cli.demo.ground import require
from cli.demo.lending import REASON
from cli.demo.mailbox import Mailbox
from cli.demo.stage import Stage
from cli.http import Client
from vault.errors import Denied

API = "/api/v1/mine"
_SECONDS = 20
_CODE = re.compile(r"^\s*([0-9A-Z]{5}-[0-9A-Z]{5})\s*$", re.MULTILINE)


def read(stage: Stage) -> str:
    """The customer opens their own page, and reads who opened what for which ticket, and why."""
    letter = stage.mailbox.wait(CUSTOMER[1], "access")
    stage.page = stage.stack.enter_context(come(letter.page, stage.mailbox))
    found = stage.page.get(API, "services", stage.service, "happened")
    seen = [one for one in found["happened"] if one["type"] == "secret.reveal" and one["outcome"] == "ok"]
    told = {(one["by_name"], one["ticket"], one["reason"]) for one in seen}
    require(told == {(stage.tom.name, "T-2041", REASON)}, f"the page tells something else: {told}")
    require(len(seen) == len(stage.fields), "the page does not tell of each reveal")
    shown = repr((found, stage.page.get(API)))
    require(not any(value in shown for value in stage.needles_of_sight()), "the page shows what was given")
    return "The customer opens their own page by a mailed code, and reads who, what, why"


def paused(stage: Stage) -> str:
    """The customer pauses the service, and lets it go on."""
    opened = partial(stage.company.reveal, stage.theo, stage.lease["id"], stage.secret, "password")
    stage.page.post(API, "services", stage.service, "pause")
    refused(Denied, "the customer has paused this service", opened)
    stage.page.post(API, "services", stage.service, "resume")
    require(opened() == stage.login.password, "it did not go on")
    return "The customer pauses it: Theo's next reveal is refused; then they resume it"


def come(link: str, mailbox: Mailbox) -> Client:
    """Open the page by its link and the code that comes by mail; gives a connection that is this customer's.

    Raises NotHeld when the page opens without the code, or no code comes.
    """
    place, _, name = link.partition("/mine#")
    require(name, "there is no link to the customer's page in the mail")
    asked, _ = _sent(place, "/mine", "", name)
    _, before = _sent(place, "/mine/code", asked, "00000-00000")
    require("/services" not in before, "the page opened with a wrong code")
    found = _CODE.search(mailbox.wait(CUSTOMER[1], "Your code for your page").text)
    require(found, "there is no code in the mail")
    cookie, after = _sent(place, "/mine/code", asked, found[1] if found else "")
    require(after == "/mine/services", "the code from the mail does not open the page")
    return Client(place, {"Cookie": cookie, "Origin": place})


def _sent(place: str, path: str, cookie: str, code: str) -> tuple[str, str]:
    """Send a form with one field; gives the cookie that is held then, and where the answer leads."""
    line = http.client.HTTPConnection(urlsplit(place).netloc, timeout=_SECONDS)
    headers = {"Origin": place, "Content-Type": "application/x-www-form-urlencoded"}
    try:
        line.request(
            "POST", path, urlencode({"code": code}), headers | ({"Cookie": cookie} if cookie else {})
        )
        answer = line.getresponse()
        answer.read()
        given = answer.getheader("Set-Cookie", cookie).partition(";")[0]
        return given, answer.getheader("Location", "")
    finally:
        line.close()
