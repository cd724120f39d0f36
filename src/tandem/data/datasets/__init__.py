"""Datasets: functions that return splits with the columns source and target, one a file."""

from tandem.data.datasets.an4 import an4
from tandem.data.datasets.coco_captions import coco_captions
from tandem.data.datasets.common_voice import common_voice
from tandem.data.datasets.csv_table import csv_table
from tandem.data.datasets.debian_synopsis import debian_synopsis
from tandem.data.datasets.docstrings import docstrings
from tandem.data.datasets.emoji import emoji
from tandem.data.datasets.flickr8k import flickr8k
from tandem.data.datasets.fsdd import fsdd
from tandem.data.datasets.g2p import g2p
from tandem.data.datasets.glyphs import glyphs
from tandem.data.datasets.hub import hub
from tandem.data.datasets.hub_captions import hub_captions
from tandem.data.datasets.hub_or_folder import hub_or_folder
from tandem.data.datasets.json_lines import json_lines
from tandem.data.datasets.librispeech import librispeech
from tandem.data.datasets.media_files import media_files
from tandem.data.datasets.multi30k import multi30k
from tandem.data.datasets.parallel import parallel
from tandem.data.datasets.reverse import reverse
from tandem.data.datasets.rsicd import rsicd
from tandem.data.datasets.scan import scan
from tandem.data.datasets.spoken import spoken
from tandem.data.datasets.text import text
from tandem.data.datasets.translations import translations

__all__ = [
    "an4",
    "coco_captions",
    "common_voice",
    "csv_table",
    "debian_synopsis",
    "docstrings",
    "emoji",
    "flickr8k",
    "fsdd",
    "g2p",
    "glyphs",
    "hub",
    "hub_captions",
    "hub_or_folder",
    "json_lines",
    "librispeech",
    "media_files",
    "multi30k",
    "parallel",
    "reverse",
    "rsicd",
    "scan",
    "spoken",
    "text",
    "translations",
]
