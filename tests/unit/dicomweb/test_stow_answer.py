"""The answer to a store request tells what became of every object (PS3.18 10.5.3, I.2)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from fileroom import errors
from fileroom.archive.receive import Outcome
from fileroom.dicomweb import stow_status
from fileroom.dicomweb.stow_answer import Result, answer
from fileroom.dimse import status as dimse_status

CT = "1.2.840.10008.5.1.4.1.1.2"
GOOD = Result("1.2", "1.2.3", CT, "1.2.3.4")
CONFLICT = Result("1.2", "1.2.3", CT, "1.2.3.5", failure=0x0111)
UNREADABLE = Result(failure=0xC000, error=errors.MalformedObject("x"))
FULL = Result(failure=0xA700, error=errors.StorageFull("x"))
BUSY = Result(failure=0xA701, error=errors.Busy("x"))


def told(*results: Result, study_uid: str = "") -> tuple[int, dict[str, Any]]:
    response = answer(results, "http://h/dicomweb", study_uid, "application/dicom+json")
    assert response.headers[0] == ("content-type", "application/dicom+json")
    (part,) = response.parts
    assert isinstance(part, bytes)
    return response.status, orjson.loads(part)


def test_all_stored() -> None:
    status, dataset = told(GOOD)
    assert status == 200
    assert dataset == {
        "00081190": {"vr": "UR", "Value": ["http://h/dicomweb/studies/1.2"]},
        "00081199": {
            "vr": "SQ",
            "Value": [
                {
                    "00081150": {"vr": "UI", "Value": [CT]},
                    "00081155": {"vr": "UI", "Value": ["1.2.3.4"]},
                    "00081190": {
                        "vr": "UR",
                        "Value": ["http://h/dicomweb/studies/1.2/series/1.2.3/instances/1.2.3.4"],
                    },
                }
            ],
        },
    }


def test_some_stored() -> None:
    status, dataset = told(GOOD, CONFLICT, UNREADABLE)
    assert status == 202
    assert dataset["00081198"]["Value"] == [
        {
            "00081150": {"vr": "UI", "Value": [CT]},
            "00081155": {"vr": "UI", "Value": ["1.2.3.5"]},
            "00081197": {"vr": "US", "Value": [0x0111]},
        }
    ]
    assert dataset["0008119A"]["Value"] == [{"00081197": {"vr": "US", "Value": [0xC000]}}]
    assert len(dataset["00081199"]["Value"]) == 1


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([CONFLICT], 409),
        ([UNREADABLE, CONFLICT], 409),
        ([FULL, FULL], 507),
        ([BUSY], 503),
        ([BUSY, FULL], 503),
        ([FULL, UNREADABLE], 409),
        ([FULL, GOOD], 202),
    ],
)
def test_how_it_went_as_http_status(results: list[Result], status: int) -> None:
    assert told(*results)[0] == status


def test_studies_get_one_address_only_when_there_is_one() -> None:
    other = Result("9.9", "9.9.1", CT, "9.9.1.1")
    assert "00081190" not in told(GOOD, other)[1]
    assert "00081190" not in told(CONFLICT)[1]
    assert told(CONFLICT, study_uid="1.2")[1]["00081190"]["Value"] == ["http://h/dicomweb/studies/1.2"]


def test_an_odd_uid_is_warned_of_and_encoded_in_its_address() -> None:
    _, dataset = told(Result("a/b", "1", CT, "x y", warning=stow_status.ODD))
    item = dataset["00081199"]["Value"][0]
    assert item["00081196"] == {"vr": "US", "Value": [0xB007]}
    assert item["00081190"]["Value"] == ["http://h/dicomweb/studies/a%2Fb/series/1/instances/x%20y"]


def test_every_outcome_and_every_error_has_one_reason() -> None:
    assert stow_status.not_stored(Outcome.STORED) is None
    assert stow_status.not_stored(Outcome.DUPLICATE) is None
    for outcome in (Outcome.CONFLICT, Outcome.HELD):
        assert stow_status.not_stored(outcome) is not None
    for name in dir(errors):
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.FileroomError):
            error = kind("1.2", "3.4") if kind is errors.WrongStudy else kind("x")
            assert 0x0100 <= stow_status.failure(error).code <= 0xFFFF


def test_both_doors_say_the_same_of_the_same_object() -> None:
    for what, reason in stow_status.FAILURES.items():
        if what in dimse_status.STORE:
            assert dimse_status.STORE[what].code == reason.code, what
