"""A missing package is answered by the command that installs it."""

import re

import pytest

from tandem.core.errors import InputError
from tandem.core.extras import check_extra


def test_a_missing_package_names_its_extra() -> None:
    check_extra("onnx", "json", used_by="format=onnx", otherwise="choose another format")
    message = (
        "format=onnx needs the package no_such_package, which is not installed; run "
        "pip install 'tandem-seq2seq[onnx]', or choose another format."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_extra(
            "onnx", "no_such_package", used_by="format=onnx", otherwise="choose another format"
        )
