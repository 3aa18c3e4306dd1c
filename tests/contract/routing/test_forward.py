"""Rules applied to what arrives, on SQLite and on PostgreSQL: exactly once, and nothing that was here before."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fileroom.archive.arrival import Source
from fileroom.archive.conflicts import Conflicts
from fileroom.archive.held import held_objects
from fileroom.archive.hide import hide
from fileroom.archive.peers import ALL, Peer, Peers
from fileroom.archive.verdicts import Verdict
from fileroom.errors import BadRequest, NotFound, Superseded
from fileroom.routing import arrivals, schema
from fileroom.routing.forward import Forwarder
from fileroom.routing.rulebook import Rulebook
from fileroom.routing.rules import BadRule, Wanted
from fileroom.routing.sends import Send, Sends, Unfinished, now_ms
from tests.support.archives import Archive, ct, running_archive

QUIET_SECONDS = 0.15
EVERYTHING = Wanted("all to WS", "WS")


class Forwarding:
    """An archive, its rules, and a forwarder that looks when it is told to."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.rules = Rulebook(archive.database)
        self.sends = Sends(archive.database)
        for title in ("WS", "PACS", "CT_1"):
            Peers(archive.database).add(Peer(title, "127.0.0.1", 104, "main", ALL))
        self.restart()

    def restart(self) -> None:
        """Another server's forwarder: it knows what is written down."""
        self.forwarder = Forwarder(self.archive.database, self.sends, QUIET_SECONDS)

    def store(self, *numbers: int, study: int = 1, series: int = 1, caller: str = "CT_1", **changes: str) -> None:
        for number in numbers:
            dataset = ct(number, study=study, series=series, patient=f"P{study}")
            for keyword, value in changes.items():
                setattr(dataset, keyword, value)
            self.archive.store(dataset, Source("dimse", caller, "main"))

    def settle(self) -> None:
        """Time passes: everything has arrived."""
        self.forwarder.look()
        time.sleep(QUIET_SECONDS + 0.02)
        self.forwarder.look()

    def sent(self) -> list[tuple[str, list[str]]]:
        """Every send, the oldest first: to whom, which objects."""
        return [(send.destination, self.objects(send)) for send in reversed(self.sends.find())]

    def objects(self, send: Send) -> list[str]:
        return [one.sop_uid.removeprefix("1.2.9.") for one in self.sends.objects(send.id)]


@pytest.fixture
def forwarding(tmp_path: Path, database_url: str) -> Iterator[Forwarding]:
    with running_archive(tmp_path, database_url) as archive:
        yield Forwarding(archive)


def test_what_arrives_is_forwarded_once_when_it_is_quiet(forwarding: Forwarding) -> None:
    forwarding.rules.add(EVERYTHING)
    forwarding.store(2, 1)
    forwarding.forwarder.look()
    assert forwarding.sent() == [], "more may come"
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1", "1.1.2"])]
    assert forwarding.sends.find()[0].requested_by == "rule all to WS"
    for _ in range(3):
        forwarding.settle()
        forwarding.restart()
    assert len(forwarding.sent()) == 1


def test_a_rule_knows_how_often_it_applied(forwarding: Forwarding) -> None:
    everything, scans, never = (
        forwarding.rules.add(wanted)
        for wanted in (EVERYTHING, Wanted("CT, too", "WS", ("CT",)), Wanted("MR", "PACS", ("MR",)))
    )
    forwarding.store(1)
    forwarding.settle()
    forwarding.store(1, study=2)
    forwarding.settle()
    forwarding.store(1, study=3, Modality="OT")
    forwarding.settle()
    rules = {rule.id: rule for rule in forwarding.rules.all()}
    assert [rules[rule.id].sends for rule in (everything, scans, never)] == [3, 2, 0]
    assert rules[never.id].last_send_ms is None
    assert 0 <= now_ms() - (rules[scans.id].last_send_ms or 0) < 60_000
    changed = forwarding.rules.change(scans.id, Wanted("CT only", "WS", ("CT",)))
    assert (changed.sends, forwarding.rules.disable(scans.id).sends) == (2, 2)
    first, *_ = forwarding.sends.find()
    assert forwarding.sends.unfinished() == {"WS": Unfinished(3, 0)}
    forwarding.sends.cancel(first.id)
    assert forwarding.sends.unfinished() == {"WS": Unfinished(2, 0)}


def test_of_two_who_change_a_rule_at_once_the_second_is_told(forwarding: Forwarding) -> None:
    seen = forwarding.rules.add(Wanted("CT", "WS", ("CT",)))
    time.sleep(0.002)
    first = forwarding.rules.change(seen.id, Wanted("CT", "WS", ("CT", "MR")), seen_ms=seen.changed_ms)
    with pytest.raises(Superseded):
        forwarding.rules.change(seen.id, Wanted("CT", "WS", ("US",)), seen_ms=seen.changed_ms)
    assert forwarding.rules.get(seen.id) == first
    forwarding.rules.remove(seen.id)
    with pytest.raises(NotFound):
        forwarding.rules.change(seen.id, Wanted("CT", "WS"), seen_ms=first.changed_ms)


