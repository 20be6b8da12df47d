"""Do technical tweaks or genuine conversation predict lasting audience growth?

The names below are the whole public interface; each is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Result": "evidence.result",
    "Tables": "tables",
    "Windows": "tables",
    "against_rewired": "evidence.rewiring",
    "catalog": "datasets.catalog",
    "dataset": "datasets.catalog",
    "fetch": "datasets.fetch",
    "first_contacts": "evidence.returning",
    "forest": "report.plots",
    "graph_measures": "measures.position",
    "interaction_graph": "measures.graph",
    "lasting_growth": "evidence.lasting",
    "load": "datasets.load",
    "mrqap": "evidence.mrqap",
    "panel": "measures.panel",
    "read_edgelist": "datasets.edgelist",
    "reproduce": "evidence.published",
    "return_curve": "report.curves",
    "return_curve_table": "evidence.comeback",
    "return_models": "evidence.return_models",
    "return_when_answered": "evidence.comeback",
    "specification_curve": "evidence.curve",
    "study": "study",
    "validate": "tables",
}

__all__ = [*_HOMES]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"smo_research.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'smo_research' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
