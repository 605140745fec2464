"""What was measured, as a table, a picture and numbers."""

import json
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE_BEGIN, TABLE_END = "<!-- bench:begin -->", "<!-- bench:end -->"


@dataclass(frozen=True)
class Row:
    """Medians over the rounds of one run. Rates are answers a second."""

    disk: str
    what: str
    clients: int
    rate: float
    p50_ms: float
    p99_ms: float
    entries_per_sync: float
    versus_noop: float
    versus_fast: float


def find(rows: list[Row], disk: str, what: str, clients: int) -> Row:
    """The row of that name."""
    return next(row for row in rows if (row.disk, row.what, row.clients) == (disk, what, clients))


def ratios(rows: list[Row]) -> dict[str, float]:
    """The figures that the targets are about."""
    reveal, slow = find(rows, "fast", "reveal", 64), find(rows, "slow", "reveal", 64)
    found = {
        f"{row.what}_vs_noop_{row.clients}": row.versus_noop
        for row in rows
        if row.disk == "fast" and row.what != "no-op"
    }
    return found | {
        "entries_per_fsync_64": reveal.entries_per_sync,
        "entries_per_fsync_64_slow_disk": slow.entries_per_sync,
        "reveal_slow_disk_vs_fast_64": slow.versus_fast,
        "reveal_p99_vs_p50_64": reveal.p99_ms / reveal.p50_ms,
    }


def table(rows: list[Row]) -> str:
    """A Markdown table of everything."""
    lines = [
        "| disk | what | clients | answers/s | of the no-op | p50 ms | p99 ms | entries per fsync |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in sorted(rows, key=lambda row: (row.disk, row.clients, row.what != "no-op", row.what)):
        per_sync = "" if row.what == "no-op" else f"{row.entries_per_sync:.1f}"
        disk = "as it is" if row.disk == "fast" else "+ 2 ms a sync"
        lines.append(
            f"| {disk} | {row.what} | {row.clients} | {row.rate:,.0f} | {row.versus_noop:.2f} "
            f"| {row.p50_ms:.1f} | {row.p99_ms:.1f} | {per_sync} |"
        )
    return "\n".join(lines)


def picture(rows: list[Row]) -> str:
    """Bars: the share of the no-op's throughput that each deed keeps, by the number of clients."""
    deeds, clients = ("reveal", "submit", "checkout"), (1, 8, 64)
    shades = {1: "#9db8ac", 8: "#4f8a72", 64: "#12543b"}
    left, width, bar, gap = 120, 460, 18, 26
    height = 60 + len(deeds) * (len(clients) * bar + gap)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">',
        "<title>Share of the no-op endpoint's throughput, by deed and number of clients</title>",
        f'<rect width="720" height="{height}" fill="#ffffff"/>',
        '<text x="20" y="28" font-size="15" fill="#1c2b25">Throughput of a durable, recorded deed '
        "as a share of a no-op of the same application</text>",
    ]
    y = 52
    for deed in deeds:
        parts.append(f'<text x="20" y="{y + bar * 1.9:.0f}" fill="#1c2b25">{escape(deed)}</text>')
        for count in clients:
            share = find(rows, "fast", deed, count).versus_noop
            size = f'width="{max(share * width, 1):.0f}" height="{bar - 3}"'
            parts.append(f'<rect x="{left}" y="{y}" {size} fill="{shades[count]}"/>')
            parts.append(
                f'<text x="{left + share * width + 8:.0f}" y="{y + 12}" fill="#1c2b25">{share:.2f} '
                f'<tspan fill="#5b6b64">{count} client{"" if count == 1 else "s"}</tspan></text>'
            )
            y += bar
        y += gap
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def write(rows: list[Row], *, rounds: int, only_print: bool) -> None:
    """Print the table, and put it, the picture and the figures where the documents are."""
    text = table(rows)
    figures = {name: round(value, 3) for name, value in ratios(rows).items()}
    sys.stdout.write(text + "\n\n" + json.dumps(figures, indent=2) + "\n")
    if only_print:
        return
    (ROOT / "bench" / "results.json").write_text(
        json.dumps({"rounds": rounds, "ratios": figures}, indent=2) + "\n"
    )
    (ROOT / "docs" / "performance.svg").write_text(picture(rows))
    place = ROOT / "docs" / "performance.md"
    before, _, rest = place.read_text().partition(TABLE_BEGIN)
    after = rest.partition(TABLE_END)[2]
    place.write_text(f"{before}{TABLE_BEGIN}\n\n{text}\n\n{TABLE_END}{after}")
