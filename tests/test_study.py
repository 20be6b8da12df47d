"""The main job on real data: what it writes, that it writes it again, and what a failure leaves."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smo_research.datasets.catalog import catalog, dataset
from smo_research.datasets.fetch import cache_dir
from smo_research.errors import DataError, FetchError, SmoError
from smo_research.evidence.hypotheses import hypotheses, hypotheses_hash
from smo_research.evidence.ladder import study_dataset
from smo_research.evidence.published import reproduce as smo_reproduce
from smo_research.evidence.published import unexplained
from smo_research.study import gather, study, write

NAME = "collegemsg"
# Design, section 7: one vocabulary everywhere.
VOCABULARY = [
    *["hypothesis", "dataset", "model", "block", "term"],
    *["estimate", "std_error", "ci_low", "ci_high", "p_value", "p_holm", "unit"],
    *["n_obs", "n_accounts", "verdict", "grade", "reason"],
]
VERDICTS = {"supported", "contradicted", "negligible", "inconclusive", "untestable"}
ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def done(real):
    real(NAME)
    return study([NAME], quick=True)


@pytest.fixture(scope="module")
def results(done, tmp_path_factory):
    """The folder of results, a file of somebody else's in it."""
    folder = tmp_path_factory.mktemp("study") / "results"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    write(done, folder)
    return folder


@pytest.fixture(scope="module")
def other(real):
    """A second data set: the log without its first acts, by another name of the catalogue."""
    tables = real(NAME)
    log = tables.interactions
    entry = dataclasses.replace(dataset(NAME), name="mathoverflow")
    part = dataclasses.replace(tables, interactions=log[2_000:])
    return study_dataset(entry, part, hashes={"half": "0"}, quick=True)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def of(table, name):
    return table[table["dataset"] == name].reset_index(drop=True)


def test_the_folder_holds_what_is_promised(results):
    figures = ("forest", "parts", "return_curves", "testability")
    expected = {"evidence.csv", "verdicts.csv", "report.html", "manifest.json", "notes.txt"}
    expected |= {f"figures/{name}.{kind}" for name in figures for kind in ("svg", "png")}
    found = set(contents(results))
    assert found >= expected
    assert {name.rpartition(".")[2] for name in found - expected} <= {"csv", "svg", "png"}
    assert (results / "notes.txt").read_text() == "mine"
    assert {path.name for path in results.parent.iterdir()} == {"results"}


def test_evidence_has_the_one_vocabulary_and_nothing_else(results):
    evidence = pd.read_csv(results / "evidence.csv")
    assert list(evidence) == VOCABULARY
    assert set(evidence["hypothesis"]) == set(dataset(NAME).testable)
    assert set(evidence["dataset"]) == {NAME}
    assert not evidence.duplicated(["hypothesis", "dataset", "model", "block", "term"]).any()
    # The two that sum others up have no interval around the estimate.
    about = evidence["model"].isin(["sensitivity", "specification curve"])
    assert (evidence.loc[about, "estimate"] > -1).all()
    limits = evidence[evidence["model"] == "sensitivity"]
    assert (limits["ci_low"] <= limits["estimate"]).all()
    fitted = evidence[evidence["estimate"].notna() & ~about]
    assert (fitted["ci_low"] < fitted["estimate"]).all()
    assert (fitted["estimate"] < fitted["ci_high"]).all()
    assert fitted["p_value"].between(0, 1).all()
    assert evidence.loc[evidence["estimate"].isna(), "reason"].notna().all()


def test_verdicts_has_every_hypothesis_once(results):
    verdicts = pd.read_csv(results / "verdicts.csv")
    assert list(verdicts) == [*VOCABULARY, "detectable"]
    assert list(verdicts["hypothesis"]) == list(hypotheses())
    assert set(verdicts["dataset"]) == {NAME}
    assert set(verdicts["verdict"]) <= VERDICTS
    untestable = verdicts[verdicts["verdict"] == "untestable"]
    assert set(untestable["hypothesis"]) >= set(dataset(NAME).untestable)
    assert untestable["reason"].str.len().gt(10).all()
    assert untestable[["estimate", "p_value", "p_holm"]].isna().all(axis=None)
    decided = verdicts[verdicts["verdict"].isin(["supported", "contradicted", "negligible"])]
    assert set(decided["grade"]) <= {"A", "B", "C"}
    assert verdicts.drop(decided.index)["grade"].isna().all()


