"""XML in pieces: encodings, entities, layout, and what is refused."""

import gzip

import pytest

from tandem.core.errors import InputError
from tandem.data.rows.markup import read_elements


def read(path, content, *names):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_elements(path, names or ("tu",)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_encoding_is_the_declared_one(tmp_path, encoding):
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?>\n<a><tu>Größe &amp; “so”</tu></a>'
    (element,) = read(tmp_path / "a.tmx", text.encode(encoding))
    assert element.text() == "Größe & “so”"
    assert element.line == 2


def test_elements_come_before_the_file_ends(tmp_path):
    path = tmp_path / "a.tmx.gz"
    path.write_bytes(gzip.compress(b"<a>" + b"<tu>one</tu>" * 200_000))
    elements = read_elements(path, ("tu",))
    first = next(elements)
    assert first.text() == "one"
    assert first.parent.content == []  # nothing of the file is kept
    with pytest.raises(InputError, match=r"a\.tmx\.gz line 1 is not well-formed XML \(no element"):
        list(elements)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("\n   two words\n  ", "two words"),
        (" a \n b ", " a \n b "),
        ("<![CDATA[1 < 2]]>", "1 < 2"),
        ("a<!-- no --><?no?>b", "ab"),
        ("<ph>x</ph>a<ph>y<sub>z</sub></ph><g>b</g>", "azb"),
    ],
)
def test_text(tmp_path, written, text):
    (element,) = read(tmp_path / "a", f"<a><tu>{written}</tu></a>")
    assert element.text(without=["ph"], again=["sub"]) == text


def test_space_is_kept_where_the_file_says_so(tmp_path):
    (element,) = read(tmp_path / "a", '<a xml:space="preserve"><tu>\n x\n</tu></a>')
    assert element.text() == "\n x\n"


def test_a_document_type_outside_is_not_read(tmp_path):
    text = '<!DOCTYPE a SYSTEM "a.dtd"><a><tu>1&nbsp;&hellip;</tu></a>'
    (element,) = read(tmp_path / "a", text)
    assert element.text() == "1\N{NO-BREAK SPACE}…"


LAUGHS = '<!DOCTYPE a [<!ENTITY b "lol"><!ENTITY c "&b;&b;&b;">]><a><tu>&c;</tu></a>'


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("<a>\n<tu>AT&T</tu></a>", r"a line 2 is not well-formed XML \(not well-formed.*correct"),
        ("<a><tu>", r"a line 1 is not well-formed XML \(no element found"),
        ("", "a line 1 is not well-formed XML"),
        ('<?xml version="1.0" encoding="Shift_JIS"?><a/>', r"XML \(multi-byte encodings are not"),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', r"XML \(unknown encoding: nonsense"),
        ('<?xml version="1.0" encoding="UTF-16"?><a/>', r"XML \(encoding specified"),
        (LAUGHS, "a line 1 defines the entity b, and Tandem reads no file that does"),
        ('<!DOCTYPE a SYSTEM "a.dtd"><a><tu>&me;</tu></a>', "has the entity &me;, which the file"),
        ("<a>" * 101, "has more than 100 elements inside one another"),
    ],
    ids=range(9),
)
def test_refused(tmp_path, content, complaint):
    with pytest.raises(InputError, match=complaint):
        read(tmp_path / "a", content)


def test_file_that_cannot_be_read(tmp_path):
    path = tmp_path / "a.tmx"
    with pytest.raises(InputError, match=r"The file .*a\.tmx does not exist; correct the path"):
        list(read_elements(path, ("tu",)))
    path.write_bytes(gzip.compress(b"<a>" + b"<tu>one</tu>" * 1000)[:-30])
    with pytest.raises(InputError, match=r"a\.tmx is not a whole gzip file \(Compressed"):
        list(read_elements(path, ("tu",)))
