"""The prose of a docstring: its first line, and what the other paragraphs say."""

import inspect
import re
from collections.abc import Iterator
from itertools import takewhile

SUMMARY_WORDS = range(3, 26)
"""How many words a summary may have."""

PROSE_SECTIONS = {"description", "details", "explanation", "introduction", "notes", "overview"}
"""Underlined sections whose text is kept; all others list parameters, results or examples."""

_NOT_PROSE = re.compile(r">>>|\.\. |:[\w-]+|@\w+|[|+=~#$%\[{<\\]|-{3}|```|In \[\d|(\w+: *$)")
"""How the first line of a block begins that is code, a table, a field or a heading."""
_UNDERLINE = re.compile(r"([-=~^*#\"'`])\1{2,}\s*$")
_SIGNATURE = re.compile(r"[\w.]+ ?\(.*\)( ?->.*)?\.?$")
_FIELD = re.compile(
    r"(?!Note|Warning|Important|Caution)"
    r"(- +|\* +)?(\*\*|``?)?\w+(\*\*|``?)? *(\([^)]*\))? *(:|--)( |$)"
)
_SECOND_SENTENCE = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!vs)[.!?] +[A-Z`]")
_WORD = re.compile(r"[A-Za-z]{2,}")


def summary_and_body(docstring: str) -> tuple[str, str] | None:
    """Return the first line and the prose behind it, or None if there is no such line.

    Lists of parameters, results and errors, examples, tables and code are left out of the body,
    which may be empty; its paragraphs are lines.
    """
    first, *others = _blocks(inspect.cleandoc(docstring))
    if first and first[0].endswith("."):  # some authors leave no blank line behind their first
        first, others = first[:1], [first[1:], *others]
    summary = " ".join(" ".join(first).split())
    return (summary, "\n".join(_prose(others))) if _is_sentence(summary) else None


def _blocks(text: str) -> list[list[str]]:
    """Split at blank lines, but not inside of a fence of backticks."""
    blocks: list[list[str]] = [[]]
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        if line.strip() or fenced:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return blocks if blocks[-1] or len(blocks) == 1 else blocks[:-1]


def _is_sentence(line: str) -> bool:
    """Whether a line says something, rather than show a signature or a heading."""
    return (
        len(line.split()) in SUMMARY_WORDS
        and len(_WORD.findall(line)) >= SUMMARY_WORDS.start
        and (line[0].isalpha() or line[0] in "`'\"")
        and line[-1] not in ":,;\\"
        and ">>>" not in line
        and not _SIGNATURE.match(line)
        and not _SECOND_SENTENCE.search(line)
    )


def _prose(blocks: list[list[str]]) -> Iterator[str]:
    """Yield the paragraphs of sentences, each as one line."""
    kept = True
    for block in blocks:
        if len(block) > 1 and _UNDERLINE.match(block[1]):
            kept = block[0].strip().lower().rstrip(":") in PROSE_SECTIONS
            block = block[2:]
        sentences = list(takewhile(_is_prose, block)) if kept else []
        if sentences:
            yield re.sub(r"\s*::$", ":", " ".join(" ".join(sentences).split()))


def _is_prose(line: str) -> bool:
    """Whether a line belongs to sentences, not to an indented block, a list of fields or code."""
    return not (line[0].isspace() or _NOT_PROSE.match(line) or _FIELD.match(line))
