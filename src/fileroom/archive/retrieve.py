"""Giving objects back: what the doors call. Bytes leave as ranges of packs; nothing is read here but the index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.image import HEAD_BYTES, Image, unpack_frames, unpack_image
from fileroom.archive.mapped import inflated, mapped
from fileroom.archive.packs import FileRange, Packs
from fileroom.archive.scratch import Scratch
from fileroom.database import Database, Prepared
from fileroom.dicom.syntax import EXPLICIT_LE, TransferSyntax, syntax

__all__ = ["ORDER", "FileRange", "Retriever", "StoredInstance"]

_I, _E, _S = schema.instance.c, schema.series.c, schema.study.c
_LISTED_BYTES_MAX = 1 << 16
# A frame table may take megabytes: of many objects together only short ones are read, of the others their heads.
_LISTED_IMAGE = sa.case(
    (sa.func.length(_I.image) <= _LISTED_BYTES_MAX, _I.image),
    else_=sa.func.substr(_I.image, 1, HEAD_BYTES, type_=sa.LargeBinary),
)
_SELECT = (
    sa.select(
        _S.study_uid,
        _E.series_uid,
        _I.sop_uid,
        _I.sop_class_uid,
        _I.transfer_syntax,
        _I.pack_id,
        _I.offset,
        _I.prefix_bytes,
        _I.size_bytes,
        _I.digest,
    )
    .select_from(schema.IN_STUDIES)
    .where(_S.hidden.is_(False))
)
_STUDY = _SELECT.add_columns(_LISTED_IMAGE).where(_S.study_uid == sa.bindparam("study"))
_SERIES = _STUDY.where(_E.series_uid == sa.bindparam("series"))
_ONE = (
    _SELECT.add_columns(_I.image)
    .where(_I.sop_uid == sa.bindparam("sop"))
    .where(_E.series_uid == sa.bindparam("series"))
    .where(_S.study_uid == sa.bindparam("study"))
)
_ANY = _SELECT.add_columns(_LISTED_IMAGE).where(_I.sop_uid.in_(sa.bindparam("sops", expanding=True)))


def by_number(column: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    """Text that holds a number, in the number's order: shorter first, then by value; what is absent comes last."""
    return (column.is_(None), sa.func.length(column), column)


# Of the objects of a study: by series number, then instance number
ORDER = (*by_number(_E.series_number), _E.id, *by_number(_I.instance_number), _I.id)


class StoredInstance(NamedTuple):
    """Where one object lies and what it is."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax: str
    pack_id: int
    offset: int  # of the Part 10 file in its pack
    prefix_bytes: int  # before the dataset
    size_bytes: int  # of the whole Part 10 file
    digest: str  # SHA-256 of the dataset, hex
    image_blob: bytes | None

    @property
    def image(self) -> Image | None:
        """Its pixels' description and frame table; None without pixels."""
        return None if self.image_blob is None else unpack_image(self.image_blob)


class Retriever:
    """Finds stored objects and opens ranges of them. Thread-safe. Hidden studies do not exist here."""

    def __init__(self, database: Database, packs: Packs, scratch: Scratch | None = None) -> None:
        """`scratch`: where what is deflated inflates to; None: beside the packs."""
        self._database = database
        self._packs = packs
        self._scratch = scratch or Scratch(packs.folder)
        self._study = Prepared(database, _STUDY.order_by(*ORDER))
        self._series = Prepared(database, _SERIES.order_by(*ORDER))
        self._one = Prepared(database, _ONE)

    def instances(
        self, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
    ) -> list[StoredInstance]:
        """The objects of a study, a series or one alone, by series number and instance number; [] when none is here.

        Of several, an image whose frame table is long comes without it: `instance` has it.
        """
        if sop_uid is not None:
            one = self.instance(study_uid, series_uid or "", sop_uid)
            return [] if one is None else [one]
        if series_uid is not None:
            rows = self._series.rows({"study": study_uid, "series": series_uid})
        else:
            rows = self._study.rows({"study": study_uid})
        return [StoredInstance(*row) for row in rows]

    def instance(self, study_uid: str, series_uid: str, sop_uid: str) -> StoredInstance | None:
        """One object by all its UIDs; None when it is not here."""
        rows = self._one.rows({"study": study_uid, "series": series_uid, "sop": sop_uid})
        return StoredInstance(*rows[0]) if rows else None

    def by_sop_uids(self, sop_uids: Sequence[str]) -> list[StoredInstance]:
        """Objects by SOP Instance UID alone (C-MOVE and C-GET at image level); those not here are left out."""
        with self._database.read() as connection:
            return [StoredInstance(*row) for row in connection.execute(_ANY, {"sops": list(sop_uids)})]

    def file(self, stored: StoredInstance) -> FileRange:
        """The whole Part 10 file, as it was stored."""
        return self._packs.range(stored.pack_id, stored.offset, stored.size_bytes)

    def dataset(self, stored: StoredInstance) -> FileRange:
        """The dataset's bytes alone, as they were received."""
        return self._packs.range(
            stored.pack_id, stored.offset + stored.prefix_bytes, stored.size_bytes - stored.prefix_bytes
        )

    def readable(self, stored: StoredInstance) -> tuple[bytes | memoryview, TransferSyntax]:
        """The dataset as memory to read values from, and the syntax it is then in: inflated when it is deflated.

        Raises MalformedObject when it does not inflate, DamagedPack, StorageFull, Busy.
        """
        dataset, how = self.dataset(stored), syntax(stored.transfer_syntax)
        if how.deflated:
            return inflated(dataset, self._scratch), syntax(EXPLICIT_LE)
        return mapped(dataset), how

    def frame(self, stored: StoredInstance, number: int) -> list[FileRange | bytes]:
        """Frame `number` (from 1), as stored: the native frame in little endian, or its fragments in order.

        Raises NotFound outside 1..count, UndecodableImage when the frames cannot be told apart.
        """
        if stored.image_blob is None:
            raise errors.NotFound("this object has no pixels")
        table = unpack_frames(stored.image_blob)
        if table is None:
            raise errors.UndecodableImage("the frames of this object cannot be told apart")
        if not 1 <= number <= table.count:
            raise errors.NotFound(f"frame {number} of {table.count}")
        dataset = self.dataset(stored)
        ranges = [dataset.part(offset, length) for offset, length in table.fragments(number - 1)]
        if table.direct:
            return list(ranges)
        return [table.carve(number - 1, b"".join(part.read() for part in ranges))]
