"""An example of a table of one's own, made by the simulator, to see how it is brought in."""

from __future__ import annotations

from pathlib import Path

from smo_research.output import beside, place
from smo_research.simulation.scenarios import scenario
from smo_research.simulation.simulated import simulate

ACCOUNTS, PERIODS = 120, 30
COLUMNS = {"source_id": "From", "target_id": "To", "created_at": "Sent"}
SETTINGS = """\
# What these files are. Every line is optional but the columns of a table that is not canonical.
name = "letters"
title = "Letters of a simulated village"

# People's ids become a1, a2 and so on; "public" keeps those of organisations and public figures.
ids = "people"

# In days: how long a period is, when a newcomer must be back at the earliest, and at the latest.
[windows]
period = 7
gap = 7
horizon = 42
from_launch = true

[table.interactions]
file = "letters.csv"
separator = ";"

# The name here, and the name in the file. Columns that are not named are not read.
[table.interactions.columns]
source_id = "From"
target_id = "To"
created_at = "Sent"

# The same in every row.
[table.interactions.values]
kind = "message"
"""


def example_folder(folder: str | Path, *, seed: int = 1) -> Path:
    """Write a CSV that is not in canonical form, and the smo.toml that says what it is.

    Parameters
    ----------
    folder
        Where to; it is made if need be.
    seed
        Of the simulated village; in it, answering brings and keeps newcomers.

    Returns
    -------
    pathlib.Path
        The folder, for `read_folder` and `smo study --data`.

    Examples
    --------
    >>> import tempfile
    >>> sorted(path.name for path in example_folder(tempfile.mkdtemp()).iterdir())
    ['accounts.csv', 'letters.csv', 'smo.toml']
    """
    folder = Path(folder)
    village = scenario("conversation").turned(accounts=ACCOUNTS, periods=PERIODS, turns=0.3)
    world = simulate(village, seed=seed)
    letters = world.interactions[[*COLUMNS]].rename(columns=COLUMNS)
    letters["Text"] = "(what was written)"
    # Whom the study is about; a table with canonical names needs no line in smo.toml.
    accounts = world.accounts.assign(platform="letters")
    with beside(folder) as part:
        letters.to_csv(part / "letters.csv", sep=";", index=False)
        accounts.to_csv(part / "accounts.csv", index=False)
        (part / "smo.toml").write_text(SETTINGS, encoding="utf-8")
        place(part, folder)
    return folder
