#!/usr/bin/env python3
"""What does the month so far cost when it comes again, 99 % of its rows unchanged, beside a file of that size that is new?

  extracts.py WORKDIR [TOLLWAY]   WORKDIR: for the files, made once (10 MB); TOLLWAY: default target/release/tollway

  ROUNDS=5                      rounds; in each, every case once, in turn
  LAYOUTS="routit pbx-csv"      which; the first knows rows by content and occurrence, the second by their id
  MODES="delta snapshot"        what the profile says of deliveries: under `delta` the second file has a name of its own, under
                                `snapshot` it replaces the first

`new` is `ingest` of 50,000 rows on an empty data folder, `again` that of the same file where its first 49,500 rows are in the
table, `start` that of one row more: what a process costs whatever it reads. Prints a table in Markdown; a ratio is the median of
the rounds' ratios, once of whole processes and once without `start`, as a service that runs on costs.
"""

import json
import os
import statistics
import sys

import runs

SEED = "11"
ROWS = 50_000
FRESH = 500


def main():
    work, tollway = runs.arguments(__doc__)
    layouts = os.environ.get("LAYOUTS", "routit pbx-csv").split()
    cases = [(layout, mode) for layout in layouts for mode in os.environ.get("MODES", "delta snapshot").split()]
    for layout in layouts:
        make(tollway, work, layout)
    figures = {case: [] for case in cases}
    for number in range(1 + runs.rounds()):
        for case in cases:
            figure = measure(tollway, work, *case)
            if number > 0:  # the first round warms up
                figures[case].append(figure)
    lines = []
    for (layout, mode), measured in figures.items():
        whole = statistics.median(again / new for new, again, _ in measured)
        without = statistics.median((again - start) / (new - start) for new, again, start in measured)
        lines.append([layout, mode, *map(runs.spread, zip(*measured)), f"{whole:.2f}", f"{without:.2f}"])
    heads = ["layout", "delivery", "CPU s, new", "again", "start", "again beside new", "without start"]
    runs.table(heads, lines)


def make(tollway, work, layout):
    """The file, what was there of it before, and a row of it; `delta.toml` and `snapshot.toml` read them."""
    with runs.made_once(work / f"extracts-{layout}") as folder:
        if not folder:
            return
        runs.run([tollway, "generate", "--seed", SEED, "--rows", str(ROWS), "--files", "1", "--layouts", layout, folder])
        [file] = [path for path in (folder / "cdr").rglob("*") if path.is_file()]
        lines = file.read_bytes().splitlines(keepends=True)
        for name, rows in [("before/month.csv", ROWS - FRESH), ("month.csv", ROWS), ("named-anew.csv", ROWS), ("row.csv", 1)]:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(b"".join(lines[: 1 + rows]))
        profile = (runs.ROOT / f"config/profiles/{layout}.toml").read_text()
        for mode in ["delta", "snapshot"]:
            (folder / f"{mode}.toml").write_text(profile.replace('delivery = "delta"', f'delivery = "{mode}"'))


def measure(tollway, work, layout, mode):
    """CPU in seconds of the file as a new one, as one that comes again, and of a row that comes again."""
    folder = work / f"extracts-{layout}"
    profile = folder / f"{mode}.toml"
    with runs.data_folder(work) as data:
        prepare(tollway, data, folder)
        new, _ = ingest(tollway, data, profile, folder / "month.csv", ROWS)
    with runs.data_folder(work) as data:
        prepare(tollway, data, folder)
        ingest(tollway, data, profile, folder / "before/month.csv", ROWS - FRESH)
        file = folder / ("month.csv" if mode == "snapshot" else "named-anew.csv")
        again, answer = ingest(tollway, data, profile, file, ROWS)
        start, _ = ingest(tollway, data, profile, folder / "row.csv", 1)
    if answer["rated"] > 2 * FRESH:
        sys.exit(f"{layout}, {mode}: {answer['rated']} rows were rated again: {json.dumps(answer)}")
    return new, again, start


def prepare(tollway, data, folder):
    command = [tollway, "--data", data, "import"]
    runs.run([*command, "tariffs", "nl-zakelijk"])
    for what in ["customers", "devices"]:
        runs.run([*command, what, str(folder / f"reference/{what}.csv")])


def ingest(tollway, data, profile, file, rows):
    """CPU in seconds, and the answer."""
    command = [tollway, "--data", data, "ingest", "--profile", str(profile), "--account", "bench", "--output", "json", str(file)]
    (_, cpu), [answer] = runs.measure([command])
    if answer["rows_in"] != rows:
        sys.exit(f"{file}: {answer['rows_in']} rows were taken in, not {rows}: {json.dumps(answer)}")
    return cpu, answer


if __name__ == "__main__":
    main()
