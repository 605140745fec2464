"""What people do away from the terminal, as the verbs of a session: in a browser, mostly."""

from cli.http import Client
from tests.authenticator import SoftPasskey
from tests.cli.playing import Elsewhere
from tests.world import PASSWORD, World
from vault.errors import NotSignedIn, ProofNeeded
from vault.operations.people import device, sessions
from vault.operations.presence import NOTHING
from vault.values import Actor

CODE = r"this code: (\S+)\s"
LINK = r"/enrol#(\S+)\s"


def people_of(world: World) -> dict[str, Elsewhere]:
    """The staff of a world: `approve as ROLE` and `refuse as ROLE`, each with their authenticator."""

    def signed_in(role: str) -> Actor:
        token = world.member(role).token
        try:
            return world.run(sessions.resolve(world.vault, token, "192.0.2.7", "page"))
        except NotSignedIn:
            return world.run(sessions.resolve(world.vault, world.sign_in(role), "192.0.2.7", "page"))

    def approve(code: str, words: str) -> None:
        role = words.removeprefix("as ")
        world.run(device.answer(world.vault, signed_in(role), code, True, world.presence(role)))

    def refuse(code: str, words: str) -> None:
        world.run(device.answer(world.vault, signed_in(words.removeprefix("as ")), code, False, NOTHING))

    return {"approve": Elsewhere(CODE, approve), "refuse": Elsewhere(CODE, refuse)}


class Browsers:
    """Browsers at a vault that runs in a process of its own: `enrol as NAME` and `approve as NAME`, by passkey."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.passkeys: dict[str, SoftPasskey] = {}

    def verbs(self) -> dict[str, Elsewhere]:
        """What can be done in them."""
        return {"enrol": Elsewhere(LINK, self.enrol), "approve": Elsewhere(CODE, self.approve)}

    def enrol(self, code: str, words: str) -> None:
        """Join by the code of an invitation: a password, and a new passkey."""
        passkey = self.passkeys[words.rpartition("as ")[2]] = SoftPasskey(self.url)
        with Client(self.url) as page:
            begun = page.post("/api/v1/enrolment", code=code)
            page.carry("Authorization", f"Bearer {begun['token']}")
            page.post("/api/v1/enrolment/password", password=PASSWORD)
            asked = page.post("/api/v1/enrolment/passkey/ask")
            answer = passkey.create(asked["passkey"])
            page.post("/api/v1/enrolment/passkey", challenge=asked["challenge"], answer=answer, name="Key")

    def approve(self, code: str, words: str) -> None:
        """Sign in by passkey and let the command line in that shows this code, which takes the passkey again."""
        passkey = self.passkeys[words.rpartition("as ")[2]]
        with Client(self.url) as page:
            asked = page.post("/api/v1/session/passkey/ask")
            answer = passkey.get(asked["passkey"])
            begun = page.post("/api/v1/session/passkey", challenge=asked["challenge"], answer=answer)
            page.carry("Authorization", f"Bearer {begun['token']}")
            try:
                page.post("/api/v1/device", user_code=code, allow=True)
            except ProofNeeded as needed:
                given = {
                    "challenge": needed.challenge["id"],
                    "answer": passkey.get(needed.challenge["passkey"]),
                }
                page.post("/api/v1/device", user_code=code, allow=True, presence=given)
