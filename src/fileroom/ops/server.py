"""One running Fileroom, put together from the rooms: database, archive, DICOM door, web door."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import sys
import time

from fileroom.errors import BadSetting
from fileroom.net.limits import Limits as NetLimits
from fileroom.ops import health, locks, options
from fileroom.ops.metrics import MeasuredRouter, Metrics
from fileroom.settings import Address, Settings
from fileroom.web.limits import Limits as WebLimits
from fileroom.web.server import WebServer

log = logging.getLogger("fileroom.ops")

# How long a thread may keep the interpreter while others wait: short, so that a small question is answered between
# the pieces of a large one.
_SWITCH_SECONDS = 0.0005


class Server:
    """Everything one `fileroom serve` runs. `start` once, `stop` once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closing = contextlib.ExitStack()  # what to undo, in reverse
        self._web: WebServer | None = None

    @property
    def web(self) -> Address:
        """Where the web door listens."""
        return Address(*self._web.address) if self._web else self.settings.web

    @property
    def dicom(self) -> Address:
        """Where the DICOM door listens."""
        return self.settings.dicom

    def start(self) -> None:
        """Open everything and return once both doors listen.

        Raises BadSetting, InUse, StorageFull, DatabaseUnavailable; nothing is left open then.
        """
        refuse_open_web(self.settings.web)
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            self._open()
        except BaseException:
            self._closing.close()
            raise

    def _open(self) -> None:
        settings, closing = self.settings, self._closing
        options.make_home(settings)
        lock = locks.ServerLock(settings.home)
        closing.callback(lock.release)
        closing.enter_context(locks.writing(settings.home))
        database = closing.enter_context(options.open_database(settings, make=True))
        metrics = Metrics()
        router = MeasuredRouter(metrics)
        checks = [health.database_check(database), health.packs_check(settings)]
        state = health.Health(checks)
        router.add("GET", "/healthz", state.alive)
        router.add("GET", "/readyz", state.ready)
        router.add("GET", "/metrics", metrics.page)
        self._web = WebServer((settings.web.host, settings.web.port), router, web_limits(settings))
        self._web.start()
        closing.callback(self._web.stop, settings.drain_seconds)
        started_ms = time.time_ns() // 1_000_000
        lock.write(locks.Running(os.getpid(), str(self.web), str(self.dicom), settings.ae_title, started_ms))
        log.info("started", extra={"web": str(self.web), "dicom": str(self.dicom), "pid": os.getpid()})

    def stop(self) -> None:
        """Take nothing new, let what is under way finish for the drain time, close everything."""
        log.info("stopping", extra={"drain_seconds": self.settings.drain_seconds})
        self._closing.close()
        log.info("stopped")


def refuse_open_web(address: Address) -> None:
    """Raises BadSetting unless the web address can be reached from this machine only."""
    if is_loopback(address.host):
        return
    raise BadSetting(
        f"the web address {address} can be reached from other machines, and there is no sign-in yet",
        hint="use 127.0.0.1, and reach it from elsewhere through `ssh -L 8080:127.0.0.1:8080 HOST`",
    )


def is_loopback(host: str) -> bool:
    """Does this name or address mean this machine only?"""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def web_limits(settings: Settings) -> WebLimits:
    """The web server's bounds, from the settings."""
    return WebLimits(
        connections_max=settings.web_connections_max,
        connections_per_address_max=settings.web_connections_max,
        body_bytes_max=settings.web_body_bytes_max,
        idle_seconds=settings.web_idle_seconds,
    )


def net_limits(settings: Settings) -> NetLimits:
    """The bounds of an association, from the settings."""
    return NetLimits(
        pdu_bytes_max=settings.dimse_pdu_bytes_max,
        dataset_bytes_max=settings.object_bytes_max,
        artim_seconds=settings.dimse_artim_seconds,
        idle_seconds=settings.dimse_idle_seconds,
        connect_seconds=settings.dimse_connect_seconds,
    )
