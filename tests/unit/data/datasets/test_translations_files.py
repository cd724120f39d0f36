"""Which files `translations` takes for which split, and what it refuses."""

import gzip

import pytest

from tandem.core.errors import InputError
from tandem.data.datasets import translations

TMX = '<?xml version="1.0" encoding="{}"?>\n<!-- <a> -->\n<tmx version="1.4"><body>{}</body></tmx>'


def unit(number, **texts):
    texts = {"en_GB": f"a {number}", "de": f"b {number}"} | texts
    inside = "".join(
        f'<tuv xml:lang="{language.replace("_", "-")}"><seg>{text}</seg></tuv>'
        for language, text in texts.items()
        if text is not None
    )
    return f"<tu>{inside}</tu>"


def memory(*units, encoding="UTF-8"):
    return TMX.format(encoding, "".join(units)).encode(encoding)


def write(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "-").replace("_", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def sgm(kind, count, text, document="d"):
    segments = "".join(f'<seg id="{n}">{text} {n}</seg>' for n in range(count))
    return f'<{kind}><doc docid="{document}">{segments}</doc></{kind}>'


def load(folder, **changes):
    options = {"train": "auto", "validation": "auto", "test": "auto", "seed": 0, "group": None}
    options |= {"source": "en", "target": "de", "strip": False, "on_bad_example": "error"}
    return translations(data_dir=str(folder), **options | changes)


def sizes(splits):
    return {name: rows.num_rows for name, rows in splits.items()}


def test_splits_by_name(tmp_path):
    parts = {"train_tmx": 3, "dev_tmx": 2}
    write(tmp_path, **{name: memory(*map(unit, range(n))) for name, n in parts.items()})
    write(tmp_path, test_tmx_gz=gzip.compress(memory(unit(7), encoding="UTF-16")))
    splits = load(tmp_path)
    assert sizes(splits) == {"train": 3, "validation": 2, "test": 1}
    assert splits["test"][0] == {"source": "a 7", "target": "b 7", "references": ["b 7"]}
    assert load(tmp_path, source="de", target="en")["test"][0]["source"] == "b 7"


def test_one_file(tmp_path):
    write(tmp_path, a_tmx=memory(*map(unit, range(10))))
    assert sizes(load(tmp_path / "a.tmx")) == {"train": 9, "validation": 1}


def test_lines_for_training_and_sgm_for_the_rest(tmp_path):
    write(tmp_path, train_en="x\ny\nz\n", train_de="1\n2\n3\n")
    write(tmp_path, dev__src_en_sgm=sgm("srcset", 2, "a"), dev__ref_de_sgm=sgm("refset", 2, "b"))
    write(tmp_path, test_en_xml=sgm("srcset", 1, "c"), test_de_xml=sgm("refset", 1, "d"))
    write(tmp_path, dev__src_cs_sgm=sgm("srcset", 2, "q"))
    splits = load(tmp_path)
    assert sizes(splits) == {"train": 3, "validation": 2, "test": 1}
    assert splits["train"][2] == {"source": "z", "target": "3", "references": ["3"]}
    assert splits["validation"][1]["source"] == "a 1"
    assert splits["test"][0]["target"] == "d 0"


def test_pattern(tmp_path):
    write(tmp_path, a_tmx=memory(unit(1), unit(2)), b_tmx=memory(unit(3), unit(4), unit(5)))
    assert sizes(load(tmp_path, train="*.tmx", validation=0.2)) == {"train": 4, "validation": 1}


def test_documents_stay_together(tmp_path):
    for side, kind in (("src_en", "srcset"), ("ref_de", "refset")):
        parts = [sgm(kind, 5, side, document=str(n)) for n in range(4)]
        write(tmp_path, **{f"train__{side}_sgm": "".join(parts)})
    splits = load(tmp_path, validation=0.1, group="document")
    assert sizes(splits) == {"train": 15, "validation": 5}


def test_several_translations(tmp_path):
    write(tmp_path, a_tmx=memory(unit(1, de_AT="c"), *map(unit, range(2, 6)), unit(7, de="")))
    with pytest.raises(
        InputError, match=r"a\.tmx line 3 has no text in the language de \(but in en-GB\)"
    ):
        load(tmp_path, validation=0.2)
    splits = load(tmp_path, validation="a.tmx", on_bad_example="skip")
    assert sizes(splits) == {"train": 5, "validation": 5}
    splits = load(tmp_path, target="de-AT", validation="a.tmx", on_bad_example="skip")
    assert splits["train"]["target"] == ["c"]


@pytest.mark.parametrize(
    ("files", "options", "complaint"),
    [
        ({"a_tmx": memory(unit(1))}, {"target": "fr"}, "no text in the language fr"),
        ({"a_tmx": memory(unit(1))}, {"source": "fr"}, "no text in the language fr"),
        ({"a_xml": "<html></html>"}, {}, "must be TMX, XLIFF .* its first element is html; name"),
        ({"a_xml": ""}, {}, "must be TMX, XLIFF .* has no element; name"),
        (
            {"a_en": "1\n", "a_fr": "1\n"},
            {},
            r"no training split in the folder .* which has a\.en, a\.fr",
        ),
        ({"a_tmx": memory(unit(1))}, {"train": "b"}, r"b of the train split does not exist"),
        ({"train_en": "1\n2\n", "train_de": "1\n"}, {}, r"must have equally many lines"),
    ],
    ids=range(7),
)
def test_refused(tmp_path, files, options, complaint):
    write(tmp_path, **files)
    with pytest.raises(InputError, match=complaint):
        load(tmp_path, **options)
