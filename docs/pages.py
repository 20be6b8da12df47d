"""The pages that are not written by hand: copies of the project's own, the API, the hypotheses.

They go into one folder beside this file, which git ignores, laid out like the project, so that
the links between the pages hold in both places.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import re
from collections.abc import Iterable
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import smo_research as smo
from smo_research.evidence.hypotheses import contrast, hypotheses, rule

ROOT = Path(__file__).parents[1]
MADE = Path(__file__).parent / "made"
# Found where each is at home: the module `smo_research.study` hides the function of that name.
PUBLIC = {
    name: getattr(import_module(f"smo_research.{home}"), name) for name, home in smo._HOMES.items()
}
COPIED = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", "figures/*.*")
NOTEBOOKS = "notebooks/*.ipynb"

# What a reader of the public interface looks for, and the rooms of the house that have it.
SHELVES = {
    "Data": ("datasets", "tables"),
    "Measures": ("measures",),
    "Evidence": ("evidence",),
    "Figures and what moves": ("report",),
    "Simulated worlds": ("simulation", "example"),
    "The study": ("study",),
}

# The modules behind it that repay reading, in the order of the flow.
WORTH_READING = {
    "Tables and data": (
        "tables",
        "errors",
        "datasets.catalog",
        "datasets.fetch",
        "datasets.load",
        "datasets.edgelist",
        "datasets.own",
    ),
    "Measures": (
        "measures.tweaks",
        "measures.conversation",
        "measures.growth",
        "measures.outreach",
        "measures.posting",
        "measures.graph",
        "measures.position",
        "measures.panel",
    ),
    "Evidence": (
        "evidence.hypotheses",
        "evidence.result",
        "evidence.effects",
        "evidence.samples",
        "evidence.models",
        "evidence.lasting",
        "evidence.returning",
        "evidence.count_contest",
        "evidence.presence",
        "evidence.posts",
        "evidence.mrqap",
        "evidence.robustness",
        "evidence.curve",
        "evidence.sensitivity",
        "evidence.synthesis",
        "evidence.verdicts",
    ),
    "Simulation": (
        "simulation.scenarios",
        "simulation.worlds",
        "simulation.simulated",
        "simulation.economy",
        "simulation.truth",
        "simulation.calibration",
    ),
    "Report": (
        "report.style",
        "report.plots",
        "report.curves",
        "report.networks",
        "report.interactive",
        "report.controls",
        "report.figures",
        "report.page",
    ),
}


def make() -> None:
    """Write every page that has changed, and remove those that are not made any more."""
    pages = {"hypotheses.md": hypotheses_page(), "api.md": api_page()}
    pages |= {f"api/{slug(title)}.md": shelf_page(title) for title in SHELVES}
    pages |= {f"modules/{slug(title)}.md": modules_page(title) for title in WORTH_READING}
    written = {MADE / name: text.encode("utf-8") for name, text in pages.items()}
    for pattern in (*COPIED, NOTEBOOKS):
        for path in sorted(ROOT.glob(pattern)):
            written[MADE / path.relative_to(ROOT)] = path.read_bytes()
    for path, content in written.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path in MADE.rglob("*"):
        if path.is_file() and path not in written:
            path.unlink()


def sources_hash() -> str:
    """Of all that a notebook's outputs rest on but the data, whose hashes are in the sources."""
    files = [ROOT / "pyproject.toml", *sorted((ROOT / "smo_research").rglob("*.*"))]
    read = (path for path in files if path.suffix in {".py", ".toml"})
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in read)).hexdigest()[:16]


def hypotheses_page() -> str:
    """The table of hypotheses, from the file that is hashed into every result."""
    numbers = rule()
    lines = [
        "# The hypotheses",
        "",
        "An essay on social media optimization claims that tricks push up counters, but that only",
        "talking with people builds an audience that lasts. Each claim became a hypothesis that",
        "public data can contradict.",
        "",
        "| id | the essay says | as tested |",
        "|---|---|---|",
        *(f"| {one.id} | {one.claim} | {one.test} |" for one in hypotheses().values()),
        "",
        "## What each test tries to reject, and where",
        "",
        "The p-values of a hypothesis are adjusted (Holm) over the data sets named here, whether",
        "they were run or not. For all other data sets the answer is `untestable`, and no number.",
        "",
        "| id | null hypothesis | predictors that decide | data sets |",
        "|---|---|---|---|",
        *(
            f"| {one.id} | {one.null} | {listed(map(code, one.terms)) or 'see the test'} "
            f"| {listed(one.family)} |"
            for one in hypotheses().values()
        ),
        "",
        "## Contrasts",
        "",
        "An effect compares two values of its predictor that lie this far apart. So that bounds",
        f"mean the same everywhere: ratios of {numbers.smallest_ratio:.2f} to "
        f"{1 / numbers.smallest_ratio:.2f} per contrast are too small",
        f"to matter, and so are {numbers.smallest_sd:.2f} standard deviations of follower growth.",
        "",
        "| predictor | contrast |",
        "|---|---|",
        *(
            f"| {code(term)} | {step(contrast(term))} |"
            for term in dict.fromkeys(term for one in hypotheses().values() for term in one.terms)
        ),
        "",
    ]
    return "\n".join(lines)


