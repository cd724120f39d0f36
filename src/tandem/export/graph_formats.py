"""Graphs in the formats that Tandem itself can run again: ONNX, and programs of torch.export."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from tandem.core.types import SPECIAL_IDS
from tandem.export.base import FLOAT32, INT8, Exporter, network
from tandem.export.quiet import quiet
from tandem.export.write import write_graphs
from tandem.inference import Bundle


class GraphsExporter(Exporter):
    """Encoder, start, step, and CTC if the model has it, a file each."""

    format: str

    def check(self, bundle: Bundle) -> None:
        """Any model of Tandem's own can be traced; a part that cannot be says so as it is."""
        network(bundle)

    def write(self, bundle: Bundle, folder: Path, *, weights: str) -> dict[str, Any]:
        """See :class:`Exporter`."""
        description = write_graphs(
            network(bundle),
            folder,
            format=self.format,
            source_size=bundle.processors.source.size,
        )
        if weights == INT8:
            for name in description["graphs"].values():
                quantize(folder / name)
        return {
            "format": self.format,
            "weights": weights,
            **description,
            "special_ids": asdict(SPECIAL_IDS),
        }

    def usage(self, output: Path) -> str:
        """Tandem's commands take it in the place of a run."""
        return f"it takes the place of a run: tandem generate run={output}"


class ONNX(GraphsExporter):
    """Graphs for ONNX Runtime and whatever else reads ONNX."""

    format = "onnx"
    weights = (FLOAT32, INT8)


class TorchPrograms(GraphsExporter):
    """Programs that torch runs without the code that they were traced from."""

    format = "torch"


def quantize(path: Path) -> None:
    """Make the weights of a graph's products eight bits wide; activations are, as it runs.

    Every column of a weight has a scale of its own, which costs nothing and rounds less.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(path)
    _turn_weights(model.graph)
    with quiet(None, Warning):  # it tells each caller what to do beforehand
        quantize_dynamic(model, path, per_channel=True, weight_type=QuantType.QInt8)


def _turn_weights(graph: Any) -> None:
    """Store weights as products read them, as the quantiser looks at no weight that a node turns.

    Embeddings that are the vocabulary layer's weights, too, are stored twice then.
    """
    from onnx import helper, numpy_helper

    weights = {one.name: one for one in graph.initializer}
    for node in [one for one in graph.node if one.op_type == "Transpose"]:
        if node.input[0] in weights:
            array = numpy_helper.to_array(weights[node.input[0]])
            axes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
            turned = numpy_helper.from_array(array.transpose(axes.get("perm")), node.output[0])
            graph.initializer.append(turned)
            graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for one in [one for one in graph.initializer if one.name not in used]:
        graph.initializer.remove(one)
