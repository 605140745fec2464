"""The README's transcript: what `make demo ONCE=1` really says, put there by `make docs`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "README.md"
BEGIN, END = "<!-- story:begin -->", "<!-- story:end -->"
COMMAND = "$ make demo ONCE=1"


def transcript(page: str) -> list[str]:
    """The lines between the markers without their fence; empty when there is no transcript yet."""
    lines = page.split(BEGIN, 1)[1].split(END, 1)[0].strip().splitlines()
    return lines[1:-1] if lines else []


def page_with(told: str, page: str) -> str:
    """The page with what the story told in the place of its transcript."""
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    shown = "\n".join(line.rstrip() for line in told.strip().splitlines())
    return f"{before}{BEGIN}\n```console\n{COMMAND}\n{shown}\n```\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Play the story and show what it tells; with --write it goes into the README if every step held."""
    run = subprocess.run(
        [sys.executable, "-m", "cli.demo", "--once"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=600,
    )
    sys.stdout.write(run.stdout)
    if run.returncode == 0 and "--write" in arguments:
        PAGE.write_text(page_with(run.stdout, PAGE.read_text("utf-8")), "utf-8")
    return run.returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
