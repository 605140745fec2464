"""What is tried first against a password: guesses, the words around its owner, and lists of stolen ones.

Nothing here says how a password must be composed (NIST SP 800-63B-4 §3.1.1.2): what counts is how soon it is guessed.
No answer repeats the password or a part of it.
"""

import hashlib
import re
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

from zxcvbn_rs_py import Warning as Weakness
from zxcvbn_rs_py import zxcvbn

from vault.errors import Unavailable

ENOUGH_GUESSES: Final = 10**8 + 5
"""Where zxcvbn's score 3 of 4 begins. Its binding's scores cannot be compared, its guesses can."""
PIECE: Final = 32
"""Code points that are judged at once. zxcvbn holds the interpreter's lock, so this bounds how long everybody waits:
70 ms for a piece that is all substitutions, where it was 940 ms for the 100 code points that zxcvbn looks at."""
FEW: Final = 8
"""So many digits and signs around words add nothing that is not tried: a date, and something at the end."""
RUNS: Final = (3, 4, 5)
"""Keys beside each other. Fewer are a syllable; any longer run is made of these."""
SHORTEST_WORD: Final = 3

_WORDS: Final = """
    valetkey valet vault key password passwort passphrase kennwort secret geheim admin administrator root user login
    letmein changeme change welcome willkommen hello hallo master default guest test testing temp temporary server
    service system office company firma business internet computer monkey dragon sunshine princess football iloveyou
    love money summer winter autumn spring sommer herbst fruehling januar februar maerz april mai juni juli august
    september oktober november dezember january february march may june july october december monday tuesday wednesday
    thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonntag
    the this that is my new old our your for and with mein neues unser das ist ein und
"""
_FAMOUS: Final = """
    correcthorsebatterystaple thequickbrownfox thequickbrownfoxjumpsoverthelazydog maytheforcebewithyou
    tobeornottobe tobeornottobethatisthequestion onceuponatime nevergonnagiveyouup livelongandprosper winteriscoming
    supercalifragilisticexpialidocious youshallnotpass thecakeisalie allyourbasearebelongtous openthepodbaydoors
    iloveyouforever iloveyousomuch letmeinplease whatismypassword thisisnotapassword incorrectpassword nopassword
    forgotpassword passwordincorrect idontknow idontremember nobodyknows trustnoone manchesterunited newyorkyankees
    bayernmuenchen borussiadortmund ichliebedich ichliebedichsosehr passwortvergessen keinpasswort schonvergessen
    dasistgeheim esistgeheim sesamoeffnedich opensesame abrakadabra neverguessthis unbelievable lordoftherings
"""
_ROWS: Final = """
    1234567890 qwertyuiop asdfghjkl zxcvbnm qwertzuiopu asdfghjkloa yxcvbnm azertyuiop qsdfghjklm wxcvbn
    abcdefghijklmnopqrstuvwxyz 1qaz 2wsx 3edc 4rfv 5tgb 6yhn 6zhn 7ujm 1qay 2wsy 8ik 9ol
"""
"""Keys along and across the usual layouts, without accents, and the alphabet; each is walked in both directions."""
_SPELT: Final = str.maketrans("4@30157$!|l+", "aaeoistsiiit")
"""What stands for what in passwords; 1, l and i are one, because each stands for the other."""

_WHY: Final = (
    (Weakness.StraightRowsOfKeysAreEasyToGuess, "it is a row of keys"),
    (Weakness.ShortKeyboardPatternsAreEasyToGuess, "it is a pattern on the keyboard"),
    (Weakness.RepeatsLikeAaaAreEasyToGuess, "it repeats a character"),
    (Weakness.RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess, "it repeats itself"),
    (Weakness.ThisIsATop10Password, "it is one of the most used passwords"),
    (Weakness.ThisIsATop100Password, "it is one of the most used passwords"),
    (Weakness.ThisIsACommonPassword, "it is a much used password"),
    (Weakness.ThisIsSimilarToACommonlyUsedPassword, "it is close to a much used password"),
    (Weakness.SequencesLikeAbcAreEasyToGuess, "it counts on like abc or 654"),
    (Weakness.RecentYearsAreEasyToGuess, "it is mostly a year"),
    (Weakness.AWordByItselfIsEasyToGuess, "it is a single word"),
    (Weakness.DatesAreOftenEasyToGuess, "it is mostly a date"),
    (Weakness.NamesAndSurnamesByThemselvesAreEasyToGuess, "it is mostly a name"),
    (Weakness.CommonNamesAndSurnamesAreEasyToGuess, "it is mostly a name"),
)
"""The binding's warnings can be compared and not hashed."""


def weakness_of(password: str, personal: Sequence[str]) -> str | None:
    """Why this password would be guessed soon, as a sentence for its owner; None when it would not.

    `personal` are names, addresses and the business, as they are written: their words count as known to everybody.
    """
    words = _words_of(personal)
    if _letters(password) in _famous():
        return "that password is well known; take one that only you would think of"
    if _is_only(password, {*_common(), *map(_spell, words)}):
        return (
            "that password is only made of names, common words or rows of keys, which are tried first;"
            " add some words that have nothing to do with you"
        )
    pieces = [password] if len(password) <= PIECE else [password[:PIECE], password[-PIECE:]]
    # the whole is at least as hard to guess as its hardest piece
    judged = max((zxcvbn(piece, words) for piece in pieces), key=lambda judgement: judgement.guesses)
    if judged.guesses >= ENOUGH_GUESSES:
        return None
    warned = judged.feedback.warning if judged.feedback else None
    why = next((words for warning, words in _WHY if warning == warned), "it is too simple")
    return f"that password is guessed too soon: {why}; add some words that have nothing to do with each other"


