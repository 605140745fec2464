"""The story's end: the service ends, the login is destroyed, and every byte on the disk is asked about it."""

import json
from functools import partial
from pathlib import Path

from cli.demo import thief
from cli.demo.company import CUSTOMER, refused
from cli.demo.ground import require
from cli.demo.lending import REASON, take_along, verify
from cli.demo.stage import Stage
from cli.demo.traces import files_in, pieces_of, search
from vault.errors import Ended
from vault.ledger.note import open_note


def searched(stage: Stage) -> str:
    """A search of every file finds the wrapped seed and the sealed login, and the plaintext nowhere."""
    place = stage.ground
    _try_the_search(stage)
    found = thief.sealed(place.data / "vault.db", stage.secret)
    wrapped = thief.wrapped_seed(place.data / "keyring.db", found.key)
    require(wrapped, "the keyring has no seed for the service")
    stage.keys = {"wrapped seed": pieces_of(wrapped or b""), "sealed login": pieces_of(found.envelope)}
    there = search(_files(stage), stage.keys)
    require(set(there) == set(stage.keys), f"the search finds only {', '.join(there) or 'nothing'}")
    require(
        {"vault.db", "vault.db-wal", "keyring.db"} <= {path.name for path in _files(stage)},
        "files are missing",
    )
    _nowhere_in_plain(stage)
    return "All files searched: sealed login and key are there, plaintext in no encoding"


def _files(stage: Stage) -> list[Path]:
    return [*files_in(stage.ground.data, stage.ground.log)]


def _try_the_search(stage: Stage) -> None:
    """A search that finds nothing proves nothing: it has to find what was put there."""
    note = stage.ground.place / "note"
    for name, pieces in stage.plain.items():
        for piece in pieces:
            note.write_bytes(b"\x00before " + piece + b" after\xff")
            require(name in search(files_in(note), stage.plain), f"the search does not find {name}")
    note.unlink()


def _nowhere_in_plain(stage: Stage) -> None:
    plain = search(_files(stage), stage.plain)
    require(not plain, f"in plain: {', '.join(f'{way} in {files}' for way, files in plain.items())}")


def copied(stage: Stage) -> str:
    """A copy of the database is put aside, and opens: only then does it mean something that it fails later."""
    place = stage.ground
    stage.lease = stage.company.check_out(stage.theo, stage.ticket, stage.secret, REASON)
    value = stage.company.reveal(stage.theo, stage.lease["id"], stage.secret, "password")
    require(value == stage.login.password, "the new lease does not open it")
    stage.old_copy = place.place / "vault-of-before.db"
    thief.copy(place.data / "vault.db", stage.old_copy)
    fields = thief.opened(stage.old_copy, place.data / "keyring.db", place.key_file, stage.secret)
    require(fields == stage.login.fields(), "the copy does not open even now")
    return "Theo takes a lease; a copy of vault.db is put aside, which now still opens"


def ended(stage: Stage) -> str:
    """The coordinator ends the service; the certificate of destruction verifies."""
    company = stage.company
    certificate = company.post(
        stage.clara,
        "services",
        stage.service,
        "end",
        confirm="New version of the shop",
        presence={"code": stage.clara.fresh_code()},
    )
    stated = json.loads(open_note(certificate["note"], company.ledger_key))
    require(stated["service"] == stage.service, "it is about another service")
    require([one["secret"] for one in stated["secrets"]] == [stage.secret], "it names other secrets")
    require(
        sorted(one["name"] for one in stated["seen"]) == sorted([stage.tom.name, stage.theo.name]),
        "it names others who saw it",
    )
    letter = stage.mailbox.wait(CUSTOMER[1], "was destroyed")
    require(letter.enclosed == {"certificate.txt": certificate["note"]}, "the customer's copy differs")
    return "Clara ends the service; the certificate is signed, verifies, and is mailed"


def over(stage: Stage) -> str:
    """The lease that was still running opens nothing any more."""
    company, lease = stage.company, stage.lease["id"]
    refused(Ended, "has ended", partial(company.reveal, stage.theo, lease, stage.secret, "password"))
    how = company.get(stage.theo, "leases", lease)["ended_how"]
    require(how == "service ended", f"the lease ended by {how}")
    return "Theo's lease had minutes left; his next reveal is refused"


def gone(stage: Stage) -> str:
    """The same search finds no trace of them any more: free pages, write-ahead log and journals are files too."""
    there = search(_files(stage), stage.keys)
    require(not there, f"still there: {', '.join(f'{what} in {files}' for what, files in there.items())}")
    _nowhere_in_plain(stage)
    return "The same search, free pages and WAL included: sealed login and key are gone"


def restored(stage: Stage) -> str:
    """The copy of before, with today's keyring and root key, opens nothing: neither for the server nor without it."""
    place = stage.ground
    elsewhere = place.place / "restored"
    elsewhere.mkdir(mode=0o700)
    thief.copy(stage.old_copy, elsewhere / "vault.db")
    thief.copy(place.data / "keyring.db", elsewhere / "keyring.db")
    said = place.refuses_to_serve(elsewhere)
    require("the vault is older than the keyring" in said, f"it refuses for another reason: {said}")
    found = thief.sealed(elsewhere / "vault.db", stage.secret)
    require(found.envelope, "the copy of before does not hold the sealed login")
    fields = thief.opened(elsewhere / "vault.db", elsewhere / "keyring.db", place.key_file, stage.secret)
    require(fields is None, "the copy of before opens")
    return "The old copy, put back: no server starts on it, and no key of today opens it"


def extended(stage: Stage) -> str:
    """The log still verifies, and extends the one that the auditor took along before."""
    bundle = stage.verifier.parent / "bundle-at-the-end"
    take_along(stage, bundle)
    said = verify(stage, bundle, "--since", "checkpoint")
    require(said.returncode == 0, f"the log does not verify: {said.stderr}")
    text = bundle.read_text("utf-8")
    require('"type":"service.destroy"' in text, "the destruction is not in the log")
    return "The log verifies to its end, and extends the one that Axel exported before"
