"""The data dictionary and the data cards, written from the schemas and the catalogue."""

from __future__ import annotations

import textwrap
from typing import Any

from smo_research.datasets.catalog import Dataset, File, catalog
from smo_research.datasets.fetch import CHECKOUT
from smo_research.tables import SCHEMAS

README = CHECKOUT / "data" / "README.md"
WIDTH = 100
MOST_FILES = 8
HYPOTHESES = tuple(f"H{number}" for number in range(1, 8))

TYPES = {
    "string": "text",
    "int64": "whole number",
    "float64": "number",
    "boolean": "yes or no",
    "datetime64": "time, UTC",
}

IDS = {
    "anonymous": ", as published",
    "pseudonymised": " on reading: a1, a2 and so on, by first appearance",
    "public": ", of people and organisations in public life, as published",
}

TEMPLATE = """\
# Data

No data is in git. Two folders here are made when they are needed, and git ignores both:

| folder | what is in it |
|---|---|
| `raw/` | the files as published, one folder a data set: `raw/collegemsg/CollegeMsg.txt.gz` |
| `tables/` | the canonical tables read from them, kept as Parquet; safe to delete |

`smo datasets` lists the data sets, and `smo fetch NAME` downloads and checks one.

## By hand

Where there is no network, put the files into `raw/NAME/` under the names that the catalogue gives,
and run `smo fetch NAME`. Each file is checked against the sha256 of the published one, and another
file is never accepted in its place.

## Elsewhere

- `SMO_CACHE` names another folder in which `raw/` and `tables/` are kept.
- `SMO_MIRROR` names a folder laid out like `raw/`, from which files are copied instead of
  downloaded. `smo fetch NAME --mirror DIR` does the same for one run. The hashes are checked all
  the same.

Tables of one's own may lie anywhere: `smo validate DIR` checks them, `smo study --data DIR` uses
them.

This page is written by `python -m smo_research.datasets.dictionary` from
`smo_research/tables.py` and `smo_research/datasets/catalog.toml`; change those, not the page.

## Data dictionary

The canonical tables. A data set brings those that it has. Ids are text; times are UTC; shares are
0 to 1. A value that is hidden or unknown is missing, never 0. A column that may be absent is there
only where the source has it.

{tables}

## Data cards

Licences are the publishers' own. Files are pinned by sha256 in the catalogue.

{contents}

{cards}
"""


def data_readme() -> str:
    """Return the text of data/README.md.

    Examples
    --------
    >>> "### interactions" in data_readme()
    True
    """
    cards = catalog()
    return TEMPLATE.format(
        tables="\n\n".join(_table(name) for name in SCHEMAS),
        contents="\n".join(f"- [{name}](#{name}): {entry.title}" for name, entry in cards.items()),
        cards="\n\n".join(_card(entry) for entry in cards.values()),
    )


def _table(name: str) -> str:
    schema = SCHEMAS[name]
    rows = [
        f"| `{column}` | {_type(str(spec.dtype))} | {_meaning(spec)} | {_yes(spec.nullable)} "
        f"| {_yes(not spec.required)} |"
        for column, spec in schema.to_schema().columns.items()
    ]
    head = (
        "| column | type | unit, meaning | may be missing | may be absent |\n|---|---|---|---|---|"
    )
    return "\n".join([f"### {name}\n\n{schema.__doc__}\n", head, *rows])


def _type(dtype: str) -> str:
    return TYPES[dtype.partition("[")[0].lower()]


def _meaning(spec: Any) -> str:
    allowed = [
        ", ".join(check.statistics["allowed_values"])
        for check in spec.checks
        if check.name == "isin"
    ]
    return ": ".join([spec.description, *allowed])


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _card(entry: Dataset) -> str:
    facts = {
        "Platform": entry.platform,
        "Collected": entry.collected,
        "Cite": entry.citation,
        "Home": f"<{entry.homepage}>",
        "Licence": entry.licence,
        "Ids": entry.ids + IDS.get(entry.ids, ""),
        "Windows": _windows(entry),
        "Can test": ", ".join(entry.testable) or "none of the hypotheses; it is described only",
        **{f"Cannot test {which}": reason for reason, which in _reasons(entry).items()},
        "Cannot say": entry.limits,
        "Files": _files(entry),
    }
    lines = [_line(f"- **{name}**: {value}") for name, value in facts.items() if value]
    return "\n".join([f"### {entry.name}\n", _wrap(entry.title + "."), "", *lines])


def _windows(entry: Dataset) -> str:
    windows = entry.windows
    if windows is None:
        return "none; it is not studied over periods"
    gap = "no gap" if windows.gap is None else f"gap {windows.gap}"
    begins = "with" if windows.from_launch else "later than"
    return (
        f"period {windows.period}, {gap}, horizon {windows.horizon} days; the log starts {begins} "
        "the platform"
    )


def _reasons(entry: Dataset) -> dict[str, str]:
    """Give each reason once, with the hypotheses that it holds for."""
    reasons: dict[str, list[str]] = {}
    for hypothesis in HYPOTHESES:
        if hypothesis in entry.untestable:
            reasons.setdefault(entry.untestable[hypothesis], []).append(hypothesis)
    return {reason: ", ".join(which) for reason, which in reasons.items()}


def _files(entry: Dataset) -> str:
    needed = [choices[0] for choices in entry.sources]
    shown = "; ".join(_file(file) for file in needed[:MOST_FILES])
    if len(needed) > MOST_FILES:
        size = f"{sum(file.bytes for file in needed):,} bytes"
        shown = f"{len(needed)} files, {size}: {shown}; the others stand in the catalogue"
    seconds = [file for file in entry.files if file.instead_of]
    return shown + "".join(f"; in place of {f.instead_of}: {_file(f)}" for f in seconds)


def _file(file: File) -> str:
    origin = f", in the package {file.package.name} {file.package.version}" if file.package else ""
    return f"`{file.path}` ({file.bytes:,} bytes{origin})"


def _line(text: str) -> str:
    return _wrap(text, subsequent_indent="  ")


def _wrap(text: str, **options: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        break_long_words=False,
        break_on_hyphens=False,
        **options,  # type: ignore[arg-type]
    )


def main() -> None:
    """Write data/README.md."""
    README.write_text(data_readme(), encoding="utf-8")


if __name__ == "__main__":
    main()
