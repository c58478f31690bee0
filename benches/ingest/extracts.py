#!/usr/bin/env python3
"""What does the month so far cost when it comes again, 99 % of its rows unchanged, beside a file of that size that is new?

  extracts.py WORKDIR [TOLLWAY]   WORKDIR: for the files, made once (10 MB); TOLLWAY: default target/release/tollway

  ROUNDS=5                      rounds; in each, every case once, in turn
  LAYOUTS="routit pbx-csv"      which; the first knows rows by content and occurrence, the second by their id
  MODES="delta snapshot"        what the profile says of deliveries: under `delta` the second file has a name of its own, under
                                `snapshot` it replaces the first

`new` is `ingest` of 50,000 rows on an empty data folder, `again` that of the same file where its first 49,500 rows are in the
table. Prints a table in Markdown; a ratio is the median of the rounds' ratios.
"""

import json
import os
import pathlib
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
            pair = measure(tollway, work, *case)
            if number > 0:  # the first round warms up
                figures[case].append(pair)
    lines = []
    for (layout, mode), pairs in figures.items():
        new, again = zip(*pairs)
        ratio = statistics.median(b / a for a, b in pairs)
        lines.append([layout, mode, runs.spread(new), runs.spread(again), f"{ratio:.2f}"])
    runs.table(["layout", "delivery", "CPU s, new", "CPU s, again", "again beside new"], lines)


def make(tollway, work, layout):
    """`whole/` and `part/` hold the file and what was there of it before; `delta.toml` and `snapshot.toml` read them."""
    with runs.made_once(work / f"extracts-{layout}") as folder:
        if not folder:
            return
        runs.run([tollway, "generate", "--seed", SEED, "--rows", str(ROWS), "--files", "1", "--layouts", layout, folder])
        [file] = [path for path in (folder / "cdr").rglob("*") if path.is_file()]
        lines = file.read_bytes().splitlines(keepends=True)
        for name, rows in [("whole", ROWS), ("part", ROWS - FRESH)]:
            (folder / name).mkdir()
            (folder / name / file.name).write_bytes(b"".join(lines[: 1 + rows]))
        profile = (runs.ROOT / f"config/profiles/{layout}.toml").read_text()
        for mode in ["delta", "snapshot"]:
            (folder / f"{mode}.toml").write_text(profile.replace('delivery = "delta"', f'delivery = "{mode}"'))


def measure(tollway, work, layout, mode):
    """CPU in seconds of the file as a new one, and as one that comes again."""
    folder = work / f"extracts-{layout}"
    [whole], [part] = (folder / "whole").iterdir(), (folder / "part").iterdir()
    profile = folder / f"{mode}.toml"
    with runs.data_folder(work) as data:
        prepare(tollway, data, folder)
        new, _ = ingest(tollway, data, profile, whole, ROWS)
    with runs.data_folder(work) as data:
        prepare(tollway, data, folder)
        ingest(tollway, data, profile, part, ROWS - FRESH)
        # A name of its own, unless the file replaces the one before.
        named = whole if mode == "snapshot" else pathlib.Path(data).with_suffix(f".again{whole.suffix}")
        if named != whole:
            named.write_bytes(whole.read_bytes())
        try:
            again, answer = ingest(tollway, data, profile, named, ROWS)
        finally:
            if named != whole:
                named.unlink()
    resent = answer["rows_in"] - answer["rated"]
    if resent < 0.98 * ROWS:
        sys.exit(f"{layout}, {mode}: only {resent} rows were known: {json.dumps(answer)}")
    return new, again


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
