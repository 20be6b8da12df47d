"""The figures of record: what each shows, of which data, drawn how."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from smo_research.datasets.catalog import catalog
from smo_research.datasets.fetch import fetch
from smo_research.datasets.load import data_hashes, load
from smo_research.errors import FetchError
from smo_research.evidence.hypotheses import hypotheses_hash
from smo_research.evidence.ladder import SEED
from smo_research.report import edition, plates
from smo_research.report import record_numbers as numbers
from smo_research.report.album import Record
from smo_research.report.figures import WORDS
from smo_research.report.marginals import side_by_side
from smo_research.study import LIBRARIES, Study, study
from smo_research.tables import Tables


def _silent(line: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, eq=False)
class Obtained:
    """What figures are made from, had when first asked for.

    Attributes
    ----------
    names
        Data sets that are at hand.
    absent
        Data set to the reason why it cannot be had.
    mirror, workers, tell
        As in `study`.
    """

    names: tuple[str, ...]
    absent: dict[str, str] = field(default_factory=dict)
    mirror: str | Path | None = None
    workers: int = 1
    tell: Callable[[str], None] = _silent

    @cached_property
    def study(self) -> Study:
        """The study in its full form of these data sets, run once for all figures."""
        return study(self.names, mirror=self.mirror, workers=self.workers, tell=self.tell)

    def tables(self, name: str) -> Tables:
        """The canonical tables of a data set."""
        return load(name, mirror=self.mirror)

    def made_from(self, names: Iterable[str]) -> dict[str, Any]:
        """Say for the manifest what a figure of these data sets is made from."""
        return {
            "data": {name: data_hashes(name) for name in names},
            "hypotheses_sha256": hypotheses_hash(),
            "versions": {name: version(name) for name in (*LIBRARIES, "pillow")}
            | {"python": python_version()},
        }


def obtain(
    wanted: Iterable[Record],
    *,
    mirror: str | Path | None = None,
    workers: int = 1,
    tell: Callable[[str], None] = _silent,
) -> Obtained:
    """Fetch the data sets that figures need, and say which cannot be had.

    Parameters
    ----------
    wanted
        The figures.
    mirror, workers, tell
        As in `study`.
    """
    needed = {name for one in wanted for name in one.datasets}
    names, absent = [], {}
    for name in (name for name in catalog() if name in needed):
        try:
            fetch(name, mirror=mirror)
            names.append(name)
        except FetchError as error:
            absent[name] = str(error)
    return Obtained(tuple(names), absent, mirror, workers, tell)


def records() -> tuple[Record, ...]:
    """Return the figures of record, in the order in which they are shown."""
    every = tuple(catalog())
    tested = tuple(name for name, entry in catalog().items() if entry.testable)
    contested = tuple(name for name, entry in catalog().items() if "H4" in entry.testable)
    return (
        Record(
            name="verdicts",
            title="What came of each hypothesis in each data set",
            caption="The effect that decides, with its 95 % interval, and the verdict with its "
            "grade, A the strongest. On H1 all tweaks decide together; shown is the one that "
            "stands out most, whose own interval may hold no effect. Shaded: effects too small "
            "to matter, ratios of 0.90 to 1.11 per stated contrast. ln: a difference in ln(1 + "
            "followers a day of the account's age).",
            datasets=tested,
            numbers=numbers.verdict_numbers,
            plot=plates.verdict_forest,
            keys=("hypothesis", "dataset"),
            seed=SEED,
        ),
        Record(
            name="testability",
            title="Which data set can test what",
            caption=f"{WORDS['testability'][1]} Most pairs of question and data set cannot be "
            "tested, and saying so is part of the result.",
            datasets=every,
            numbers=numbers.testability_numbers,
            plot=plates.verdict_grid,
            keys=("hypothesis", "dataset"),
            seed=SEED,
        ),
        Record(
            name="return_curves",
            title="Who is back, of those who were answered and those who were not",
            caption=WORDS["return_curves"][1],
            datasets=numbers.FOLLOWED,
            numbers=numbers.return_curve_numbers,
            plot=plates.curves,
            keys=("dataset", "answered", "days"),
        ),
        Record(
            name="naive_codings",
            title="Two careless codings of being answered, beside the one that decides",
            caption="The same first contacts, asked in different ways. Who stays longer has more "
            'time to be answered some day, so "ever answered" says too much; who is back soon had '
            'little time to be answered first, so "answered before returning" says too little. '
            "The landmark decides; the negative control should show nothing.",
            datasets=numbers.FOLLOWED,
            numbers=numbers.coding_numbers,
            plot=plates.codings,
            keys=("dataset", "model"),
        ),
        Record(
            name="contest",
            title="What conversation, tweaks and presence add to a prediction",
            caption=f"{WORDS['contest'][1]} In {numbers.LARGEST} timing is the only tweak, so that "
            "panel decides nothing.",
            datasets=(*contested, numbers.LARGEST),
            numbers=numbers.contest_numbers,
            plot=plates.contests,
            keys=("dataset", "block", "term"),
            seed=SEED,
        ),
        *(
            Record(
                name=f"specifications_{hypothesis}",
                title=f"{title}, asked in other ways",
                caption=f"{WORDS['specifications'][1]} Strokes mark who chose what; colour, that "
                "the estimate differs from no effect.",
                datasets=(numbers.LARGEST,),
                numbers=partial(numbers.specification_numbers, hypothesis=hypothesis),
                plot=plates.specifications,
                keys=("term", "block"),
            )
            for hypothesis, title in (
                ("H3", "Answering and lasting newcomers"),
                ("H5", "Being answered and coming back"),
            )
        ),
        Record(
            name="horizons",
            title="What counts as lasting, and how the answer moves with it",
            caption="The effects of answering (H3) and of being answered (H5) where a newcomer "
            "must be back after a longer or shorter gap, and is followed for a longer or shorter "
            "time. Each asks the same people: the choices are not independent of one another.",
            datasets=(numbers.LARGEST,),
            numbers=numbers.horizon_numbers,
            plot=plates.horizons,
            keys=("hypothesis", "gap", "horizon"),
        ),
        Record(
            name="attention",
            title="How soon a public counter stops",
            caption=f"{WORDS['attention'][1]} Intervals take items as independent.",
            datasets=(numbers.ATTENTION,),
            numbers=numbers.attention_numbers,
            plot=plates.attention_curves,
            keys=("platform", "hours_since"),
        ),
        Record(
            name="calibration",
            title="How often the tests are wrong, and find what is there",
            caption="Above: worlds in which a null hypothesis holds and its 5 % test rejects it, "
            "with 95 % intervals (Clopper-Pearson), over simulated worlds of 500 accounts unless a "
            'line says otherwise. "At the bound": the effect is just large enough to matter, and '
            "the test for a negligible one should not call it so. Below: worlds in which an effect "
            "was planted and the test finds it.",
            datasets=(),
            numbers=numbers.calibration_numbers,
            plot=plates.calibration,
            keys=("worlds_of", "label", "accounts"),
        ),
        Record(
            name="marginals",
            title="A simulated log beside two real ones",
            caption=f"What a log looks like from outside. The simulated world is {numbers.ALIKE}, "
            "set to look like collegemsg; no effect is planted in it. Shares of accounts are shown "
            "where they are of five accounts or more.",
            datasets=numbers.FOLLOWED,
            numbers=numbers.marginal_numbers,
            plot=side_by_side,
            keys=("log", "measure", "x"),
            seed=SEED,
        ),
    )


def run_figures(folder: Path, *, verify: bool = False, **options: Any) -> str:
    """Make the figures of record into a folder, or verify those there, and say so in a sentence.

    Parameters
    ----------
    folder
        Where they go or are.
    verify
        Make them elsewhere and compare, instead.
    options
        As in `obtain`.

    Raises
    ------
    SmoError
        As in `edition.make` and `edition.verify`.
    """
    wanted = records()
    run = edition.verify if verify else edition.make
    return run(folder, wanted, obtain(wanted, **options))
