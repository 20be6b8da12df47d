"""SVG text made fit to stand inside an HTML page beside others."""

from __future__ import annotations

import re

_OUTSIDE = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->|<script\b.*?</script\s*>", re.S | re.I)
_ROOT = re.compile(r"<svg\b[^>]*>", re.S)
_SIZE = re.compile(r'\s(?:width|height)="[^"]*"')
_ID = re.compile(r'(\sid=")([^"]+)(")')
_LINK = re.compile(r'(href="#|url\(#)([^")]+)')


def inline_svg(svg: str, prefix: str) -> str:
    """Make an SVG file a part of a page: no prolog, no scripts, ids of its own.

    Parameters
    ----------
    svg
        The text of an SVG file.
    prefix
        Put before each id and each reference to one, so that two figures do not clash.

    Returns
    -------
    str
        The `svg` element, without a fixed size.

    Raises
    ------
    ValueError
        When there is no `svg` element.

    Examples
    --------
    >>> inline_svg('<?xml version="1.0"?><svg width="9pt"><g id="a"/><use href="#a"/></svg>', "f-")
    '<svg aria-hidden="true"><g id="f-a"/><use href="#f-a"/></svg>'
    """
    root = _ROOT.search(svg)
    if root is None:
        raise ValueError("svg must be the text of an SVG file, but holds no <svg> element.")
    head = _SIZE.sub("", root.group())[:-1] + ' aria-hidden="true">'
    body = _OUTSIDE.sub("", head + svg[root.end() :])
    body = _ID.sub(rf"\g<1>{prefix}\g<2>\g<3>", body)
    return _LINK.sub(rf"\g<1>{prefix}\g<2>", body).strip()
