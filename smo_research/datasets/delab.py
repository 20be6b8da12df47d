"""Reader of the delab-trees samples: reply trees as a pickled table, without text."""

from __future__ import annotations

import datetime
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smo_research.datasets.pseudonyms import pseudonyms
from smo_research.errors import DataError
from smo_research.tables import Tables

COLUMNS = ["tree_id", "post_id", "parent_id", "author_id", "created_at", "platform"]
ALLOWED = {
    ("builtins", "slice"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
    ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"),
    ("pandas._libs.internals", "_unpickle_block"),
    ("pandas.core.arrays.datetimes", "DatetimeArray"),
    ("pandas.core.dtypes.dtypes", "DatetimeTZDtype"),
    ("pandas.core.frame", "DataFrame"),
    ("pandas.core.indexes.base", "Index"),
    ("pandas.core.indexes.base", "_new_Index"),
    ("pandas.core.indexes.numeric", "Int64Index"),
    ("pandas.core.internals.managers", "BlockManager"),
    ("pytz", "_UTC"),
    ("uuid", "UUID"),
}


class _TableUnpickler(pickle.Unpickler):
    """Builds tables and nothing else: a pickle may otherwise run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        # What an old pandas and numpy wrote, by its present name.
        if name == "Int64Index":
            return pd.Index
        if name == "_UTC":
            return lambda: datetime.UTC
        # Called by itself, ndarray would take any bytes for the addresses of objects.
        if name == "ndarray":
            return "ndarray"
        if name == "_reconstruct":
            return _empty_array
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _empty_array(_: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Give the array that a pickle fills afterwards; numpy checks what it is filled with."""
    if shape != (0,):
        raise pickle.UnpicklingError("it makes an array that is not empty")
    return np.empty(shape, dtype)


def read(paths: Sequence[Path], *, name: str) -> Tables:
    """Read accounts, posts and replies; authors become pseudonyms.

    A reply is an act of its author toward the author of the post it replies to, when that post is
    in the file; `post_id` is then the tree, the thread both belong to, and `seq` the row of the
    file, from 0. Replies to oneself are kept. Replies are not counted, since the trees are
    samples, and of the text nothing is kept.

    Raises
    ------
    DataError
        When the file is not the pickled table that was published.
    """
    (path,) = paths
    rows = _unpickle(path)
    authors = pseudonyms(rows["author_id"])
    is_reply = rows["parent_id"].notna()
    parents = pd.Index(rows["post_id"]).get_indexer(rows["parent_id"])
    known = (parents >= 0) & is_reply.to_numpy()
    posts = pd.DataFrame(
        {
            "post_id": rows["post_id"].map(str),
            "account_id": authors,
            "created_at": rows["created_at"],
            "is_reply": is_reply,
        }
    )
    replies = pd.DataFrame(
        {
            "source_id": authors[known],
            "target_id": authors.to_numpy()[parents[known]],
            "created_at": rows["created_at"][known],
            "seq": np.flatnonzero(known),
            "kind": "reply",
            "post_id": rows["tree_id"][known].map(str),
        }
    )
    accounts = pd.DataFrame({"account_id": authors, "platform": rows["platform"]})
    return Tables(
        name,
        accounts=accounts.drop_duplicates("account_id"),
        posts=posts,
        interactions=replies,
    )


def _unpickle(path: Path) -> pd.DataFrame:
    try:
        with path.open("rb") as stream:
            rows = _TableUnpickler(stream).load()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); correct the name.") from None
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to spell
        said = " ".join(str(error).split())
        raise DataError(f"{path.name} is refused ({said}); download it again.") from None
    if not isinstance(rows, pd.DataFrame) or not set(COLUMNS) <= set(rows):
        raise DataError(f"{path.name} is no table of {', '.join(COLUMNS)}; download it again.")
    return rows[COLUMNS]
