"""A folder of one's own: canonical tables as CSV or Parquet, and smo.toml to say what they are."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_args

import pandas as pd

from smo_research.datasets.catalog import Dataset, catalog
from smo_research.datasets.edgelist import read_text
from smo_research.datasets.mapping import MUST_BE, OF_A_TABLE
from smo_research.datasets.own import read_table
from smo_research.datasets.testable import can_test
from smo_research.errors import DataError
from smo_research.problems import Problem, told
from smo_research.tables import SCHEMAS, TableName, Tables, Windows

SETTINGS = "smo.toml"
ENDINGS = (".csv", ".csv.gz", ".parquet")
KNOWN = ("name", "title", "platform", "licence", "limits", "ids", "windows", "table")
IDS = {
    "people": "pseudonymised on reading",
    "public": "public",
    "own": "one's own accounts, pseudonymised on reading",
}
WEEKLY = {"period": 7, "gap": 7, "horizon": 42, "from_launch": False}
FEWEST_PEOPLE = 5
TOO_FEW = (
    f"Fewer than {FEWEST_PEOPLE} people posted, and what a cell shows should not be one person's; "
    'for accounts of your own write ids = "own" in smo.toml.'
)
OTHER = "other"
# Columns that hold an id, by the kind of thing it names.
ACCOUNTS = ("source_id", "target_id", "account_id")


@dataclass(frozen=True, eq=False)
class Own:
    """A folder that was read: its entry, as the catalogue has one, its tables and file hashes."""

    entry: Dataset
    tables: Tables
    hashes: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each table that is there."""
        found = {name: getattr(self.tables, name) for name in SCHEMAS}
        return {name: len(table) for name, table in found.items() if table is not None}


def read_folder(folder: str | Path) -> Own:
    r"""Read a folder of canonical tables of one's own.

    Parameters
    ----------
    folder
        With `posts.csv`, `interactions.parquet` and so on, named for the tables; `seq` may be
        left out of interactions. A file `smo.toml` may say more: the windows of the study, whether
        ids name people, and which column of which file is which (see the documentation).

    Returns
    -------
    Own
        Ids as serial pseudonyms by first appearance, unless smo.toml says that they are "public"
        (organisations, public figures). With "own", accounts of one's own, they are pseudonyms
        too, since others wrote to them.

    Raises
    ------
    DataError
        Naming file, row, column and remedy of each problem, at most 20 of them.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp(), "village")
    >>> folder.mkdir()
    >>> text = "source_id,target_id,created_at,kind\nzoe,amy,2020-01-01,reply\n"
    >>> _ = (folder / "interactions.csv").write_text(text)
    >>> read_folder(folder).tables.interactions.source_id.tolist()
    ['a1']
    """
    own, problems = inspect_folder(folder)
    if own is None:
        raise DataError(told(problems))
    return own


