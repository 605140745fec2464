"""What a mail says, once, and its two shapes: text, and HTML that loads nothing, tracks nobody and asks nothing."""

from dataclasses import dataclass
from html import escape
from textwrap import fill, indent

WIDTH = 78
"""Characters of a line of text. What is shown for itself, like a link, is never broken."""

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{subject}</title>
</head>
<body style="margin:0;padding:24px 16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif">
<div style="max-width:36em;margin:0 auto">
<p style="margin:0 0 24px;padding:0 0 8px;border-bottom:2px solid;font-weight:600">{sender}</p>
{parts}
</div>
</body>
</html>
"""
_SET_APART = (
    "margin:0 0 16px;padding:0 0 0 16px;border-left:2px solid;overflow-wrap:anywhere;white-space:pre-wrap"
)


@dataclass(frozen=True)
class Said:
    """A paragraph. White space and line breaks in it mean nothing."""

    words: str

    def text(self) -> str:
        """As lines of at most 78 characters."""
        return fill(" ".join(self.words.split()), WIDTH, break_long_words=False, break_on_hyphens=False)

    def html(self) -> str:
        """As a paragraph, with nothing in it that is markup."""
        return f'<p style="margin:0 0 16px">{escape(" ".join(self.words.split()))}</p>'


@dataclass(frozen=True)
class Shown:
    """Something that stands for itself: a title, a code, lines to copy."""

    words: str

    def text(self) -> str:
        """As it is, indented."""
        return indent(self.words, "    ")

    def html(self) -> str:
        """As it is, set apart."""
        return f'<p style="{_SET_APART}">{escape(self.words)}</p>'


@dataclass(frozen=True)
class Link:
    """An address, which is its own text, so that everybody sees where it leads."""

    url: str

    def text(self) -> str:
        """On a line of its own."""
        return indent(self.url, "    ")

    def html(self) -> str:
        """As a link that says where it leads."""
        url = escape(self.url)
        return f'<p style="{_SET_APART}"><a href="{url}">{url}</a></p>'


Part = Said | Shown | Link


@dataclass(frozen=True)
class Letter:
    """A letter in one language, from its greeting to its end, in the name of `sender`."""

    language: str
    sender: str
    subject: str
    parts: tuple[Part, ...]

    def text(self) -> str:
        """The letter as plain text."""
        return "\n\n".join(part.text() for part in self.parts) + "\n"

    def html(self) -> str:
        """The letter as a page of its own: no image, no style sheet, no script, and no link but those it says."""
        return _PAGE.format(
            language=escape(self.language),
            subject=escape(self.subject),
            sender=escape(self.sender),
            parts="\n".join(part.html() for part in self.parts),
        )
