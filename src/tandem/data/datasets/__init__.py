"""Datasets: functions that return splits with the columns source and target, one a file."""

from tandem.data.datasets.csv_table import csv_table
from tandem.data.datasets.g2p import g2p
from tandem.data.datasets.hub import hub
from tandem.data.datasets.json_lines import json_lines
from tandem.data.datasets.multi30k import multi30k
from tandem.data.datasets.parallel import parallel
from tandem.data.datasets.reverse import reverse
from tandem.data.datasets.scan import scan

__all__ = ["csv_table", "g2p", "hub", "json_lines", "multi30k", "parallel", "reverse", "scan"]
