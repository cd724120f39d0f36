"""Models that CTranslate2 runs, which searches by itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from tandem.core.errors import InputError, reason_of
from tandem.core.extras import check_extra
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.core.types import FIRST_OUTPUT, SPECIAL_IDS, Hypothesis
from tandem.data.preprocessing import Processors
from tandem.inference.decoding import Decoding
from tandem.inference.files import CONFIG
from tandem.inference.reading import BundleReader
from tandem.models.copying import Copied
from tandem.models.sequence_model import Predicted, SequenceModel
from tandem.search import BeamSearch, GreedySearch
from tandem.search.base import Search, Step

FORMAT = "ctranslate2"
FOLDER = "ctranslate2"
"""What CTranslate2 reads of an export."""
STOP = "full"
"""When it ends beam search."""
PENALTIES = ("none", "average")
NO_PENALTY = 1e-30
"""A power that changes nothing; at 0 CTranslate2 ends beam search earlier."""

T = TypeVar("T")


class CTranslate2Model(SequenceModel):
    """Sources go in and outputs come out; nobody is told what the program says in between.

    :param open_translator: makes a ``ctranslate2.Translator`` on a type of device.
    :param device_types: where there can be one.
    :param source: symbols of the source vocabulary.
    :param target: symbols of the target vocabulary.
    :param added: special ids that the translator itself puts before and behind a source.
    :param longest_source: positions that it knows of a source, special ids included; None: all.
    """

    searches_itself = True
    device = torch.device("cpu")
    normalized = True
    has_weights = False
    has_ctc = False

    def __init__(
        self,
        open_translator: Callable[[str], Any],
        *,
        device_types: tuple[str, ...],
        source: Sequence[str],
        target: Sequence[str],
        added: tuple[int, int],
        longest_source: int | None,
    ) -> None:
        self._open_translator, self._device_types = open_translator, device_types
        self._source, self._target = source, target
        self._ids = {symbol: id_ for id_, symbol in enumerate(target)}
        self._before, self._after = added
        self._longest_source = longest_source
        self.to(self.device)

    def to(self, device: torch.device) -> "CTranslate2Model":
        """Compute on a device; sources stay on the host."""
        self._translator = self._open_translator(device.type)
        return self

    @property
    def device_types(self) -> tuple[str, ...]:
        """Where the program can compute here."""
        return self._device_types

    @property
    def vocabulary_size(self) -> int:
        """V, target symbols."""
        return len(self._target)

    def encode(self, source: Tensor, source_mask: Tensor) -> Memory:
        """Sources (B, S) -> the same sources, which search will read.

        :raises InputError: if one has more symbols than there are positions.
        """
        longest = int(source_mask.sum(1).max())
        if self._longest_source is not None and longest > self._longest_source:
            raise InputError(
                f"A source of {longest} symbols is longer than the {self._longest_source} "
                "positions that this export to CTranslate2 has; shorten it, or export with "
                "format=onnx."
            )
        nothing = torch.zeros(*source.shape, 0)
        return Memory(nothing, source_mask, nothing[:, 0], source)

    def start(self, memory: Memory) -> State:
        """The sources."""
        return State(fixed=(memory.source, memory.mask))

    def decode(self, target_in: Tensor, state: State) -> Predicted:
        """Refuse to say what comes next."""
        raise InputError(
            "CTranslate2 gives whole outputs of one model, and no probabilities of single symbols; "
            "use the run that was exported, or an export with format=onnx."
        )

    def scores(self, features: Tensor, copied: Copied | None) -> Tensor:
        """There are no features."""
        raise NotImplementedError

    def ctc_log_probs(self, memory: Memory) -> Tensor:
        """There is no CTC."""
        raise NotImplementedError

    def fit(self, decoding: T) -> T:
        """See :class:`SequenceModel`."""
        assert isinstance(decoding, Decoding)
        check_decoding(decoding)
        return replace(decoding, search=CTranslate2Search(self, decoding.search))

    def outputs(
        self, source: Tensor, source_mask: Tensor, *, width: int, penalty: float, max_length: int
    ) -> list[list[Hypothesis]]:
        """Search.

        :param source: (B, S) ids.
        :param width: of the beam; 1 is greedy.
        :param penalty: the power of its length that an output's log-probability is divided by.
        :param max_length: most symbols of an output, ``eos`` included.
        """
        rows = zip(source.tolist(), source_mask.sum(1).tolist(), strict=True)
        try:
            results = self._translator.translate_batch(
                [
                    [self._source[id_] for id_ in row[self._before : length - self._after]]
                    for row, length in rows
                ],
                beam_size=width,
                num_hypotheses=width,
                length_penalty=penalty,
                min_decoding_length=0,
                max_decoding_length=max_length,
                max_input_length=0,
                return_end_token=True,
                return_scores=True,
            )
            return [self._hypotheses(result) for result in results]
        except (RuntimeError, ValueError, KeyError) as error:
            raise InputError(
                f"CTranslate2 fails ({reason_of(error)[:200]}); give smaller batches, or export "
                "the run again."
            ) from error

    def _hypotheses(self, result: Any) -> list[Hypothesis]:
        """Those that are possible, the best first."""
        found = zip(result.hypotheses, result.scores, strict=True)
        ids = [([self._ids[symbol] for symbol in symbols], score) for symbols, score in found]
        possible = [Hypothesis(row, score) for row, score in ids if min(row) >= FIRST_OUTPUT]
        return possible or [Hypothesis([SPECIAL_IDS.eos], -torch.inf)]


class CTranslate2Search(Search):
    """Lets the program search as another search would.

    :param model: whose states it gets.
    :param search: one that :func:`check_decoding` lets through.
    """

    def __init__(self, model: CTranslate2Model, search: Search) -> None:
        self.model, self.width, self.penalty = model, search.width, 0.0
        if isinstance(search, BeamSearch):
            power = 0.0 if search.penalty.kind == "none" else search.penalty.alpha
            self.penalty = power or NO_PENALTY

    def __call__(
        self, step: Step, state: State, *, first: Tensor, max_length: int
    ) -> list[list[Hypothesis]]:
        """See :class:`Search`; the step is not asked."""
        source, mask = state.fixed
        return self.model.outputs(
            source, mask, width=self.width, penalty=self.penalty, max_length=max_length
        )


def check_decoding(decoding: Decoding) -> None:
    """Refuse what CTranslate2 does not do, or does in another way.

    :raises InputError: in one sentence.
    """
    search = decoding.search
    missing = [type(one).__name__ for one in (*decoding.scorers, *decoding.rules)]
    if isinstance(search, BeamSearch):
        if search.stop != STOP:
            missing.append(f"search.stop={search.stop}")
        if search.penalty.kind not in PENALTIES:
            missing.append(f"search.length_penalty={search.penalty.kind}")
    elif not isinstance(search, GreedySearch):
        missing.append(type(search).__name__)
    if missing:
        raise InputError(
            f"CTranslate2 searches by itself, and without {', '.join(missing)}; choose "
            f"search=greedy, or search=beam search.stop={STOP} with search.length_penalty=none or "
            "average, and no scorer or rule, or export with format=onnx."
        )


def load_ctranslate2(reader: BundleReader, processors: Processors) -> CTranslate2Model:
    """The model of an export to CTranslate2.

    :raises InputError: if a file is damaged, or the program is not installed.
    """
    check_extra(FORMAT, FORMAT, used_by="An export to CTranslate2", otherwise="use its run")
    import ctranslate2

    longest, source = reader.config["export"].get("longest_source"), processors.source
    names = [name for name in reader.config["sha256"] if name.startswith(f"{FOLDER}/")]
    known = longest is None or type(longest) is int
    if not known or len(source.tokenizers) != 1 or f"{FOLDER}/{CONFIG}" not in names:
        raise InputError(
            f"The file {reader.folder / CONFIG} lacks a usable `export`; export the run again."
        )
    for name in names:
        reader.files.path(name)  # which refuses a file that is not as it was written
    folder = reader.folder / FOLDER
    device_types = ("cpu", "cuda") if ctranslate2.get_cuda_device_count() else ("cpu",)

    def open_translator(device: str) -> Any:
        if device not in device_types:
            raise InputError(
                f"CTranslate2 computes here on {', '.join(device_types)}, not on {device}; choose "
                "accelerator=cpu."
            )
        try:
            return ctranslate2.Translator(
                str(folder), device=device, intra_threads=torch.get_num_threads()
            )
        except Exception as error:  # its errors have no common base
            raise InputError(
                f"CTranslate2 cannot read {folder} ({reason_of(error)[:200]}); export the run "
                "again."
            ) from error

    return CTranslate2Model(
        open_translator,
        device_types=device_types,
        source=source.tokenizers[0].symbols,
        target=processors.target.symbols,
        added=(source.before == SPECIAL_IDS.bos, source.after == SPECIAL_IDS.eos),
        longest_source=longest,
    )
