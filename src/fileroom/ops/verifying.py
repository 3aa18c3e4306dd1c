"""What `fileroom audit verify` holds the ledger against: every checkpoint at hand, and the hashes kept with them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from fileroom.audit.anchors import Anchor, Leaves, read_anchors
from fileroom.audit.checkpoints import FOLDER, PUBLIC, read_verifier, table_anchors
from fileroom.audit.note import Verifier
from fileroom.audit.reading import open_copy, rows
from fileroom.audit.verify import Report
from fileroom.audit.verify import verify as verify_rows
from fileroom.errors import NotFound
from fileroom.ops import options
from fileroom.settings import Settings


def verify_home(chosen: Settings, checkpoint: Path | None, key: Path | None) -> Report:
    """An archive's own ledger, against its own checkpoints and those named.

    Raises NotFound, BadRequest, DamagedLedger, DatabaseUnavailable.
    """
    own = chosen.home / FOLDER
    second = [] if chosen.second_checkpoints is None else [chosen.second_checkpoints]
    verifier = _verifier(key, [own, *second, *_folder(checkpoint)])
    given = [checkpoint] if checkpoint is not None else []
    places = [*given, *second, *(place for place in [own / "checkpoints"] if place.is_dir())]
    with options.open_database(chosen) as database, database.read() as connection:
        return _verify(connection, places, verifier)


def verify_copy(database: Path, checkpoint: Path | None, key: Path | None) -> Report:
    """A copied database, against the checkpoints in it and those named. Raises as `verify_home`."""
    verifier = _verifier(key, _folder(checkpoint))
    with open_copy(database) as connection:
        return _verify(connection, [] if checkpoint is None else [checkpoint], verifier)


def _verify(connection: sa.Connection, places: list[Path], verifier: Verifier | None) -> Report:
    anchors: list[Anchor] = table_anchors(connection, verifier)
    for place in places:
        anchors += read_anchors(place, verifier)
    leaves = max((Leaves(folder) for place in places for folder in _folder(place)), key=_size, default=None)
    return verify_rows(lambda: rows(connection), anchors, leaves)


def _size(leaves: Leaves) -> int:
    return leaves.size


def _folder(place: Path | None) -> list[Path]:
    return [] if place is None else [place if place.is_dir() else place.parent]


def _verifier(key: Path | None, folders: Iterable[Path]) -> Verifier | None:
    """The key that was named, or the first of those that lie in the folders."""
    if key is not None and not key.is_file():
        raise NotFound(f"{key} is not there")
    places = [key] if key is not None else [folder / PUBLIC for folder in folders]
    return next((found for place in places if (found := read_verifier(place)) is not None), None)
