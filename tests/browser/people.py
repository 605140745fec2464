"""What people do in front of their browsers: signing in, typing codes, touching a passkey."""

from collections.abc import Callable

from playwright.sync_api import CDPSession, Page

from tests.world import PASSWORD, Member, World

Surf = Callable[..., Page]
POLYGLOT = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"


def sign_in(page: Page, world: World, address: str, who: str | Member) -> Page:
    """By password and code; auditors have accepted the agreement before."""
    member = world.member(who)
    if "auditor" in member.view.roles:
        world.actor(who)
    page.goto(f"{address}/signin")
    give(page, world, member)
    page.wait_for_url(lambda url: "signin" not in url)
    return page


def give(page: Page, world: World, member: Member) -> None:
    page.fill("#mail", member.view.mail)
    page.fill("#password", PASSWORD)
    page.fill("#code", world.code(member))
    page.click("#by-password button")


def open_form(page: Page, address: str, code: str | None) -> Page:
    """Open a customer's form by its code, begin, and choose to give a password where a key of ours is offered."""
    page.goto(f"{address}/give#{code}")
    if page.input_value("#code") == "":  # without JavaScript the code is typed
        page.fill("#code", code or "")
    page.click("main button")
    page.click("text=Begin")
    page.wait_for_selector("#give")
    if page.locator("#command").count():
        page.click("text=I give a password instead")
        page.wait_for_selector("#password")
    return page


def hand_over(page: Page) -> Page:
    """Press the button of the form and wait until it is received."""
    page.click("#submit")
    page.wait_for_url("**given=**")
    return page


def holding_a_passkey(page: Page) -> CDPSession:
    """Give the browser a device that can hold passkeys and whose owner always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session


def with_a_passkey(page: Page, world: World, address: str, who: str | Member) -> Page:
    """Add a passkey to an account that has an authenticator, and sign in with it."""
    holding_a_passkey(page)
    sign_in(page, world, address, who)
    page.goto(f"{address}/account/passkey")
    page.fill("#code", world.code(who))
    page.click("text=Continue")
    page.click("button >> text=Make the passkey")
    page.wait_for_url("**/signin**")
    page.click("#passkey")
    page.wait_for_url(lambda url: "signin" not in url)
    return page
