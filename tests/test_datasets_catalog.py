from __future__ import annotations

import re

import pytest

from smo_research.datasets.catalog import catalog, dataset
from smo_research.errors import DataError

HYPOTHESES = {f"H{i}" for i in range(1, 8)}
NAMES = list(catalog())


def test_unknown_name_is_refused_with_the_known_ones_and_the_nearest():
    with pytest.raises(
        DataError, match="no data set 'colegemsg'; the nearest is 'collegemsg'"
    ) as e:
        dataset("colegemsg")
    assert all(name in str(e.value) for name in NAMES)


def test_unknown_name_like_no_other_gets_no_hint():
    with pytest.raises(DataError, match="no data set 'xyz'; the known ones are"):
        dataset("xyz")


def test_catalog_cannot_be_changed_by_its_users():
    catalog().clear()
    assert "collegemsg" in catalog()


@pytest.mark.parametrize("name", NAMES)
def test_every_hypothesis_is_testable_or_has_a_reason(name):
    entry = dataset(name)
    assert set(entry.testable) | set(entry.untestable) == HYPOTHESES
    assert not set(entry.testable) & set(entry.untestable)
    assert all(reason.endswith(".") for reason in entry.untestable.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_pinned_and_can_be_had(name):
    entry = dataset(name)
    for file in entry.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.bytes > 0
        assert file.urls or file.package
        assert file.instead_of is None or file.instead_of in {other.path for other in entry.files}
        if file.package:
            assert re.fullmatch("[0-9a-f]{64}", file.package.sha256)
            assert file.package.wheel.endswith(".whl")
    assert sum(map(len, entry.sources)) == len(entry.files)


@pytest.mark.parametrize(
    ("name", "days", "from_launch", "exploratory", "testable"),
    [
        ("mathoverflow", (28, 28, 168), True, True, "H2 H3 H5 H7"),
        ("collegemsg", (7, 7, 42), True, True, "H2 H3 H5 H7"),
        ("delab-twitter", (28, 7, 84), False, False, "H5"),
    ],
)
def test_studies_are_as_designed(name, days, from_launch, exploratory, testable):
    entry = dataset(name)
    assert (entry.windows.period, entry.windows.gap, entry.windows.horizon) == days
    assert entry.windows.from_launch is from_launch
    assert entry.exploratory is exploratory
    assert list(entry.testable) == testable.split()