def test_a_series_that_still_grows_is_waited_for(forwarding: Forwarding) -> None:
    forwarding.rules.add(EVERYTHING)
    for number in range(1, 5):
        forwarding.store(number)
        forwarding.forwarder.look()
        time.sleep(QUIET_SECONDS * 0.6)
    assert forwarding.sent() == []
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1", "1.1.2", "1.1.3", "1.1.4"])]


def test_objects_that_come_later_are_sent_later_and_alone(forwarding: Forwarding) -> None:
    forwarding.rules.add(EVERYTHING)
    forwarding.store(1, 2)
    forwarding.settle()
    forwarding.store(3)
    forwarding.store(1, series=2)
    forwarding.store(1)  # the same bytes again: nothing new
    forwarding.settle()
    forwarding.restart()
    forwarding.store(4)
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1", "1.1.2"]), ("WS", ["1.1.3", "1.2.1"]), ("WS", ["1.1.4"])]


def test_neither_a_new_rule_nor_a_changed_or_enabled_one_sends_what_was_here(forwarding: Forwarding) -> None:
    forwarding.store(1)
    rule = forwarding.rules.add(EVERYTHING, enabled=False)
    forwarding.store(2)
    forwarding.settle()
    forwarding.rules.enable(rule.id)
    forwarding.settle()
    forwarding.rules.change(rule.id, replace(EVERYTHING, destination="PACS"))
    forwarding.settle()
    assert forwarding.sent() == []
    forwarding.store(3)
    forwarding.settle()
    forwarding.rules.change(rule.id, EVERYTHING)
    forwarding.settle()
    forwarding.rules.disable(rule.id)
    forwarding.store(4)
    forwarding.settle()
    forwarding.rules.enable(rule.id)
    forwarding.settle()
    assert forwarding.sent() == [("PACS", ["1.1.3"])]


def test_changing_a_rule_loses_nothing_that_is_waited_for(forwarding: Forwarding) -> None:
    rule = forwarding.rules.add(EVERYTHING)
    forwarding.store(1)
    forwarding.forwarder.look()
    forwarding.rules.change(rule.id, replace(EVERYTHING, name="renamed"))
    forwarding.rules.enable(rule.id)
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1"])]


def test_a_server_that_ended_before_the_series_was_quiet_forwards_it_after_its_start(forwarding: Forwarding) -> None:
    forwarding.rules.add(EVERYTHING)
    forwarding.store(1)
    forwarding.forwarder.look()
    forwarding.restart()
    forwarding.store(2)
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1", "1.1.2"])]


def test_nothing_goes_back_to_the_peer_it_came_from(forwarding: Forwarding) -> None:
    forwarding.rules.add(EVERYTHING)
    forwarding.rules.add(Wanted("all to CT_1", "CT_1"))
    forwarding.store(1, caller="CT_1")
    forwarding.store(2, caller="WS")
    forwarding.settle()
    assert sorted(forwarding.sent()) == [("CT_1", ["1.1.2"]), ("WS", ["1.1.1"])]


def test_two_rules_to_the_same_peer_send_once(forwarding: Forwarding) -> None:
    forwarding.rules.add(Wanted("ct", "WS", modalities=("CT",)))
    forwarding.rules.add(Wanted("from ct_1", "WS", sources=("CT_1",)))
    forwarding.store(1)
    forwarding.store(2, caller="OTHER")
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1", "1.1.2"])]
    assert forwarding.sends.find()[0].requested_by == "rules ct, from ct_1"


def test_conditions_choose_by_series_and_source(forwarding: Forwarding) -> None:
    forwarding.rules.add(Wanted("mr", "WS", modalities=("MR",)))
    forwarding.rules.add(Wanted("chest", "PACS", description="chest", institution="north"))
    forwarding.store(1, series=1, Modality="MR")
    forwarding.store(1, series=2, BodyPartExamined="CHEST", InstitutionName="North Hospital")
    forwarding.store(1, series=3, BodyPartExamined="CHEST")
    forwarding.settle()
    assert sorted(forwarding.sent()) == [("PACS", ["1.2.1"]), ("WS", ["1.1.1"])]


def test_a_hidden_study_is_not_forwarded(forwarding: Forwarding) -> None:
    forwarding.rules.add(EVERYTHING)
    forwarding.store(1)
    hide(forwarding.archive.database, "1.2.9.1", "a test", "tester")
    forwarding.settle()
    assert forwarding.sent() == []


