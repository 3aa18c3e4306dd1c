"""The options that every command takes, worded once, and what a command opens before it starts."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fileroom.errors import BadSetting, StorageFull
from fileroom.settings import Settings

if TYPE_CHECKING:
    from fileroom.database import Database

Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The folder that holds everything. [FILEROOM_HOME, ./fileroom-data]"),
]
Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document, for programs.")]


def settings(home: Path | None, **given: object | None) -> Settings:
    """The settings of a command run with these options. Raises BadSetting."""
    from fileroom.ops import configuration

    return configuration.load({"home": home, **given}, os.environ)


def operator() -> str:
    """Who types a command, as what it changes is told."""
    return f"{getpass.getuser()}, command line"[:64]


def make_home(chosen: Settings) -> None:
    """Make the home's folders where they are missing, for this user only; they survive power loss from then on.

    Raises StorageFull when that cannot be.
    """
    for folder in (chosen.home, chosen.packs, chosen.packs / "aside", chosen.cache):
        try:
            _make_folder(folder)
        except OSError as error:
            raise StorageFull(
                f"{folder} cannot be made: {error.strerror}", hint="choose another --home, or change who owns it"
            ) from error


def _make_folder(folder: Path) -> None:
    for path in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        path.mkdir(mode=0o750, exist_ok=True)
        fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _make_private(file: Path) -> None:
    """Make the database file before SQLite does, which would let every user of this machine read it."""
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
    except OSError as error:
        raise StorageFull(f"{file} cannot be written: {error.strerror}", hint="fileroom doctor") from error


@contextmanager
def open_database(chosen: Settings, *, make: bool = False) -> Iterator[Database]:
    """The database, its tables brought up to date. Without `make`, a home that is not there is an error.

    Raises BadSetting, DatabaseUnavailable, StorageFull.
    """
    import fileroom.accountability.map_schema
    import fileroom.audit.schema
    import fileroom.evidence.schema
    import fileroom.routing.schema  # noqa: F401 - every room's tables are known from here on: a backup copies them all
    from fileroom import migrations
    from fileroom.database import Database

    if make:
        make_home(chosen)
    elif not (chosen.sqlite_file or chosen.packs).exists():
        raise BadSetting(f"{chosen.home} holds no archive", hint="--home names it; `fileroom serve` makes a new one")
    if make and chosen.sqlite_file is not None:
        _make_private(chosen.sqlite_file)
    database = Database(chosen.database)
    try:
        migrations.upgrade(database)
        yield database
    finally:
        database.close()
