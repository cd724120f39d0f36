"""What a run looks like afterwards: pictures and tables made from plain data."""

from tandem.reports.attention_map import AttentionMap, Drawing, draw, save
from tandem.reports.image_map import draw_image
from tandem.reports.source_map import draw_attention, source_drawing
from tandem.reports.speech_map import draw_speech
from tandem.reports.summary import print_summary

__all__ = [
    "AttentionMap",
    "Drawing",
    "draw",
    "draw_attention",
    "draw_image",
    "draw_speech",
    "print_summary",
    "save",
    "source_drawing",
]
