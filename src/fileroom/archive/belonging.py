"""Whether an object that does not say who issued its Patient ID is of the patient whose study it names.

Structured reports, CAD results and secondary captures often leave Issuer of Patient ID (0010,0021) out although the
images they are about carry one. Such an object belongs to the study's patient when it names the same Patient ID and
neither name nor birth date says otherwise. Its study and site the caller has compared.

The other way round nothing is concluded: an object that names an issuer, for a study whose patient has none, may be
one of several issuers' patients with the same number, and the first to come would take the study for its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.arrival import Arrival
from fileroom.dicom.names import fold_name

_P = schema.patient.c
TOLD = ("patient_name_fold", "birth_date")  # of a patient: what an object may contradict


def belongs(connection: sa.Connection, arrival: Arrival, patient_pk: int, pending: Mapping[str, object]) -> bool:
    """Whether nothing an object says speaks against its being of this patient, whose Patient ID it has.

    `pending`: what is about to be written of the patient, where the database has nothing yet.
    """
    row = connection.execute(sa.select(*(_P[column] for column in TOLD)).where(_P.id == patient_pk)).first()
    known = dict(pending) if row is None else {c: pending.get(c) if v is None else v for c, v in row._mapping.items()}
    name = fold_name(arrival.values.get("patient_name", ""))
    birth_date = arrival.values.get("birth_date", "")
    said = dict(zip(TOLD, (name, birth_date), strict=True))
    return not any(_contradict(said[column], str(known.get(column) or "")) for column in TOLD)


def _contradict(one: str, other: str) -> bool:
    one, other = one.strip(), other.strip()
    return bool(one and other) and one != other
