"""Our metadata document says what pydicom's says, over every real object it ships."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import data_store
import pydicom
import pydicom.data
import pytest
from pydicom.filereader import _read_file_meta_info

from fileroom.dicom.bulk import bulk_value
from fileroom.dicom.syntax import TransferSyntax, syntax
from fileroom.dicom.to_json import to_json

TRUNCATED = {
    "MR_truncated.dcm",
    "rtplan_truncated.dcm",
    "DICOMDIR-nooffset",
    "emri_small_jpeg_2k_lossless_too_short.dcm",
}
NOT_JSON_FOR_PYDICOM = {"badVR.dcm"}


def real_objects() -> list[Path]:
    roots = [Path(pydicom.data.__file__).parent / "test_files", Path(data_store.__file__).parent]
    paths = [p for root in roots for p in root.rglob("*") if p.is_file() and p.suffix in ("", ".dcm")]
    return sorted({p.name: p for p in paths}.values())


def split_part10(raw: bytes) -> tuple[TransferSyntax, bytes] | None:
    """Syntax and dataset bytes; None for what is not Part 10 or not a plain dataset."""
    if raw[128:132] != b"DICM":
        return None
    stream = BytesIO(raw)
    stream.seek(132)
    meta = _read_file_meta_info(stream)
    uid = str(meta.get("TransferSyntaxUID", ""))
    return (
        (syntax(uid), raw[stream.tell() :]) if uid and not syntax(uid).deflated and stream.tell() < len(raw) else None
    )


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def comparable(element: dict[str, Any]) -> dict[str, Any]:
    """Without what pydicom does its own way: blanks around codes, "" for an empty value, Value [] for no items."""
    values = [value.strip() if isinstance(value, str) else value for value in element.get("Value", [])]
    return {"vr": str(element["vr"]), "Value": [value or None if isinstance(value, str) else value for value in values]}


def differences(ours: dict[str, Any], theirs: dict[str, Any], big_endian: bool, where: str = "") -> list[str]:
    wrong = []
    for tag in sorted(set(ours) | {tag for tag in theirs if not tag.endswith("0000")}):
        a, b = ours.get(tag), theirs.get(tag)
        if a is None or b is None:
            wrong.append(f"{where}{tag} only on one side")
        elif a["vr"] == b["vr"] == "SQ" and len(a.get("Value", [])) == len(b.get("Value", [])):
            for number, items in enumerate(zip(a.get("Value", []), b.get("Value", []), strict=True), 1):
                wrong += differences(*items, big_endian, f"{where}{tag}/{number}/")
        elif "InlineBinary" in a and not big_endian:
            wrong += [] if a["InlineBinary"] == b.get("InlineBinary") else [where + tag]
        elif "BulkDataURI" not in a and "InlineBinary" not in a and comparable(a) != comparable(b):
            wrong.append(f"{where}{tag}: {a} {b}")
    return wrong


@pytest.mark.parametrize("path", real_objects(), ids=lambda path: path.name)
def test_the_document_equals_pydicoms(path: Path) -> None:
    split = split_part10(path.read_bytes())
    if split is None or path.name in TRUNCATED | NOT_JSON_FOR_PYDICOM:
        return
    kind, dataset = split
    ours = json.loads(to_json(dataset, kind, "bulk"))
    assert list(ours) == sorted(ours)
    assert differences(ours, pydicom.dcmread(path).to_json_dict(), kind.big_endian) == []


def bulk_elements(document: dict[str, Any], dataset: pydicom.Dataset) -> Iterator[tuple[str, bytes]]:
    for tag, element in document.items():
        if "BulkDataURI" in element:
            yield element["BulkDataURI"], dataset[tag].value
        if element["vr"] == "SQ":
            for item, inner in zip(element.get("Value", []), dataset[tag].value, strict=True):
                yield from bulk_elements(item, inner)


def test_every_bulk_uri_leads_to_the_value_pydicom_reads() -> None:
    count = nested = 0
    for path in real_objects():
        split = split_part10(path.read_bytes())
        if split is None or path.name in TRUNCATED or path.stat().st_size > 3_000_000:
            continue
        kind, dataset = split
        for uri, value in bulk_elements(json.loads(to_json(dataset, kind, "bulk")), pydicom.dcmread(path)):
            offset, length = bulk_value(dataset, kind, uri.removeprefix("bulk/"))
            if length >= 0 and isinstance(value, bytes):
                assert dataset[offset : offset + length] == value, (path.name, uri)
                count += 1
                nested += uri.count("/") > 1
            elif length < 0:
                assert dataset[offset : offset + 4] == b"\xfe\xff\x00\xe0"
    assert count > 100
    assert nested > 0
