"""What /metrics says (Prometheus): counts and times, labelled by door, outcome and route. No patient data, no UIDs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from fileroom import __version__, errors
from fileroom.dimse.tally import Stats
from fileroom.ops.acts import Recorder
from fileroom.routing.sends import State
from fileroom.web.http import Handler, Request, Response, error_status
from fileroom.web.router import NoSuchPage, Router

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The counters of one server. Cheap enough for every object and request; thread-safe."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a time beside every counter would double the page
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge("fileroom_info", "This Fileroom", ["version"], registry=registry).labels(__version__).set(1)
        self._objects = Counter(
            "fileroom_objects", "Objects that arrived, by door and outcome", ["door", "outcome"], registry=registry
        )
        self._object_bytes = Counter("fileroom_object_bytes", "Bytes of those objects", ["door"], registry=registry)
        self._object_seconds = Histogram(
            "fileroom_object_seconds",
            "From an object's last byte to its acknowledgement",
            ["door"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "fileroom_requests", "Web requests, by route and status", ["route", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "fileroom_request_seconds",
            "From a request's headers to the beginning of its answer",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        # Finding a counter by its labels costs more than counting
        self._of_object = cache(
            lambda door, outcome: (
                self._objects.labels(door, outcome),
                self._object_bytes.labels(door),
                self._object_seconds.labels(door),
            )
        )
        self._of_request = cache(
            lambda route, status: (self._requests.labels(route, status), self._request_seconds.labels(route))
        )

    def object(self, door: str, outcome: str, size_bytes: int, seconds: float) -> None:
        """One object went through a door; `outcome` is an Outcome, or the kind of its refusal."""
        count, count_bytes, times = self._of_object(door, outcome)
        count.inc()
        count_bytes.inc(size_bytes)
        times.observe(seconds)

    def request(self, route: str, status: int, seconds: float) -> None:
        """One web request was answered."""
        count, times = self._of_request(route, status)
        count.inc()
        times.observe(seconds)

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A figure that is asked for when somebody looks."""
        Gauge(name, text, registry=self._registry).set_function(value)

    def dicom(self, stats: Callable[[], Stats]) -> None:
        """What the DICOM door counts."""
        self._registry.register(_DicomCounts(stats))

    def sends(self, counts: Callable[[], Mapping[State, int]]) -> None:
        """How many sends to peers are in each state."""
        self._registry.register(_SendCounts(counts))

    def page(self, _request: Request) -> Response:
        """GET /metrics."""
        return Response(200, [("content-type", CONTENT_TYPE_PLAIN_0_0_4)], [generate_latest(self._registry)])


class _DicomCounts(Collector):
    """The DICOM door's own counts, read when somebody looks."""

    def __init__(self, stats: Callable[[], Stats]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        stats = self._stats()
        yield GaugeMetricFamily("fileroom_associations_open", "DICOM associations open now", value=stats.open)
        events = CounterMetricFamily("fileroom_dicom_events", "What happened at the DICOM door", labels=["event"])
        for event, count in sorted(stats.counts.items()):
            events.add_metric([event], count)
        yield events


class _SendCounts(Collector):
    """The sends by state, counted when somebody looks."""

    def __init__(self, counts: Callable[[], Mapping[State, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        sends = GaugeMetricFamily("fileroom_sends", "Sends to peers, by state", labels=["state"])
        for state, count in self._counts().items():
            sends.add_metric([str(state)], count)
        yield sends


class MeasuredRouter(Router):
    """A router that counts and times what each of its routes answers, and tells the ledger."""

    def __init__(self, metrics: Metrics, recorder: Recorder | None = None) -> None:
        super().__init__()
        self._metrics = metrics
        self._recorder = recorder

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Register, as Router does; its label is method and pattern. Raises LookupError as Recorder does."""
        if self._recorder is not None:
            handler = self._recorder.recorded(method, pattern, handler)
        route = f"{method} {pattern}"

        def measured(request: Request) -> Response:
            begin = time.perf_counter()
            status = 500
            try:
                response = handler(request)
                status = response.status
                return response
            except errors.FileroomError as error:
                status = error_status(error)
                raise
            finally:
                self._metrics.request(route, status, time.perf_counter() - begin)

        super().add(method, pattern, measured)

    def __call__(self, request: Request) -> Response:
        """Answer, as Router does; what has no route is counted as one."""
        try:
            return super().__call__(request)
        except NoSuchPage:
            self._metrics.request("none", 404, 0.0)
            raise
