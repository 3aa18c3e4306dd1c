"""What a downloaded archive is called, and how that is said (RFC 6266, RFC 8187)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from fileroom.archive.contents import SeriesContents
from fileroom.media.record_values import NO_DATE, date

_MODALITIES_MAX = 4
_CHARACTERS_MAX = 32  # of one part
_NOT_IN_NAMES = re.compile(r"[^\w.-]+|_+")  # separators, quotes, marks of direction, what Windows refuses


def archive_name(found: Sequence[SeriesContents]) -> str:
    """Study date, modalities and accession number, such as 20240131-CT-A123.zip; never the patient's name or ID."""
    studies = {series.values.study_uid: series.values for series in found}
    dates = sorted({date(values.study_date) for values in studies.values()} - {NO_DATE})
    modalities = sorted({_clean(series.values.modality) for series in found} - {""})
    parts = [dates[0] if dates else "undated", *modalities[:_MODALITIES_MAX]]
    if len(studies) > 1:
        parts.append(f"{len(studies)}-studies")
    else:
        parts += [clean for values in studies.values() if (clean := _clean(values.accession))]
    return "-".join(parts) + ".zip"


def content_disposition(name: str) -> str:
    """The header's value: a plain name, and the true one where it is not plain."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    value = f'attachment; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"


def _clean(text: str | None) -> str:
    return _NOT_IN_NAMES.sub("_", text or "")[:_CHARACTERS_MAX].strip("._-")
