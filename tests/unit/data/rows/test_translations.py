"""TMX, XLIFF, and WMT's SGML and XML, in the forms in which they are published."""

import re

import pytest

from tandem.core.errors import InputError
from tandem.data.rows import Record
from tandem.data.rows.sgm import read_sgm
from tandem.data.rows.tmx import read_tmx
from tandem.data.rows.translations import Unit, as_records, texts_in
from tandem.data.rows.wmt_xml import read_wmt_xml
from tandem.data.rows.xliff import read_xliff


@pytest.mark.parametrize(
    ("language", "texts"),
    [("EN", ["a"]), ("en-gb", ["b"]), ("en_us", ["c"]), ("de", ["d", "e"]), ("fr", []), ("d", [])],
)
def test_languages(language, texts):
    written = [("en", "a"), ("en-GB", "b"), ("EN_us", "c"), ("de-AT", "d"), ("de-DE", "e")]
    assert texts_in(Unit("", None, [*written, ("de-CH", "d")]), language) == texts


@pytest.mark.parametrize(
    ("written", "rows"),
    [
        ([("EN-US", "a"), ("de", "b"), ("de", "c"), ("fr", "d")], [("a", ["b", "c"])]),
        ([("en-US", "a"), ("en-GB", "b"), ("de", "c")], [("a", ["c"]), ("b", ["c"])]),
        ([("en-US", "a"), ("en-GB", "a"), ("de", "c"), ("de", " ")], [("a", ["c"])]),
        ([("en", "a"), ("", "b")], [("a", ["b"])]),
        ([("", "a"), ("de", "b")], [("a", ["b"])]),
    ],
    ids=range(5),
)
def test_rows_of_a_unit(written, rows):
    records = list(as_records([Unit("x line 1", "d", written)], source="en", target="de"))
    assert records == [
        Record("x line 1", {"document": "d", "en": source, "de": targets})
        for source, targets in rows
    ]


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ([("en", "a"), ("fr", "b")], r"x line 1 has no text in the language de \(but in en, fr\)"),
        ([("fr", "a"), ("de", "b")], r"in the language en .*correct dataset\.source, or leave out"),
        ([("en", "a"), ("de", " ")], r"in the language de \(but in en\).*dataset\.target"),
        ([], r"in the language en \(but in none\)"),
    ],
    ids=range(4),
)
def test_unit_without_a_language(written, complaint):
    (error,) = as_records([Unit("x line 1", "d", written)], source="en", target="de")
    assert isinstance(error, InputError)
    assert re.search(complaint, str(error))


TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4">
  <header creationtool="OmegaT" segtype="sentence" adminlang="en" srclang="EN-US" datatype="xml"/>
  <body>
    <tu tuid="1">
      <prop type="x-context">menu</prop>
      <tuv xml:lang="EN-US"><seg>Press <bpt i="1">&lt;b&gt;</bpt>OK<ept i="1">&lt;/b&gt;</ept>, \
<hi type="term">then</hi> wait<ph x="1">{0}</ph>.</seg></tuv>
      <tuv lang="de"><note>formal</note><seg>OK, dann warten.</seg></tuv>
    </tu>
    <tu><tuv xml:lang="en"><seg>Alone</seg></tuv></tu>
  </body>
</tmx>
"""


def test_tmx(tmp_path):
    path = tmp_path / "memory.tmx"
    path.write_text(TMX)
    assert list(read_tmx(path)) == [
        Unit(
            f"{path} line 6", None, [("EN-US", "Press OK, then wait."), ("de", "OK, dann warten.")]
        ),
        Unit(f"{path} line 11", None, [("en", "Alone")]),
    ]


XLIFF_1 = """<?xml version="1.0" encoding="UTF-8"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
  <file original="menu.txt" source-language="en" target-language="de" datatype="plaintext">
    <body>
      <group id="g">
        <trans-unit id="1">
          <source>Open <g id="1">the <x id="2"/>file</g></source>
          <seg-source><mrk mid="0" mtype="seg">Open the file</mrk></seg-source>
          <target state="translated"><mrk mid="0" mtype="seg">Datei öffnen</mrk></target>
          <alt-trans><source>Open</source><target>Öffnen</target></alt-trans>
        </trans-unit>
      </group>
      <trans-unit id="2"><source>Close</source></trans-unit>
      <trans-unit id="3"><source>Save</source><target state="new">Save</target></trans-unit>
    </body>
  </file>
</xliff>
"""

XLIFF_2 = """<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en-US" \
trgLang="de" xmlns:mtc="urn:oasis:names:tc:xliff:matches:2.0">
 <file id="f1">
  <unit id="u1">
   <mtc:matches><mtc:match ref="#m1"><source>No</source><target>Nein</target></mtc:match>\
</mtc:matches>
   <segment id="s1" state="translated">
    <source>One <pc id="1">two</pc>.<ph id="2"/></source><target>Eins <pc id="1">zwei</pc>.</target>
   </segment>
   <ignorable><source> </source></ignorable>
   <segment><source>Three.</source></segment>
  </unit>
 </file>
