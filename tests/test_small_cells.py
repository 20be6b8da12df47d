"""Cells of four people are not shown, those of five are."""

from __future__ import annotations

import re
import sys

import numpy as np
import pandas as pd
import pytest

from smo_research import cli
from smo_research.evidence.dyads import dyadic_return
from smo_research.evidence.returning import fewest_people
from smo_research.report import small_cells
from smo_research.report.small_cells import SMALL, _curve, _left_out, _rare_terms, masked

START = pd.Timestamp("2020-01-01", tz="UTC")
HOSTS = [f"host{k}" for k in range(26)]


@pytest.mark.parametrize(("people", "kept"), [(4, False), (5, True)])
def test_an_arm_of_few_people_is_no_line(people, kept):
    contacts = pd.DataFrame(
        {
            "answered": [True] * people * 2,
            "contact_id": [f"a{k}" for k in range(people)] * 2,
            "back_days": [np.nan] * people * 2,
        }
    )
    curve = pd.DataFrame({"answered": True, "days": [0.0, 1.0], "back": 0.0})
    assert len(_curve(curve, contacts)) == (2 if kept else 0)


@pytest.mark.parametrize(("back", "days"), [(4, [0.0]), (5, [0.0, 1.0])])
def test_a_point_that_few_people_make_up_is_not_shown(back, days):
    later = [1.0] * back + [2.0] * (10 - back) + [np.nan] * 10
    people = [f"a{k}" for k in range(20)]
    contacts = pd.DataFrame({"answered": True, "contact_id": people, "back_days": later})
    curve = pd.DataFrame({"answered": True, "days": [0.0, 1.0, 2.0], "back": [0.0, 0.2, 0.5]})
    assert _curve(curve, contacts)["days"].tolist() == [*days, 2.0]


@pytest.mark.parametrize(("people", "rare"), [(4, True), (5, False)])
def test_a_flag_of_few_people_is_rare(people, rare):
    posts = pd.DataFrame(
        {
            "post_id": [str(k) for k in range(60)],
            "account_id": [f"a{k % 12}" for k in range(60)],
            "created_at": pd.date_range("2020-01-01", periods=60, tz="UTC"),
            "has_media": [k % 12 < people for k in range(60)],
            "reactions": 1,
        }
    )
    assert ("has_media" in _rare_terms(posts)) == rare


def test_so_few_are_not_counted_in_a_sentence():
    assert masked("4 accounts are needed") == "fewer than 5 accounts are needed"
    assert masked("5 accounts, 14 contacts") == "5 accounts, 14 contacts"
    assert masked("none of 1 contact, 1 person") == (
        "none of fewer than 5 contacts, fewer than 5 people"
    )
    assert masked("link_rate is known in 4 rows; 1,004 rows") == (
        "link_rate is known in fewer than 5 rows; 1,004 rows"
    )
    assert masked("3 dyads with a later act") == "fewer than 5 dyads with a later act"
    assert masked("in 1.3% of the rows nobody was answered") == (
        "in too few of the rows nobody was answered"
    )


def test_so_few_are_not_counted_among_what_is_left_out():
    table = pd.DataFrame({"reason": "no", "rows": [0, 4, 5], "accounts": [0, 1, 5]})
    few = "fewer than 5"
    assert _left_out(table)[["rows", "accounts"]].to_numpy().tolist() == [[0, 0], [few] * 2, [5, 5]]


def test_people_are_counted_in_the_smallest_group_compared():
    people = pd.Series(list("aabbcd"))
    assert fewest_people(people, np.array([1, 1, 1, 1, 0, 0])) == 2
    assert fewest_people(people, np.array([1, 1, 1, 1, 0, 0]), pd.Series([0, 0, 0, 1, 1, 1])) == 1


@pytest.mark.parametrize("people", [4, 5])
def test_people_are_counted_among_pairs(people):
    """In the first half of the log so many are answered, in the second everybody acts."""
    acts = [
        act
        for k in range(24)
        for act in [(f"a{k}", f"a{(k + 1) % 24}", k / 24)]
        + [(f"a{(k + 1) % 24}", f"a{k}", 1 + k / 24)] * (k < people)
    ]
    acts += [(f"a{k}", f"a{(k + step) % 24}", 30 + k / 24) for k in range(24) for step in (1, 2, 3)]
    acts += [(f"a{k}", f"b{k}", 2.5) for k in range(24)] * 2
    result = dyadic_return(log_of(acts), dataset="x", n_permutations=20)
    assert result.people["mrqap", "network", "answered_before"] == people
    assert result.people["mrqap", "network", "acted_before"] > 20


