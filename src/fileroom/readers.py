"""Driver connections that only read, each statement in a snapshot of its own, kept open between uses.

The pool costs more than a look-up does (on SQLite three times as much, on PostgreSQL three more round trips), and every
request looks something up.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from fileroom import errors

IN_USE_MAX = 24  # at once; a question beyond waits
KEPT_MAX = 12
WAIT_SECONDS = 30.0
_LONG = 1 << 13  # characters of a statement; the driver keeps each it ran, and megabytes for one of thousands of values


class Readers:
    """The reading connections of one database. Thread-safe."""

    def __init__(self, engine: sa.Engine) -> None:
        """Opens nothing yet."""
        self._engine = engine
        self._driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._kept: deque[Any] = deque()  # the one used last is last
        self._places = threading.Semaphore(IN_USE_MAX)
        self._closed = False

    def rows(self, sql: str, values: Sequence[object] | Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Every row of one SELECT. A connection that died while it was kept refuses nobody: another one is opened.

        Raises DatabaseUnavailable, and what opening a connection raises.
        """
        if not self._places.acquire(timeout=WAIT_SECONDS):
            raise errors.DatabaseUnavailable("too many questions at once")
        try:
            while True:
                connection = self._take()
                fresh = connection is None
                try:
                    connection = connection or self._open()
                    found: list[tuple[Any, ...]] = connection.execute(sql, values).fetchall()
                except self._driver_error as error:
                    if _gave_up(connection) and not fresh:
                        continue
                    raise errors.DatabaseUnavailable(f"the database did not answer: {type(error).__name__}") from error
                except BaseException:
                    _gave_up(connection)
                    raise
                self._keep(connection, sql)
                return found
        finally:
            self._places.release()

    def _take(self) -> Any:
        try:
            return self._kept.pop()
        except IndexError:
            return None

    def close(self) -> None:
        """Close those kept; one in use closes after it."""
        self._closed = True
        while self._kept:
            self._kept.pop().close()

    def _open(self) -> Any:
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()  # it is ours from here on
        if self._engine.dialect.name != "sqlite":
            connection.autocommit = True
        return connection

    def _keep(self, connection: Any, sql: str) -> None:
        if self._closed or len(self._kept) >= KEPT_MAX or len(sql) > _LONG:
            connection.close()
        else:
            self._kept.append(connection)


def _gave_up(connection: Any) -> bool:
    """Close a connection after an error; whether it was dead already."""
    if connection is None:
        return False
    dead = bool(getattr(connection, "closed", False))
    connection.close()
    return dead
