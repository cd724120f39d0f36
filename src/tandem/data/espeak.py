"""Speech made by espeak-ng, called inside this process."""

import ctypes
import shutil
import tempfile
from pathlib import Path

import espeakng_loader
import numpy as np

from tandem.core.errors import InputError
from tandem.data.audio import Samples

SYNCHRONOUS = 2
"""AUDIO_OUTPUT_SYNCHRONOUS: samples go to a callback before ``espeak_Synth`` returns."""
UTF8 = 1
SPEED, PITCH, PITCH_RANGE = 1, 3, 4
"""Numbers of the parameters in espeak-ng's ``speak_lib.h``."""
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Espeak:
    """A speaker whose sound follows from its seed and from all that it has said before.

    It loads a private copy of the library, because the state of a loaded one cannot be set back.

    :param seed: of the noise in the voices.
    """

    def __init__(self, seed: int) -> None:
        self._library = _load_copy(Path(espeakng_loader.get_library_path()))
        data = espeakng_loader.get_data_path()
        self.rate = int(self._library.espeak_Initialize(SYNCHRONOUS, 0, data.encode(), 0))
        if self.rate <= 0:
            raise InputError(
                f"espeak-ng cannot read its data in {data}; install espeakng-loader again."
            )
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
        self._voices = Path(data) / "voices" / "!v"
        self._chunks: list[np.ndarray] = []
        self._callback = _CALLBACK(self._receive)  # kept, as the library only borrows it
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def say(self, text: str, *, accent: str, variant: str, speed: int, pitch: int) -> Samples:
        """Speak a text: (N,) samples at ``self.rate``.

        :param accent: a language of espeak-ng, such as ``en-us``.
        :param variant: a voice of its folder ``voices/!v``, such as ``f3``.
        :param speed: in words a minute, from 80 on.
        :param pitch: from 0 to 99; 50 is the voice's own.
        """
        self._choose(accent, variant)
        self._library.espeak_SetParameter(SPEED, speed, 0)
        self._library.espeak_SetParameter(PITCH, pitch, 0)
        self._chunks.clear()
        raw = text.encode()
        self._library.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, UTF8, None, None)
        samples = np.concatenate(self._chunks or [np.empty(0, np.int16)])
        return samples.astype(np.float32) / np.float32(32768)

    def _choose(self, accent: str, variant: str) -> None:
        """Load a voice, unless it is the last one."""
        voice = f"{accent}+{variant}"
        if voice == self._voice:
            return
        known = (self._voices / variant).is_file()  # an unknown one would be passed over silently
        if not known or self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise InputError(
                f"espeak-ng has no voice {voice}; install another version of espeakng-loader."
            )
        self._voice = voice

    def _receive(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _: object) -> int:
        """Keep a piece of sound; 0 asks for more."""
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


def _load_copy(library: Path) -> ctypes.CDLL:
    """Load a library from a copy of its file, which is no longer needed once it is loaded."""
    folder = tempfile.mkdtemp(prefix="tandem-espeak-")
    try:
        return ctypes.CDLL(str(shutil.copy(library, folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # Windows keeps a loaded file
