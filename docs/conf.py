"""Settings of the documentation site; `make docs` builds it."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

from sphinx.util import logging

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

import pages  # noqa: E402

import smo_research as smo  # noqa: E402

pages.make()
vars(smo).update(pages.PUBLIC)

logger = logging.getLogger(__name__)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
project = PROJECT["name"]
version = release = PROJECT["version"]
author = PROJECT["authors"][0]["name"]
language = "en-GB"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["pages.py"]
# Dashes alone.
smartquotes_action = "D"
# Docstrings write code between single backticks.
default_role = "code"
add_module_names = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
napoleon_google_docstring = False
myst_heading_anchors = 3

# The kernels are set up here: that they speak over TCP is no news to who builds the site.
PROFILE = ROOT / "build" / "ipython" / "profile_default"
PROFILE.mkdir(parents=True, exist_ok=True)
(PROFILE / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", "utf-8")
os.environ["IPYTHONDIR"] = str(PROFILE.parent)

# Run once for each state of the sources; nothing that a reader should not see may come of it.
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "notebooks" / pages.sources_hash())
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_output_stderr = "error"
nb_merge_streams = True
# Nothing can move on a page without a kernel: the picture is shown in the widget's place.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
nb_ipywidgets_js = {}

html_theme = "furo"
html_title = PROJECT["name"]
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["tables.css"]


def read_docstring(app, what, name, obj, options, lines):
    """Before the NumPy style is read."""
    lines[:] = pages.readable(lines)


def skip_settings(app, what, name, obj, skip, options):
    """The settings of a pandera schema are none of its columns."""
    return True if name == "Config" else None


def refuse_other_hosts(app, error):
    """A page that needs a network is a warning, and so an error."""
    for page in sorted(Path(app.outdir).rglob("*.html")):
        for address in pages.foreign(page.read_text(encoding="utf-8")):
            logger.warning("%s loads %s", page.relative_to(app.outdir), address)


def setup(app):
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", read_docstring, priority=400)
    app.connect("autodoc-skip-member", skip_settings)
    app.connect("build-finished", refuse_other_hosts)