def test_published_figures_of_what_was_loaded_are_in_the_results(done, results):
    board = pd.read_csv(results / "reproduction.csv")
    assert set(board["dataset"]) == {NAME}
    assert len(board) == len(done.reproduction) == len(smo_reproduce([NAME]))
    assert not len(unexplained(done.reproduction))
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "Do the tables match what was published?" in page


def test_evidence_and_verdicts_agree(done):
    pairs = done.verdicts.set_index(["hypothesis", "dataset"])
    for row in done.evidence.itertuples():
        assert row.verdict == pairs.loc[(row.hypothesis, row.dataset), "verdict"]
    deciding = ["hypothesis", "dataset", "model", "block", "term"]
    tested = done.verdicts[done.verdicts["estimate"].notna()]
    both = tested.merge(done.evidence, on=deciding, validate="one_to_one")
    assert len(both) == len(tested)
    np.testing.assert_array_equal(both["estimate_x"], both["estimate_y"])
    np.testing.assert_array_equal(both["p_holm_x"], both["p_holm_y"])


def test_manifest_names_what_it_was_made_from(results):
    manifest = json.loads((results / "manifest.json").read_text())
    hashes = {file.sha256 for file in dataset(NAME).files}
    assert set(manifest["data"]) == {NAME}
    assert set(manifest["data"][NAME].values()) <= hashes
    assert manifest["hypotheses_sha256"] == hypotheses_hash()
    assert manifest["versions"]["python"] == sys.version.split()[0]
    assert manifest["versions"]["pandas"] == pd.__version__