</xliff>
"""


def test_xliff_1(tmp_path):
    path = tmp_path / "menu.xlf"
    path.write_text(XLIFF_1)
    assert list(read_xliff(path)) == [
        Unit(f"{path} line 6", "menu.txt", [("en", "Open the file"), ("de", "Datei öffnen")]),
        Unit(f"{path} line 13", "menu.txt", [("en", "Close")]),
        Unit(f"{path} line 14", "menu.txt", [("en", "Save")]),
    ]


def test_xliff_2(tmp_path):
    path = tmp_path / "menu.xlf"
    path.write_text(XLIFF_2)
    assert list(read_xliff(path)) == [
        Unit(f"{path} line 5", "f1", [("en-US", "One two."), ("de", "Eins zwei.")]),
        Unit(f"{path} line 9", "f1", [("en-US", "Three.")]),
    ]


def test_xliff_without_a_target_language(tmp_path):
    path = tmp_path / "menu.xlf"
    path.write_text(XLIFF_1.replace(' target-language="de"', ""))
    assert next(read_xliff(path)).texts == [("en", "Open the file"), ("", "Datei öffnen")]


SOURCE = """<srcset setid="newstest2014" srclang="any">
<doc sysid="ref" docid="1-afp" genre="news" origlang="de">
<hl>
<seg id="1">AT&T und R&amp;D </seg>
</hl>
<p>
<seg id="2">Zwei < drei
 Zeilen?a=1&copy=2</seg>
</p>
</doc>
<DOC sysid="ref" docid="2-afp" genre="news" origlang="de">
<p>
<seg id="1">&quot;Ende&#8230;&quot;</seg>
</p>
</DOC>
</srcset>
"""
TARGET = """<refset trglang="en" setid="newstest2014" srclang="any">
<doc docid='2-afp' sysid="A"><seg id="1">“End”</seg></doc>
<doc docid="1-afp" sysid="A">
<seg id="1">AT&amp;T and R&amp;D</seg><seg id="2">Two</seg>
</doc>
<doc docid="1-afp" sysid="B">
<seg id="1">B1</seg><seg id="2">B2</seg></doc>
</refset>
"""


def write_sgm(folder, source, target):
    paths = folder / "t-src.de.sgm", folder / "t-ref.en.sgm"
    for path, text in zip(paths, (source, target), strict=True):
        path.write_text(text)
    return paths


def test_sgm(tmp_path):
    source, target = write_sgm(tmp_path, SOURCE, TARGET)
    assert list(read_sgm(source, target, ("de", "en"))) == [
        Unit(
            f"{source} line 4",
            "1-afp",
            [("de", "AT&T und R&D"), ("en", "AT&T and R&D"), ("en", "B1")],
        ),
        Unit(
            f"{source} line 7",
            "1-afp",
            [("de", "Zwei < drei Zeilen?a=1&copy=2"), ("en", "Two"), ("en", "B2")],
        ),
        Unit(f"{source} line 13", "2-afp", [("de", '"Ende…"'), ("en", "“End”")]),
    ]


def test_sgm_segments_that_are_numbered_anew(tmp_path):
    source = '<doc docid="1"><seg id="1">x</seg><p><seg id="1">y</seg></p></doc>'
    paths = write_sgm(tmp_path, source, source.upper())
    assert [unit.texts for unit in read_sgm(*paths, ("de", "en"))] == [
        [("de", "x"), ("en", "X")],
        [("de", "y"), ("en", "Y")],
    ]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('id="2">Two', 'id="3">Two'), r"t-src\.de\.sgm has no segment 3 in the document 1-afp"),
        (("<doc docid='2-afp'", "<doc docid='3'"), r"src\.de\.sgm has no segment 1 in .* 3, but"),
        (("</seg></doc>\n</refset>", "</doc>"), r"sgm line 7 begins a segment that does not end"),
    ],
    ids=range(3),
)
def test_sgm_files_that_do_not_belong_together(tmp_path, change, complaint):
    paths = write_sgm(tmp_path, SOURCE, TARGET.replace(*change))
    with pytest.raises(InputError, match=complaint):
        list(read_sgm(*paths, ("de", "en")))


WMT = """<?xml version='1.0' encoding='utf-8'?>
<dataset id="wmttest2022.de-en"><collection id="general">
  <doc id="news-1" origlang="de" domain="news">
    <src lang="de"><p><seg id="1">Eins &amp; zwei.</seg>
      <seg id="2">Drei.</seg></p></src>
    <ref lang="en" translator="A"><p><seg id="1">One &amp; two.</seg>
      <seg id="2">Three.</seg></p></ref>
    <ref lang="en" translator="B"><p><seg id="1">1 &amp; 2.</seg></p></ref>
    <hyp lang="en" system="Online-X"><p><seg id="1">No.</seg><seg id="2">No.</seg></p></hyp>
  </doc>
  <doc id="s-1" origlang="de" testsuite="s"><src lang="de"><seg id="1">Probe</seg></src></doc>
</collection></dataset>
"""


def test_wmt_xml(tmp_path):
    path = tmp_path / "wmttest2022.de-en.xml"
    path.write_text(WMT)
    assert list(read_wmt_xml(path)) == [
        Unit(
            f"{path} line 4",
            "news-1",
            [("de", "Eins & zwei."), ("en", "One & two."), ("en", "1 & 2.")],
        ),
        Unit(f"{path} line 5", "news-1", [("de", "Drei."), ("en", "Three.")]),
    ]
