"""Rules for outputs, also called logits processors: what a search may not write."""

from tandem.search.rules.banned import Banned
from tandem.search.rules.base import Rule
from tandem.search.rules.forced_prefix import ForcedPrefix
from tandem.search.rules.min_length import MinLength
from tandem.search.rules.no_repeat_ngram import NoRepeatNgram
from tandem.search.rules.no_unk import NoUnk

__all__ = ["Banned", "ForcedPrefix", "MinLength", "NoRepeatNgram", "NoUnk", "Rule"]
