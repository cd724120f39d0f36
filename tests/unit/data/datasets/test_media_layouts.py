"""Every published layout of pictures and recordings loads with the option that is meant for it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from tandem.config.instantiate import make
from tests.unit.data.media_layouts import MEDIA_LAYOUTS, MediaLayout


@pytest.mark.parametrize("layout", [pytest.param(v, id=k) for k, v in MEDIA_LAYOUTS.items()])
def test_a_published_layout(
    compose_config: Callable[..., DictConfig],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    layout: MediaLayout,
) -> None:
    monkeypatch.delenv("TANDEM_DATA", raising=False)
    layout.write(tmp_path)
    chosen = (f"dataset={layout.option}", f"dataset.data_dir={tmp_path}", *layout.overrides)
    data = make(compose_config("train", *chosen).dataset)
    assert {split: len(rows) for split, rows in data.items()} == layout.sizes
    first = data["train"][0]
    assert (first["source"]["path"], first["target"]) == (str(tmp_path / layout.file), layout.text)
    for rows in data.values():
        for source in rows["source"]:
            assert Path(source["path"].partition("#")[0]).is_file()
