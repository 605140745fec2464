"""`python -m cli.demo [--once]`: what `make demo` runs."""

from cli.demo.run import main

if __name__ == "__main__":
    raise SystemExit(main())
