from __future__ import annotations

import gzip

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smo_research.datasets import edgelist, text_files
from smo_research.datasets.edgelist import read_edgelist
from smo_research.datasets.own import read_konect
from smo_research.errors import DataError

HEAD = "source_id,target_id,created_at"


def read(tmp_path, format, content, name="log", **options):
    path = tmp_path / name
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_edgelist(path, format=format, **options)


def refused(tmp_path, format, content, *parts, name="log"):
    with pytest.raises(DataError) as e:
        read(tmp_path, format, content, name)
    message = str(e.value)
    assert name in message
    for part in parts:
        assert part in message
    assert "\n" not in message


def table(**columns):
    times = pd.to_datetime(["2020-01-01T10:00", "2020-01-02T10:00"], utc=True)
    base = {"source_id": ["a", "b"], "target_id": ["b", "a"], "created_at": times}
    return pd.DataFrame({**base, **columns})


def test_snap_keeps_ids_as_written_and_the_order_of_the_file(tmp_path):
    log = read(tmp_path, "snap", "# a comment\n007 x#1 100\n\n  7\tNA 50.25\r\n7 7 50\n")
    assert log["source_id"].tolist() == ["007", "7", "7"]
    assert log["target_id"].tolist() == ["x#1", "NA", "7"]
    assert log["seq"].tolist() == [0, 1, 2]
    assert log["kind"].tolist() == ["message"] * 3
    assert (log["created_at"] - pd.Timestamp(0, tz="UTC")).dt.total_seconds().tolist() == [
        100,
        50.25,
        50,
    ]
    assert list(log.dtypes.astype(str)) == ["str", "str", "datetime64[us, UTC]", "int64", "str"]


def test_konect_has_a_weight_between_target_and_time(tmp_path):
    log = read(tmp_path, "konect", "% asym\n1 2 1 1082008561\n2\t1\t3.5\t1.082e9\n")
    assert log["created_at"][0] == pd.Timestamp("2004-04-15 05:56:01", tz="UTC")
    assert log["created_at"][1].timestamp() == 1.082e9


def test_byte_order_mark_and_old_line_ends_are_read(tmp_path):
    assert len(read(tmp_path, "snap", b"\xef\xbb\xbf# c\r1 2 3\r2 1 4\r")) == 2


def test_gzip_goes_by_its_ending(tmp_path):
    assert len(read(tmp_path, "snap", gzip.compress(b"1 2 3\n"), "log.txt.gz")) == 1
    assert len(
        read(tmp_path, "csv", gzip.compress(f"{HEAD}\na,b,2020-01-01\n".encode()), "l.csv.gz")
    )


def test_csv_takes_the_optional_columns(tmp_path):
    rows = ["007,b,2020-01-01 12:00,5,reply,p", "b,a,2020-01-01T00:00+02:00,3,answer,"]
    log = read(tmp_path, "csv", "\n".join([f"{HEAD},seq,kind,post_id", *rows]))
    assert log["source_id"].tolist() == ["007", "b"]
    assert log["seq"].tolist() == [5, 3]
    assert log["kind"].tolist() == ["reply", "answer"]
    assert log["post_id"].isna().tolist() == [False, True]
    assert log["created_at"].astype(str).tolist() == [
        "2020-01-01 12:00:00+00:00",
        "2019-12-31 22:00:00+00:00",
    ]


def test_kind_and_seq_have_defaults(tmp_path):
    log = read(tmp_path, "csv", f"{HEAD}\na,b,2020-01-01\nb,a,2019-01-01\n", kind="mention")
    assert log["kind"].tolist() == ["mention", "mention"]
    assert log["seq"].tolist() == [0, 1]


def test_parquet_takes_typed_times_and_whole_numbers_as_ids(tmp_path):
    local = table()["created_at"].dt.tz_convert("Europe/Berlin")
    log = read(tmp_path, "parquet", table(created_at=local, source_id=[2**60 + 1, 2]))
    assert log["source_id"].tolist() == [str(2**60 + 1), "2"]
    assert log["created_at"][0] == pd.Timestamp("2020-01-01T10:00", tz="UTC")
    naive = read(tmp_path, "parquet", table(created_at=table()["created_at"].dt.tz_localize(None)))
    assert naive["created_at"][0] == pd.Timestamp("2020-01-01T10:00", tz="UTC")


def test_folder_names_add_no_columns(tmp_path):
    folder = tmp_path / "kind=reply"
    folder.mkdir()
    assert read(folder, "parquet", table())["kind"].tolist() == ["message"] * 2


def test_what_was_written_is_read_again(tmp_path):
    log = read(tmp_path, "snap", "007 8 1082040961.125\n8 007 1082040962\n")
    log.to_parquet(tmp_path / "log.parquet")
    log.to_csv(tmp_path / "log.csv", index=False)
    for format in ("parquet", "csv"):
        again = read_edgelist(tmp_path / f"log.{format}", format=format)
        pd.testing.assert_frame_equal(again, log)


