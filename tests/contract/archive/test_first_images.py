"""What a viewer shows first is known from the index: the first image of one series, of mammograms of each."""

from __future__ import annotations

from fileroom.archive.first_images import FirstImage, first_images
from fileroom.database import METADATA, Database
from tests.support.rows import Rows


def _first(database_url: str, rows: Rows, *studies: str) -> list[FirstImage]:
    database = Database(database_url)
    try:
        METADATA.create_all(database.engine)
        rows.write(database)
        return first_images(database, studies)
    finally:
        database.close()


def test_the_first_image_by_number_of_the_first_series_that_has_any(database_url: str) -> None:
    rows = Rows()
    study = rows.study("1.2")
    report = rows.one_series(study, "1.2.1", modality="SR", series_number="1")
    rows.instance(report, "1.2.1.1", instance_number="1", image=None)
    later = rows.one_series(study, "1.2.30", modality="CT", series_number="30")
    rows.instance(later, "1.2.30.1", instance_number="1", image=b"pixels")
    images = rows.one_series(study, "1.2.4", modality="CT", series_number="4")
    for number in ("10", "2", "1"):
        rows.instance(images, f"1.2.4.{number}", instance_number=number, image=b"pixels")
    assert _first(database_url, rows, "1.2", "9.9") == [FirstImage("1.2", "1.2.4", "1.2.4.1")]


def test_mammograms_hang_together_volumes_do_not_count_and_hidden_studies_are_not_there(database_url: str) -> None:
    rows = Rows()
    for uid, hidden in (("1.3", False), ("1.4", True)):
        study = rows.study(uid, hidden=hidden)
        for number, frames in enumerate((None, "60", "1"), start=1):
            series = rows.one_series(study, f"{uid}.{number}", modality="MG", series_number=str(number))
            rows.instance(series, f"{uid}.{number}.1", image=b"pixels", frame_count=frames)
    found = _first(database_url, rows, "1.3", "1.4")
    assert [one.sop_uid for one in found] == ["1.3.1.1", "1.3.3.1"]
