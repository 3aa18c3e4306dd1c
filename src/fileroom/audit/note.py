"""Signed notes (C2SP signed-note) and checkpoints of a log (C2SP tlog-checkpoint), with Ed25519 keys.

A checkpoint says: this log had so many lines, and this root, signed. Whoever keeps one elsewhere can later prove that
none of those lines was changed. Other programs for such logs read the same form.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fileroom.audit.tree import HASH_BYTES

_ED25519 = b"\x01"  # the signature type of the signed-note specification
_KEY_BYTES = 32
_SECRET = "PRIVATE+KEY"
_DASH = "— "  # what a signature's line begins with
_LINES_MAX = 100


class BadNote(ValueError):
    """Text that is no signed note, no checkpoint or no key, or a signature that does not match."""


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _check_name(name: str) -> None:
    if not name or "+" in name or any(letter.isspace() for letter in name):
        raise BadNote("a key's name is empty, or has a space or a plus sign in it")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadNote("not base64") from error


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public half of a key: tells whether a note was signed with it."""

    name: str
    public: bytes  # 32 bytes

    @property
    def text(self) -> str:
        """`NAME+ID+KEY`, as other programs take it."""
        key = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{_key_id(self.name, self.public).hex()}+{key}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """From `text`. Raises BadNote."""
        name, _, rest = text.strip().partition("+")
        identity, _, key = rest.partition("+")
        _check_name(name)
        data = _decoded(key)
        if data[:1] != _ED25519 or len(data) != 1 + _KEY_BYTES or _key_id(name, data[1:]).hex() != identity:
            raise BadNote("not the public half of an Ed25519 key")
        return cls(name, data[1:])

    def check(self, note: str) -> str:
        """The text of a signed note. Raises BadNote without a good signature of this key."""
        text, signatures = _split(note)
        for name, data in signatures:
            if name == self.name and data[:4] == _key_id(self.name, self.public):
                try:
                    Ed25519PublicKey.from_public_bytes(self.public).verify(data[4:], text.encode())
                except InvalidSignature as error:
                    raise BadNote("the signature does not match") from error
                return text
        raise BadNote(f"not signed by {self.name}")


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs. Its secret is shown by `text` alone."""

    name: str
    secret: bytes = field(repr=False)  # 32 bytes

    @classmethod
    def new(cls, name: str) -> Signer:
        """A new key of this name. Raises BadNote for a name that cannot be one."""
        _check_name(name)
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        key = Ed25519PrivateKey.from_private_bytes(self.secret)
        return Verifier(self.name, key.public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """The secret as text, to be kept."""
        identity = _key_id(self.name, self.verifier.public).hex()
        return f"{_SECRET}+{self.name}+{identity}+{base64.b64encode(_ED25519 + self.secret).decode()}"

    @classmethod
    def parse(cls, text: str) -> Signer:
        """From `text`. Raises BadNote, which does not repeat it."""
        parts = text.strip().removeprefix(f"{_SECRET}+").split("+", 2)
        if not text.startswith(f"{_SECRET}+") or len(parts) != 3:
            raise BadNote("not a key that signs")
        _check_name(parts[0])
        data = _decoded(parts[2])
        if data[:1] != _ED25519 or len(data) != 1 + _KEY_BYTES:
            raise BadNote("not an Ed25519 key that signs")
        signer = cls(parts[0], data[1:])
        if _key_id(signer.name, signer.verifier.public).hex() != parts[1]:
            raise BadNote("the key is damaged")
        return signer

    def sign(self, text: str) -> str:
        """The text, which ends in a newline, as a signed note."""
        if not text.endswith("\n"):
            raise BadNote("a note's text ends in a newline")
        signature = Ed25519PrivateKey.from_private_bytes(self.secret).sign(text.encode())
        data = base64.b64encode(_key_id(self.name, self.verifier.public) + signature).decode()
        return f"{text}\n{_DASH}{self.name} {data}\n"


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's text, and who signed it with what."""
    text, blank, rest = note.rpartition("\n\n")
    lines = rest.split("\n")
    if not blank or lines.pop() != "" or not 0 < len(lines) <= _LINES_MAX:
        raise BadNote("not a signed note")
    signatures = []
    for line in lines:
        name, _, data = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH):
            raise BadNote("not a signed note")
        _check_name(name)
        signatures.append((name, _decoded(data)))
    return text + "\n", signatures


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was at one time."""

    origin: str  # the log's name
    size: int  # lines
    root: bytes

    @property
    def text(self) -> str:
        """What is signed (tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """From a note's text; lines after the third are extensions. Raises BadNote."""
        origin, size, root, *_ = [*text.split("\n"), "", "", ""]
        data = _decoded(root)
        canonical = size.isascii() and size.isdigit() and str(int(size[:20])) == size
        if not origin or not canonical or len(data) != HASH_BYTES:
            raise BadNote("not a checkpoint")
        return cls(origin, int(size), data)

    @classmethod
    def unverified(cls, note: str) -> Checkpoint:
        """What a signed note claims, whoever signed it. Raises BadNote."""
        return cls.parse(_split(note)[0])
