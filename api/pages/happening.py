"""What happened, in sentences: one for each type of entry that a customer is told of, and one for what was refused."""

from vault.languages import Translation, marked
from vault.model.own_views import HappenedView

SENTENCES = {
    "request.ask": marked("%(who)s asked you for access"),
    "request.reissue": marked("%(who)s made a new code for your form"),
    "request.cancel": marked("%(who)s withdrew a request"),
    "request.begin": marked("The form was opened with your code"),
    "request.done": marked("The form was finished"),
    "request.expire": marked("The code of a form ran out"),
    "terms.accept": marked("Our terms were accepted on the form"),
    "secret.give": marked("“%(secret)s” was handed over on the form"),
    "secret.checked": marked("The vault has checked “%(secret)s”: it opens and can be used"),
    "secret.withdraw": marked("You took “%(secret)s” back"),
    "secret.replace": marked("You opened a form to give “%(secret)s” anew"),
    "secret.report": marked(
        "%(who)s reported that “%(secret)s” does not work, and you are asked for it again"
    ),
    "ticket.open": marked("%(who)s opened ticket %(ticket)s"),
    "ticket.assign": marked("%(who)s put %(whom)s on ticket %(ticket)s"),
    "ticket.unassign": marked("%(who)s took %(whom)s off ticket %(ticket)s"),
    "ticket.hand-over": marked("%(who)s gave the work on this service to %(whom)s"),
    "ticket.close": marked("%(who)s closed ticket %(ticket)s"),
    "lease.start": marked("%(who)s checked your access out for ticket %(ticket)s"),
    "lease.approve": marked("%(who)s agreed that your access is checked out for ticket %(ticket)s"),
    "lease.refuse": marked("%(who)s refused to let your access be checked out for ticket %(ticket)s"),
    "lease.extend": marked("%(who)s may use your access for longer"),
    "lease.break-glass": marked(
        "%(who)s opened your access for ticket %(ticket)s without another person's yes, because nobody could say it in "
        "time; somebody else reviews this"
    ),
    "review.close": marked("%(who)s reviewed that your access was opened without another person's yes"),
    "host-key.meet": marked("%(who)s reached your server for the first time and noted its key"),
    "lease.check-in": marked("%(who)s handed your access back"),
    "lease.revoke": marked("%(who)s ended a lease"),
    "lease.expire": marked("A lease ended by itself"),
    "secret.reveal": marked("%(who)s opened “%(field)s” of “%(secret)s” for ticket %(ticket)s"),
    "secret.use": marked("%(who)s handed “%(field)s” of “%(secret)s” to a program for ticket %(ticket)s"),
    "secret.code": marked("%(who)s had a one-time code made of “%(secret)s” for ticket %(ticket)s"),
    "secret.damaged": marked("What is stored of “%(secret)s” did not open, and nothing was shown"),
    "service.register": marked("%(who)s registered this service"),
    "service.connect": marked("%(who)s let our helpdesk say which technicians work on this service"),
    "service.disconnect": marked("%(who)s lets our helpdesk have no say in this service any more"),
    "service.prolong": marked("%(who)s moved the end of this service"),
    "service.pause": marked("You paused this service"),
    "service.resume": marked("You let this service go on"),
    "service.overdue": marked("The service has reached its end, and nothing of it opens any more"),
    "service.end": marked("%(who)s ended this service"),
    "service.destroy": marked("Everything that was given for it was destroyed"),
    "records.export": marked("You took your records with you"),
}
"""What is said of each type of entry in vault.operations.customers.happened.TYPES."""
BY_YOU = {
    "service.end": marked("You ended this service"),
    "lease.approve": marked("You allowed that your access is checked out for ticket %(ticket)s"),
    "lease.refuse": marked("You did not allow that your access is checked out for ticket %(ticket)s"),
}
"""The same where the customer did what the staff can do, too."""
OF_ASKING = {
    "asked": marked("%(who)s asked to check your access out for ticket %(ticket)s"),
    "taken back": marked("%(who)s does not ask for your access any more"),
    "not answered": marked("Nobody answered whether your access may be checked out, and nothing was opened"),
}
"""The same of a lease that took somebody's yes, where nothing had begun."""
REVIEWED = {
    "justified": marked(
        "%(who)s found it justified that your access was opened without another person's yes"
    ),
    "not justified": marked(
        "%(who)s found it not justified that your access was opened without another person's yes"
    ),
}
"""What is said of a review, by what it found."""
PLANNED = {
    "lease.start": marked("%(who)s checked your access out for ticket %(ticket)s, from %(begins)s on"),
    "lease.approve": marked(
        "%(who)s agreed that your access is checked out for ticket %(ticket)s, from %(begins)s on"
    ),
}
"""The same of a lease that begins later."""
PLANNED_BY_YOU = marked(
    "You allowed that your access is checked out for ticket %(ticket)s, from %(begins)s on"
)
EXTENDED = marked("%(who)s may use your access until %(until)s now")
REFUSED = {
    "secret.reveal": marked("%(who)s wanted to open “%(secret)s” and was refused"),
    "secret.use": marked("%(who)s wanted to hand “%(secret)s” to a program and was refused"),
    "secret.code": marked("%(who)s wanted a one-time code of “%(secret)s” and was refused"),
    "lease.extend": marked("%(who)s wanted to use your access for longer and was refused"),
    "lease.break-glass": marked(
        "%(who)s wanted to open your access without another person's yes and was refused"
    ),
    "lease.start": marked("%(who)s wanted to check your access out for ticket %(ticket)s and was refused"),
    "lease.approve": marked("%(who)s wanted to agree to a check-out of your access, and it was not possible"),
    "secret.give": marked("Something was handed in on the form and refused"),
}
CHECKED = {
    "card": marked(
        "The vault has checked “%(secret)s” and refused it: it held the number or code of a payment card, which is "
        "never kept. Nothing of it was kept, and you are asked for it again"
    ),
    "misplaced": marked(
        "The vault has checked “%(secret)s” and refused it: it looked like the recovery words of a wallet, or the key "
        "of a certificate authority. Nothing of it was kept, and you are asked for it again"
    ),
    "damaged": marked(
        "The vault has checked “%(secret)s” and refused it: what arrived did not open. Nothing of it was kept, and you "
        "are asked for it again"
    ),
    "unusable": marked(
        "The vault has checked “%(secret)s” and refused it: nobody could have logged in with it. Nothing of it was "
        "kept, and you are asked for it again"
    ),
}
"""What is said of a check that refused, by its reason."""
_REFUSED = marked("%(who)s wanted to do something here and was refused; nothing was changed")


