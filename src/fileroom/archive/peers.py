"""The DICOM applications Fileroom knows: who may call, what they may do, and where a C-MOVE goes. A record: truth of
its own, never rebuilt.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from fileroom import errors
from fileroom.archive import schema
from fileroom.archive.arrival import check_label
from fileroom.audit.actor import UNNAMED, now_ms
from fileroom.audit.event import Event, Kind
from fileroom.audit.outbox import put
from fileroom.database import Database

AE_TITLE_LENGTH_MAX = 16


class May(StrEnum):
    """What a peer may do. Each may also verify the connection (C-ECHO)."""

    STORE = "store"  # send objects here
    FIND = "find"  # ask what is here
    GET = "get"  # have objects sent back on its own association
    MOVE = "move"  # have objects sent to a configured peer


ALL: frozenset[May] = frozenset(May)


@dataclass(frozen=True, slots=True)
class Peer:
    """One DICOM application."""

    ae_title: str  # its name, without padding
    host: str  # the name or address it calls from and is called at
    port: int  # where it listens
    site: str  # the site its objects belong to
    may: frozenset[May]  # what it may ask of Fileroom

    def addresses(self) -> frozenset[str]:
        """Every IP address its host stands for; empty when the name does not resolve."""
        try:
            found = socket.getaddrinfo(self.host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return frozenset()
        return frozenset(str(entry[4][0]) for entry in found)


def check_ae_title(text: str) -> str:
    """The title without surrounding spaces, which carry no meaning.

    Raises BadRequest unless it is 1 to 16 characters of printable ASCII without backslash (PS3.5 6.2, PS3.8 9.3.2).
    """
    title = text.strip(" ")
    if not title:
        raise errors.BadRequest("an AE title is empty", hint="give 1 to 16 characters, such as CT_ROOM_1")
    if len(title) > AE_TITLE_LENGTH_MAX:
        raise errors.BadRequest(f"an AE title has at most 16 characters; this one has {len(title)}")
    if not all(" " <= character <= "~" and character != "\\" for character in title):
        raise errors.BadRequest(
            "an AE title holds a backslash or a character outside printable ASCII",
            hint="use letters, digits, underscore and hyphen",
        )
    return title


def check_host(text: str) -> str:
    """The host name or address itself. Raises BadRequest when it cannot be one; it need not resolve now."""
    host = text.strip()
    if not host or len(host) > 253 or any(character.isspace() or not character.isprintable() for character in host):
        raise errors.BadRequest("a peer's host is a name or an address", hint="for example 192.0.2.7 or ct1.lan")
    return host


def check_port(port: int) -> int:
    """The port itself. Raises BadRequest outside 1 to 65535."""
    if not 1 <= port <= 65535:
        raise errors.BadRequest(f"a port lies between 1 and 65535; this one is {port}")
    return port


def check_may(words: Iterable[str]) -> frozenset[May]:
    """The permissions the words name. Raises BadRequest for one that is none of them."""
    try:
        return frozenset(May(word.strip().lower()) for word in words if word.strip())
    except ValueError as error:
        raise errors.BadRequest("a peer may: store, find, get, move", hint="for example --may store,find") from error


class Peers:
    """The peer table. Thread-safe; every question asks the database, so a change counts from the next association."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, peer: Peer, by: str = UNNAMED) -> bool:
        """Record the peer, or replace the one of the same title; True when it is new. Returns once durable.

        Raises BadRequest for a title, host, port or site that cannot be one.
        """
        table = schema.peer
        title = check_ae_title(peer.ae_title)
        values = {
            "host": check_host(peer.host),
            "port": check_port(peer.port),
            "site": check_label(peer.site, "site"),
            "may": " ".join(word for word in May if word in peer.may),
        }
        with self._database.write() as connection:
            before = connection.execute(sa.select(table).where(table.c.ae_title == title)).one_or_none()
            changed = connection.execute(sa.update(table).where(table.c.ae_title == title).values(**values)).rowcount
            was = f"; before: {_in_words(dict(before._mapping))}" if before is not None else ""
            _tell(connection, by, f"peer {title} is {_in_words(values)}{was}")
            if changed:
                return False
            created_ms = time.time_ns() // 1_000_000
            connection.execute(sa.insert(table).values(ae_title=title, created_ms=created_ms, **values))
            return True

    def remove(self, ae_title: str, by: str = UNNAMED) -> None:
        """Forget the peer; what it sent stays. Raises NotFound."""
        table = schema.peer
        with self._database.write() as connection:
            done = connection.execute(sa.delete(table).where(table.c.ae_title == ae_title.strip(" ")))
            if not done.rowcount:
                raise errors.NotFound("there is no peer of that AE title", hint="fileroom peer list")
            _tell(connection, by, f"peer {ae_title.strip(' ')} was removed")

    def find(self, ae_title: str) -> Peer | None:
        """The peer of this title, or None. Padding is ignored, case counts."""
        query = sa.select(schema.peer).where(schema.peer.c.ae_title == ae_title.strip(" "))
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _peer(row)

    def all(self) -> list[Peer]:
        """Every peer, by title."""
        with self._database.read() as connection:
            return [_peer(row) for row in connection.execute(sa.select(schema.peer).order_by(schema.peer.c.ae_title))]

    def calling(self, ae_title: str, address: str) -> Peer | None:
        """The peer that calls with this title from this IP address; None when title or address do not fit together."""
        peer = self.find(ae_title)
        if peer is None:
            return None
        plain = address.removeprefix("::ffff:")  # an IPv4 caller on a door that listens on both
        return peer if plain == peer.host or plain in peer.addresses() else None


def _peer(row: sa.Row[tuple[object, ...]]) -> Peer:
    values = row._mapping
    may = frozenset(May(word) for word in values["may"].split())
    return Peer(values["ae_title"], values["host"], values["port"], values["site"], may)


def _tell(connection: sa.Connection, who: str, detail: str) -> None:
    put(connection, [Event(Kind.SETTING, now_ms(), who, detail=detail)])


def _in_words(values: Mapping[str, object]) -> str:
    return f"{values['host']}:{values['port']}, site {values['site']}, may {values['may'] or 'nothing'}"
