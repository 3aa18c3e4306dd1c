"""Who the pictures are of: nobody. Names, dates and numbers drawn by a seeded generator."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from tests.support.corpus.instance import Elements, uid

FAMILIES = """Aldergrove Ashdown Bellweather Birkholm Blackwood Bramblett Brightwater Calloway Castlebury Copperfield
Cranmoor Dalewright Darrowby Dunmarch Eastlake Elderfield Fairbrook Farnsby Featherstone Foxglen Garrowhill Goldacre
Grayling Greenhalt Hallowell Harrowgate Hawthorn Hollinsby Inglewood Ironbridge Juniper Kestrelle Kingsmere Lakeland
Larkspur Longmire Marchbanks Meadowcroft Merriweather Millbrook Nightjar Northcott Oakhurst Orchardson Pemberwick
Pinecroft Quillfeather Ravensworth Redfern Rosewall Sallowby Silverton Stonebeck Summerhay Thistlewood Thornbury
Underhill Valecourt Wainfleet Westerby Whitlock Willowmere Winterbourne Yarrowdale""".split()  # noqa: SIM905
_GIVEN = """Ada Agnes Alma Anneli Astrid Beatrix Benno Birte Carmen Cecil Clara Dagmar Dora Edda Elias Elin Emil Enid
Estelle Felix Fenna Flora Freya Greta Gustav Hanna Hedda Hugo Ida Ines Iris Jonas Judith Karin Lars Leonie Linnea Lotte
Mads Malin Mara Matilda Milo Nadia Nell Nora Odette Olive Otto Paula Petra Rosa Runa Selma Signe Stella Thea Tilda Uma
Vera Vilma Wanda Yara Zelda""".split()  # noqa: SIM905
_DESCRIPTIONS = ("CHEST", "ABDOMEN", "SCREENING MAMMOGRAPHY", "HEAD W/O CONTRAST", "KNEE LEFT", "THORAX FOLLOW-UP")
_REFERRERS = ("Harbour^Ellen^^Dr", "Lindqvist^Per^^Dr", "Moorcroft^Ann^^Dr", "Okonedo^Ife^^Dr")
_FIRST_DAY = date(2019, 1, 1)


@dataclass(frozen=True, slots=True)
class Visit:
    """One study of one person."""

    study_uid: str
    patient_name: str
    patient_id: str
    birth_date: str
    sex: str
    accession: str
    study_date: str  # YYYYMMDD
    study_time: str  # HHMMSS
    study_id: str
    description: str
    referrer: str


def visit(kind: str, number: int, *, family: str | None = None, sex: str | None = None) -> Visit:
    """The `number`th visit of that kind, always the same. Four visits in five are of people seen once."""
    draw = random.Random(f"{kind} {number}")
    patient = number if number % 5 else max(number - 1, 0)
    person = random.Random(f"{kind} patient {patient}")
    name = f"{family or person.choice(FAMILIES)}^{person.choice(_GIVEN)}^{person.choice('ABCDEFGHJKLMNOPRSTW')}"
    born = date(1935, 1, 1) + timedelta(days=person.randrange(26_000))
    day = _FIRST_DAY + timedelta(days=draw.randrange(2_500))
    return Visit(
        study_uid=uid(kind, number, "study"),
        patient_name=name,
        patient_id=f"{kind[:2].upper()}{patient:07}",
        birth_date=f"{born:%Y%m%d}",
        sex=sex or person.choice("FFFMMMO"),
        accession=f"{kind[:1].upper()}{number:08}",
        study_date=f"{day:%Y%m%d}",
        study_time=f"{draw.randrange(6, 20):02}{draw.randrange(60):02}{draw.randrange(60):02}",
        study_id=str(number),
        description=draw.choice(_DESCRIPTIONS),
        referrer=draw.choice(_REFERRERS),
    )


def visit_elements(who: Visit) -> Elements:
    """The Patient and General Study modules (PS3.3 C.7.1.1, C.7.2.1)."""
    return {
        0x00080005: ("CS", "ISO_IR 192"),
        0x00080020: ("DA", who.study_date),
        0x00080030: ("TM", who.study_time),
        0x00080050: ("SH", who.accession),
        0x00080090: ("PN", who.referrer),
        0x00081030: ("LO", who.description),
        0x00100010: ("PN", who.patient_name),
        0x00100020: ("LO", who.patient_id),
        0x00100030: ("DA", who.birth_date),
        0x00100040: ("CS", who.sex),
        0x0020000D: ("UI", who.study_uid),
        0x00200010: ("SH", who.study_id),
    }


def code(value: str, scheme: str, meaning: str) -> Elements:
    """One item of a code sequence (PS3.3 8.8)."""
    return {0x00080100: ("SH", value), 0x00080102: ("SH", scheme), 0x00080104: ("LO", meaning)}