def test_report_needs_nothing_but_itself(results):
    page = (results / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(?:script|link|iframe|object|embed|img)\b", page)
    targets = re.findall(r"""\b(?:src|href)\s*=\s*["']?([^"'\s>]+)|url\(([^)]*)\)|@import""", page)
    assert all((one or other).strip("\"'").startswith("#") for one, other in targets)
    assert dataset(NAME).licence in page
    for hypothesis in hypotheses():
        assert hypothesis in page


def test_no_file_names_a_folder_of_this_machine(results):
    places = [str(ROOT), str(Path.home()), str(cache_dir()), str(results), sys.prefix]
    places += [os.environ["SMO_MIRROR"]] if os.environ.get("SMO_MIRROR") else []
    for name, data in contents(results).items():
        assert not [place for place in places if place.encode() in data], name


def test_a_second_run_gives_the_same_bytes(results, tmp_path):
    """In a process of its own, whose hashes of text fall otherwise."""
    again = tmp_path / "deep/er/results"
    command = [sys.executable, "-c", "from smo_research.cli import main; main()"]
    run = subprocess.run(
        [*command, "study", NAME, "--quick", "-o", str(again)],
        env=os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr.splitlines()[0] == f"{NAME}: loading"
    first = contents(results)
    del first["notes.txt"]
    assert contents(again) == first


def test_a_study_in_a_folder_that_is_there_replaces_the_old_files(done, results, tmp_path):
    write(done, tmp_path)
    (tmp_path / "report.html").write_text("old")
    placed = write(done, tmp_path)
    assert placed[-1].name == "manifest.json"
    assert sorted(placed) == sorted(tmp_path / name for name in contents(tmp_path))
    assert contents(tmp_path).items() <= contents(results).items()


def test_the_working_folder_may_be_the_place(done, results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(done, ".")
    assert contents(tmp_path).items() <= contents(results).items()


@pytest.mark.parametrize("table", ["evidence", "verdicts"])
def test_the_order_of_names_does_not_matter(done, other, table):
    (one,) = done.studies
    first, second = gather([one, other], {}), gather([other, one], {})
    for name in (NAME, "mathoverflow"):
        pd.testing.assert_frame_equal(
            of(getattr(first, table), name), of(getattr(second, table), name)
        )


@pytest.mark.parametrize("table", ["evidence", "verdicts"])
def test_estimates_do_not_depend_on_what_else_is_run(done, other, table):
    """What is not run counts with p = 1, so running more never raises a p adjusted by Holm."""
    (one,) = done.studies
    alone, together = (
        of(getattr(all_of_it, table), NAME) for all_of_it in (done, gather([one, other], {}))
    )
    family = ["p_holm", "verdict", "grade", "reason"]
    pd.testing.assert_frame_equal(alone.drop(columns=family), together.drop(columns=family))
    both = alone["p_holm"].notna()
    assert (together["p_holm"].notna() == both).all()
    assert (together["p_holm"][both] <= alone["p_holm"][both] * (1 + 1e-12)).all()


def test_a_name_given_twice_is_run_once(done, monkeypatch):
    (one,) = done.studies
    home = "smo_research.evidence.side_by_side.study_dataset"
    monkeypatch.setattr(home, lambda *given, **options: one)
    assert len(study([NAME, NAME]).studies) == 1


@pytest.mark.slow
def test_two_workers_find_the_same_numbers_as_one(done, real):
    """Also beside another data set, which goes through the other process."""
    real("german-libraries")
    both = study(["german-libraries", NAME], quick=True, workers=2)
    alone = study(["german-libraries"], quick=True)
    family = ["p_holm", "verdict", "grade", "reason"]
    for one, name in ((done, NAME), (alone, "german-libraries")):
        here, there = (of(table.evidence, name).drop(columns=family) for table in (one, both))
        pd.testing.assert_frame_equal(here, there, check_exact=False, rtol=1e-8)
        here, there = (of(table.specifications, name) for table in (one, both))
        alike = {"check_dtype": len(here) > 0, "check_exact": False, "rtol": 1e-8}
        pd.testing.assert_frame_equal(here, there, **alike)


def test_without_network_the_others_are_passed_over(real, offline, monkeypatch, tmp_path):
    """Only what is at hand is run; every other data set is named with the reason."""
    module = sys.modules["smo_research.study"]
    tables, load, hashes = real(NAME), module.load, module.data_hashes(NAME)

    def at_hand(name, mirror=None):
        return tables if name == NAME else load(name, mirror=mirror)

    monkeypatch.setattr(module, "load", at_hand)
    monkeypatch.setattr(module, "data_hashes", lambda name: hashes)
    monkeypatch.setenv("SMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SMO_MIRROR", raising=False)
    told = []
    done = study(tell=told.append, quick=True)

    missing = [name for name in catalog() if name != NAME]
    assert list(done.passed_over) == missing
    assert told[0] == f"{missing[0]}: loading"
    for name, reason in done.passed_over.items():
        assert reason.startswith(f"{name}: ")
        assert "could not be obtained" in reason
    pairs = set(done.verdicts[["hypothesis", "dataset"]].itertuples(index=False, name=None))
    assert pairs == {(hypothesis, name) for hypothesis in hypotheses() for name in catalog()}
    passed = done.verdicts[done.verdicts["dataset"] != NAME]
    assert set(passed["verdict"]) == {"untestable"}
    assert passed["reason"].str.len().gt(0).all()

    write(done, tmp_path / "results")
    page = (tmp_path / "results/report.html").read_text(encoding="utf-8")
    for name in missing:
        assert f"smo fetch {name}" in page
    assert str(tmp_path) not in page
    assert not list(tmp_path.glob("results/.*"))


def test_a_named_data_set_that_cannot_be_had_is_an_error(empty_cache, offline):
    with pytest.raises(FetchError, match=r"collegemsg.*could not be obtained"):
        study([NAME])
    with pytest.raises(FetchError, match="No data set could be obtained"):
        study()


def test_an_unknown_name_is_an_error_before_anything_is_loaded(empty_cache, offline):
    with pytest.raises(DataError, match="nearest is 'collegemsg'"):
        study(["mathoverflow", "colegemsg"])
    assert offline == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("fails_at", ["evidence.csv", "parts.svg", "report.html", "manifest.json"])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_failing_move_leaves_the_folder_as_it_was(
    done, tmp_path, monkeypatch, fails_at, error, fresh
):
    folder = tmp_path / "new/results" if fresh else tmp_path / "results"
    if not fresh:
        write(done, folder)
        for path in folder.rglob("*.*"):
            path.write_text(f"old {path.name}")
        (folder / "figures/parts.png").unlink()
    before = contents(tmp_path)
    replace = os.replace

    def fail(source, target):
        if Path(target).name == fails_at and ".part." not in str(target):
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises((SmoError, KeyboardInterrupt)) as raised:
        write(done, folder)
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ([] if fresh else ["results"])
    if isinstance(error, OSError):
        assert str(folder) in str(raised.value)
        assert "No space left on device" in str(raised.value)
        assert "-o" in str(raised.value)


def test_a_file_in_the_place_of_the_folder(done, tmp_path):
    (tmp_path / "results").write_text("mine")
    with pytest.raises(SmoError, match=r"results: cannot be written"):
        write(done, tmp_path / "results")
    assert contents(tmp_path) == {"results": b"mine"}
