"""What happened, in sentences: one for each type of entry that a customer is told of, and one for what was refused."""

from vault.languages import Translation, marked
from vault.model.own import HappenedView

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
    "ticket.close": marked("%(who)s closed ticket %(ticket)s"),
    "lease.start": marked("%(who)s checked your access out for ticket %(ticket)s"),
    "lease.approve": marked("%(who)s agreed that your access is checked out for ticket %(ticket)s"),
    "lease.refuse": marked("%(who)s refused to let your access be checked out for ticket %(ticket)s"),
    "lease.check-in": marked("%(who)s handed your access back"),
    "lease.revoke": marked("%(who)s ended a lease"),
    "lease.expire": marked("A lease ended by itself"),
    "secret.reveal": marked("%(who)s opened “%(field)s” of “%(secret)s” for ticket %(ticket)s"),
    "secret.damaged": marked("What is stored of “%(secret)s” did not open, and nothing was shown"),
    "service.register": marked("%(who)s registered this service"),
    "service.prolong": marked("%(who)s moved the end of this service"),
    "service.pause": marked("You paused this service"),
    "service.resume": marked("You let this service go on"),
    "service.overdue": marked("The service has reached its end, and nothing of it opens any more"),
    "service.end": marked("%(who)s ended this service"),
    "service.destroy": marked("Everything that was given for it was destroyed"),
    "records.export": marked("You took your records with you"),
}
"""What is said of each type of entry in vault.operations.happened.TYPES."""
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
REFUSED = {
    "secret.reveal": marked("%(who)s wanted to open “%(secret)s” and was refused"),
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
    if view.why:
        sentence = CHECKED[view.why]
    elif view.outcome != "ok":
        sentence = REFUSED.get(view.type, _REFUSED)
    elif view.of_asking:
        sentence = OF_ASKING[view.of_asking]
    elif view.by == "you" and view.type in BY_YOU:
        sentence = BY_YOU[view.type]
    else:
        sentence = SENTENCES[view.type]
    return say.phrase(
        sentence,
        who=_who(view, say, business),
        secret=say.gettext(view.secret) if view.secret else say.gettext("your access"),
        whom=view.whom or say.gettext("a technician"),
        field=say.gettext(view.field) if view.field else say.gettext("a field"),
        ticket=view.ticket or say.gettext("without a number"),
    )


def _who(view: HappenedView, say: Translation, business: str) -> str:
    match view.by:
        case "staff":
            return view.by_name or say.phrase("Somebody at %(business)s", business=business)
        case "you":
            return say.gettext("You")
        case "host":
            return say.gettext("An operator of the vault")
        case _:
            return say.gettext("The vault")
