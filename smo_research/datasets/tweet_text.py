"""What a tweet's text shows of how it was made; the text itself is never kept."""

from __future__ import annotations

import re

import pandas as pd

R_ESCAPE = re.compile(r"<U\+([0-9A-F]{4,8})>")
LINK = re.compile(r"https?://[!-~]*", re.IGNORECASE)
LINK_AT_END = re.compile(r"https?://[!-~]+\s*\Z", re.IGNORECASE)
# As on the platform: "#1" is no hashtag, nor is what follows a letter, a digit or "&".
HASHTAG = re.compile(r"(?<![\w&])[#\uff03](?=\w*[^\W\d])\w+")
MENTION = re.compile(r"(?<![\w@])[@\uff20][A-Za-z0-9_]+")


def unescape(text: pd.Series) -> pd.Series:
    """Put back the characters that R wrote as `<U+2019>`, where the locale lacked them.

    Examples
    --------
    >>> unescape(pd.Series(["<U+2066>@ann<U+2069> #Jos<U+00E9>"])).tolist()
    ['\u2066@ann\u2069 #José']
    """
    return pd.Series([R_ESCAPE.sub(_character, one) for one in text], text.index, dtype="str")


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1], 16)
    alone = 0xD800 <= code < 0xE000  # half of a pair, no character
    return escape[0] if alone or code > 0x10FFFF else chr(code)


def text_features(text: pd.Series) -> pd.DataFrame:
    """Count what the texts of tweets carry.

    Parameters
    ----------
    text
        Texts, unescaped.

    Returns
    -------
    pandas.DataFrame
        With the same index: `hashtags`, `links` and `mentions`, numbers; `ends_in_link` and
        `is_reply` (starts with @), booleans. Hashtags and mentions inside a link do not count,
        nor do addresses of e-mail as mentions.

    Examples
    --------
    >>> text_features(pd.Series(["@ann #1 idea? #vote https://t.co/x"])).values.tolist()
    [[1, 1, 1, True, True]]
    """
    links = [len(LINK.findall(one)) for one in text]
    bare = [LINK.sub(" ", one) for one in text]
    return pd.DataFrame(
        {
            "hashtags": [len(HASHTAG.findall(one)) for one in bare],
            "links": links,
            "mentions": [len(MENTION.findall(one)) for one in bare],
            "ends_in_link": [LINK_AT_END.search(one) is not None for one in text],
            "is_reply": text.str.startswith("@"),
        },
        index=text.index,
    )
