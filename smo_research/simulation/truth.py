"""The truth of a simulated world: what was planted, and what a test should say of it."""

from __future__ import annotations

import pandas as pd

from smo_research.simulation.worlds import POST_TWEAKS, World

COLUMNS = ["hypothesis", "term", "effect", "discovery", "retention", "per"]


def planted(world: World) -> pd.DataFrame:
    """List the effects planted in a world.

    Parameters
    ----------
    world
        Its knobs.

    Returns
    -------
    pandas.DataFrame
        One row a hypothesis and term: effect (ln ratio per contrast, on lasting newcomers, or on
        what the hypothesis is about), its parts discovery and retention, and the contrast (per).
        Where being answered makes people stay and answering is a habit, those who answer more
        also keep more: that adds to the effect of answering, and is not listed.

    Examples
    --------
    >>> planted(World(answering_on_discovery=0.1)).query("hypothesis == 'H3'").effect.tolist()
    [0.1]
    """
    w = world
    rows: list[tuple[str, str, float, float | None, float | None, str]] = [
        ("H1", "each flag", w.tweaks_on_engagement, None, None, "if so")
    ]
    rows += [
        (
            *("H2", term, w.tweaks_on_discovery + w.tweaks_on_retention),
            *(w.tweaks_on_discovery, w.tweaks_on_retention, "+0.25"),
        )
        for term in POST_TWEAKS
    ]
    rows += [("H2", term, 0.0, 0.0, 0.0, "+0.25") for term in ("schedule_focus", "burstiness")]
    talk = w.answering_on_discovery + w.answering_on_retention
    rows.append(
        ("H3", "answering", talk, w.answering_on_discovery, w.answering_on_retention, "+0.25")
    )
    rows.append(("H5", "answered", w.answered_on_return, None, w.answered_on_return, "if answered"))
    rows.append(
        ("H6", "post_volume", w.volume_on_discovery, w.volume_on_discovery, 0.0, "doubling")
    )
    rows.append(
        (
            *("H6", "volume_times_replies", w.volume_with_answering),
            *(w.volume_with_answering, 0.0, "doubling and +0.25"),
        )
    )
    past = w.past_answering_on_retention
    rows.append(("H7", "past_answering", past, 0.0, past, "+0.25"))
    return pd.DataFrame(rows, columns=COLUMNS)
