"""Checks of what turns text into ids and back."""

from random import Random

from tandem.core.types import SPECIAL_IDS, SPECIAL_TOKENS
from tandem.data.tokenizers.base import TokenizerRecipe
from tandem.data.tokenizers.cutters import Cutter
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.testing.compare import expect

PLAIN = ("a man , a plan", "two plans of a man", "a man and a woman plan two canals") * 3
HARD = (
    # scripts
    "Ein Bär läuft über Straßen, œuvre, Żółć, İstanbul ǅ",
    "السَّلَامُ عَلَيْكُمْ \u200f(١٢٣)\u200e",
    "नमस्ते क्षत्रिय हिन्दी",
    "สวัสดีครับ น้ำใจ",
    "日本語と中文\uff0c没有空格。 한국어 \u1112\u1161\u11ab",
    "E\u0301te\u0301 a\u0328\u0301 \u0301x ﬁ Ⅷ ﷺ ½",
    "😀 👩\u200d🚀 🇩🇪 👍🏽 ❤\ufe0f \U0001f3f4\U000e0067\U000e007f",
    "\U0001d518\U0001d52b\U0001d526 𐍈 \U00020000",
    # whitespace
    "def f(x):\n    if x:\n\t\treturn  1\n\n    return 0\n",
    "line\r\nline\rline\x0b\x0c\u2028\u2029\x85end",
    "10\u00a0000\u202f€ \u3000\u2009\u200b\u2060x",
    " one in front",
    "one behind ",
    "  two  everywhere  ",
    "\ttab",
    " ",
    "   ",
    "\n",
    " \n ",
    "\u00a0",
    "",
    # characters that are no letters
    "a\x00b\x07\x1b[31m\x7f\x1c\x1f",
    "\ufeff",
    "\ufeffafter a byte order mark",
    "\ue000 \U000f0000 \ufffd \ufffe \uffff \U0010fffe \U0010ffff",
    "man\U0010ffff \U0010fffeplan",
    # what means something to a program
    "<eos>",
    " <eos> ",
    "x<eos>y <pad> <unk> <bos> < eos >",
    "<0x41>",
    "a <0xE2><0x82><0xAC> b",
    " <0xE2> ",
    "▁x ▁ ##y Ġa a@@ b Ċ </w>",
    "\\n \\u00e9 &amp; %20 {\"a\": [1]} $x_{i}^{2}$ 'it''s'",
)
"""Texts that tokenizers like to change, in all kinds of scripts."""


def check_tokenizer(recipe: TokenizerRecipe) -> None:
    """Check what comes back of hard texts, from a tokenizer of plain ones and from one of these.

    :param recipe: how to learn it; its vocabulary has room for the characters of ``HARD``.
    :raises AssertionError: with the first promise that it breaks.
    """
    for texts in (PLAIN, (*PLAIN, *HARD * 3)):
        learnt = recipe.train(texts)
        for tokenizer in (learnt, Tokenizer.from_json(learnt.to_json())):
            cutter = recipe.cutter(tokenizer)
            for text in (*PLAIN[:3], *HARD):
                _check_text(type(recipe).__name__, tokenizer, cutter, text)


def _check_text(name: str, tokenizer: Tokenizer, cutter: Cutter | None, text: str) -> None:
    (ids,) = tokenizer.encode_batch([text])
    for special in (SPECIAL_IDS.pad, SPECIAL_IDS.bos, SPECIAL_IDS.eos):
        expect(
            special not in ids,
            f"No text may become {SPECIAL_TOKENS[special]}, but {text!r} does with {name}.",
        )
    decoded, normal = tokenizer.decode(ids), tokenizer.normalize(text)
    known = SPECIAL_IDS.unk not in ids
    expect(
        not known or decoded == normal,
        f"decode(encode(x)) must be normalize(x) where nothing is unknown, but {name} makes "
        f"{decoded!r} of {text!r}, which it normalizes to {normal!r}.",
    )
    expect(
        not tokenizer.lossless or decoded == text,
        f"A lossless tokenizer must give back each text, but {name} makes {decoded!r} of {text!r}.",
    )
    if cutter is None or not known:
        return
    for seed in range(3):
        cut = [id_ for word in tokenizer.words(text) for id_ in cutter(word, Random(seed))]
        expect(
            tokenizer.decode(cut) == decoded,
            f"Each cut must spell the same text, but one of {name} spells "
            f"{tokenizer.decode(cut)!r} in place of {decoded!r}.",
        )
