"""Signed notes, checkpoints and proof files, and everything that only looks like one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.errors import Invalid, Tampered
from vault.ledger import checkpoint, note, proof, verify
from vault.ledger.checkpoint import Checkpoint
from vault.ledger.note import Signer, open_note

pytestmark = pytest.mark.promise("P6")

SIGNER = Signer("vault.example/log", bytes(range(32)))
OTHER = Signer("vault.example/log", bytes(32))
TEXT = Checkpoint("vault.example/log", 3, bytes(32)).text()
NOTE = SIGNER.sign(TEXT)
LINE = NOTE.split("\n\n")[1]

# The example that golang.org/x/mod/sumdb/note documents, signed by its PeterNeumann key.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6Ry"
    "yBwJnAM=\n"
)


def both_refuse(signed: str, vkey: str = SIGNER.vkey) -> None:
    with pytest.raises(verify.NotVerified):
        verify.open_note(signed, vkey)
    with pytest.raises(Tampered):
        open_note(signed, vkey)


def both_open(signed: str, vkey: str = SIGNER.vkey) -> str:
    text = open_note(signed, vkey)
    assert verify.open_note(signed, vkey) == text
    return text


def test_a_note_that_another_implementation_signed_opens():
    assert both_open(GO_NOTE, GO_KEY) == GO_NOTE[: GO_NOTE.index("\n\n") + 1]
    both_refuse(GO_NOTE.replace("problem is", "problem was"), GO_KEY)


def test_a_note_opens_for_its_key_and_for_no_other():
    assert both_open(NOTE) == TEXT
    both_refuse(NOTE, OTHER.vkey)
    both_refuse(NOTE, Signer("other.example/log", bytes(range(32))).vkey)


def test_a_mistyped_key_is_said_to_be_mistyped():
    name, number, key = SIGNER.vkey.split("+", 2)
    assert verify.parse_vkey(SIGNER.vkey)[0] == name
    for wrong in (f"{name}x+{number}+{key}", f"{name}+{number[::-1]}+{key}", f"{name}+{number}+{key[:-1]}A"):
        with pytest.raises(verify.NotVerified, match="mistyped"):
            verify.parse_vkey(wrong)


def test_signatures_of_other_keys_are_passed_over_but_a_wrong_one_of_this_key_spoils_it():
    others = OTHER.sign(TEXT).split("\n\n")[1]
    assert both_open(NOTE + others) == TEXT
    assert both_open(f"{TEXT}\n{others}{LINE}") == TEXT
    both_refuse(NOTE + SIGNER.sign("another text\n").split("\n\n")[1])


def test_a_text_with_empty_lines_is_signed_whole():
    text = "one\n\ntwo\n\n\n"
    assert both_open(SIGNER.sign(text)) == text


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        TEXT + "\n",
        LINE,
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "x\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("—", "-"),
        NOTE.replace("— ", "—  "),
        NOTE.replace("— vault", "— Vault"),
        NOTE.replace("=\n\n", "=\n \n"),
        NOTE.replace("3\n", "3\x00\n"),
        NOTE.replace("3\n", "3\ud800\n"),
        NOTE[:-2] + " =\n",
        NOTE[:-2] + "\n",
        NOTE[:-10] + "\n",
        "x" * (1 << 17) + NOTE,
        NOTE + LINE.replace("vault", "other") * 64,
        NOTE.translate({ord("0"): 0x0660}),
    ],
)
def test_garbage_is_not_a_note(garbage):
    both_refuse(garbage)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(NOTE) - 1), st.characters(exclude_categories=["Cs"]))
def test_no_changed_character_opens(at, character):
    changed = NOTE[:at] + character + NOTE[at + 1 :]
    if changed != NOTE:
        with pytest.raises(Tampered):
            open_note(changed, SIGNER.vkey)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_refused_in_words(text):
    both_refuse(text)
    both_refuse(NOTE, text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\u00a0b", "a\nb", "a\x1bb"])
def test_a_key_name_that_c2sp_does_not_allow_is_refused(name):
    with pytest.raises(Invalid):
        Signer(name, bytes(32))


@pytest.mark.parametrize("text", ["no newline", "", "tab\there\n", "half \ud800\n"])
def test_a_text_that_no_note_can_carry_is_not_signed(text):
    with pytest.raises(Invalid):
        SIGNER.sign(text)


def test_a_signer_shows_nothing_of_its_key():
    with pytest.raises(Invalid):
        Signer("name", bytes(31))
    assert repr(SIGNER) == "Signer('vault.example/log')"


def test_a_checkpoint_reads_back_the_same():
    head = Checkpoint("vault.example/log", 3, bytes(range(32)))
    assert checkpoint.open_checkpoint(SIGNER.sign(head.text()), SIGNER.vkey) == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        TEXT + "extension\n",
        TEXT + "\n",
        TEXT[:-1],
        TEXT.replace("\n3\n", "\n03\n"),
        TEXT.replace("\n3\n", "\n-3\n"),
        TEXT.replace("\n3\n", "\n3 \n"),
        TEXT.replace("\n3\n", "\n٣\n"),
        TEXT.replace("\n3\n", "\n9007199254740992\n"),
        TEXT.replace("\n3\n", "\n" + "9" * 5000 + "\n"),
        TEXT.replace("vault", "va ult"),
        TEXT.replace("vault.example/log", ""),
        TEXT.replace("=\n", "\n"),
        TEXT.replace("A=\n", "B=\n"),
        TEXT.replace("AAAA", "", 1),
    ],
)
def test_what_is_no_checkpoint_is_tampered_with(text):
    with pytest.raises(Tampered):
        checkpoint.parse(text)


@pytest.mark.parametrize(
    "head", [Checkpoint("a b", 1, bytes(32)), Checkpoint("a", -1, bytes(32)), Checkpoint("a", 1, bytes(31))]
)
def test_what_could_not_be_read_back_is_not_written_as_a_checkpoint(head):
    with pytest.raises(Invalid):
        head.text()


def test_a_proof_file_stands_alone_and_proves_this_entry_only(ledger):
    size = ledger.frontier.size

    def node(level: int, index: int) -> bytes:
        row = [leaf for leaf, _ in ledger.entries[index << level : (index + 1) << level]]
        while len(row) > 1:
            row = [verify.node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]

    path = proof.inclusion_proof(7, size, node)
    made = proof.Proof(7, path, ledger.checkpoints[size])
    assert proof.parse(made.text()) == made
    assert made.check(ledger.entries[7][1], ledger.signer.vkey).size == size
    with pytest.raises(Tampered):
        made.check(ledger.entries[8][1], ledger.signer.vkey)
    with pytest.raises(Tampered):
        made.check(ledger.entries[7][1], OTHER.vkey)
    with pytest.raises(Tampered):
        proof.Proof(8, path, ledger.checkpoints[size]).check(ledger.entries[7][1], ledger.signer.vkey)
    with pytest.raises(Tampered):
        proof.Proof(7, path, ledger.checkpoints[15]).check(ledger.entries[7][1], ledger.signer.vkey)
    text = made.text()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = text.split("\n")[2]
    other = last[:-2] + alphabet[alphabet.index(last[-2]) + 1] + "="  # the same 32 bytes, spelt otherwise
    for wrong in (
        "",
        text.replace("@v1", "@v2"),
        text.replace("index 7", "index 07"),
        text.replace("index 7", "extra AAAA\nindex 7"),
        text.replace("=\n", "=\n=\n", 1),
        text.replace("=\n", "\n", 1),
        text.replace("\n\n", "\n", 1),
        text.replace(last, other, 1),
        text.replace("\n\n", "\n" + "A" * 43 + "=\n" * 100 + "\n", 1),
    ):
        with pytest.raises(Tampered):
            proof.parse(wrong).check(ledger.entries[7][1], ledger.signer.vkey)


def test_a_failed_check_of_a_proof_is_a_vault_error():
    with pytest.raises(Tampered):
        proof.check_inclusion(0, 2, bytes(32), (), bytes(32))
    proof.check_inclusion(0, 1, bytes(32), (), bytes(32))
    assert note.open_note(NOTE, SIGNER.vkey) == TEXT
