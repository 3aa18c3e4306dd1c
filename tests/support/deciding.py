"""What tests about decisions share: objects in conflict, and what the archive says of them."""

from __future__ import annotations

import contextlib
import urllib.error
import urllib.request

import sqlalchemy as sa
from pydicom.dataset import Dataset

from fileroom.archive import schema
from fileroom.archive.conflicts import Conflicts
from fileroom.archive.scrub import scrub
from fileroom.archive.search import Query, Search
from fileroom.database import METADATA, Database
from fileroom.dicom import part10
from fileroom.dicom.attributes import BY_KEYWORD, Level
from tests.support.archives import EXPLICIT_LE, Archive, ct, encoded
from tests.support.fileroom import FileroomServer
from tests.support.truth import wrong_counts

STUDY, SERIES, SOP = "1.2.9.1", "1.2.9.1.1", "1.2.9.1.1.1"
PER_RUN = {"id", "patient_pk", "study_pk", "series_pk", "updated_ms", "revision", "created_ms", "closed"}


def other(number: int = 1, **values: object) -> Dataset:
    """Another object under the UID of `ct(number)`."""
    dataset = ct(number, pixels=bytes(32))
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def conflicts_of(archive: Archive) -> Conflicts:
    return Conflicts(archive.database, archive.packs)


def one_held(archive: Archive) -> int:
    (held,) = conflicts_of(archive).listed()
    return held.id


def served(archive: Archive, sop_uid: str = SOP) -> bytes | None:
    found = archive.retriever.by_sop_uids([sop_uid])
    return archive.retriever.dataset(found[0]).read() if found else None


def says(archive: Archive, level: Level, keyword: str, **keys: str) -> list[str]:
    rows = Search(archive.database).find(Query(level, {"StudyInstanceUID": STUDY, **keys}))
    return [row.text(BY_KEYWORD[keyword]) for row in rows]


def everything(database: Database) -> dict[str, list[str]]:
    """Every row of the index and of what is held, without what differs from run to run."""
    found = {}
    with database.read() as connection:
        for name in (*schema.SHADOWS, "held"):
            rows = connection.execute(sa.select(METADATA.tables[name])).mappings()
            found[name] = sorted(str({k: v for k, v in row.items() if k not in PER_RUN}) for row in rows)
    return found


def settled(archive: Archive) -> None:
    """The index, the packs and the counts agree."""
    assert scrub(archive.database, archive.packs).findings == ()
    assert wrong_counts(archive.database) == []


def send(server: FileroomServer, *datasets: Dataset) -> None:
    """Send each by STOW-RS, one after the other; that one is kept for a person is no failure here."""
    for dataset in datasets:
        prefix = part10.prefix(dataset.SOPClassUID, dataset.SOPInstanceUID, EXPLICIT_LE, "TEST")
        request = urllib.request.Request(
            f"{server.dicomweb}/studies", prefix + encoded(dataset), {"content-type": "application/dicom"}
        )
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=30).close()
