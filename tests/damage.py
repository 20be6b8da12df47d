"""Damage that `test_fuzz.py` does to files: in bytes, in cells, in JSON, in Parquet, in blocks."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import re
from decimal import Decimal
from typing import Any

import libipld
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

# What stands in a file by mistake, or by malice.
WORDS = [
    *('"', ",", ";", "\n", "\r", "\0", " ", "\t", '""', "'", "#", "%", "<", ">", "&", "\\", "/"),
    *("\ufeff", "\u2028", "\x85", "\u202e", "e\u0301", "\U0001f642", "\u0661\u0662", "\uff11"),
    *("", "-1", "-0", "007", "1.0", "0.5", "1e5", "1e999", "nan", "inf", "0x1", "1_0", "9" * 400),
    *("99999999999999999999", "9223372036854775807", "9223372036854775808", "1e18", "4e9"),
    *("NA", "NaT", "null", "None", "true", "now", "2020", "20200131", "2020-01-01", "2020-02-30"),
    *("0001-01-01", "9999-12-31T23:59:59.999999Z", "1969-12-31", "2020-01-01T00:00:00+99:99"),
    *("=1+1", "@x", "<b>", "&#0;", "&amp;", "[]", "{}", "[[", "x.y", "../x", "x" * 100_000),
    *("\\ud800", "public", "own", "reply", "follow", "1979-05-27T07:32:00Z", "'''", '"""', "file"),
    *('<!DOCTYPE a [<!ENTITY b "c">]>', "<a>" * 50, "[" * 2000, "seq", "source_id", "post_id"),
]
PIECES = [word.encode() for word in WORDS]
PIECES += [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x1f\x8b", b"PK\x03\x04", b"PAR1"]
CELL = re.compile(rb"[^,;\s<>=\"{}\[\]:]+")
LARGE = [2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400]
VALUES = [None, True, False, 0, 1, -1, 0.5, 1e300, *LARGE, "\ud800", *WORDS]
VALUES += [[], {}, [[]], {"id": {}}, [None], ["x", 1], {"type": "Note"}, [{"tweet": 1}]]
MOMENT = datetime.datetime(2020, 1, 2, 3, 4, 5, 678901)
HOWS = ("flip", "cut", "insert", "overwrite", "drop", "double", "swap", "cell", "cell", "cell")


@st.composite
def damaged(draw: Any, data: bytes) -> bytes:
    """Bytes that differ from `data` in one to four places."""
    for _ in range(draw(st.integers(1, 4))):
        data = _damaged_once(draw, data)
    return data


def _damaged_once(draw: Any, data: bytes) -> bytes:
    how = draw(st.sampled_from(HOWS))
    if how == "cell":
        cells = list(CELL.finditer(data))
        if not cells:
            return data
        start, end = draw(st.sampled_from(cells)).span()
        return data[:start] + draw(st.sampled_from(PIECES)) + data[end:]
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.integers(1, 60)))
    if how == "flip":
        bit = 1 << draw(st.integers(0, 7))
        return data[:start] + bytes(byte ^ bit for byte in data[start : start + 1]) + data[end:]
    if how == "cut":
        return data[:start]
    if how == "drop":
        return data[:start] + data[end:]
    if how == "double":
        return data[:end] + data[start:]
    if how == "swap":
        lines = data.split(b"\n")
        one, other = (draw(st.integers(0, len(lines) - 1)) for _ in "ab")
        lines[one], lines[other] = lines[other], lines[one]
        return b"\n".join(lines)
    piece = draw(st.sampled_from(PIECES))
    return data[:start] + piece + data[start if how == "insert" else start + len(piece) :]


@st.composite
def damaged_value(draw: Any, value: Any) -> Any:
    """A value of JSON that differs from `value` in one to four places."""
    value = json.loads(json.dumps(value)) if not isinstance(value, dict) else _copy(value)
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(value))
        if places:
            _damage_place(draw, *draw(st.sampled_from(places)))
    return value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _places(value: Any) -> Any:
    """Give all lists and objects within a value, each with each of its keys."""
    found = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in list(found):
        yield value, key
        if isinstance(one, dict | list):
            yield from _places(one)


def _damage_place(draw: Any, at: Any, key: Any) -> None:
    how = draw(st.sampled_from(["change", "change", "change", "drop", "double", "wrap", "rename"]))
    if how == "drop":
        del at[key]
    elif how == "double" and isinstance(at, list):
        at.insert(key, _copy(at[key]))
    elif how == "wrap":
        at[key] = draw(st.sampled_from([[at[key]], {"id": at[key]}, str(at[key])]))
    elif how == "rename" and isinstance(at, dict):
        name = draw(st.sampled_from(sorted(at)))
        at[name] = at.pop(key)
    else:
        at[key] = _copy(draw(st.sampled_from(VALUES)))


@st.composite
def damaged_json(draw: Any, value: Any, start: str = "") -> bytes:
    """The text of a value of JSON after `start`, damaged as a value or as bytes."""
    if draw(st.integers(0, 3)):
        value = draw(damaged_value(value))
        return (start + json.dumps(value)).encode()
    return draw(damaged((start + json.dumps(value, indent=1)).encode()))


