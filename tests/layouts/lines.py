"""Files side by side, one text a line, as they are published.

Each function writes a tiny set into a folder and returns what must be read: how many examples each
split has, one example, and its references if there are several.
"""

import gzip


def nl2bash(folder):
    """NL2Bash (Lin et al. 2018): two files, no split, sources that come more than once."""
    sources = [
        "list all files",
        "find  text in *.py",
        "show disk use",
        "count lines",
        "sort a file",
    ]
    targets = [
        "ls -a",
        "grep -r 'text' --include=*.py .",
        "df -h",
        "wc -l file",
        "sort file | uniq",
    ]
    write(folder / "all.nl", sources * 4)
    write(folder / "all.cm", [f"{target} # {i}" for i in range(4) for target in targets])
    return {"train": 16, "validation": 4}, ("find  text in *.py", targets[1] + " # 2")


def django(folder):
    """Django (Oda et al. 2015): lines of code with their comments."""
    write(folder / "all.anno", [f"define the function f{i}." for i in range(10)])
    write(folder / "all.code", [f"def f{i}(self, *args):" for i in range(10)])
    return {"train": 9, "validation": 1}, ("define the function f3.", "def f3(self, *args):")


def europarl(folder):
    """OPUS in Moses' format: the pair of languages stands in the names, and there is a README."""
    write(folder / "README", ["Corpus Name: Europarl"])
    write(folder / "LICENSE", ["Free."])
    write(folder / "Europarl.de-en.de", [f"Frau Präsidentin, {i}!" for i in range(20)])
    write(folder / "Europarl.de-en.en", [f"Madam President, {i}!" for i in range(20)])
    return {"train": 18, "validation": 2}, ("Frau Präsidentin, 7!", "Madam President, 7!")


def iwslt(folder):
    """Splits of their own, compressed, on Windows' line ends, with a byte order mark."""
    for name, count in (("train", 5), ("valid", 2), ("test", 3)):
        for language, text in (("en", "Hello"), ("de", "Hallo")):
            lines = "".join(f"{text} {name} {i}\u2028.\r\n" for i in range(count))
            (folder / f"{name}.{language}.gz").write_bytes(gzip.compress(lines.encode("utf-8-sig")))
    return {"train": 5, "validation": 2, "test": 3}, ("Hello test 2\u2028.", "Hallo test 2\u2028.")


def shards(folder):
    """A training set that `split -d -a 3` has cut into parts."""
    for language in ("en", "de"):
        for part in range(3):
            write(
                folder / f"train.{language}.00{part}", [f"{language} {part} {i}" for i in range(4)]
            )
        write(folder / f"valid.{language}", [f"{language} held out {i}" for i in range(2)])
    return {"train": 12, "validation": 2}, ("en 2 3", "de 2 3")


def codexglue(folder):
    """CodeXGLUE's code translation (Lu et al. 2021): tokenised functions, three splits."""
    for name, count in (("train", 4), ("valid", 2), ("test", 2)):
        for language, text in (("java", "public void"), ("cs", "public virtual void")):
            lines = [f"{text} m{name}{i}() {{ return ; }}" for i in range(count)]
            write(folder / f"{name}.java-cs.txt.{language}", lines)
    return {"train": 4, "validation": 2, "test": 2}, (
        "public void mtest1() { return ; }",
        "public virtual void mtest1() { return ; }",
    )


def jfleg(folder):
    """JFLEG (Napoles et al. 2017): four corrections of each sentence, dev and test, no train."""
    for name, count in (("dev", 5), ("test", 3)):
        write(folder / f"{name}.src", [f"So I think {name} {i} be ok . " for i in range(count)])
        for number in range(4):
            lines = [f"So I think {name} {i} is ok ({number}) . " for i in range(count)]
            write(folder / f"{name}.ref{number}", lines)
    return (
        {"train": 4 * 4, "validation": 1, "test": 3},
        ("So I think test 1 be ok . ", "So I think test 1 is ok (0) . "),
        [f"So I think test 1 is ok ({number}) . " for number in range(4)],
    )


def wikitext(folder):
    """WikiText (Merity et al. 2017): paragraphs and headings, with empty lines between them."""
    for name, count in (("train", 4), ("valid", 2), ("test", 2)):
        lines = [" ", *(f" = {name} {i} = \n " for i in range(count))]
        write(folder / f"wiki.{name}.tokens", lines)
    heading = " = test 1 = "
    return {"train": 4, "validation": 2, "test": 2}, (heading, heading)


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
