"""Readers of sources: from a text, a picture or a recording to what a model reads."""

from tandem.data.readers.base import Preview, SourceReader
from tandem.data.readers.files import FileReader
from tandem.data.readers.prompt import PromptReader
from tandem.data.readers.text import TextReader

__all__ = ["FileReader", "Preview", "PromptReader", "SourceReader", "TextReader"]
