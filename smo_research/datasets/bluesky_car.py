"""A repository of Bluesky as it is exported: a CAR file opened safely, and told as records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smo_research.datasets.archive import AGAIN, expect
from smo_research.errors import DataError

MOST_BYTES = 1 << 29
# Version 1, DAG-CBOR, SHA-256 of 32 bytes: the one form of address that a repository has.
ADDRESS = bytes.fromhex("01711220")
LONG_ADDRESS = len(ADDRESS) + 32
LONGEST_KEY = 1024
VERSION_1 = b"gversion\x01"
COMMITS = (2, 3)


@dataclass(frozen=True)
class Record:
    """A record of a repository: its collection, its key in that, what it says, and its place."""

    collection: str
    key: str
    value: Any
    place: str


def open_repository(path: Path) -> tuple[str, Iterator[Record]]:
    """Read a repository into memory, and check that nothing of it is lacking or was changed.

    Whether its owner signed it is not checked, since the key is not in it.

    Parameters
    ----------
    path
        The .car file.

    Returns
    -------
    tuple
        The DID of the owner; and the records in the order of their keys, which is by collection
        and then hardly ever another than that of time. Deleted ones are not among them.

    Raises
    ------
    DataError
        When the package `atproto` is not installed, or the file is absent, too large, cut short,
        changed or no repository.
    """
    commit, block = _opened(path, _whole(path))
    if not isinstance(commit, dict) or commit.get("version") not in COMMITS:
        raise _other(path, "it has no commit")
    owner = expect(commit.get("did"), str, f"{path.name}, the commit, did")
    return owner, _records(path, block, commit.get("data"))


def _opened(path: Path, data: bytes) -> tuple[Any, Callable[[Any], Any]]:
    """Return the commit, and how to get what is at an address."""
    try:
        from atproto_core.car import CAR
        from atproto_core.cid import CID
    except ImportError:
        remedy = 'pip install "smo_research[bluesky]"'
        raise DataError(f"{path.name} needs a package to be read: {remedy}.") from None
    try:
        car = CAR.from_bytes(data)
        commit = car.blocks.get(car.root)
    except (ValueError, TypeError, RecursionError):
        raise _other(path, "it holds what none does") from None

    def block(address: Any) -> Any:
        if not isinstance(address, bytes) or not _is_address(address):
            raise _other(path, "it has an address of another form")
        found = car.blocks.get(CID.from_decoded_bytes(address))
        if found is None:
            raise DataError(f"{path.name} lacks a part of the repository; {AGAIN}.")
        return found

    return commit, block


def _other(path: Path, what: str) -> DataError:
    return DataError(f"{path.name} is no repository of Bluesky ({what}); give the .car file.")


def _is_address(address: bytes) -> bool:
    return len(address) == LONG_ADDRESS and address.startswith(ADDRESS)


def _whole(path: Path) -> bytes:
    """Read the file, if each block in it has the hash that its address says."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "not readable"
        raise DataError(f"{path} cannot be read ({reason}); correct the name.") from None
    if len(data) > MOST_BYTES:
        raise DataError(f"{path.name} is larger than any such archive; {AGAIN}.")
    start, end = _span(data, 0)
    if VERSION_1 not in data[start:end]:
        raise _other(path, "it is no CAR file of version 1")
    number = 0
    while end < len(data):
        number += 1
        start, end = _span(data, end)
        _check(data[start:end], end <= len(data), f"{path.name}, block {number}")
    return data


def _span(data: bytes, start: int) -> tuple[int, int]:
    """Return where the part begins and ends whose length stands at `start`."""
    length = shift = 0
    for place in range(start, min(start + 10, len(data))):
        length |= (data[place] & 0x7F) << shift
        if data[place] < 0x80:
            return place + 1, place + 1 + length
        shift += 7
    return len(data), len(data) + 1


def _check(block: bytes, whole: bool, place: str) -> None:
    if not whole:
        raise DataError(f"{place} is cut short; {AGAIN}.")
    address, content = block[:LONG_ADDRESS], block[LONG_ADDRESS:]
    if not _is_address(address):
        raise DataError(f"{place} is no block of a repository; {AGAIN}.")
    if hashlib.sha256(content).digest() != address[len(ADDRESS) :]:
        raise DataError(f"{place} is damaged: it has another hash than it says; {AGAIN}.")


def _records(path: Path, block: Callable[[Any], Any], tree: Any) -> Iterator[Record]:
    counts: dict[str, int] = {}
    for key, address in _entries(path, block, tree):
        collection, _, name = key.decode("ascii", "replace").partition("/")
        number = counts[collection] = counts.get(collection, -1) + 1
        place = f"{path.name}, {collection}[{number}]"
        yield Record(collection, name, block(address), place)


def _entries(
    path: Path, block: Callable[[Any], Any], tree: Any
) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield the keys of a search tree in their order, each with the address of its record."""
    seen: set[Any] = set()
    last = b""
    stack: list[tuple[bytes | None, Any]] = [(None, tree)]
    while stack:
        key, address = stack.pop()
        if key is None:
            node = block(address)
            if address in seen:
                raise _other(path, "its tree has a circle")
            seen.add(address)
            stack += reversed(_within(node, f"{path.name}, node {len(seen)}"))
            continue
        if key <= last:
            raise _other(path, "its keys are out of order")
        last = key
        yield key, address


def _within(node: Any, place: str) -> list[tuple[bytes | None, Any]]:
    """Return what a node has: a key and its record, or None and a node, in their order."""
    expect(node, dict, place)
    found: list[tuple[bytes | None, Any]] = [(None, node.get("l"))]
    key = b""
    for entry in expect(node.get("e"), list, f"{place}.e"):
        expect(entry, dict, f"{place}.e")
        shared, rest = entry.get("p"), expect(entry.get("k"), bytes, f"{place}.k")
        if type(shared) is not int or not 0 <= shared <= len(key):
            raise DataError(f"{place}.p is no length of the key before; {AGAIN}.")
        key = key[:shared] + rest
        if len(key) > LONGEST_KEY:
            raise DataError(f"{place}.k is longer than any key; {AGAIN}.")
        found += [(key, entry.get("v")), (None, entry.get("t"))]
    return [(key, address) for key, address in found if key is not None or address is not None]
