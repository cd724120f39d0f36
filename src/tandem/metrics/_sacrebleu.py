"""What the three metrics of sacreBLEU have in common."""

from typing import Any


def transpose(references: list[list[str]]) -> Any:
    """Turn lists by row into sacreBLEU's streams: the n-th reference of every row together.

    Rows with fewer references than others have None in the later streams, which sacreBLEU
    allows but its types do not.
    """
    width = max(len(texts) for texts in references)
    return [[texts[i] if i < len(texts) else None for texts in references] for i in range(width)]


def signature(scorer: Any) -> str:
    """Return sacreBLEU's signature, before the first scoring without the number of references."""
    prefix = type(scorer).__name__.lower()
    if not hasattr(scorer, "num_refs"):
        placeholder = scorer._SIGNATURE_TYPE({**vars(scorer), "num_refs": None})
        return f"sacrebleu.{prefix}|{placeholder.format()}"
    return f"sacrebleu.{prefix}|{scorer.get_signature().format()}"
