"""An exported model says the same as the model, at other sizes than those it was traced at."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from tandem.core.masks import lengths_to_mask
from tandem.export.write import write_graphs

Arrays = dict[str, Any]
SIZES = ((1, 1, 1), (5, 4, 3), (2, 3, 1))
"""Sources, their length, and hypotheses of each; at tracing there are two, four or more, three."""


def onnx_graph(path: Path) -> Callable[[Arrays], list[Any]]:
    session = onnxruntime.InferenceSession(path)
    return lambda given: session.run(None, given)


def torch_graph(path: Path) -> Callable[[Arrays], list[Any]]:
    module = torch.export.load(path).module()
    return lambda given: [
        tensor.detach().numpy() for tensor in module(*map(torch.as_tensor, given.values()))
    ]


OPENERS = {"onnx": onnx_graph, "torch": torch_graph}


class Exported:
    """A model's graphs, written and opened."""

    def __init__(self, case: Any, format: str, folder: Path) -> None:
        self.model = copy.deepcopy(case.model).float()
        text = self.model.frontend.media == "text"
        size = self.model.frontend.table.num_embeddings if text else case.source.size(2)
        self.description = write_graphs(self.model, folder, format=format, source_size=size)
        self.graphs = {
            name: OPENERS[format](folder / file)
            for name, file in self.description["graphs"].items()
        }

    def __call__(self, graph: str, given: Arrays) -> Arrays:
        takes, gives = (
            [spec["name"] for spec in self.description[key][graph]] for key in ("inputs", "outputs")
        )
        results = self.graphs[graph]({name: given[name] for name in takes})
        return dict(zip(gives, results, strict=True))


def close(actual: Any, expected: Tensor) -> None:
    torch.testing.assert_close(torch.from_numpy(actual), expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def check(case: Any, format: str, folder: Path) -> None:
    """Read sources of several sizes, and write some symbols with hypotheses changing places."""
    exported = Exported(case, format, folder)
    model, state_tensors = exported.model, exported.description["state"]
    own = [tensor["name"] for tensor in state_tensors if tensor["rows"] == "hypotheses"]
    generator = torch.Generator().manual_seed(0)
    for rows, length, width in SIZES:
        source = torch.cat([case.source] * 2)[:rows, :length]
        source = source if source.dtype == torch.long else source.float()
        lengths = torch.tensor([max(1, length - 2 * row) for row in range(rows)])
        mask = lengths_to_mask(lengths, source.size(1))
        memory = model.encode(source, mask)
        given = exported("encoder", {"source": source.numpy(), "source_mask": mask.numpy()})
        close(given["states"], memory.states)
        close(given["summary"], memory.summary)
        assert (given["mask"] == memory.mask.numpy()).all()
        if model.ctc is not None:
            close(exported("ctc", given)["log_probs"], model.ctc.log_probs(memory))
        tensors = exported("start", given)
        tensors |= {name: tensors[name].repeat(width, 0) for name in own}
        state = model.start(memory).repeat(width)
        for position in range(4):
            tokens = torch.randint(6, (rows * width,), generator=generator)
            scores, state = model.step(tokens, state)
            given = {"tokens": tokens.numpy(), "position": np.array(position)}
            after = exported("step", tensors | given)
            close(after["scores"], scores)
            firsts = width * torch.arange(rows).unsqueeze(1)
            order = (firsts + torch.randint(width, (rows, width), generator=generator)).flatten()
            state = state.reorder(order)
            tensors |= {name: after[f"next_{name}"][order.numpy()] for name in own}


def test_programs_of_torch_say_the_same(traced_case: Any, tmp_path: Path) -> None:
    check(traced_case, "torch", tmp_path)


def test_onnx_says_the_same(translated_case: Any, tmp_path: Path) -> None:
    check(translated_case, "onnx", tmp_path)
