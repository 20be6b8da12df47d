"""Archives that platforms hand to the owner of an account: opened safely, and told as tables."""

from __future__ import annotations

import contextlib
import gzip
import json
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from smo_research.datasets.pseudonyms import pseudonyms
from smo_research.errors import DataError
from smo_research.tables import Tables, validate

AGAIN = "ask the platform for the archive again"
MOST_BYTES = 1 << 31
# Text seldom packs to less than a twentieth; under the floor no ratio does harm.
MOST_TIMES, FLOOR = 200, 1 << 24
MOST_FOLDERS = 3
OWNER = "a1"
KINDS_OF_JSON = {
    dict: "an object",
    list: "a list",
    str: "text",
    bytes: "bytes",
    type(None): "missing",
}


@dataclass(frozen=True)
class _Member:
    """A file in an archive: where it is, how large it says it is, and how to get it."""

    place: PurePosixPath
    size: int
    read: Callable[[], bytes]


class _Gzip(gzip.GzipFile):
    """A gzip file that no header of a tar can make fill the memory."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= MOST_BYTES:
            raise tarfile.ReadError("a part of it is too large")
        return super().read(size)


def open_members(path: Path, names: Mapping[str, str]) -> dict[str, dict[str, bytes]]:
    """Read files of an archive into memory; nothing is unpacked to disk.

    Parameters
    ----------
    path
        A .zip, .tar or .tar.gz file, or the folder that it was unpacked to.
    names
        The files that are needed: what to call each, and a regular expression for its name. They
        are looked for side by side, in the uppermost folder that has them.

    Returns
    -------
    dict
        For each that is needed the files found, by name, in the order of their names.

    Raises
    ------
    DataError
        When the archive is absent, damaged or locked, lacks a file, names one outside of itself,
        or unpacks to more than any such archive does.

    Examples
    --------
    >>> import pathlib, tempfile, zipfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "archive.zip")
    >>> with zipfile.ZipFile(path, "w") as archive:
    ...     archive.writestr("export/actor.json", "{}")
    >>> open_members(path, {"actor.json": r"actor[.]json"})
    {'actor.json': {'actor.json': b'{}'}}
    """
    with _sound(path), contextlib.ExitStack() as stack:
        members = list(_members(path, stack))
        chosen = _side_by_side(path, members, names)
        if sum(member.size for found in chosen.values() for member in found) > MOST_BYTES:
            raise _bomb(path)
        return {
            name: {member.place.name: member.read() for member in found}
            for name, found in chosen.items()
        }


@contextlib.contextmanager
def _sound(path: Path) -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        gzip.BadGzipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        NotImplementedError,
        ValueError,
    ):
        raise DataError(f"{path.name} is damaged; {AGAIN}.") from None
    except OSError as error:
        reason = error.strerror or "not readable"
        raise DataError(f"{path} cannot be read ({reason}); correct the name.") from None


def _bomb(path: Path) -> DataError:
    return DataError(f"{path.name} unpacks to more than any such archive holds; {AGAIN}.")


def _members(path: Path, stack: contextlib.ExitStack) -> Iterator[_Member]:
    if path.is_dir():
        return _in_folder(path)
    file = stack.enter_context(path.open("rb"))
    start = file.read(2)
    file.seek(0)
    if start == b"PK":
        return _in_zip(path, stack.enter_context(zipfile.ZipFile(file)))
    packed = start == b"\x1f\x8b"
    plain = stack.enter_context(_Gzip(fileobj=file)) if packed else file
    try:
        archive = stack.enter_context(tarfile.TarFile(fileobj=plain))
    except tarfile.TarError:
        raise DataError(f"{path.name} is no .zip, .tar.gz or folder; give the archive.") from None
    return _in_tar(path, archive, path.stat().st_size if packed else None)


def _place(path: Path, name: str) -> PurePosixPath:
    place = PurePosixPath(name.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or re.match("[A-Za-z]:", name):
        raise DataError(f"{path.name} names a file outside of itself; {AGAIN}.")
    return place


def _in_zip(path: Path, archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        place = _place(path, info.filename)
        # Python 3.11 fails to tell whether one without a name is a folder.
        if info.filename and not info.is_dir():
            yield _Member(place, info.file_size, partial(_read_zip, path, archive, info))


def _read_zip(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.flag_bits & 1:
        raise DataError(f"{path.name} is locked; unpack it and give the folder.")
    if info.file_size > max(FLOOR, MOST_TIMES * info.compress_size):
        raise _bomb(path)
    return archive.read(info)


def _in_tar(path: Path, archive: tarfile.TarFile, packed: int | None) -> Iterator[_Member]:
    for info in archive:
        place = _place(path, info.name)
        # Before the next header is sought, since that unpacks all up to it.
        if packed is not None and info.offset_data + info.size > max(FLOOR, MOST_TIMES * packed):
            raise _bomb(path)
        if info.isreg():
            yield _Member(place, info.size, partial(_read_tar, archive, info))


def _read_tar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    content = archive.extractfile(info)
    data = content.read() if content else b""
    if len(data) != info.size:
        raise tarfile.ReadError("unexpected end of data")
    return data


def _in_folder(path: Path) -> Iterator[_Member]:
    within = path.resolve()
    for folder, below, files in os.walk(path):
        depth = len(Path(folder).relative_to(path).parts)
        below[:] = sorted(below) if depth < MOST_FOLDERS else []
        for name in sorted(files):
            file = Path(folder, name)
            if file.is_file() and file.resolve().is_relative_to(within):
                place = PurePosixPath(file.relative_to(path).as_posix())
                yield _Member(place, file.stat().st_size, file.read_bytes)


def _side_by_side(
    path: Path, members: Sequence[_Member], names: Mapping[str, str]
) -> dict[str, list[_Member]]:
    """Choose the files of the uppermost folder that has all that is needed."""
    found: dict[str, dict[PurePosixPath, list[_Member]]] = {name: {} for name in names}
    for member in sorted(members, key=lambda one: one.place):
        for name, pattern in names.items():
            if len(member.place.parts) <= MOST_FOLDERS + 1 and re.fullmatch(
                pattern, member.place.name
            ):
                found[name].setdefault(member.place.parent, []).append(member)
    for name, places in found.items():
        if not places:
            raise DataError(f"{path.name} has no {name}; give the whole archive, as it was sent.")
    folders = set.intersection(*(set(places) for places in found.values()))
    depth = min((len(folder.parts) for folder in folders), default=0)
    uppermost = [folder for folder in folders if len(folder.parts) == depth]
    if len(uppermost) != 1:
        many = "several archives" if uppermost else f"no folder with all of {', '.join(names)}"
        raise DataError(f"{path.name} holds {many}; give one whole archive.")
    return {name: places[uppermost[0]] for name, places in found.items()}


def parse_json(data: bytes, where: str) -> Any:
    """Return what a text of JSON says.

    Parameters
    ----------
    data
        The text, UTF-8.
    where
        The file, for the message of the error, which names the line and never quotes the text.
    """
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(f"{where}, line {line} is not UTF-8 text; {AGAIN}.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{where}, {place} is no JSON ({error.msg}); {AGAIN}.") from None
    except (ValueError, RecursionError):
        raise DataError(f"{where} holds what no archive does; {AGAIN}.") from None


def expect(value: Any, kind: type, where: str) -> Any:
    """Return the value of a JSON text if it is of the kind that the format says.

    Parameters
    ----------
    value
        What was found.
    kind
        dict, list or str.
    where
        File and place, for the message of the error, which never quotes the value.

    Examples
    --------
    >>> expect({"type": "Note"}, dict, "outbox.json, orderedItems[0]")
    {'type': 'Note'}
    """
    if isinstance(value, kind):
        return value
    told = KINDS_OF_JSON.get(type(value), "a number or flag")
    raise DataError(f"{where} is {told}, but should be {KINDS_OF_JSON[kind]}; {AGAIN}.")


def own_tables(
    name: str,
    posts: Sequence[Mapping[str, Any]],
    acts: Sequence[Mapping[str, Any]],
    *,
    platform: str,
    opened: str | None,
    time_format: str,
    source: str,
) -> Tables:
    """Make the canonical tables of one account, its ids replaced by serial names.

    Parameters
    ----------
    name, platform, opened
        Of the data set; of the account, and when that was opened, if known.
    posts
        One a post: post_id, created_at (text), place (where in the file, for messages), and
        columns of the canonical table; one with nothing in it is left out.
    acts
        One an act of the owner toward another: target_id, created_at, place, kind, and post_id,
        the owner's post that it is part of, or None.
    time_format
        As in `pandas.to_datetime`; a time that names no zone is taken as UTC.
    source
        The file, for messages.

    Returns
    -------
    Tables
        Posts are named p1, p2 and so on, and people a1 (the owner), a2 and so on, both in the
        order of time, so that the order of the archive does not matter.

    Raises
    ------
    DataError
        When there is neither a post nor an act, or something is no time.
    """
    if not posts and not acts:
        raise DataError(f"{source} holds no post of its owner; give an archive with posts.")
    account = pd.DataFrame({"account_id": [OWNER], "platform": [platform]})
    if opened:
        account["created_at"] = _times([opened], [f"{source}, the account"], "ISO8601")
    own = _in_time(posts, time_format)
    names = [f"p{number}" for number in range(1, len(own) + 1)]
    toward = _acts(
        _in_time(acts, time_format), dict(zip(own.get("post_id", []), names, strict=True))
    )
    own = own.assign(post_id=names, account_id=OWNER).dropna(axis="columns", how="all")
    return Tables(
        name,
        accounts=validate(account, "accounts", source=source),
        posts=validate(own, "posts", source=source) if posts else None,
        interactions=validate(toward, "interactions", source=source) if acts else None,
    )


def _acts(acts: pd.DataFrame, serial: Mapping[str, str]) -> pd.DataFrame:
    if acts.empty:
        return acts
    people = pseudonyms(pd.Series([OWNER, *acts["target_id"]], dtype=object))
    acts = acts.assign(
        source_id=OWNER,
        target_id=people[1:].to_numpy(),
        seq=range(len(acts)),
        post_id=acts["post_id"].map(serial.get),
    )
    return acts.dropna(axis="columns", how="all")


def _in_time(rows: Sequence[Mapping[str, Any]], time_format: str) -> pd.DataFrame:
    # As objects, since an id may hold half a character, which no column of text can.
    table = pd.DataFrame(list(rows), dtype=object)
    if table.empty:
        return table
    table["created_at"] = _times(table["created_at"], table["place"], time_format)
    return table.drop(columns="place").sort_values("created_at", kind="stable", ignore_index=True)


def _times(texts: Sequence[str], places: Sequence[str], time_format: str) -> pd.Series:
    text = pd.Series([one.encode("ascii", "replace").decode() for one in texts], dtype="str")
    found = pd.to_datetime(text, format=time_format, utc=True, errors="coerce")
    wrong = found.isna()
    if wrong.any():
        form = "such as 2020-01-31T23:59:59Z" if time_format == "ISO8601" else time_format
        raise DataError(f"{list(places)[int(wrong.argmax())]} has no time {form}; {AGAIN}.")
    return found.dt.as_unit("us")
