"""Rules that forward between real servers: by command, to Orthanc, in a ring, and over a kill."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fileroom.net.client import Client, Wish
from tests.support.archives import CT, EXPLICIT_LE, ct, encoded
from tests.support.doors import until
from tests.support.fileroom import FileroomServer
from tests.support.orthanc import Orthanc

Start = Callable[..., FileroomServer]


def store(server: FileroomServer, *numbers: int, title: str = "CT_1") -> None:
    with Client.connect(("127.0.0.1", server.dicom), title, server.aet, [Wish(CT, (EXPLICIT_LE,))]) as client:
        for number in numbers:
            dataset = ct(number)
            assert client.store(client.contexts[0], dataset.SOPInstanceUID, encoded(dataset)).stored


def rule(server: FileroomServer, *words: str) -> None:
    done = server.run("forward", "add", *words)
    assert done.returncode == 0, done.stderr


def sends(server: FileroomServer) -> list[tuple[str, str, int]]:
    found = json.loads(server.run("sends", "--json").stdout)["sends"]
    return [(send["destination"], send["state"], send["sent"]) for send in reversed(found)]


def count(server: FileroomServer) -> int:
    return len(server.get("/dicomweb/instances") or [])


def test_what_a_scanner_sends_arrives_at_orthanc(start_fileroom: Start, orthanc: Callable[..., Orthanc]) -> None:
    server, peer = start_fileroom(FILEROOM_FORWARD_QUIET_SECONDS="1"), orthanc()
    server.run("peer", "add", "ORTHANC", "127.0.0.1", str(peer.dicom))
    store(server, 1)
    rule(server, "CT on", "ORTHANC", "--modality", "ct", "--source", "CT_1")
    rule(server, "MR on", "ORTHANC", "--modality", "MR")
    store(server, 2, 3)
    store(server, 4, title="ELSEWHERE")
    assert until(lambda: sends(server) == [("ORTHANC", "done", 2)], 20), sends(server)
    assert {one["MainDicomTags"]["SOPInstanceUID"] for one in peer.get("/instances?expand")} == {
        "1.2.9.1.1.2",
        "1.2.9.1.1.3",
    }
    counted = server.run("forward", "apply", "CT on")
    assert "This would send 3 objects of 1 studies" in counted.stdout
    assert len(sends(server)) == 1
    assert server.run("forward", "apply", "CT on", "--yes").returncode == 0
    assert until(lambda: len(peer.get("/instances")) == 3, 20)


def test_rules_are_listed_switched_and_removed_by_command(fileroom_server: FileroomServer) -> None:
    run = fileroom_server.run
    run("peer", "add", "WS", "127.0.0.1", "104")
    refused = run("forward", "add", "", "NOBODY", "--modality", "?")
    assert refused.returncode == 2
    assert "no peer of that AE title" in refused.stderr
    assert "name: a rule needs one" in refused.stderr
    rule(fileroom_server, "chest", "WS", "--description", "chest")
    assert "off" in run("forward", "disable", "chest").stdout
    [listed] = json.loads(run("forward", "list", "--json").stdout)["rules"]
    assert (listed["name"], listed["enabled"], listed["description"]) == ("chest", False, "chest")
    run("forward", "enable", "chest")
    run("peer", "remove", "WS")
    assert "no peer of this title any more" in run("forward", "list").stdout
    assert run("forward", "remove", "chest").returncode == 0
    assert run("forward", "remove", "chest").returncode == 1


def test_servers_that_forward_to_each_other_in_a_ring_come_to_rest(start_fileroom: Start) -> None:
    quick = {"FILEROOM_FORWARD_QUIET_SECONDS": "1"}
    ring = [start_fileroom(FILEROOM_AE_TITLE=title, **quick) for title in ("ONE", "TWO", "THREE")]
    for server, title in zip(ring, ("ONE", "TWO", "THREE"), strict=True):
        server.aet = title
    for server, target in zip(ring, (*ring[1:], ring[0]), strict=True):
        server.run("peer", "add", target.aet, "127.0.0.1", str(target.dicom))
        rule(server, "on", target.aet)
    rule(ring[0], "both ways", "TWO")
    ring[1].run("peer", "add", "ONE", "127.0.0.1", str(ring[0].dicom))
    rule(ring[1], "back", "ONE")
    store(ring[0], 1, 2)
    assert until(lambda: sends(ring[2]) == [("ONE", "done", 2)], 30), [sends(server) for server in ring]
    assert not until(lambda: sum(len(sends(server)) for server in ring) > 3, 4), "what is there already is not new"
    assert [count(server) for server in ring] == [2, 2, 2]


@pytest.mark.timeout(180)
def test_a_kill_before_the_series_is_quiet_loses_nothing_and_sends_nothing_twice(start_fileroom: Start) -> None:
    source, target = start_fileroom(FILEROOM_FORWARD_QUIET_SECONDS="3"), start_fileroom()
    source.run("peer", "add", "FILEROOM", "127.0.0.1", str(target.dicom))
    rule(source, "all", "FILEROOM")
    store(source, 1, 2)
    source.kill()
    source.start()
    store(source, 3)
    assert until(lambda: count(target) == 3, 30)
    assert until(lambda: all(state == "done" for _, state, _ in sends(source)), 20)
    source.kill()
    source.start()
    assert not until(lambda: sum(sent for _, _, sent in sends(source)) != 3, 6)
