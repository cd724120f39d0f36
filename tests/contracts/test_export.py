"""An exported model says the same as the model: all parts, at other sizes than it was traced at."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from tandem.core.masks import lengths_to_mask
from tandem.export.write import write_graphs


class Runtime:
    """Runs the graphs of a folder."""

    def __init__(self, folder: Path, description: dict[str, Any]) -> None:
        self.description = description
        self.sessions = {
            name: onnxruntime.InferenceSession(folder / file)
            for name, file in description["graphs"].items()
        }

    def __call__(self, graph: str, given: dict[str, Any]) -> dict[str, Any]:
        names = [spec["name"] for spec in self.description["inputs"][graph]]
        results = self.sessions[graph].run(None, {name: given[name] for name in names})
        names = [spec["name"] for spec in self.description["outputs"][graph]]
        return dict(zip(names, results, strict=True))


def sources(case: Any, rows: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Some of a case's sources, repeated, the first one of full length."""
    source = torch.cat([case.source] * (1 + rows))[:rows, :length]
    source = source.float() if source.is_floating_point() else source
    lengths = torch.tensor([max(1, length - 2 * row) for row in range(rows)])
    return source, lengths_to_mask(lengths, source.size(1))


@torch.no_grad()
def test_onnx_says_the_same(exported_case: Any, tmp_path: Path) -> None:
    case = exported_case
    model = copy.deepcopy(case.model).float()
    text = model.frontend.media == "text"
    source_size = model.frontend.table.num_embeddings if text else case.source.size(2)
    description = write_graphs(model, tmp_path, format="onnx", source_size=source_size)
    runtime = Runtime(tmp_path, description)
    own = [tensor["name"] for tensor in description["state"] if tensor["rows"] == "hypotheses"]
    generator = torch.Generator().manual_seed(0)

    def close(actual: Any, expected: torch.Tensor) -> None:
        torch.testing.assert_close(torch.from_numpy(actual), expected, rtol=1e-4, atol=1e-4)

    for rows, length, width in ((1, 1, 1), (5, 4, 3), (2, 3, 1)):
        source, mask = sources(case, rows, length)
        memory = model.encode(source, mask)
        given = runtime("encoder", {"source": source.numpy(), "source_mask": mask.numpy()})
        close(given["states"], memory.states)
        close(given["summary"], memory.summary)
        assert (given["mask"] == memory.mask.numpy()).all()
        state, tensors = model.start(memory), runtime("start", given)
        state = state.repeat(width)
        tensors |= {name: tensors[name].repeat(width, 0) for name in own}
        for position in range(5):
            tokens = torch.randint(6, (rows * width,), generator=generator)
            scores, state = model.step(tokens, state)
            given = {"tokens": tokens.numpy(), "position": np.array(position)}
            after = runtime("step", tensors | given)
            close(after["scores"], scores)
            firsts = width * torch.arange(rows).unsqueeze(1)
            order = (firsts + torch.randint(width, (rows, width), generator=generator)).flatten()
            state = state.reorder(order)
            tensors |= {name: after[f"next_{name}"][order.numpy()] for name in own}
