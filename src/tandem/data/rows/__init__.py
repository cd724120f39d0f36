"""Where rows come from: one file for each way of storing them."""

from tandem.data.rows.base import Column, Offset, Record, RowFile, WholeFile

__all__ = ["Column", "Offset", "Record", "RowFile", "WholeFile"]
