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
    "across_windows": "evidence.horizons",
    "against_rewired": "evidence.rewiring",
    "attention_curve": "evidence.attention",
    "carries_over": "evidence.attention",
    "catalog": "datasets.catalog",
    "communities_against_rewired": "evidence.communities",
    "components_over_time": "measures.components",
    "confounders": "evidence.scrutiny",
    "contributions": "evidence.count_contest",
    "dataset": "datasets.catalog",
    "draggable": "report.interactive",
    "dyadic_return": "evidence.dyads",
    "example_folder": "example",
    "fetch": "datasets.fetch",
    "first_contacts": "evidence.returning",
    "follow": "evidence.exposure",
    "forest": "report.plots",
    "graph_measures": "measures.position",
    "growth_rungs": "evidence.rungs",
    "head_to_head": "evidence.head_to_head",
    "inspect_folder": "datasets.folder",
    "interaction_graph": "measures.graph",
    "knobs": "report.controls",
    "lasting_growth": "evidence.lasting",
    "load": "datasets.load",
    "mrqap": "evidence.mrqap",
    "needed": "simulation.planner",
    "panel": "measures.panel",
    "plan": "simulation.planner",
    "planned_power": "report.planner",
    "post_contrasts": "evidence.post_contrasts",
    "post_engagement": "evidence.posts",
    "power": "evidence.power",
    "read_edgelist": "datasets.edgelist",
    "read_folder": "datasets.folder",
    "reproduce": "evidence.published",
    "retention_table": "evidence.retention",
    "return_curve": "report.curves",
    "return_curve_table": "evidence.comeback",
    "return_models": "evidence.return_models",
    "return_when_answered": "evidence.comeback",
    "scenario": "simulation.scenarios",
    "simulate": "simulation.simulated",
    "sliders": "report.controls",
    "snapshot": "evidence.crosssection",
    "snapshot_growth": "evidence.crosssection",
    "sortable": "report.interactive",
    "specification_curve": "evidence.curve",
    "study": "study",
    "team_gains": "evidence.head_to_head",
    "validate": "tables",
}

__all__ = [*_HOMES]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        # Bound, for loading its module binds the module where both have one name.
        globals()[name] = value = getattr(import_module(f"smo_research.{_HOMES[name]}"), name)
        return value
    raise AttributeError(f"module 'smo_research' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