def _words_of(personal: Iterable[str]) -> list[str]:
    """The words of names and addresses, and each of them written in one."""
    found: dict[str, None] = {}
    for text in personal:
        parts = re.findall(r"[^\W_]+", _plain(text))
        for word in (*parts, "".join(parts)):
            if len(word) >= SHORTEST_WORD:
                found[word] = None
    return list(found)


def _plain(text: str) -> str:
    """Without case and accents: whoever guesses tries both."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in spread if not unicodedata.combining(character))


def _spell(word: str) -> str:
    return word.translate(_SPELT)


def _letters(password: str) -> str:
    """Its letters alone, with the digits that stand for letters, but without those before and behind."""
    plain = _plain(password)
    inside = [at for at, character in enumerate(plain) if character.isalpha()]
    core = _spell(plain[inside[0] : inside[-1] + 1]) if inside else ""
    return "".join(filter(str.isalpha, core))


@cache
def _famous() -> frozenset[str]:
    return frozenset(map(_spell, _FAMOUS.split()))


@cache
def _common() -> frozenset[str]:
    return frozenset(map(_spell, _WORDS.split()))


@cache
def _runs() -> frozenset[str]:
    rows = (*_ROWS.split(), *_ROWS[::-1].split())
    return frozenset(
        row[at : at + size] for row in rows for size in RUNS for at in range(len(row) - size + 1)
    )


def _is_only(password: str, words: Iterable[str]) -> bool:
    """Whether nothing is in it but these words, runs of keys or of one character, and a few digits and signs.

    One pass from left to right that keeps the fewest digits and signs with which each place is reached. A regular
    expression would try every split of the same letters into words, which are more than there is time for.
    """
    plain = _plain(password)
    spelt = _spell(plain)
    starting: dict[str, list[str]] = {}
    for word in words:
        starting.setdefault(word[0], []).append(word)
    unreached = len(plain) + 1
    fewest = [0] + [unreached] * len(plain)
    for at, character in enumerate(plain):
        so_far = fewest[at]
        if so_far > FEW:
            continue
        steps = [len(word) for word in starting.get(spelt[at], ()) if spelt.startswith(word, at)]
        steps += [size for size in RUNS if _is_run(plain[at : at + size], size)]
        for step in steps:
            fewest[at + step] = min(fewest[at + step], so_far)
        if not character.isalpha():
            fewest[at + 1] = min(fewest[at + 1], so_far + 1)
    return fewest[-1] <= FEW


def _is_run(piece: str, size: int) -> bool:
    return len(piece) == size and (piece in _runs() or piece == piece[0] * size)


# -- lists of stolen passwords ----------------------------------------------------------------------------------------

_LINE = re.compile(rb"([0-9A-F]{40}):[0-9]{1,12}\r?", re.ASCII)
_LONGEST_LINE = 64
_NOT_READABLE: Final = "the file that the setting breach_list names cannot be read"
_NOT_A_LIST: Final = (
    "the file that the setting breach_list names is not a sorted list of SHA-1 hashes and counts"
)


def is_breached(password: str, breach_list: Path) -> bool:
    """Whether it is in a downloaded list of Have I Been Pwned: sorted lines of `SHA1:COUNT`, in upper case.

    Reads some forty short pieces of the file, whatever its size. Raises Unavailable for a file that is not there or is
    something else: a check that was asked for is never left out in silence.
    """
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    try:
        if not stat.S_ISREG(breach_list.stat().st_mode):
            raise Unavailable(_NOT_READABLE)
        with breach_list.open("rb", buffering=0) as file:
            return _holds(file, breach_list.stat().st_size, wanted)
    except OSError as error:
        raise Unavailable(_NOT_READABLE) from error


def _holds(file: BinaryIO, size: int, wanted: bytes) -> bool:
    """Halve the bytes between `low` and `high`: whatever line starts there is looked at, and must be in its order."""
    low, high = 0, size
    least, most = b"", b"G"  # before and behind every hash
    if size == 0:
        raise Unavailable(_NOT_A_LIST)
    while low < high:
        middle = (low + high) // 2
        found = _line_from(file, middle)
        if found is None:
            high = middle
            continue
        line_hash, end = found
        if not least <= line_hash <= most:
            raise Unavailable(_NOT_A_LIST)
        if line_hash == wanted:
            return True
        if line_hash < wanted:
            low, least = end, line_hash
        else:
            high, most = middle, line_hash
    return False


def _line_from(file: BinaryIO, offset: int) -> tuple[bytes, int] | None:
    """The hash of the first line that starts there or later, and where the line ends; None when none does."""
    before = 1 if offset else 0
    file.seek(offset - before)
    piece = file.read(2 * _LONGEST_LINE)
    start = piece.find(b"\n") + 1 if before else 0
    if (before and start == 0) or start == len(piece):
        return None  # inside the last line; or inside what is no line, which the search comes to by its start
    line, _, _ = piece[start:].partition(b"\n")
    found = _LINE.fullmatch(line)
    if found is None:
        raise Unavailable(_NOT_A_LIST)
    return found[1], offset - before + start + len(line) + 1
