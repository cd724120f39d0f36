"""Networks for pictures: from a file to states, as transformers reads it."""

import io
import json
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tandem.core.errors import InputError
from tandem.data.features import File, PretrainedFeatures
from tandem.data.features.image_processor import ImageProcessor
from tandem.data.features.pretrained import PICTURES, cleaned_preprocessor
from tandem.encoders import PretrainedEncoder
from tandem.frontends import VectorFrontend
from tandem.pretrained import ENCODERS, Checkpoint
from tandem.pretrained.architectures import cleaned
from tandem.pretrained.weights import copy_weights
from tandem.testing import partners

transformers = pytest.importorskip("transformers")

SIDE, PATCH = 12, 4
VIT = {
    **{"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2},
    **{"image_size": SIDE, "patch_size": PATCH},
}
SIZES = {**VIT, "intermediate_size": 16}
TEXT = {
    **{"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 10},
    **{"intermediate_size": 8, "max_position_embeddings": 8, "bos_token_id": 0, "eos_token_id": 1},
}
PUBLISHED = {
    "vit": ("ViTForImageClassification", "vit", SIZES),
    "deit": ("DeiTModel", "", SIZES),
    "clip": ("CLIPModel", "vision_model", {"vision_config": SIZES, "text_config": TEXT}),
    "clip_vision_model": ("CLIPVisionModelWithProjection", "vision_model", SIZES),
    "dinov2": ("Dinov2Model", "", {**VIT, "mlp_ratio": 2}),
}
"""Classes whose checkpoints are on the Hub, where the encoder stands in them, and small sizes."""
SQUARE = {"height": SIDE, "width": SIDE}
PROCESSORS = {
    "ViTImageProcessor": ("vit", {"size": SQUARE}),
    "DeiTImageProcessor": ("deit", {"size": {"height": 17, "width": 15}, "crop_size": SQUARE}),
    "CLIPImageProcessor": ("clip", {"size": {"shortest_edge": 14}, "crop_size": SQUARE}),
    "BitImageProcessor": (
        "bit",
        {"size": {"shortest_edge": 9}, "crop_size": SQUARE, "rescale_factor": 1 / 100},
    ),
}
"""The last one's pictures are smaller than what is cut out of them."""
FROM_THE_MIDDLE = {"default_to_square": False, "do_center_crop": True}


def picture(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def processor(name: str) -> Any:
    """That of transformers which needs no torchvision."""
    package, options = PROCESSORS[name]
    module = import_module(f"transformers.models.{package}.image_processing_pil_{package}")
    return getattr(module, f"{name}Pil")(**options)


def read(theirs: Any, image: Image.Image, path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of pixels, as the frontend passes them on, and the mask of one picture."""
    image.save(path)
    theirs.save_pretrained(path.parent)
    described = json.loads((path.parent / "preprocessor_config.json").read_text())
    features = PretrainedFeatures(preprocessor=cleaned_preprocessor(described, ""))
    rows = torch.tensor(features(File(path=str(path), bytes=None), ""))[None]
    frontend = VectorFrontend(
        source_size=features.width, media="image", mean=features.mean, std=features.std
    )
    return frontend(rows, torch.ones(rows.shape[:2], dtype=torch.bool))


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize(("width", "height"), [(30, 20), (11, 26), (SIDE, SIDE)])
def test_pixels_are_those_of_the_processor(
    name: str, width: int, height: int, tmp_path: Path
) -> None:
    image, theirs = picture(width, height), processor(name)
    rows, _ = read(theirs, image, tmp_path / "picture.png")
    expected = theirs(image, return_tensors="pt")["pixel_values"]
    pixels = rows.unflatten(2, (-1, 3)).permute(0, 3, 1, 2)
    torch.testing.assert_close(pixels, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", PUBLISHED)
@torch.inference_mode()
def test_states_are_those_of_the_checkpoint(kind: str, tmp_path: Path) -> None:
    name, part, sizes = PUBLISHED[kind]
    model = getattr(transformers, name)(transformers.AutoConfig.for_model(kind, **sizes)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(tmp_path)
    checkpoint = Checkpoint.open(str(tmp_path), key="encoder.path")
    checkpoint.check_weights()
    encoder = PretrainedEncoder(
        3 * SIDE, architecture=cleaned(checkpoint.config), layer=None, summary="first"
    ).eval()
    stored, missing = encoder.architecture.load(checkpoint)
    copy_weights(encoder.network.state_dict(), stored.state_dict(), missing, checkpoint.key)
    theirs = processor(encoder.architecture.preprocessor)
    image = picture(30, 20)
    memory = encoder(*read(theirs, image, tmp_path / "picture.png"))
    pixels = theirs(image, return_tensors="pt")["pixel_values"]
    states = model.get_submodule(part)(pixel_values=pixels).last_hidden_state
    patches = states[:, -((SIDE // PATCH) ** 2) :]
    torch.testing.assert_close(memory.states, patches, rtol=0, atol=1e-5)
    torch.testing.assert_close(memory.summary, states[:, 0], rtol=0, atol=1e-5)
    assert memory.mask.all()
    assert memory.mask.shape == (1, 9)
    encoder.summary = "mean"
    again = encoder(*read(theirs, image, tmp_path / "picture.png"))
    torch.testing.assert_close(again.summary, patches.mean(1), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", [kind for kind, one in ENCODERS.items() if one.media == "image"])
def test_pictures_of_another_size_than_in_their_training(kind: str) -> None:
    """Positions are resampled; the grid is known; every weight learns."""
    torch.manual_seed(0)
    encoder = partial(
        PretrainedEncoder,
        architecture={"model_type": kind, **PUBLISHED[kind][2]},
        layer=None,
        summary="mean",
    )
    model = partners.small_model(
        frontend=partial(VectorFrontend, media="image"), encoder=encoder, source_size=3 * 2 * PATCH
    )
    assert model.grid(3 * PATCH + 1) == (3, 2)
    source = torch.randint(0, 256, (2, 3 * PATCH + 1, 3 * 2 * PATCH), dtype=torch.uint8)
    mask = torch.ones(source.shape[:2], dtype=torch.bool)
    assert model.encode(source, mask).states.shape == (2, 6, 8)
    model(source, mask, torch.tensor([[1, 4], [1, 5]])).sum().backward()
    assert [name for name, one in model.named_parameters() if one.grad is None] == []


@pytest.mark.parametrize(("rows", "size"), [(3, 12), (12, 13), (12, 9)])
def test_pictures_without_a_patch(rows: int, size: int) -> None:
    encoder = PretrainedEncoder(
        size, architecture={"model_type": "vit", **SIZES}, layer=None, summary="mean"
    )
    message = rf"3 channels in patches of 4 x 4 pixels, but these have {rows} rows of {size} values"
    with pytest.raises(InputError, match=message):
        encoder.grid(rows, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resample": 9}, "`features.preprocessor.resample` must be the number of a filter"),
        ({"size": {"longest_edge": 3}}, "`features.preprocessor.size` must be `height` and `wid"),
        ({"size": {"shortest_edge": 3}}, "`features.preprocessor` leaves pictures of different"),
        ({"do_resize": False}, "`features.preprocessor` leaves pictures of different sizes"),
        ({"size": 10**9}, "`features.preprocessor.size` must be `height` and `width`, or"),
        ({"rescale_factor": 0}, "`features.preprocessor.rescale_factor` must be a number above 0"),
        ({"image_mean": [0.5]}, "`features.preprocessor.image_mean` must have a number for each"),
    ],
    ids=str,
)
def test_what_no_processor_says(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        ImageProcessor(**{**PICTURES, **changes})


def test_a_picture_that_is_a_line() -> None:
    reader = ImageProcessor(**{**PICTURES, "size": 224, "crop_size": 9, **FROM_THE_MIDDLE})
    file = io.BytesIO()
    Image.new("RGB", (10_000, 1)).save(file, format="PNG")
    with pytest.raises(InputError, match=r"^The picture line has 10000 x 1 pixels, which become 2"):
        reader(File(path=None, bytes=file.getvalue()), "line")


@pytest.mark.parametrize(
    ("described", "kind", "size"),
    [
        ({"feature_extractor_type": "CLIPFeatureExtractor", "size": 9}, "CLIPImageProcessor", 9),
        ({"image_processor_type": "ViTImageProcessorFast", "size": 9}, "ViTImageProcessor", 9),
        ({"size": None}, "ViTImageProcessor", {"height": 224, "width": 224}),
    ],
    ids=str,
)
def test_names_of_older_versions(described: dict[str, Any], kind: str, size: Any) -> None:
    preprocessor = cleaned_preprocessor(described, "ViTImageProcessor")
    assert (preprocessor["kind"], preprocessor["size"]) == (kind, size)
    assert PretrainedFeatures(preprocessor=preprocessor).media == "image"
