"""Runs the real `fileroom` with one thing about it broken on purpose, to show that the tests would notice.

    python tests/support/faulty.py FAULT PROGRAM ARGUMENTS...

FAULT is a key of `OMISSIONS`, or `kill:SPOT:N`: the process kills itself the Nth time it comes by that spot.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Patch = Callable[[], None]


def command(fault: str) -> list[str]:
    """What to put before the command line of a server (`FileroomServer(prefix=...)`)."""
    return [sys.executable, "-P", str(Path(__file__).resolve()), fault]


# -- promises left out: each must make the durability test fail ------------------------------------------------------


def _no_data_sync() -> None:
    os.fdatasync = lambda fd: None  # type: ignore[assignment]


def _no_folder_sync() -> None:
    os.fsync = lambda fd: None  # type: ignore[assignment]


def _no_sync_after_rename() -> None:
    from fileroom.archive.packs import Packs, PackWriter

    def publish(packs: Packs, writer: PackWriter) -> None:
        os.rename(writer.path, packs.path(writer.pack_id))

    Packs.publish = publish  # type: ignore[method-assign]


def _pragma(statement: str) -> Patch:
    def patch() -> None:
        import sqlalchemy as sa

        from fileroom import database

        original = database._sqlite_engine

        def engine(url: sa.URL, busy_timeout_seconds: float) -> sa.Engine:
            made = original(url, busy_timeout_seconds)
            sa.event.listen(made, "connect", lambda connection, _record: connection.execute(f"PRAGMA {statement}"))
            return made

        database._sqlite_engine = engine

    return patch


def _pack_synced_after_index() -> None:
    """Everything is synced before the reply, in the wrong order."""
    from fileroom.archive.inflight import InFlight
    from fileroom.archive.packs import PackWriter

    late: list[PackWriter] = []
    sync, resolve = PackWriter.sync, InFlight.resolve

    def remember(writer: PackWriter) -> None:
        late.append(writer)

    def sync_then_resolve(table: InFlight, *arguments: Any) -> None:
        while late:
            sync(late.pop())
        resolve(table, *arguments)

    PackWriter.sync = remember  # type: ignore[method-assign]
    InFlight.resolve = sync_then_resolve  # type: ignore[method-assign]


def _answered_before_index() -> None:
    from fileroom.archive.arrival import Outcome, Verdict
    from fileroom.archive.indexing import Indexer

    record = Indexer._index_all

    def early(indexer: Indexer, batches: list[Any]) -> None:
        for batch in batches:
            for item in batch.items:
                indexer._inflight.resolve(item, Verdict(Outcome.STORED))
        threading.Event().wait(0.5)
        record(indexer, batches)

    Indexer._index_all = early  # type: ignore[method-assign]


def _answered_before_written() -> None:
    from fileroom.archive.arrival import Outcome, Verdict
    from fileroom.archive.commit import Committer

    write = Committer._write_packs

    def early(committer: Committer, items: list[Any]) -> None:
        for item in items:
            committer._inflight.resolve(item, Verdict(Outcome.STORED))
        threading.Event().wait(0.2)
        write(committer, items)

    Committer._write_packs = early  # type: ignore[method-assign]


OMISSIONS: dict[str, Patch] = {
    "no pack sync": _no_data_sync,
    "no folder sync": _no_folder_sync,
    "no folder sync after rename": _no_sync_after_rename,
    "database never synced": _pragma("synchronous=OFF"),
    "database synced at checkpoints only": _pragma("synchronous=NORMAL"),
    "pack synced after the index": _pack_synced_after_index,
    "answered before the index": _answered_before_index,
    "answered before written": _answered_before_written,
}


# -- places to die at -------------------------------------------------------------------------------------------------


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()  # the signal may take a moment; nothing more may happen on this thread


def _at(owner: Callable[[], Any], name: str, *, after: bool = False) -> Callable[[int], None]:
    """Dies before, or after, the Nth call of a function."""

    def patch(count: int) -> None:
        holder = owner()
        original = getattr(holder, name)
        lock, calls = threading.Lock(), [0]

        def wrapper(*arguments: Any, **keywords: Any) -> Any:
            with lock:
                calls[0] += 1
                mine = calls[0] == count
            if mine and not after:
                _die()
            result = original(*arguments, **keywords)
            if mine:
                _die()
            return result

        setattr(holder, name, wrapper)

    return patch


def _half_written(count: int) -> None:
    from fileroom.archive import packs

    original = packs._write_all
    calls = [0]

    def write(fd: int, pieces: Any, offset: int) -> None:
        calls[0] += 1
        if calls[0] == count:
            whole = b"".join(pieces)
            original(fd, [whole[: len(whole) * 2 // 3 | 1]], offset)  # never just behind a block
            _die()
        original(fd, pieces, offset)

    packs._write_all = write


def _pack_writer() -> Any:
    from fileroom.archive.packs import PackWriter

    return PackWriter


def _packs() -> Any:
    from fileroom.archive.packs import Packs

    return Packs


def _written() -> Any:
    from fileroom.archive.indexing import Written

    return Written


def _in_flight() -> Any:
    from fileroom.archive.inflight import InFlight

    return InFlight


def _healing() -> Any:
    from fileroom.archive.heal import _Healing

    return _Healing


SPOTS: dict[str, Callable[[int], None]] = {
    "pack half written": _half_written,
    "pack created": _at(_packs, "create", after=True),
    "pack written, not synced": _at(_pack_writer, "sync"),
    "pack synced, not indexed": _at(_written, "wait_synced", after=True),
    "indexed, not answered": _at(_in_flight, "resolve"),
    "large object whole, not renamed": _at(_packs, "publish"),
    "large object renamed, not indexed": _at(_packs, "publish", after=True),
    "large object here already, not removed": _at(_packs, "discard"),
}
HEALING_SPOTS: dict[str, Callable[[int], None]] = {
    "objects taken in, pack not closed": _at(_healing, "_take_in", after=True),
    "tail set aside, pack not cut": _at(_healing, "_put_tail_aside", after=True),
    "pack closed on disk, not in the index": _at(_healing, "_record_closed"),
}


def _deciding() -> Any:
    from fileroom.archive import conflicts

    return conflicts


DECIDING_SPOTS: dict[str, Callable[[int], None]] = {
    "former kept aside, not exchanged": _at(_deciding, "keep_aside", after=True),
    "exchanged, not written down": _at(_deciding, "exchange", after=True),
    "written down, not committed": _at(_deciding, "write_act", after=True),
}


# -- storage that fails -----------------------------------------------------------------------------------------------


def _no_room_while(flag: Path) -> None:
    """While the flag file is there, packs take half of what is written and then say ENOSPC."""
    import errno

    from fileroom.archive import packs

    write = packs._write_all

    def short(fd: int, pieces: Any, offset: int) -> None:
        if flag.exists():
            whole = b"".join(pieces)
            write(fd, [whole[: len(whole) // 2]], offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(fd, pieces, offset)

    packs._write_all = short


def main() -> None:
    """Break what is asked for, then be `fileroom`."""
    fault = sys.argv[1]
    sys.argv = sys.argv[2:]
    if fault.startswith("kill:"):
        _, spot, count = fault.split(":")
        (SPOTS | HEALING_SPOTS | DECIDING_SPOTS)[spot](int(count))
    elif fault.startswith("full:"):
        _no_room_while(Path(fault.removeprefix("full:")))
    else:
        OMISSIONS[fault]()
    from fileroom.ops.cli import main as fileroom

    fileroom()


if __name__ == "__main__":
    main()
