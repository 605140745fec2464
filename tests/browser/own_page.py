"""A customer in front of their own page: they come by their link and type the code from their mailbox."""

from playwright.sync_api import Page

from tests.operations.visiting import link_of, mailed
from tests.world import World


def come_by_link(page: Page, world: World, customer_id: str, link: str = "") -> Page:
    """Open the page of a customer, all the way, in this browser. `link` is needed while the vault is sealed."""
    whole = link or link_of(world, customer_id)
    page.goto(whole)
    if page.input_value("#code") == "":  # without JavaScript the code is typed
        page.fill("#code", whole.partition("#")[2])
    page.click("main form button")
    page.wait_for_url("**/mine/code")
    page.fill("#code", mailed(world))
    page.click("main form button")
    page.wait_for_url("**/mine/services")
    return page
