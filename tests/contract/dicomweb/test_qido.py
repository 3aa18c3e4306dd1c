"""QIDO-RS over a real index: addresses, keys, paging, warnings, and the DICOM JSON it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pydicom
import pytest

from fileroom.archive.search import Search
from fileroom.database import METADATA, Database
from fileroom.dicomweb import qido_query
from fileroom.dicomweb.qido import Qido
from fileroom.web.router import Router
from tests.support.asking import Answer, ask
from tests.support.rows import Rows

Ask = Callable[..., Answer]


@pytest.fixture(scope="module")
def get(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('qido') / 'index.sqlite'}")
    METADATA.create_all(database.engine)
    _rows().write(database)
    router = Router()
    Qido(Search(database)).add_routes(router)
    yield lambda target, **headers: ask(router, "/dicomweb" + target, **headers)
    database.close()


def test_an_answer_is_kept_for_some_seconds_by_who_asks_ahead_only(get: Ask) -> None:
    assert get("/studies").header("cache-control") == "no-store"
    assert get("/studies", fileroom_ahead="1").header("cache-control") == "private, max-age=10"


def _rows() -> Rows:
    rows = Rows()
    first = rows.study(
        "1.1",
        patient_name='Smith^"J"=山田^太郎=やまだ',
        patient_id="P<1>",
        sex="F",
        study_date="20260101",
        accession="A1",
        modalities="CT\\SR",
        timezone_offset="+0100",
    )
    rows.study("1.2", patient_name="Jones^Amy", patient_id="P2", study_date="20260301", accession="A2")
    rows.study("1.3/x y", patient_name="Odd^Uid", patient_id="P3", study_date="20250101")
    series = rows.one_series(first, "1.1.1", modality="CT", series_number="4", series_description="Axial")
    rows.one_series(first, "1.1.2", modality="SR", series_number="n/a")
    for n in (1, 2, 3):
        rows.instance(
            series, f"1.1.1.{n}", instance_number=f"{n}", rows="512", image_type="ORIGINAL\\PRIMARY", frame_count="1"
        )
    return rows


def _values(answer: Answer, tag: str) -> list[object]:
    return [item[tag]["Value"][0] for item in answer.json()]


def test_studies_come_newest_first_as_dicom_json(get: Ask) -> None:
    answer = get("/studies")
    assert answer.status == 200
    assert answer.header("content-type") == "application/dicom+json"
    assert _values(answer, "0020000D") == ["1.2", "1.1", "1.3/x y"]


def test_a_study_has_every_attribute_the_standard_returns(get: Ask) -> None:
    (study,) = get("/studies?AccessionNumber=A1").json()
    assert study == {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        "00080020": {"vr": "DA", "Value": ["20260101"]},
        "00080030": {"vr": "TM"},
        "00080050": {"vr": "SH", "Value": ["A1"]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00080061": {"vr": "CS", "Value": ["CT", "SR"]},
        "00080090": {"vr": "PN"},
        "00080201": {"vr": "SH", "Value": ["+0100"]},
        "00081030": {"vr": "LO"},
        "00081190": {"vr": "UR", "Value": ["http://127.0.0.1:8080/dicomweb/studies/1.1"]},
        "00100010": {
            "vr": "PN",
            "Value": [{"Alphabetic": 'Smith^"J"', "Ideographic": "山田^太郎", "Phonetic": "やまだ"}],
        },
        "00100020": {"vr": "LO", "Value": ["P<1>"]},
        "00100030": {"vr": "DA"},
        "00100040": {"vr": "CS", "Value": ["F"]},
        "0020000D": {"vr": "UI", "Value": ["1.1"]},
        "00200010": {"vr": "SH"},
        "00201206": {"vr": "IS", "Value": [2]},
        "00201208": {"vr": "IS", "Value": [3]},
    }
    assert list(study) == sorted(study)


def test_a_study_reads_as_a_pydicom_dataset(get: Ask) -> None:
    for item in get("/studies?includefield=all").json() + get("/instances?includefield=all").json():
        dataset = pydicom.Dataset.from_json(item)
        assert dataset.StudyInstanceUID


def test_series_of_a_study_leave_out_what_the_address_already_names(get: Ask) -> None:
    answer = get("/studies/1.1/series")
    assert _values(answer, "0020000E") == ["1.1.1", "1.1.2"]
    assert _values(answer, "00081190")[0] == "http://127.0.0.1:8080/dicomweb/studies/1.1/series/1.1.1"
    assert [item["00200011"].get("Value") for item in answer.json()] == [[4], ["n/a"]]
    assert "00100010" not in answer.json()[0]
    assert "00100010" in get("/studies/1.1/series?includefield=PatientName").json()[0]


def test_series_and_instances_across_studies_carry_their_study(get: Ask) -> None:
    series = get("/series?Modality=SR").json()
    assert [item["0020000E"]["Value"] for item in series] == [["1.1.2"]]
    assert series[0]["00100020"]["Value"] == ["P<1>"]
    (instance,) = get("/instances?InstanceNumber=2").json()
    assert instance["00080018"]["Value"] == ["1.1.1.2"]
    assert instance["00280010"] == {"vr": "US", "Value": [512]}
    assert instance["00080060"]["Value"] == ["CT"]
    assert instance["00081190"]["Value"][0].endswith("/studies/1.1/series/1.1.1/instances/1.1.1.2")


def test_instances_of_a_study_and_of_a_series(get: Ask) -> None:
    assert len(get("/studies/1.1/instances").json()) == 3
    assert "00080060" in get("/studies/1.1/instances").json()[0]
    of_series = get("/studies/1.1/series/1.1.1/instances?limit=2").json()
    assert [item["00200013"]["Value"] for item in of_series] == [[1], [2]]
    assert "00080060" not in of_series[0]
    assert get("/studies/1.2/series/1.1.1/instances").json() == []


@pytest.mark.parametrize(
    ("query", "uids"),
    [
        ("PatientName=smith*", ["1.1"]),
        ("00100010=JONES%5Eamy", ["1.2"]),
        ("PatientName=%E5%B1%B1%E7%94%B0*", ["1.1"]),
        ("StudyDate=20260101-20260201", ["1.1"]),
        ("StudyInstanceUID=1.1,1.2", ["1.2", "1.1"]),
        ("StudyInstanceUID=1.1%5C1.2", ["1.2", "1.1"]),
        ("StudyInstanceUID=1.1&StudyInstanceUID=1.2", ["1.2", "1.1"]),
        ("0020000d=1.1", ["1.1"]),
        ("ModalitiesInStudy=SR", ["1.1"]),
        ("ModalitiesInStudy=MG,CT", ["1.1"]),
        ("PatientID=P%3C1%3E", ["1.1"]),
        ("PatientName=", ["1.2", "1.1", "1.3/x y"]),
        ("limit=1", ["1.2"]),
        ("limit=1&offset=1", ["1.1"]),
        ("offset=2", ["1.3/x y"]),
        ("limit=0", []),
        ("offset=99", []),
        ("PatientID=nobody", []),
    ],
)
def test_a_search_finds(get: Ask, query: str, uids: list[str]) -> None:
    answer = get(f"/studies?{query}")
    assert answer.status == 200
    assert _values(answer, "0020000D") == uids
    assert answer.header("warning") == ""


@pytest.mark.parametrize(
    "query",
    ["limit=-1", "limit=x", "offset=1.5", "limit=", "StudyDate=soon", "PatientID=a&PatientID=b", "PatientName=%00"],
)
def test_a_malformed_search_is_refused(get: Ask, query: str) -> None:
    assert get(f"/studies?{query}").status == 400


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("fuzzymatching=true", qido_query.FUZZY),
        ("Modality=CT", "The key Modality is not supported"),
        ("00400275.00400009=x", "The key 00400275.00400009 is not supported"),
        ("NoSuchKey=x", "The key NoSuchKey is not supported"),
        ("NumberOfStudyRelatedSeries=2", "The key NumberOfStudyRelatedSeries is not supported"),
        ("%22%0a%22=x", ""),
        ("a%20b%22=x", "A key is not supported"),
    ],
)
def test_what_is_ignored_is_said_in_a_warning(get: Ask, query: str, said: str) -> None:
    answer = get(f"/studies?{query}")
    if not said:
        assert answer.status == 400
        return
    assert len(answer.json()) == 3
    assert answer.header("warning").startswith(f'299 fileroom "{said}')


def test_a_search_without_a_limit_is_cut_with_a_warning(get: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("qido", "qido_query"):
        monkeypatch.setattr(f"fileroom.dicomweb.{module}.RESULTS_MAX", 2)
    assert get("/studies").header("warning") == f'299 fileroom "{qido_query.CUT}"'
    assert get("/studies?limit=1000").header("warning") != ""
    assert len(get("/studies?limit=1000").json()) == 2
    assert get("/studies?limit=2").header("warning") == ""
    assert get("/studies?offset=1").header("warning") == ""


def test_a_long_answer_leaves_as_it_is_read_and_says_the_same(get: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("/studies", "/studies?limit=3", "/instances?includefield=all", "/series?offset=1&limit=2")
    whole = {query: get(query).json() for query in asked}
    monkeypatch.setattr("fileroom.dicomweb.qido._AT_ONCE_MAX", 1)
    monkeypatch.setattr("fileroom.archive.search._CHUNK", 1)
    monkeypatch.setattr("fileroom.archive.search._CHUNK_FIRST", 1)
    for query in asked:
        answer = get(query)
        assert answer.json() == whole[query]
        assert answer.header("warning") == ""


def test_includefield_adds_and_all_adds_everything(get: Ask) -> None:
    assert "00080070" not in get("/series").json()[0]
    for field in ("Manufacturer", "00080070", "StudyDate,00080070", "all"):
        assert "00080070" in get(f"/series?includefield={field}").json()[0]
    assert "00080070" not in get("/studies?includefield=all&includefield=NoSuchThing").json()[0]


@pytest.mark.parametrize("uid", ["*", "**", "%2A", "1.1%5C1.2", "%20"])
def test_a_uid_in_an_address_is_never_a_pattern(get: Ask, uid: str) -> None:
    assert get(f"/studies/{uid}/series").json() == []


def test_an_odd_uid_has_an_address_that_works(get: Ask) -> None:
    (study,) = get("/studies?PatientID=P3").json()
    url = study["00081190"]["Value"][0]
    assert url.endswith("/studies/1.3%2Fx%20y")
    assert get(url.partition("/dicomweb")[2] + "/series").status == 200


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/dicom+json"),
        ("application/json", "application/json"),
        ("application/dicom+json;q=0.5, application/json", "application/json"),
        ('multipart/related; type="application/dicom+xml", application/*;q=0.1', "application/dicom+json"),
        ("text/html, */*;q=0.8", "application/dicom+json"),
    ],
)
def test_the_answer_is_the_json_that_is_accepted(get: Ask, accept: str, kind: str) -> None:
    assert get("/studies", accept=accept).header("content-type") == kind


def test_xml_alone_cannot_be_had(get: Ask) -> None:
    assert get("/studies", accept='multipart/related; type="application/dicom+xml"').status == 406
    assert get("/studies?accept=application/json", accept="text/html").header("content-type") == "application/json"
    assert get("/studies", accept="application/json;q=0").status == 406
    assert get("/studies", accept="application/json;q=2").status == 400


def test_html_in_a_name_stays_data(get: Ask) -> None:
    assert b"<1>" in get("/studies").body
    assert get("/studies").header("content-type") == "application/dicom+json"


def test_the_address_in_answers_is_the_one_the_asker_used(get: Ask) -> None:
    url = get("/studies?AccessionNumber=A1", host="localhost:99").json()[0]["00081190"]["Value"][0]
    assert url == "http://localhost:99/dicomweb/studies/1.1"
