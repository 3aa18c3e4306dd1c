"""What this process can see of itself today. Each observer tells facts, never whether they are good enough.

What cannot be looked at raises NotObservable with the reason: that is written down too, and is never a pass.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import metadata
from pathlib import Path

import sqlalchemy as sa

from fileroom.archive import schema
from fileroom.archive.held import oldest_held_ms
from fileroom.archive.packs import Packs
from fileroom.archive.peers import Peers
from fileroom.archive.scrub import ScrubReport, scrub
from fileroom.audit.anchors import Leaves, read_anchors
from fileroom.audit.checkpoints import Checkpoints, table_anchors
from fileroom.audit.reading import rows
from fileroom.audit.verify import verify
from fileroom.database import Database
from fileroom.evidence.check import Facts
from fileroom.settings import Settings

_HOUR_MS = 3_600_000
_DIMSE = "dimse:"


class NotObservable(Exception):
    """Why something cannot be looked at from here, in words for a person."""


class Place:
    """What is looked at: one archive. What costs much is looked at once, however many checks use it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings

    @cached_property
    def scrubbed(self) -> ScrubReport:
        """Every byte read. Raises NotObservable for an empty archive, DatabaseUnavailable."""
        report = scrub(self.database, Packs(self.settings.packs))
        if not report.objects and not report.findings:
            raise NotObservable("there are no images here yet")
        return report


def _index_and_packs(place: Place) -> Facts:
    report = place.scrubbed
    kinds = [finding.kind for finding in report.findings]
    lost = sum(kind in ("gone", "short", "stray") for kind in kinds)
    return {
        "missing": kinds.count("missing"),
        "unindexed": kinds.count("unindexed"),
        "packs_lost": lost,
        "objects": report.objects,
    }


def _scrub(place: Place) -> Facts:
    with place.database.read() as connection:
        recorded = connection.execute(sa.select(sa.func.count()).select_from(schema.instance)).scalar_one()
    report = place.scrubbed  # after the count: what arrives meanwhile is read, not counted
    return {"findings": len(report.findings), "recorded": int(recorded), "objects": report.objects}


def _declared_flows(place: Place) -> Facts:
    declared = {peer.ae_title for peer in Peers(place.database).all()}
    with place.database.read() as connection:
        sources = connection.execute(sa.select(schema.instance.c.source).distinct()).scalars()
        senders = {str(source).removeprefix(_DIMSE) for source in sources if str(source).startswith(_DIMSE)}
    if not senders:
        raise NotObservable("nobody has sent images over DICOM yet")
    return {"peers": len(declared), "senders": len(senders), "undeclared": len(senders - declared)}


def _ledger_verifies(place: Place) -> Facts:
    keys = Checkpoints(place.database, place.settings.home)
    second = place.settings.second_checkpoints
    folders = [folder for folder in (keys.folders[0], second) if folder is not None and folder.is_dir()]
    verifier = keys.verifier()
    apart = {str(second)} if second is not None else set()
    with place.database.read() as connection:
        anchors = table_anchors(connection, verifier)
        for folder in folders:
            anchors += read_anchors(folder, verifier)
        leaves = max((Leaves(folder) for folder in folders), key=lambda one: one.size, default=None)
        report = verify(lambda: rows(connection), anchors, leaves)
    elsewhere = sum(
        agrees and one.signed is True and one.checkpoint.size > 0 and str(Path(one.source).parent) in apart
        for one, agrees in report.anchors
    )
    return {"lines": report.size, "findings": len(report.findings) + report.more, "elsewhere": elsewhere}


def _unmatched_queue(place: Place) -> Facts:
    waiting, oldest = oldest_held_ms(place.database)
    hours = 0 if oldest is None else max(0, int(time.time() * 1000) - oldest) // _HOUR_MS
    return {"waiting": waiting, "oldest_hours": hours}


def _room_left(place: Place) -> Facts:
    usage = shutil.disk_usage(place.settings.packs)
    return {"free_bytes": usage.free, "needed_bytes": max(place.settings.free_bytes_min, usage.total // 20)}


def _at_rest(place: Place) -> Facts:
    """Linux only tells of its own encryption; what a provider or the disk itself does below cannot be seen."""
    device = os.stat(place.settings.packs).st_dev
    mapped = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/dm/uuid")
    try:
        kind = mapped.read_text("ascii")
    except OSError as error:
        raise NotObservable(
            "this machine does not encrypt the disk itself, and cannot see whether something below it does"
        ) from error
    if not kind.startswith("CRYPT-"):
        raise NotObservable("the disk is a mapped one; whether what lies below is encrypted cannot be seen from here")
    return {"encrypted": True}


def _software_list(_place: Place) -> Facts:
    """Names and versions of what is installed beside this program, and a digest over them."""
    found = {one.metadata["Name"]: one.version for one in metadata.distributions() if one.metadata["Name"]}
    lines = sorted(f"{name}=={version}" for name, version in found.items())
    return {
        "packages": len(lines),
        "without_version": sum(not version for version in found.values()),
        "python": platform.python_version(),
        "digest": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "list": lines,
    }


OBSERVERS: Mapping[str, Callable[[Place], Facts]] = {
    "index-and-packs": _index_and_packs,
    "declared-flows": _declared_flows,
    "ledger-verifies": _ledger_verifies,
    "at-rest": _at_rest,
    "software-list": _software_list,
    "scrub": _scrub,
    "room-left": _room_left,
    "unmatched-queue": _unmatched_queue,
}
