"""Processes that append at once, and one that is killed meanwhile: no line of an acknowledged act is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from fileroom import migrations
from fileroom.audit.event import read
from fileroom.audit.reading import rows
from fileroom.audit.verify import verify
from fileroom.database import Database

# Appends batches of 1, 2, 3, 1 ... events and says, after each, how many of its events are durable.
APPENDER = """
import itertools, sys
from fileroom.audit.event import Event, Kind
from fileroom.audit.ledger import Ledger
from fileroom.database import Database

url, name, batches = sys.argv[1], sys.argv[2], int(sys.argv[3])
book, number = Ledger(Database(url)), 0
for batch in itertools.islice(itertools.cycle((1, 2, 3)), batches):
    events = [Event(Kind.VIEW, 1_700_000_000_000, name, detail=str(number + at)) for at in range(batch)]
    book.record(events)
    number += batch
    print(number, flush=True)
"""


def appender(url: str, name: str, batches: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", APPENDER, url, name, str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def written_by(database: Database) -> dict[str, list[int]]:
    """Who wrote which of its events, in the ledger's order. Fails unless the ledger is whole."""
    found: dict[str, list[int]] = defaultdict(list)
    with database.read() as connection:
        report = verify(lambda: rows(connection))
        assert report.good, report.findings
        for _, line, _ in rows(connection):
            event = read(line)
            found[event.who].append(int(event.detail))
    return found


def test_processes_that_append_at_once_keep_one_order(database_url: str) -> None:
    database = Database(database_url)
    migrations.upgrade(database)
    running = [appender(database_url, name, 30) for name in ("one", "two", "three")]
    said = [process.communicate(timeout=100)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert {out.split()[-1] for out in said} == {"60"}
    assert written_by(database) == {name: list(range(60)) for name in ("one", "two", "three")}
    database.close()


def test_what_was_acknowledged_is_there_after_a_kill_and_nothing_is_half(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    migrations.upgrade(database)
    beside = appender(database_url, "beside", 40)
    for round_ in range(3):
        name = f"killed-{round_}"
        process = appender(database_url, name, 100_000)
        assert process.stdout is not None
        acknowledged = 0
        for _ in range(5 + 7 * round_):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        for line in process.communicate(timeout=100)[0].splitlines(keepends=True):
            acknowledged = int(line) if line.endswith("\n") else acknowledged
        kept = written_by(database)[name]
        assert kept == list(range(len(kept)))
        assert len(kept) - acknowledged in (0, 1, 2, 3)  # at most the batch that was under way
    assert beside.communicate(timeout=100)[0].split()[-1] == "79"
    assert written_by(database)["beside"] == list(range(79))
    database.close()
