"""Making checkpoints: the ledger's root, signed, and kept in the home and in a second place.

Before anything is signed, the lines since the last checkpoint are hashed anew, from what that one said the tree was.
So a signature is never put under a history that was changed since the one before.
"""

from __future__ import annotations

import fcntl
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from fileroom import errors
from fileroom.audit import anchors, schema
from fileroom.audit.anchors import Leaves
from fileroom.audit.ledger import range_of, size
from fileroom.audit.note import BadNote, Checkpoint, Signer, Verifier
from fileroom.audit.reading import rows
from fileroom.audit.tree import leaf_hash
from fileroom.database import Database

FOLDER = "ledger"  # in the home
_SECRET = "signing-key"
PUBLIC = "key.pub"

_C = schema.ledger_checkpoint.c


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint that was made, or the last one when nothing was added since."""

    checkpoint: Checkpoint
    new: bool
    folders: tuple[Path, ...]  # where it is kept


class Checkpoints:
    """Signs for one archive. One process of a home at a time makes them; the table's key settles a race of machines."""

    def __init__(self, database: Database, home: Path, second: Path | None = None) -> None:
        """`second`: another folder to keep them in, best on another machine; it has to be there."""
        self._database = database
        self.folder = home / FOLDER
        self._second = second

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where checkpoints are kept."""
        return (self.folder / "checkpoints", *([] if self._second is None else [self._second]))

    def verifier(self) -> Verifier | None:
        """The public half of the ledger's key; None before the first checkpoint. Raises DamagedLedger."""
        return read_verifier(self.folder / PUBLIC)

    def signer(self) -> Signer:
        """The ledger's key, made when there is none yet. Raises DamagedLedger, StorageFull."""
        try:
            self.folder.mkdir(mode=0o750, exist_ok=True)
            with (self.folder / "signing.lock").open("a") as lock:  # two that start at once make one key
                fcntl.flock(lock, fcntl.LOCK_EX)
                return self._signer()
        except OSError as error:
            raise errors.StorageFull(f"the ledger's key cannot be kept: {error.strerror}") from error

    def make(self) -> Made:
        """Sign what the ledger is now. Returns once the checkpoint survives power loss in every place.

        Raises DamagedLedger when the lines contradict the last checkpoint, StorageFull when a place cannot be written
        (the checkpoint may then be in the others), DatabaseUnavailable.
        """
        try:
            self.folder.mkdir(mode=0o750, exist_ok=True)
            with (self.folder / "signing.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                return self._make()
        except OSError as error:
            raise errors.StorageFull(
                f"the checkpoint cannot be kept: {error.filename}: {error.strerror}",
                hint="the folder has to be there, and writable",
            ) from error

    def _make(self) -> Made:
        self.folders[0].mkdir(mode=0o750, exist_ok=True)
        signer = self._signer()
        last = self._last(signer.verifier)
        with self._database.read() as connection:
            checkpoint, fresh = _next(connection, signer.name, last)
            note = signer.sign(checkpoint.text)
            if fresh is not None or last is None:
                self._insert(checkpoint, note)
            for folder in self.folders:
                _keep(connection, folder, checkpoint, note)
        return Made(checkpoint, checkpoint != last, self.folders)

    def _insert(self, checkpoint: Checkpoint, note: str) -> None:
        row = {"size": checkpoint.size, "note": note, "made_ms": int(time.time() * 1000)}
        try:
            with self._database.write() as connection:
                connection.execute(sa.insert(schema.ledger_checkpoint), [row])
        except sa.exc.IntegrityError:
            return  # another process made it, or it was signed before: the same key, the same lines

    def _last(self, verifier: Verifier) -> Checkpoint | None:
        """The largest one this key signed, wherever it is kept: a row may be gone, a file too."""
        found = [one for folder in self.folders for one in anchors.read_anchors(folder, verifier)]
        with self._database.read() as connection:
            found += table_anchors(connection, verifier)
        return max((one.checkpoint for one in found if one.signed), key=lambda one: one.size, default=None)

    def _signer(self) -> Signer:
        path = self.folder / _SECRET
        if not path.exists():
            if (self.folder / PUBLIC).exists():
                raise errors.DamagedLedger(
                    f"{path} is gone",
                    hint="bring it back from a backup; a new key would prove nothing of the old lines",
                )
            signer = Signer.new(f"fileroom/{secrets.token_hex(8)}")
            anchors.write_file(path, f"{signer.text}\n".encode(), mode=0o600)
        try:
            signer = Signer.parse(path.read_text("ascii"))
        except (BadNote, UnicodeDecodeError) as error:
            raise errors.DamagedLedger(f"{path} holds no key", hint="bring it back from a backup") from error
        for place in (self.folder, *self.folders[1:]):
            public = f"{signer.verifier.text}\n".encode()
            if not (place / PUBLIC).exists():
                anchors.write_file(place / PUBLIC, public)
        return signer


def _next(connection: sa.Connection, origin: str, last: Checkpoint | None) -> tuple[Checkpoint, int | None]:
    """The checkpoint over what is there now; and how many lines are new, None when none is. Raises DamagedLedger."""
    lines, start = size(connection), 0 if last is None else last.size
    if lines < start:
        raise _contradiction(f"lines {lines} to {start - 1} were signed for, and are gone")
    grown = range_of(connection, start)
    if last is not None and grown.root() != last.root:
        raise _contradiction(f"lines before {start} are not those that were signed for")
    for position, line, node in rows(connection, after=start - 1):
        if position >= lines:
            break
        if position != grown.size or grown.append(leaf_hash(line)) != node:
            raise _contradiction(f"line {grown.size if position != grown.size else position} is not what was written")
    return Checkpoint(origin, grown.size, grown.root()), (lines - start) or None


def _contradiction(text: str) -> errors.DamagedLedger:
    return errors.DamagedLedger(f"nothing is signed: {text}", hint="fileroom audit verify")


def _keep(connection: sa.Connection, folder: Path, checkpoint: Checkpoint, note: str) -> None:
    """Write it to a folder, behind the hashes of the lines that this folder does not have yet."""
    leaves = Leaves(folder)
    if leaves.size < checkpoint.size:
        fresh = bytearray()
        for position, line, _ in rows(connection, after=leaves.size - 1):
            if position >= checkpoint.size:
                break
            fresh += leaf_hash(line)
        leaves.add(bytes(fresh))
    path = folder / f"{checkpoint.size:020d}.note"
    if not path.exists():
        anchors.write_file(path, note.encode())


def table_anchors(connection: sa.Connection, verifier: Verifier | None) -> list[anchors.Anchor]:
    """The checkpoints that the database holds. What is none is left out: the lines are judged by the others."""
    found = []
    for lines, note in connection.execute(sa.select(_C.size, _C.note).order_by(_C.size)):
        try:
            found.append(anchors.anchor(f"the database's checkpoint {lines}", note, verifier))
        except BadNote:
            continue
    return found


def read_verifier(path: Path) -> Verifier | None:
    """The public key in a file; None when there is no file. Raises DamagedLedger."""
    try:
        return Verifier.parse(path.read_text("ascii"))
    except FileNotFoundError:
        return None
    except (BadNote, UnicodeDecodeError, OSError) as error:
        raise errors.DamagedLedger(f"{path} holds no key", hint="name the key.pub kept elsewhere") from error
