"""Every parameter learns."""

from tandem.testing import gradients


def test_the_gradient_reaches_every_parameter(case) -> None:
    gradients.reaches_every_parameter(case)
