"""The answer in one paragraph, composed from the verdicts and from nothing else."""

from __future__ import annotations

import pandas as pd

from smo_research.report.rows import require, require_verdicts
from smo_research.report.words import (
    DASH,
    FINDINGS,
    SHORT_NAMES,
    count,
    effect,
    listing,
    text,
)

_NEEDED = ["hypothesis", "dataset", "estimate", "ci_low", "ci_high", "unit", "verdict"]
_QUESTIONS = (
    ("Does conversation predict an audience that lasts, as the essay says?", ("H3", "H5", "H7")),
    ("Do tricks fail to predict one, as it also says?", ("H2",)),
    ("Does conversation predict it better than tricks do?", ("H4",)),
)
_MAX_NUMBERS = 3


def answer_paragraph(verdicts: pd.DataFrame) -> str:
    """Compose the answer from the verdicts: yes, no, mixed, or that the data cannot tell.

    Parameters
    ----------
    verdicts
        One row a hypothesis and data set, with columns hypothesis, dataset, estimate, ci_low,
        ci_high, unit and verdict.

    Returns
    -------
    str
        One paragraph of plain text.

    Raises
    ------
    DataError
        When a column is missing or a verdict is not one of the five.

    Examples
    --------
    >>> import pandas as pd
    >>> answer_paragraph(pd.DataFrame({
    ...     "hypothesis": ["H3"], "dataset": ["letters"], "estimate": [0.2], "ci_low": [0.1],
    ...     "ci_high": [0.3], "unit": ["ln ratio per +0.25"], "verdict": ["supported"]}))[:48]
    'Does conversation predict an audience that lasts'
    """
    require(verdicts, _NEEDED, "verdicts")
    require_verdicts(verdicts, "verdicts")
    known = verdicts.assign(verdict=verdicts["verdict"].fillna("").replace("", "untestable"))
    groups = {str(name): group for name, group in known.groupby("hypothesis", sort=True)}
    decided = [name for name in groups if _decided(groups[name]).any()]
    if not decided:
        return _cannot_tell(known)
    sentences = _headline(known)
    sentences += [_sentence(name, groups[name]) for name in decided]
    sentences += _undecided(groups, decided)
    if "C" in set(known.get("grade", [])):
        sentences.append("Grade C: fewer than two of the three checks back the verdict.")
    sentences.append("These are associations in what people happened to do, not experiments.")
    return " ".join(sentences)


def _decided(rows: pd.DataFrame) -> pd.Series:
    return ~rows["verdict"].isin(["inconclusive", "untestable"])


def _tally(rows: pd.DataFrame) -> tuple[int, int, int]:
    """Count the tests that speak for the essay, against it, and that say nothing."""
    speaks = [
        FINDINGS.get((hypothesis, verdict), ("", None))[1]
        for hypothesis, verdict in zip(rows["hypothesis"], rows["verdict"], strict=True)
    ]
    return speaks.count(True), speaks.count(False), speaks.count(None)


def _verdict_on(rows: pd.DataFrame) -> str:
    """Answer to a question from its tests: "Yes: 2 of 2 clear results say so" and the like."""
    for_it, against, silent = _tally(rows)
    clear = for_it + against
    if not clear:
        return f"This data cannot tell: {count(silent, 'test')}, no clear result."
    rest = f" ({silent} more cannot tell)" if silent else ""
    lowest = set(rows.loc[_decided(rows), "grade"]) == {"C"} if "grade" in rows else False
    rest = f", of the lowest grade{rest}" if lowest else rest
    if clear == 1:
        return f"{'Yes' if for_it else 'No'}, by the one clear result{rest}."
    return f"{_yes_or_no(for_it, against)}: {for_it} of {clear} clear results say so{rest}."


def _yes_or_no(for_it: int, against: int) -> str:
    if not against or not for_it:
        return "Yes" if for_it else "No"
    if for_it > 2 * against:
        return "Mostly yes"
    return "Mostly no" if against > 2 * for_it else "Mixed"


def _headline(verdicts: pd.DataFrame) -> list[str]:
    asked = [
        (question, verdicts[verdicts["hypothesis"].isin(names)]) for question, names in _QUESTIONS
    ]
    return [f"{question} {_verdict_on(rows)}" for question, rows in asked if len(rows)]


def _sentence(hypothesis: str, rows: pd.DataFrame) -> str:
    """Say what the data sets say on one hypothesis, with their numbers."""
    clauses = []
    for verdict in ("supported", "negligible", "contradicted"):
        of_verdict = rows[rows["verdict"] == verdict]
        if len(of_verdict):
            finding, for_essay = FINDINGS.get((hypothesis, verdict), (verdict, True))
            against = "" if for_essay else ", against the essay,"
            where = f"in {count(len(of_verdict), 'data set')} ({_numbers(of_verdict)})"
            clauses.append(f"{finding}{against} {where}")
    for verdict, words in (("inconclusive", "inconclusive"), ("untestable", "cannot tell")):
        number = int((rows["verdict"] == verdict).sum())
        clauses += [f"{number} {words}"] if number else []
    said = "; ".join(clauses)
    return f"{said[0].upper()}{said[1:]} ({hypothesis})."


def _numbers(rows: pd.DataFrame) -> str:
    """List data sets with their effects and grades, at most a few."""
    said = []
    for row in rows.head(_MAX_NUMBERS).to_dict("records"):
        number = effect(row["estimate"], row["ci_low"], row["ci_high"], row["unit"])
        grade = text(row.get("grade"))
        known = f"{row['dataset']} {number}".removesuffix(f" {DASH}")
        said.append(f"{known}, grade {grade}" if grade else known)
    rest = len(rows) - len(said)
    return "; ".join([*said, *([f"{rest} more"] if rest else [])])


def _undecided(groups: dict[str, pd.DataFrame], decided: list[str]) -> list[str]:
    open_: list[str] = []
    closed: list[str] = []
    for name in groups:
        if name not in decided:
            tried = (groups[name]["verdict"] == "inconclusive").any()
            (open_ if tried else closed).append(f"{name} ({SHORT_NAMES.get(name, '')})")
    sentences = []
    if open_:
        sentences.append(f"The data leave open {listing(open_)}.")
    if closed:
        sentences.append(f"None of these data sets can test {listing(closed)}.")
    return sentences


def _cannot_tell(verdicts: pd.DataFrame) -> str:
    if verdicts.empty:
        return "This data cannot tell: no test was run."
    unclear = int((verdicts["verdict"] == "inconclusive").sum())
    reasons = [text(reason) for reason in verdicts.get("reason", []) if text(reason)]
    most = max(reasons, key=reasons.count).rstrip(".") if reasons else ""
    most = f" The most frequent reason: {most}." if most else ""
    return (
        f"This data cannot tell. Of {count(len(verdicts), 'test')}, {unclear} came out "
        f"inconclusive and {len(verdicts) - unclear} could not be run; nothing here speaks for "
        f"the essay or against it.{most}"
    )
