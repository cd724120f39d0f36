"""How long texts are in a tokenizer's symbols, and how much of its vocabulary they use.

    TANDEM_DATA=... python benchmarks/tokenizer_lengths.py dataset=multi30k tokenizer=unigram

Takes a dataset of texts and a tokenizer as `tandem train` does, and learns one tokenizer from the
sources and targets of the training split. Symbols are means of a text; a text is changed if
decoding its ids gives another one.
"""

import sys
from collections import Counter
from itertools import chain

from datasets import DatasetDict
from hydra import compose, initialize_config_dir

from tandem.config.folders import config_folder
from tandem.config.instantiate import make
from tandem.core.errors import InputError
from tandem.data.tokenizers import Tokenizer

COLUMNS = ("source", "target")
OFTEN = 10


def learn(overrides: list[str]) -> tuple[DatasetDict, Tokenizer]:
    """The dataset of a composed ``train`` config, and its tokenizer."""
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        cfg = compose("train", overrides)
    splits = make(cfg.dataset)
    texts = chain.from_iterable(splits["train"][column][:] for column in COLUMNS)
    return splits, make(cfg.tokenizer).train(texts)


def main() -> None:
    """Print a line for each column of each split, and one about the vocabulary."""
    try:
        splits, tokenizer = learn(sys.argv[1:])
    except InputError as error:
        sys.exit(f"error: {error}")
    counts: Counter[int] = Counter()
    for name, split in splits.items():
        for column in COLUMNS:
            texts = split[column][:]
            ids = tokenizer.encode_batch(texts)
            counts.update(chain.from_iterable(ids) if name == "train" else ())
            changed = sum(
                tokenizer.decode(one) != text for one, text in zip(ids, texts, strict=True)
            )
            symbols = sum(map(len, ids)) / len(texts)
            print(f"{name} {column}s: {symbols:.2f} symbols; {changed:,} of {len(texts):,} changed")
    often = sum(count >= OFTEN for count in counts.values())
    print(
        f"vocabulary: {tokenizer.vocabulary_size:,}; training has {len(counts):,} of it, "
        f"{often:,} at least {OFTEN} times"
    )


if __name__ == "__main__":
    main()
