"""Each notebook once in a real JupyterLab: cells run, a slider moves its figure, a graph is drawn.

Each is run to its end. What one would see is put into `build/screenshots`, for people to look at.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import requests
from PIL import Image

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SCREENSHOTS = ROOT / "build" / "screenshots"
SCREEN = {"width": 1400, "height": 1000}
# Of a busy machine: as much as the tests of notebooks give one cell.
SECONDS = 180
LOADED = re.compile(r"""smo\.(?:load|dataset)\(\s*["']([\w-]+)["']""")
SLIDERS = re.compile(r"\bsmo\.(?:sliders|knobs)\(|\bipywidgets\b")
GRAPH = "smo.draggable("
TABLE = "smo.sortable("
# No card for WebGL on a server: Chromium draws it in software.
CHROMIUM_OPTIONS = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-proxy-server"]


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return os.environ.get("SMO_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def lacking() -> str:
    """What a browser test lacks on this machine, with how to get it; empty where nothing is."""
    lacks = []
    if importlib.util.find_spec("playwright") is None:
        lacks.append("Playwright (`pip install -e '.[browser]'`)")
    if chromium() is None:
        lacks.append("Chromium (`apt-get install chromium`, or its path in SMO_CHROMIUM)")
    return " and ".join(lacks)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    if lacks := lacking():
        if os.environ.get("SMO_BROWSER") == "required":
            pytest.fail(f"SMO_BROWSER=required, but this machine lacks {lacks}")
        pytest.skip(f"opening the notebooks in a browser needs {lacks}")
    from playwright.sync_api import sync_playwright

    # Chromium refuses to sandbox itself when it is run by root, as in a container.
    sandbox = not hasattr(os, "geteuid") or os.geteuid() != 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=CHROMIUM_OPTIONS, chromium_sandbox=sandbox
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A JupyterLab with nobody's settings, whose kernel is the interpreter of the tests."""
    tmp_path = tmp_path_factory.mktemp("lab")
    served = tmp_path / "notebooks"
    served.mkdir()
    config = tmp_path / "config"
    (config / "labconfig").mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (config / "labconfig" / "default_setting_overrides.json").write_text(
        json.dumps({"@jupyterlab/apputils-extension:notification": quiet}), encoding="utf-8"
    )
    (config / "jupyter_server_config.json").write_text(
        json.dumps({"KernelSpecManager": {"kernel_dirs": []}}), encoding="utf-8"
    )
    port = free_port()
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={served}",
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True",
    ]
    own = {
        "JUPYTER_CONFIG_DIR": config,
        "JUPYTER_DATA_DIR": tmp_path / "data",
        "JUPYTER_RUNTIME_DIR": tmp_path / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": tmp_path / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": tmp_path / "workspaces",
        "IPYTHONDIR": tmp_path / "ipython",
    }
    environment = os.environ | {name: str(folder) for name, folder in own.items()}
    environment.pop("MPLBACKEND", None)
    log = tmp_path / "jupyterlab.log"
    url = f"http://127.0.0.1:{port}"
    with log.open("w", encoding="utf-8") as lines:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=tmp_path,
            env=environment,
            stdout=lines,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: answers(url), f"JupyterLab does not answer; see {log}")
        yield url, served
    finally:
        server.terminate()
        server.wait(timeout=60)


def answers(url: str) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{url}/api/status", timeout=10).ok
    except requests.ConnectionError:
        return False


def until(true: Callable[[], bool], complaint: str, *, seconds: float = SECONDS) -> None:
    last = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < last, complaint
        time.sleep(0.25)


def source(path: Path) -> str:
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def opened(chrome: Any, url: str, name: str) -> Any:
    """The page of a notebook whose kernel is ready; nothing but the server may be asked."""
    page = chrome.new_context(viewport=SCREEN).new_page()
    page.route(lambda address: not address.startswith((url, "data:", "blob:")), refuse)
    page.set_default_timeout(SECONDS * 1000)
    # A workspace of its own, in which the notebooks opened before are no tabs.
    page.goto(f"{url}/lab/workspaces/{Path(name).stem}/tree/{name}")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.evaluate(
        """async () => {
            await jupyterapp.restored;
            const panel = jupyterapp.shell.currentWidget;
            await panel.sessionContext.ready;
            await panel.sessionContext.session.kernel.info;
        }"""
    )
    return page


def refuse(route: Any) -> None:
    route.abort()


def run(page: Any) -> list[dict[str, Any]]:
    """Run a notebook; give back its cells of code."""
    ran = page.evaluate(
        """async seconds => {
            const app = window.jupyterapp;
            const late = new Promise((_, fail) => setTimeout(
                () => fail(new Error('the cells take too long')), seconds * 1000));
            await Promise.race([app.commands.execute('notebook:run-all-cells'), late]);
            const notebook = app.shell.currentWidget.content;
            return notebook.model.sharedModel.cells.map(cell => cell.toJSON());
        }""",
        4 * SECONDS,
    )
    return [cell for cell in ran if cell["cell_type"] == "code"]


def screenshots(page: Any, name: str) -> int:
    """Save what one sees while scrolling from the top to the end; give how many screens that is."""
    scroller = page.locator(".jp-WindowedPanel-outer").first
    scroller.evaluate("one => one.scrollTo(0, 0)")
    for number in range(1, 100):
        page.wait_for_function(
            """one => {
                const frame = one.getBoundingClientRect();
                return [...one.querySelectorAll('.jp-Cell')].some(cell => {
                    const { top, bottom } = cell.getBoundingClientRect();
                    return bottom > frame.top + 20 && top < frame.bottom - 20;
                });
            }""",
            arg=scroller.element_handle(),
        )
        page.wait_for_timeout(300)
        page.screenshot(path=SCREENSHOTS / f"{name}-{number:02}.png")
        at_end = scroller.evaluate(
            """one => {
                const before = one.scrollTop;
                const end = jupyterapp.shell.currentWidget.content.widgets.at(-1).node;
                const below = end.isConnected ? end.getBoundingClientRect().bottom
                    - one.getBoundingClientRect().bottom : 1;
                one.scrollBy(0, one.clientHeight - 40);
                return below < 0 || one.scrollTop === before;
            }"""
        )
        if at_end:
            return number
    raise AssertionError(f"{name} has no end")


def pixels(locator: Any) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"), dtype=int)


def coloured(picture: np.ndarray) -> float:
    """The share of pixels that are neither grey, nor white, nor black."""
    return float((np.ptp(picture, axis=2) > 60).mean())


def moves_its_figure(page: Any) -> None:
    """Push each widget's sliders by a step, until its picture is another one."""
    controls = page.locator(".jp-OutputArea-output .widget-vbox", has=page.locator(".widget-image"))
    controls.first.wait_for()
    for place in range(controls.count()):
        one = controls.nth(place)
        one.scroll_into_view_if_needed()
        figure = one.locator("img.widget-image")
        assert slides(page, figure, one.locator(".noUi-handle")), "no slider moves the figure"


def slides(page: Any, figure: Any, handles: Any) -> bool:
    before = shown(figure)
    for handle in handles.all():
        handle.press("ArrowRight")
        drawn(page)
        if shown(figure) != before:
            return True
    return False


def drawn(page: Any) -> None:
    """Wait until the kernel has done what a slider asked of it."""
    page.wait_for_timeout(1000)
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
    )
    page.wait_for_timeout(500)


