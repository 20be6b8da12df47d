"""An edition of the figures of record: made into a folder, or compared with the one there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from smo_research.errors import DataError, SmoError
from smo_research.output import beside, place
from smo_research.report.album import (
    KINDS,
    MANIFEST,
    Record,
    Sources,
    hash_of,
    read_manifest,
    save,
    write_contents,
)
from smo_research.report.compare import (
    PIXELS,
    RELATIVE,
    numbers_differ,
    pixels_differ,
    read_numbers,
)
from smo_research.report.words import count


def make(folder: str | Path, wanted: Sequence[Record], sources: Sources) -> str:
    """Make figures into a folder; those whose data cannot be had stay as they are.

    Parameters
    ----------
    folder
        All files are placed in it or none; other files in it stay.
    wanted
        The figures.
    sources
        What they are made from.

    Returns
    -------
    str
        How many there are, in a sentence.

    Raises
    ------
    SmoError
        When the folder cannot be written; when the data of a figure cannot be had, after the
        others were made.
    """
    folder = Path(folder)
    ready, lacking = _ready(wanted, sources)
    if ready:
        with beside(folder) as part:
            made = _save(ready, sources, part)
            kept = read_manifest(folder) if lacking and (folder / MANIFEST).is_file() else {}
            entries = kept | made
            known = [one.name for one in wanted if one.name in entries]
            write_contents({name: entries[name] for name in known}, part)
            place(part, folder)
    _complain(_without("made", lacking))
    return f"{count(len(ready), 'figure')} of record in {folder}"


def verify(folder: str | Path, wanted: Sequence[Record], sources: Sources) -> str:
    """Make figures elsewhere and compare them with those of a folder, numbers first.

    Parameters
    ----------
    folder
        With the manifest, and the files that it names.
    wanted, sources
        As in `make`.

    Returns
    -------
    str
        How many came out the same, in a sentence.

    Raises
    ------
    DataError
        When the manifest names other figures, or a file that it names is not there.
    SmoError
        When a figure differs, with its row and column; when the data of one cannot be had.
    """
    folder = Path(folder)
    entries = read_manifest(folder)
    _complete(folder, entries, wanted)
    ready, lacking = _ready(wanted, sources)
    with TemporaryDirectory() as passing:
        part = Path(passing)
        made = _save(ready, sources, part)
        found = {one.name: _numbers(one, part, folder) for one in ready}
        for name in [name for name in made if not found[name]]:
            found[name] = _files(name, folder, entries[name]) or _pixels(
                name, part, folder, made[name], entries[name]
            )
    differs = [f"{name}: {words}." for name, words in found.items() if words]
    _complain([*differs, *_without("verified", lacking)])
    return (
        f"{count(len(ready), 'figure')} of record in {folder} came out the same: numbers to "
        f"{RELATIVE:g} of their size, pictures to {PIXELS:g} of 255"
    )


def _without(done: str, lacking: dict[str, list[str]]) -> list[str]:
    return [
        f"{name}: could not be {done} without {', '.join(sets)}; smo fetch says what was tried."
        for name, sets in lacking.items()
    ]


def _complain(problems: list[str]) -> None:
    if problems:
        raise SmoError("\n".join(problems))


def _ready(wanted: Sequence[Record], sources: Sources) -> tuple[list[Record], dict[str, list[str]]]:
    """The figures whose data is at hand, and what the others lack."""
    lacking = {
        one.name: [name for name in one.datasets if name in sources.absent] for one in wanted
    }
    ready = [one for one in wanted if not lacking[one.name]]
    return ready, {name: sets for name, sets in lacking.items() if sets}


def _save(ready: Sequence[Record], sources: Sources, part: Path) -> dict[str, dict]:
    made = {}
    for one in ready:
        numbers = one.numbers(sources)
        sources.tell(f"{one.name}: drawing")
        made[one.name] = save(one, numbers, part, about=sources.made_from(one.datasets))
    return made


def _complete(folder: Path, entries: dict[str, dict], wanted: Sequence[Record]) -> None:
    names = [one.name for one in wanted]
    for name in [*names, *entries]:
        if name not in entries:
            raise DataError(f"{name}: is not in {folder / MANIFEST}; run smo figures.")
        if name not in names:
            raise DataError(
                f"{name}: is in {folder / MANIFEST}, but is no figure of record; run smo figures."
            )
        for kind in KINDS:
            if not (folder / f"{name}.{kind}").is_file():
                raise DataError(f"{name}: {name}.{kind} is not in {folder}; run smo figures.")


def _numbers(record: Record, part: Path, folder: Path) -> str:
    made, kept = (read_numbers(home / f"{record.name}.csv") for home in (part, folder))
    return numbers_differ(made, kept, keys=record.keys)


def _files(name: str, folder: Path, entry: dict) -> str:
    changed = [
        kind for kind in KINDS if hash_of(folder / f"{name}.{kind}") != entry["sha256"][kind]
    ]
    return f"{name}.{changed[0]} is not the file that the manifest names" if changed else ""


def _pixels(name: str, part: Path, folder: Path, made: dict, kept: dict) -> str:
    words = pixels_differ(part / f"{name}.png", folder / f"{name}.png")
    here, there = made["versions"], kept["versions"]
    other = [
        f"{one} {here[one]}, not {there.get(one)}" for one in here if here[one] != there.get(one)
    ]
    return f"{words}; here is {', '.join(other)}" if words and other else words
