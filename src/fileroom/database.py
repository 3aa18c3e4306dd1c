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
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

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
        _log_ahead(connection, busy_timeout_seconds)
        for pragma in (
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


def _log_ahead(connection: sqlite3.Connection, busy_timeout_seconds: float) -> None:
    """Set the write-ahead log. Who first opens a new file is in another's way here, and SQLite does not wait."""
    until = time.monotonic() + busy_timeout_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)


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
        self._begin = "BEGIN IMMEDIATE" if database.is_sqlite else "BEGIN"
        self._used = 0.0
        self._connection: sa.Connection | None = None  # in the driver's autocommit: `write` begins and commits itself

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """As `Database.read`, each statement on its own."""
        try:
            with _wrapped():
                yield self._ready()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """As `Database.write`."""
        try:
            with _wrapped():
                connection = self._ready()
                _on_driver(connection, self._begin)
                try:
                    yield connection
                    _on_driver(connection, "COMMIT")
                except BaseException:
                    with suppress(exc.DBAPIError):
                        _on_driver(connection, "ROLLBACK")
                    raise
        except BaseException:
            self.close()
            raise

    def _ready(self) -> sa.Connection:
        now = time.monotonic()
        if not self._in_process and now - self._used > self._IDLE_SECONDS and self._connection is not None:
            self._connection.close()
            self._connection = None
        self._used = now
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._connection

    def close(self) -> None:
        """Give the connection up; idempotent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def _on_driver(
    connection: sa.Connection, sql: str, values: Sequence[Any] = (), *, many: bool = False, rows: bool = False
) -> Any:
    """Run a statement straight on the driver: how many rows it changed, or with `rows` those it found.

    Raises what `Connection.execute` does.
    """
    driver_error: type[Exception] = connection.dialect.loaded_dbapi.Error
    cursor: Any = connection.connection.cursor()
    try:
        if many:
            cursor.executemany(sql, values)
        else:
            cursor.execute(sql, values)
        return cursor.fetchall() if rows else cursor.rowcount
    except driver_error as error:
        raise exc.DBAPIError.instance(sql, None, error, driver_error, hide_parameters=True) from error
    finally:
        cursor.close()


def _compiled(statement: sa.ClauseElement, dialect: sa.Dialect) -> tuple[str, list[str]]:
    """Its text for this driver, and the names it binds in the order of their places."""
    positional = type(dialect)(paramstyle="qmark" if dialect.name == "sqlite" else "format")  # type: ignore[call-arg]
    compiled: Any = statement.compile(dialect=positional, compile_kwargs={"render_postcompile": True})
    return str(compiled), list(compiled.positiontup)


class Change:
    """One INSERT or UPDATE, compiled once and run straight on the driver: rows cost what the driver costs."""

    def __init__(self, statement: sa.Insert | sa.Update, names: Sequence[str]) -> None:
        """`names`: what it binds, in the order of their places in the statement, which is that of the rows' values."""
        self._statement = statement
        self._names = list(names)
        self._sql: dict[str, str] = {}  # by dialect

    def run(self, connection: sa.Connection, rows: Sequence[Sequence[object]]) -> int:
        """Run it for each row. How many rows changed, where the driver says so.

        Raises IntegrityError, as `Connection.execute` does.
        """
        if not rows:
            return 0
        sql = self._sql.get(connection.dialect.name) or self._compile(connection.dialect)
        changed: int = _on_driver(connection, sql, rows if len(rows) > 1 else rows[0], many=len(rows) > 1)
        return changed

    def _compile(self, dialect: sa.Dialect) -> str:
        sql, names = _compiled(self._statement, dialect)
        if names != self._names:
            raise ValueError(f"the statement binds {', '.join(names)}")
        self._sql[dialect.name] = sql
        return sql


class Lookup:
    """One SELECT for a list of keys, compiled once for each power of two of them and run straight on the driver.

    The statement binds the list as `keys`, expanding, and nothing else. Results are the driver's tuples.
    """

    _KEYS_MAX = 512  # in one statement

    def __init__(self, statement: sa.Select[Any] | sa.CompoundSelect[Any]) -> None:
        self._statement = statement
        self._compiled: dict[
            tuple[str, int], tuple[str, int]
        ] = {}  # dialect and keys -> text, times the keys stand there

    def rows(self, connection: sa.Connection, keys: Sequence[object]) -> list[tuple[Any, ...]]:
        """Every row for these keys. Raises what `Connection.execute` does."""
        found: list[tuple[Any, ...]] = []
        for at in range(0, len(keys), self._KEYS_MAX):
            part = list(keys[at : at + self._KEYS_MAX])
            size = 1 << (len(part) - 1).bit_length()
            sql, times = self._for(connection.dialect, size)
            part += part[-1:] * (size - len(part))
            found += _on_driver(connection, sql, part * times, rows=True)
        return found

    def _for(self, dialect: sa.Dialect, size: int) -> tuple[str, int]:
        known = self._compiled.get((dialect.name, size))
        if known is None:
            sql, names = _compiled(self._statement.params(keys=["" for _ in range(size)]), dialect)
            known = self._compiled[dialect.name, size] = (sql, len(names) // size)
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