def test_a_held_object_is_forwarded_when_a_person_accepts_it(forwarding: Forwarding) -> None:
    forwarding.rules.add(EVERYTHING)
    forwarding.store(1)
    stranger = ct(9, patient="SOMEBODY ELSE")
    forwarding.archive.store(stranger, Source("dimse", "CT_1", "main"))
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1"])]
    [held] = held_objects(forwarding.archive.database)
    conflicts = Conflicts(forwarding.archive.database, forwarding.archive.packs)
    conflicts.decide(held.id, Verdict.ACCEPT, who="tester", why="it is hers")
    forwarding.settle()
    forwarding.restart()
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1"]), ("WS", ["1.1.9"])]


def test_an_object_whose_key_comes_out_of_order_is_not_missed(forwarding: Forwarding) -> None:
    forwarding.rules.add(EVERYTHING)
    forwarding.store(1)
    instance, database = arrivals.archive.instance, forwarding.archive.database
    forwarding.store(2)
    with database.write() as connection:  # as if another writer had made its key before and committed after
        row = connection.execute(sa.select(instance).where(instance.c.sop_uid == "1.2.9.1.1.2")).mappings().one()
        first = connection.execute(sa.select(sa.func.min(instance.c.id))).scalar_one()
        connection.execute(sa.delete(instance).where(instance.c.sop_uid == "1.2.9.1.1.2"))
        series = arrivals.archive.series
        connection.execute(sa.update(series).values(instance_count=series.c.instance_count - 1))
    with database.write() as connection:
        connection.execute(sa.update(schema.forward_rule).values(since=first - 5))
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1"])]
    with database.write() as connection:
        connection.execute(sa.insert(instance), [dict(row) | {"id": first - 1}])
        connection.execute(sa.update(series).values(instance_count=series.c.instance_count + 1))
    forwarding.settle()
    assert forwarding.sent()[1:] == [("WS", ["1.1.1", "1.1.2"])], "rather twice than never"
    forwarding.settle()
    assert len(forwarding.sent()) == 2


def test_what_lies_behind_is_forgotten_and_still_has_had_its_turn(
    forwarding: Forwarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_LOOK_BACK", 0)
    forwarding.rules.add(EVERYTHING)
    forwarding.store(1)
    forwarding.settle()
    with forwarding.archive.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.forward_series)).scalar() == 0
    forwarding.restart()
    forwarding.store(2)
    forwarding.settle()
    assert forwarding.sent() == [("WS", ["1.1.1"]), ("WS", ["1.1.2"])]


def test_applying_to_what_is_here_counts_first_and_is_asked_for(forwarding: Forwarding) -> None:
    forwarding.store(1, 2, study=1)
    forwarding.store(1, study=2)
    forwarding.store(2, study=2, caller="WS")
    forwarding.store(1, study=3, Modality="MR")
    hide(forwarding.archive.database, "1.2.9.3", "a test", "tester")
    rule = forwarding.rules.add(EVERYTHING)
    found = forwarding.rules.matching(rule.id)
    assert (found.studies, found.series, found.objects) == (2, 2, 3)
    assert forwarding.sent() == []
    assert forwarding.rules.apply(rule.id, "tester") == found
    assert sorted(forwarding.sent()) == [("WS", ["1.1.1", "1.1.2"]), ("WS", ["2.1.1"])]
    narrow = forwarding.rules.change(rule.id, replace(EVERYTHING, modalities=("MR",)))
    assert forwarding.rules.matching(narrow.id).objects == 0


def test_rules_are_kept_found_changed_and_forgotten(forwarding: Forwarding) -> None:
    wanted = Wanted("ct", "WS", ("CT", "MR"), ("CT_1", "CT_2"), "room", "north", "chest")
    rule = forwarding.rules.add(wanted)
    assert forwarding.rules.get(rule.id) == rule == forwarding.rules.named(" ct ")
    assert (rule.wanted, rule.enabled) == (wanted, True)
    with pytest.raises(BadRule, match="already"):
        forwarding.rules.add(replace(wanted, destination="PACS"))
    other = forwarding.rules.add(EVERYTHING)
    with pytest.raises(BadRule, match="already"):
        forwarding.rules.change(other.id, wanted)
    with pytest.raises(BadRequest, match="no peer"):
        forwarding.rules.add(Wanted("x", "NOBODY"))
    assert not forwarding.rules.disable(rule.id).enabled
    assert [one.wanted.name for one in forwarding.rules.all()] == ["all to WS", "ct"]
    forwarding.rules.remove(rule.id)
    for missing in (forwarding.rules.remove, forwarding.rules.get, forwarding.rules.disable, forwarding.rules.enable):
        with pytest.raises(NotFound):
            missing(rule.id)


def test_a_look_reads_what_is_new_and_not_the_whole_index(forwarding: Forwarding) -> None:
    database = forwarding.archive.database
    if not database.is_sqlite:
        pytest.skip("PostgreSQL chooses by statistics, which a small archive does not have")
    query = arrivals._GROWN.params(after=5).compile(database.engine, compile_kwargs={"literal_binds": True})
    with database.read() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]
    assert "SEARCH instance USING INTEGER PRIMARY KEY (rowid>?)" in plan, plan
