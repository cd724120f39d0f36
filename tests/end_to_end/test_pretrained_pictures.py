"""From a checkpoint for pictures to a bundle that needs it no more."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tandem.commands.train import train
from tandem.inference.bundle import load_bundle
from tandem.testing.media import fill_folder

transformers = pytest.importorskip("transformers")

SIZES = {
    **{"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2},
    **{"image_size": 8, "patch_size": 4, "intermediate_size": 8},
}
PROCESSOR = (
    '{"image_processor_type": "ViTImageProcessor", "size": {"height": 8, "width": 8}, '
    '"image_mean": [0.4, 0.5, 0.6]}'
)


def test_a_run_from_a_checkpoint(compose_config: Callable[..., Any], tmp_path: Path) -> None:
    checkpoint, run = tmp_path / "vit", tmp_path / "run"
    torch.manual_seed(0)
    transformers.ViTModel(transformers.ViTConfig(**SIZES)).save_pretrained(checkpoint)
    (checkpoint / "preprocessor_config.json").write_text(PROCESSOR)
    data = fill_folder("image", tmp_path / "data")
    cfg = compose_config(
        "train",
        *("dataset=imagefolder", f"dataset.data_dir={data}", "hidden_size=8", "trainer=cpu"),
        *("encoder=pretrained", f"encoder.path={checkpoint}", "trainer.max_epochs=1"),
        *("optimizer.groups={encoder:{frozen:true}}", f"run.folder={run}", "logger=csv"),
        *("callbacks.attention_maps.count=1", "attention=additive"),
    )
    train(cfg)
    assert (run / "attention" / "test-0.png").stat().st_size > 1000
    stored = transformers.ViTModel.from_pretrained(checkpoint).state_dict()
    shutil.rmtree(checkpoint)
    bundle = load_bundle(run)
    weights = bundle.model.encoder.network.state_dict()
    assert all(torch.equal(weights[name], stored[name]) for name in weights)
    assert bundle.model.frontend.middle[:3].tolist() == pytest.approx([-0.2, 0.0, 0.2])
    assert bundle.model.grid(8) == (2, 2)
    assert len(bundle.generate([str(data / "test" / "0.png")])) == 1
