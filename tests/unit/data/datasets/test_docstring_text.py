"""What counts as the first line of a docstring, and what as its prose."""

import pytest

from tandem.data.datasets.docstring_text import summary_and_body

NUMPY = """Return the mean of the values.

    The mean is the sum
    divided by the number::

        sum(values) / len(values)

    Parameters
    ----------
    values : list
        What to average.

    Notes
    -----
    An empty list has no mean.

    Examples
    --------
    Some text about an example.

    >>> mean([1, 3])
    2
    """

GOOGLE = """Open a file for reading.

    Note: the caller closes it.
    Another sentence.
    Args:
      path: where the file is.

    Returns:
      A file.

    It is read as bytes.

    Raises:
        OSError: if it is not there.
    """

SPHINX = """Send a message to everybody.
    Those who are away get it later.

    .. note:: nobody is told.

    ```
    a fence

    with a gap
    ```

    | a | table |

    :param text: the message.
    :raises ValueError: if it is empty.

    - one point
    - another point
    """


@pytest.mark.parametrize(
    ("docstring", "summary", "body"),
    [
        (
            NUMPY,
            "Return the mean of the values.",
            "The mean is the sum divided by the number:\nAn empty list has no mean.",
        ),
        (
            GOOGLE,
            "Open a file for reading.",
            "Note: the caller closes it. Another sentence.\nIt is read as bytes.",
        ),
        (
            SPHINX,
            "Send a message to everybody.",
            "Those who are away get it later.\n- one point - another point",
        ),
        (
            "Make a folder with a name\n    that nobody has used\n\n    Body text.",
            "Make a folder with a name that nobody has used",
            "Body text.",
        ),
        ("One line of three", "One line of three", ""),
    ],
)
def test_parts(docstring: str, summary: str, body: str) -> None:
    assert summary_and_body(docstring) == (summary, body)


@pytest.mark.parametrize(
    "first",
    [
        "Two words",
        "sum(values, axis=None, out=None, dtype=None) -> float",
        "Here is how it goes:",
        ">>> what is it",
        "One sentence is here. Another one follows it",
        "1 2 3 4",
        " ".join(["word"] * 26),
        "===========",
    ],
)
def test_no_sentence_no_pair(first: str) -> None:
    assert summary_and_body(f"{first}\n\n    Some body text that would do.") is None
