"""The record of sends, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fileroom.archive.hide import hide
from fileroom.archive.peers import ALL, Peer, Peers
from fileroom.errors import BadRequest, NotFound
from fileroom.routing import schema
from fileroom.routing.attempts import PAUSES_SECONDS, Attempts, News
from fileroom.routing.sends import Send, Sends, State, now_ms
from tests.support.archives import Archive, ct, running_archive

WS = Peer("WS", "127.0.0.1", 104, "main", ALL)


@pytest.fixture
def archive(tmp_path: Path, database_url: str) -> Iterator[Archive]:
    with running_archive(tmp_path, database_url) as archive:
        Peers(archive.database).add(WS)
        Peers(archive.database).add(replace(WS, ae_title="OTHER"))
        for series in (2, 1):
            for number in (3, 1, 2):
                archive.store(ct(number, series=series))
        yield archive


@pytest.fixture
def sends(archive: Archive) -> Sends:
    return Sends(archive.database)


@pytest.fixture
def attempts(archive: Archive) -> Attempts:
    return Attempts(archive.database, attempts_max=3)


def claimed(attempts: Attempts, destination: str = "WS") -> Send:
    send = attempts.claim(destination)
    assert send is not None
    return send


def test_a_study_is_queued_in_the_order_of_its_series_and_images(sends: Sends) -> None:
    send = sends.add("1.2.9.1", "WS", "somebody")
    assert (send.state, send.total, send.sent, send.failed, send.remaining) == (State.WAITING, 6, 0, 0, 6)
    assert (send.destination, send.requested_by, send.attempts, send.last_error) == ("WS", "somebody", 0, None)
    uids = [one.sop_uid for one in sends.objects(send.id)]
    assert uids == [f"1.2.9.1.{series}.{number}" for series in (1, 2) for number in (1, 2, 3)]


def test_some_series_of_a_study_are_queued_alone(sends: Sends) -> None:
    send = sends.add("1.2.9.1", "WS", "somebody", ["1.2.9.1.2"])
    assert [one.sop_uid for one in sends.objects(send.id)] == ["1.2.9.1.2.1", "1.2.9.1.2.2", "1.2.9.1.2.3"]


def test_what_cannot_be_sent_is_refused_in_words(archive: Archive, sends: Sends) -> None:
    with pytest.raises(NotFound, match="no peer"):
        sends.add("1.2.9.1", "NOBODY", "somebody")
    with pytest.raises(NotFound, match="nothing of that study"):
        sends.add("1.2.9.77", "WS", "somebody")
    with pytest.raises(NotFound, match="nothing of that study"):
        sends.add("1.2.9.1", "WS", "somebody", ["1.2.9.2.1"])
    with pytest.raises(BadRequest):
        sends.add("1.2.9.1", "WS", "")
    hide(archive.database, "1.2.9.1", "a test", "tester")
    with pytest.raises(NotFound, match="nothing of that study"):
        sends.add("1.2.9.1", "WS", "somebody")
    assert sends.find() == []


def test_sends_are_listed_newest_first_and_picked_by_state_study_and_destination(sends: Sends) -> None:
    first, second = sends.add("1.2.9.1", "WS", "a"), sends.add("1.2.9.1", "OTHER", "b")
    sends.cancel(second.id)
    assert [send.id for send in sends.find()] == [second.id, first.id]
    assert [send.id for send in sends.find(states=[State.WAITING])] == [first.id]
    assert [send.id for send in sends.find(destination="OTHER")] == [second.id]
    assert [send.id for send in sends.find(before=second.id)] == [first.id]
    assert sends.find(study_uid="1.2.9.2") == []
    assert sends.counts() == {state: {"waiting": 1, "cancelled": 1}.get(state, 0) for state in State}


def test_one_is_claimed_once_and_by_destination(sends: Sends, attempts: Attempts) -> None:
    sends.add("1.2.9.1", "WS", "a")
    sends.add("1.2.9.1", "OTHER", "a")
    assert sorted(attempts.due()) == ["OTHER", "WS"]
    assert claimed(attempts).state is State.SENDING
    assert attempts.claim("WS") is None
    assert attempts.due() == ["OTHER"]


def test_what_was_delivered_is_forgotten_and_counted(sends: Sends, attempts: Attempts) -> None:
    sends.add("1.2.9.1", "WS", "a")
    send = claimed(attempts)
    assert attempts.record(send, News(delivered=[0, 1, 4]))
    assert [one.place for one in attempts.objects(send)] == [2, 3, 5]
    assert attempts.record(send, News(delivered=[2, 3, 5]))
    ended = attempts.ended(send, "")
    assert ended is not None
    assert (ended.state, ended.sent) == (State.DONE, 6)
    assert sends.objects(send.id) == []


def test_what_was_refused_is_kept_and_the_send_has_failed(sends: Sends, attempts: Attempts) -> None:
    sends.add("1.2.9.1", "WS", "a")
    send = claimed(attempts)
    refused = replace(attempts.objects(send)[2], failed=True, status=0xC000, reason="it cannot understand the object")
    attempts.record(send, News(delivered=[0, 1, 3, 4, 5], failed=[refused]))
    attempts.ended(send, "")
    ended = sends.get(send.id)
    assert (ended.state, ended.sent, ended.failed) == (State.FAILED, 5, 1)
    assert ended.last_error == "1 of 6 objects did not arrive. The first of them: it cannot understand the object"
    [kept] = sends.objects(send.id)
    assert (kept.sop_uid, kept.status) == ("1.2.9.1.1.3", 0xC000)
    again = sends.retry(send.id)
    assert (again.state, again.failed, again.remaining) == (State.WAITING, 0, 1)
    assert [one.sop_uid for one in attempts.objects(claimed(attempts))] == ["1.2.9.1.1.3"]


def test_pauses_grow_until_the_send_has_failed_and_is_tried_again_by_hand(sends: Sends, attempts: Attempts) -> None:
    key = sends.add("1.2.9.1", "WS", "a").id
    for number in (1, 2, 3):
        send = claimed(attempts)
        assert send.attempts == number
        before = now_ms()
        attempts.ended(send, "WS does not answer.")
        waiting = sends.get(key)
        if number < 3:
            assert waiting.state is State.WAITING
            assert 0 <= waiting.next_ms - before - PAUSES_SECONDS[number - 1] * 1000 < 5000
            assert attempts.claim("WS") is None, "it is not its time yet"
            _due_now(attempts)
    failed = sends.get(key)
    assert failed.state is State.FAILED
    assert failed.last_error == "Given up after 3 attempts. WS does not answer."
    assert sends.retry(key).attempts == 0


def _due_now(attempts: Attempts) -> None:
    """Time passes: what waits is due."""
    with attempts._database.write() as connection:
        connection.execute(schema.send.update().where(schema.send.c.state == "waiting").values(next_ms=now_ms()))


def test_an_attempt_that_delivered_something_counts_as_the_first(sends: Sends, attempts: Attempts) -> None:
    key = sends.add("1.2.9.1", "WS", "a").id
    attempts.ended(claimed(attempts), "x")
    _due_now(attempts)
    send = claimed(attempts)
    attempts.record(send, News(delivered=[0]))
    attempts.ended(send, "x")
    assert sends.get(key).attempts == 1


def test_the_others_wait_too_when_the_destination_is_away(sends: Sends, attempts: Attempts) -> None:
    keys = [sends.add("1.2.9.1", "WS", "a").id for _ in range(3)]
    elsewhere = sends.add("1.2.9.1", "OTHER", "a").id
    attempts.ended(claimed(attempts), "WS is away.")
    attempts.postpone("WS", "WS is away.")
    assert attempts.due() == ["OTHER"]
    assert [sends.get(key).attempts for key in keys] == [1, 1, 1]
    assert sends.get(keys[2]).last_error == "WS is away."
    assert sends.get(elsewhere).attempts == 0
    for _ in range(2):
        _due_now(attempts)
        attempts.ended(claimed(attempts), "WS is away.")
        attempts.postpone("WS", "WS is away.")
    assert [sends.get(key).state for key in keys] == [State.FAILED] * 3


def test_cancelling_ends_it_whatever_its_thread_says_later(sends: Sends, attempts: Attempts) -> None:
    sends.add("1.2.9.1", "WS", "a")
    send = claimed(attempts)
    assert sends.cancel(send.id).state is State.CANCELLED
    assert sends.cancel(send.id).state is State.CANCELLED, "twice is as good as once"
    assert not attempts.record(send, News(delivered=[0])), "its thread is told"
    assert attempts.cancelled([send.id]) == [send.id]
    assert attempts.ended(send, "") is None
    now = sends.get(send.id)
    assert (now.state, now.sent) == (State.CANCELLED, 1), "what arrived is counted"
    assert sends.retry(send.id).remaining == 5


def test_what_has_ended_cannot_be_cancelled_and_what_is_done_or_under_way_not_retried(
    sends: Sends, attempts: Attempts
) -> None:
    sends.add("1.2.9.1", "WS", "a", ["1.2.9.1.1"])
    send = claimed(attempts)
    with pytest.raises(BadRequest, match="being sent now"):
        sends.retry(send.id)
    attempts.record(send, News(delivered=[0, 1, 2]))
    attempts.ended(send, "")
    with pytest.raises(BadRequest, match="is done"):
        sends.cancel(send.id)
    with pytest.raises(BadRequest, match="has every object"):
        sends.retry(send.id)
    with pytest.raises(NotFound):
        sends.get(1)


def test_what_was_being_sent_when_a_server_ended_goes_on(sends: Sends, attempts: Attempts) -> None:
    sends.add("1.2.9.1", "WS", "a")
    send = claimed(attempts)
    attempts.record(send, News(delivered=[0, 1]))
    assert Attempts(sends._database, 3).resume() == 1
    again = claimed(attempts)
    assert (again.id, again.sent) == (send.id, 2)
    assert [(one.place, one.tries) for one in attempts.objects(again)] == [(2, 1), (3, 1), (4, 1), (5, 1)], "in doubt"


def test_an_object_that_spoilt_an_attempt_comes_last(sends: Sends, attempts: Attempts) -> None:
    sends.add("1.2.9.1", "WS", "a")
    send = claimed(attempts)
    first = attempts.objects(send)[0]
    attempts.record(send, News(tried=[replace(first, tries=1, reason="the connection broke")]))
    assert [one.place for one in attempts.objects(send)] == [1, 2, 3, 4, 5, 0]