def inspect_folder(folder: str | Path) -> tuple[Own | None, list[Problem]]:
    """Do as `read_folder`, but hand over the problems instead of raising.

    Parameters
    ----------
    folder
        As in `read_folder`.

    Examples
    --------
    >>> import tempfile, smo_research as smo
    >>> letters = smo.example_folder(tempfile.mkdtemp()) / "letters.csv"
    >>> _ = letters.write_text(letters.read_text().replace("2020-", "20-", 1))
    >>> [(problem.file, problem.row) for problem in inspect_folder(letters.parent)[1]]
    [('letters.csv', 1)]
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder; correct the name.")
    settings, problems = _settings(folder)
    if problems:
        # How the tables are to be read is not known.
        return None, problems
    files, more = _files(folder, settings)
    problems += more
    tables: dict[str, pd.DataFrame] = {}
    for table, path in files.items():
        frame, found = read_table(path, table, settings.get("table", {}).get(table, {}))
        problems += found
        tables[table] = frame
    windows = _windows(settings, "interactions" in files, problems)
    if not files and not problems:
        names = ", ".join(f"{name}.csv" for name in SCHEMAS)
        nothing = "there is no table in the folder"
        remedy = (
            f'give one of {names}, or name another file in smo.toml: [table.posts] file = "my.csv"'
        )
        problems.append(Problem(folder.name, None, None, nothing, remedy))
    if problems:
        return None, problems
    if settings.get("ids", "people") != "public":
        tables = _pseudonymised(tables)
    if settings.get("ids", "people") == "people" and "post_type" in tables.get("posts", ()):
        tables["posts"] = _common_types(tables["posts"])
    name = str(settings.get("name", _slug(folder)))
    whole = Tables(name, **{str(table): frame for table, frame in tables.items()})
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files.values()}
    return Own(_entry(name, settings, whole, windows), whole, hashes), []


def _slug(folder: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "own-data"
    return f"own-{name}" if name in catalog() else name


def _settings(folder: Path) -> tuple[dict[str, Any], list[Problem]]:
    path = folder / SETTINGS
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return {}, []
    try:
        found = tomllib.loads(read_text(path).decode())
    except RecursionError:
        return {}, [Problem(SETTINGS, None, None, "is nested too deep", "write it flat")]
    except tomllib.TOMLDecodeError as error:
        return {}, [Problem(SETTINGS, None, None, f"is not TOML ({error})", "correct the line")]
    problems = [
        Problem(SETTINGS, None, None, f"'{key}' is not known", f"the keys are {', '.join(KNOWN)}")
        for key in found
        if key not in KNOWN
    ]
    for key in ("windows", "table"):
        if not isinstance(found.get(key, {}), dict):
            wrong = f"{key} is {found.pop(key)!r}"
            problems.append(Problem(SETTINGS, None, None, wrong, f"write it as [{key}]"))
    problems += [
        Problem(SETTINGS, None, None, f"{key} is {found[key]!r}", "write it as text in quotes")
        for key in ("title", "platform", "licence", "limits")
        if not isinstance(found.get(key, ""), str)
    ]
    if str(found.get("ids", "people")) not in IDS:
        remedy = f"write one of {', '.join(IDS)}"
        problems.append(Problem(SETTINGS, None, None, f"ids is {found['ids']!r}", remedy))
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", str(found.get("name", "own"))):
        wrong = f"name is {str(found['name'])[:60]!r}"
        problems.append(Problem(SETTINGS, None, None, wrong, "use small letters, digits and -"))
    elif found.get("name") in catalog():
        wrong = f"name is '{found['name']}', a data set of the catalogue"
        problems.append(Problem(SETTINGS, None, None, wrong, "choose another"))
    for table, said in found.get("table", {}).items():
        problems += _of_a_table(table, said)
    return found, problems


def _of_a_table(table: str, said: Any) -> list[Problem]:
    if table not in SCHEMAS:
        wrong, remedy = f"there is no table '{table}'", f"the tables are {', '.join(SCHEMAS)}"
        return [Problem(SETTINGS, None, None, wrong, remedy)]
    if not isinstance(said, dict) or (odd := sorted(set(said) - set(OF_A_TABLE))):
        wrong = f"[table.{table}] has {odd[0] if isinstance(said, dict) else said!r}"
        return [Problem(SETTINGS, None, None, wrong, f"it may have {', '.join(OF_A_TABLE)}")]
    for key, fits, remedy in MUST_BE:
        if key in said and not fits(said[key]):
            return [
                Problem(SETTINGS, None, None, f"[table.{table}] has {key} = {said[key]!r}", remedy)
            ]
    columns = SCHEMAS[cast("TableName", table)].to_schema().columns
    return [
        Problem(
            SETTINGS,
            None,
            None,
            f"[table.{table}] names a column '{name}'",
            f"its columns are {', '.join(columns)}",
        )
        for name in [*said.get("columns", {}), *said.get("values", {})]
        if name not in columns
    ]


def _files(
    folder: Path, settings: Mapping[str, Any]
) -> tuple[dict[TableName, Path], list[Problem]]:
    files: dict[TableName, Path] = {}
    problems = []
    for table in get_args(TableName):
        said = settings.get("table", {}).get(table, {})
        wanted = said.get("file") if isinstance(said, dict) else None
        there = [folder / f"{table}{ending}" for ending in ENDINGS]
        found = (
            [folder / str(wanted)] if wanted else [path for path in there if os.path.lexists(path)]
        )
        if len(found) > 1:
            two = f"the table '{table}' is there twice, as {found[0].name} and {found[1].name}"
            problems.append(Problem(folder.name, None, None, two, "remove one"))
        elif found and not found[0].is_file():
            wrong = f"[table.{table}] names the file {wanted}, which is not there"
            at_fault = Problem(SETTINGS, None, None, wrong, "correct the name")
            if wanted is None:
                at_fault = Problem(found[0].name, None, None, "is no file", "put a file there")
            problems.append(at_fault)
        elif found:
            files[table] = found[0]
    return files, problems


def _windows(settings: Mapping[str, Any], acts: bool, problems: list[Problem]) -> Windows | None:
    given = {**WEEKLY, **settings.get("windows", {})}
    if not acts:
        given["gap"] = None
    try:
        return Windows(**given)
    except (DataError, TypeError) as error:
        wrong = f"[windows] cannot be used ({error})"
        remedy = "it may have period, gap, horizon (days) and from_launch"
        problems.append(Problem(SETTINGS, None, None, wrong, remedy))
        return None


def _pseudonymised(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Name accounts and posts by first appearance, the same in every table."""
    order = [name for name in ("interactions", *SCHEMAS) if name in tables]
    found = {"account": [], "post": []}  # type: dict[str, list[Any]]
    for name in dict.fromkeys(order):
        frame = tables[name]
        here = [column for column in ACCOUNTS if column in frame]
        found["account"].append(frame[here].to_numpy(dtype=object).ravel())
        if "post_id" in frame:
            found["post"].append(frame["post_id"].dropna().to_numpy(dtype=object))
    names = {
        kind: {one: f"{kind[0]}{number}" for number, one in enumerate(_distinct(parts), 1)}
        for kind, parts in found.items()
    }
    return {
        name: frame.assign(
            **{
                column: frame[column].map(names["post" if column == "post_id" else "account"])
                for column in (*ACCOUNTS, "post_id")
                if column in frame
            }
        ).astype({column: "str" for column in (*ACCOUNTS, "post_id") if column in frame})
        for name, frame in tables.items()
    }


