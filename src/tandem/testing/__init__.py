"""The contract tests as functions: what a part promises, checked on a part of one's own.

Each raises an AssertionError that begins with the first promise that is broken.
"""

from tandem.testing.features import check_features
from tandem.testing.metric import check_metric
from tandem.testing.models import (
    check_attention,
    check_bridge,
    check_decoder,
    check_encoder,
    check_frontend,
    check_model,
)
from tandem.testing.search import check_rule, check_scorer, check_search
from tandem.testing.tokenizer import check_tokenizer

__all__ = [
    "check_attention",
    "check_bridge",
    "check_decoder",
    "check_encoder",
    "check_features",
    "check_frontend",
    "check_metric",
    "check_model",
    "check_rule",
    "check_scorer",
    "check_search",
    "check_tokenizer",
]
