"""Several data sets at once, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tqdm import tqdm

from smo_research.datasets.catalog import Dataset
from smo_research.evidence.ladder import DatasetStudy, study_dataset
from smo_research.evidence.processes import processes
from smo_research.tables import Tables


def side_by_side(
    wanted: list[tuple[Dataset, Tables, dict[str, str]]],
    *,
    quick: bool,
    workers: int,
    tell: Callable[[str], None],
) -> list[DatasetStudy]:
    """Test the data sets, in their order, in so many processes; a bar shows on a terminal."""

    def bar(done: Iterable[DatasetStudy]) -> list[DatasetStudy]:
        return list(tqdm(done, total=len(wanted), unit="data set", disable=None))

    for entry, _, _ in wanted:
        tell(f"{entry.name}: testing {', '.join(entry.testable) or 'nothing'}")
    if workers == 1 or len(wanted) == 1:
        return bar(study_dataset(e, tables, hashes=h, quick=quick) for e, tables, h in wanted)
    # What takes longest goes first, so that no process waits for it at the end.
    with processes(workers) as pool:
        order = sorted(wanted, key=lambda one: -_size(one[1]))
        running = {
            e.name: pool.submit(study_dataset, e, tables, hashes=h, quick=quick)
            for e, tables, h in order
        }
        return bar(running[entry.name].result() for entry, _, _ in wanted)


def _size(tables: Tables) -> int:
    """Rows of a log; data sets without one are quick."""
    return 0 if tables.interactions is None else len(tables.interactions)
