"""Both sets of Facebook posts: hand-made files with each trap, then what was published."""

from __future__ import annotations

import pandas as pd
import pytest

from smo_research.datasets import facebook_live, facebook_metrics
from smo_research.datasets.fetch import fetch
from smo_research.datasets.load import read
from smo_research.errors import DataError

METRICS = [
    "Page total likes,Type,Post Month,Post Weekday,Post Hour,Paid,"
    "Lifetime Post Total Impressions,comment,like,share",
    "139441,Photo,12,4,3,0,5091,4,79,17",
    "139441,Status,12,3,10,1,19057,5,130,29",
    "81370,Photo,1,4,4,,7292,0,,",
]


def write_metrics(folder, *, sep=",", end="\r"):
    path = folder / "dataset_Facebook.csv"
    path.write_text(end.join(METRICS).replace(",", sep), encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize(("sep", "end"), [(",", "\r"), (";", "\r\n"), (",", "\n")])
def test_metrics_in_either_form(tmp_path, sep, end):
    tables = read("facebook-metrics", [write_metrics(tmp_path, sep=sep, end=end)])
    assert tables.accounts.to_numpy().tolist() == [["page", "Facebook"]]
    posts = tables.posts
    assert posts["post_id"].tolist() == ["3", "2", "1"]
    assert posts["account_id"].unique().tolist() == ["page"]
    # 1 January 2014 was a Wednesday, 4 counted from Sunday; 1 December a Monday.
    assert posts["created_at"].dt.strftime("%m-%d %H %A").tolist() == [
        "01-01 04 Wednesday",
        "12-02 10 Tuesday",
        "12-03 03 Wednesday",
    ]
    assert posts["post_type"].tolist() == ["Photo", "Status", "Photo"]
    assert posts["impressions"].tolist() == [7292, 19057, 5091]
    assert posts["replies"].tolist() == [0, 5, 4]


def test_metrics_that_are_missing_stay_so(tmp_path):
    posts = read("facebook-metrics", [write_metrics(tmp_path)]).posts
    for column in ("is_paid", "reactions", "shares"):
        assert posts[column].isna().tolist() == [True, False, False]
    assert posts["is_paid"].tolist()[1:] == [True, False]
    assert posts["reactions"].tolist()[1:] == [130, 79]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("12,4,3", "13,4,3", "row 2: .13. is no Post Month"),
        ("12,3,10", "12,0,10", "row 3: .0. is no Post Weekday"),
        ("12,3,10", "12,3,24", "row 3: .24. is no Post Hour"),
        ("79,17", "79,x", "row 2: .x. is no whole number"),
        ("79,17", "79,1.5", "row 2: .1.5. is no whole number"),
        ("share", "shares", "has no column share"),
        ("79,17", "79,17,1", "is no whole table"),
    ],
)
def test_wrong_metrics_are_refused(tmp_path, old, new, message):
    path = write_metrics(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        facebook_metrics.read([path], name="facebook-metrics")


LIVE = """status_id,status_type,status_published,num_comments,num_shares,num_reactions
900_77,video,4/12/2018 6:00,512,262,529
900_76,photo,4/12/2018 6:00,0,0,150
900_50,photo,2/3/2018 5:43,16,1,537
100_9,link,12/31/2017 23:59,1,2,3
100_9,link,12/31/2017 23:59,1,2,3
900_50,photo,1/11/2018 0:12,16,1,537
"""


def write_live(folder, text=LIVE):
    path = folder / "Live.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_live_posts_are_kept_once_and_at_their_earlier_time(tmp_path):
    posts = read("facebook-live", [write_live(tmp_path)]).posts
    assert posts["post_id"].tolist() == ["p4", "p3", "p1", "p2"]
    assert posts["created_at"].dt.strftime("%Y-%m-%d %H:%M").tolist() == [
        "2017-12-31 23:59",
        "2018-01-11 00:12",
        "2018-04-12 06:00",
        "2018-04-12 06:00",
    ]
    counted = posts[["reactions", "replies", "shares"]].to_numpy().tolist()
    assert counted == [[3, 1, 2], [537, 16, 1], [529, 512, 262], [150, 0, 0]]


def test_live_pages_get_serial_names(tmp_path):
    tables = read("facebook-live", [write_live(tmp_path)])
    assert tables.accounts.to_numpy().tolist() == [["a1", "Facebook"], ["a2", "Facebook"]]
    assert tables.posts["account_id"].tolist() == ["a2", "a1", "a1", "a1"]
    shown = tables.posts.drop(columns="created_at").to_csv() + tables.accounts.to_csv()
    assert "900" not in shown and "100" not in shown and "_7" not in shown


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("900_76", "90076", "row 3: '90076' is no id of a page's post"),
        ("4/12/2018", "13/12/2018", "row 2: '13/12/2018 6:00' is no time"),
        ("512", "", "row 2: '' is no count"),
        ("num_shares", "shares", "has no column num_shares"),
    ],
)
def test_wrong_live_cells_are_refused(tmp_path, old, new, message):
    path = write_live(tmp_path, LIVE.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        facebook_live.read([path], name="facebook-live")


@pytest.mark.data
def test_published_figures_of_metrics(real):
    tables = real("facebook-metrics")
    posts = tables.posts
    assert (len(tables.accounts), len(posts)) == (1, 500)
    types = {"Photo": 426, "Status": 45, "Link": 22, "Video": 7}
    assert posts["post_type"].value_counts().to_dict() == types
    assert posts["is_paid"].value_counts(dropna=False).tolist() == [360, 139, 1]
    assert (posts["created_at"].dt.year == 2014).all()
    assert posts["created_at"].dt.day.max() <= 7


@pytest.mark.data
def test_published_consumers_by_type(real):
    real("facebook-metrics")
    rows = facebook_metrics.raw(*fetch("facebook-metrics"))
    mean = rows.groupby("Type")["Lifetime Post Consumers"].mean().round().to_dict()
    assert mean == {"Status": 1_950, "Photo": 690, "Link": 293, "Video": 1_585}
    parts = rows[["comment", "like", "share"]].sum(axis=1)
    assert (parts == rows["Total Interactions"]).all()
    assert (rows["Page total likes"].min(), rows["Page total likes"].max()) == (81_370, 139_441)


def place(rows, *, sunday):
    """Place the posts of a month, newest first, as late as their weekdays and hours allow."""
    now = pd.Timestamp(2014, 1, 1) + pd.DateOffset(months=rows["Post Month"].iloc[0])
    for weekday, hour in zip(rows["Post Weekday"], rows["Post Hour"], strict=True):
        days = pd.date_range(end=now, periods=9, normalize=True)
        days = days[days.day_of_week == (weekday - (2 if sunday else 1)) % 7]
        times = days + pd.Timedelta(hours=hour)
        now = times[times <= now].max()
        yield now


@pytest.mark.data
def test_weekday_1_is_sunday(real):
    real("facebook-metrics")
    rows = facebook_metrics.raw(*fetch("facebook-metrics"))
    last, fits = {}, {}
    for sunday in (True, False):
        months = [list(place(part, sunday=sunday)) for _, part in rows.groupby("Post Month")]
        last[sunday] = [days[0].days_in_month - days[0].day for days in months]
        fits[sunday] = [days[0].month == days[-1].month for days in months]
    assert sum(left == 0 for left in last[True]) == 11
    assert all(fits[True])
    assert min(last[False]) >= 2
    assert fits[False].count(False) == 2


@pytest.mark.data
def test_published_figures_of_live(real):
    tables = real("facebook-live")
    assert (len(tables.accounts), len(tables.posts)) == (9, 6_997)
    rows = pd.read_csv(*fetch("facebook-live"))
    assert len(rows) == 7_050
    assert rows["status_id"].str.partition("_")[0].nunique() == 9
    assert (rows.duplicated().sum(), rows["status_id"].duplicated().sum()) == (51, 53)
    assert tables.posts["created_at"].min() == pd.Timestamp("2012-07-15 02:51", tz="UTC")
    assert tables.posts["created_at"].max() == pd.Timestamp("2018-06-13 01:12", tz="UTC")
