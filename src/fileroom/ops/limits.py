"""The bounds of each room, from the settings."""

from __future__ import annotations

from fileroom.archive.receive import ReceiveLimits
from fileroom.archive.workers import WorkerLimits
from fileroom.net.limits import Limits as NetLimits
from fileroom.routing.routing import RoutingLimits
from fileroom.settings import Settings
from fileroom.web.limits import Limits as WebLimits

_BUFFERED_BYTES_MAX = 32 << 20  # an object up to this is gathered in memory


def receive_limits(settings: Settings) -> ReceiveLimits:
    """What is taken in."""
    return ReceiveLimits(
        object_bytes_max=settings.object_bytes_max,
        buffered_bytes_max=min(_BUFFERED_BYTES_MAX, settings.receive_memory_bytes // 4),
        memory_bytes_max=settings.receive_memory_bytes,
        pack_bytes_max=settings.pack_bytes_max,
        pack_age_seconds_max=settings.pack_age_seconds_max,
    )


def net_limits(settings: Settings) -> NetLimits:
    """One association."""
    return NetLimits(
        pdu_bytes_max=settings.dimse_pdu_bytes_max,
        dataset_bytes_max=2 * settings.object_bytes_max,  # a refused one is still read to its end
        artim_seconds=settings.dimse_artim_seconds,
        idle_seconds=settings.dimse_idle_seconds,
        connect_seconds=settings.dimse_connect_seconds,
    )


def web_limits(settings: Settings) -> WebLimits:
    """The web server."""
    return WebLimits(
        connections_max=settings.web_connections_max,
        connections_per_address_max=settings.web_connections_max,
        body_bytes_max=settings.web_body_bytes_max,
        idle_seconds=settings.web_idle_seconds,
    )


def worker_limits(settings: Settings) -> WorkerLimits:
    """The processes that decode and render."""
    return WorkerLimits(
        count_max=settings.decode_workers_max,
        memory_bytes=settings.decode_memory_bytes,
        seconds_max=settings.decode_seconds_max,
    )


def routing_limits(settings: Settings) -> RoutingLimits:
    """What is sent on."""
    return RoutingLimits(
        destinations_max=settings.send_destinations_max,
        attempts_max=settings.send_attempts_max,
        quiet_seconds=settings.forward_quiet_seconds,
    )
