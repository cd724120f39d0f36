"""How much a server does for one request, and for all of them together."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What ``conf/serve.yaml`` says, whose keys these are."""

    max_body: int
    """Bytes of a request's body."""
    max_sources: int
    """Sources of a request."""
    max_source_length: int
    """Symbols of a source or a target."""
    max_width: int
    """Hypotheses that a request may let a search keep of a source."""
    max_requests: int
    """Requests that are read, wait or are worked on at a time."""
    timeout: float
    """Seconds from a request's arrival to its answer."""
    window_ms: float
    """Milliseconds that a batch waits for more requests once its thread is free."""
    max_batch: int
    """Requests of a batch."""
    max_tokens: int
    """Source symbols of a batch, padding counted; of vectors ten times that."""
