"""What ``GET /metrics`` counts, in the text format of Prometheus (version 0.0.4)."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets of durations."""
REQUESTS = (1, 2, 4, 8, 16, 32, 64)
"""Upper bounds of the buckets of requests in a batch."""
Labels = tuple[str, ...]


class Counter:
    """Numbers that only grow, one for each combination of labels."""

    def __init__(self, name: str, help: str, labels: Labels) -> None:
        self.name, self.help, self.labels = name, help, labels
        self._values: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def add(self, amount: float, *labels: str) -> None:
        """Count something."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + amount

    def lines(self) -> Iterator[str]:
        """The metric as text."""
        yield from _head(self.name, self.help, "counter")
        with self._lock:
            values = sorted(self._values.items())
        for labels, value in values:
            yield f"{self.name}{_braces(dict(zip(self.labels, labels, strict=True)))} {value:g}"


class Histogram:
    """How often values fall below some bounds, for each combination of labels."""

    def __init__(self, name: str, help: str, labels: Labels, bounds: Sequence[float]) -> None:
        self.name, self.help, self.labels, self.bounds = name, help, labels, bounds
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def observe(self, value: float, *labels: str) -> None:
        """Count a value."""
        with self._lock:
            counts = self._counts.setdefault(labels, [0] * (len(self.bounds) + 1))
            counts[bisect_left(self.bounds, value)] += 1
            self._sums[labels] = self._sums.get(labels, 0.0) + value

    def lines(self) -> Iterator[str]:
        """The metric as text."""
        yield from _head(self.name, self.help, "histogram")
        with self._lock:
            rows = [
                (labels, list(counts), self._sums[labels])
                for labels, counts in sorted(self._counts.items())
            ]
        for labels, counts, total in rows:
            named = dict(zip(self.labels, labels, strict=True))
            below = 0
            for bound, count in zip(
                (*map("{:g}".format, self.bounds), "+Inf"), counts, strict=True
            ):
                below += count
                yield f"{self.name}_bucket{_braces({**named, 'le': bound})} {below}"
            yield f"{self.name}_sum{_braces(named)} {total:g}"
            yield f"{self.name}_count{_braces(named)} {below}"


class Gauge:
    """A number as it is when somebody looks."""

    def __init__(self, name: str, help: str, read: Callable[[], float]) -> None:
        self.name, self.help, self.read = name, help, read

    def lines(self) -> Iterator[str]:
        """The metric as text."""
        yield from _head(self.name, self.help, "gauge")
        yield f"{self.name} {self.read():g}"


class Metrics:
    """All that a server counts.

    :param waiting: requests that wait for a model.
    """

    def __init__(self, waiting: Callable[[], float]) -> None:
        self.requests = Counter(
            "tandem_requests_total", "Answers by path and status.", ("path", "status")
        )
        self.seconds = Histogram(
            "tandem_request_seconds", "From a request to the end of its answer.", ("path",), SECONDS
        )
        self.batches = Histogram(
            "tandem_batch_requests", "Requests that a model worked on together.", (), REQUESTS
        )
        self.symbols = Counter(
            "tandem_symbols_total",
            "Symbols that models have read and written.",
            ("model", "direction"),
        )
        self.waiting = Gauge("tandem_waiting_requests", "Requests that wait for a model.", waiting)

    def text(self) -> str:
        """The page."""
        parts = (self.requests, self.seconds, self.batches, self.symbols, self.waiting)
        return "".join(f"{line}\n" for part in parts for line in part.lines())


def _head(name: str, help: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} {kind}"


def _braces(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
