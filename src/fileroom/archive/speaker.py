"""Which object of a study says whose the study is: what is made here about any of its objects carries that on.

An object that a person filed in a study names another patient, and so would everything that is made from it: it would
be kept apart, each time anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.arrival import Source
from fileroom.archive.describe import describe
from fileroom.archive.kept import Kept, former_object, served_below, served_object
from fileroom.archive.retrieve import Retriever, StoredInstance
from fileroom.archive.verdicts import names_another
from fileroom.database import Database

_LOOKED_AT_MAX = 500  # objects of a study, the first that arrived


class Speaker(NamedTuple):
    """What to make an object of a study from."""

    stored: StoredInstance
    site: str  # the study's, where what is made belongs


def speaker(database: Database, retriever: Retriever, stored: StoredInstance) -> Speaker:
    """The object itself, or when it names another patient than its study's the first of the study that does not.

    Raises NotFound, RefusedObject when there is none, DatabaseUnavailable, StorageFull, Busy.
    """
    with database.read() as connection:
        site = connection.execute(
            sa.select(schema.study.c.site).where(schema.study.c.study_uid == stored.study_uid)
        ).scalar()
        if site is None:
            raise errors.NotFound("no such study")
        for kept in _candidates(connection, stored):
            one = kept.stored(None)
            if _speaks(connection, retriever, one, site):
                return Speaker(one, site)
    raise errors.RefusedObject(
        "no object of this study says whose it is: all were filed there by a person",
        hint="see the page Conflicts; nothing was kept",
    )


def _candidates(connection: sa.Connection, stored: StoredInstance) -> Iterator[Kept]:
    """Objects of the study as they are served, and those they took the place of."""
    own = served_object(connection, stored.sop_uid)
    if own is None:
        return
    yield own.kept
    for served in served_below(connection, schema.series.c.study_pk == own.study_pk, 0, _LOOKED_AT_MAX):
        yield served.kept
        former = former_object(connection, served.kept.sop_uid)
        if former is not None:
            yield former


def _speaks(connection: sa.Connection, retriever: Retriever, stored: StoredInstance, site: str) -> bool:
    """Whether what is made from an object, at the study's site, would be taken for the study's patient's."""
    try:
        dataset, how = retriever.readable(stored)
        arrival = describe(dataset, b"", how.uid, stored.digest, Source("", "", site))
    except (errors.DamagedPack, errors.RefusedObject):
        return False  # what can no longer be read tells nothing
    return not names_another(connection, arrival)