def shown(figure: Any) -> str:
    """The picture itself: its address is a new one with each redraw, changed or not."""
    return figure.evaluate(
        """async one => {
            const bytes = new Uint8Array(await (await fetch(one.src)).arrayBuffer());
            return Array.from(bytes, byte => String.fromCharCode(byte)).join('');
        }"""
    )


def draws_its_graph(page: Any) -> None:
    """Nodes have colours, labels do not: without WebGL there would be labels alone."""
    graph = page.locator(".ipysigma-widget").first
    graph.wait_for()
    graph.scroll_into_view_if_needed()
    # The legend, which has the same colours, covers the right.
    left = slice(SCREEN["width"] // 3)
    until(lambda: coloured(pixels(graph)[:, left]) > 0.002, "the graph is not drawn")
    page.wait_for_timeout(1000)
    before = pixels(graph)
    box = graph.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 120, middle[1] + 60, steps=6)
    page.mouse.up()
    until(lambda: bool((pixels(graph) != before).any()), "the graph cannot be dragged")


def sorts_its_table(page: Any) -> None:
    """A click on a column's name puts the rows into its order, another one turns it around."""
    table = page.locator(".dt-container").first
    table.wait_for()
    table.scroll_into_view_if_needed()
    column = table.locator("tbody td:first-child")
    until(lambda: bool(column.all_inner_texts()), "the table is empty")
    seen: list[list[str]] = []

    def sorted_anew(turned: bool) -> bool:
        cells = column.all_inner_texts()
        return in_order(cells, turned=turned) and cells not in seen

    for turned in (False, True):
        table.locator("thead th .dt-column-title").first.click()
        until(partial(sorted_anew, turned), "the table does not sort", seconds=10)
        seen.append(column.all_inner_texts())


def in_order(cells: list[str], *, turned: bool) -> bool:
    """Whether cells rise from first to last, or fall; numbers by their size."""
    try:
        values: list[Any] = [float(cell) for cell in cells]
    except ValueError:
        values = list(cells)
    return bool(values) and values == sorted(values, reverse=turned)


@pytest.mark.browser
@pytest.mark.data
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_opens_and_runs_in_jupyterlab(path, chrome, lab, real):
    url, served = lab
    written = source(path)
    for name in dict.fromkeys(LOADED.findall(written)):
        real(name)
    shutil.copy(path, served)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    checks = {
        moves_its_figure: bool(SLIDERS.search(written)),
        draws_its_graph: GRAPH in written,
        sorts_its_table: TABLE in written,
    }

    page = opened(chrome, url, path.name)
    cells = run(page)
    assert cells and all(cell["execution_count"] for cell in cells)
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert outputs
    assert not [one for one in outputs if one["output_type"] == "error"]
    assert not [one["text"] for one in outputs if one.get("name") == "stderr"]
    screenshots(page, path.stem)
    for check, wanted in checks.items():
        if wanted:
            check(page)
            page.screenshot(path=SCREENSHOTS / f"{path.stem}-{check.__name__}.png")
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.context.close()


def test_the_colour_of_a_picture():
    grey = np.full((2, 2, 3), 200)
    assert coloured(grey) == 0
    assert coloured(np.stack([grey[0], [[200, 0, 0], [0, 0, 0]]])) == 0.25


def test_the_order_of_cells():
    assert in_order(["2", "10"], turned=False)
    assert in_order(["b", "a"], turned=True)
    assert not in_order(["10", "2"], turned=False)
    assert not in_order([], turned=False)
