"""Start JupyterLab on these notebooks with the data beside them; no network is needed.

python start.py         opens the notebooks
python start.py check   reads every data set that is here, and runs a small world
python start.py fetch   downloads the data sets that may not be passed on (needs a network)
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def check() -> None:
    """Read what is here, as the notebooks will."""
    import smo_research as smo

    for folder in sorted((HERE / "data" / "raw").glob("*")):
        smo.load(folder.name)
        print(f"{folder.name}: can be read")
    world = smo.simulate(smo.scenario("workshop").turned(accounts=20, periods=12), seed=1)
    print(f"a small world: {len(world.interactions):,} acts")
    print("All is well.")


def fetch() -> int:
    """Download what is not here; what cannot be had is named at the end."""
    import smo_research as smo

    here = {folder.name for folder in (HERE / "data" / "raw").glob("*")}
    missing = [name for name in smo.catalog() if name not in here]
    command = [sys.executable, "-c", "from smo_research.cli import main; main()", "fetch"]
    return subprocess.run([*command, *missing], check=False).returncode


def main() -> int:
    """Do what was asked for."""
    os.environ["SMO_CACHE"] = str(HERE / "data")
    asked = sys.argv[1] if len(sys.argv) > 1 else "open"
    if asked == "check":
        check()
        return 0
    if asked == "fetch":
        return fetch()
    if asked != "open":
        print(__doc__, file=sys.stderr)
        return 2
    lab = [sys.executable, "-m", "jupyterlab", str(HERE / "notebooks")]
    return subprocess.run(lab, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
