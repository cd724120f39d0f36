"""Networks for speech: from a file to states, as transformers reads it alone, whatever stands
beside it in a batch."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.data.features import File, PretrainedFeatures
from tandem.data.features.pretrained import cleaned_preprocessor
from tandem.encoders import PretrainedEncoder
from tandem.frontends import VectorFrontend
from tandem.pretrained import ENCODERS, Checkpoint
from tandem.pretrained.architectures import cleaned, make_config
from tandem.pretrained.speech import mask_convolutions, read_waveforms, read_window
from tandem.pretrained.weights import copy_weights
from tandem.testing import check_model, partners

transformers = pytest.importorskip("transformers")

RATE = 16000
LENGTHS = (1234, 333, 20, 480)
"""Samples of each recording; the third is shorter than what one position sees."""
SIGHT = 30
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
WAVEFORM = {
    **SIZES,
    **{"intermediate_size": 24, "conv_dim": [8, 8, 8], "conv_kernel": [10, 3, 2]},
    **{"conv_stride": [5, 2, 2], "mask_time_prob": 0.0},
    **{"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, "layerdrop": 0.0},
}
WHISPER = {
    **{"d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 16},
    **{"num_mel_bins": 80, "max_source_positions": 50, "decoder_attention_heads": 2},
}
ARCHITECTURES = {
    "wav2vec2": {"model_type": "wav2vec2", **WAVEFORM},
    "hubert": {
        **{"model_type": "hubert", "feat_extract_norm": "layer", "do_stable_layer_norm": True},
        **WAVEFORM,
    },
    "whisper": {"model_type": "whisper", **WHISPER},
}
HEADS = {
    "wav2vec2": "Wav2Vec2ForCTC",
    "hubert": "HubertModel",
    "whisper": "WhisperForConditionalGeneration",
}
"""What published checkpoints hold, beside the encoder."""


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
    mask_convolutions(network)
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
    with pytest.raises(InputError, match=r"talk is 1\.0 s long, but this checkpoint reads at most"):
        features(long, "talk")


@pytest.mark.parametrize("kind", [kind for kind, one in ENCODERS.items() if one.media == "audio"])
def test_a_checkpoint(kind: str, tmp_path: Path) -> None:
    model = getattr(transformers, HEADS[kind])(make_config(ARCHITECTURES[kind]))
    model.save_pretrained(tmp_path)
    getattr(transformers, ENCODERS[kind].preprocessor)().save_pretrained(tmp_path)
    checkpoint = Checkpoint.open(str(tmp_path), key="encoder.path")
    checkpoint.check_weights()
    network = ENCODERS[kind].build(make_config(cleaned(checkpoint.config)))
    stored, missing = ENCODERS[kind].load(checkpoint)
    copy_weights(network.state_dict(), stored.state_dict(), missing, checkpoint.key)
    part = model.get_encoder() if kind == "whisper" else getattr(model, kind, model)
    assert network.state_dict().keys() == part.state_dict().keys()
    for name, weight in part.state_dict().items():
        assert torch.equal(network.state_dict()[name], weight), name
    preprocessor = cleaned_preprocessor(checkpoint.preprocessor, "")
    assert preprocessor == cleaned_preprocessor({}, ENCODERS[kind].preprocessor)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_contracts(kind: str) -> None:
    """Sources are rows of 7 samples, or frames of 8 bands."""
    changed = {"whisper": {"num_mel_bins": 8, "max_source_positions": 12}}
    architecture = {**ARCHITECTURES[kind], **changed.get(kind, {})}
    encoder = partial(PretrainedEncoder, architecture=architecture, layer=None, summary="mean")
    frontend = partial(VectorFrontend, media="audio")
    model = partners.small_model(frontend=frontend, encoder=encoder, source_size=8)
    for name, module in model.encoder.named_modules():
        if name.endswith("k_proj"):
            module.bias = None  # which moves all scores of a query alike, so that none changes
    model.requires_grad_(True)  # Whisper's positions as well
    check_model(model, source_size=8)


def test_short_recordings_in_training() -> None:
    """Stretches that are hidden in training may be longer than a recording."""
    architecture = {**ARCHITECTURES["wav2vec2"], "mask_time_prob": 0.5, "mask_time_length": 10}
    encoder = PretrainedEncoder(9, architecture=architecture, layer="mean", summary="mean")
    memory = encoder(torch.randn(2, 5, 9), torch.tensor([[True] * 5, [True] + [False] * 4]))
    assert memory.mask.sum(1).tolist() == [1, 1]
    assert torch.isfinite(memory.states).all()


@pytest.mark.parametrize("key", ["add_adapter", "conv_pos_batch_norm"])
def test_options_that_see_padding(key: str) -> None:
    kind = "wav2vec2" if key == "add_adapter" else "hubert"
    architecture = {**ARCHITECTURES[kind], key: True}
    with pytest.raises(InputError, match=rf"`encoder.architecture.{key}` must be false, since"):
        PretrainedEncoder(9, architecture=architecture, layer=None, summary="mean")


def test_a_checkpoint_without_a_preprocessor(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    checkpoint = Checkpoint.open(str(tmp_path), key="encoder.path")
    with pytest.raises(InputError, match=r"has no preprocessor_config\.json, so it is unknown how"):
        _ = checkpoint.preprocessor
    inside = '{"feature_extractor": {"sampling_rate": 8000}}'
    (tmp_path / "processor_config.json").write_text(inside)
    again = Checkpoint.open(str(tmp_path), key="encoder.path")
    assert again.preprocessor == {"sampling_rate": 8000}
