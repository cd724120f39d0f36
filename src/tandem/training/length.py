"""How long training lasts and how often it validates, where that follows from the data."""

import math

LEAST_EPOCHS = 20
LEAST_STEPS = 3000
STEPS_BETWEEN_VALIDATIONS = 100
LEAST_VALIDATIONS = 10


def epochs_of_training(steps: int) -> int:
    """As many epochs as make 3,000 steps, but at least 20; the last one is validated.

    :param steps: optimizer steps of an epoch.
    """
    epochs = max(LEAST_EPOCHS, math.ceil(LEAST_STEPS / steps))
    interval = epochs_between_validations(steps, epochs=epochs)
    return math.ceil(epochs / interval) * interval


def epochs_between_validations(steps: int, *, epochs: float) -> int:
    """As many epochs as make 100 steps, but so few that there are 10 validations.

    :param steps: optimizer steps of an epoch.
    :param epochs: how long training lasts at most; infinity if it has no such end.
    """
    wanted = math.ceil(STEPS_BETWEEN_VALIDATIONS / steps)
    return max(1, int(min(wanted, epochs / LEAST_VALIDATIONS)))
