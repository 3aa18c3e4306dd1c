"""The Store Instances Response Module as DICOM JSON, and its HTTP status (PS3.18 10.5.3, I.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fileroom import errors
from fileroom.dicomweb.links import instance_url, study_url
from fileroom.web.http import Response

Item = dict[str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one object. Without `sop_uid` nobody could read whose it was."""

    study_uid: str = ""
    series_uid: str = ""
    sop_class_uid: str = ""
    sop_uid: str = ""
    failure: int | None = None  # Failure Reason (0008,1197); None: stored
    warning: int | None = None  # Warning Reason (0008,1196)
    error: errors.FileroomError | None = None


def answer(results: Sequence[Result], base: str, study_uid: str, media_type: str) -> Response:
    """The answer to a store request, DICOM JSON under the name `media_type`.

    200: all are stored. 202: some. 409: none. 507, 503: none, because the store is full, or busy for now.
    `base` is where the asker reached DICOMweb; `study_uid` the study named in the request, or "".
    """
    failed = [_failed(result) for result in results if result.failure is not None and result.sop_uid]
    other = [
        {"00081197": _us(result.failure)} for result in results if result.failure is not None and not result.sop_uid
    ]
    stored = [_stored(result, base) for result in results if result.failure is None]
    dataset: Item = {}
    studies = {study_uid} if study_uid else {result.study_uid for result in results if result.failure is None}
    if len(studies) == 1:
        dataset["00081190"] = {"vr": "UR", "Value": [study_url(base, studies.pop())]}
    for tag, items in (("00081198", failed), ("00081199", stored), ("0008119A", other)):
        if items:
            dataset[tag] = {"vr": "SQ", "Value": items}
    status = 200 if len(stored) == len(results) else 202 if stored else _none_stored(results)
    response = Response.json(dataset, status, media_type)
    if status == 503:
        response.headers.append(("retry-after", "2"))
    return response


def _none_stored(results: Sequence[Result]) -> int:
    if all(isinstance(result.error, errors.StorageFull) for result in results):
        return 507
    if all(
        isinstance(result.error, errors.StorageFull | errors.Busy | errors.DatabaseUnavailable) for result in results
    ):
        return 503
    return 409


def _reference(result: Result) -> Item:
    return {
        "00081150": {"vr": "UI", "Value": [result.sop_class_uid]},
        "00081155": {"vr": "UI", "Value": [result.sop_uid]},
    }


def _failed(result: Result) -> Item:
    return {**_reference(result), "00081197": _us(result.failure)}


def _stored(result: Result, base: str) -> Item:
    item = _reference(result)
    url = instance_url(base, result.study_uid, result.series_uid, result.sop_uid)
    item["00081190"] = {"vr": "UR", "Value": [url]}
    if result.warning is not None:
        item["00081196"] = _us(result.warning)
    return item


def _us(value: int | None) -> dict[str, object]:
    return {"vr": "US", "Value": [value]}
