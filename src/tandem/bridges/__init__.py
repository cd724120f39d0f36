"""Ways from the encoder's summary to a recurrent decoder's first state."""

from tandem.bridges.base import Bridge
from tandem.bridges.copy import CopyBridge
from tandem.bridges.linear import LinearBridge
from tandem.bridges.zeros import ZerosBridge

__all__ = ["Bridge", "CopyBridge", "LinearBridge", "ZerosBridge"]
