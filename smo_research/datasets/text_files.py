"""Files of text as they come: unpacked within bounds, decoded, split into cells."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pandas as pd

from smo_research.errors import DataError
from smo_research.tables import SCHEMAS

MOST_BYTES = 1 << 32
# Text seldom packs to less than a twentieth; under the floor no ratio does harm.
MOST_TIMES, FLOOR = 200, 1 << 24
# How files begin that are no text.
PACKED = {
    b"PK\x03\x04": "a spreadsheet or a zip",
    b"BZh": "packed with bzip2",
    b"\x1f\x8b": "packed with gzip, but has no .gz at the end of its name",
    b"\xfd7zXZ": "packed with xz",
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_text(path: Path, *, encoding: str | None = None) -> bytes:
    """Return the UTF-8 text of a file, decompressed, its lines ended by newlines.

    Parameters
    ----------
    path
        The file.
    encoding
        What it is written in, if not UTF-8.

    Raises
    ------
    DataError
        When the file is absent, empty, damaged, too large or not UTF-8.
    """
    try:
        data = _unpacked(path) if path.suffix == ".gz" else _whole(path)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path.name} is damaged ({error}); download it again.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); correct the name.") from None
    packed = next((name for start, name in PACKED.items() if data.startswith(start)), None)
    if packed:
        raise DataError(f"{path.name} is {packed}; give the text that is in it.")
    if encoding is not None:
        data = _decoded(path, data, encoding)
    while data.startswith(BYTE_ORDER_MARK):
        data = data.removeprefix(BYTE_ORDER_MARK)
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise DataError(f"{path.name}, row {row} is not UTF-8 text; convert the file.") from None
    if not data.strip():
        raise DataError(f"{path.name} is empty; give it at least one row.")
    if (at := data.find(b"\0")) >= 0:
        row = data[:at].count(b"\n") + 1
        raise DataError(
            f"{path.name}, row {row} holds a NUL character, as no text does; convert the file to "
            "UTF-8."
        )
    return data


def _decoded(path: Path, data: bytes, encoding: str) -> bytes:
    try:
        return data.decode(encoding).encode()
    except UnicodeError:
        raise DataError(f"{path.name} is not {encoding} text; correct the encoding.") from None


def _whole(path: Path) -> bytes:
    with path.open("rb") as stream:
        data = _at_most(MOST_BYTES, stream)
    if data is None:
        raise DataError(f"{path.name} is larger than {MOST_BYTES >> 20:,} MB; write it as Parquet.")
    return data


def _unpacked(path: Path) -> bytes:
    most = min(MOST_BYTES, max(FLOOR, MOST_TIMES * path.stat().st_size))
    with gzip.open(path) as stream:
        data = _at_most(most, cast("BinaryIO", stream))
    if data is None:
        raise DataError(
            f"{path.name} unpacks to more than {most >> 20:,} MB, as no text of its size does; "
            "unpack it yourself if you trust it."
        )
    return data


def _at_most(most: int, stream: BinaryIO) -> bytes | None:
    """Read a stream to its end, or no further than `most` bytes."""
    read = io.BytesIO()
    while chunk := stream.read(1 << 20):
        if read.tell() + len(chunk) > most:
            return None
        read.write(chunk)
    return read.getvalue()


def read_frame(
    path: Path,
    *,
    separator: str = ",",
    missing: tuple[str, ...] = (),
    encoding: str | None = None,
) -> tuple[pd.DataFrame, bytes]:
    """Read all columns of a table as text.

    Parameters
    ----------
    path
        The file, with the names of its columns in the first line.
    separator
        The character between cells.
    missing
        What a cell holds that is to be missing.
    encoding
        As in `read_text`.

    Returns
    -------
    tuple
        The table and the text it was read from.

    Raises
    ------
    DataError
        Naming the line that is no row of it, or the name that two columns have.
    """
    data = read_text(path, encoding=encoding)
    options: dict[str, Any] = {"sep": separator, "dtype": str, "index_col": False}
    options |= {"keep_default_na": False}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            header = pd.read_csv(io.BytesIO(data), header=None, nrows=1, **options).iloc[0]
            frame = pd.read_csv(io.BytesIO(data), na_values=list(missing), **options)
    except (pd.errors.ParserWarning, ValueError, TypeError, csv.Error) as error:
        said = _said_uneven(path, data, separator, broken=True) or (
            f"{path.name} is not csv ({str(error).strip().splitlines()[-1]}); correct or export "
            "it anew."
        )
        raise DataError(said) from None
    refuse_twice(path, header[header != ""])
    # Where a row is too short, pandas would make the rest of it missing without a word.
    short = len(frame) > 0 and bool(frame.iloc[:, -1].isna().any())
    uncut = _said_uneven(path, data, separator, broken=False) if short else None
    if uncut:
        raise DataError(uncut)
    return frame, data


def refuse_twice(path: Path, names: pd.Series) -> None:
    """Refuse columns that share a name, which is told only where it is one of the tables' own.

    In a file without a header it may be a person's.
    """
    twice = names[names.duplicated()]
    if twice.empty:
        return
    same = names == twice.iloc[0]
    ours = any(twice.iloc[0] in table.to_schema().columns for table in SCHEMAS.values())
    said = f"'{twice.iloc[0]}'" if ours else f"in column {names.index[same][0] + 1}"
    raise DataError(
        f"{path.name} has {same.sum()} columns of the name {said}; give each column a name of its "
        "own."
    )


def csv_rows(data: bytes, separator: str = ",") -> Iterator[tuple[int, int, list[str]]]:
    """Give of each row the lines it starts and ends in, and its cells; blank lines are no rows.

    Parameters
    ----------
    data
        The text, its lines ended by newlines.
    separator
        The character between cells.
    """
    usual = csv.field_size_limit()
    line = 1
    try:
        # A cell may be as long as the file; the usual limit guards against a lone quote.
        csv.field_size_limit(max(usual, len(data)))
        reader = csv.reader(io.StringIO(data.decode(), newline=""), delimiter=separator)
        for row in reader:
            if "".join(row).strip(" \t") or len(row) > 1:
                yield line, reader.line_num, row
            line = reader.line_num + 1
    finally:
        csv.field_size_limit(usual)


def uneven(
    data: bytes, separator: str = ",", *, broken: bool = False
) -> list[tuple[int, int, str, str]]:
    r"""List the rows that have more or fewer cells than the header, or open a quote for good.

    Parameters
    ----------
    data, separator
        As in `csv_rows`.
    broken
        Whether it is known to be no table, so that a last row of several lines is at fault.

    Returns
    -------
    list
        Of each its number (from 1; 0 is the header), its line, what is wrong, and the remedy.

    Examples
    --------
    >>> [found[:3] for found in uneven(b"a,b\n1,2\n3\n")]
    [(2, 3, 'has 1 columns, but the header 2')]
    """
    found = []
    wide = number = line = end = cells = 0
    try:
        for number, (line, last, row) in enumerate(csv_rows(data, separator)):
            end, cells = last, len(row)
            wide = wide or cells
            if cells != wide:
                remedy = f"quote what holds a {separator!r}" if cells > wide else "add the others"
                found.append((number, line, f"has {cells} columns, but the header {wide}", remedy))
    except (csv.Error, ValueError, TypeError):
        return []
    if end > line and (broken or cells < wide):
        remedy = "close it, or write it twice"
        found = [one for one in found if one[0] != number]
        found.append((number, line, "opens a quote that is never closed", remedy))
    return found


def _said_uneven(path: Path, data: bytes, separator: str, *, broken: bool) -> str | None:
    """Say which line is no row: the first of the uneven ones."""
    found = uneven(data, separator, broken=broken)
    if not found:
        return None
    _, line, wrong, remedy = found[0]
    return f"{path.name}, row {line} {wrong}; {remedy}."