def log_of(acts):
    table = pd.DataFrame(acts, columns=["source_id", "target_id", "day"])
    table["created_at"] = (START + pd.to_timedelta(table["day"], unit="D")).dt.floor("us")
    return table.assign(kind="reply", seq=range(len(table))).drop(columns="day")


@pytest.fixture
def studied(tmp_path, monkeypatch, capfd):
    """Study tables with the command; gives its files, what it said, and what it took out of."""
    raw = []
    real = small_cells.without_small_cells
    monkeypatch.setattr(
        small_cells,
        "without_small_cells",
        lambda one, tables: raw.append(one) or real(one, tables),
    )

    def run(ids="people", **tables):
        folder, out = tmp_path / "own", tmp_path / "out"
        folder.mkdir()
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False)
        (folder / "smo.toml").write_text(f'ids = "{ids}"\n')
        words = ["smo", "study", "--data", str(folder), "--quick", "-o", str(out)]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 0
        return out, raw[0], capfd.readouterr().out

    return run


def texts(out, said=""):
    """All that can be read in the files: tables, page and the texts of figures."""
    svg = re.compile(r"<svg.*?</svg>", re.DOTALL)
    found = {"said": said}
    for path in out.rglob("*"):
        if path.suffix in (".csv", ".json", ".html"):
            found[path.name] = svg.sub("", path.read_text(encoding="utf-8"))
        if path.suffix == ".svg":
            # Matplotlib writes each text it draws beside its outlines.
            found[path.name] = " ".join(re.findall("<!-- (.*?) -->", path.read_text("utf-8")))
    return found


def numbers(table):
    """Estimates as they stand in tables."""
    return {f"{abs(one):.8g}" for one in table["estimate"].dropna()}


def shows(found, wanted):
    return {(name, one) for name, text in found.items() for one in wanted if one in text}


def visits(people, others):
    """Everybody writes to hosts, who answer these people only; both kinds come back or do not."""
    draw = np.random.default_rng(1)
    acts = []
    for host in HOSTS:
        few = [f"few{k}" for k in range(people)]
        for who in [*few, *(f"many{k}" for k in draw.choice(others, 12 * (others > 0), False))]:
            day = draw.uniform(0, 20)
            acts.append((who, host, day))
            if answered := who in few and draw.random() < (0.6 if others == 0 else 1):
                acts.append((host, who, day + draw.uniform(0.1, 1.9)))
            if draw.random() < (0.6 if answered else 0.45):
                acts.append((who, host, day + draw.uniform(10, 40)))
            if draw.random() < 0.5:
                acts.append((who, draw.choice(HOSTS), day + draw.uniform(10, 40)))
    return log_of([*acts, (HOSTS[0], HOSTS[1], 70)]).sort_values("created_at").drop(columns="seq")


@pytest.mark.parametrize("people", [4, 5])
def test_people_who_were_answered(people, studied):
    out, raw, said = studied(interactions=visits(people, 30))
    (h5,) = [one for one in raw.results if one.hypothesis == "H5"]
    (curve,) = raw.curves.values()
    assert h5.people["landmark", "total", "answered"] == people
    found = texts(out, said)
    of_contacts = numbers(h5.table) | numbers(curve.table) | {f"{curve.median:.8g}"}
    tables = shows(found, of_contacts)
    label = f"% of {raw.curve.loc[raw.curve['answered'], 'n_contacts'].iloc[0]}"
    verdicts = pd.read_csv(out / "verdicts.csv").set_index("hypothesis")
    assert SMALL in found["report.html"]
    if people == 4:
        assert not tables
        assert not shows(found, [label])
        assert verdicts.loc["H5", ["verdict", "reason"]].tolist() == ["untestable", SMALL]
        assert "only one arm" in found["return_curves.svg"]
        assert set(pd.read_csv(out / "specifications.csv")["reason"]) >= {SMALL}
    else:
        assert {name for name, _ in tables} >= {"evidence.csv", "specifications.csv"}
        assert label in found["return_curves.svg"]
        assert verdicts.loc["H5", "verdict"] != "untestable"


