"""A customer who is written to, and how every mail to one begins and ends: their name, and the link to their page."""

from dataclasses import dataclass, field

from vault.languages import Translation, translation
from vault.outbox.letter import Letter, Link, Part, Said
from vault.outbox.mail import Mail


@dataclass(frozen=True)
class To:
    """Who is written to, in which language, in whose name; `page` is the link to their own page, empty for none."""

    mail: str
    name: str
    business: str
    language: str = "en"
    page: str = field(default="", repr=False)

    @property
    def words(self) -> Translation:
        """What is said in their language."""
        return translation(self.language)


def written(to: To, subject: str, *parts: Part, enclosed: tuple[tuple[str, bytes], ...] = ()) -> Mail:
    """A mail to a customer in their language, with the link to their page at the end where they have one."""
    greeting = Said(to.words.phrase("Hello %(name)s,", name=to.name))
    page: tuple[Part, ...] = ()
    if to.page:
        page = (
            Said(
                to.words.phrase(
                    "Who used your access, when and why, and every way to stop it, is on your page. It asks for a "
                    "code that we then send to this address:"
                )
            ),
            Link(to.page),
        )
    return Mail(to.mail, Letter(to.language, to.business, subject, (greeting, *parts, *page)), enclosed)


def unless(to: To) -> Said:
    """What to do for whoever did not do what the mail tells of."""
    return Said(
        to.words.phrase(
            "If it was not you, tell %(business)s at once, by telephone and not by an answer to this message.",
            business=to.business,
        )
    )
