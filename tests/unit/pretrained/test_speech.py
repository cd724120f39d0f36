"""Networks for speech: from a file to states, as transformers reads it alone, whatever stands
beside it in a batch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.data.features import File, PretrainedFeatures
from tandem.pretrained.speech import MaskedConvolutions, read_waveforms, read_window

transformers = pytest.importorskip("transformers")

RATE = 16000
LENGTHS = (1234, 333, 20, 480)
"""Samples of each recording; the third is shorter than what one position sees."""
SIGHT = 30
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
WAVEFORM = {
    **SIZES,
    **{"intermediate_size": 24, "conv_dim": [8, 8, 8], "conv_kernel": [10, 3, 2]},
    **{"conv_stride": [5, 2, 2], "num_feat_extract_layers": 3, "mask_time_prob": 0.0},
    **{"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, "layerdrop": 0.0},
}
WHISPER = {
    **{"d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 16},
    **{"num_mel_bins": 80, "max_source_positions": 50, "decoder_attention_heads": 2},
}


def recordings(folder: Path, lengths: tuple[int, ...]) -> Iterator[tuple[File, np.ndarray]]:
    """Files, and what stands in them."""
    for place, length in enumerate(lengths):
        samples = np.random.default_rng(place).uniform(-0.5, 0.5, length)
        path = folder / f"{place}.wav"
        soundfile.write(path, samples, RATE)
        yield File(path=str(path), bytes=None), soundfile.read(path, dtype="float32")[0]


def batch(features: PretrainedFeatures, files: list[File]) -> tuple[Tensor, Tensor]:
    """Vectors (B, S, E) with noise for padding, and mask (B, S)."""
    rows = [torch.from_numpy(features(file, "")) for file in files]
    inputs = torch.randn(len(rows), max(map(len, rows)) + 2, features.width)
    mask = torch.zeros(inputs.shape[:2], dtype=torch.bool)
    for place, vectors in enumerate(rows):
        inputs[place, : len(vectors)], mask[place, : len(vectors)] = vectors, True
    return inputs, mask


def with_random_weights(network: Any) -> Any:
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert"])
@pytest.mark.parametrize("norm", ["group", "layer"])
@torch.inference_mode()
def test_waveforms(kind: str, norm: str, tmp_path: Path) -> None:
    config = getattr(transformers, f"{kind}Config")(
        feat_extract_norm=norm, do_stable_layer_norm=norm == "layer", **WAVEFORM
    )
    network = with_random_weights(getattr(transformers, f"{kind}Model")(config))
    extractor = transformers.Wav2Vec2FeatureExtractor()
    files, expected = [], []
    for file, samples in recordings(tmp_path, LENGTHS):
        files.append(file)
        values = extractor(samples, sampling_rate=RATE)["input_values"][0]
        values = np.pad(values, (0, max(0, SIGHT - len(values))))
        expected.append(network(torch.from_numpy(values)[None]).last_hidden_state[0])
    features = PretrainedFeatures(preprocessor=extractor.to_dict())
    network.feature_extractor = MaskedConvolutions(network.feature_extractor)
    output, mask = read_waveforms(network, *batch(features, files))
    assert len(output.hidden_states) == 3
    for states, real, alone in zip(output.last_hidden_state, mask, expected, strict=True):
        torch.testing.assert_close(states[real], alone, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_whisper(tmp_path: Path) -> None:
    config = transformers.WhisperConfig(**WHISPER)
    network = with_random_weights(transformers.WhisperModel(config).get_encoder())
    extractor = transformers.WhisperFeatureExtractor(chunk_length=1)
    files, expected = [], []
    for file, samples in recordings(tmp_path, (8000, 16000, 300)):
        files.append(file)
        window = extractor(samples, sampling_rate=RATE)["input_features"]
        expected.append(network(torch.from_numpy(window)).last_hidden_state[0])
    features = PretrainedFeatures(preprocessor=extractor.to_dict())
    inputs, real = batch(features, files)
    assert real.sum(1).tolist() == [53, 100, 5]  # silence is kept once
    output, mask = read_window(network, inputs, real)
    assert mask.all()
    torch.testing.assert_close(output.last_hidden_state, torch.stack(expected), rtol=0, atol=1e-5)
    [(long, _)] = recordings(tmp_path, (16001,))
    with pytest.raises(InputError, match=r"talk is 1\.0 s long, but this checkpoint hears at most"):
        features(long, "talk")
