"""The worlds that the tests are calibrated on."""

from __future__ import annotations

from dataclasses import replace

from smo_research.simulation.calibration import Cell
from smo_research.simulation.scenarios import SCENARIOS
from smo_research.simulation.worlds import BOUND, World
from smo_research.tables import Windows

# Enough going on that an effect at the bound can be told from none.
BUSY = World(
    newcomers=3.0,
    retention=0.18,
    turns=0.5,
    habit=0.0,
    steadiness=0.0,
    posts_follow_standing=0.0,
)
# Rows, acts and accounts as in mathoverflow: most accounts are there for a few periods.
LARGE = {
    "accounts": 20_000,
    "periods": 83,
    "windows": Windows(period=28, gap=28, horizon=168),
    "lifetime": 5.0,
    "newcomers": 1.3,
    "retention": 0.13,
}
NOT_SUPPORTED = "inconclusive|negligible"
NULL = SCENARIOS["null"]
TALK, TRICKS, TALENT = (SCENARIOS[name] for name in ("conversation", "tricks", "talent"))
# So faint that a few hundred accounts may miss it.
FAINT_TALK = TALK.turned(answering_on_discovery=0.1, answered_on_return=0.15)
FAINT_TRICKS = TRICKS.turned(tweaks_on_engagement=0.06, tweaks_on_discovery=0.06)


def cells() -> list[Cell]:
    """The whole calibration: nulls first, then power, then what the tests cannot bear."""
    return [
        Cell("null", NULL, ("H1", "H3", "H5", "H7"), 1_000),
        Cell(
            "bound-tweaks",
            BUSY.turned(
                tweaks_on_discovery=BOUND, volume_on_discovery=BOUND, answered_on_return=BOUND
            ),
            ("H2", "H5", "H6"),
            1_000,
        ),
        Cell("bound-answering", EQUAL, ("H3", "H4"), 1_000),
        Cell("equal-strong", EQUAL_STRONG, ("H4",), 1_000),
        Cell("equal-strong-100", EQUAL_STRONG.turned(accounts=100), ("H4",), 1_000),
        Cell("bound-past", BUSY.turned(past_answering_on_retention=BOUND), ("H7",), 1_000),
        Cell("null-100", NULL.turned(accounts=100), ("H3", "H5", "H7"), 1_000),
        Cell("null-30", NULL.turned(accounts=30), ("H1", "H3"), 1_000),
        Cell(
            "null-30-followers",
            NULL.turned(accounts=30, periods=52, posts_show_replies=True),
            ("H3 followers",),
            1_000,
        ),
        Cell("conversation", TALK, ("H3", "H5"), 200),
        Cell("tricks", TRICKS, ("H1", "H2"), 200),
        *(
            Cell(f"talk-{accounts}", FAINT_TALK.turned(accounts=accounts), ("H3", "H5"), 100)
            for accounts in (100, 250, 500)
        ),
        *(
            Cell(f"tricks-{accounts}", FAINT_TRICKS.turned(accounts=accounts), ("H1", "H2"), 100)
            for accounts in (100, 250, 500)
        ),
        Cell("talent", TALENT.turned(accounts=3_000), ("H3 checked",), 100),
        Cell("null-checked", NULL, ("H3 checked",), 100),
        Cell("naive-codings", NULL, ("H5 naive",), 100),
        Cell("keen", NULL.turned(keenness=3.0), ("H5 naive",), 100),
        Cell("steady-tricks", TRICKS.turned(steadiness=0.8), ("H2",), 100),
        Cell(
            "steady-answering", BUSY.turned(habit=0.8, answering_on_retention=BOUND), ("H3",), 100
        ),
        Cell("drawing-answers", TALK.turned(**DRAWING), ("H3", "H7"), 100),
        Cell("large-null", NULL.turned(**LARGE), ("H3", "H5", "H7"), 300),
        Cell("lingering", TALK.turned(**LARGE, **LINGERING), ("H5",), 100),
        *(
            Cell(f"large-{name}", SCENARIOS[name].turned(**LARGE), ("verdicts",), 40, right)
            for name, right in RIGHT.items()
        ),
    ]


# Past answers make contacts stay, in accounts that are there for a few periods.
LINGERING = {"answering_on_discovery": 0.15, "answering_on_retention": 0.05}
DRAWING = {
    "answered_on_return": 0.0,
    "answering_on_discovery": 0.2,
    "outreach": 3.0,
    "turns": 0.78,
}
# Tweaks that contribute as much out of sample as answering does: at the bound, and far above it.
EQUAL = BUSY.turned(answering_on_retention=BOUND, tweaks_on_retention=0.0255)
EQUAL_STRONG = BUSY.turned(answering_on_retention=0.35, tweaks_on_retention=0.077)
RIGHT = {
    "conversation": (
        ("H2 verdict", NOT_SUPPORTED),
        ("H3 verdict", "supported"),
        ("H5 verdict", "supported"),
        ("H7 verdict", NOT_SUPPORTED),
    ),
    "tricks": (
        ("H2 verdict", "contradicted"),
        ("H3 verdict", NOT_SUPPORTED),
        ("H5 verdict", NOT_SUPPORTED),
        ("H7 verdict", NOT_SUPPORTED),
    ),
}


def fewer(worlds: int) -> list[Cell]:
    """The same cells with at most so many worlds each, to see that they run."""
    return [replace(cell, worlds=min(cell.worlds, worlds)) for cell in cells()]
