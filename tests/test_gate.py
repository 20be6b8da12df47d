"""The gate, `.ci/run`: what it runs, what it installs, and that each step can fail it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GATE = ["make browser", "make docs", "make test browser required"]


@pytest.fixture
def gate(tmp_path):
    """Run `.ci/run` in a checkout where commands say what they were told and do nothing."""
    (tmp_path / "checkout" / ".ci").mkdir(parents=True)
    script = Path(shutil.copy(ROOT / ".ci" / "run", tmp_path / "checkout" / ".ci"))
    commands = tmp_path / "commands"
    commands.mkdir()
    (commands / "dirname").symlink_to(shutil.which("dirname"))
    bash = shutil.which("bash")

    def command(name, text):
        (commands / name).write_text(f"#!{bash}\n{text}\n", encoding="utf-8")
        (commands / name).chmod(0o755)

    def run(*there, user=0, failing=""):
        command("id", f"echo {user}")
        for name in ("apt-get", "make", *there):
            told = (
                f'echo "{name} $*${{SMO_BROWSER:+ browser $SMO_BROWSER}}${{SMO_MIRROR:+ mirror}}"'
            )
            command(name, f'{told}; [ "{name} $1" != "{failing}" ]')
        return subprocess.run(
            [bash, str(script)],
            env={"PATH": str(commands)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_gate_builds_the_site_and_requires_the_browser(gate):
    run = gate("chromium")
    assert (run.returncode, run.stdout.splitlines()) == (0, GATE)


def test_the_gate_installs_chromium_where_it_may(gate):
    fonts = "fonts-liberation fonts-dejavu-core"
    apt = ["apt-get update -qq", f"apt-get install -y -qq chromium {fonts}"]
    assert gate().stdout.splitlines() == [*apt, *GATE]
    assert gate(user=1000).stdout.splitlines() == GATE


@pytest.mark.parametrize(("failing", "said"), [("browser", 1), ("docs", 3), ("test", 3)])
def test_the_gate_fails_with_each_of_its_steps(gate, failing, said):
    run = gate("chromium", failing=f"make {failing}")
    assert (run.returncode != 0, run.stdout.splitlines()) == (True, GATE[:said])


def test_the_gate_takes_the_real_data_where_it_is_at_hand(gate, tmp_path):
    (tmp_path / "shared" / "datasets").mkdir(parents=True)
    assert gate("chromium").stdout.splitlines() == [f"{line} mirror" for line in GATE]
