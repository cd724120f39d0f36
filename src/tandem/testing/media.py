"""Folders of pictures and of recordings, small enough to train on within a test."""

from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

SIZES = {"train": 8, "validation": 3, "test": 3}
"""Files of each split."""
ENDING = {"image": "png", "audio": "wav"}
NAMES = ("low", "middle", "high")
"""The targets: how bright a picture is, or how high a tone; in turns."""
OVERRIDES = {
    "image": (
        "dataset=imagefolder",
        "features.image_height=16",
        "features.image_width=16",
        "frontend.stage_sizes=[4,8]",
    ),
    "audio": (
        "dataset=audiofolder",
        "features.sampling_rate=8000",
        "features.num_mels=20",
        "features.speeds=[1.0,1.1]",
        "frontend.channels=4",
        "frontend.frequency_width=2",
        "objective.ctc_weight=0.3",
    ),
}
"""What to train a tiny model with on such a folder, beside ``dataset.data_dir``."""
_COLUMN = {"image": "caption", "audio": "transcription"}


def fill_folder(media: str, folder: Path) -> Path:
    """Write the splits with their ``metadata.csv``; return the folder."""
    for split, size in SIZES.items():
        (folder / split).mkdir(parents=True)
        lines = [f"file_name,{_COLUMN[media]}"]
        for place in range(size):
            name = f"{place}.{ENDING[media]}"
            _write(media, folder / split / name, place % len(NAMES))
            lines.append(f"{name},{NAMES[place % len(NAMES)]}")
        (folder / split / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder


def _write(media: str, path: Path, level: int) -> None:
    """A grey square or a tone of half a second."""
    if media == "image":
        Image.new("RGB", (20, 12), (80 * level, 80 * level, 80 * level)).save(path)
    else:
        time = np.arange(4000) / 8000
        soundfile.write(path, 0.4 * np.sin(2 * np.pi * 300 * (level + 1) * time), 8000)
