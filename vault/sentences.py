"""Sentences for people: each one is English text, and knows how it was made, so that it can be said otherwise."""

from collections.abc import Mapping
from typing import Self


class Sentence(str):
    """A sentence as it is written in the code, with its values put in by name, as in `%(name)s`.

    It is the English text itself wherever text is wanted: in the API, in a log, at the command line.
    `vault.languages.Translation.said` says it in another language. A value that is a Sentence is said too, and a whole
    number is written as one writes it there; what is to stay as it is comes as text.
    """

    __slots__ = ("template", "values")
    template: str
    """What a catalogue knows it by."""
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Put the values in. Without any the template is the text, also its percent signs."""
        shown = {name: grouped(value) for name, value in values.items()}
        return cls.known(template % shown if values else template, template, values)

    @classmethod
    def known(cls, text: str, template: str, values: Mapping[str, object]) -> Self:
        """A sentence that was made elsewhere: its English text, and how it was made."""
        made = super().__new__(cls, text)
        made.template = template
        made.values = values
        return made

    @classmethod
    def within(cls, title: str) -> Self:
        """A title as it stands within an English sentence: small, unless it starts with an abbreviation."""
        small = title if title[:2].isupper() else f"{title[:1].lower()}{title[1:]}"
        return cls.known(small, title, {})


def grouped(value: object) -> object:
    """A whole number as one writes it in English, like 65,536; anything else as it is."""
    return f"{value:,}" if type(value) is int else value
