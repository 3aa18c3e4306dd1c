"""What goes out, in one place: what pages, commands and the server ask of this room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fileroom.archive.peers import Peers
from fileroom.archive.telling import Telling
from fileroom.database import Database
from fileroom.errors import NotFound
from fileroom.routing.attempts import PAUSES_SECONDS, Attempts
from fileroom.routing.delivery import Sender
from fileroom.routing.dispatch import Dispatcher
from fileroom.routing.echo import Echo, echo
from fileroom.routing.forward import Forwarder
from fileroom.routing.rulebook import Rulebook
from fileroom.routing.sends import Send, SendObject, Sends, State, Unfinished


@dataclass(frozen=True, slots=True)
class RoutingLimits:
    """How hard and how long is tried."""

    destinations_max: int = 16  # sent to at one time, over one association each
    attempts_max: int = 150  # in a row that deliver nothing; then a send has failed
    quiet_seconds: float = 30.0  # without a new object; then a series has arrived and rules are applied to it
    pauses_seconds: tuple[float, ...] = PAUSES_SECONDS  # after each of them; the last one for all after


class Routing:
    """Sends, rules and their threads. `start` once, `stop` once; everything else from any thread.

    Every method raises DatabaseUnavailable; those that change return once durable and raise StorageFull.
    """

    def __init__(
        self,
        database: Database,
        peers: Peers,
        sender: Sender,
        limits: RoutingLimits | None = None,
        telling: Telling | None = None,
    ) -> None:
        limits = limits or RoutingLimits()
        self._peers = peers
        self._sender = sender
        self._sends = Sends(database)
        self.rules = Rulebook(database)  # thread-safe, as this is
        self._dispatcher = Dispatcher(
            Attempts(database, limits.attempts_max, limits.pauses_seconds),
            peers,
            sender,
            limits.destinations_max,
            telling,
        )
        self._forwarder = Forwarder(database, self._sends, limits.quiet_seconds, self._dispatcher.wake)

    def start(self) -> None:
        """Send what waits, and what waits from now on; apply the rules to what arrives."""
        self._dispatcher.start()
        self._forwarder.start()

    def stop(self, drain_seconds: float = 5.0) -> None:
        """Let the objects that are on their way arrive, at most that long; the rest goes on at the next start."""
        self._forwarder.stop()
        self._dispatcher.stop(drain_seconds)

    @property
    def alive(self) -> bool:
        """Whether the threads run."""
        return self._dispatcher.alive and self._forwarder.alive

    def send(self, study_uid: str, destination: str, requested_by: str, series_uids: Sequence[str] = ()) -> Send:
        """Queue what is here of a study, or of some of its series, for a peer.

        Raises NotFound when the peer is not known, when nothing of the study is here or it is hidden; BadRequest for a
        name that cannot be one.
        """
        queued = self._sends.add(study_uid, destination, requested_by, series_uids)
        self._dispatcher.wake()
        return queued

    def sends(
        self,
        *,
        states: Sequence[State] = (),
        study_uid: str | None = None,
        destination: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Send]:
        """Sends, newest first. `before`: an id; those older than it."""
        return self._sends.find(states=states, study_uid=study_uid, destination=destination, before=before, limit=limit)

    def get(self, key: int) -> Send:
        """One send. Raises NotFound."""
        return self._sends.get(key)

    def objects(self, key: int, *, limit: int = 1000) -> list[SendObject]:
        """The objects of a send that the destination is not known to have, with what it said of each."""
        return self._sends.objects(key, limit=limit)

    def counts(self) -> dict[State, int]:
        """How many sends are in each state."""
        return self._sends.counts()

    def unfinished(self) -> dict[str, Unfinished]:
        """What did not arrive so far, by destination; those with nothing are left out."""
        return self._sends.unfinished()

    def cancel(self, key: int) -> Send:
        """Send nothing more of it; what is there already stays there. Raises NotFound, BadRequest when it has ended."""
        cancelled = self._sends.cancel(key)
        self._dispatcher.wake()
        return cancelled

    def retry(self, key: int) -> Send:
        """Try now what has not arrived, refused objects too. Raises NotFound, BadRequest when nothing is left."""
        queued = self._sends.retry(key)
        self._dispatcher.wake()
        return queued

    def echo(self, ae_title: str) -> Echo:
        """Ask a peer whether it answers (C-ECHO). Raises NotFound when it is not known."""
        peer = self._peers.find(ae_title)
        if peer is None:
            raise NotFound("there is no peer of that AE title", hint="fileroom peer list")
        return echo(peer, self._sender.ae_title, self._sender.limits)
