"""Where a customer stands in their form, and what comes next."""

from typing import Literal

from vault.model.messages import Form, FormItem

Step = FormItem | Literal["letter", "check", "thanks"]


def owes_terms(form: Form) -> bool:
    """Whether terms wait to be accepted: until then nothing can be given."""
    return form.terms is not None and not form.terms.accepted


def waiting(form: Form) -> list[FormItem]:
    """What was not given yet: first what is needed, then what is welcome."""
    return sorted((item for item in form.items if not item.given), key=lambda item: not item.required)


def missing(form: Form) -> list[FormItem]:
    """What is needed and was not given yet."""
    return [item for item in waiting(form) if item.required]


def step(form: Form, wished: str = "") -> Step:
    """What to show now: the letter, the secret that the customer wished for or else the next one, or the end."""
    if form.state == "done":
        return "thanks"
    if owes_terms(form):
        return "letter"
    open_ones = waiting(form)
    chosen = next((item for item in open_ones if item.secret == wished), None)
    if chosen is not None:
        return chosen
    if not any(item.given or item.refused for item in form.items):
        return "letter"
    return open_ones[0] if open_ones else "check"
