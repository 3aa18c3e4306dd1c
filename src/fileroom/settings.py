"""Every setting of Fileroom, its default and what it is for. Values only: `fileroom.ops.configuration` reads them.

The page docs/settings.md is made from this table.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, get_type_hints

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Address:
    """Where a door listens."""

    host: str  # a name or an IP address, without brackets
    port: int  # 0: any free one

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@lru_cache(maxsize=256)  # asked for every request
def is_loopback_address(address: str) -> bool:
    """Whether an IP address is this machine's own: 127.0.0.0/8, ::1, and the former inside IPv6. A name is not one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped.is_loopback
    return parsed.is_loopback


def is_loopback(host: str) -> bool:
    """Whether a name or address to listen at means this machine only."""
    return host.lower() == "localhost" or is_loopback_address(host)


@dataclass(frozen=True, slots=True)
class Note:
    """What the docs say of a setting, and the bounds its value must keep."""

    text: str
    low: float | None = None  # least number allowed
    high: float | None = None  # largest
    choices: tuple[str, ...] = ()


WEB, DICOM = Address("127.0.0.1", 8080), Address("127.0.0.1", 11112)


@dataclass(frozen=True, slots=True)
class Settings:
    """How one Fileroom runs. Built once, at the start of a command, and passed in. Units are last in each name."""

    home: Annotated[
        Path,
        Note("The folder that holds everything: packs, SQLite database, fileroom.toml. Not settable in that file."),
    ] = Path("fileroom-data")
    database_url: Annotated[
        str, Note("`postgresql://user:password@host/name`, or empty for SQLite in the home (fileroom.sqlite).")
    ] = ""
    site: Annotated[
        str,
        Note(
            "The site that objects belong to when the sending peer names none. Patients of two sites are never merged."
        ),
    ] = "main"

    web: Annotated[
        Address, Note("Where DICOMweb and the pages listen. Loopback only for now: there is no sign-in yet.")
    ] = WEB
    dicom: Annotated[
        Address, Note("Where DICOM listens. Off loopback, only configured peers are answered (`fileroom peer add`).")
    ] = DICOM
    ae_title: Annotated[str, Note("The AE title Fileroom answers to and calls with.")] = "FILEROOM"

    dimse_pdu_bytes_max: Annotated[
        int,
        Note(
            "The largest PDU Fileroom asks peers to send (PS3.8 D.1). A larger one ends the association.",
            4 * KIB,
            16 * MIB,
        ),
    ] = 256 * KIB
    dimse_associations_max: Annotated[
        int, Note("Associations open at one time. One more is rejected as a local limit exceeded.", 1, 4096)
    ] = 64
    dimse_idle_seconds: Annotated[
        float, Note("How long an association may be silent between two messages before it is aborted.", 1, 86400)
    ] = 600.0
    dimse_artim_seconds: Annotated[
        float, Note("How long a new connection may take to ask for an association (PS3.8 9.1.5).", 0.1, 600)
    ] = 30.0
    dimse_connect_seconds: Annotated[
        float, Note("How long Fileroom tries to reach a peer (C-MOVE, `peer echo`).", 0.1, 600)
    ] = 10.0

    send_destinations_max: Annotated[
        int, Note("Peers sent to at one time, over one association each. A slow one holds up no other.", 1, 256)
    ] = 16
    send_attempts_max: Annotated[
        int,
        Note(
            "Attempts in a row that deliver nothing; then a send has failed, and is tried again by hand. The pauses "
            "between grow from 10 seconds to half an hour: 150 attempts are three days.",
            1,
            10000,
        ),
    ] = 150
    forward_quiet_seconds: Annotated[
        float,
        Note(
            "A series has arrived when nothing more came to it for this long; then the rules of `fileroom forward` are "
            "applied to it. What comes later has its turn later.",
            1,
            86400,
        ),
    ] = 30.0

    web_connections_max: Annotated[
        int,
        Note(
            "Web connections open at one time. For one more the longest idle one is closed; when none has been idle "
            "for a second, it gets 503.",
            1,
            4096,
        ),
    ] = 256
    web_idle_seconds: Annotated[
        float, Note("How long a web connection may be silent between two requests before it is closed.", 1, 86400)
    ] = 75.0
    web_body_bytes_max: Annotated[
        int, Note("The largest request body; a larger one gets 413. Bodies are streamed, not kept.", MIB, None)
    ] = 64 * GIB

    object_bytes_max: Annotated[
        int, Note("The largest single object. A larger one is refused through every door.", MIB, None)
    ] = 8 * GIB
    receive_memory_bytes: Annotated[
        int,
        Note(
            "Memory for objects on their way in, all senders together. When full, senders wait, then are told busy.",
            16 * MIB,
            None,
        ),
    ] = 192 * MIB
    pack_bytes_max: Annotated[
        int, Note("A pack that reaches this size is closed, and never changes again.", MIB, None)
    ] = GIB
    pack_age_seconds_max: Annotated[
        float, Note("A pack is closed when its first object is this old.", 60, 31 * 86400)
    ] = 86400.0
    free_bytes_min: Annotated[
        int, Note("With less free disk space than this, /readyz says not ready and `doctor` warns.", 0, None)
    ] = GIB

    decode_workers_max: Annotated[int, Note("Processes that decode and render images, started on demand.", 1, 64)] = 2
    decode_memory_bytes: Annotated[
        int, Note("Memory one such process may take. An image that needs more costs one error.", 128 * MIB, None)
    ] = GIB
    decode_seconds_max: Annotated[
        float,
        Note(
            "Time an image may take to decode before its process is ended. A large one gets more: as much again for "
            "each 50 MiB of it, six times as much at most, for a whole object of many frames sixty times.",
            1,
            3600,
        ),
    ] = 10.0
    scratch_bytes_max: Annotated[
        int,
        Note(
            "What is made on the way out (decoded, rewritten, inflated) may hold this much of the disk, in the cache "
            "folder, until its readers have it. Beyond it askers are told to come back.",
            256 * MIB,
            None,
        ),
    ] = 8 * GIB

    ledger_checkpoints: Annotated[
        str,
        Note(
            "A second folder for the ledger's signed checkpoints, best on another machine; empty for none. It has to "
            "be there. What is kept there proves later which lines of the ledger were changed."
        ),
    ] = ""

    drain_seconds: Annotated[
        float, Note("How long a stopping server lets open associations and requests finish.", 0, 600)
    ] = 5.0
    log_level: Annotated[
        str, Note("The least severe log line that is written.", choices=("debug", "info", "warning", "error"))
    ] = "info"
    log_format: Annotated[
        str, Note("`text`: key=value lines. `json`: one object a line.", choices=("text", "json"))
    ] = "text"

    @property
    def second_checkpoints(self) -> Path | None:
        """The second folder for the ledger's checkpoints, if there is to be one."""
        return Path(self.ledger_checkpoints) if self.ledger_checkpoints else None

    @property
    def packs(self) -> Path:
        """The folder of the packs."""
        return self.home / "packs"

    @property
    def cache(self) -> Path:
        """What can be made again at any time; may be deleted while no server runs."""
        return self.home / "cache"

    @property
    def sqlite_file(self) -> Path | None:
        """The database file, when the database is the default one in the home."""
        return None if self.database_url else self.home / "fileroom.sqlite"

    @property
    def database(self) -> str:
        """The database to open, as a URL."""
        return self.database_url or f"sqlite:///{self.home / 'fileroom.sqlite'}"


def notes() -> dict[str, Note]:
    """The note of every setting, by its name, in the table's order."""
    hints = get_type_hints(Settings, include_extras=True)
    return {field.name: hints[field.name].__metadata__[0] for field in dataclasses.fields(Settings)}
