"""A checkpoint of others: its folder, and what stands in it."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from safetensors import SafetensorError, safe_open

from tandem.core.errors import InputError, reason_of
from tandem.core.extras import check_extra
from tandem.pretrained.loading import load_model

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
    _loaded: dict[str, tuple[Any, set[str]]] = field(default_factory=dict, repr=False)

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
                f"{self.key} has a {CONFIG} without `model_type`, so its architecture is unknown; "
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
            f"{self.key} has no {PREPROCESSOR}, so it is unknown how to read its files; get "
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
        """Refuse weights that are missing or damaged, or a pickle, which could run code."""
        if any((self.folder / name).is_file() for name in WEIGHTS):
            for name in self._weight_files():
                self._check_weight_file(name)
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
            f"{self.key} has no {WEIGHTS[0]}, so there are no weights to load; get the whole "
            "checkpoint."
        )

    def load(self, loader: str, **options: Any) -> tuple[Any, set[str]]:
        """What a class of transformers reads of it, and the names of weights that it lacks.

        It is read once and kept until :meth:`forget`.

        :raises InputError: if the weights are not of the network that ``config.json`` describes.
        """
        if loader not in self._loaded:
            self._loaded[loader] = load_model(loader, self.folder, key=self.key, **options)
        return self._loaded[loader]

    def forget(self) -> None:
        """Give the memory back that :meth:`load` has taken."""
        self._loaded.clear()

    def _weight_files(self) -> list[str]:
        """The names of the files with weights, one or several."""
        if (self.folder / WEIGHTS[0]).is_file():
            return [WEIGHTS[0]]
        places = self.read_json(WEIGHTS[1]).get("weight_map")
        names = {str(name) for name in places.values()} if isinstance(places, dict) else set()
        if not names or any(Path(name).name != name for name in names):
            raise InputError(
                f"The file {self.folder / WEIGHTS[1]} of {self.key} does not say which files have "
                "the weights; get it again."
            )
        return sorted(names)

    def _check_weight_file(self, name: str) -> None:
        """Read its header, which says how long it is."""
        try:
            with safe_open(str(self.folder / name), framework="pt"):
                return
        except (OSError, SafetensorError) as error:
            raise InputError(
                f"The file {self.folder / name} of {self.key} is missing or damaged "
                f"({reason_of(error)}); get it again."
            ) from error


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
    except LocalEntryNotFoundError as error:
        raise InputError(
            f"{key}={path} is no folder, and the Hugging Face Hub cannot be reached; give a "
            "folder, or try again with a network."
        ) from error
    except (OSError, HfHubHTTPError) as error:
        raise InputError(
            f"{key}={path} is no folder, and the Hugging Face Hub does not give it "
            f"({reason_of(error)[:150]}); correct the name, or give a folder."
        ) from error