def api_page() -> str:
    """Every public name with its first sentence."""
    lines = [
        "# The public interface",
        "",
        "`import smo_research as smo` gives these names and no others. Each is imported when it is",
        "first used.",
        "",
    ]
    for title in SHELVES:
        rows = [f"| [`{name}`](#smo_research.{name}) | {summary(name)} |" for name in shelf(title)]
        lines += [f"## {title}", "", "| name | what it does |", "|---|---|", *rows, ""]
    lines += ["```{toctree}", ":hidden:", ""]
    lines += [f"api/{slug(title)}" for title in SHELVES]
    return "\n".join([*lines, "```", ""])


def shelf_page(title: str) -> str:
    """The public names of a shelf in full."""
    blocks = []
    for name in shelf(title):
        is_class = inspect.isclass(PUBLIC[name])
        kind, options = ("class", ["   :members:"]) if is_class else ("function", [])
        blocks.append(eval_rst([f".. auto{kind}:: smo_research.{name}", *options]))
    return "\n".join([f"# {title}", "", *blocks])


def modules_page(title: str) -> str:
    """The modules of a part of the flow, with what they define beside the public names."""
    blocks = []
    for module in WORTH_READING[title]:
        public = [name for name, home in smo._HOMES.items() if home == module]
        links = listed(f"[`smo.{name}`](#smo_research.{name})" for name in public)
        options = ["   :members:", *([f"   :exclude-members: {listed(public)}"] if public else [])]
        blocks += [f"## {module}", ""]
        blocks += [f"In the public interface: {links}.", ""] if public else []
        blocks += [eval_rst([f".. automodule:: smo_research.{module}", *options])]
    return "\n".join([f"# {title}", "", *blocks])


def shelf(title: str) -> list[str]:
    """The public names that are at home in the rooms of a shelf, in order."""
    rooms = SHELVES[title]
    return sorted(name for name, home in smo._HOMES.items() if home.split(".")[0] in rooms)


def summary(name: str) -> str:
    """The first paragraph of a docstring, fit for a cell of a table."""
    first = (inspect.getdoc(PUBLIC[name]) or "").split("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


def readable(lines: list[str]) -> list[str]:
    """A docstring as Sphinx should read it.

    A section "Returns" of prose alone gets an empty type, since NumPy's style would take each
    line for one; signs that reStructuredText gives a meaning of their own are kept as they are.

    Examples
    --------
    >>> readable(["Returns", "-------", "One row", "an account."])
    ['Returns', '-------', ':', '    One row', '    an account.']
    """
    kept = [_escaped(line) for line in lines]
    for place in range(len(kept) - 1):
        if kept[place].strip() == "Returns" and set(kept[place + 1].strip()) == {"-"}:
            body = list(takewhile(str.strip, kept[place + 2 :]))
            if not any(line.startswith(" ") for line in body):
                prose = [":", *(f"    {line}" for line in body)]
                return [*kept[: place + 2], *prose, *kept[place + 2 + len(body) :]]
    return kept


def _escaped(line: str) -> str:
    """Outside code, a bar is a bar and a name that ends in `_` refers to nothing."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    pieces = line.split("`")
    pieces[::2] = [re.sub(r"\||(?<=\w)_(?!\w)", r"\\\g<0>", piece) for piece in pieces[::2]]
    return "`".join(pieces)


def foreign(html: str) -> list[str]:
    """What a page would load from another host, and so lack where there is no network."""
    tags = r"<(?:script|img|iframe|source|video|link)\b[^>]*?\b(?:src|href)="
    calls = r"\bimport\b[^;\"'\n]*|@import\s+(?:url\()?|\burl\("
    address = r"[\"']?(?:https?:)?(//[^\"'\s>)]+)"
    return re.findall(f"(?:{tags}|{calls}){address}", html)


def eval_rst(lines: list[str]) -> str:
    """Lines of reStructuredText, in a page of Markdown."""
    return "\n".join(["```{eval-rst}", *lines, "```", ""])


def listed(words: Iterable[str]) -> str:
    """Words with commas between them."""
    return ", ".join(words)


def code(word: str) -> str:
    """A word as code."""
    return f"`{word}`"


def step(size: float) -> str:
    """A contrast in words."""
    if math.isclose(size, math.log(2)):
        return "a doubling"
    return "no to yes" if size == 1 else f"+{size:.2f}"


def slug(title: str) -> str:
    """A title as the name of a file."""
    return re.sub(r"\W+", "-", title.lower())
