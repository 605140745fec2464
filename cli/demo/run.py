"""`make demo`: a small company to click through, or, with --once, the story that plays by itself."""

import argparse
import os
import sys
from collections.abc import Sequence

from cli.demo import signals
from cli.exits import CLOSED_PIPE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; gives the exit status. What it wrote is gone when this returns, also after a signal."""
    parser = argparse.ArgumentParser(prog="python -m cli.demo", description="A small company and its vault.")
    parser.add_argument(
        "--once", action="store_true", help="play the whole story unattended and check each step"
    )
    once = parser.parse_args(arguments).once
    signals.listen()
    try:
        if once:
            from cli.demo.story import play  # noqa: PLC0415 (the help needs nothing of it)

            return play()
        from cli.demo.house import keep_open  # noqa: PLC0415 (the help needs nothing of it)

        return keep_open()
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), 1
        )  # what Python still holds must not fail again when it ends
        return CLOSED_PIPE
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"error: {missing.name} is not installed\nhint: make demo sets everything up\n")
        return 1
