"""Files read as a pretrained network needs them."""

from collections.abc import Callable, Mapping
from typing import Any, final

from tandem.core.errors import InputError
from tandem.data.features.base import Features, File, Vectors
from tandem.data.features.waveform import Waveform
from tandem.data.features.whisper_frames import WhisperFrames

KIND_KEYS = ("feature_extractor_type", "image_processor_type")
"""Where a ``preprocessor_config.json`` has the name of its class."""
KINDS: dict[str, tuple[Callable[..., Features], Mapping[str, Any]]] = {
    "Wav2Vec2FeatureExtractor": (Waveform, {"sampling_rate": 16000, "do_normalize": True}),
    "WhisperFeatureExtractor": (
        WhisperFrames,
        {
            "sampling_rate": 16000,
            "feature_size": 80,
            "hop_length": 160,
            "n_fft": 400,
            "chunk_length": 30,
        },
    ),
}
"""By the name of a class of transformers: what reads a file like it, and the class's defaults."""


@final
class PretrainedFeatures(Features):
    """Reads files as the preprocessor of a checkpoint does.

    :param preprocessor: what its ``preprocessor_config.json`` says.
    :raises InputError: if it is of an unknown kind.
    """

    def __init__(self, *, preprocessor: Mapping[str, Any]) -> None:
        kind = next((preprocessor[key] for key in KIND_KEYS if key in preprocessor), None)
        if kind not in KINDS:
            raise InputError(
                f"`features.preprocessor` must be of the kind {', '.join(KINDS)}, but is of "
                f"{kind}; choose another checkpoint."
            )
        make, defaults = KINDS[kind]
        self.reader = make(**{key: preprocessor.get(key, defaults[key]) for key in defaults})
        self.media, self.width = self.reader.media, self.reader.width
        self.seconds_per_vector = self.reader.seconds_per_vector

    def __call__(self, file: File, place: str, copy: int = 0) -> Vectors:
        """See :class:`Features`."""
        return self.reader(file, place, copy)

    def shown(self, vectors: Vectors) -> Vectors:
        """See :class:`Features`."""
        return self.reader.shown(vectors)
