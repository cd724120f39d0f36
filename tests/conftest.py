"""For all tests: one thread, which is fastest at their sizes and keeps sums in one order."""

import torch

torch.set_num_threads(1)