def told(view: HappenedView, say: Translation, business: str) -> str:
    """One thing that happened as a sentence in the language of `say`, without a full stop."""
    return say.phrase(
        _sentence(view),
        who=_who(view, say, business),
        secret=say.gettext(view.secret) if view.secret else say.gettext("your access"),
        whom=view.whom or say.gettext("a technician"),
        field=say.gettext(view.field) if view.field else say.gettext("a field"),
        ticket=view.ticket or say.gettext("without a number"),
        begins=say.moment(view.begins_at) if view.begins_at else "",
        until=say.moment(view.until) if view.until else "",
    )


def _sentence(view: HappenedView) -> str:
    """The most exact sentence that is true of it."""
    if view.why:
        return CHECKED[view.why]
    if view.outcome != "ok":
        return REFUSED.get(view.type, _REFUSED)
    usual = BY_YOU.get(view.type) if view.by == "you" else None
    return _of_a_lease(view) or usual or SENTENCES[view.type]


def _of_a_lease(view: HappenedView) -> str:
    """What is to be said of a lease in particular; nothing where it is as leases mostly are."""
    if view.of_asking:
        return OF_ASKING[view.of_asking]
    if view.judged:
        return REVIEWED[view.judged]
    if view.begins_at and view.type in PLANNED:
        return PLANNED_BY_YOU if view.by == "you" else PLANNED[view.type]
    return EXTENDED if view.until and view.type == "lease.extend" else ""


def _who(view: HappenedView, say: Translation, business: str) -> str:
    match view.by:
        case "staff":
            return view.by_name or say.phrase("Somebody at %(business)s", business=business)
        case "you":
            return say.gettext("You")
        case "host":
            return say.gettext("An operator of the vault")
        case "helpdesk":
            return say.phrase("The helpdesk of %(business)s", business=business)
        case _:
            return say.gettext("The vault")
