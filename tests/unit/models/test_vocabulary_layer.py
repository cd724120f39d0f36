"""No output holds pad or bos, also where the layer is exported."""

import pytest
import torch

from tandem.core.types import FIRST_OUTPUT
from tandem.models.vocabulary_layer import VocabularyLayer


@pytest.mark.parametrize("bias", [False, True])
def test_an_exported_layer_writes_into_no_part_of_its_scores(bias: bool) -> None:
    layer = VocabularyLayer(features_size=4, target_size=9, bias=bias)
    features = torch.randn(3, 4)
    if bias:
        torch.nn.init.normal_(layer.bias)
    program = torch.export.export(layer, (features,))
    scores, exported = layer(features), program.module()(features)
    torch.testing.assert_close(exported, scores)
    assert torch.isneginf(scores[:, :FIRST_OUTPUT]).all()
    assert torch.isfinite(scores[:, FIRST_OUTPUT:]).all()
    written = [node for node in program.graph.nodes if "scatter" in str(node.target)]
    assert written == []
    factors, weight = layer.factors(features)
    torch.testing.assert_close((factors @ weight.T)[:, FIRST_OUTPUT:], scores[:, FIRST_OUTPUT:])
