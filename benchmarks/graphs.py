"""Graph measures of a million pairs: ours, raw igraph, NetworkX and, where installed, graph-tool.

    python benchmarks/graphs.py [--pairs 1000000] [--minutes 10]

Each tool starts from the same edge table in a process of its own. Values are compared first; then
a Markdown table says how many seconds of one processor each measure takes, building the graph
included, and peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ACCOUNTS_PER_PAIR = 0.2
SOURCES = 8
MEASURES = ["strengths", "reciprocity", "pagerank", "core_number", "clustering"]
MEASURES += ["betweenness", "community", "constraint"]
# Not measured where NetworkX's matrix product could hold more, each 8 + 4 bytes and copied.
MOST_ENTRIES = 300_000_000
# A measure is not repeated after this many seconds.
LONG_ENOUGH = 4


def write_table(path: Path, pairs: int, *, seed: int = 1) -> None:
    """Write a heavy-tailed graph: both ends drawn in proportion to Pareto weights (1.5)."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    n = int(pairs * ACCOUNTS_PER_PAIR)
    weight = np.cumsum(rng.pareto(1.5, n) + 1)
    ends = np.searchsorted(weight / weight[-1], rng.random((2, 2 * pairs)))
    keys = np.unique(ends[0] * n + ends[1])
    keys = rng.permutation(keys[keys // n != keys % n])[:pairs]
    if len(keys) < pairs:
        raise SystemExit(f"{pairs} pairs are too many to draw; only {len(keys)} differ")
    names = pd.Series(np.arange(n)).map("u{}".format)
    table = pd.DataFrame(
        {
            "source_id": names.take(keys // n).to_numpy(),
            "target_id": names.take(keys % n).to_numpy(),
            "weight": rng.geometric(0.5, pairs),
        }
    )
    table.to_parquet(path)


def sources(n: int) -> list[int]:
    """The accounts, in sorted order, that ours draws with seed 1."""
    return np.random.default_rng(1).choice(n, SOURCES, replace=False).tolist()


class Clock:
    """Times a tool measure by measure, and writes down what it has after each."""

    def __init__(self, folder: Path, tool: str, repeats: int) -> None:
        self.folder, self.tool, self.repeats = folder, tool, repeats
        self.seconds: dict[str, float] = {}
        self.skipped: dict[str, str] = {}

    def time(self, name: str, run: Callable[[], object], *, plus: float = 0) -> None:
        taken: list[float] = []
        while len(taken) < self.repeats and sum(taken) < LONG_ENOUGH:
            began = time.process_time()
            value = run()
            taken.append(time.process_time() - began)
        self.seconds[name] = min(taken) + plus
        if isinstance(value, np.ndarray):
            np.save(self.folder / f"{self.tool}-{name}.npy", value)
        self.write()

    def write(self) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        told = {"seconds": self.seconds, "skipped": self.skipped, "peak_gib": peak}
        (self.folder / f"{self.tool}.json").write_text(json.dumps(told))


def run_ours(folder: Path, clock: Clock) -> None:
    import pandas as pd

    from smo_research import graph_measures

    table = pd.read_parquet(folder / "table.parquet")
    strengths = ["in_strength", "out_strength", "in_degree", "out_degree"]

    def measure(*names: str) -> np.ndarray:
        rows = graph_measures(table, measures=names, betweenness_samples=SOURCES)
        return rows[[*names]].to_numpy(dtype=float).squeeze()

    for name in MEASURES:
        names = strengths if name == "strengths" else [name]
        clock.time(name, lambda names=names: measure(*names))
    clock.time("all", lambda: graph_measures(table, betweenness_samples=SOURCES).shape)


def run_igraph(folder: Path, clock: Clock) -> None:
    import random

    import igraph
    import pandas as pd

    table = pd.read_parquet(folder / "table.parquet")

    def build() -> igraph.Graph:
        both = pd.concat([table["source_id"], table["target_id"]], ignore_index=True)
        codes, ids = pd.factorize(both, sort=True)
        ends = codes[: len(table)].tolist(), codes[len(table) :].tolist()
        graph = igraph.Graph(n=len(ids), edges=zip(*ends, strict=True), directed=True)
        graph.es["weight"] = table["weight"].tolist()
        return graph

    def simple(graph: igraph.Graph) -> igraph.Graph:
        return graph.as_undirected(mode="collapse", combine_edges="sum")

    def community(graph: igraph.Graph) -> np.ndarray:
        random.seed(1)
        found = graph.community_leiden("modularity", weights="weight", n_iterations=2)
        return np.array(found.membership)

    def betweenness(graph: igraph.Graph) -> np.ndarray:
        n, drawn = graph.vcount(), sources(graph.vcount())
        followed = np.full(n, SOURCES)
        followed[drawn] -= 1
        return np.array(graph.betweenness(sources=drawn)) / (followed * (n - 2))

    def strengths(graph: igraph.Graph) -> np.ndarray:
        found = [graph.strength(mode=mode, weights="weight") for mode in ("in", "out")]
        found += [graph.degree(mode=mode) for mode in ("in", "out")]
        return np.array(found, dtype=float).T

    directed: dict[str, Callable[[igraph.Graph], np.ndarray]] = {
        "strengths": strengths,
        "pagerank": lambda graph: np.array(graph.pagerank(damping=0.85, weights="weight")),
        "betweenness": betweenness,
        "constraint": lambda graph: np.array(graph.constraint(weights="weight")),
    }
    undirected: dict[str, Callable[[igraph.Graph], np.ndarray]] = {
        "core_number": lambda graph: np.array(graph.coreness()),
        "clustering": lambda graph: np.array(graph.transitivity_local_undirected(mode="zero")),
        "community": community,
    }

    def everything() -> None:
        graph = build()
        other = simple(graph)
        for run in directed.values():
            run(graph)
        for run in undirected.values():
            run(other)

    for name, run in directed.items():
        clock.time(name, lambda run=run: run(build()))
    for name, run in undirected.items():
        clock.time(name, lambda run=run: run(simple(build())))
    clock.skipped["reciprocity"] = "igraph has none for each account"
    clock.time("all", everything)


def run_networkx(folder: Path, clock: Clock) -> None:
    import random

    import networkx as nx
    import pandas as pd

    table = pd.read_parquet(folder / "table.parquet")
    degree = pd.concat([table["source_id"], table["target_id"]]).value_counts()
    began = time.process_time()
    graph = nx.from_pandas_edgelist(
        table, "source_id", "target_id", edge_attr="weight", create_using=nx.DiGraph
    )
    built = time.process_time() - began
    began = time.process_time()
    simple = nx.Graph()
    for source, target, weight in graph.edges(data="weight"):
        before = simple.get_edge_data(source, target, {"weight": 0})["weight"]
        simple.add_edge(source, target, weight=before + weight)
    built_simple = built + time.process_time() - began
    accounts = sorted(graph)

    class Drawn(random.Random):
        def sample(self, population, k):  # type: ignore[no-untyped-def]
            return [accounts[place] for place in sources(len(accounts))]

    def in_order(values: dict[str, float]) -> np.ndarray:
        return np.array([values[account] for account in accounts], dtype=float)

    def strengths() -> np.ndarray:
        found = [graph.in_degree(weight="weight"), graph.out_degree(weight="weight")]
        found += [graph.in_degree(), graph.out_degree()]
        return np.column_stack([in_order(dict(one)) for one in found])

    def community() -> np.ndarray:
        found = nx.community.louvain_communities(simple, seed=1)
        return in_order({account: i for i, group in enumerate(found) for account in group})

    def pagerank() -> np.ndarray:
        options = {"alpha": 0.85, "weight": "weight", "max_iter": 1000}
        return in_order(nx.pagerank(graph, tol=1e-10 / len(graph), **options))

    def betweenness() -> np.ndarray:
        return in_order(nx.betweenness_centrality(graph, k=SOURCES, seed=Drawn()))

    clock.time("strengths", strengths, plus=built)
    clock.time("reciprocity", lambda: in_order(nx.reciprocity(graph, accounts)), plus=built)
    clock.time("pagerank", pagerank, plus=built)
    clock.time("core_number", lambda: in_order(nx.core_number(simple)), plus=built_simple)
    if (degree.astype(float) ** 2).sum() <= MOST_ENTRIES:
        clock.time(
            "constraint", lambda: in_order(nx.constraint(graph, weight="weight")), plus=built
        )
    else:
        clock.skipped["constraint"] = "its matrix product may hold too many entries"
    clock.write()
    clock.time("betweenness", betweenness, plus=built)
    clock.time("clustering", lambda: in_order(nx.clustering(simple)), plus=built_simple)
    clock.time("community", community, plus=built_simple)


# Runs under the system's Python, so it reads numbers of accounts and imports nothing of ours.
GRAPH_TOOL = """
import json, resource, sys, time
import numpy as np
import graph_tool as gt
from graph_tool.centrality import pagerank
from graph_tool.clustering import local_clustering
from graph_tool.stats import remove_parallel_edges
from graph_tool.topology import kcore_decomposition
folder, built = sys.argv[1], time.process_time()
rows = np.load(folder + "/codes.npy")
graph = gt.Graph(directed=True)
graph.add_edge_list(rows[:, :2])
weight = graph.new_edge_property("double", vals=rows[:, 2])
built = time.process_time() - built
simple = gt.Graph(graph)
simple.set_directed(False)
remove_parallel_edges(simple)
runs = {
    "pagerank": lambda: pagerank(graph, damping=0.85, weight=weight, epsilon=1e-12),
    "core_number": lambda: kcore_decomposition(simple),
    "clustering": lambda: local_clustering(simple),
}
seconds = {}
for name, run in runs.items():
    began = time.process_time()
    values = run().a
    seconds[name] = built + time.process_time() - began
    np.save(f"{folder}/graph-tool-{name}.npy", np.array(values, dtype=float))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
with open(folder + "/graph-tool.json", "w") as out:
    json.dump({"seconds": seconds, "skipped": {}, "peak_gib": peak}, out)
"""


def run_graph_tool(folder: Path, python: str, seconds: float) -> None:
    import pandas as pd

    probe = subprocess.run([python, "-c", "import graph_tool"], capture_output=True, check=False)
    if probe.returncode:
        print(f"graph-tool: skipped, {python} cannot import it")
        return
    table = pd.read_parquet(folder / "table.parquet")
    codes, _ = pd.factorize(pd.concat([table["source_id"], table["target_id"]]), sort=True)
    np.save(
        folder / "codes.npy",
        np.column_stack((codes[: len(table)], codes[len(table) :], table["weight"])),
    )
    subprocess.run([python, "-c", GRAPH_TOOL, str(folder)], timeout=seconds, check=True)


RUNS = {"ours": (run_ours, 3), "igraph": (run_igraph, 3), "networkx": (run_networkx, 1)}


def compare(folder: Path, tools: list[str]) -> None:
    """Stop when a tool has another value; communities are compared by their number only."""
    for name in MEASURES:
        if name == "community":
            continue
        ours = folder / f"ours-{name}.npy"
        for tool in tools:
            path = folder / f"{tool}-{name}.npy"
            if ours.is_file() and path.is_file():
                difference = np.abs(np.load(path) - np.load(ours)).max()
                if not difference < 1e-8:
                    raise SystemExit(f"{name}: {tool} differs by {difference:.2g}")
                print(f"{name}: {tool} differs by at most {difference:.1g}")


def modularities(folder: Path, tools: list[str]) -> None:
    import igraph
    import pandas as pd

    table = pd.read_parquet(folder / "table.parquet")
    codes, ids = pd.factorize(pd.concat([table["source_id"], table["target_id"]]), sort=True)
    ends = codes[: len(table)].tolist(), codes[len(table) :].tolist()
    graph = igraph.Graph(n=len(ids), edges=zip(*ends, strict=True))
    for tool in tools:
        path = folder / f"{tool}-community.npy"
        if path.is_file():
            member = np.load(path).astype(int).tolist()
            quality = graph.modularity(member, weights=table["weight"].tolist())
            print(f"community: modularity {quality:.4f} by {tool}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=10, help="at most, for each tool")
    parser.add_argument("--system-python", default="/usr/bin/python3", help="that has graph-tool")
    parser.add_argument("--tool", choices=RUNS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.tool:
        run, repeats = RUNS[asked.tool]
        run(asked.folder, Clock(asked.folder, asked.tool, repeats))
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_table(folder / "table.parquet", asked.pairs)
        for tool in RUNS:
            command = [sys.executable, __file__, "--tool", tool, "--folder", place]
            try:
                subprocess.run(command, timeout=60 * asked.minutes, check=True)
            except subprocess.TimeoutExpired:
                print(f"{tool}: stopped after {asked.minutes:g} minutes")
        run_graph_tool(folder, asked.system_python, 60 * asked.minutes)
        tools = [tool for tool in (*RUNS, "graph-tool") if (folder / f"{tool}.json").is_file()]
        compare(folder, tools[1:])
        modularities(folder, tools)
        print_table({tool: json.loads((folder / f"{tool}.json").read_text()) for tool in tools})


def print_table(told: dict[str, dict]) -> None:
    def cell(tool: str, name: str) -> str:
        seconds = told.get(tool, {}).get("seconds", {}).get(name)
        return f"{seconds:.2f}" if seconds is not None else "-"

    def ratio(above: str, below: str, name: str) -> str:
        values = [told.get(tool, {}).get("seconds", {}).get(name) for tool in (above, below)]
        return f"{values[0] / values[1]:.2f}" if None not in values else "-"

    print("\n| seconds | ours | igraph | NetworkX | graph-tool | ours / igraph | NetworkX / ours |")
    print("|---|---|---|---|---|---|---|")
    for name in [*MEASURES, "all"]:
        times = [cell(tool, name) for tool in ("ours", "igraph", "networkx", "graph-tool")]
        ratios = [ratio("ours", "igraph", name), ratio("networkx", "ours", name)]
        print("|", " | ".join([name, *times, *ratios]), "|")
    peaks = [
        f"{told[tool]['peak_gib']:.2f}" if tool in told else "-"
        for tool in ("ours", "igraph", "networkx", "graph-tool")
    ]
    print("|", " | ".join(["peak memory, GiB", *peaks, "", ""]), "|")
    for tool, one in told.items():
        for name, reason in one["skipped"].items():
            print(f"\n{name} by {tool}: skipped, {reason}")


if __name__ == "__main__":
    main()
