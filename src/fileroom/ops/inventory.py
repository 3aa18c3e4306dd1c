"""How much is here, as the index and the disk tell it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.held import held_counts
from fileroom.archive.totals import count
from fileroom.database import Database
from fileroom.settings import Settings

_LAST = 5


@dataclass(frozen=True, slots=True)
class Inventory:
    """The figures. Hidden studies are in none but `hidden`."""

    patients: int
    studies: int
    series: int
    instances: int
    size_bytes: int  # of the objects
    packs_open: int
    packs_closed: int
    pack_bytes: int  # acknowledged, with what lies between objects and what waits for a person
    free_bytes: int  # where the packs lie
    held: dict[str, int]  # kind to count
    hidden: int  # studies
    peers: int
    last_arrivals: tuple[tuple[int, str, str], ...]  # newest first: time in ms since 1970, source, study UID


def take(database: Database, settings: Settings) -> Inventory:
    """Count. Reads every study's row; raises DatabaseUnavailable."""
    totals = count(database)
    pack, instance, series, study = schema.pack.c, schema.instance.c, schema.series.c, schema.study.c
    last = (
        sa.select(instance.arrived_ms, instance.source, study.study_uid)
        .join_from(schema.instance, schema.series, series.id == instance.series_pk)
        .join(schema.study, study.id == series.study_pk)
        .order_by(instance.id.desc())
        .limit(_LAST)
    )
    size = sa.func.coalesce(sa.func.sum(pack.size_bytes), 0)
    with database.read() as connection:
        packs = {
            bool(closed): (int(number), int(total))
            for closed, number, total in connection.execute(
                sa.select(pack.closed, sa.func.count(), size).group_by(pack.closed)
            )
        }
        arrivals = tuple((int(ms), str(source), str(uid)) for ms, source, uid in connection.execute(last))
        hidden, peers = (
            int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
            for table in (schema.hidden_study, schema.peer)
        )
    opened, closed = packs.get(False, (0, 0)), packs.get(True, (0, 0))
    return Inventory(
        patients=totals.patients,
        studies=totals.studies,
        series=totals.series,
        instances=totals.instances,
        size_bytes=totals.size_bytes,
        packs_open=opened[0],
        packs_closed=closed[0],
        pack_bytes=opened[1] + closed[1],
        free_bytes=shutil.disk_usage(settings.packs).free,
        held=held_counts(database),
        hidden=hidden,
        peers=peers,
        last_arrivals=arrivals,
    )
