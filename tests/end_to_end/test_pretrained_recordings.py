"""From a checkpoint for speech to a bundle that needs it no more."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tandem.commands.train import train
from tandem.data.features import PretrainedFeatures
from tandem.inference.bundle import load_bundle
from tandem.testing.media import fill_folder

transformers = pytest.importorskip("transformers")

SIZES = {
    **{"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2},
    **{"intermediate_size": 8, "conv_dim": [4, 4], "conv_kernel": [20, 8]},
    **{"conv_stride": [20, 8], "num_feat_extract_layers": 2, "vocab_size": 9},
    **{"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2},
}


def test_a_run_from_a_checkpoint(compose_config: Callable[..., Any], tmp_path: Path) -> None:
    checkpoint, run = tmp_path / "wav2vec2", tmp_path / "run"
    torch.manual_seed(0)
    model = transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config(**SIZES))
    model.save_pretrained(checkpoint)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(checkpoint)
    data = fill_folder("audio", tmp_path / "data")
    cfg = compose_config(
        "train",
        *("dataset=audiofolder", f"dataset.data_dir={data}", "hidden_size=8", "trainer=cpu"),
        *("encoder=pretrained", f"encoder.path={checkpoint}", "trainer.max_epochs=1"),
        *("optimizer.groups={encoder:{frozen:true}}", f"run.folder={run}", "logger=csv"),
        *("callbacks.attention_maps.count=1", "attention=additive", "objective.ctc_weight=0.3"),
    )
    train(cfg)
    assert (run / "attention" / "test-0.png").stat().st_size > 1000
    stored = model.wav2vec2.state_dict()
    shutil.rmtree(checkpoint)
    bundle = load_bundle(run)
    weights = bundle.model.encoder.network.state_dict()
    assert weights.keys() == stored.keys()
    assert all(torch.equal(weights[name], stored[name]) for name in weights)
    features = bundle.processors.source.features
    assert isinstance(features, PretrainedFeatures)
    assert (features.media, features.width, features.seconds_per_vector) == ("audio", 161, 0.01)
    assert len(bundle.generate([str(data / "test" / "0.wav")])) == 1
