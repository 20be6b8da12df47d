"""The notebooks: each runs from top to bottom, shows no warning, and reads as one should."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from statistics import median

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_SECONDS = 180
MOST_LINES = 15
MEDIAN_LINES = 4
CELLS_TO_FIRST_FIGURE = 15
LOADED = re.compile(r"""smo\.(?:load|dataset|fetch)\(\s*["']([\w-]+)["']""")
# What a reader should not see in code: installs, paths, silenced warnings, reading by hand.
STRAY = re.compile(
    r"read_(?:csv|parquet|table|json|pickle)\b|sys\.path|(?m:^\s*[!%])|\bpip\s+install|subprocess"
    r"|filterwarnings|simplefilter|catch_warnings|\bos\.environ|\bPath\(|\bopen\("
    r"|[\"'](?:\.{0,2}/|~|[A-Za-z]:\\)|[\"'][\w.-]+(?:/[\w.-]+)+\.\w{2,7}[\"']"
)
# Shares and counts in prose that look computed: 1.20, 12 %, 1,899. Years and 0.1 are not.
COMPUTED = re.compile(r"\d+\.\d{2,}|\d+(?:\.\d+)? ?%|\d{1,3}(?:,\d{3})+")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
CAUSAL = re.compile(r"\bcaus(?:e|es|ed|ing|al)\b", re.IGNORECASE)

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


class OwnKernel(AsyncKernelManager):
    """Runs on the interpreter of the tests, whatever kernels the machine has installed."""

    def __init__(self, **options: object) -> None:
        specs = KernelSpecManager(kernel_dirs=[])
        super().__init__(**options, kernel_spec_manager=specs)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def of_type(notebook: nbformat.NotebookNode, cell_type: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == cell_type]


def lines(cell: nbformat.NotebookNode) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


@pytest.fixture(scope="module")
def executed(real, tmp_path_factory):
    """Give a notebook with its outputs, run once, in an empty folder."""
    done = {}

    def execute(path: Path) -> nbformat.NotebookNode:
        if path not in done:
            notebook = read(path)
            for name in dict.fromkeys(LOADED.findall("\n".join(c.source for c in notebook.cells))):
                real(name)
            folder = tmp_path_factory.mktemp(path.stem)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
                patch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
                patch.delenv("MPLBACKEND", raising=False)
                # Beside other workers a second thread costs more than it gives.
                patch.setenv("OMP_NUM_THREADS", "1")
                patch.setenv("OPENBLAS_NUM_THREADS", "1")
                NotebookClient(
                    notebook,
                    timeout=MOST_SECONDS,
                    kernel_manager_class=OwnKernel,
                    resources={"metadata": {"path": str(folder)}},
                ).execute()
            assert not list(folder.iterdir()), f"{path.name} leaves files behind"
            done[path] = notebook
        return done[path]

    return execute


def shown(notebook: nbformat.NotebookNode) -> str:
    """All text that the outputs show to the reader."""
    texts = []
    for cell in of_type(notebook, "code"):
        for output in cell.outputs:
            texts.append(output.get("text", ""))
            data = output.get("data", {})
            texts += [text for kind, text in data.items() if kind.startswith("text/")]
    return "\n".join(texts)


def test_the_notebooks_are_numbered_from_the_one_to_start_with():
    assert NOTEBOOKS[0].stem == "00_start_here"
    assert [path.stem[:3] for path in NOTEBOOKS] == [
        f"{place:02}_" for place in range(len(NOTEBOOKS))
    ]


@each
@pytest.mark.data
def test_runs_without_a_word_of_warning(path, executed):
    notebook = executed(path)
    outputs = [output for cell in of_type(notebook, "code") for output in cell.outputs]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    assert not re.search(r"\w*Warning\b|Traceback", shown(notebook))


@each
@pytest.mark.data
def test_shows_no_folder_of_this_machine(path, executed):
    assert str(ROOT) not in shown(executed(path))
    assert str(Path.home()) not in shown(executed(path))


@each
@pytest.mark.data
def test_prose_repeats_no_number_that_a_cell_computes(path, executed):
    results = shown(executed(path))
    prose = "\n".join(cell.source for cell in of_type(read(path), "markdown"))
    assert not [number for number in COMPUTED.findall(prose) if number in results]


@pytest.mark.data
def test_the_first_figure_comes_soon(executed):
    notebook = executed(ROOT / "notebooks/00_start_here.ipynb")
    with_figure = [
        place
        for place, cell in enumerate(notebook.cells, 1)
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
    ]
    assert with_figure[0] < CELLS_TO_FIRST_FIGURE


@each
def test_is_stripped_in_git(path):
    notebook = read(path)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell in of_type(notebook, "code"):
        assert cell.outputs == []
        assert cell.execution_count is None
        assert not set(cell.metadata) - {"tags"}


@each
def test_asks_a_question_and_says_what_answers_it(path):
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    title, *rest = first.source.splitlines()
    assert re.fullmatch(r"# .+\?", title)
    for part in ("answer", "data", "limits"):
        assert any(re.search(rf"\*\*.*{part}", line) for line in rest), part


@each
def test_prose_leads_code(path):
    cells = read(path).cells
    led = [
        before.cell_type == "markdown"
        for before, cell in pairwise(cells)
        if cell.cell_type == "code"
    ]
    assert sum(led) >= 0.8 * len(led)


@each
def test_cells_are_short(path):
    lengths = [lines(cell) for cell in of_type(read(path), "code")]
    assert median(lengths) <= MEDIAN_LINES
    assert max(lengths) <= MOST_LINES


@each
def test_code_is_plain(path):
    for cell in of_type(read(path), "code"):
        assert not STRAY.search(cell.source), cell.source


@each
def test_links_lead_somewhere(path):
    links = LINK.findall("\n".join(cell.source for cell in of_type(read(path), "markdown")))
    assert not [link for link in links if not (path.parent / link).is_file()]


@each
def test_prose_claims_no_more_than_association(path):
    for cell in of_type(read(path), "markdown"):
        assert not CAUSAL.search(cell.source), cell.source


@pytest.mark.parametrize(
    "source",
    [
        "pd.read_csv('x')",
        "!pip install x",
        "%pip install x",
        "import sys; sys.path.append('..')",
        "open('/data/x')",
        "smo.load('../data')",
        "smo.load('~/data')",
        "read('data/raw/log.csv')",
        "warnings.filterwarnings('ignore')",
    ],
)
def test_stray_code_is_seen(source):
    assert STRAY.search(source)
