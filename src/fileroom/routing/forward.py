"""The thread that applies the rules to what arrives. It costs next to nothing while no rule is enabled, and never
stands in the way of what is received: it reads the index, and queues sends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from fileroom.database import Database
from fileroom.errors import FileroomError
from fileroom.routing.arrivals import Arrivals, ArrivedSeries
from fileroom.routing.rulebook import enabled_rules, note_sends
from fileroom.routing.rules import Rule, applies_to_series, applies_to_source
from fileroom.routing.sends import Sends

_log = logging.getLogger("fileroom.routing")

_ADVANCE_SECONDS = 10.0  # how often is written down how far it has come, when nothing is forwarded
_SERIES_AT_ONCE = 20  # in one transaction: short, so that what is received does not wait for it
_BY_CHARACTERS_MAX = 64


class Forwarder:
    """Applies the rules. `start` once, `stop` once."""

    def __init__(
        self, database: Database, sends: Sends, quiet_seconds: float, wake: Callable[[], None] = lambda: None
    ) -> None:
        """`quiet_seconds`: without a new object; then a series has arrived. `wake`: called when sends were queued."""
        self._database = database
        self._sends = sends
        self._wake = wake
        self._arrivals = Arrivals(database, quiet_seconds)
        self._look_seconds = max(0.05, min(5.0, quiet_seconds / 4))
        self._following = False  # there were rules at the last look
        self._advanced = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="forward", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the series in hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _loop(self) -> None:
        while not self._stopping.wait(self._look_seconds):
            try:
                self.look()
            except FileroomError as error:
                _log.warning("forwarding waits error=%s", error)
            except Exception:  # noqa: BLE001 - the boundary of the thread: what it did not finish has its turn again
                _log.exception("forwarding broke")
                self._following = False
                self._stopping.wait(_ADVANCE_SECONDS)

    def look(self) -> None:
        """One look at what arrived. Raises DatabaseUnavailable, StorageFull; then nothing is lost or done twice."""
        with self._database.read() as connection:
            rules = enabled_rules(connection)
        if not rules:
            self._following = False
            return
        if not self._following:
            self._arrivals.begin(min(rule.since for rule in rules))
            self._following = True
        self._arrivals.look()
        complete = self._arrivals.complete()
        for at in range(0, len(complete), _SERIES_AT_ONCE):
            if self._stopping.is_set():
                return
            self._forward(complete[at : at + _SERIES_AT_ONCE])
        if complete or time.monotonic() - self._advanced >= _ADVANCE_SECONDS:
            self._arrivals.advance()
            self._advanced = time.monotonic()

    def _forward(self, series_keys: Sequence[int]) -> None:
        """Queue what the rules ask for, and write down that these series had their turn, in one transaction."""
        studies: dict[str, list[ArrivedSeries]] = {}
        for series_key in series_keys:
            arrived = self._arrivals.read(series_key)
            if arrived is not None:
                studies.setdefault(arrived.study_uid, []).append(arrived)
        sends = objects = 0
        with self._database.write() as connection:
            rules = enabled_rules(connection)
            for study_uid, parts in studies.items():
                for destination, (names, sop_uids) in ordered(parts, rules).items():
                    self._sends.queue(connection, study_uid, destination, _by(names), sop_uids)
                    note_sends(connection, names)
                    sends, objects = sends + 1, objects + len(sop_uids)
                for arrived in parts:
                    self._arrivals.write(connection, arrived)
        for series_key in series_keys:
            self._arrivals.done(series_key)
        if sends:
            _log.info("forwarding sends=%d objects=%d", sends, objects)
            self._wake()


def ordered(arrived: Sequence[ArrivedSeries], rules: Sequence[Rule]) -> dict[str, tuple[list[str], list[str]]]:
    """What goes where: destination to the names of the rules behind it and the SOP Instance UIDs, each once."""
    orders: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for series in arrived:
        for rule in rules:
            if not applies_to_series(rule.wanted, series.facts):
                continue
            new = [one for one in series.objects if one.key > rule.since]
            going = [one.sop_uid for one in new if applies_to_source(rule.wanted, one.source)]
            if going:
                names, sop_uids = orders.setdefault(rule.wanted.destination, ({}, {}))
                names[rule.wanted.name] = None
                sop_uids.update(dict.fromkeys(going))
    return {destination: (list(names), list(uids)) for destination, (names, uids) in orders.items()}


def _by(names: Sequence[str]) -> str:
    text = f"{'rule' if len(names) == 1 else 'rules'} {', '.join(names)}"
    return text if len(text) <= _BY_CHARACTERS_MAX else text[: _BY_CHARACTERS_MAX - 1] + "…"
