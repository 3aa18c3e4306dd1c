"""The values that travel with one object from the door to the index."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from fileroom.audit.storing import Storing
from fileroom.errors import BadRequest

LABEL_CHARACTERS_MAX = 64  # of a site, or of what an import calls its source: both stand in every pack record


@dataclass(frozen=True, slots=True)
class Source:
    """Where an object comes from. Holds no patient data."""

    door: str  # dimse | stow | import
    peer: str  # AE title, address or a label
    site: str
    act: Storing | None = field(default=None, compare=False)  # what the ledger is told of it; None: others tell it

    @property
    def label(self) -> str:
        """`door:peer`, as packs and index keep it."""
        return f"{self.door}:{self.peer}"


def check_label(text: str, what: str) -> str:
    """The text itself. Raises BadRequest unless it can stand in a pack's records: short and printable."""
    if 1 <= len(text) <= LABEL_CHARACTERS_MAX and text.isprintable():
        return text
    raise BadRequest(f"{what}: expected 1 to {LABEL_CHARACTERS_MAX} printable characters")


class Outcome(StrEnum):
    """What became of an object. In every case its bytes are kept."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # the same bytes are here already: success, nothing new
    CONFLICT = "conflict"  # same SOP Instance UID, other bytes: kept apart, held for a person
    HELD = "held"  # its study belongs to another patient or site: kept apart, held for a person


class Receipt(NamedTuple):
    """What a sender may be told."""

    outcome: Outcome
    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    warnings: tuple[str, ...] = ()


HeldKey = tuple[str, str, str]  # SOP Instance UID, digest, transfer syntax: what tells held objects apart

_UNIT, _ESCAPE = "\x1f", "\x1e"


@dataclass(slots=True)
class Arrival:
    """One object and all the index will know of it; its place is filled in once it has one."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax: str
    digest: str  # SHA-256 of the dataset bytes, hex
    prefix_digest: str
    prefix_bytes: int
    size_bytes: int  # of the whole Part 10 file
    values: dict[str, str]  # column to text, of every level
    image: bytes | None  # see archive.image
    site: str
    source: str
    arrived_ms: int
    warnings: tuple[str, ...] = ()
    sequence: int = 0
    conflict: bool = False
    repairs: bool = False  # the same bytes are here already, but can no longer be read
    pack_id: int = 0
    offset: int = 0
    act: Storing | None = None

    def receipt(self, outcome: Outcome) -> Receipt:
        return Receipt(outcome, self.study_uid, self.series_uid, self.sop_uid, self.sop_class_uid, self.warnings)

    @property
    def held_key(self) -> HeldKey:
        """What it is known by while it is held."""
        return self.sop_uid, self.digest, self.transfer_syntax

    @property
    def identity(self) -> str:
        """The patient this object names: (issuer or site, patient ID). A blank patient ID identifies nobody."""
        patient_id = self.values.get("patient_id", "").strip()
        if not patient_id:
            return f"{_UNIT}{self.study_uid}"
        issuer = self.values.get("issuer", "")
        kind, whose = ("issuer", issuer) if issuer else ("site", self.site)
        return f"{kind} {whose.replace(_ESCAPE, _ESCAPE + '0').replace(_UNIT, _ESCAPE + '1')}{_UNIT}{patient_id}"

    def leaves_issuer_open(self, identity: str) -> bool:
        """Whether it names no issuer, and `identity` is that of a patient with its patient ID and an issuer."""
        patient_id = self.values.get("patient_id", "").strip()
        if not patient_id or self.values.get("issuer"):
            return False
        whose, _, known_id = identity.partition(_UNIT)  # the issuer's own units are escaped
        return whose.startswith("issuer ") and known_id == patient_id

    @property
    def patient_digest(self) -> str:
        """What a pack keeps of the identity: enough to see that rot has changed it."""
        return hashlib.sha256(self.identity.encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the index decided about one arrival."""

    outcome: Outcome
    reason: str = field(default="")  # for a person; holds no patient data
