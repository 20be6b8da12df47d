"""The errors a user can meet. Each message says what is wrong, where, and what to do."""

from __future__ import annotations


class SmoError(Exception):
    """Base of all errors of this package; the command line exits with status 2 on it."""


class DataError(SmoError):
    """Input that cannot be read as what it should be: names the file, the row and the remedy."""


class FetchError(SmoError):
    """A public file that could not be obtained, or is not the file that was published."""


class FitError(SmoError):
    """A model that cannot be fitted to these rows; becomes a result with a reason."""
