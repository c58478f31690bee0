#!/usr/bin/env python3
"""The same million records through `tollway ingest` in several shapes: what do small files, packing and servers cost?

  shapes.py WORKDIR [TOLLWAY]   WORKDIR: as bench_all.sh leaves it (d20); TOLLWAY: the binary (default: target/release/tollway)

  ROUNDS=5          rounds; in each, every shape once, in turn
  SHAPES="files gzip small servers"
  TOLLWAY_KAFKA, TOLLWAY_POSTGRES   for `servers`: as `cargo xtask services start kafka postgres` wrote them

Prints a table in Markdown: medians with (smallest-largest); the last column is the median of the rounds' ratios.
"""

import gzip
import json
import os
import statistics
import sys

import runs

SMALL_ROWS = 500
WORKERS = 3


def main():
    work, tollway = runs.arguments(__doc__)
    shapes = os.environ.get("SHAPES", "files gzip small").split()
    folders = {shape: FOLDERS[shape](work) for shape in shapes}
    figures = {shape: [] for shape in shapes}
    counts = {}
    for number in range(1 + runs.rounds()):
        for shape in shapes:
            figure, counted = measure(tollway, work, shape, folders[shape], number)
            # Keys are known by account, so three accounts keep what one calls duplicates.
            same = ["rows_in"] if shape == "servers" else ["rows_in", "rated"]
            wrong = [key for key in same if counts.setdefault(key, counted[key]) != counted[key]]
            if wrong:
                sys.exit(f"{shape}: {', '.join(wrong)} differ from those of another shape")
            if number > 0:  # the first round warms up
                figures[shape].append(figure)
    rows, first = counts["rows_in"], shapes[0]
    lines = []
    for shape, measured in figures.items():
        walls, cpus = zip(*measured)
        ratio = statistics.median(cpu / base for cpu, (_, base) in zip(cpus, figures[first]))
        rate, each = f"{rows / statistics.median(walls):,.0f}", f"{1e6 * statistics.median(cpus) / rows:.2f}"
        lines.append([shape, runs.spread(walls), runs.spread(cpus), rate, each, f"{ratio:.2f}"])
    runs.table(["shape", "wall s", "CPU s", "rows/s", "us of CPU per row", f"beside `{first}`"], lines)


def plain(work):
    """The files as bench_all.sh leaves them."""
    return work / "d20/cdr"


def packed(work):
    """Each file as its provider might send it: packed with gzip."""
    with runs.made_once(work / "gzip") as made:
        for file in made and sorted(plain(work).iterdir()) or ():
            (made / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 6))
    return work / "gzip"


def small(work):
    """The same rows in files of 500."""
    with runs.made_once(work / "small") as made:
        for file in made and sorted(plain(work).iterdir()) or ():
            header, *rows = file.read_bytes().splitlines(keepends=True)
            for first in range(0, len(rows), SMALL_ROWS):
                part = [header, *rows[first : first + SMALL_ROWS]]
                (made / f"{file.stem}-{first:05d}.csv").write_bytes(b"".join(part))
    return work / "small"


FOLDERS = {"files": plain, "gzip": packed, "small": small, "servers": plain}


def measure(tollway, work, shape, folder, number):
    """One run on an empty data folder: (wall, CPU) in seconds of `ingest` alone, and the counts of all rows."""
    env, parts = runs.environment(), [("yardstick", [str(folder)])]
    if shape == "servers":
        env = runs.on_servers(number)
        files = sorted(str(f) for f in folder.iterdir())
        parts = [(f"yardstick-{i}", files[i::WORKERS]) for i in range(WORKERS)]
    with runs.data_folder(work) as data:
        command = [tollway, "--data", data]
        runs.prepare(command, work, env)
        ingest = [*command, "ingest", "--profile", "job", "--output", "json", "--account"]
        figure, _ = runs.measure([[*ingest, account, *paths] for account, paths in parts], env)
        status = json.loads(runs.run([*command, "status", "--output", "json"], env))
        accounts = status["by_account"].values()
        return figure, {key: sum(a[key] for a in accounts) for key in ("rows_in", "rated")}


if __name__ == "__main__":
    main()
