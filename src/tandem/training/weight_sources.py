"""What ``init_from`` says: of which run each weight and each vocabulary of a training begins."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tandem.core.errors import InputError

MODEL = "model"
"""Stands for all that has no entry of its own."""
SOURCE_VOCABULARY, TARGET_VOCABULARY = "source_vocabulary", "target_vocabulary"
VOCABULARIES = (SOURCE_VOCABULARY, TARGET_VOCABULARY)
FOLLOWERS = {
    "encoder": ("frontend",),
    "frontend": (SOURCE_VOCABULARY,),
    "decoder": ("target_table", "output", "copier"),
    "target_table": (TARGET_VOCABULARY,),
    "output": (TARGET_VOCABULARY,),
    "ctc": (TARGET_VOCABULARY,),
}
"""What comes from the same run as a part, unless it has an entry of its own; in this order."""


@dataclass(frozen=True)
class WeightSources:
    """By part the folder of the run that it begins with; None: it begins fresh.

    A part is a module of the model (``encoder``, ``decoder.attention``), several of them by a shell
    pattern (``decoder.layers.*.attention``), a vocabulary, or :data:`MODEL`.
    """

    entries: Mapping[str, str | None]
    """As the user gives them."""
    folders: Mapping[str, str | None]
    """With those that follow."""

    @classmethod
    def of(cls, value: str | Mapping[str, str | None]) -> "WeightSources":
        """Read ``init_from``.

        :param value: a folder for the whole model, or a folder or None by part.
        :raises InputError: if it names no folder.
        """
        entries = {MODEL: value} if isinstance(value, str) else dict(value)
        if not any(entries.values()):
            raise InputError(
                "`init_from` names no run to begin with; give one, such as "
                "init_from={encoder: outputs/run}, or set init_from=null."
            )
        folders = dict(entries)
        for part, followers in FOLLOWERS.items():
            for follower in followers:
                if folders.get(part) is not None and follower not in folders:
                    folders[follower] = folders[part]
        return cls(entries, folders)

    def share_vocabulary(self) -> "WeightSources":
        """The same for a run with one vocabulary for both sides.

        :raises InputError: if the two would come from different runs.
        """
        first, second = map(self.folder_of, VOCABULARIES)
        if first is not None and second is not None and first != second:
            raise InputError(
                f"tokenizer.shared=true makes one vocabulary of both sides, but init_from takes "
                f"that of sources from {first} and that of targets from {second}; set "
                f"tokenizer.shared=false, or {self.with_entry(SOURCE_VOCABULARY, second)}."
            )
        named = any(self.entries.get(name, "") is None for name in VOCABULARIES)
        folder = None if named else first or second
        return WeightSources(self.entries, {**self.folders, **dict.fromkeys(VOCABULARIES, folder)})

    def folder_of(self, name: str) -> str | None:
        """Where a weight or a vocabulary comes from, by the longest entry that it is in."""
        entries = [entry for entry in self.folders if _is_in(name, entry)]
        return self.folders.get(max(entries, key=len, default=MODEL))

    def check_names(self, weights: Iterable[str]) -> None:
        """Refuse an entry that is no part.

        :param weights: the names of all weights of this run's model and of the runs' models.
        """
        names = list(weights)
        parts = dict.fromkeys(name.partition(".")[0] for name in names)
        for entry in self.entries:
            is_part = any(_is_in(name, entry) for name in names)
            if not is_part and entry not in (MODEL, *VOCABULARIES):
                raise InputError(
                    f"`init_from` must name parts, which are {', '.join(parts)} and what is in "
                    f"them, {', '.join(VOCABULARIES)}, and {MODEL} for all others, but has "
                    f"{entry!r}; correct it."
                )

    def with_entry(self, name: str, folder: str | None) -> str:
        """The override with another entry, for remedies."""
        entries = {**self.entries, name: folder}
        listed = (f"{key}: {'null' if path is None else path}" for key, path in entries.items())
        return f"init_from={{{', '.join(listed)}}}"


def _is_in(name: str, entry: str) -> bool:
    """Whether an entry is the name, a module that it is in, or a pattern of either."""
    return name == entry or name.startswith(f"{entry}.") or fnmatchcase(name, f"{entry}.*")
