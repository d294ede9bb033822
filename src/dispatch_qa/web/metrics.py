"""What Prometheus may ask: how many requests of which kind, how long they took, what became of the questions."""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The figures of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._requests = Counter(
            "dispatch_qa_requests",
            "Requests, by where they went and how they ended.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "dispatch_qa_request_seconds",
            "How long a request took, from its first byte to the last of the answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._questions = Counter(
            "dispatch_qa_questions",
            "Questions, by what became of them: answered, unsupported, rejected, busy, failed.",
            ("outcome",),
            registry=self.registry,
        )
        self._pending = Gauge(
            "dispatch_qa_pending_questions", "Questions at work or waiting for a thread.", registry=self.registry
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request that ended."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def question(self, outcome: str) -> None:
        """Count what became of one question."""
        self._questions.labels(outcome).inc()

    def text(self, pending: int) -> bytes:
        """All figures in Prometheus's text format."""
        self._pending.set(pending)
        return generate_latest(self.registry)
