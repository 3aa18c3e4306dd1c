"""What a viewer shows of a study first, as far as one can tell before it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.retrieve import by_number
from fileroom.database import Database

SERIES_MAX = 8  # of each study
MAMMOGRAMS_MAX = 4  # of each study: they hang together

_I, _E, _S = schema.instance.c, schema.series.c, schema.study.c
_SERIES = (
    sa.select(_E.id, _E.series_uid, _E.modality)
    .join(schema.study, _S.id == _E.study_pk)
    .where(_S.study_uid == sa.bindparam("study"), _S.hidden.is_(False))
    .order_by(*by_number(_E.series_number), _E.id)
    .limit(SERIES_MAX)
)
_FIRST = (
    sa.select(_I.sop_uid, _I.frame_count)
    .where(_I.series_pk == sa.bindparam("series"), _I.image.is_not(None))
    .order_by(*by_number(_I.instance_number), _I.id)
    .limit(1)
)


class FirstImage(NamedTuple):
    """An image that a viewer is likely to show first."""

    study_uid: str
    series_uid: str
    sop_uid: str


def first_images(database: Database, study_uids: Sequence[str]) -> list[FirstImage]:
    """Of each of these studies, in order: of mammograms the first image of each series, else of one series.

    Images of several frames do not count. Hidden studies, and those not here, give nothing. Raises DatabaseUnavailable.
    """
    found = []
    with database.read() as connection:
        for study in study_uids:
            shown = 0
            for key, series_uid, modality in connection.execute(_SERIES, {"study": study}):
                if shown < (MAMMOGRAMS_MAX if modality == "MG" else 1):
                    first = connection.execute(_FIRST, {"series": key}).first()
                    if first is not None and (first.frame_count or "1").strip() == "1":
                        found.append(FirstImage(study, series_uid, first.sop_uid))
                        shown += 1
    return found
