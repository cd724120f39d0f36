"""What all pages of the program have in common: their colours, and a few rules before their own."""

from pathlib import Path

PAGE_STYLE = Path(__file__).with_name("page_style.css")


def page_style() -> str:
    """The style sheet."""
    return PAGE_STYLE.read_text(encoding="utf-8")
