"""The index is a shadow: dropped, it is made anew from packs and records with equal answers. Damage is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom import migrations
from fileroom.archive import schema
from fileroom.archive.heal import heal
from fileroom.archive.packs import Packs
from fileroom.archive.rebuild import rebuild_index
from fileroom.archive.receive import Outcome, Receiver
from fileroom.archive.scrub import scrub
from fileroom.database import METADATA, Database
from tests.support.archives import Archive, ct, encoded, running_archive

PER_RUN = {"id", "patient_pk", "study_pk", "series_pk", "updated_ms", "revision", "created_ms", "closed"}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    migrations.upgrade(opened)
    yield opened
    opened.close()


def fill(archive: Archive) -> None:
    for study in (1, 2, 3):
        for number in range(1, 6):
            dataset = ct(number, study=study, series=number % 2, patient=f"P{study % 2}")
            if number == 3:
                dataset.StudyDescription = "filled by a later object"
            archive.store(dataset)
    archive.store(ct(1, study=9, pixels=bytes(40 << 20)))  # a pack of its own
    archive.store(ct(1, study=1, series=1, pixels=bytes(32)))  # conflict
    archive.store(ct(7, study=1, patient="P7"))  # another patient


def answers(database: Database) -> dict[str, list[tuple[tuple[str, object], ...]]]:
    found = {}
    with database.read() as connection:
        for name in (*schema.SHADOWS, "held"):
            rows = connection.execute(sa.select(METADATA.tables[name])).mappings()
            found[name] = sorted(
                (
                    tuple((k, v) for k, v in row.items() if k not in PER_RUN or (name == "pack" and k == "id"))
                    for row in rows
                ),
                key=str,
            )
    return found


def flip(path: Path, offset: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[offset] ^= 4
    path.write_bytes(raw)


def test_a_dropped_index_is_rebuilt_with_equal_answers(tmp_path: Path, database_url: str, database: Database) -> None:
    with running_archive(tmp_path, database_url) as archive:
        fill(archive)
    before = answers(database)
    with database.write() as connection:
        for name in schema.SHADOWS:
            connection.execute(sa.text(f"DROP TABLE {name}"))
    report = rebuild_index(database, Packs(tmp_path / "packs"))
    assert (report.objects, report.held, report.findings) == (16, 2, ())
    assert answers(database) == before
    assert scrub(database, Packs(tmp_path / "packs")).findings == ()


def test_without_any_database_the_packs_alone_give_the_same_answers(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    with running_archive(tmp_path, database_url) as archive:
        fill(archive)
    before = answers(database)
    with database.write() as connection:
        connection.execute(sa.delete(schema.held))
    assert rebuild_index(database, Packs(tmp_path / "packs")).held == 2
    assert answers(database) == before


def test_a_hidden_study_stays_hidden(tmp_path: Path, database_url: str, database: Database) -> None:
    with running_archive(tmp_path, database_url) as archive:
        fill(archive)
    with database.write() as connection:
        row = {"study_uid": "1.2.9.2", "reason": "test", "hidden_by": "tester", "hidden_ms": 1}
        connection.execute(sa.insert(schema.hidden_study), [row])
    rebuild_index(database, Packs(tmp_path / "packs"))
    with database.read() as connection:
        hidden = connection.execute(sa.select(schema.study.c.study_uid).where(schema.study.c.hidden)).scalars().all()
    assert hidden == ["1.2.9.2"]


@pytest.mark.parametrize("where", ["dataset", "prefix", "records", "header"])
def test_one_flipped_bit_is_named_and_nothing_behind_it_is_lost(
    where: str, tmp_path: Path, database_url: str, database: Database
) -> None:
    with running_archive(tmp_path, database_url) as archive:
        for number in range(1, 8):
            archive.store(ct(number))
        found = archive.retriever.instance("1.2.9.1", "1.2.9.1.1", "1.2.9.1.1.4")
    assert found is not None
    offset = {
        "dataset": found.offset + found.size_bytes - 8,
        "prefix": found.offset + 5,
        "records": found.offset - 1000,
        "header": found.offset - 380,
    }[where]
    packs = Packs(tmp_path / "packs")
    flip(packs.path(found.pack_id), offset)
    report = scrub(database, packs)
    assert {finding.sop_uid for finding in report.findings} - {""} == {"1.2.9.1.1.4"}
    rebuilt = rebuild_index(database, packs)
    assert any("1.2.9.1.1.4" in finding.sop_uid + finding.detail for finding in rebuilt.findings)
    with database.read() as connection:
        uids = set(connection.execute(sa.select(schema.instance.c.sop_uid)).scalars())
    assert uids == {f"1.2.9.1.1.{number}" for number in range(1, 8)}
    digests = dict(database_rows(database))
    assert digests["1.2.9.1.1.4"] == found.digest  # the recorded one, not that of the rot
    if where in ("dataset", "prefix"):
        assert {finding.kind for finding in scrub(database, packs).findings} == {"rot"}


def database_rows(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        query = sa.select(schema.instance.c.sop_uid, schema.instance.c.digest)
        return [(uid, digest) for uid, digest in connection.execute(query)]


def test_scrub_sees_what_only_one_side_knows(tmp_path: Path, database_url: str, database: Database) -> None:
    with running_archive(tmp_path, database_url) as archive:
        for number in range(1, 4):
            archive.store(ct(number))
        archive.store(ct(1, study=9, pixels=bytes(40 << 20)))
        alone = archive.retriever.instances("1.2.9.9")[0].pack_id
    packs = Packs(tmp_path / "packs")
    assert scrub(database, packs).findings == ()
    with database.write() as connection:
        connection.execute(sa.delete(schema.instance).where(schema.instance.c.sop_uid == "1.2.9.1.1.2"))
    assert [(f.kind, f.sop_uid) for f in scrub(database, packs).findings] == [("unindexed", "1.2.9.1.1.2")]
    rebuild_index(database, packs)
    packs.path(alone).unlink()
    assert [f.kind for f in scrub(database, packs).findings] == ["gone", "missing"]


def test_a_restart_takes_in_whole_objects_and_sets_torn_bytes_aside(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    packs = Packs(tmp_path / "packs")
    receiver = Receiver(database, packs)
    receiver.start()
    archive = Archive(tmp_path, database, packs, receiver, None)  # type: ignore[arg-type]
    for number in range(1, 6):
        archive.store(ct(number))
    (pack_id,) = packs.ids()
    crashed = Packs(tmp_path / "crashed")
    raw = packs.path(pack_id).read_bytes()
    receiver.stop()
    crashed.path(pack_id).write_bytes(raw + raw[:700])  # the next member was half written
    with database.write() as connection:  # and the database was not told of the last two
        last = connection.execute(sa.select(schema.instance).order_by(schema.instance.c.id)).mappings().all()[3:]
        connection.execute(sa.delete(schema.instance).where(schema.instance.c.id >= last[0]["id"]))
        acknowledged = last[0]["offset"] - 2048 if (last[0]["offset"] - 2048) % 512 == 0 else 0
        connection.execute(sa.update(schema.pack).values(closed=False, size_bytes=start_of(raw, pack_id, 3)))
        assert acknowledged >= 0
    report = heal(database, crashed)
    assert (report.objects_indexed, report.packs_closed) == (2, 1)
    assert [finding.kind for finding in report.findings] == ["aside"]
    (aside,) = crashed.aside.iterdir()
    assert aside.read_bytes() == raw[:700]
    assert scrub(database, crashed).findings == ()
    assert len(database_rows(database)) == 5
    assert heal(database, crashed).packs_closed == 0


def start_of(raw: bytes, pack_id: int, number: int) -> int:
    at = -1
    for _ in range(number + 1):
        at = raw.index(f"FILEROOM.at={pack_id:016x}".encode(), at + 1)
    return at - at % 512 - 512


def test_an_old_database_never_costs_what_came_after_it(tmp_path: Path, database_url: str, database: Database) -> None:
    """A database restored from before the objects came: the packs' objects are taken in, around damage too."""
    packs = Packs(tmp_path / "packs")
    with running_archive(tmp_path, database_url) as archive:
        for number in range(1, 8):
            archive.store(ct(number))
        third = archive.retriever.instance("1.2.9.1", "1.2.9.1.1", "1.2.9.1.1.3")
    assert third is not None
    with database.write() as connection:
        for name in schema.SHADOWS:
            connection.execute(sa.delete(METADATA.tables[name]))
    flip(packs.path(third.pack_id), third.offset + third.size_bytes - 8)
    report = heal(database, packs)
    assert report.objects_indexed == 6
    assert [(f.kind, f.sop_uid) for f in report.findings] == [("rot", "1.2.9.1.1.3")]
    assert not list(packs.aside.iterdir())


def test_a_pack_that_lost_acknowledged_bytes_is_an_alarm_and_is_not_cut(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    packs = Packs(tmp_path / "packs")
    with running_archive(tmp_path, database_url) as archive:
        for number in range(1, 4):
            archive.store(ct(number))
    (pack_id,) = packs.ids()
    path = packs.path(pack_id)
    cut = path.read_bytes()[:3000]
    path.write_bytes(cut)
    for closed in (True, False):
        with database.write() as connection:
            connection.execute(sa.update(schema.pack).values(closed=closed))
        assert [finding.kind for finding in heal(database, packs).findings] == ["short"]
        assert path.read_bytes() == cut


def test_storing_goes_on_in_a_new_pack_after_healing(tmp_path: Path, database_url: str) -> None:
    for number in (1, 2, 3):
        with running_archive(tmp_path, database_url) as archive:
            heal(archive.database, archive.packs)
            assert archive.store(ct(number)).outcome is Outcome.STORED
            for earlier in range(1, number + 1):
                (found,) = archive.retriever.instances("1.2.9.1", "1.2.9.1.1", f"1.2.9.1.1.{earlier}")
                assert archive.retriever.dataset(found).read() == encoded(ct(earlier))
