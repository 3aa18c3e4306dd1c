"""docs/conformance.md: what Fileroom speaks, from the tables that its doors answer by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fileroom.dicom.attributes import ATTRIBUTES, Level, Matching
from fileroom.dicom.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from fileroom.dicom.storage_classes import STORAGE_CLASSES
from fileroom.dicom.syntax import SYNTAXES
from fileroom.dicomweb.openapi import document
from fileroom.dimse import services, status
from fileroom.settings import Settings
from scripts.pages.markdown import table

_MATCHING = {
    Matching.UID: "single value, list of UID",
    Matching.TEXT: "single value, wildcard",
    Matching.NAME: "single value, wildcard; case-insensitive",
    Matching.DATE: "single value, range",
    Matching.TIME: "single value, range",
    Matching.NUMBER: "single value",
    Matching.ANY: "single value, list: one of the values matches",
    Matching.NONE: "returned only",
}


def page() -> str:
    return f"""# DICOM conformance statement

Implementation class UID `{IMPLEMENTATION_CLASS_UID}`, implementation version name `{IMPLEMENTATION_VERSION_NAME}`.
Default AE title `{Settings().ae_title}`. Every bound named here is a setting: see [settings](settings.md).

## Associations (PS3.8)

As acceptor: at most {Settings().dimse_associations_max} associations at one time, PDUs of at most
{Settings().dimse_pdu_bytes_max // 1024} KiB, {Settings().dimse_artim_seconds:g} s to ask for an association,
{Settings().dimse_idle_seconds:g} s of silence. While the door listens on loopback, every AE title of this machine may
call; otherwise only configured peers are answered, by AE title and address. As requestor, for C-MOVE, sends,
rules that forward and `fileroom peer echo`: Verification and storage, to configured peers. No
asynchronous operations, no TLS, no storage commitment.

{table(("service", "SOP class"), [(offer.name, uid) for uid, offer in services.OFFERS.items()])}
Queries, and everything else that is not storage, in: {_plain_syntaxes()}.

## Storage

Every storage SOP class of the standard ({len(STORAGE_CLASSES)} by name, listed at the end), newer ones in its storage
arc, and private ones. Objects are kept as they were sent, byte for byte, in the transfer syntax they came in:

{table(("transfer syntax", "UID", "media type of a frame"), _syntaxes())}
## Query keys

At each level the keys of the levels above match too. Universal matching holds for every key.

{_keys()}
## DIMSE status

### C-STORE

{_statuses(status.STORE)}
### C-FIND, C-GET, C-MOVE

{_statuses(status.QUERY)}
{table(("status", "comment", "meaning"), [_status(one) for one in _COMMON])}
## DICOMweb (PS3.18)

Served to this machine only, as there is no sign-in yet. Metadata and search results are DICOM JSON; XML is not
offered. Without `transfer-syntax` in Accept, objects come in Explicit VR Little Endian and frames uncompressed; with
`*`, as they are stored. The same is described for programs at `/dicomweb/openapi.json`.

{table(("method", "resource", "what it is", "media types"), _resources())}
What a store answers for an object that is not in its study (Failure Reason), and what every other error becomes, is in
[statuses](statuses.md).

## Storage SOP classes

{table(("SOP class", "UID"), [(name, uid) for uid, name in STORAGE_CLASSES.items()])}"""


_COMMON = (
    status.SUCCESS, status.CANCELLED, status.SOME_FAILED, status.ALL_FAILED, status.UNRECOGNIZED, status.BROKEN,
)  # fmt: skip


def _resources() -> list[tuple[str, str, str, str]]:
    return [
        (method.upper(), f"`{path}`", about["summary"], ", ".join(_media_types(about)))
        for path, methods in document()["paths"].items()
        for method, about in methods.items()
    ]


def _media_types(about: dict[str, Any]) -> list[str]:
    return list(about["responses"]["200"]["content"])


def _keys() -> str:
    rows = [
        (
            one.keyword,
            f"({one.tag >> 16:04X},{one.tag & 0xFFFF:04X})",
            Level(one.level).name.lower(),
            _MATCHING[one.matching],
        )
        for one in ATTRIBUTES
    ]
    return table(("attribute", "tag", "level", "matching"), rows)


def _syntaxes() -> list[tuple[str, str, str]]:
    return [(one.name, one.uid, one.media_type) for one in SYNTAXES.values()]


def _plain_syntaxes() -> str:
    return ", ".join(SYNTAXES[uid].name for uid in services.PLAIN_SYNTAXES)


def _statuses(statuses: Mapping[Any, status.Status]) -> str:
    rows = [(_words(_name(kind)), *_status(one)) for kind, one in statuses.items()]
    return table(("what happened", "status", "comment", "what became of it"), rows)


def _status(one: status.Status) -> tuple[str, str, str]:
    return (f"{one.code:04X}", one.comment, one.meaning)


def _name(kind: object) -> str:
    return kind.__name__ if isinstance(kind, type) else str(getattr(kind, "name", kind)).capitalize()


def _words(name: str) -> str:
    """InvalidUid -> invalid uid."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
