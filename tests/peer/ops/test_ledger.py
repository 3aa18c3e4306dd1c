"""What goes through a running server's doors is in its ledger, in words that a privacy officer can read."""

from __future__ import annotations

import time
from collections.abc import Callable

from fileroom.audit.event import Event, Kind, Outcome
from tests.support.corpus import ct_study, small_studies
from tests.support.fileroom import FileroomServer
from tests.support.senders import c_store, get, stow
from tests.support.told import told

NOBODY = "nobody signed in (this machine)"


def wait_for(server: FileroomServer, wanted: Callable[[list[Event]], bool]) -> list[Event]:
    """The ledger once it holds what is wanted."""
    until = time.monotonic() + 30
    while not wanted(found := told(server)):
        assert time.monotonic() < until, found
        time.sleep(0.05)
    return found


def test_storing_looking_and_asking_are_told_by_who_did_it(fileroom_server: FileroomServer) -> None:
    objects = list(ct_study(1, slices=4))
    study = objects[0].study_uid
    assert all(said.acknowledged for said in c_store(fileroom_server, objects, title="CT_ROOM_1"))
    stored = wait_for(fileroom_server, lambda found: len(found) == 2)
    assert [(event.kind, event.who, event.via, event.where) for event in stored] == [
        (Kind.STORE, "CT_ROOM_1", "127.0.0.1", "dicom")
    ] * 2
    assert [(event.outcome, event.objects) for event in stored] == [(Outcome.BEGUN, None), (Outcome.DONE, 4)]
    assert {event.study_uid for event in stored} == {study}

    stow(fileroom_server, list(small_studies(1)))
    looked = f"/dicomweb/studies/{study}/series/{objects[0].series_uid}/instances/{objects[0].sop_uid}"
    for number in (1, 1, 1):
        assert get(fileroom_server, f"{looked}/frames/{number}", "*/*")[0] == 200
    # what was answered is told already, whatever happens next
    begun = told(fileroom_server)[-1]
    assert (begun.kind, begun.who, begun.where, begun.outcome) == (Kind.RETRIEVE, NOBODY, "web", Outcome.BEGUN)
    assert (begun.study_uid, begun.patient_id) == (study, stored[0].patient_id)
    assert get(fileroom_server, "/studies/1.2.3.4.5/look", "text/html")[0] == 404
    assert get(fileroom_server, "/dicomweb/studies?PatientID=DEMO-77", "application/dicom+json")[0] == 200
    asked = told(fileroom_server)[-1]
    assert (asked.kind, asked.detail) == (Kind.SEARCH, "answers: PatientID=DEMO-77")

    assert fileroom_server.stop() == 0
    found = told(fileroom_server)
    ended = {event.act: event for event in found if event.outcome is Outcome.DONE}
    assert ended[begun.act].detail == "3 frames"
    assert all(event.act in ended for event in found if event.outcome is Outcome.BEGUN)
    verified = fileroom_server.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout
    assert f"Proven by a signed checkpoint: the first {len(found)}." in verified.stdout
