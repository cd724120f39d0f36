"""Where rows come from: one file for each way of storing them."""

from tandem.data.rows.base import Record

__all__ = ["Record"]
