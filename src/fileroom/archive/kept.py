"""An object that lies in a pack, served or not, and how it is read back as the arrival it was."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.arrival import Arrival, HeldKey, Source
from fileroom.archive.describe import describe
from fileroom.archive.mapped import mapped
from fileroom.archive.packs import Packs
from fileroom.archive.retrieve import StoredInstance

FORMER = "former"  # the kind of a held object that was served until another was decided to be used instead
PLACE = ("pack_id", "offset", "prefix_bytes", "size_bytes")  # columns
_OWN = ("sop_uid", "sop_class_uid", "transfer_syntax", "digest", *PLACE, "site", "source", "arrived_ms")
_H, _I, _E, _S = schema.held.c, schema.instance.c, schema.series.c, schema.study.c


@dataclass(frozen=True, slots=True)
class Kept:
    """One object and where it lies."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax: str
    digest: str  # SHA-256 of the dataset, hex
    pack_id: int
    offset: int  # of the Part 10 file in its pack
    prefix_bytes: int  # before the dataset
    size_bytes: int  # of the whole Part 10 file
    site: str
    source: str  # door and peer
    arrived_ms: int  # since 1970 UTC

    @property
    def key(self) -> HeldKey:
        """What tells it from other objects under its SOP Instance UID."""
        return self.sop_uid, self.digest, self.transfer_syntax

    def stored(self, image_blob: bytes | None) -> StoredInstance:
        """It as what is shown, sent or rendered."""
        return StoredInstance(
            self.study_uid,
            self.series_uid,
            self.sop_uid,
            self.sop_class_uid,
            self.transfer_syntax,
            self.pack_id,
            self.offset,
            self.prefix_bytes,
            self.size_bytes,
            self.digest,
            image_blob,
        )


@dataclass(frozen=True, slots=True)
class Served:
    """An object that is in the index, and the keys of the rows it belongs to."""

    kept: Kept
    instance_pk: int
    series_pk: int
    study_pk: int
    patient_pk: int


_HELD = sa.select(_H.study_uid, _H.series_uid, *(_H[name] for name in _OWN))
_SERVED = sa.select(
    _S.study_uid, _E.series_uid, *(_I[name] for name in _OWN), _I.id, _E.id, _S.id, _S.patient_pk
).select_from(schema.IN_STUDIES)
_FIELDS = 2 + len(_OWN)


def held_object(connection: sa.Connection, key: HeldKey) -> Kept | None:
    """An object that is kept apart, or was when it was decided about."""
    sop_uid, digest, transfer_syntax = key
    where = (_H.sop_uid == sop_uid, _H.digest == digest, _H.transfer_syntax == transfer_syntax)
    row = connection.execute(_HELD.where(*where)).first()
    return None if row is None else Kept(*row)


def former_object(connection: sa.Connection, sop_uid: str) -> Kept | None:
    """The object that was served under a SOP Instance UID before a person decided on another one."""
    row = connection.execute(_HELD.where(_H.sop_uid == sop_uid, _H.kind == FORMER)).first()
    return None if row is None else Kept(*row)


def held_by_id(connection: sa.Connection, held_id: int) -> Kept | None:
    """The same by the number of the hold."""
    row = connection.execute(_HELD.where(_H.id == held_id)).first()
    return None if row is None else Kept(*row)


def served_object(connection: sa.Connection, sop_uid: str) -> Served | None:
    """The object in the index under a SOP Instance UID, of hidden studies too."""
    row = connection.execute(_SERVED.where(_I.sop_uid == sop_uid)).first()
    return None if row is None else Served(Kept(*row[:_FIELDS]), *row[_FIELDS:])


def served_below(connection: sa.Connection, above: sa.ColumnElement[bool], after: int, limit: int) -> list[Served]:
    """Objects of some series in the order in which they count as first: by the number of their arrival."""
    rows = connection.execute(_SERVED.where(above, _I.id > after).order_by(_I.id).limit(limit))
    return [Served(Kept(*row[:_FIELDS]), *row[_FIELDS:]) for row in rows]


def read_back(packs: Packs, kept: Kept) -> Arrival:
    """The arrival it was. Its bytes are not compared with the digest: see `check_intact`.

    Raises DamagedPack when they are gone, RefusedObject when they are no longer readable.
    """
    file = packs.range(kept.pack_id, kept.offset, kept.size_bytes)
    dataset = file.part(kept.prefix_bytes, kept.size_bytes - kept.prefix_bytes)
    door, _, peer = kept.source.partition(":")
    prefix = file.part(0, kept.prefix_bytes).read()
    arrival = describe(mapped(dataset), prefix, kept.transfer_syntax, kept.digest, Source(door, peer, kept.site))
    arrival.arrived_ms = kept.arrived_ms
    arrival.pack_id, arrival.offset = kept.pack_id, kept.offset
    return arrival


def check_intact(packs: Packs, kept: Kept) -> None:
    """Raises DamagedPack unless every byte of its dataset is as it arrived."""
    start, size_bytes = kept.offset + kept.prefix_bytes, kept.size_bytes - kept.prefix_bytes
    if not packs.intact(kept.pack_id, start, size_bytes, kept.digest):
        raise errors.DamagedPack(
            "the bytes of the object that would be used are damaged or gone", hint="run: fileroom scrub"
        )
