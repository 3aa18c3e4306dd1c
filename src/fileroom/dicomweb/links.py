"""The addresses of studies, series and instances as the asker sees this service."""

from __future__ import annotations

from fileroom.archive.retrieve import StoredInstance
from fileroom.web.http import Request
from fileroom.web.segment import segment


def base_url(request: Request) -> str:
    """Where the asker reached DICOMweb, such as http://127.0.0.1:8080/dicomweb."""
    return f"http://{request.headers.get('host') or 'localhost'}/dicomweb"


def study_url(base: str, study_uid: str) -> str:
    return f"{base}/studies/{segment(study_uid)}"


def series_url(base: str, study_uid: str, series_uid: str) -> str:
    return f"{study_url(base, study_uid)}/series/{segment(series_uid)}"


def instance_url(base: str, study_uid: str, series_uid: str, sop_uid: str) -> str:
    return f"{series_url(base, study_uid, series_uid)}/instances/{segment(sop_uid)}"


def bulk_url(base: str, stored: StoredInstance) -> str:
    """Where an instance's bulk values are; their path follows behind a slash."""
    return f"{instance_url(base, stored.study_uid, stored.series_uid, stored.sop_uid)}/bulkdata"
