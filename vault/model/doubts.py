"""What is questioned before it is taken: it can belong to a login, but nearly always got here by mistake.

1. **The seed phrase of a wallet** (BIP-39, Electrum from 2.0 on: 12, 15, 18, 21 or 24 words). No list of words is kept:
   their shape is enough. Twelve words in a row, each of 3 to 9 letters (2 to 8 in kana or hangul, one Chinese
   character), with blanks, line breaks, commas or numbers between them and none of the small words that every
   sentence needs and no list has; a number alone, as between the letters of a key, parts no words. More than twelve
   count too, for the words that stand before and after a phrase. A passphrase of that many words looks the same; it
   is only asked about.
2. **The private key of a certificate authority**: a private key beside certificates whose basicConstraints say CA
   (RFC 5280, 4.2.1.9), unless every key there has a certificate of its own that is none, as the key of a web server
   has beside its chain. A file is also known by its name, like `ca.key`, because such a key often comes alone.

`api/static/doubts.js` is the same rule for the browser, and a test holds the two together.
"""

import base64
import re
from collections.abc import Mapping

from vault.model.readings import readings
from vault.sentences import Sentence

SEED_PHRASE = Sentence(
    "This looks like the recovery words of a wallet: whoever has them has its money. "
    "Is this really meant for us?"
)
AUTHORITY_KEY = Sentence(
    "This looks like the private key of a certificate authority: whoever has it can vouch for any name. "
    "Is this really meant for us?"
)

FEWEST = 12
_FARTHEST = 40  # characters between two words of a list

_LATIN_CYRILLIC = r"a-z\u00df-\u00f6\u00f8-\u017e\u0430-\u044f\u0451"
_KANA, _HANGUL, _HAN = r"\u3041-\u3096\u30fc", r"\uac00-\ud7a3", r"\u4e00-\u9fff"
_WORD = re.compile(rf"[{_LATIN_CYRILLIC}]+|[{_KANA}]+|[{_HANGUL}]+|[{_HAN}]+")
_FITTING = re.compile(rf"[{_LATIN_CYRILLIC}]{{3,9}}|[{_KANA}]{{2,8}}|[{_HANGUL}]{{2,8}}|[{_HAN}]")
_BLANK = r" \t\r\n\v\f\u0085\u200b\u2028\u2029\u2060\ufeff"
_BETWEEN = rf"[{_BLANK},;|\"*\u00b7\u2022_\u2013\u2014\-]*"
_GAP = re.compile(rf"(?![0-9]+\Z){_BETWEEN}(?:[(\[#]{{0,2}}[0-9]{{1,2}}[.:)\]]{{0,2}}{_BETWEEN})?")
_NO_MARK = re.compile(rf"[{_BLANK}0-9.:()\[\]#]+")
_IN_EVERY_SENTENCE = re.compile(
    "the|and|for|are|not|was|but|with|from|our|has|had|his|her"
    "|der|die|das|und|ist|mit|auf|den|ein|eine|nicht|von|sich"
    "|les|des|une|est|dans|pour|que|los|las|del|por|con|una|para"
)

_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----")
_CERTIFICATE = re.compile(
    r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\r\n\t ]{1,20000})-----END "
)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_IS_AUTHORITY = re.compile(
    rb"\x06\x03\x55\x1d\x13(?:\x01\x01\xff)?\x04[\x05-\x0f]\x30[\x03-\x0d]\x01\x01\xff", re.DOTALL
)
_AUTHORITY_FILE = re.compile(
    r"\A(?:[^/]*[-_ ])?(?:(?:root|intermediate|issuing|signing|sub|my)[-_. ]?)?ca(?:[-_. ]?(?:private|priv|signing))?"
    r"(?:[-_. ]?key(?:\.(?:pem|der|txt))?|\.(?:key|p12|pfx|p8)(?:\.(?:pem|enc))?)",
)


def doubt_of(kind: str, fields: Mapping[str, str]) -> str:
    """Give the question that the customer is asked about these fields, or nothing where there is none."""
    texts = [text for value in fields.values() for text in readings(value)]
    if any(_holds_seed_phrase(text.lower()) for text in texts):
        return SEED_PHRASE
    named = kind == "file" and _AUTHORITY_FILE.fullmatch(fields.get("name", "")[:255].lower())
    if named or _holds_authority_key(texts):
        return AUTHORITY_KEY
    return ""


def _holds_seed_phrase(text: str) -> bool:
    row, end, mark = 0, 0, ""
    for word in _WORD.finditer(text):
        gap = text[end : min(word.start(), end + _FARTHEST + 1)]
        marked = _marks(gap)
        if marked is None or (row > 1 and marked != mark):
            row = 0
        fits = _FITTING.fullmatch(word[0]) and not _IN_EVERY_SENTENCE.fullmatch(word[0])
        row = row + 1 if fits else 0
        if row == FEWEST:
            return True
        end, mark = word.end(), marked or ""
    return False


def _marks(gap: str) -> str | None:
    """Give the marks by which two words of a list are parted, blanks and numbers aside, or None where they are not."""
    if len(gap) > _FARTHEST or not _GAP.fullmatch(gap):
        return None
    return _NO_MARK.sub("", gap)


def _holds_authority_key(texts: list[str]) -> bool:
    keys = sum(len(_PRIVATE_KEY.findall(text)) for text in texts)
    if not keys:
        return False
    found = [_is_authority(body) for text in texts for body in _CERTIFICATE.findall(text)]
    return any(found) and keys > found.count(False)


def _is_authority(body: str) -> bool:
    packed = "".join(body.split())
    return bool(_BASE64.fullmatch(packed) and _IS_AUTHORITY.search(base64.b64decode(packed)))