ID = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1).filter(
    lambda text: not text.startswith("#")
)


@settings(deadline=None)
@given(st.lists(st.tuples(ID, ID, st.integers(0, 17 * 10**14)), min_size=1))
def test_every_id_and_microsecond_survives(tmp_path_factory, acts):
    path = tmp_path_factory.mktemp("log") / "log.txt"
    path.write_text("".join(f"{a} {b} {t // 10**6}.{t % 10**6:06d}\n" for a, b, t in acts))
    log = read_edgelist(path, format="snap")
    assert log["source_id"].tolist() == [a for a, _, _ in acts]
    assert log["target_id"].tolist() == [b for _, b, _ in acts]
    assert log["created_at"].astype("int64").tolist() == [t for _, _, t in acts]


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("1 2", ["too short", "source target epoch_seconds"]),
        ("1,2,3", ["too short"]),
        ("1 2 3 4", ["one column too many"]),
        ("1 2 3 4 5 6 7", ["too many columns"]),
        ("1 2 soon", ["a text of 4 characters is no time"]),
        ("1 2 nan", ["'nan'", "is no time"]),
        ("1 2 inf", ["'inf'", "is no time"]),
        ("1 2 1_0", ["a text of 3 characters is no time"]),
        ("1 2 -5", ["'-5'", "before 1970"]),
        ("1 2 1082040961000", ["future", "milliseconds"]),
    ],
)
def test_bad_snap_row_is_named_by_its_line(tmp_path, row, parts):
    rows = f"# comment\n1 2 3\n\n  # comment\n{row}\n1 2 3\n"
    refused(tmp_path, "snap", rows, "row 5", *parts)


@pytest.mark.parametrize("row", ["1 2 3 4 5 6 7", "1 2", "1 2 x"])
def test_bad_first_row_is_named_too(tmp_path, row):
    refused(tmp_path, "snap", f"{row}\n1 2 3\n", "row 1:")


def test_number_of_bad_rows_is_told(tmp_path):
    refused(tmp_path, "snap", "1 2 x\n1 2 3\n1 2 y\n", "row 1", "(2 such rows)")


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("1 2", ["too short", "source target weight epoch_seconds"]),
        ("1 2 1", ["too short"]),
        ("1 2 -1 5", ["'-1'", "no weight"]),
        ("1 2 x 5", ["'x'", "no weight"]),
        ("1 2 1 5 6", ["one column too many"]),
        ("1 2 1 x", ["'x'", "no time"]),
    ],
)
def test_bad_konect_row_is_named_by_its_line(tmp_path, row, parts):
    refused(tmp_path, "konect", f"% asym\n1 2 1 5\n{row}\n", "row 3", *parts)


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("a,b,now", ["'now'", "no time"]),
        ("a,b,1082040961", ["a number of 10 digits", "no time", "give UTC"]),
        ("a,b,2020-13-01", ["no time"]),
        ("a,b,1969-12-31", ["before 1970"]),
        ("a,b,2999-01-01", ["future"]),
        ("a,,2020-01-01", ["no target_id"]),
        (",b,2020-01-01", ["no source_id"]),
        ("a", ["no time"]),
        ("a,b,2020-01-01,1", ["4 columns", "header 3"]),
    ],
)
def test_bad_csv_row_is_named_by_its_line(tmp_path, row, parts):
    rows = f"{HEAD}\na,b,2020-01-01\n\n   \n\n{row}\n"
    refused(tmp_path, "csv", rows, "row 6", *parts)


@pytest.mark.parametrize(
    ("cells", "parts"),
    [
        ("0,poke", ["a text of 4 characters", "no kind", "answer"]),
        ("0,", ["''", "no kind"]),
        ("1,reply", ["'1'", "no seq"]),
        ("-1,reply", ["'-1'", "no seq"]),
        ("0.5,reply", ["'0.5'", "no seq"]),
        (",reply", ["''", "no seq"]),
    ],
)
def test_bad_optional_csv_cell_is_named(tmp_path, cells, parts):
    rows = f"{HEAD},seq,kind\na,b,2020-01-01,1,reply\na,b,2020-01-01,{cells}\n"
    refused(tmp_path, "csv", rows, "row 3", *parts)


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"source_id": ["a", None]}, ["row 2", "no source_id"]),
        ({"source_id": [1.0, 2.0]}, ["row 1", "1.0 is not text"]),
        ({"post_id": [1.0, None]}, ["row 1", "1.0 is not text"]),
        ({"created_at": [1082040961, 5]}, ["row 1", "no time"]),
        ({"created_at": pd.to_datetime(["2020-01-01", None])}, ["row 2", "no time"]),
        ({"seq": pd.array([0, None], dtype="Int64")}, ["row 2", "no seq"]),
        ({"text": ["x", "y"]}, ["no column 'text'; drop it"]),
    ],
)
def test_bad_parquet_cell_is_named(tmp_path, columns, parts):
    refused(tmp_path, "parquet", table(**columns), *parts)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_every_missing_column_is_named(tmp_path, format):
    content = "source_id,when\na,1\n" if format == "csv" else table()[["source_id"]]
    refused(tmp_path, format, content, "no column target_id, created_at")


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("snap", ""),
        ("snap", " \n"),
        ("snap", "# only\n"),
        ("konect", "% only"),
        ("csv", ""),
        ("csv", HEAD),
        ("parquet", table().iloc[:0]),
    ],
)
def test_file_without_rows_is_refused(tmp_path, format, content):
    refused(tmp_path, format, content, "give it at least one")


