"""Time and memory of the panel, against the same panel by hand in SQL, pandas and Polars.

Each run is a process of its own. Imports are not timed; reading the log and writing the panel,
both Parquet, are.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
README = HERE / "README.md"
BEGIN, FINISH = "<!-- results -->\n", "<!-- end of results -->"
PERIOD, GAP, HORIZON = 28, 28, 168
HOUR = 3_600_000_000
DAY = 24 * HOUR
KEYS = ["account", "period"]
CHECK_ACTS = 20_000
EXPECTED: dict[int, float] = {}
WHOLE = [
    *["new_audience", "lasting_audience", "inbound", "answered", "new_now"],
    *["tenure", "past_inbound", "past_acts", "own_acts"],
]
COUNTS = ["own_acts", "other_acts", "new_now", "new_audience", "lasting_audience"]


def ours(log: str, out: str, memory: str):

    from smo_research.measures.acts import connect
    from smo_research.measures.panel import panel_table
    from smo_research.tables import Windows

    def run():
        con = connect()
        limit(con.raw_sql, memory, out)
        windows = Windows(period=PERIOD, gap=GAP, horizon=HORIZON)
        con.to_parquet(panel_table(con.read_parquet(log), windows=windows, backend=con), out)

    return run


def sql(log: str, out: str, memory: str):
    import duckdb

    from smo_research.measures.tweaks import expected_hour_entropy

    def expected(n: int) -> float:
        return float(expected_hour_entropy([n])[0])

    def run():
        con = duckdb.connect()
        limit(con.execute, memory, out)
        con.create_function("expected_hour_entropy", expected, ["BIGINT"], "DOUBLE")
        named = {"log": f"'{log}'", "period": PERIOD, "gap": GAP, "horizon": HORIZON}
        for name, value in named.items():
            con.execute(f"SET VARIABLE {name} = {value}")
        con.execute((HERE / "by_hand.sql").read_text(encoding="utf-8"))
        con.execute(f"COPY (FROM panel) TO '{out}' (FORMAT parquet)")
        con.remove_function("expected_hour_entropy")
        con.close()

    return run


def limit(execute, memory: str, out: str) -> None:
    execute(f"SET memory_limit = '{memory}'")
    execute(f"SET temp_directory = '{out}.spill'")


def plain(log: str, out: str, memory: str):
    """The definitions one after the other in vectorised pandas, as an analyst would write them."""
    import numpy as np
    import pandas as pd

    from smo_research.measures.panel import COLUMNS
    from smo_research.measures.tweaks import expected_hour_entropy

    def days(number):
        return pd.Timedelta(days=number)

    def run():
        acts = pd.read_parquet(log, columns=["source_id", "target_id", "created_at", "seq"])
        acts = acts[acts["source_id"] != acts["target_id"]]
        acts = acts.sort_values(["created_at", "seq"], ignore_index=True)
        start = acts["created_at"].min().normalize()
        end = acts["created_at"].max()
        acts["period"] = (acts["created_at"] - start) // days(PERIOD)
        last_period = (end - start - days(HORIZON)) // days(PERIOD) - 2
        acts["order"] = np.arange(len(acts))

        pair = ["source_id", "target_id"]
        first = acts.drop_duplicates(pair)[[*pair, "created_at", "period"]]
        first = first.rename(columns={"created_at": "first_at", "period": "first_period"})
        later = acts.merge(first, on=pair)
        since = later["created_at"] - later["first_at"]
        back = later[(since >= days(GAP)) & (since <= days(HORIZON))].drop_duplicates(pair)
        by_target = ["target_id", "first_period"]
        new = pd.DataFrame(
            {
                "new_audience": first.groupby(by_target).size(),
                "lasting_audience": back.groupby(by_target).size(),
            }
        )
        new = new.fillna(0).rename_axis(["account_id", "period"]).reset_index()

        # For each account and those who wrote to it: their first act, its first act after that.
        contacts = acts.drop_duplicates([*pair, "period"])
        contacts = contacts.rename(columns={"target_id": "account_id", "source_id": "other_id"})
        own = acts.rename(columns={"source_id": "account_id", "target_id": "other_id"})
        who = ["account_id", "other_id", "period"]
        replies = contacts.merge(own, on=who, suffixes=("", "_reply"))
        replies = replies[replies["order_reply"] > replies["order"]].sort_values("order_reply")
        replies = replies.drop_duplicates(who)
        replies["delay"] = replies["created_at_reply"] - replies["created_at"]
        replies = replies[replies["delay"] <= days(7)]
        replies["hours"] = replies["delay"] / pd.Timedelta(hours=1)
        keys = ["account_id", "period"]
        inbound = contacts.groupby(keys).size()
        answered = replies.groupby(keys)["hours"].agg(["size", "median"])

        # The act before each one between the same two accounts.
        acts["low"] = acts["source_id"].where(
            acts["source_id"] < acts["target_id"], acts["target_id"]
        )
        acts["high"] = acts["target_id"].where(
            acts["source_id"] < acts["target_id"], acts["source_id"]
        )
        exchange = acts.groupby(["low", "high"])
        before_source, before_at = exchange["source_id"].shift(), exchange["created_at"].shift()
        before_period = exchange["period"].shift()
        acts["opens"] = before_source.isna()
        other = before_source == acts["target_id"]
        acts["is_answer"] = other & (acts["created_at"] - before_at <= days(7))
        acts["turned"] = other & (before_period == acts["period"])
        pairs = acts.groupby(["low", "high", "period"])["turned"].sum().reset_index()
        pairs["two_way"] = pairs["turned"] > 0
        sides = pd.concat([pairs.rename(columns={side: "account_id"}) for side in ("low", "high")])
        rows = sides.groupby(keys).agg(
            reciprocity=("two_way", "mean"), changes=("turned", "sum"), two_way=("two_way", "sum")
        )
        rows["depth"] = (rows["changes"] / rows["two_way"]).fillna(0)
        rows["inbound"] = inbound
        rows["answered"] = answered["size"]
        rows["answer_delay_hours"] = answered["median"]

        acts = acts.rename(columns={"source_id": "account_id"})
        acts["other_act"] = ~acts["is_answer"]
        made = acts.groupby(keys).agg(
            own_acts=("opens", "size"), other_acts=("other_act", "sum"),
            cold_outreach=("opens", "mean"),
        )  # fmt: skip
        rows = rows.join(made)
        often = acts.merge(made[made["own_acts"] >= 10][["own_acts"]], on=keys)
        often["gap"] = often.groupby(keys)["created_at"].diff() / pd.Timedelta(hours=1)
        gaps = often.groupby(keys)["gap"].agg(["mean", lambda gap: gap.std(ddof=0)])
        r = gaps.iloc[:, 1] / gaps["mean"].where(gaps["mean"] > 0)
        n = often.groupby(keys).size()
        up, down = np.sqrt(n + 1), np.sqrt(n - 1)
        rows["burstiness"] = (up * r - down) / ((up - 2) * r + down)
        hours = often.groupby([*keys, often["created_at"].dt.hour]).size()
        entropy = np.log(n) - (hours * np.log(hours)).groupby(keys).sum() / n
        expected = n.map(lambda k: EXPECTED.setdefault(k, expected_hour_entropy([k])[0]))
        rows["schedule_focus"] = (expected - entropy) / np.log(24)

        rows = rows.reset_index()
        now = new.rename(columns={"new_audience": "new_now"}).drop(columns="lasting_audience")
        rows = rows.merge(now, on=keys, how="left")
        rows = rows.merge(new.assign(period=new["period"] - 1), on=keys, how="left")
        rows[COUNTS] = rows[COUNTS].fillna(0)
        rows[["inbound", "answered"]] = rows[["inbound", "answered"]].fillna(0)
        summed = rows.groupby("period")[["answered", "inbound"]].sum().cumsum().shift()
        p = rows["period"].map((summed["answered"] / summed["inbound"]).fillna(0.5))
        rows["pooled_answering"] = p
        rows["tenure"] = rows["period"] - rows.groupby("account_id")["period"].transform("min")
        rows["talked"] = (rows["two_way"] > 0).astype(int)
        first_own = rows["period"].where(rows["own_acts"] > 0)
        first_own = first_own.groupby(rows["account_id"]).transform("min")
        summed = {"inbound": 0, "answered": 0, "other_acts": 0, "talked": 0}
        for back in (1, 2, 3):
            moved = rows[[*keys, *summed]].assign(period=rows["period"] + back)
            moved = rows[keys].merge(moved, on=keys, how="left").fillna(0)
            summed = {name: value + moved[name] for name, value in summed.items()}
        rows["past_inbound"], rows["past_acts"] = summed["inbound"], summed["other_acts"]
        share = (summed["answered"] + 2 * p) / (summed["inbound"] + 2)
        rows["past_answering"] = share.where((summed["inbound"] > 0) & (rows["tenure"] >= 3))
        share = (rows["answered"] + 2 * p) / (rows["inbound"] + 2)
        rows["answering"] = share.where(rows["inbound"] > 0)
        since = rows["period"] - first_own + 1
        share = (summed["talked"] + rows["talked"]) / since.clip(upper=4)
        rows["persistence"] = share.where(since > 0)
        rows["post_volume"] = np.log1p(rows["other_acts"])
        rows["period_start"] = start + rows["period"] * days(PERIOD)
        rows = rows[rows["period"] <= last_period].sort_values(keys)
        counts = rows[WHOLE].astype("int64")
        rows.assign(**counts)[COLUMNS].to_parquet(out, index=False)

    return run


def pandas(log: str, out: str, memory: str):
    """Our own steps in pandas, with numbers in the place of ids from the start."""
    import numpy as np
    import pandas as pd

    from smo_research.measures.panel import COLUMNS
    from smo_research.measures.tweaks import expected_hour_entropy

    def past(rows, columns, back):
        """Sums over the periods `back` before each row's."""
        moved = [rows[[*KEYS, *columns]].assign(period=rows["period"] + k) for k in back]
        sums = pd.concat(moved).groupby(KEYS)[columns].sum()
        return rows[KEYS].join(sums, on=KEYS)[columns].fillna(0).astype("int64")

    def run():
        read = pd.read_parquet(log, columns=["source_id", "target_id", "created_at", "seq"])
        read = read[read["source_id"] != read["target_id"]]
        both = pd.concat([read["source_id"], read["target_id"]])
        codes, ids = pd.factorize(both, sort=True)
        at = read["created_at"].dt.as_unit("us").astype("int64").to_numpy()
        start = at.min() // DAY * DAY
        last_period = (at.max() - start - HORIZON * DAY) // (PERIOD * DAY) - 2
        source, target = np.split(codes, 2)
        acts = pd.DataFrame({"source": source, "target": target, "at": at, "seq": read["seq"]})
        del read, both, codes
        acts["low"] = acts[["source", "target"]].min(axis=1)
        acts["high"] = acts[["source", "target"]].max(axis=1)
        acts["period"] = (acts["at"] - start) // (PERIOD * DAY)
        acts = acts.sort_values(["low", "high", "at", "seq"], ignore_index=True)
        before = acts.shift()
        same = (acts["low"] == before["low"]) & (acts["high"] == before["high"])
        other = same & (before["source"] == acts["target"])
        goes_on = same & (before["period"] == acts["period"])
        acts["opens_pair"] = ~same
        acts["not_answer"] = ~(other & (acts["at"] - before["at"] <= 7 * DAY))
        acts["turned"] = goes_on & other
        acts["opener"] = acts["source"].where(~goes_on)
        first = acts.groupby(["source", "target"])["at"].transform("min")

        comings = acts.assign(
            first=first, lasts=(acts["at"] - first).between(GAP * DAY, HORIZON * DAY)
        )
        comings = comings.groupby(["source", "target", "first"], as_index=False)["lasts"].any()
        comings["period"] = (comings["first"] - start) // (PERIOD * DAY)
        comings = comings.rename(columns={"target": "account"}).groupby(KEYS)["lasts"]
        new = comings.agg(new_audience="size", lasting_audience="sum").reset_index()

        turned = acts["at"].where(acts["turned"])
        acts["low_at"] = turned.where(acts["source"] == acts["low"])
        acts["high_at"] = turned.where(acts["source"] == acts["high"])
        pairs = acts.groupby(["low", "high", "period"], as_index=False).agg(
            opener=("opener", "max"),
            changes=("turned", "sum"),
            opened_at=("at", "min"),
            low_at=("low_at", "min"),
            high_at=("high_at", "min"),
        )
        sides = []
        for side, theirs in [("low", "high"), ("high", "low")]:
            one = pairs[["period", "changes"]].assign(account=pairs[side])
            opened = pairs["opener"] == pairs[side]
            one["wrote_at"] = pairs[f"{theirs}_at"].where(opened, pairs["opened_at"])
            delay = pairs[f"{side}_at"] - one["wrote_at"]
            one["delay"] = (delay / HOUR).where(delay <= 7 * DAY)
            sides.append(one.assign(both=pairs["changes"] > 0))
        rows = (
            pd.concat(sides)
            .groupby(KEYS)
            .agg(
                inbound=("wrote_at", "count"),
                answered=("delay", "count"),
                answer_delay_hours=("delay", "median"),
                reciprocity=("both", "mean"),
                changes=("changes", "sum"),
                two_way=("both", "sum"),
            )
            .reset_index()
        )
        rows["depth"] = (rows["changes"] / rows["two_way"]).where(rows["two_way"] > 0, 0.0)

        acts = acts.rename(columns={"source": "account"})
        own = acts.groupby(KEYS, as_index=False).agg(
            own_acts=("at", "size"),
            other_acts=("not_answer", "sum"),
            cold_outreach=("opens_pair", "mean"),
        )
        often = own.loc[own["own_acts"] >= 10, [*KEYS, "own_acts"]]
        enough = acts[[*KEYS, "at"]].merge(often, on=KEYS).sort_values([*KEYS, "at"])
        enough["gap"] = enough.groupby(KEYS)["at"].diff() / HOUR
        gaps = enough.groupby(KEYS)["gap"]
        mean = gaps.mean()
        r = gaps.std(ddof=0) / mean.where(mean > 0)
        n = enough.groupby(KEYS).size()
        up, down = np.sqrt(n + 1), np.sqrt(n - 1)
        hours = enough.assign(hour=enough["at"] % DAY // HOUR).groupby([*KEYS, "hour"]).size()
        observed = np.log(n) - (hours * np.log(hours)).groupby(KEYS).sum() / n
        sizes = np.unique(n)
        expected = n.map(dict(zip(sizes, expected_hour_entropy(sizes), strict=True)))
        timing = pd.DataFrame(
            {
                "burstiness": (up * r - down) / ((up - 2) * r + down),
                "schedule_focus": (expected - observed) / np.log(24),
            }
        )

        rows = rows.merge(own, on=KEYS, how="left").join(timing, on=KEYS)
        now = new[KEYS].assign(new_now=new["new_audience"])
        rows = rows.merge(now, on=KEYS, how="left")
        rows = rows.merge(new.assign(period=new["period"] - 1), on=KEYS, how="left")
        rows[COUNTS] = rows[COUNTS].fillna(0).astype("int64")
        summed = rows.groupby("period")[["answered", "inbound"]].sum().cumsum().shift()
        rows["pooled_answering"] = rows["period"].map(
            (summed["answered"] / summed["inbound"]).fillna(0.5)
        )
        p = rows["pooled_answering"]
        rows["tenure"] = rows["period"] - rows.groupby("account")["period"].transform("min")
        before = past(rows, ["inbound", "answered", "other_acts"], [1, 2, 3])
        rows["past_inbound"], rows["past_acts"] = before["inbound"], before["other_acts"]
        share = (before["answered"] + 2 * p) / (before["inbound"] + 2)
        rows["past_answering"] = share.where((before["inbound"] > 0) & (rows["tenure"] >= 3))
        share = (rows["answered"] + 2 * p) / (rows["inbound"] + 2)
        rows["answering"] = share.where(rows["inbound"] > 0)
        two_way = rows[KEYS].assign(n=(rows["two_way"] > 0).astype(int))
        first_own = rows["period"].where(rows["own_acts"] > 0).groupby(rows["account"])
        since = rows["period"] - first_own.transform("min") + 1
        recent = past(two_way, ["n"], [0, 1, 2, 3])["n"]
        rows["persistence"] = (recent / since.clip(upper=4)).where(since > 0)
        rows["post_volume"] = np.log1p(rows["other_acts"])
        rows = rows[rows["period"] <= last_period].sort_values(KEYS)
        rows["account_id"] = np.asarray(ids)[rows["account"]]
        rows["period_start"] = pd.to_datetime(start + rows["period"] * PERIOD * DAY, unit="us")
        rows[COLUMNS].to_parquet(out, index=False)

    return run


def polars(log: str, out: str, memory: str):
    import numpy as np
    import polars as pl
    from polars import col, when

    from smo_research.measures.panel import COLUMNS
    from smo_research.measures.tweaks import expected_hour_entropy

    def past(rows, columns, back):
        """Sums over the periods `back` before each row's."""
        moved = [rows.select("account", col("period") + k, *columns) for k in back]
        return pl.concat(moved).group_by(KEYS).agg(col(columns).sum().name.prefix("past_"))

    def expect(n):
        return pl.Series(expected_hour_entropy(n.to_numpy()))

    def run():
        read = pl.scan_parquet(log).filter(col("source_id") != col("target_id"))
        read = read.with_columns(at=col("created_at").dt.epoch("us"))
        first, last = read.select(a=col("at").min(), b=col("at").max()).collect().row(0)
        start = first // DAY * DAY
        last_period = (last - start - HORIZON * DAY) // (PERIOD * DAY) - 2
        period = ((col("at") - start) // (PERIOD * DAY)).cast(pl.Int32)
        ids = pl.concat([read.select(id="source_id"), read.select(id="target_id")]).unique()
        ids = ids.sort("id").with_row_index("account").collect().lazy()
        same = pl.all_horizontal(col("low", "high") == col("low", "high").shift())
        other = same & (col("source").shift() == col("target"))
        goes_on = same & (col("period").shift() == col("period"))
        recent = col("at") - col("at").shift() <= 7 * DAY
        acts = (
            read.join(ids.rename({"account": "source"}), left_on="source_id", right_on="id")
            .join(ids.rename({"account": "target"}), left_on="target_id", right_on="id")
            .select("source", "target", "at", "seq", period=period)
            .with_columns(
                low=pl.min_horizontal("source", "target"),
                high=pl.max_horizontal("source", "target"),
            )
            .sort("low", "high", "at", "seq")
            .with_columns(
                opens_pair=~same.fill_null(False),
                not_answer=~(other & recent).fill_null(False),
                goes_on=goes_on.fill_null(False),
                turned=(goes_on & other).fill_null(False),
            )
            .drop("seq")
            .collect()
            .lazy()
        )
        firsts = acts.group_by("source", "target").agg(first=col("at").min())
        since = (col("at") - col("first")).is_between(GAP * DAY, HORIZON * DAY)
        new = (
            acts.join(firsts, on=["source", "target"])
            .with_columns(lasts=since)
            .group_by("source", account="target")
            .agg(at=col("first").first(), lasts=col("lasts").max())
            .group_by("account", period=period)
            .agg(new_audience=pl.len(), lasting_audience=col("lasts").sum())
        )
        pairs = (
            acts.with_columns(
                opener=when(~col("goes_on")).then("source"),
                low_at=when(col("turned") & (col("source") == col("low"))).then("at"),
                high_at=when(col("turned") & (col("source") == col("high"))).then("at"),
            )
            .group_by("low", "high", "period")
            .agg(
                col("opener").max(),
                changes=col("turned").sum(),
                opened_at=col("at").min(),
                low_at=col("low_at").min(),
                high_at=col("high_at").min(),
            )
            .with_columns(both=col("changes") > 0)
        )
        sides = []
        for side, theirs in [("low", "high"), ("high", "low")]:
            opened = col("opener") == col(side)
            wrote_at = when(opened).then(f"{theirs}_at").otherwise("opened_at")
            delay = when(col(f"{side}_at") - wrote_at <= 7 * DAY).then(col(f"{side}_at") - wrote_at)
            sides.append(
                pairs.select(
                    *["period", "changes", "both"],
                    account=side,
                    wrote_at=wrote_at,
                    delay=delay / HOUR,
                )
            )
        rows = (
            pl.concat(sides)
            .group_by(KEYS)
            .agg(
                inbound=col("wrote_at").count(),
                answered=col("delay").count(),
                answer_delay_hours=col("delay").median(),
                reciprocity=col("both").mean(),
                changes=col("changes").sum(),
                two_way=col("both").sum(),
            )
            .with_columns(
                depth=when(col("two_way") > 0).then(col("changes") / col("two_way")).otherwise(0.0)
            )
        )
        mine = acts.rename({"source": "account"})
        own = mine.group_by(KEYS).agg(
            own_acts=pl.len(),
            other_acts=col("not_answer").sum(),
            cold_outreach=col("opens_pair").mean(),
        )
        often = own.filter(col("own_acts") >= 10)
        enough = mine.select(*KEYS, "at").join(often, on=KEYS, how="semi")
        goes_on = pl.all_horizontal(col(KEYS) == col(KEYS).shift())
        spread = (
            enough.sort(*KEYS, "at")
            .with_columns(gap=when(goes_on).then(col("at").diff() / HOUR))
            .group_by(KEYS)
            .agg(n=pl.len().cast(pl.Int64), mean=col("gap").mean(), sd=col("gap").std(ddof=0))
        )
        k = col("k").cast(pl.Float64)
        hours = enough.group_by(*KEYS, hour=col("at") % DAY // HOUR).agg(k=pl.len())
        hours = hours.group_by(KEYS).agg(weight=(k * k.log()).sum())
        expected = often.select(n=col("own_acts").cast(pl.Int64)).unique()
        expected = expected.with_columns(
            expected=col("n").map_batches(expect, return_dtype=pl.Float64)
        )
        r = when(col("mean") > 0).then(col("sd") / col("mean"))
        up, down = (col("n") + 1).sqrt(), (col("n") - 1).sqrt()
        observed = col("n").log() - col("weight") / col("n")
        timing = (
            spread.join(hours, on=KEYS)
            .join(expected, on="n")
            .select(
                *KEYS,
                burstiness=(up * r - down) / ((up - 2) * r + down),
                schedule_focus=(col("expected") - observed) / np.log(24),
            )
        )
        now = new.select(*KEYS, new_now="new_audience")
        for more in (own, timing, now, new.with_columns(col("period") - 1)):
            rows = rows.join(more, on=KEYS, how="left")
        rows = rows.with_columns(col(COUNTS).fill_null(0).cast(pl.Int64))
        rows = rows.with_columns(col("inbound", "answered").cast(pl.Int64)).collect().lazy()
        pooled = rows.group_by("period").agg(col("answered", "inbound").sum()).sort("period")
        earlier = col("answered").cum_sum().shift() / col("inbound").cum_sum().shift()
        pooled = pooled.select("period", pooled_answering=earlier.fill_null(0.5))
        before = past(rows, ["inbound", "answered", "other_acts"], [1, 2, 3])
        two_way = rows.select(*KEYS, two_way_periods=(col("two_way") > 0).cast(pl.Int64))
        p, share = 2 * col("pooled_answering"), lambda a, n: (col(a) + p) / (col(n) + 2)
        summed = col("past_inbound", "past_answered", "past_other_acts")
        known = (col("past_inbound") > 0) & (col("tenure") >= 3)
        first_own = col("period").filter(col("own_acts") > 0).min().over("account")
        rows = (
            rows.join(pooled, on="period")
            .join(before, on=KEYS, how="left")
            .join(past(two_way, ["two_way_periods"], [0, 1, 2, 3]), on=KEYS)
            .with_columns(
                summed.fill_null(0),
                tenure=col("period") - col("period").min().over("account"),
                since=col("period") - first_own + 1,
            )
            .filter(col("period") <= last_period)
            .with_columns(
                answering=when(col("inbound") > 0).then(share("answered", "inbound")),
                past_answering=when(known).then(share("past_answered", "past_inbound")),
                persistence=when(col("since") > 0).then(
                    col("past_two_way_periods") / pl.min_horizontal("since", 4)
                ),
                post_volume=col("other_acts").log1p(),
                past_acts="past_other_acts",
                period_start=(start + col("period").cast(pl.Int64) * (PERIOD * DAY)).cast(
                    pl.Datetime("us")
                ),
            )
            .join(ids.rename({"id": "account_id"}), on="account")
            .sort(KEYS)
        )
        rows.select(COLUMNS).sink_parquet(out)

    return run


VARIANTS = {"ours": ours, "sql": sql, "plain": plain, "pandas": pandas, "polars": polars}
SAID = {
    "ours": "smo_research",
    "sql": "SQL by hand",
    "plain": "pandas, straightforward",
    "pandas": "pandas, tuned",
    "polars": "Polars, tuned",
}


def measured(name: str, log: str, out: str, memory: str) -> dict[str, float]:
    """Run one variant here; peak memory is this process's."""
    run = VARIANTS[name](log, out, memory)
    began, processor = time.perf_counter(), time.process_time()
    run()
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"seconds": seconds, "processor": processor, "peak": peak / 1e6}


def write_log(acts: str, log: str, cut: str) -> None:
    """Write a log; its times cut to `cut` hours, for ties and moments on the edge of a window."""
    import generate
    import pandas as pd

    generate.write_log(Path(log), int(acts))
    if int(cut):
        table = pd.read_parquet(log)
        table["created_at"] = table["created_at"].dt.floor(f"{cut}h").dt.as_unit("us")
        table.to_parquet(log, index=False)


def same_values(one: str, other: str) -> None:
    """Stop where two panels differ: keys, order, counts and gaps exactly, reals by 1e-9."""
    import pandas as pd

    left, right = (pd.read_parquet(path) for path in (one, other))
    for frame in (left, right):
        frame["period_start"] = pd.to_datetime(frame["period_start"], utc=True).dt.as_unit("us")
    assert len(left) > 100, "too few rows to say anything"
    assert list(left.columns) == list(right.columns)
    for name in left.columns:
        assert len(left) == len(right), f"{len(left)} and {len(right)} rows"
        known = left[name].notna()
        assert (known == right[name].notna()).all(), f"{name}: missing in different rows"
        assert known.any(), f"{name}: missing in every row"
        a, b = left.loc[known, name], right.loc[known, name]
        if a.dtype == "float64":
            assert (abs(a - b) <= 1e-9 * abs(a).clip(lower=1)).all(), f"{name}: values differ"
        else:
            assert (a == b).all(), f"{name}: values differ"


def same_sums(one: str, other: str) -> None:
    """Stop where two panels differ in rows, known values or sums of a column."""
    import duckdb

    from smo_research.measures.panel import COLUMNS

    names = [name for name in COLUMNS if name not in ("account_id", "period_start")]
    sums = ", ".join(f"count({name}), fsum({name}::DOUBLE)" for name in names)
    asked = f"SELECT count(*), count(DISTINCT (account_id, period)), {sums} FROM read_parquet(?)"
    a, b = (duckdb.execute(asked, [path]).fetchone() for path in (one, other))
    labels = ["rows", "keys", *(f"{of} of {name}" for name in names for of in ("number", "sum"))]
    for label, x, y in zip(labels, a, b, strict=True):
        assert math.isclose(x, y, rel_tol=1e-9), f"{label}: {x} and {y}"


def run_apart(*words: str, limit: float | None = None) -> dict[str, float]:
    """Run a step of this script in a process of its own."""
    call = [sys.executable, str(Path(__file__).resolve()), "--step", *words]
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True, timeout=limit)
    return json.loads(done.stdout) if done.stdout else {}


def step(words: list[str]) -> None:
    steps = {"measure": measured, "log": write_log, "values": same_values, "sums": same_sums}
    answer = steps[words[0]](*words[1:])
    if answer:
        print(json.dumps(answer))


def check(names: list[str], memory: str, folder: Path) -> None:
    for cut in ("0", "6", "24"):
        log = str(folder / f"check_{cut}.parquet")
        run_apart("log", str(CHECK_ACTS), log, cut)
        for name in names:
            run_apart("measure", name, log, str(folder / name), memory)
        for name in names[1:]:
            run_apart("values", str(folder / names[0]), str(folder / name))


def table_of(results: dict[int, dict[str, dict[str, float]]], names: list[str]) -> str:
    """Lay the results out in Markdown."""
    lines = [
        "| acts | variant | seconds | processor seconds | peak memory, MB "
        "| seconds ÷ ours | memory ÷ ours |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for acts, result in results.items():
        base = result.get("ours")
        for name in names:
            if name not in result:
                lines.append(f"| {acts:,} | {SAID[name]} | over the time limit | | | | |")
                continue
            one = result[name]
            cells = [f"{acts:,}", SAID[name], f"{one['seconds']:.1f}"]
            cells += [f"{one['processor']:.1f}", f"{one['peak']:,.0f}"]
            for measure in ("seconds", "peak"):
                cells.append(f"{one[measure] / base[measure]:.2f}" if base else "")
            lines.append(f"| {' | '.join(cells)} |")
    points = [
        (math.log(acts), math.log(result["ours"]["seconds"]))
        for acts, result in results.items()
        if "ours" in result
    ]
    if len(points) > 1:
        x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
        slope = sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
        lines += ["", f"Slope of ln seconds over ln acts, {SAID['ours']}: {slope:.2f}."]
    return "\n".join(lines)


def machine(memory: str, repeats: int) -> str:
    libraries = ["duckdb", "ibis-framework", "pandas", "polars"]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in libraries)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{datetime.date.today()}; {platform.system()} {platform.machine()}, {os.cpu_count()} "
        f"processors, {total:.0f} GB; Python {platform.python_version()}, {versions}; "
        f"memory limit of DuckDB {memory}; least of {repeats}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=float, default=[1e5, 1e6, 5e6])
    parser.add_argument("--against", nargs="*", choices=[*VARIANTS][1:], default=[*VARIANTS][1:])
    parser.add_argument("--only", choices=VARIANTS, help="measure this one; check nothing")
    parser.add_argument("--memory", default="4GB", help="limit of both DuckDB variants")
    parser.add_argument("--repeats", type=int, default=1, help="take the fastest of so many")
    parser.add_argument("--limit", type=float, default=900, help="seconds one run may take")
    parser.add_argument("--logs", type=Path, help="folder of logs to keep and use again")
    parser.add_argument("--write", action="store_true", help="put the results into README.md")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        return step(args.step)
    names = [args.only] if args.only else ["ours", *args.against]
    results: dict[int, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if not args.only:
            check(names, args.memory, folder)
            print(f"Same rows and values at {CHECK_ACTS:,} acts: {', '.join(names)}.\n")
        for acts in map(int, args.sizes):
            log = (args.logs or folder) / f"log_{acts}.parquet"
            if not log.exists():
                run_apart("log", str(acts), str(log), "0")
            of_size = results.setdefault(acts, {})
            for name in names:
                words = ("measure", name, str(log), str(folder / name), args.memory)
                try:
                    runs = [run_apart(*words, limit=args.limit) for _ in range(args.repeats)]
                except subprocess.TimeoutExpired:
                    continue
                of_size[name] = min(runs, key=lambda run: run["seconds"])
                if name != names[0] and names[0] in of_size:
                    run_apart("sums", str(folder / names[0]), str(folder / name))
    report = f"{table_of(results, names)}\n\n{machine(args.memory, args.repeats)}"
    print(report)
    if args.write:
        text = README.read_text(encoding="utf-8")
        head, rest = text.split(BEGIN)
        tail = rest.split(FINISH)[1]
        README.write_text(f"{head}{BEGIN}{report}\n{FINISH}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
