"""Looks for names and texts in whatever a command left behind, in any dress they may wear there."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pandas as pd
import pyarrow.parquet as pq

PNG = b"\x89PNG\r\n\x1a\n"
DATA_URI = re.compile(rb"base64,\s*([A-Za-z0-9+/=\s]{16,})")


def forms(plant: str) -> set[bytes]:
    """What a name or a text becomes on its way into a file, as `bytes.lower` leaves it."""
    cases = {plant, plant.lower(), plant.upper(), plant.capitalize()}
    texts = {dressed for case in cases for dressed in _dressed(case)}
    codes = ("utf-8", "utf-16-le", "utf-16-be")
    found = {text.encode(code).lower() for text in texts for code in codes}
    return found | {plant.encode("latin-1", "replace").lower()}


def _dressed(text: str) -> Iterator[str]:
    yield from (text, html.escape(text), html.escape(text, quote=False), repr(text)[1:-1])
    yield from (quote(text), quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1])
    yield from (text.encode("unicode_escape").decode(), text.encode("utf-8").hex())
    yield text.encode("ascii", "xmlcharrefreplace").decode()


def in_base64(plant: str) -> set[bytes]:
    """The part of each base64 of the plant that does not depend on what stands around it."""
    data = plant.encode()
    found = set()
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + data)
        found.add(coded[-(-before * 4 // 3) : len(coded) - 4])
    return {one for one in found if len(one) >= 8}


def layers(data: bytes) -> Iterator[bytes]:
    """The bytes of a file, and what is packed in them."""
    yield data
    if data[:2] == b"\x1f\x8b":
        yield from layers(gzip.decompress(data))
    elif data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from layers(archive.read(name))
    elif data[:4] == b"PAR1":
        file = pq.ParquetFile(io.BytesIO(data))
        yield str(file.schema_arrow).encode()
        yield from (part for pair in (file.metadata.metadata or {}).items() for part in pair)
        yield pd.read_parquet(io.BytesIO(data)).to_csv().encode("utf-8", "surrogatepass")
    elif data[:8] == PNG:
        yield from _of_png(data)
    for found in DATA_URI.findall(data):
        yield from layers(base64.b64decode(found))


def _of_png(data: bytes) -> Iterator[bytes]:
    """Text chunks, unpacked, and the raw lines of the picture."""
    place = len(PNG)
    packed = b""
    while place < len(data):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        body = data[place + 8 : place + 8 + size]
        if kind == b"IDAT":
            packed += body
        elif kind == b"zTXt":
            yield zlib.decompress(body.split(b"\0", 1)[1][1:])
        elif kind == b"iTXt" and (told := body.split(b"\0", 1)[1])[:1] == b"\1":
            yield zlib.decompress(told[2:].split(b"\0", 2)[2])
        place += 12 + size
    yield zlib.decompress(packed)


def hunt(data: bytes, plants: Iterable[str]) -> list[str]:
    """The plants that are in some layer of the data."""
    whole = list(layers(data))
    small = [layer.lower() for layer in whole]
    return [
        plant
        for plant in plants
        if any(form in layer for form in forms(plant) for layer in small)
        or any(form in layer for form in in_base64(plant) for layer in whole)
    ]


def hunt_folder(folder: Path, plants: Iterable[str]) -> dict[str, list[str]]:
    """By file below the folder, the plants in its name or in it."""
    plants = list(plants)
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        here = hunt(name.encode(), plants)
        if path.is_file():
            here += hunt(path.read_bytes(), plants)
        if here:
            found[name] = here
    return found