@pytest.mark.parametrize("people", [4, 5])
def test_people_who_wrote_to_accounts_of_ones_own(people, studied):
    accounts = pd.DataFrame({"account_id": HOSTS, "platform": "X"})
    out, raw, said = studied("own", interactions=visits(people, 0), accounts=accounts)
    tested = pd.concat([one.table for one in [*raw.results, *raw.beside]])
    assert tested["estimate"].notna().any()
    evidence = pd.read_csv(out / "evidence.csv")
    assert evidence["estimate"].notna().any() == (people == 5)
    assert bool(shows(texts(out, said), numbers(tested))) == (people == 5)
    assert (SMALL in set(evidence["reason"])) or people == 5


def posts_of(accounts, each):
    draw = np.random.default_rng(1)
    number = np.arange(accounts * each)
    return pd.DataFrame(
        {
            "post_id": number,
            "account_id": [f"a{k % accounts}" for k in number],
            "created_at": START + pd.to_timedelta(number * 437, unit="min"),
            "links": draw.integers(0, 2, len(number)),
            "has_media": draw.random(len(number)) < 0.5,
            "reactions": draw.poisson(3, len(number)),
        }
    )


@pytest.mark.parametrize("people", [4, 5])
def test_what_the_posts_of_few_people_have(people, studied):
    posts = posts_of(24, 20)
    few = posts["account_id"].isin([f"a{k}" for k in range(people)])
    posts["has_media"] &= few
    posts["post_type"] = np.where(few & (posts.index // 24 % 3 == 0), "Ballot", "Note")
    out, raw, said = studied(posts=posts)
    (h1,) = raw.results
    rows = h1.table[h1.table["term"].str.contains("media|type")]
    assert rows["estimate"].notna().all()
    found = texts(out, said)
    shown = shows(found, numbers(rows))
    reasons = pd.read_csv(out / "evidence.csv").groupby("term")["reason"].first()
    assert bool(shown) == (people == 5)
    assert ("allot" in "".join(found.values())) == (people == 5)
    assert (reasons["has_media"] == SMALL) == (people == 4)
    assert pd.isna(reasons["has_link"])


@pytest.mark.parametrize("people", [4, 5])
def test_people_who_posted(people, studied):
    out, _, said = studied(
        posts=posts_of(people, 60),
        accounts=pd.DataFrame({"account_id": [f"a{k}" for k in range(people)], "platform": "X"}),
    )
    found = texts(out, said)
    assert ("fewer than 5 accounts" in found["report.html"]) == (people == 4)
    assert ("5 accounts, 300 posts" in found["report.html"]) == (people == 5)
    evidence = pd.read_csv(out / "evidence.csv")
    assert evidence["estimate"].notna().any() == (people == 5)
    assert ("Fewer than 5 people posted" in found["verdicts.csv"]) == (people == 4)


@pytest.mark.parametrize("items", [4, 5])
def test_counters_of_few_items(items, studied):
    draw = np.random.default_rng(1)
    counters = pd.DataFrame(
        [
            (f"i{item}", platform, hours, 10 * hours + int(draw.integers(9)))
            for item in range(items)
            for platform in ("One", "Two")
            for hours in (1, 2, 3)
        ],
        columns=["item_id", "platform", "hours_since", "count"],
    )
    out, raw, _ = studied(counters=counters)
    assert raw.attention["n_items"].eq(items).all()
    for name in ("attention.csv", "shared.csv"):
        assert (out / name).exists() == (items == 5)
    assert (out / "figures" / "attention.svg").exists() == (items == 5)


@pytest.mark.parametrize("total", [True, False])
def test_counts_of_followers_without_posts_are_not_described(total, studied):
    """Channels of the catalogue are, which were chosen on their growth."""
    rows = [
        (f"a{k}", START + pd.Timedelta(days=7 * week), week, week)
        for k in range(5)
        for week in range(60)
    ]
    followers = pd.DataFrame(
        rows, columns=["account_id", "observed_at", "followers", "posts_total"]
    )
    accounts = pd.DataFrame({"account_id": [f"a{k}" for k in range(5)], "platform": "X"})
    out, _, _ = studied(
        followers=followers if total else followers.drop(columns="posts_total"),
        accounts=accounts.assign(sample="one"),
    )
    assert pd.read_csv(out / "evidence.csv")["estimate"].isna().all()
