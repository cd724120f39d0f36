"""What a run looks like afterwards: pictures and tables made from plain data."""

from tandem.reports.attention_map import AttentionMap, draw, save
from tandem.reports.summary import summary_table

__all__ = ["AttentionMap", "draw", "save", "summary_table"]
