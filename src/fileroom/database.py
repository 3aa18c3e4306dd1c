"""One database behind every room: SQLAlchemy Core on SQLite (the default) or PostgreSQL, one code path.

Reads run in `read()`, changes in `write()`; foreign errors are wrapped here, once. Each room declares its own tables on
`METADATA`; migrations live in `fileroom/migrations` and are applied by `upgrade()`.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.dialects import sqlite

from fileroom import errors
from fileroom.readers import Readers

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_RACES = ("40001", "40P01")  # PostgreSQL: serialization failure, deadlock
_SERVER_DEFAULTS = {  # for a server that is cut off, or a session elsewhere that holds a lock and does nothing
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "options": "-c lock_timeout=30s",
}
_EPOCH_MS = 1_577_836_800_000  # 2020-01-01T00:00:00Z


class Database:
    """An engine with the two ways to use it. Thread-safe; connections are pooled."""

    def __init__(self, url: str, *, busy_timeout_seconds: float = 30.0) -> None:
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url, busy_timeout_seconds) if self.is_sqlite else _server_engine(self.url)
        self.readers = Readers(self.engine)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading; rolled back at the end. Raises DatabaseUnavailable."""
        with _wrapped(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One durable transaction: returns after it survives power loss, rolls back on any error.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that reading what one then changes is safe.
        Raises DatabaseUnavailable, StorageFull. IntegrityError passes through: callers retry.
        """
        with _wrapped(), self.engine.connect() as connection:
            connection = connection.execution_options(fileroom_write=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.readers.close()
        self.engine.dispose()


def _sqlite_engine(url: sa.URL, busy_timeout_seconds: float) -> sa.Engine:
    engine = sa.create_engine(
        url,
        connect_args={"timeout": busy_timeout_seconds, "check_same_thread": False, "cached_statements": 256},
        poolclass=sa.QueuePool,
        pool_size=16,
        max_overflow=48,
        query_cache_size=1000,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours, below
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # a commit survives power loss
            "foreign_keys=ON",
            "cache_size=-16384",
            "mmap_size=0",  # a bad sector is an error of one query, not the end of the process
            "wal_autocheckpoint=4000",
            "journal_size_limit=67108864",
            "temp_store=MEMORY",
            "case_sensitive_like=ON",  # LIKE means the same on both databases, and can use an index
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("fileroom_write", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # a read sees each statement's own snapshot

    return engine


def _server_engine(url: sa.URL) -> sa.Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    url = url.set(query={**_SERVER_DEFAULTS, **url.query})
    return sa.create_engine(url, pool_size=16, max_overflow=16, pool_pre_ping=True, query_cache_size=1000)


@contextmanager
def _wrapped() -> Iterator[None]:
    try:
        yield
    except exc.OperationalError as error:
        text = str(error.orig)
        if any(sign in text for sign in ("disk is full", "readonly", "read-only", "No space left", "disk I/O error")):
            raise errors.StorageFull("the database has no room or is read-only", hint="free disk space") from error
        raise errors.DatabaseUnavailable(f"the database did not answer: {type(error.orig).__name__}") from error
    except (exc.TimeoutError, exc.InterfaceError) as error:
        raise errors.DatabaseUnavailable("the database did not answer") from error
    except exc.DatabaseError as error:
        if any(sign in str(error.orig) for sign in ("malformed", "not a database")):
            raise errors.DatabaseUnavailable("the database file is damaged", hint="fileroom doctor") from error
        raise


def lost_race(error: BaseException) -> bool:
    """Whether another writer was faster, so that the same transaction run again may succeed."""
    if isinstance(error, exc.IntegrityError):
        return True
    cause = error.__cause__ if isinstance(error, errors.DatabaseUnavailable) else None
    return isinstance(cause, exc.DBAPIError) and getattr(cause.orig, "sqlstate", "") in _RACES


class Standing:
    """One connection that a thread keeps for its own use: the same promises as the database's, without the pool's cost.

    After any error the connection is given up and the next use opens another. One to a server that was idle goes
    through the pool, which looks whether it still lives: a server that was restarted meanwhile refuses nobody.
    """

    _IDLE_SECONDS = 1.0

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._in_process = database.is_sqlite
        self._used = 0.0
        self._reading: sa.Connection | None = None
        self._writing: sa.Connection | None = None

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """As `Database.read`, each statement on its own."""
        try:
            with _wrapped():
                self._through_pool_when_idle()
                if self._reading is None:
                    self._reading = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                yield self._reading
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """As `Database.write`."""
        try:
            with _wrapped():
                self._through_pool_when_idle()
                if self._writing is None:
                    self._writing = self._engine.connect().execution_options(fileroom_write=True)
                with self._writing.begin():
                    yield self._writing
        except BaseException:
            self.close()
            raise

    def _through_pool_when_idle(self) -> None:
        now = time.monotonic()
        if not self._in_process and now - self._used > self._IDLE_SECONDS:
            for connection in (self._reading, self._writing):
                if connection is not None:
                    connection.close()
            self._reading = self._writing = None
        self._used = now

    def close(self) -> None:
        """Give the connections up; idempotent."""
        for connection in (self._reading, self._writing):
            if connection is not None:
                connection.invalidate()
                connection.close()
        self._reading = self._writing = None


class Change:
    """One INSERT or UPDATE, compiled once and run straight on the driver: rows cost what the driver costs."""

    def __init__(self, statement: sa.Insert | sa.Update) -> None:
        self._statement = statement
        self._sql: dict[str, str] = {}  # by dialect

    def run(self, connection: sa.Connection, rows: Sequence[Mapping[str, object]]) -> int:
        """Run it for each row; every row holds every bound name. How many rows changed, where the driver says so.

        Raises IntegrityError, as `Connection.execute` does.
        """
        if not rows:
            return 0
        dialect = connection.dialect
        sql = self._sql.get(dialect.name)
        if sql is None:
            named = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect  # rows are mappings
            sql = self._sql[dialect.name] = str(self._statement.compile(dialect=named))
        return connection.exec_driver_sql(sql, list(rows) if len(rows) > 1 else rows[0]).rowcount


class Lookup:
    """One SELECT for a list of keys, compiled once for each power of two of them and run straight on the driver.

    The statement binds the list as `keys`, expanding. Results are the driver's tuples.
    """

    _KEYS_MAX = 512  # in one statement

    def __init__(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, int], tuple[str, list[str] | None]] = {}

    def rows(self, connection: sa.Connection, keys: Sequence[object]) -> list[tuple[Any, ...]]:
        """Every row for these keys. Raises DatabaseUnavailable."""
        found: list[tuple[Any, ...]] = []
        driver_error: type[Exception] = connection.dialect.loaded_dbapi.Error
        for at in range(0, len(keys), self._KEYS_MAX):
            part = keys[at : at + self._KEYS_MAX]
            size = 1 << (len(part) - 1).bit_length()
            sql, names = self._for(connection.dialect, size)
            values = {f"keys_{n + 1}": key for n, key in enumerate([*part, *[part[-1]] * (size - len(part))])}
            cursor: Any = connection.connection.cursor()
            try:
                cursor.execute(sql, values if names is None else [values[name] for name in names])
                found += cursor.fetchall()
            except driver_error as error:
                raise errors.DatabaseUnavailable(f"the database did not answer: {type(error).__name__}") from error
            finally:
                cursor.close()
        return found

    def _for(self, dialect: sa.Dialect, size: int) -> tuple[str, list[str] | None]:
        known = self._compiled.get((dialect.name, size))
        if known is None:
            bound = self._statement.params(keys=["" for _ in range(size)])
            compiled: Any = bound.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
            known = self._compiled[dialect.name, size] = (str(compiled), getattr(compiled, "positiontup", None))
        return known


class Prepared:
    """One SELECT, compiled once and then run straight on the driver: a third of the cost of `Connection.execute`.

    For the questions every request asks. Results are the driver's tuples, so only columns of text, numbers and bytes
    belong in it. Thread-safe.
    """

    def __init__(self, database: Database, statement: sa.Select[Any]) -> None:
        compiled = statement.compile(database.engine)
        self.sql = str(compiled)
        self._readers = database.readers
        self._names: list[str] | None = getattr(compiled, "positiontup", None)
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def rows(self, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Every row for these bound values, read in one short snapshot. Raises DatabaseUnavailable."""
        merged = {**self._constants, **values}
        with _wrapped():
            return self._readers.rows(
                self.sql, merged if self._names is None else [merged[name] for name in self._names]
            )


class Ids:
    """Makes 63-bit row keys that rise with time: milliseconds, this process's random bits, a counter.

    `after`: a key that all of them are larger than, so that they rise although the clock went back. Two processes may
    make the same one: the primary key then refuses, and the caller's retry takes another.
    """

    def __init__(self, after: int = 0) -> None:
        self._lock = threading.Lock()
        self._node = random.SystemRandom().getrandbits(10)
        self._last = (after >> 22) << 12 | 0xFFF

    @staticmethod
    def time_ms(key: int) -> int:
        """When a key was made, in milliseconds since 1970 UTC."""
        return (key >> 22) + _EPOCH_MS

    def next(self) -> int:
        """The next key, larger than every one this process made before."""
        with self._lock:
            now = (int(time.time() * 1000) - _EPOCH_MS) << 12
            self._last = max(self._last + 1, now)
            return ((self._last >> 12) << 22) | (self._node << 12) | (self._last & 0xFFF)
