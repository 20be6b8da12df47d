"""Where a command writes: checked before the work, and never half a file."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from smo_research.errors import DataError, SmoError

if TYPE_CHECKING:
    import pandas as pd

DAY_SECONDS = 86_400
HEX = "[0-9a-f]{32}"
MANIFEST = Path("manifest.json")
# Names the tables of its folder, so that one in which a table is not yet is seen to lack it.
SETTINGS = Path("smo.toml")
# With one of these a spreadsheet takes a text for a formula, unless it is a number.
FORMULA = r"[=+\-@\t\r]"
NUMBER = r"[-+]?(\d+([.]\d*)?|[.]\d+|inf)([eE][-+]?\d+)?%?"


def check_ending(output: Path) -> None:
    """Refuse a table that is neither Parquet nor CSV, or whose folder is missing."""
    if output.suffix not in (".parquet", ".csv"):
        raise DataError(f"{output}: must end in .parquet or .csv; change -o.")
    with _as_places(output):
        home, taken = output.parent.is_dir(), output.is_dir()
    if not home:
        raise DataError(f"{output}: there is no folder {output.parent}; make it or change -o.")
    if taken:
        raise DataError(f"{output}: is a folder and no file; change -o.")
    if not os.access(output.parent, os.W_OK):
        raise DataError(f"{output}: {output.parent} may not be written to; change -o.")


def check_folder(output: Path) -> None:
    """Refuse a folder that cannot be made or written to."""
    place = output.absolute()
    with _as_places(output):
        nearest = next(path for path in (place, *place.parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise DataError(f"{output}: {nearest} is no folder to write to; choose another with -o.")


@contextlib.contextmanager
def _as_places(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{output}: is no place ({error.strerror}); change -o.") from None


def write_table(table: pd.DataFrame, output: Path) -> None:
    """Write a table as the ending of its name says; in CSV, no text is a formula."""
    if output.suffix == ".parquet":
        place_file(output, lambda part: table.to_parquet(part, index=False))
    else:
        place_file(output, lambda part: safe_cells(table).to_csv(part, index=False))


def safe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before each text that a spreadsheet would run as a formula.

    Parameters
    ----------
    table
        Any table; it is not changed. Numbers stay, and so does text that is one.

    Examples
    --------
    >>> import pandas as pd
    >>> safe_cells(pd.DataFrame({"account_id": ["=1+1", "-5", "zoe"]})).account_id.tolist()
    ["'=1+1", '-5', 'zoe']
    """
    safe = {}
    for name in table.columns:
        values = table[name]
        if values.dtype.kind in "OUSTV":
            text = values.astype("string")
            risky = text.str.match(FORMULA) & ~text.str.fullmatch(NUMBER)
            if risky.fillna(False).any():
                safe[name] = values.astype(object).mask(risky.fillna(False), "'" + text)
    return table.assign(**safe) if safe else table


def place_file(output: Path, write: Callable[[Path], None]) -> None:
    """Write under another name first, so that no half file is ever at its place."""
    part = output.with_name(f".{output.stem}.{uuid.uuid4().hex}{output.suffix}")
    sweep(output.parent, rf"\.{re.escape(output.stem)}\.{HEX}{re.escape(output.suffix)}")
    try:
        write(part)
        os.replace(part, output)
    except _unwritable() as error:
        why = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise SmoError(f"{output}: cannot be written ({why}); change -o.") from None
    finally:
        part.unlink(missing_ok=True)


def _unwritable() -> tuple[type[Exception], ...]:
    """What tells of a disk that is full or gone; DuckDB has an error of its own."""
    duckdb = sys.modules.get("duckdb")
    return (OSError,) if duckdb is None else (OSError, duckdb.IOException)


def sweep(folder: Path, name: str) -> None:
    """Remove what runs that were killed left; a run under way has written within the day.

    Parameters
    ----------
    folder
        Where to look; that it cannot be read or emptied is no error.
    name
        What the names of passing files and folders look like, as a regular expression.
    """
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            left = re.fullmatch(name, entry.name)
            if left and entry.stat(follow_symlinks=False).st_mtime < time.time() - DAY_SECONDS:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


@contextlib.contextmanager
def beside(folder: Path, *inside: str) -> Iterator[Path]:
    """Give a folder inside to make files in; it goes, and so does a new folder left empty.

    Parameters
    ----------
    folder
        Where the files are to be; it is made if need be.
    inside
        Folders in it that may be new too.

    Raises
    ------
    SmoError
        When the folder cannot be written.
    """
    part = folder / f".part.{uuid.uuid4().hex}"
    homes = [*(folder / name for name in inside), folder, *folder.parents]
    new = [path for path in homes if not path.exists()]
    sweep(folder, rf"\.part\.{HEX}")
    try:
        part.mkdir(parents=True)
        yield part
    except OSError as error:
        raise SmoError(
            f"{folder}: cannot be written ({error.strerror or error}); make room or choose "
            "another folder with -o."
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
        for path in new:
            # Goes only where it is empty, so where nothing was written.
            with contextlib.suppress(OSError):
                path.rmdir()


def place(part: Path, folder: Path) -> list[Path]:
    """Move the files made in `part` into the folder, the manifest last; all of them or none.

    Where there is smo.toml, it comes first. An old manifest is taken away before, so that a folder
    has one only while it is whole. Of two runs into one folder the second waits until the first
    has moved all its files.
    """
    made = sorted(path.relative_to(part) for path in part.rglob("*") if path.is_file())
    made.sort(key=lambda path: (path == MANIFEST, path != SETTINGS))
    old = part / "old"
    with _alone_in(folder):
        for path in made:
            if path != MANIFEST and (folder / path).exists():
                (old / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(folder / path, old / path)
        _move(made, part, folder, old)
    return [folder / path for path in made]


def _move(made: list[Path], part: Path, folder: Path, old: Path) -> None:
    moved = []
    old.mkdir(exist_ok=True)
    try:
        if MANIFEST in made and (folder / MANIFEST).exists():
            os.rename(folder / MANIFEST, old / MANIFEST)
        for path in made:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(part / path, folder / path)
            moved.append(path)
    except BaseException:
        for path in moved:
            if (old / path).exists():
                os.replace(old / path, folder / path)
            else:
                (folder / path).unlink()
        if (old / MANIFEST).exists():
            os.rename(old / MANIFEST, folder / MANIFEST)
        raise


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other runs from moving files into the folder meanwhile; a killed run keeps nobody."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some network folders know no locks.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
