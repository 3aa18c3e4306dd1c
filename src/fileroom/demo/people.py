"""The people of the demonstration, whom nobody takes for real, and their visits. The same every time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

INSTITUTION = "Fileroom Demonstration"  # also who issues the patient IDs, so that nobody real shares one
EDITION = 1  # raise it when the objects change: they are others then, with UIDs of their own


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    name: str
    patient_id: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One study."""

    person: Person
    date: str
    time: str
    accession: str
    description: str
    modality: str
    body_part: str

    @property
    def study_uid(self) -> str:
        return uid(self.accession, "study")

    @property
    def age(self) -> str:
        years = int(self.date[:4]) - int(self.person.birth_date[:4])
        return f"{years - (self.date[4:] < self.person.birth_date[4:]):03}Y"


def uid(*parts: object) -> str:
    """A UID under 2.25 that depends on nothing but the parts and the edition (PS3.5 B.2)."""
    digest = hashlib.sha256(repr(("fileroom demonstration", EDITION, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


ADA = Person("Demo-Alder^Ada", "DEMO-0001", "19680314", "F")
BEA = Person("Demo-Birch^Bea", "DEMO-0002", "19741102", "F")
CLEO = Person("Demo-Cedar^Cleo", "DEMO-0003", "19590723", "F")
DOV = Person("Demo-Dogwood^Dov", "DEMO-0004", "19610905", "M")
EBBA = Person("Demo-Elder^Ebba", "DEMO-0005", "19840217", "F")
FINN = Person("Demo-Fir^Finn", "DEMO-0006", "19520630", "M")
SAMPLES = Person("Demo-Sample^Various", "DEMO-0009", "19700101", "O")
