"""Files of translators and test sets of WMT, as they are published; see lines.py."""


def memory(folder):
    """A translation memory (TMX 1.4) as tools on Windows write it: UTF-16, codes in the texts."""
    units = "".join(
        f'<tu tuid="{i}"><tuv xml:lang="EN-US"><seg>Press <bpt i="1">&lt;b&gt;</bpt>key {i}'
        f'<ept i="1">&lt;/b&gt;</ept> &amp; wait.</seg></tuv>\r\n'
        f'<tuv xml:lang="de-DE"><seg>Taste {i} drücken.</seg></tuv></tu>\r\n'
        for i in range(10)
    )
    text = (
        '<?xml version="1.0" encoding="UTF-16"?>\r\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\r\n'
        '<tmx version="1.4"><header creationtool="x" srclang="EN-US" datatype="rtf"/><body>\r\n'
        f"{units}</body></tmx>\r\n"
    )
    (folder / "memory.tmx").write_bytes(text.encode("utf-16"))
    return {"train": 9, "validation": 1}, ("Press key 4 & wait.", "Taste 4 drücken.")


def messages(folder):
    """XLIFF 1.2 of a program, of which one message is not translated yet."""
    units = "".join(
        f'<trans-unit id="{i}"><source>Save <g id="1">file</g> {i}</source>'
        f'<target state="translated">Datei {i} speichern</target></trans-unit>\n'
        for i in range(10)
    )
    (folder / "messages.de.xlf").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">\n'
        '<file original="app" source-language="en" target-language="de" datatype="plaintext">\n'
        f'<body>\n{units}<trans-unit id="10"><source>New</source></trans-unit>\n</body></file>\n'
        "</xliff>\n",
        encoding="utf-8",
    )
    return {"train": 9, "validation": 1}, ("Save file 4", "Datei 4 speichern")


def newstest(folder):
    """Test sets of WMT until 2020: a file for each language, no XML although it looks like it."""
    for name, count in (("newstest2013", 5), ("newstest2014-deen", 3)):
        for side, kind, language, text in (
            ("src", "srcset", "de", "Fa. A&B"),
            ("ref", "refset", "en", "A&B Co."),
        ):
            segments = "".join(
                f'<seg id="{i + 1}">{text} {name} {i} &quot;x&quot; </seg>\n' for i in range(count)
            )
            (folder / f"{name}-{side}.{language}.sgm").write_text(
                f'<{kind} setid="{name}" srclang="any" trglang="en">\n'
                f'<doc sysid="ref" docid="d1" genre="news" origlang="de">\n<p>\n{segments}</p>\n'
                f"</doc>\n</{kind}>\n"
            )
    return (
        {"train": 4, "validation": 1, "test": 3},
        ('Fa. A&B newstest2014-deen 1 "x"', 'A&B Co. newstest2014-deen 1 "x"'),
    )


def wmt(folder):
    """Test sets of WMT since 2021: one XML file with the references of several translators."""
    for name, count in (("newstest2021.de-en", 10), ("wmttest2022.de-en", 2)):
        documents = "".join(
            f'<doc id="d{i}" origlang="de">\n<src lang="de"><p>\n<seg id="1">{name} {i}.</seg>\n'
            "</p></src>\n"
            + "".join(
                f'<ref lang="en" translator="{who}"><p>\n<seg id="1">{who} {i}.</seg>\n</p></ref>\n'
                for who in "AB"
            )
            + f'<hyp system="X" language="en"><p><seg id="1">X {i}</seg></p></hyp>\n</doc>\n'
            for i in range(count)
        )
        (folder / f"{name}.xml").write_text(
            "<?xml version='1.0' encoding='utf-8'?>\n"
            f'<dataset id="{name}">\n{documents}</dataset>'
        )
    return (
        {"train": 9 * 2, "validation": 1, "test": 2},
        ("wmttest2022.de-en 1.", "A 1."),
        ["A 1.", "B 1."],
    )
