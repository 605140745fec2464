"""Leaving a tab: what a browser says when somebody goes to another one, or comes back."""

LEAVE = """hidden => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""
"""To be evaluated with whether the tab is hidden from now on: a headless browser shows every tab."""