@pytest.mark.parametrize("damage", ["cut short", "changed", "never compressed"])
def test_damaged_gzip_is_refused(tmp_path, damage):
    whole = gzip.compress(b"1 2 3\n" * 1000)
    content = {
        "cut short": whole[:-9],
        "changed": whole[:12] + b"\xff" * 8 + whole[20:],
        "never compressed": b"1 2 3\n",
    }
    refused(tmp_path, "snap", content[damage], "damaged", "download it again", name="log.gz")


def test_other_bytes_are_refused(tmp_path):
    refused(tmp_path, "snap", b"1 2 3\n\xe9 2 3\n", "row 2", "UTF-8")
    refused(tmp_path, "parquet", b"PAR1 and no more", "Parquet")
    refused(tmp_path, "csv", f'{HEAD}\n"a,b,2020-01-01\n', "row 2", "has 1 columns")


@pytest.mark.parametrize("format", ["snap", "konect", "csv", "parquet"])
def test_missing_file_and_folder_are_refused(tmp_path, format):
    for path in (tmp_path / "nowhere.txt", tmp_path):
        with pytest.raises(DataError, match=rf"{path.name} cannot be read"):
            read_edgelist(path, format=format)


def test_unknown_format_and_kind_are_refused(tmp_path):
    with pytest.raises(
        DataError, match="format must be snap, konect, csv or parquet, but is 'xml'"
    ):
        read_edgelist(tmp_path / "log", format="xml")
    with pytest.raises(DataError, match=r"kind must be one of answer, .*, but is 'poke'"):
        read_edgelist(tmp_path / "log", format="snap", kind="poke")


def konect(folder, rows, head="% asym positive"):
    path = folder / "out.talk"
    path.write_text(f"{head}\n% 4 3 3\n{rows}")
    left = {}
    log = read_konect(path, leave=lambda what, number: left.update({what: number}))
    return log.interactions, {what: number for what, number in left.items() if number}


def test_konect_rows_that_are_no_acts_are_left_out_and_told_or_refused(tmp_path):
    rows = "1 2 1 1289241911\n1 3 -1 1289241912\n2 1 1 0\n3\t1\t1\t1289241913\n"
    acts, left = konect(tmp_path, rows)
    ends = acts[["source_id", "target_id"]].to_numpy().tolist()
    assert ends == [["a1", "a2"], ["a3", "a1"]]
    assert left == {edgelist.NO_WEIGHT: 1, edgelist.NO_TIME: 1}
    for format_row in ("1 3 -1 1289241912", "2 1 1 0"):
        text = f"% asym\n1 2 1 1289241911\n{format_row}\n"
        refused(tmp_path, "konect", text, "row 3", "drop the row")
    with pytest.raises(DataError, match=r"out[.]talk, row 6: a text of 4 characters is no time"):
        konect(tmp_path, rows.replace("1289241913", "then"))


def test_konect_seconds_from_the_start_of_a_log_may_be_0(tmp_path):
    acts, left = konect(tmp_path, "1 2 1 0\n2 1 1 60\n")
    assert (len(acts), left) == (2, {})


@pytest.mark.parametrize(
    ("head", "said"),
    [("% sym positive", "edges without a direction"), ("% bip unweighted", "accounts to things")],
)
def test_konect_edges_that_nobody_did_are_refused(tmp_path, head, said):
    with pytest.raises(DataError, match=f"{said}.*% asym"):
        konect(tmp_path, "1 2 1 1289241911\n", head)


def test_commas_and_packed_files_are_told_what_to_do(tmp_path):
    refused(tmp_path, "snap", "6,2,4,1289241911.7\n", "a file with commas is a CSV", "smo.toml")
    for start, said in text_files.PACKED.items():
        refused(tmp_path, "snap", start + b"more", f"is {said}; give the text that is in it")
