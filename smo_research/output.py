"""Where a command writes: checked before the work, and never half a file."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from smo_research.errors import DataError, SmoError

if TYPE_CHECKING:
    import pandas as pd


def check_ending(output: Path) -> None:
    """Refuse a table that is neither Parquet nor CSV, or whose folder is missing."""
    if output.suffix not in (".parquet", ".csv"):
        raise DataError(f"{output}: must end in .parquet or .csv; change -o.")
    if not output.parent.is_dir():
        raise DataError(f"{output}: there is no folder {output.parent}; make it or change -o.")


def check_folder(output: Path) -> None:
    """Refuse a folder that cannot be made or written to."""
    place = output.absolute()
    nearest = next(path for path in (place, *place.parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise DataError(f"{output}: {nearest} is no folder to write to; choose another with -o.")


def write_table(table: pd.DataFrame, output: Path) -> None:
    """Write a table as the ending of its name says."""
    if output.suffix == ".parquet":
        place_file(output, lambda part: table.to_parquet(part, index=False))
    else:
        place_file(output, lambda part: table.to_csv(part, index=False))


def place_file(output: Path, write: Callable[[Path], None]) -> None:
    """Write under another name first, so that no half file is ever at its place."""
    part = output.with_name(f".{output.stem}.{uuid.uuid4().hex}{output.suffix}")
    try:
        write(part)
        os.replace(part, output)
    except OSError as error:
        raise SmoError(
            f"{output}: cannot be written ({error.strerror or error}); change -o."
        ) from None
    finally:
        part.unlink(missing_ok=True)


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
    """Move the files made in `part` into the folder, the manifest last; all of them or none."""
    made = sorted(path.relative_to(part) for path in part.rglob("*") if path.is_file())
    made.sort(key=lambda path: path.name == "manifest.json")
    old, moved = part / "old", []
    for path in made:
        if (folder / path).exists():
            (old / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / path, old / path)
    try:
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
        raise
    return [folder / path for path in made]
