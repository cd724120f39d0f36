"""A checkpoint of others: its folder, and what stands in it."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from tandem.core.errors import InputError, reason_of
from tandem.core.extras import check_extra

CONFIG, TOKENIZER = "config.json", "tokenizer.json"
PREPROCESSOR, PROCESSOR = "preprocessor_config.json", "processor_config.json"
PREPROCESSORS = ("feature_extractor", "image_processor")
"""Parts of a processor that read files."""
FILES = ("*.json", "*.safetensors", "*.model", "*.spm", "*.txt")
"""What is fetched from the Hub: no code, no pickles."""
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.ckpt")


def check_transformers(used_by: str, otherwise: str) -> None:
    """Refuse to go on without the package transformers."""
    check_extra("pretrained", "transformers", used_by=used_by, otherwise=otherwise)


@dataclass(frozen=True)
class Checkpoint:
    """A folder as transformers saves it; nothing in it is run."""

    key: str
    """What the user calls it by, such as ``encoder.path=folder``, for messages."""
    folder: Path

    @classmethod
    def open(cls, path: str, *, key: str) -> Self:
        """Find a folder, or fetch it from the Hugging Face Hub.

        :param path: a folder, or a name on the Hub.
        :param key: of the config, such as ``encoder.path``.
        :raises InputError: if there is none, or the Hub cannot be reached.
        """
        check_transformers(f"{key}={path}", f"leave {key.partition('.')[0]}=pretrained out")
        folder = Path(path)
        if not folder.is_dir():
            folder = _from_hub(path, key)
        checkpoint = cls(f"{key}={path}", folder)
        if not (folder / CONFIG).is_file():
            raise InputError(
                f"{checkpoint.key} has no {CONFIG}, so it is no checkpoint of transformers; give "
                "the folder that save_pretrained wrote."
            )
        return checkpoint

    @cached_property
    def config(self) -> dict[str, Any]:
        """What ``config.json`` says.

        :raises InputError: if it is damaged.
        """
        config = self.read_json(CONFIG)
        if not isinstance(config.get("model_type"), str):
            raise InputError(
                f"{self.key} has a {CONFIG} without `model_type`, so nobody knows its network; "
                "give another checkpoint."
            )
        return config

    @cached_property
    def preprocessor(self) -> dict[str, Any]:
        """How its files are read: ``preprocessor_config.json``, or that part of a processor's.

        :raises InputError: if nothing says that.
        """
        processor = self.read_json(PROCESSOR)
        for content in (self.read_json(PREPROCESSOR), *map(processor.get, PREPROCESSORS)):
            if isinstance(content, dict) and content:
                return content
        raise InputError(
            f"{self.key} has no {PREPROCESSOR}, so nobody knows how its files are to be read; get "
            "the whole checkpoint."
        )

    def read_json(self, name: str) -> dict[str, Any]:
        """What a JSON file of the folder says; nothing if there is none."""
        path = self.folder / name
        if not path.is_file():
            return {}
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"The file {path} of {self.key} is damaged ({reason_of(error)}); get it again."
            ) from error
        return content if isinstance(content, dict) else {}

    def check_weights(self) -> None:
        """Refuse a checkpoint whose weights are missing, or a pickle, which could run code."""
        if any((self.folder / name).is_file() for name in WEIGHTS):
            return
        pickles = [name for name in PICKLES if (self.folder / name).is_file()]
        if pickles:
            raise InputError(
                f"{self.key} has its weights in {pickles[0]}, a pickle, which may run code as it "
                'is read; convert it where you trust it: python -c "from transformers import '
                f"AutoModel as M; M.from_pretrained('{self.folder}').save_pretrained('converted')\""
                ", and copy the tokenizer's files there."
            )
        raise InputError(
            f"{self.key} has no {WEIGHTS[0]}, so there is nothing to begin with; get the whole "
            "checkpoint."
        )


def _from_hub(path: str, key: str) -> Path:
    """The folder in which the Hub's files are kept on this machine."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(path, allow_patterns=list(FILES)))
    except HFValidationError as error:
        raise InputError(
            f"{key}={path} is neither a folder nor a name on the Hugging Face Hub; correct it."
        ) from error
    except (LocalEntryNotFoundError, OSError, HfHubHTTPError) as error:
        raise InputError(
            f"{key}={path} is no folder, and it cannot be fetched from the Hugging Face Hub "
            f"({reason_of(error)[:150]}); give a folder, or try again with a network."
        ) from error
