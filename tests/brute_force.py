"""The panel of design section 4, written out in plain Python for the eye, not for speed."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

import pandas as pd

DAY = 86_400_000_000
WEEK = 7 * DAY


def _entropy_at_random(n):
    """Exact mean entropy of n hours at random, summed over all k with math.comb."""
    total = sum(
        math.comb(n, k) * (1 / 24) ** k * (23 / 24) ** (n - k) * k * math.log(k)
        for k in range(2, n + 1)
    )
    return math.log(n) - 24 / n * total


def _schedule_focus(times):
    n = len(times)
    if n < 10:
        return None
    hours = [time % DAY // (3600 * 10**6) for time in times]
    shares = [hours.count(hour) / n for hour in set(hours)]
    entropy = -sum(share * math.log(share) for share in shares)
    return (_entropy_at_random(n) - entropy) / math.log(24)


def _burstiness(times):
    n = len(times)
    gaps = [(b - a) / 1e6 for a, b in pairwise(times)]
    if n < 10 or sum(gaps) == 0:
        return None
    mu = sum(gaps) / len(gaps)
    r = math.sqrt(sum((gap - mu) ** 2 for gap in gaps) / len(gaps)) / mu
    return (math.sqrt(n + 1) * r - math.sqrt(n - 1)) / (
        (math.sqrt(n + 1) - 2) * r + math.sqrt(n - 1)
    )


def _listed(table, moment):
    """Rows as dicts in the order of their times, `at`, with None where nothing is known."""
    table = table.assign(at=table[moment].dt.as_unit("us").astype("int64"))
    plain = table.drop(columns=moment).astype(object)
    return plain.where(plain.notna(), None).sort_values("at").to_dict("records")


def _mean(values):
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _content(posts):
    """What was put into some posts, and when they were made."""
    return {
        "posts": len(posts),
        "post_volume": math.log1p(len(posts)),
        "hashtag_rate": _mean([one["hashtags"] for one in posts]),
        "link_rate": _mean([one["links"] for one in posts]),
        "media_share": _mean([one["has_media"] for one in posts]),
        "paid_share": _mean([one["is_paid"] for one in posts]),
        "automated_share": _mean([one["is_automated"] for one in posts]),
        "schedule_focus": _schedule_focus([one["at"] for one in posts]),
        "burstiness": _burstiness([one["at"] for one in posts]),
    }


def brute_force_panel(log, posts=None, *, period, gap, horizon):
    """Rows as a list of dicts, from the canonical tables interactions and posts."""
    at = log["created_at"].dt.as_unit("us").astype("int64")
    acts = sorted(
        (time, seq, source, target)
        for time, seq, source, target in zip(
            at, log["seq"], log["source_id"], log["target_id"], strict=True
        )
        if source != target
    )
    made = [] if posts is None else _listed(posts, "created_at")
    moments = [*(act[0] for act in acts), *(one["at"] for one in made)]
    start = min(moments) // DAY * DAY
    end = max(moments)
    between = {}
    for act in acts:
        between.setdefault(frozenset(act[2:]), []).append(act)
    directed = {}
    for act in acts:
        directed.setdefault(act[2:], []).append(act)
    answers = set()
    openers = set()
    for exchange in between.values():
        openers.add(exchange[0])
        for before, act in pairwise(exchange):
            if before[2] != act[2] and act[0] - before[0] <= WEEK:
                answers.add(act)

    def when(act):
        return (act[0] - start) // (period * DAY)

    posted = {}
    for one in made:
        key = one["account_id"], (one["at"] - start) // (period * DAY)
        posted.setdefault(key, []).append(one)
    by_account = {}
    for act in acts:
        for account in act[2:]:
            by_account.setdefault(account, {}).setdefault(when(act), []).append(act)
    for account, t in posted:
        by_account.setdefault(account, {}).setdefault(t, [])

    last = max(t for periods in by_account.values() for t in periods)
    rows = {}
    for account, periods in by_account.items():
        for t in range(last + 1):
            if t in periods and start + (t + 2) * period * DAY + horizon * DAY <= end:
                rows[account, t] = {"account_id": account, "period": t}

    def measure(account, t):
        """The counts of one account and period; zeros where it did nothing."""
        here = by_account[account].get(t, [])
        others = {act[2] if act[3] == account else act[3] for act in here}
        inbound, delays, two_way, changes = 0, [], 0, []
        for other in others:
            exchange = [act for act in here if other in act[2:]]
            theirs = [act for act in exchange if act[2] == other]
            mine = [act for act in exchange if act[2] == account]
            if theirs and mine:
                two_way += 1
                speakers = [act[2] for act in exchange]
                changes.append(sum(a != b for a, b in pairwise(speakers)))
            if theirs:
                inbound += 1
                after = [act for act in mine if act > theirs[0]]
                if after and after[0][0] - theirs[0][0] <= WEEK:
                    delays.append((after[0][0] - theirs[0][0]) / 3.6e9)
        own = [act for act in here if act[2] == account]
        first_toward = [
            acts_toward
            for (_, target), acts_toward in directed.items()
            if target == account and when(acts_toward[0]) == t
        ]
        return {
            "inbound": inbound,
            "answered": len(delays),
            "answer_delay_hours": median(delays) if delays else None,
            "reciprocity": two_way / len(others) if others else None,
            "depth": sum(changes) / len(changes) if changes else 0.0,
            "two_way": two_way,
            "own": own,
            "other": [act for act in own if act not in answers],
            "cold_outreach": sum(act in openers for act in own) / len(own) if own else None,
            "new": first_toward,
        }

    cache = {(account, t): measure(account, t) for account in by_account for t in range(last + 1)}

    def pooled(t):
        earlier = [cache[key] for key in rows if key[1] < t]
        inbound = sum(row["inbound"] for row in earlier)
        return sum(row["answered"] for row in earlier) / inbound if inbound else 0.5

    for (account, t), row in rows.items():
        now = cache[account, t]
        p = pooled(t)
        past = [cache[account, s] for s in (t - 3, t - 2, t - 1) if s >= 0]
        past_inbound = sum(one["inbound"] for one in past)
        past_answered = sum(one["answered"] for one in past)
        tenure = t - min(by_account[account])
        coming = cache[account, t + 1]["new"] if t < last else []
        came_back = [
            toward
            for toward in coming
            if any(gap * DAY <= act[0] - toward[0][0] <= horizon * DAY for act in toward[1:])
        ]
        firsts = [s for s in range(t + 1) if cache[account, s]["own"]]
        recent = [s for s in range(t - 3, t + 1) if firsts and s >= firsts[0]]
        own_times = [act[0] for act in now["own"]]
        row |= {
            "new_audience": len(coming),
            "lasting_audience": len(came_back),
            "inbound": now["inbound"],
            "answered": now["answered"],
            "answer_delay_hours": now["answer_delay_hours"],
            "answering": (now["answered"] + 2 * p) / (now["inbound"] + 2)
            if now["inbound"]
            else None,
            "past_answering": (past_answered + 2 * p) / (past_inbound + 2)
            if past_inbound and tenure >= 3
            else None,
            "reciprocity": now["reciprocity"],
            "depth": now["depth"],
            "persistence": sum(cache[account, s]["two_way"] > 0 for s in recent) / len(recent)
            if recent
            else None,
            "post_volume": math.log1p(len(now["other"])),
            "schedule_focus": _schedule_focus(own_times),
            "burstiness": _burstiness(own_times),
            "cold_outreach": now["cold_outreach"],
            "new_now": len(now["new"]),
            "tenure": tenure,
            "past_inbound": past_inbound,
            "past_acts": sum(len(one["other"]) for one in past),
            "own_acts": len(now["own"]),
        }
        if posts is not None:
            row |= _content(posted.get((account, t), []))
    table = pd.DataFrame(rows.values())
    return table.sort_values(["account_id", "period"], ignore_index=True)


def brute_force_follower_panel(counts, posts=None, *, period, horizon):
    """Rows as a list of dicts, from the canonical tables followers and posts."""
    step = period * DAY

    counts = _listed(counts, "observed_at")
    made = None if posts is None else _listed(posts, "created_at")
    events = [*counts, *(made or [])]
    start = min(event["at"] for event in events) // DAY * DAY
    end = max(event["at"] for event in events)

    def when(event):
        return (event["at"] - start) // step

    def ln_followers(account, moment):
        fresh = [
            one["followers"]
            for one in counts
            if one["account_id"] == account
            and moment - WEEK <= one["at"] < moment
            and one["followers"]
        ]
        return math.log(fresh[-1]) if fresh else None

    def difference(later, now):
        return None if later is None or now is None else later - now

    def posted(account, t):
        return [one for one in made if one["account_id"] == account and when(one) == t]

    def weeks(account, t):
        """Rises of posts_total over the observed weeks that end in t."""
        own = [
            one for one in counts if one["account_id"] == account and one["posts_total"] is not None
        ]
        return [
            after["posts_total"] - before["posts_total"]
            for before, after in pairwise(own)
            if after["at"] - before["at"] <= WEEK
            and after["posts_total"] >= before["posts_total"]
            and when(after) == t
        ]

    rows = []
    for account, t in sorted({(event["account_id"], when(event)) for event in events}):
        if start + (t + 2) * step + horizon * DAY > end:
            continue
        seen = {when(event) for event in events if event["account_id"] == account}
        tenure = t - min(seen)
        now = ln_followers(account, start + (t + 1) * step)
        row = {
            "account_id": account,
            "period": t,
            "tenure": tenure,
            "growth": difference(ln_followers(account, start + (t + 2) * step), now),
            "lasting_growth": difference(
                ln_followers(account, start + (t + 2) * step + horizon * DAY), now
            ),
        }
        if made is None:
            rises = weeks(account, t)
            past = [sum(weeks(account, s)) for s in (t - 3, t - 2, t - 1)]
            row |= {
                "posts": sum(rises) if rises else None,
                "post_volume": math.log1p(sum(rises)) if rises else None,
                "cadence": _mean([rise > 0 for rise in rises]),
                "past_acts": sum(past),
            }
        else:
            own = posted(account, t)
            past = [one for s in (t - 3, t - 2, t - 1) for one in posted(account, s)]
            replies = [one["is_reply"] for one in past]
            row |= {
                **_content(own),
                "reply_share": _mean([one["is_reply"] for one in own]),
                "past_reply_share": sum(replies) / len(replies)
                if replies and tenure >= 3
                else None,
                "past_acts": len(past),
            }
        rows.append(row)
    return pd.DataFrame(rows)
