"""Files read as a pretrained network needs them."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, final

from tandem.core.errors import InputError
from tandem.data.features.base import Features, File, Vectors

KIND = "kind"
KIND_KEYS = (KIND, "feature_extractor_type", "image_processor_type")
"""Where the name of the class is: here, and in a ``preprocessor_config.json``."""
MIDDLE = [0.5, 0.5, 0.5]
PICTURES: dict[str, Any] = {
    "do_resize": True,
    "size": {"height": 224, "width": 224},
    "default_to_square": True,
    "resample": 2,
    "do_center_crop": False,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": MIDDLE,
    "image_std": MIDDLE,
}
CLIP = PICTURES | {
    "size": {"shortest_edge": 224},
    "default_to_square": False,
    "resample": 3,
    "do_center_crop": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
DEIT = PICTURES | {
    "size": {"height": 256, "width": 256},
    "resample": 3,
    "do_center_crop": True,
}
KINDS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "Wav2Vec2FeatureExtractor": (
        "waveform.Waveform",
        {"sampling_rate": 16000, "do_normalize": True},
    ),
    "WhisperFeatureExtractor": (
        "whisper_frames.WhisperFrames",
        {
            "sampling_rate": 16000,
            "feature_size": 80,
            "hop_length": 160,
            "n_fft": 400,
            "chunk_length": 30,
        },
    ),
    "ViTImageProcessor": ("image_processor.ImageProcessor", PICTURES),
    "DeiTImageProcessor": ("image_processor.ImageProcessor", DEIT),
    "CLIPImageProcessor": ("image_processor.ImageProcessor", CLIP),
    "BitImageProcessor": ("image_processor.ImageProcessor", CLIP),
}
"""By the name of a class of transformers: the class beside this one that reads files like it, which
is imported when it is asked for, and the defaults."""


def cleaned_preprocessor(preprocessor: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What of a ``preprocessor_config.json`` counts, with the defaults of its class.

    :param kind: the class, if it does not say.
    :raises InputError: if it is of an unknown kind.
    """
    kind = str(next((preprocessor[key] for key in KIND_KEYS if key in preprocessor), kind))
    kind = kind.removesuffix("Fast")
    if kind not in KINDS:  # as older versions called those of pictures
        kind = kind.replace("FeatureExtractor", "ImageProcessor")
    if kind not in KINDS:
        raise InputError(
            f"`features.preprocessor.{KIND}` must be one of {', '.join(KINDS)}, but is {kind!r}; "
            "choose another checkpoint."
        )
    _, defaults = KINDS[kind]
    given = {key: value for key, value in preprocessor.items() if value is not None}
    return {KIND: kind, **{key: given.get(key, value) for key, value in defaults.items()}}


@final
class PretrainedFeatures(Features):
    """Reads files as the preprocessor of a checkpoint does.

    :param preprocessor: what its ``preprocessor_config.json`` says, see
        :func:`cleaned_preprocessor`.
    :raises InputError: if it is of an unknown kind.
    """

    def __init__(self, *, preprocessor: Mapping[str, Any]) -> None:
        options = cleaned_preprocessor(preprocessor, "")
        module, _, name = KINDS[options.pop(KIND)][0].partition(".")
        make = getattr(import_module(f"tandem.data.features.{module}"), name)
        self.reader: Features = make(**options)
        self.media, self.width = self.reader.media, self.reader.width
        self.mean, self.std = self.reader.mean, self.reader.std
        self.seconds_per_vector = self.reader.seconds_per_vector

    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        """See :class:`Features`."""
        return self.reader(file, place, copy)

    def shown(self, vectors: Vectors) -> Vectors:
        """See :class:`Features`."""
        return self.reader.shown(vectors)
