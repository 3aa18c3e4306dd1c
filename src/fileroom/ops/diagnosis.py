"""The checks of `fileroom doctor`. Each looks at one thing and says what to do when it is not as it should be."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from fileroom import migrations
from fileroom.archive import schema
from fileroom.archive.held import held_counts
from fileroom.archive.packs import Packs
from fileroom.archive.peers import Peers
from fileroom.audit.health import health as ledger_health
from fileroom.database import Database
from fileroom.errors import FileroomError
from fileroom.ops import locks, running
from fileroom.ops.output import size, when
from fileroom.ops.server import refuse_open_web
from fileroom.settings import Settings, is_loopback

_NETWORK_FILE_SYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"}
_MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs"}
_YEAR_SANE = (2024, 2100)


class Verdict(StrEnum):
    """How one check ended."""

    OK = "ok"
    WARN = "warn"  # works, and somebody should look
    FAIL = "fail"  # does not work, or something is lost
    SKIPPED = "skipped"  # could not be looked at; never the same as ok


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found."""

    check: str
    verdict: Verdict
    what: str
    to_do: str = ""


def diagnose(settings: Settings) -> Iterator[Result]:
    """Every check in turn, the ground first. None raises."""
    server = locks.running(settings.home)
    yield _guarded("home", lambda: _home(settings))
    yield _guarded("file system", lambda: _file_system(settings))
    yield _guarded("disk space", lambda: _space(settings))
    yield _guarded("clock", _clock)
    yield _guarded("web address", lambda: _web(settings))
    yield _guarded("server", lambda: _server(server))
    if server is None:
        yield _guarded("ports", lambda: _ports(settings))
    if settings.sqlite_file is not None and not settings.sqlite_file.exists():
        yield Result("database", Verdict.SKIPPED, "there is none yet", "fileroom serve makes it")
        return
    database = Database(settings.database)
    try:
        schema_result = _guarded("database", lambda: _database(database))
        yield schema_result
        if schema_result.verdict is not Verdict.FAIL:
            for name, check in _ARCHIVE_CHECKS:
                yield _guarded(name, lambda check=check: check(settings, database))  # type: ignore[misc]
    finally:
        database.close()


def _guarded(name: str, check: Callable[[], tuple[Verdict, str, str]]) -> Result:
    try:
        verdict, what, to_do = check()
    except FileroomError as error:
        return Result(name, Verdict.FAIL, str(error), error.hint)
    except OSError as error:
        return Result(name, Verdict.FAIL, f"{error.strerror or error}", "check who owns the home and its files")
    return Result(name, verdict, what, to_do)


def _home(settings: Settings) -> tuple[Verdict, str, str]:
    home = settings.home
    if not home.is_dir():
        return Verdict.WARN, f"{home} is not there", "fileroom serve makes it"
    blocked = [path for path in (home, settings.packs) if path.exists() and not os.access(path, os.W_OK | os.X_OK)]
    if blocked:
        return Verdict.FAIL, f"{blocked[0]} cannot be written by this user", "change its owner, or run as another user"
    if home.stat().st_mode & 0o007:
        return Verdict.WARN, f"{home} is open to every user of this machine", f"chmod o-rwx {home}"
    return Verdict.OK, str(home), ""


def _file_system(settings: Settings) -> tuple[Verdict, str, str]:
    kind = file_system(settings.home)
    if kind in _MEMORY_FILE_SYSTEMS:
        return Verdict.FAIL, f"{kind}: nothing survives a restart", "move the home to a disk"
    if kind in _NETWORK_FILE_SYSTEMS:
        return Verdict.WARN, f"{kind}: SQLite and file locks need a local disk", "move the home, or use PostgreSQL"
    return Verdict.OK, kind or "unknown", ""


def file_system(path: Path) -> str:
    """The kind of file system a path lies on; empty when this machine does not tell."""
    real, best, kind = os.path.realpath(path), "", ""
    try:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return ""
    for line in mounts:
        point, found = line.split(" ")[1:3]
        if (real == point or real.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, found
    return kind


def _space(settings: Settings) -> tuple[Verdict, str, str]:
    place = settings.packs if settings.packs.is_dir() else settings.home
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    text = f"{size(usage.free)} of {size(usage.total)} free"
    if usage.free < settings.free_bytes_min:
        return Verdict.FAIL, text, f"make room: below {size(settings.free_bytes_min)} the server is not ready"
    if usage.free < usage.total // 20:
        return Verdict.WARN, text, "less than 5 % is free: plan more room"
    return Verdict.OK, text, ""


def _clock() -> tuple[Verdict, str, str]:
    year = time.gmtime().tm_year
    if not _YEAR_SANE[0] <= year <= _YEAR_SANE[1]:
        return Verdict.FAIL, f"this machine says it is {year}", "set the clock; row keys and arrival times need it"
    return Verdict.OK, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), ""


def _web(settings: Settings) -> tuple[Verdict, str, str]:
    refuse_open_web(settings.web)
    return Verdict.OK, f"{settings.web}, this machine only", ""


