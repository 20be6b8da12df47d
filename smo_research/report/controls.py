"""Sliders and menus that redraw a figure in a notebook; without a network."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from smo_research.errors import DataError, SmoError
from smo_research.report.interactive import Shown, as_png, css_width
from smo_research.report.style import QUIET
from smo_research.tables import Windows

_LABEL_WIDTH = "13em"


def knobs(draw: Callable[..., Axes | Figure], **ranges: Any) -> Shown:
    """Redraw a figure whenever one of its numbers is moved.

    Parameters
    ----------
    draw
        Takes the numbers by name, gives a figure or Axes on one.
    ranges
        By name: (lowest, highest, first) or (lowest, highest, first, step) makes a slider, of
        whole numbers where all are whole; a list of choices makes a menu that starts at its first.

    Returns
    -------
    Shown
        Drawn once. Numbers that cannot be used leave the figure as it was, with a line that
        says why. Where ipywidgets is missing, the picture alone.

    Raises
    ------
    DataError
        When a range is of another form.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> knobs(lambda days: Figure(), days=(1, 28, 7)).words
    'A figure with controls: days 7.'
    """
    first = {name: _first(name, given) for name, given in ranges.items()}
    png = as_png(draw(**first))
    set_to = ", ".join(f"{name} {value}" for name, value in first.items())
    words = f"A figure with controls: {set_to}."
    try:
        import ipywidgets
    except ImportError:
        return Shown(png, words)
    controls = {name: _control(name, given) for name, given in ranges.items()}
    picture = ipywidgets.Image(value=png, format="png", layout={"max_width": "100%"})
    picture.width = css_width(png)
    note = ipywidgets.HTML()

    def redraw(_: Any) -> None:
        note.value = _quiet("drawing …")
        try:
            fresh = as_png(draw(**{name: one.value for name, one in controls.items()}))
        except SmoError as error:
            note.value = _quiet(str(error))
            return
        except Exception:
            note.value = _quiet("This could not be drawn; the log of the notebook says why.")
            raise
        picture.value, picture.width, note.value = fresh, css_width(fresh), ""

    for one in controls.values():
        one.observe(redraw, names="value")
    return Shown(png, words, ipywidgets.VBox([*controls.values(), note, picture]))


def sliders(
    draw: Callable[[Windows], Axes | Figure],
    *,
    windows: Windows,
    period: tuple[int, int] = (3, 28),
    gap: tuple[int, int] = (1, 28),
    horizon: tuple[int, int] = (14, 112),
) -> Shown:
    """Redraw a figure whenever period, gap or horizon is moved.

    Parameters
    ----------
    draw
        Takes the windows, gives a figure or Axes on one.
    windows
        Those to start with.
    period, gap, horizon
        Shortest and longest that can be chosen, in days.

    Returns
    -------
    Shown
        As of `knobs`: windows that a log is too short for leave the figure as it was.

    Raises
    ------
    DataError
        When the windows have no gap, or lie outside the ranges.

    Examples
    --------
    >>> import smo_research as smo
    >>> from matplotlib.figure import Figure
    >>> windows = smo.Windows(period=7, gap=7, horizon=42)
    >>> smo.sliders(lambda chosen: Figure(), windows=windows).words
    'A figure with controls: period 7, gap 7, horizon 42.'
    """
    if windows.gap is None:
        raise DataError("windows must have a gap; give Windows(gap=...) in days.")

    def redraw(**chosen: int) -> Axes | Figure:
        return draw(Windows(**chosen, from_launch=windows.from_launch))

    return knobs(
        redraw,
        period=(*period, windows.period),
        gap=(*gap, windows.gap),
        horizon=(*horizon, windows.horizon),
    )


def _quiet(words: str) -> str:
    return f'<span style="color: {QUIET}">{escape(words)}</span>'


def _first(name: str, given: Any) -> Any:
    if isinstance(given, list) and given:
        return given[0]
    if isinstance(given, tuple) and len(given) in (3, 4) and given[0] <= given[2] <= given[1]:
        return given[2]
    raise DataError(
        f"{name} must be (lowest, highest, first), with a step after it or not and the first "
        f"between the others, or a list of choices, but is {given!r}."
    )


def _control(name: str, given: Any) -> Any:
    import ipywidgets

    about: dict[str, Any] = {
        "description": name.replace("_", " "),
        "style": {"description_width": _LABEL_WIDTH},
        "layout": {"width": "36em", "max_width": "100%"},
    }
    if isinstance(given, list):
        return ipywidgets.Dropdown(options=given, value=given[0], **about)
    low, high, value, *step = given
    whole = all(isinstance(number, int) for number in given)
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    about |= {"step": step[0]} if step else {} if whole else {"step": (high - low) / 100}
    return kind(min=low, max=high, value=value, continuous_update=False, **about)
