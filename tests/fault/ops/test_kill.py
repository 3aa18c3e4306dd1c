"""`kill -9` during ingest through both doors: what was acknowledged is there bit for bit, nothing half is served.

Ten rounds here, 200 in `make soak`; each spot is hit once here, five times there. The seed is printed by a failure.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import faulty
from tests.support.fileroom import FileroomServer
from tests.support.ingest import Ingest, Ledger, lost_or_broken, send_again
from tests.support.processes import NotReady
from tests.support.told import untold
from tests.support.truth import disagreements, served

SOAK = bool(os.environ.get("FILEROOM_SOAK"))
SEED = os.environ.get("FILEROOM_SEED") or str(random.SystemRandom().randrange(1 << 32))
ROUNDS = {"sqlite": 150, "postgresql": 50} if SOAK else {"sqlite": 8, "postgresql": 2}
ROUNDS_A_HOME = 10  # so that a soak does not fill the disk
HITS = 5 if SOAK else 1  # of each spot
READY_SECONDS_MAX = 20.0  # a loaded machine with two cores; a healing start takes about two seconds on a quiet one

StartFileroom = Callable[..., FileroomServer]


@pytest.fixture(autouse=True)
def _seed() -> None:
    print(f"seed {SEED}: FILEROOM_SEED={SEED} runs it again")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartFileroom]:
    started: list[FileroomServer] = []

    def run(home: str, fault: str = "", **settings: str) -> FileroomServer:
        prefix = faulty.command(fault) if fault else []
        started.append(FileroomServer(tmp_path / home, settings, prefix=prefix))
        return started[-1]

    yield run
    for server in started:
        server.close()


@pytest.mark.timeout(7200 if SOAK else 240)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_at_random_moments_nothing_acknowledged_is_lost(
    start: StartFileroom, database: str, request: pytest.FixtureRequest
) -> None:
    for first in range(0, ROUNDS[database], ROUNDS_A_HOME):
        settings = {}
        if database == "postgresql":
            server_of_all = request.getfixturevalue("postgres_server")
            settings["FILEROOM_DATABASE_URL"] = server_of_all.new_database()
        server = start(f"home-{database}-{first}", **settings)
        ledger = Ledger()
        for number in range(first, min(first + ROUNDS_A_HOME, ROUNDS[database])):
            one_round(server, ledger, random.Random(f"{SEED} {database} {number}"))
        assert disagreements(server) == []
        assert served(server) == len(ledger.sent) == len(ledger.acknowledged)
        finished(server)


def one_round(server: FileroomServer, ledger: Ledger, draw: random.Random) -> None:
    """Senders, a kill at a random moment, a restart, and every object of this round looked at."""
    now = Ledger()
    ingest = Ingest(server, now, str(draw.random()))
    enough = draw.randint(1, 150)
    now.wait_for(lambda: len(now.acknowledged) >= enough)
    threading.Event().wait(draw.uniform(0, 0.03))  # not a wait for anything: the moment is to be random
    server.kill()
    ingest.join()
    healed(server, now)
    ledger.sent |= now.sent
    ledger.acknowledged |= now.acknowledged


def finished(server: FileroomServer) -> None:
    """Stop it and give back its disk space: a soak writes more than most disks hold."""
    assert server.stop() == 0
    shutil.rmtree(server.home)


def healed(server: FileroomServer, ledger: Ledger) -> None:
    """Start it again; it must be ready soon, lose nothing, serve nothing half, and take what was not acknowledged."""
    began = time.monotonic()
    server.start()
    assert time.monotonic() - began < READY_SECONDS_MAX
    assert untold(server, ledger) == set()
    assert lost_or_broken(server, ledger) == []
    assert not list((server.home / "packs").glob("*.part"))
    send_again(server, ledger)
    assert lost_or_broken(server, ledger) == []


@pytest.mark.timeout(600 if SOAK else 120)
@pytest.mark.parametrize("spot", faulty.SPOTS)
def test_killed_at_a_chosen_spot_nothing_acknowledged_is_lost(start: StartFileroom, spot: str) -> None:
    for hit in range(HITS):
        draw = random.Random(f"{SEED} {spot} {hit}")
        server, ledger = killed_at(start, f"home-{hit}", spot, draw.randint(1, 4))
        server.prefix = []
        healed(server, ledger)
        assert disagreements(server) == []
        assert served(server) == len(ledger.sent)
        finished(server)


def killed_at(start: StartFileroom, home: str, spot: str, count: int, large: int = 2) -> tuple[FileroomServer, Ledger]:
    """A server that killed itself at a spot while four senders were at it."""
    server, ledger = start(home, f"kill:{spot}:{count}"), Ledger()
    ingest = Ingest(server, ledger, f"{SEED} {home} {spot}", objects=60, large=large)
    ledger.wait_for(lambda: not server.running.alive())
    ingest.join()
    assert server.running.popen.returncode == -signal.SIGKILL
    return server, ledger


def test_a_server_that_answers_too_early_is_found_out(start: StartFileroom) -> None:
    server, ledger = start("home", "answered before written"), Ledger()
    ingest = Ingest(server, ledger, SEED, large=0)
    ledger.wait_for(lambda: len(ledger.acknowledged) >= 20)
    server.kill()
    ingest.join()
    server.prefix = []
    server.start()
    assert any("gone" in finding for finding in lost_or_broken(server, ledger))


@pytest.mark.timeout(600 if SOAK else 120)
@pytest.mark.parametrize("spot", faulty.HEALING_SPOTS)
def test_killed_again_while_it_heals_nothing_acknowledged_is_lost(start: StartFileroom, spot: str) -> None:
    for hit in range(HITS):
        server, ledger = killed_at(start, f"home-{hit}", "pack half written", 3, large=0)  # in the open pack
        server.prefix = faulty.command(f"kill:{spot}:1")
        with pytest.raises(NotReady):
            server.start()
        assert server.running.popen.returncode == -signal.SIGKILL
        server.prefix = []
        healed(server, ledger)
        assert disagreements(server) == []
        assert served(server) == len(ledger.sent)
        finished(server)