# Columns of other types than those of the tables.
TYPES = [
    *(pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.bool_(), pa.null(), pa.binary()),
    *(pa.large_string(), pa.string_view(), pa.date32(), pa.date64(), pa.time64("us")),
    *(pa.duration("ns"), pa.decimal128(38, 5), pa.decimal256(76, 2), pa.float16()),
    *(pa.timestamp("s"), pa.timestamp("ns", "Asia/Kathmandu"), pa.timestamp("ms", "+05:30")),
    *(pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.list_(pa.int64()), pa.list_(pa.string())),
    *(pa.struct([("a", pa.int64())]), pa.map_(pa.string(), pa.int64()), pa.binary(4)),
    *(pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.int64()), pa.string()),
]
CELLS = [None, 0, 1, -1, 0.5, float("nan"), float("inf"), 2**40, 2**62, True, Decimal("1.5")]
CELLS += [MOMENT, MOMENT.date(), MOMENT.time(), MOMENT - MOMENT, b"\xff\0ab", [1], ["x"], {"a": 1}]
CELLS += [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31), [("x", 1)], *WORDS]


@st.composite
def damaged_table(draw: Any, table: pa.Table) -> bytes:
    """A Parquet file of a table with columns of other types, or with damaged bytes."""
    for _ in range(draw(st.integers(0, 2))):
        table = _damaged_column(draw, table)
    data = io.BytesIO()
    pq.write_table(
        table,
        data,
        compression=draw(st.sampled_from(["none", "snappy", "zstd"])),
        row_group_size=draw(st.sampled_from([1, 3, 1000])),
        use_dictionary=draw(st.booleans()),
    )
    whole = data.getvalue()
    return draw(damaged(whole)) if draw(st.integers(0, 2)) == 0 else whole


def _damaged_column(draw: Any, table: pa.Table) -> pa.Table:
    number = draw(st.integers(0, table.num_columns - 1))
    how = draw(
        st.sampled_from(["type", "type", "type", "cell", "drop", "rename", "double", "rows"])
    )
    name = table.column_names[number]
    if how == "drop":
        return table.remove_column(number) if table.num_columns > 1 else table
    if how == "rename":
        names = [*table.column_names]
        names[number] = draw(st.sampled_from([*table.column_names, *WORDS[:40]]))
        return table.rename_columns(names)
    if how == "double":
        return table.append_column(draw(st.sampled_from([name, name + " "])), table[number])
    if how == "rows":
        return table.slice(draw(st.integers(0, 3)), draw(st.integers(0, 6)))
    cells = table[number].to_pylist()
    if how == "cell" and cells:
        kind = table.schema.types[number]
        cells[draw(st.integers(0, len(cells) - 1))] = draw(st.sampled_from(CELLS))
    else:
        kind = draw(st.sampled_from(TYPES))
        few = draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=3))
        cells = [few[place % len(few)] for place in range(len(cells))]
    return table.set_column(number, name, pa.array([_as(kind, one) for one in cells], kind))


def _as(kind: pa.DataType, cell: Any) -> Any:
    """Return a cell if its column can hold it, or else nothing."""
    try:
        return pa.array([cell], kind)[0].as_py()
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return None


@st.composite
def damaged_car(draw: Any, data: bytes) -> bytes:
    """A repository whose blocks are damaged but have the hashes that their addresses say."""
    if draw(st.integers(0, 4)) == 0:
        return draw(damaged(data))
    parts = _parts(data)
    for number in draw(st.sets(st.integers(1, len(parts) - 1), min_size=1, max_size=3)):
        address, content = parts[number]
        parts[number] = address, draw(_damaged_block(content))
    new: list[bytes] = []
    names: dict[bytes, bytes] = {}
    # From the records up to the commit, so that what names a block comes after it.
    for address, content in reversed(parts):
        for old, now in names.items():
            content = content.replace(old, now)
        if address:
            names[address] = address[:4] + hashlib.sha256(content).digest()
        new.append(names.get(address, b"") + content)
    return b"".join(_varint(len(part)) + part for part in reversed(new))


@st.composite
def _damaged_block(draw: Any, content: bytes) -> bytes:
    if draw(st.integers(0, 3)):
        value = draw(damaged_value(libipld.decode_dag_cbor(content)))
        try:
            return libipld.encode_dag_cbor(value)
        except (ValueError, TypeError, OverflowError, RecursionError):
            return content
    return draw(damaged(content))


def _parts(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return address and content of each block, the first, which has none, with the head."""
    found, at = [], 0
    while at < len(data):
        length = shift = 0
        while True:
            byte = data[at]
            length |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                break
        part = data[at : at + length]
        found.append((part[:36], part[36:]) if found else (b"", part))
        at += length
    return found


def _varint(number: int) -> bytes:
    low = number & 127
    return bytes([low]) if number < 128 else bytes([low | 128]) + _varint(number >> 7)