def _server(server: locks.Running | None) -> tuple[Verdict, str, str]:
    if server is None:
        return Verdict.SKIPPED, "does not run", ""
    readiness = running.ask(server)
    if readiness.ready:
        return Verdict.OK, f"ready at {server.web} and {server.dicom}", ""
    reasons = "; ".join(f"{check}: {reason}" for check, reason in readiness.checks.items() if reason != "ok")
    return Verdict.FAIL, f"not ready: {reasons}", "see the other checks and the server's log"


def _ports(settings: Settings) -> tuple[Verdict, str, str]:
    for name, address in (("web", settings.web), ("dicom", settings.dicom)):
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address.host, address.port))
            except OSError as error:
                return Verdict.FAIL, f"{name} {address}: {error.strerror}", f"stop what listens there, or set {name}"
    return Verdict.OK, f"{settings.web} and {settings.dicom} are free", ""


def _database(database: Database) -> tuple[Verdict, str, str]:
    found = migrations.revision(database)
    if found is None:
        return Verdict.FAIL, "it holds no tables", "fileroom serve makes them; fileroom rebuild-index fills the index"
    if found != migrations.HEAD:
        return Verdict.FAIL, f"its tables are of revision {found}, not {migrations.HEAD}", "start this version once"
    if database.is_sqlite:
        with database.read() as connection:
            said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if said != "ok":
            return Verdict.FAIL, "SQLite finds its file damaged", "stop the server, keep the file, use a backup"
    return Verdict.OK, f"{database.url.get_backend_name()}, revision {found}", ""


def _packs(settings: Settings, database: Database) -> tuple[Verdict, str, str]:
    """Sizes only: a full look is scrub's."""
    packs = Packs(settings.packs)
    with database.read() as connection:
        rows = connection.execute(sa.select(schema.pack.c.id, schema.pack.c.size_bytes)).tuples().all()
    gone = [pack_id for pack_id, size_bytes in rows if size_bytes and not packs.path(pack_id).exists()]
    short = [
        pack_id
        for pack_id, size_bytes in rows
        if pack_id not in gone and packs.path(pack_id).exists() and packs.path(pack_id).stat().st_size < size_bytes
    ]
    if gone or short:
        return Verdict.FAIL, f"{len(gone)} packs are gone, {len(short)} too short", "fileroom scrub says what is lost"
    strays = len(set(packs.ids()) - {pack_id for pack_id, _ in rows})
    if strays and locks.running(settings.home) is None:
        return Verdict.WARN, f"{strays} packs are not in the index", "fileroom serve takes them in when it starts"
    return Verdict.OK, f"{len(rows)} packs, each as long as promised", ""


def _aside(settings: Settings, _database: Database) -> tuple[Verdict, str, str]:
    kept = [path for path in Packs(settings.packs).aside.iterdir() if path.is_file()]
    if kept:
        total = size(sum(path.stat().st_size for path in kept))
        to_do = f"nothing in them was acknowledged; look, then delete them from {settings.packs / 'aside'}"
        return Verdict.WARN, f"{len(kept)} torn ends set aside after a crash, {total}", to_do
    return Verdict.OK, "nothing set aside", ""


def _waiting(_settings: Settings, database: Database) -> tuple[Verdict, str, str]:
    counts = held_counts(database)
    if counts:
        text = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        return Verdict.WARN, f"waiting for a person: {text}", "fileroom conflicts lists them"
    return Verdict.OK, "nothing waits for a person", ""


def _peers(settings: Settings, database: Database) -> tuple[Verdict, str, str]:
    peers = Peers(database).all()
    lost = [peer.ae_title for peer in peers if not peer.addresses()]
    if lost:
        return Verdict.WARN, f"no address is known for: {', '.join(lost)}", "check the name, or fileroom peer add again"
    if not peers and not is_loopback(settings.dicom.host):
        return Verdict.WARN, "DICOM listens to other machines, and no peer is known", "fileroom peer add"
    return Verdict.OK, f"{len(peers)} known", ""


def _ledger(settings: Settings, database: Database) -> tuple[Verdict, str, str]:
    """A few dozen lines only: a full look is `fileroom audit verify`."""
    found = ledger_health(database, settings.home)
    if found.signed_ms is None:
        alone = found.lines > 0 and locks.running(settings.home) is None  # a server signs every hour
        to_do = "fileroom audit checkpoint" if alone else ""
        return (Verdict.WARN if alone else Verdict.OK), f"{found.lines} lines, none of them signed for yet", to_do
    text = f"{found.lines} lines, {found.signed} of them signed for, last at {when(found.signed_ms)}"
    if not found.keyed:
        return Verdict.FAIL, f"{text}; its key is not in the home", "bring HOME/ledger back from a backup"
    if settings.ledger_checkpoints and not Path(settings.ledger_checkpoints).is_dir():
        return Verdict.WARN, f"{text}; {settings.ledger_checkpoints} is not there", "bring the second folder back"
    return Verdict.OK, text, ""


_ARCHIVE_CHECKS: tuple[tuple[str, Callable[[Settings, Database], tuple[Verdict, str, str]]], ...] = (
    ("packs", _packs),
    ("set aside", _aside),
    ("waiting", _waiting),
    ("peers", _peers),
    ("ledger", _ledger),
)
