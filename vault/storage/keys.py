"""The keys that exist while the vault is unsealed, and the one way from a committed record to a plaintext."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from vault.crypto.envelope import Context
from vault.crypto.opening import ServiceKey
from vault.crypto.rootkey import RootKey, WrappingKey
from vault.crypto.statement import statement_public
from vault.errors import Ended, Invalid, Tampered
from vault.ledger.note import Signer
from vault.model.kinds import unpack_fields
from vault.storage.keyring import Keyring
from vault.values import Moment, Plaintext

MOST_SERVICE_KEYS = 4096
MOST_SUBJECT_KEYS = 4096


@dataclass(frozen=True)
class Opening:
    """The right to open one envelope, or one field of it: worth nothing before the record of it is committed."""

    context: Context
    envelope: bytes = field(repr=False)
    name: str


@dataclass(frozen=True)
class CodeOpening:
    """The right to one code made of what could be opened; that itself never leaves the core."""

    of: Opening


class Receipt:
    """That an entry is committed. Only the writer makes one, after its commit returned."""

    __slots__ = ("_writer", "at", "seq")

    def __init__(self, seq: int, at: Moment, writer: object) -> None:
        self.seq = seq
        self.at = at
        self._writer = writer

    def made_by(self, writer: object) -> bool:
        """Whether that writer made it."""
        return self._writer is writer


class Keys:
    """Derived keys, the ledger's signer and the service keys loaded so far. Made by unseal, wiped by seal."""

    def __init__(self, root: RootKey, keyring: Keyring, origin: str) -> None:
        """Derive what is needed and let go of the root key. Raises Tampered when the keyring is not under this root."""
        self._keyring = keyring
        self._wrapping = root.derive("keyring wrap")
        self.factors = root.derive("staff factors")
        self._disclosures = root.derive("log disclosures")
        self.row_heads = root.derive_tagging("row heads")
        self.sessions = root.derive_tagging("sessions")
        self.customer_links = root.derive_tagging("customer links")
        root.wipe()
        self.statement_key = self._wrapping.unwrap(
            bytes.fromhex(keyring.fact("statement key")), "statement key"
        )
        self.signer = Signer(
            origin, self._wrapping.unwrap(bytes.fromhex(keyring.fact("ledger key")), "ledger key")
        )
        self._services: OrderedDict[str, ServiceKey] = OrderedDict()
        self._subjects: OrderedDict[str, WrappingKey] = OrderedDict()
        self._lock = Lock()

    def statement_public(self) -> bytes:
        """The key by which anybody checks key statements: 32 bytes, Ed25519."""
        return statement_public(self.statement_key)

    def wrap_seed(self, key_id: str, service_id: str, seed: bytes) -> bytes:
        """A service's seed, wrapped for the keyring and bound to its ids."""
        return self._wrapping.wrap(seed, "seed", key_id, service_id)

    def wrap_subject(self, subject_id: str, key: bytes) -> bytes:
        """A person's disclosure key, wrapped for the keyring and bound to the person."""
        return self._disclosures.wrap(key, "subject", subject_id)

    def subject(self, subject_id: str) -> WrappingKey | None:
        """The key of a person's disclosures; None where it was erased."""
        with self._lock:
            found = self._subjects.get(subject_id)
            if found is not None:
                self._subjects.move_to_end(subject_id)
                return found
        wrapped = self._keyring.subject(subject_id)
        if wrapped is None:
            return None
        key = WrappingKey.from_key(
            self._disclosures.unwrap(wrapped, "subject", subject_id), "log disclosures"
        )
        with self._lock:
            self._subjects[subject_id] = key
            if len(self._subjects) > MOST_SUBJECT_KEYS:
                self._subjects.popitem(last=False)
        return key

    def _service(self, context: Context) -> ServiceKey:
        found = self._services.get(context.key)
        if found is not None:
            return found
        wrapped = self._keyring.seed(context.key)
        if wrapped is None:
            raise Ended(
                "the key of this service is destroyed; what was sealed to it can never be opened again"
            )
        key = ServiceKey.from_seed(self._wrapping.unwrap(wrapped, "seed", context.key, context.service))
        with self._lock:
            self._services[context.key] = key
            if len(self._services) > MOST_SERVICE_KEYS:
                self._services.popitem(last=False)
        return key

    def forget(self, key_id: str) -> None:
        """Drop a service's key from memory."""
        with self._lock:
            self._services.pop(key_id, None)

    def forget_destroyed(self) -> None:
        """Drop every key that the keyring no longer has: another process may have destroyed it."""
        with self._lock:
            held = list(self._services)
        for key_id in held:
            if self._keyring.seed(key_id) is None:
                self.forget(key_id)

    def open(self, receipt: Receipt, opening: Opening) -> dict[str, Plaintext]:
        """The fields of an envelope, for the holder of a receipt that the record of it is committed.

        Raises Tampered when the envelope is not what was sealed for its row or does not hold fields, and Ended when
        its key is destroyed.
        """
        if not isinstance(receipt, Receipt):
            raise TypeError("an envelope opens only with the receipt of a committed entry")
        packed = self._service(opening.context).open(opening.envelope, opening.context)
        try:
            return {name: Plaintext(value) for name, value in unpack_fields(packed).items()}
        except Invalid:
            raise Tampered("what was sealed does not hold the fields of a secret") from None

    def wipe(self) -> None:
        """Overwrite what can be overwritten and drop the rest."""
        with self._lock:
            for key in (self._wrapping, self.factors, self._disclosures, *self._subjects.values()):
                key.wipe()
            for tagging in (self.row_heads, self.sessions, self.customer_links):
                tagging.wipe()
            self._services.clear()
            self._subjects.clear()