def _common_types(posts: pd.DataFrame) -> pd.DataFrame:
    """Make one type of those that fewer than five people use; a type's name is shown."""
    accounts = posts.groupby("post_type")["account_id"].nunique()
    rare = posts["post_type"].isin(accounts[accounts < FEWEST_PEOPLE].index)
    return posts.assign(post_type=posts["post_type"].mask(rare, OTHER))


def _distinct(parts: list[Any]) -> list[Any]:
    return (
        pd.unique(pd.concat([pd.Series(part, dtype=object) for part in parts])).tolist()
        if (parts)
        else []
    )


def _entry(
    name: str, settings: Mapping[str, Any], tables: Tables, windows: Windows | None
) -> Dataset:
    testable, untestable = can_test(tables)
    few = tables.posts is not None and tables.posts["account_id"].nunique() < FEWEST_PEOPLE
    if few and settings.get("ids", "people") == "people":
        testable = tuple(one for one in testable if one != "H1")
        untestable["H1"] = TOO_FEW
    return Dataset(
        name=name,
        title=str(settings.get("title", name)),
        platform=str(settings.get("platform", "own data")),
        licence=str(settings.get("licence", "own data")),
        citation="data of one's own",
        homepage="",
        collected="Collected by who ran this study.",
        ids=IDS[settings.get("ids", "people")],
        limits=str(settings.get("limits", "How it was collected is for its owner to say.")),
        reader="own",
        windows=windows,
        exploratory=False,
        testable=testable,
        untestable=untestable,
        files=(),
    )
