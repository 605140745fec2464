"""The languages that customers are spoken to in: their sentences by gettext, their dates as each language says them."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from gettext import c2py
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_time
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from vault.errors import Invalid
from vault.sentences import Sentence

LANGUAGES = ("en", "de")
"""The first one is the language that the sentences in code are written in; it has no catalogue."""
NAMES = {"en": "English", "de": "Deutsch"}
"""What each language calls itself, for whoever chooses one."""
NO_SUCH_LANGUAGE = Sentence("the languages are English (en) and German (de)")
LOCALE = Path(__file__).parent / "locale"
_SCRIPTS = "api/static/"
"""Where the scripts of pages lie: the catalogue says of each sentence which files say it."""

_LOCALES = {"en": Locale("en", "GB"), "de": Locale("de", "DE")}
_MOST_HEARD = 20
"""So many wishes of a browser are looked at."""


class Translation:
    """Says the sentences of the code in one language. A sentence without a translation is said as it is written.

    Values go into a sentence by name, as in `phrase("Hello %(name)s,", name=…)`. A sign `%` that means itself is
    doubled everywhere, because templates read sentences in the same way.
    """

    def __init__(self, language: str, catalog: Catalog | None = None) -> None:
        self.language = language
        self._locale = _LOCALES[language]
        self._one: dict[str, str] = {}
        self._many: dict[str, tuple[str, ...]] = {}
        self._which: Callable[[int], int] = c2py(catalog.plural_expr if catalog else "n != 1")
        for message in catalog or ():
            match message.id, message.string:
                case str(text), str(said) if text and said and not message.fuzzy:
                    self._one[text] = said
                case (one, _), (*said,) if all(said) and not message.fuzzy:
                    self._many[one] = tuple(said)

    def gettext(self, text: str) -> str:
        """The sentence in this language, its placeholders as they are."""
        return self._one.get(text, text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The sentence that fits a number of things, its placeholders as they are."""
        said = self._many.get(one, (one, many))
        return said[min(self._which(count), len(said) - 1)]

    def phrase(self, text: str, **values: object) -> str:
        """The sentence in this language, with its values put in."""
        return self.gettext(text) % values

    def said(self, text: str) -> str:
        """A sentence that was made elsewhere, like one of the model or of a refusal, in this language.

        Of a Sentence the values are put in as this language writes them; of other text every sign is left alone.
        """
        if not isinstance(text, Sentence):
            return self.gettext(text)
        if self.language == LANGUAGES[0]:
            return str(text)
        said = self.gettext(text.template)
        return (
            said % {name: self._written(value) for name, value in text.values.items()}
            if text.values
            else said
        )

    def _written(self, value: object) -> object:
        if isinstance(value, Sentence):
            return self.said(value)
        return format_decimal(value, locale=self._locale) if type(value) is int else value

    def day(self, when: datetime) -> str:
        """A date in UTC as one says it: 6 December 2026, 6. Dezember 2026."""
        return format_date(when.astimezone(UTC), "long", self._locale)

    def moment(self, when: datetime) -> str:
        """A date and time as one says it: 6 December 2026 at 14:05 UTC, 6. Dezember 2026 um 14:05 Uhr UTC."""
        time = format_time(when.astimezone(UTC), "HH:mm", UTC, self._locale)
        return self.phrase("%(day)s at %(time)s UTC", day=self.day(when), time=time)


@cache
def translation(language: str) -> Translation:
    """Read, once, what is said in one of LANGUAGES. Raises Invalid for any other."""
    if language not in LANGUAGES:
        raise Invalid(NO_SUCH_LANGUAGE, "/language")
    return Translation(language, _catalogue(language) if language != LANGUAGES[0] else None)


@cache
def javascript_words(language: str) -> dict[str, str]:
    """What the scripts of a page say in one of LANGUAGES, by the English sentence: `say.js` looks it up there.

    Empty for English. Raises Invalid for any other language.
    """
    spoken = translation(language)
    if language == LANGUAGES[0]:
        return {}
    sentences = [message.id for message in _catalogue(language) if _is_of_a_script(message)]
    return {sentence: spoken.gettext(sentence) for sentence in sentences if isinstance(sentence, str)}


def _is_of_a_script(message: Message) -> bool:
    return bool(message.id) and any(file.startswith(_SCRIPTS) for file, _ in message.locations)


@cache
def _catalogue(language: str) -> Catalog:
    with (LOCALE / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, charset="utf-8", abort_invalid=True)


def marked(text: str) -> str:
    """The text itself: it marks a sentence that is said elsewhere, by `gettext` of a variable."""
    return text


def wished(accept_language: str) -> str:
    """The first of LANGUAGES that a browser's Accept-Language header asks for (RFC 9110 §12.5.4), else English."""
    heard = []
    for place, wish in enumerate(accept_language.split(",")[:_MOST_HEARD]):
        tag, _, weight = wish.partition(";")
        quality = weight.strip().removeprefix("q=") or "1"
        if quality.replace(".", "", 1).isdecimal() and quality.isascii() and float(quality) > 0:
            heard.append((-float(quality), place, tag.strip().lower().partition("-")[0]))
    return next((language for _, _, language in sorted(heard) if language in LANGUAGES), LANGUAGES[0])
