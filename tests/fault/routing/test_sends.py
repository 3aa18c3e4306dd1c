"""Sends when the destination dies, hangs or is removed, and when the sending server itself is killed."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fileroom.archive.hide import hide
from fileroom.net.client import Client, Wish
from fileroom.routing.account import RECORD_OBJECTS
from fileroom.routing.routing import RoutingLimits
from fileroom.routing.sends import State
from tests.support import processes
from tests.support.archives import CT, EXPLICIT_LE, ct, encoded
from tests.support.doors import until
from tests.support.fileroom import FileroomServer
from tests.support.routes import IMPATIENT, Receiver, Route, running_route


@pytest.fixture
def route(tmp_path: Path) -> Iterator[Route]:
    with running_route(tmp_path / "archive") as running:
        for study in (1, 2):
            for number in range(1, 21):
                running.archive.store(ct(number, study=study, patient=f"P{study}"))
        yield running


def uids(study: int = 1, count: int = 20) -> list[str]:
    return [f"1.2.9.{study}.1.{number}" for number in range(1, count + 1)]


def test_a_destination_that_dies_in_the_middle_gets_the_rest_when_it_is_back(route: Route) -> None:
    port = processes.free_port()

    def die_at_the_seventh(uid: str) -> None:
        if len(first.got) == 7:
            threading.Thread(target=first.close).start()
            first.abort()

    first = Receiver(before=die_at_the_seventh, port=port)
    route.know("RECEIVER", port)
    send = route.routing.send("1.2.9.1", "RECEIVER", "tester")
    assert until(lambda: "Connection refused" in (route.routing.get(send.id).last_error or ""), 10)
    waiting = route.routing.get(send.id)
    assert waiting.state in (State.WAITING, State.SENDING)
    assert waiting.sent == 6
    with Receiver(port=port) as second:
        done = route.ended(send)
    assert (done.state, done.sent, done.last_error) == (State.DONE, 20, None)
    assert sorted(first.got[:6] + second.got) == sorted(uids()), "what was confirmed is not sent again"
    assert second.got[-1] == first.got[6], "what was in doubt comes last"


def test_a_destination_that_never_answers_holds_up_nobody_else_and_is_given_up(tmp_path: Path) -> None:
    limits = RoutingLimits(attempts_max=2, pauses_seconds=(0.1,))
    hanging = threading.Event()
    with (
        running_route(tmp_path / "archive", limits=limits) as route,
        Receiver(before=lambda _: hanging.wait(20)) as mute,
    ):
        with socket.create_server(("127.0.0.1", 0)) as deaf, Receiver() as quick:
            for number in range(1, 4):
                route.archive.store(ct(number))
            for title, port in (("MUTE", mute.port), ("DEAF", deaf.getsockname()[1]), ("QUICK", quick.port)):
                route.know(title, port)
            begin = time.monotonic()
            to_mute, to_deaf, to_quick = (
                route.routing.send("1.2.9.1", title, "tester") for title in ("MUTE", "DEAF", "QUICK")
            )
            assert route.ended(to_quick).state is State.DONE
            assert time.monotonic() - begin < 1.0, "the others take a second at least before they are given up"
            for send in (to_mute, to_deaf):
                failed = route.ended(send)
                assert failed.state is State.FAILED
                assert (failed.last_error or "").startswith("Given up after 2 attempts. ")
                assert "not answer" in (failed.last_error or "")
                assert failed.remaining == 3, "all may be tried again by hand"
        hanging.set()


def test_cancelling_ends_a_send_that_hangs_and_the_next_one_has_its_turn(tmp_path: Path) -> None:
    patient = replace(IMPATIENT, answer_seconds=60)
    hanging = threading.Event()

    def hang(uid: str) -> None:
        if uid.startswith("1.2.9.1."):
            hanging.wait(20)

    with running_route(tmp_path / "archive", net=patient) as route, Receiver(before=hang) as receiver:
        route.archive.store(ct(1))
        route.archive.store(ct(1, study=2))
        route.know("RECEIVER", receiver.port)
        first = route.routing.send("1.2.9.1", "RECEIVER", "tester")
        second = route.routing.send("1.2.9.2", "RECEIVER", "tester")
        assert until(lambda: len(receiver.got) == 1)
        assert route.routing.get(second.id).state is State.WAITING, "one association for each destination"
        assert route.routing.cancel(first.id).state is State.CANCELLED
        assert route.ended(second).state is State.DONE
        assert route.routing.get(first.id).state is State.CANCELLED
        hanging.set()


def test_a_peer_that_is_removed_while_sends_wait_fails_them_in_words(route: Route) -> None:
    port = processes.free_port()
    route.know("RECEIVER", port)
    sends = [route.routing.send(f"1.2.9.{study}", "RECEIVER", "tester") for study in (1, 2)]
    assert until(lambda: all(route.routing.get(send.id).attempts for send in sends))
    route.peers.remove("RECEIVER")
    for send in sends:
        failed = route.ended(send)
        assert failed.state is State.FAILED
        assert failed.last_error == "There is no peer RECEIVER any more. Add it again and retry, or cancel."
    with Receiver(port=port):
        route.know("RECEIVER", port)
        for send in sends:
            route.routing.retry(send.id)
            assert route.ended(send).state is State.DONE


def test_more_destinations_than_places_all_get_their_turn(tmp_path: Path) -> None:
    limits = RoutingLimits(destinations_max=2, attempts_max=3, pauses_seconds=(0.1,))
    with running_route(tmp_path / "archive", limits=limits) as route, Receiver() as receiver:
        route.archive.store(ct(1))
        titles = [f"WS_{number}" for number in range(6)]
        for title in titles:
            route.know(title, receiver.port)
        sends = [route.routing.send("1.2.9.1", title, "tester") for title in titles]
        assert [route.ended(send).state for send in sends] == [State.DONE] * 6


def test_a_study_hidden_while_its_send_waits_is_not_sent(route: Route) -> None:
    port = processes.free_port()
    route.know("RECEIVER", port)
    send = route.routing.send("1.2.9.1", "RECEIVER", "tester")
    assert until(lambda: route.routing.get(send.id).attempts >= 1)
    hide(route.archive.database, "1.2.9.1", "a test", "tester")
    with Receiver(port=port) as receiver:
        failed = route.ended(send)
        assert receiver.got == []
    assert failed.state is State.FAILED
    assert "its study is hidden" in (failed.last_error or "")


def test_stopping_does_not_wait_for_a_destination_that_hangs_and_the_send_goes_on_at_the_next_start(
    tmp_path: Path,
) -> None:
    patient, hanging = replace(IMPATIENT, answer_seconds=60), threading.Event()
    with Receiver(before=lambda _: hanging.wait(20) and None) as receiver:
        with running_route(tmp_path / "archive", net=patient) as route:
            route.archive.store(ct(1))
            route.know("RECEIVER", receiver.port)
            send = route.routing.send("1.2.9.1", "RECEIVER", "tester")
            assert until(lambda: len(receiver.got) == 1)
            begin = time.monotonic()
            route.routing.stop(0.2)
            assert time.monotonic() - begin < 3
            stopped = route.routing.get(send.id)
            assert (stopped.state, stopped.attempts) == (State.WAITING, 0), "the attempt does not count"
        hanging.set()
        with running_route(tmp_path / "archive") as route:
            assert route.ended(send).state is State.DONE


SLICES = 1500  # several times what is in doubt after a kill


def store_small_slices(server: FileroomServer, count: int) -> None:
    with Client.connect(("127.0.0.1", server.dicom), "SENDER", server.aet, [Wish(CT, (EXPLICIT_LE,))]) as client:
        [context] = client.contexts
        for number in range(1, count + 1):
            dataset = ct(number)
            assert client.store(context, dataset.SOPInstanceUID, encoded(dataset)).stored


@pytest.mark.timeout(180)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_in_the_middle_of_a_send_it_goes_on_and_loses_nothing(
    start_fileroom: Callable[..., FileroomServer], database: str, request: pytest.FixtureRequest
) -> None:
    settings = {"FILEROOM_DATABASE_URL": request.getfixturevalue("postgres")} if database == "postgresql" else {}
    source, destination = start_fileroom(**settings), start_fileroom()
    store_small_slices(source, SLICES)
    source.run("peer", "add", "FILEROOM", "127.0.0.1", str(destination.dicom))
    study = "1.2.9.1"
    key = json.loads(source.run("send", study, "FILEROOM", "--json").stdout)["send"]["id"]

    def sent() -> int:
        return int(_metric(destination, 'fileroom_dicom_events_total{event="stored"}'))

    assert until(lambda: sent() >= 900, 30)
    source.kill()
    before = _send(source, key)
    assert before["state"] == "sending"
    source.start()
    assert until(lambda: _send(source, key)["state"] == "done", 60), _send(source, key)
    after = _send(source, key)
    assert (after["sent"], after["failed"]) == (SLICES, 0)
    assert len(destination.get(f"/dicomweb/studies/{study}/instances")) == SLICES
    assert SLICES <= sent() <= SLICES + RECORD_OBJECTS + 1, "what was confirmed and written down is not sent again"


def _metric(server: FileroomServer, name: str) -> float:
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)


def _send(server: FileroomServer, key: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(server.run("sends", str(key), "--json").stdout)["send"]
    return found
