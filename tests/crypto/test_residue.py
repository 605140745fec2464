"""Keys are overwritten when they are done with, and nothing prints them."""

import os
import pickle
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from vault.crypto import residue
from vault.crypto.envelope import Context
from vault.crypto.opening import ServiceKey
from vault.crypto.protectors import KeyFile, Passphrase
from vault.crypto.residue import LockedBytes
from vault.crypto.rootkey import RootKey, WrappingKey
from vault.errors import VaultError
from vault.values import Plaintext

KEY = b"0123456789abcdef0123456789ABCDEF"


def test_a_wiped_key_is_zeros_in_place() -> None:
    locked = LockedBytes(KEY)
    seen = locked.view()
    assert bytes(seen) == KEY
    assert len(locked) == 32
    locked.wipe()
    locked.wipe()
    assert bytes(seen) == bytes(32)


def test_a_view_never_turns_into_zeros_because_its_holder_was_let_go() -> None:
    assert bytes(LockedBytes(KEY).view()) == KEY


def test_keys_share_no_page() -> None:
    one, other = LockedBytes(KEY), LockedBytes(KEY)
    one.wipe()
    assert bytes(other.view()) == KEY


def test_no_lock_is_no_reason_to_fail() -> None:
    """With the limit on locked memory used up, keys still work: it is reduced residue, never a promise."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))\n"
        "from vault.crypto.residue import LockedBytes\n"
        "print(bytes(LockedBytes(b'key').view()))"
    )
    assert run(code) == "b'key'"


def test_a_locked_down_process_leaves_no_core_and_lets_nobody_look() -> None:
    code = (
        "import os, resource\n"
        "from vault.crypto.residue import lock_down_process\n"
        "print(lock_down_process(), resource.getrlimit(resource.RLIMIT_CORE))"
    )
    assert run(code).startswith("[] (0, 0)")
    dumpable = (
        "import ctypes\n"
        "from vault.crypto.residue import lock_down_process\n"
        "lock_down_process(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # 3 is PR_GET_DUMPABLE
    )
    assert run(dumpable) == "0"


def test_what_the_platform_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_kind: int, _limits: tuple[int, int]) -> None:
        raise OSError

    monkeypatch.setattr(resource, "setrlimit", refuse)
    monkeypatch.setattr(sys, "platform", "elsewhere")
    assert len(residue.lock_down_process()) == 2


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(residue.__file__).parents[2],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    ).stdout.strip()


@pytest.mark.promise("P9")
@pytest.mark.parametrize(
    "holder",
    [
        LockedBytes(KEY),
        RootKey(KEY),
        WrappingKey.from_key(KEY, "label"),
        ServiceKey.from_seed(KEY),
        Passphrase(Plaintext(KEY.decode())),
        KeyFile(Path("/nowhere")),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_who_holds_a_secret_neither_prints_nor_pickles_it(holder: object) -> None:
    for shown in (
        repr(holder),
        str(holder),
        f"{holder}",
        repr([holder]),
        repr(getattr(holder, "__dict__", {})),
    ):
        for spelling in (KEY.decode(), KEY.hex(), repr(KEY), repr(list(KEY))):
            assert spelling not in shown
    if not isinstance(holder, KeyFile):  # a path is no secret
        with pytest.raises(TypeError):
            pickle.dumps(holder)


@pytest.mark.promise("P9")
def test_a_refusal_repeats_nothing_of_what_it_refused() -> None:
    row = Context("dep", "svc", "key", "sec", 1, "note")
    for deed in (
        lambda: ServiceKey.from_seed(KEY[:20]),
        lambda: RootKey(KEY[:20]),
        lambda: ServiceKey.from_seed(KEY).open(KEY * 20, row),
        lambda: WrappingKey.from_key(KEY, "label").unwrap(KEY),
    ):
        with pytest.raises(VaultError) as refusal:
            deed()
        assert KEY.decode()[:8] not in str(refusal.value) + refusal.value.hint
