"""Specification curves of a data set: what they say, and where the time goes.

    python benchmarks/specifications.py [mathoverflow collegemsg] [--quick] [--pictures FOLDER]

Seconds are of the clock, and of the processor: the latter tell more on a shared machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smo_research.datasets.catalog import dataset
from smo_research.datasets.load import load
from smo_research.evidence.alternatives import alternative_panels
from smo_research.evidence.curve import HYPOTHESES, specification_curve
from smo_research.evidence.hypotheses import hypotheses
from smo_research.evidence.sign_flips import FLIPS, QUICK_FLIPS


@contextmanager
def timed(what: str) -> Iterator[None]:
    clock, processor = time.perf_counter(), time.process_time()
    yield
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(f"{what}: {clock:.1f} s, processor {processor:.1f} s", flush=True)


def measure(name: str, *, flips: int, pictures: Path | None) -> None:
    windows, log = dataset(name).windows, load(name).interactions
    with timed(f"{name}, all"):
        with timed(f"{name}, panels"):
            panels = alternative_panels(log, windows=windows)
        for hypothesis in HYPOTHESES:
            for term in hypotheses()[hypothesis].terms:
                with timed(f"{name}, {hypothesis} {term}"):
                    curve = specification_curve(
                        log,
                        hypothesis,
                        windows=windows,
                        dataset=name,
                        term=term,
                        panels=panels,
                        flips=flips,
                    )
                print(curve.summary())
                said = ("supported", "contradicted", "negligible", "inconclusive")
                shares = (f"{word} {curve.agreement(word):.0%}" for word in said)
                print(f"  alone would say: {', '.join(shares)}")
                if pictures:
                    draw(curve, pictures / f"specifications-{name}-{hypothesis}-{term}")


def draw(curve, path: Path) -> None:
    from smo_research.report.save import save_figure
    from smo_research.report.specification_plot import specification_curve as picture

    if not curve.reason:
        save_figure(picture(curve.table), path, provenance={"dataset": curve.dataset})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["mathoverflow", "collegemsg"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    for one in asked.names or ["mathoverflow", "collegemsg"]:
        measure(one, flips=QUICK_FLIPS if asked.quick else FLIPS, pictures=asked.pictures)
