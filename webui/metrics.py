"""/metrics for Prometheus: what this process counted, and what the tables say at the moment of asking."""

import time
from collections.abc import Iterable

from flask import Flask, Response, current_app, g, request, request_started
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core.database import Database
from core.errors import UnavailableError
from webui.errors import respond, trouble_of_status
from webui.health import blueprint, is_trusted
from webui.permissions import public
from webui.vitals import Vitals, read_vitals

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUEST_SECONDS = Histogram(
    "tingjian_request_seconds", "Time until an answer begins, by view; streams count until they open", ["view", "method", "status"],
    buckets=_BUCKETS,
)  # fmt: skip
SEARCHES = Counter("tingjian_searches", "Searches typed or asked over the API", ["is_degraded"])


def count_search(is_degraded: bool) -> None:
    """Count one search, and whether it was answered from memory because Elasticsearch was away."""
    SEARCHES.labels(str(is_degraded).lower()).inc()


class TableCollector(Collector):
    """Reads the tables when Prometheus asks. Without the database only `tingjian_database_up 0` is told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterable[Metric]:
        """Return nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Return the figures."""
        up = GaugeMetricFamily("tingjian_database_up", "1 while PostgreSQL answers")
        try:
            with self._database.transaction() as session:
                vitals = read_vitals(session)
        except UnavailableError:
            up.add_metric([], 0)
            return [up]
        up.add_metric([], 1)
        return [up, *_families(vitals)]


def _families(vitals: Vitals) -> list[Metric]:
    processes = GaugeMetricFamily(
        "tingjian_process_heartbeat_seconds", "Seconds since a process was last heard", labels=["process", "node", "pid"]
    )
    for sign in vitals.signs:
        processes.add_metric([sign.name, sign.node, str(sign.pid)], sign.age_seconds)
    degraded = CounterMetricFamily("tingjian_degraded_suggestions", "Suggestions made from memory while Elasticsearch was away")
    degraded.add_metric([], vitals.degraded_suggestions)
    return [
        _gauge("tingjian_outbox_waiting", "Events that no handler has finished", vitals.events.waiting),
        _gauge("tingjian_outbox_oldest_seconds", "Age of the oldest waiting event", vitals.events.oldest_seconds),
        _gauge("tingjian_outbox_parked", "Events given up after all attempts, for a person to look at", vitals.events.given_up),
        _gauge("tingjian_jobs_ready", "Jobs that are due", vitals.jobs.waiting),
        _gauge("tingjian_jobs_oldest_seconds", "How long the oldest due job has waited", vitals.jobs.oldest_seconds),
        _gauge("tingjian_jobs_dead", "Jobs given up after all attempts, for a person to look at", vitals.jobs.given_up),
        _by_state("tingjian_calls", "Calls that go on, by state", vitals.calls_by_state),
        _by_state("tingjian_agents", "Active agents, by state", vitals.agents_by_state),
        _gauge("tingjian_transcript_lag_seconds", "Worst lag of live text in 5 minutes", vitals.transcript_lag_seconds),
        _gauge("tingjian_recordings_lost", "Recordings that are missing or cut short", vitals.lost_recordings),
        degraded,
        processes,
    ]


def _gauge(name: str, meaning: str, value: float) -> Metric:
    family = GaugeMetricFamily(name, meaning)
    family.add_metric([], value)
    return family


def _by_state(name: str, meaning: str, counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=["state"])
    for state, count in sorted(counts.items()):
        family.add_metric([state], count)
    return family


@blueprint.get("/metrics")
@public
def metrics() -> Response | tuple[Response | str, int]:
    """Tell everything, to this machine or a token."""
    if not is_trusted():
        return respond(trouble_of_status(403))
    registry: CollectorRegistry = current_app.extensions["table_metrics"]
    return Response(generate_latest(REGISTRY) + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _begin(_app: Flask) -> None:
    g.begun_at = time.perf_counter()


def install(app: Flask, database: Database) -> None:
    """Time every request and make the tables' figures ready to be asked."""
    registry = CollectorRegistry()
    registry.register(TableCollector(database))
    app.extensions["table_metrics"] = registry

    # The signal comes before every gate, so that refused requests are timed too.
    request_started.connect(_begin, app)

    @app.after_request
    def count(response: Response) -> Response:
        # The view's name and not the address: an address can be anything, and each would be a series of its own.
        view = request.endpoint or "none"
        seconds = time.perf_counter() - g.pop("begun_at", time.perf_counter())
        REQUEST_SECONDS.labels(view, request.method if view != "none" else "-", str(response.status_code)).observe(seconds)
        return response
