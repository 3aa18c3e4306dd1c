"""How the index follows a decision: one object takes another's place in every answer, is filed, or is taken out again.

Bytes are not touched. The revisions of study and series rise, so that documents are made again. The object that is no
longer served stays known as a held one, so that it is recognised when it is sent again and can be brought back.
"""

from __future__ import annotations

import time

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.arrival import Arrival, HeldKey
from fileroom.archive.batch import COLUMNS
from fileroom.archive.index import Index
from fileroom.archive.kept import FORMER, PLACE, Kept, Served, read_back, served_object
from fileroom.archive.packs import Packs
from fileroom.archive.settle import set_modalities, settle
from fileroom.archive.word_maker import renew_words
from fileroom.database import Ids
from fileroom.dicom.attributes import Level

_I, _E, _S, _P, _H = schema.instance.c, schema.series.c, schema.study.c, schema.patient.c, schema.held.c


def exchange(connection: sa.Connection, packs: Packs, served: Served, arrival: Arrival) -> None:
    """Serve this arrival, of the same study and series, in the place of an object that is served now.

    It takes its number too, and so its turn among those of which the first one wins.
    """
    before = _said(packs, served.kept)
    row: dict[str, object] = {column: arrival.values.get(column) for column in COLUMNS[Level.IMAGE]}
    for name in (*PLACE, "sop_class_uid", "transfer_syntax", "digest", "image", "site", "source", "arrived_ms"):
        row[name] = getattr(arrival, name)
    connection.execute(sa.update(schema.instance).where(_I.id == served.instance_pk).values(row))
    _count(connection, served, 0, arrival.size_bytes - served.kept.size_bytes)
    settle(connection, packs, served, before, arrival, everything=before is None)


def file(connection: sa.Connection, packs: Packs, index: Index, arrival: Arrival) -> None:
    """Serve this arrival, whose SOP Instance UID nothing is served under, in the study it names.

    Raises IntegrityError when another process was faster.
    """
    index.file(connection, arrival)
    served = served_object(connection, arrival.sop_uid)
    assert served is not None
    settle(connection, packs, served, None, arrival)


def take_out(connection: sa.Connection, packs: Packs, served: Served) -> None:
    """Serve this object no longer. A series or study it was the last of is not there any more either."""
    before = _said(packs, served.kept)
    connection.execute(sa.delete(schema.instance).where(_I.id == served.instance_pk))
    _count(connection, served, -1, -served.kept.size_bytes)
    settle(connection, packs, served, before, None, everything=before is None)
    emptied = sa.delete(schema.series).where(_E.id == served.series_pk, _E.instance_count == 0)
    if connection.execute(emptied).rowcount:
        changes = {"series_count": _S.series_count - 1}
        connection.execute(sa.update(schema.study).where(_S.id == served.study_pk).values(changes))
        set_modalities(connection, served.study_pk)
        renew_words(connection, _S.id == served.study_pk)
    emptied = sa.delete(schema.study).where(_S.id == served.study_pk, _S.instance_count == 0)
    if connection.execute(emptied).rowcount:
        fewer = {"study_count": _P.study_count - 1}
        connection.execute(sa.update(schema.patient).where(_P.id == served.patient_pk).values(fewer))
        connection.execute(sa.delete(schema.patient).where(_P.id == served.patient_pk, _P.study_count == 0))


def keep_aside(connection: sa.Connection, ids: Ids, kept: Kept) -> None:
    """Have an object that is to be served no longer known as a held one, where its bytes lie now."""
    where = (_H.sop_uid == kept.sop_uid, _H.digest == kept.digest, _H.transfer_syntax == kept.transfer_syntax)
    place = {name: getattr(kept, name) for name in PLACE}
    if connection.execute(sa.update(schema.held).where(*where).values(place)).rowcount == 0:
        row: dict[str, object] = {name: getattr(kept, name) for name in Kept.__slots__}
        connection.execute(sa.insert(schema.held), [row | {"id": ids.next(), "kind": FORMER, "verdict": "replace"}])


def bring_back(connection: sa.Connection, key: HeldKey) -> None:
    """The opposite of `keep_aside`, for an object that is served again."""
    where = (_H.sop_uid == key[0], _H.digest == key[1], _H.transfer_syntax == key[2])
    connection.execute(sa.delete(schema.held).where(*where, _H.kind == FORMER))


def _said(packs: Packs, kept: Kept) -> Arrival | None:
    """What an object says; None when it can no longer be read."""
    try:
        return read_back(packs, kept)
    except (errors.DamagedPack, errors.RefusedObject):
        return None


def _count(connection: sa.Connection, rows: Served, more: int, more_bytes: int) -> None:
    now = int(time.time() * 1000)
    study = {
        "instance_count": _S.instance_count + more,
        "size_bytes": _S.size_bytes + more_bytes,
        "revision": _S.revision + 1,
        "updated_ms": now,
    }
    connection.execute(sa.update(schema.study).where(_S.id == rows.study_pk).values(study))
    series = {"instance_count": _E.instance_count + more, "revision": _E.revision + 1, "updated_ms": now}
    connection.execute(sa.update(schema.series).where(_E.id == rows.series_pk).values(series))
