"""The main job: from public data to verdicts, figures and a report, one way."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from smo_research.datasets.catalog import catalog, dataset
from smo_research.datasets.fetch import fetch
from smo_research.datasets.folder import Own, read_folder
from smo_research.datasets.load import data_hashes, load
from smo_research.errors import DataError, FetchError
from smo_research.evidence.hypotheses import committed_hash, hypotheses, hypotheses_hash
from smo_research.evidence.ladder import SEED, DatasetStudy
from smo_research.evidence.published import Check, check, scoreboard
from smo_research.evidence.result import VOCABULARY
from smo_research.evidence.scrutiny import confounder_rows, curve_rows
from smo_research.evidence.side_by_side import side_by_side
from smo_research.evidence.synthesis import pool
from smo_research.evidence.verdicts import judge

LIBRARIES = (
    *("duckdb", "ibis-framework", "matplotlib", "numpy", "pandas", "pyfixest", "scipy"),
    "smo_research",
)
# The error itself names folders of this machine, so it is told and not written.
NOT_HAD = "its files could not be obtained; smo fetch {} says what was tried"


@dataclass(frozen=True, eq=False)
class Study:
    """The whole study.

    Attributes
    ----------
    evidence
        One row a term, in the vocabulary of `Result`.
    verdicts
        One row a hypothesis and data set of the catalogue.
    curves
        Share of first contacts who are back, by data set, answered and days.
    attention
        Share of the final count that public counters reached, by platform and hour.
    shared
        Whether what spreads on one platform spreads on another.
    specifications
        One row a specification of an effect that decides, in the vocabulary.
    pooled
        What the data sets say together, in the vocabulary, where they measure the same.
    reproduction
        Published figures of the data sets beside what their tables say, one row a figure.
    passed_over
        Data set to the reason why it was not used.
    manifest
        What made it: versions, hashes of data and of the hypotheses.
    """

    studies: list[DatasetStudy]
    evidence: pd.DataFrame
    verdicts: pd.DataFrame
    curves: pd.DataFrame
    attention: pd.DataFrame
    shared: pd.DataFrame
    specifications: pd.DataFrame
    pooled: pd.DataFrame
    reproduction: pd.DataFrame
    passed_over: dict[str, str]
    manifest: dict[str, Any] = field(default_factory=dict)


def study(
    names: Iterable[str] | None = None,
    *,
    data: str | Path | None = None,
    mirror: str | Path | None = None,
    quick: bool = False,
    workers: int = 1,
    tell: Callable[[str], None] = lambda line: None,
) -> Study:
    """Run the study.

    Parameters
    ----------
    names
        Data sets of the catalogue; by default all that can be obtained.
    data
        A folder of tables of one's own, as `read_folder` reads it, instead of names.
    mirror
        Folder with the published files, as in `fetch`.
    quick
        Fewer draws; the manifest says so.
    workers
        Processes that test data sets side by side. The numbers are the same with any number.
    tell
        Is told in one line what is being done.

    Returns
    -------
    Study
        Every pair of hypothesis and data set has a verdict, or a reason why there is none.

    Raises
    ------
    DataError, FetchError
        When a named data set is unknown or cannot be had, or none can.

    Examples
    --------
    >>> import tempfile, smo_research as smo
    >>> folder = smo.example_folder(tempfile.mkdtemp())
    >>> study(data=folder, quick=True).verdicts  # doctest: +SKIP
    >>> study(["collegemsg"], data=folder)
    Traceback (most recent call last):
        ...
    smo_research.errors.DataError: Give either names of data sets or --data DIR, not both.
    """
    if data is not None:
        if names:
            raise DataError("Give either names of data sets or --data DIR, not both.")
        return _own_study(read_folder(data), quick=quick, tell=tell)
    chosen = {dataset(name).name for name in names} if names else set()
    # In the catalogue's order, so that the files do not tell in which the names were given.
    entries = [entry for name, entry in catalog().items() if not chosen or name in chosen]
    checks, passed_over = [], {}
    wanted = []
    for entry in entries:
        tell(f"{entry.name}: loading")
        try:
            tables = load(entry.name, mirror=mirror)
        except FetchError as error:
            if chosen:
                raise
            passed_over[entry.name] = str(error)
            continue
        wanted.append((entry, tables, data_hashes(entry.name)))
        checks += check(entry.name, tables, partial(fetch, entry.name, mirror=mirror))
    if not wanted:
        raise FetchError("No data set could be obtained:\n" + "\n".join(passed_over.values()))
    studies = side_by_side(wanted, quick=quick, workers=workers, tell=tell)
    return gather(studies, passed_over, checks=checks, quick=quick)


def _own_study(own: Own, *, quick: bool, tell: Callable[[str], None]) -> Study:
    """Study data of one's own, in which small cells of people are not shown."""
    from smo_research.report.small_cells import without_small_cells

    wanted = [(own.entry, own.tables, own.hashes)]
    found = side_by_side(wanted, quick=quick, workers=1, tell=tell)
    return gather([without_small_cells(one, own.tables) for one in found], {}, quick=quick)


