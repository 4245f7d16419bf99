"""A file that is no Technion tape is refused, with the place and the remedy, before anything leaves."""

import lzma
from pathlib import Path

import pytest

from attente.errors import BadInput, Missing
from sources.technion_rows import COLUMNS, HEADER, imported, row, tape


def refusal_of(path: Path) -> str:
    """What the importer says, without the name of the file."""
    with pytest.raises(BadInput) as caught:
        imported(path)
    return str(caught.value).removeprefix(f"{path}:")


def column_of(name: str, line: str) -> int:
    """Where a column begins in a line, in characters from 1."""
    return 1 + sum(len(field) + 1 for field in line.split("\t")[: COLUMNS.index(name)])


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        ("outcome", "SERVED", 'outcome "SERVED" is unknown; it is AGENT, HANG, PHANTOM'),
        ("outcome", "", 'outcome "" is unknown'),
        ("date", "990230", 'date "990230" is no day'),
        ("date", "99-01-01", 'date "99-01-01" is no day'),
        ("date", "700101", 'date "700101" is no day of 1971 to 1999'),
        ("vru_exit", "24:00:00", 'vru_exit "24:00:00" is no time of day as h:mm:ss'),
        ("vru_entry", "6:5:26", 'vru_entry "6:5:26" is no time of day'),
        ("q_start", "6:55", 'q_start "6:55" is no time of day'),
        ("q_start", "6:55:60", 'q_start "6:55:60" is no time of day'),
        ("q_time", "17.5", 'q_time "17.5" is no whole number'),
        ("q_time", "-1", 'q_time "-1" is no whole number'),
        ("q_time", "86401", 'q_time "86401" is over a day in seconds'),
        ("ser_time", "", 'ser_time "" is no whole number'),
        ("call_id", "6.02E+11", 'call_id "6.02E+11" is no whole number'),
        ("vru+line", "AA 01", 'vru+line "AA 01" is no word'),
        ("type", "", 'type "" is no word'),
    ],
)
def test_a_column_that_cannot_be_used_is_named_with_its_line_and_column(
    tmp_path: Path, column: str, text: str, says: str
) -> None:
    wrong = row(**{"line" if column == "vru+line" else column: text})
    found = refusal_of(tape(tmp_path, row(), row(), wrong, row()))
    assert found.startswith(f"4:{column_of(column, wrong)}: {says}"), found
    assert ";" in found


def test_the_first_wrong_column_of_the_header_is_named(tmp_path: Path) -> None:
    header = HEADER.replace("q_start", "queue_start")
    found = refusal_of(tape(tmp_path, row(), header=header))
    assert found.startswith(f'1:{column_of("q_start", header)}: column 10 is "queue_start" instead of "q_start"')


def test_a_header_without_its_last_column_is_refused_at_its_end(tmp_path: Path) -> None:
    header = HEADER.removesuffix("\tserver")
    assert refusal_of(tape(tmp_path, row(), header=header)).startswith(f"1:{len(header) + 1}: 16 columns")


def test_a_header_with_a_column_more_is_refused_at_that_column(tmp_path: Path) -> None:
    assert refusal_of(tape(tmp_path, row(), header=f"{HEADER}\tmore")).startswith(f"1:{len(HEADER) + 2}: 18 columns")


def test_commas_instead_of_tabs_are_refused_at_the_first_column(tmp_path: Path) -> None:
    assert refusal_of(tape(tmp_path, header=HEADER.replace("\t", ","))).startswith('1:1: column 1 is "vru+line,')


def test_a_row_without_its_last_column_is_refused_at_its_end(tmp_path: Path) -> None:
    short = row().removesuffix("\tAGENT01")
    assert refusal_of(tape(tmp_path, row(), short)).startswith(f"3:{len(short) + 1}: 16 columns instead of 17")


def test_a_row_with_a_column_more_is_refused_at_that_column(tmp_path: Path) -> None:
    assert refusal_of(tape(tmp_path, f"{row()}\tmore")).startswith(f"2:{len(row()) + 2}: 18 columns instead of 17")


def test_an_empty_row_is_refused(tmp_path: Path) -> None:
    assert refusal_of(tape(tmp_path, row(), "")).startswith("3:1: 1 columns instead of 17")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.tsv"
    path.touch()
    assert refusal_of(path).startswith("1:1: the file is empty, or its first line is; ")


def test_a_tape_without_rows_is_refused(tmp_path: Path) -> None:
    assert refusal_of(tape(tmp_path)).startswith("2:1: the tape has a header and no rows; ")


def test_a_binary_file_is_refused_with_its_beginning_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(bytes(range(256)) * 50)
    found = refusal_of(path)
    assert found.startswith('1:1: column 1 is "')
    assert found.isprintable()


def test_a_byte_beyond_ascii_in_a_row_is_refused_where_it_stands(tmp_path: Path) -> None:
    path = tape(tmp_path, row())
    path.write_bytes(path.read_bytes() + row().encode().replace(b"AGENT01", b"J\xe9r\xf4me"))
    assert refusal_of(path).startswith(f"3:{column_of('server', row()) + 1}: byte 0xe9 is not ASCII; ")


def test_a_file_that_is_no_xz_though_its_name_says_so_is_refused(tmp_path: Path) -> None:
    path = tape(tmp_path, row()).rename(tmp_path / "tape.tsv.xz")
    assert refusal_of(path).startswith("1:1: this is no xz file, though its name says so: ")


def test_an_xz_file_that_was_cut_off_is_refused_at_the_line_where_it_ends(tmp_path: Path) -> None:
    rows = [row(call_id=str(number)) for number in range(2_000)]
    path = tape(tmp_path, *rows, name="tape.tsv.xz")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    line, column, says = refusal_of(path).split(":", 2)
    assert says.startswith(" the compressed file ends too early: it was cut off; ")
    assert column == "1"
    read = lzma.LZMADecompressor().decompress(path.read_bytes()).count(b"\n")
    assert int(line) == read + 1


def test_an_xz_file_that_is_damaged_is_refused_at_the_line_where_it_is(tmp_path: Path) -> None:
    path = tape(tmp_path, *(row(call_id=str(number)) for number in range(2_000)), name="tape.tsv.xz")
    whole = bytearray(path.read_bytes())
    whole[-30] ^= 0xFF  # in the index or the check at the end
    path.write_bytes(whole)
    assert "the compressed file is damaged: " in refusal_of(path)


def test_a_line_without_end_is_refused_and_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "endless.tsv"
    with path.open("wb") as stream:
        stream.truncate(1 << 30)  # a gigabyte of zeros that takes no space
    assert refusal_of(path).startswith("1:1048577: the line is longer than 1048576 bytes; ")


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"nowhere\.tsv: cannot be read: No such file"):
        imported(tmp_path / "nowhere.tsv")


def test_a_folder_is_no_tape(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="cannot be read: Is a directory"):
        imported(tmp_path)