def gather(
    studies: list[DatasetStudy],
    passed_over: dict[str, str],
    *,
    checks: Iterable[Check] = (),
    quick: bool = False,
) -> Study:
    """Judge all results together and say what they were made from."""
    known = catalog() | {one.entry.name: one.entry for one in studies}
    own = [entry for name, entry in known.items() if name not in catalog()]
    declared = {
        name: [*hypothesis.family, *(entry.name for entry in own if name in entry.testable)]
        for name, hypothesis in hypotheses().items()
    }
    untestable = {
        (name, entry.name): entry.untestable[name]
        for name in hypotheses()
        for entry in known.values()
        if name in entry.untestable
    } | {
        (name, missing): "the data set was passed over"
        for missing in passed_over
        for name in known[missing].testable
    }
    run = {one.entry.name for one in studies} | set(passed_over)
    untestable = {pair: reason for pair, reason in untestable.items() if pair[1] in run}
    results = [result for one in studies for result in one.results]
    tested = {(result.hypothesis, result.dataset) for result in results}
    untestable = {pair: reason for pair, reason in untestable.items() if pair not in tested}
    curves = {key: curve for one in studies for key, curve in one.curves.items()}
    verdicts = judge(results, declared=declared, untestable=untestable, curves=curves)
    beside = [result for one in studies for result in one.beside]
    checks_of = [*curve_rows(curves), *(row for one in results for row in confounder_rows(one))]
    found = [result.table for result in [*results, *beside]]
    evidence = _stacked([*found, pd.DataFrame(checks_of)] if checks_of else found)
    evidence = _with_verdicts(evidence, verdicts)
    exploratory = [name for name, entry in known.items() if entry.exploratory]
    together = [result.table for result in pool(results, exploratory=exploratory)]
    return Study(
        studies=studies,
        evidence=evidence[VOCABULARY],
        verdicts=verdicts,
        curves=pd.concat([one.curve for one in studies], ignore_index=True),
        attention=pd.concat([one.attention for one in studies], ignore_index=True),
        shared=pd.concat([one.shared for one in studies], ignore_index=True),
        specifications=_stacked([curve.table for curve in curves.values()]),
        pooled=_stacked(together),
        reproduction=scoreboard(checks),
        passed_over=passed_over,
        manifest={
            "data": {one.entry.name: one.hashes for one in studies},
            "hypotheses_sha256": hypotheses_hash(),
            "hypotheses_as_committed": hypotheses_hash() == committed_hash(),
            "quick": quick,
            "seed": SEED,
            "versions": {name: version(name) for name in LIBRARIES}
            | {"python": platform.python_version()},
        },
    )


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables of the vocabulary below each other; none is an empty one."""
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=VOCABULARY)


def _with_verdicts(evidence: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Say in each row what was decided on its pair, and the adjusted p where it decided."""
    pair = ["hypothesis", "dataset"]
    deciding = [*pair, "model", "block", "term"]
    said = evidence.drop(columns=["verdict", "grade", "p_holm"]).merge(
        verdicts[[*pair, "verdict", "grade"]], on=pair, how="left", validate="many_to_one"
    )
    return said.merge(verdicts[[*deciding, "p_holm"]], on=deciding, how="left")


def write(done: Study, folder: str | Path) -> list[Path]:
    """Write the tables, figures, report.html and, last, manifest.json.

    All files are made under another name first and then moved, all of them or none, so that a
    failure leaves the folder as it was.

    Parameters
    ----------
    done
        The study.
    folder
        Where to write; it is made if need be, other files in it stay.

    Returns
    -------
    list of pathlib.Path
        The files, the manifest last.
    """
    from smo_research.output import beside, place
    from smo_research.report.answer import answer_paragraph
    from smo_research.report.figures import draw
    from smo_research.report.page import render
    from smo_research.report.save import to_csv

    folder = Path(folder)
    with beside(folder, "figures") as part:
        (part / "figures").mkdir()
        to_csv(done.evidence, part / "evidence.csv")
        to_csv(done.verdicts, part / "verdicts.csv")
        for name in ("attention", "shared", "specifications", "pooled", "reproduction"):
            table = getattr(done, name)
            if len(table):
                to_csv(table, part / f"{name}.csv")
        provenance = {
            "hypotheses": done.manifest["hypotheses_sha256"],
            "smo_research": done.manifest["versions"]["smo_research"],
        }
        page = render(
            verdicts=done.verdicts,
            evidence=done.evidence,
            figures=draw(
                done.evidence,
                done.verdicts,
                done.curves,
                done.attention,
                done.pooled,
                done.specifications,
                folder=part / "figures",
                provenance=provenance,
            ),
            datasets=[_card(one) for one in done.studies],
            passed_over=[
                {"name": name, "reason": NOT_HAD.format(name)} for name in done.passed_over
            ],
            answer=answer_paragraph(done.verdicts),
            manifest=done.manifest,
            reproduction=done.reproduction.to_dict("records"),
        )
        (part / "report.html").write_text(page, encoding="utf-8")
        manifest = json.dumps(done.manifest, indent=2, sort_keys=True) + "\n"
        (part / "manifest.json").write_text(manifest, encoding="utf-8")
        return place(part, folder)


def _card(one: DatasetStudy) -> dict[str, Any]:
    from smo_research.report.small_cells import rows_told

    entry = one.entry
    return {
        "name": entry.name,
        "title": entry.title,
        "licence": entry.licence,
        "rows": rows_told(one),
        "cannot_say": entry.limits,
        "citation": entry.citation,
    }
