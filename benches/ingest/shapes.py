#!/usr/bin/env python3
"""The same million records through `tollway ingest` in several shapes: what do small files, packing and servers cost?

  shapes.py WORKDIR [TOLLWAY]   WORKDIR: as bench_all.sh leaves it (d20); TOLLWAY: the binary (default: target/release/tollway)

  ROUNDS=5          rounds; in each, every shape once, in turn
  SHAPES="files gzip small servers"
  TOLLWAY_KAFKA, TOLLWAY_POSTGRES   for `servers`: as `cargo xtask services start kafka postgres` wrote them

Prints a table in Markdown: medians with (smallest-largest). CPU is that of tollway's processes, not the broker's.
"""

import gzip
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL_ROWS = 500
WORKERS = 3


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    work = pathlib.Path(sys.argv[1]).resolve()
    tollway = str(pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else ROOT / "target/release/tollway").resolve())
    shapes = os.environ.get("SHAPES", "files gzip small").split()
    folders = {"files": work / "d20/cdr", "gzip": packed(work), "small": small(work), "servers": work / "d20/cdr"}
    figures = {shape: [] for shape in shapes}
    counts = {}
    for number in range(1 + int(os.environ.get("ROUNDS", "5"))):
        for shape in shapes:
            figure, counted = measure(tollway, work, shape, folders[shape], number)
            # Keys are known by account, so three accounts keep what one calls duplicates.
            same = ["rows_in"] if shape == "servers" else ["rows_in", "rated"]
            wrong = [key for key in same if counts.setdefault(key, counted[key]) != counted[key]]
            if wrong:
                sys.exit(f"{shape}: {', '.join(wrong)} differ from those of another shape")
            if number > 0:  # the first round warms up
                figures[shape].append(figure)
    rows = counts["rows_in"]
    print("| shape | wall s | CPU s | rows/s | us of CPU per row | beside `files` |\n| --- | --- | --- | --- | --- | --- |")
    base = statistics.median(cpu for _, cpu in figures[shapes[0]])
    for shape, measured in figures.items():
        walls, cpus = zip(*measured)
        wall, cpu = statistics.median(walls), statistics.median(cpus)
        print(
            f"| {shape} | {wall:.2f} ({min(walls):.2f}-{max(walls):.2f}) | {cpu:.2f} ({min(cpus):.2f}-{max(cpus):.2f}) "
            f"| {rows / wall:,.0f} | {1e6 * cpu / rows:.2f} | {cpu / base:.2f} |"
        )


def packed(work):
    """Each file as its provider might send it: packed with gzip."""
    folder = work / "gzip"
    if not folder.exists():
        part = work / "gzip.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for file in sorted((work / "d20/cdr").iterdir()):
            (part / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 6))
        part.rename(folder)
    return folder


def small(work):
    """The same rows in files of 500."""
    folder = work / "small"
    if not folder.exists():
        part = work / "small.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for file in sorted((work / "d20/cdr").iterdir()):
            header, *rows = file.read_bytes().splitlines(keepends=True)
            for first in range(0, len(rows), SMALL_ROWS):
                (part / f"{file.stem}-{first:05d}.csv").write_bytes(b"".join([header, *rows[first : first + SMALL_ROWS]]))
        part.rename(folder)
    return folder


def measure(tollway, work, shape, folder, number):
    """One run on an empty data folder: (wall, CPU) in seconds of `ingest` alone, and the counts of all rows."""
    data = tempfile.mkdtemp(prefix="shapes-", dir=work)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TOLLWAY_")}
    files = sorted(str(f) for f in folder.iterdir())
    parts = [("yardstick", [str(folder)])]
    if shape == "servers":
        name = f"bench{os.getpid()}r{number}"
        environment |= {
            "TOLLWAY_LOG__KIND": "kafka",
            "TOLLWAY_KAFKA__BROKERS": os.environ["TOLLWAY_KAFKA"],
            "TOLLWAY_KAFKA__TOPIC_PREFIX": f"{name}.",
            "TOLLWAY_KAFKA__REPLICATION": "1",
            "TOLLWAY_STATE__URL": os.environ["TOLLWAY_POSTGRES"],
            "TOLLWAY_STATE__SCHEMA": name,
            "TOLLWAY_PIPELINE__WORKERS": "1",
        }
        parts = [(f"yardstick-{i}", files[i::WORKERS]) for i in range(WORKERS)]
    command = [tollway, "--data", data]
    try:
        if shape == "servers":
            run([*command, "topics", "create"], environment)
        run([*command, "import", "tariffs", "job", "--base", str(work / "d20/ref")], environment)
        run([*command, "import", "devices", str(work / "d20/ref/devices.csv")], environment)
        os.sync()
        began, before = time.monotonic(), os.times()
        ingest = [*command, "ingest", "--profile", "job", "--output", "json", "--account"]
        started = [
            subprocess.Popen([*ingest, account, *paths], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for account, paths in parts
        ]
        for process in started:
            process.communicate()
            if process.returncode != 0:
                sys.exit(f"{shape}: ingest ended with {process.returncode}")
        wall, after = time.monotonic() - began, os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        status = json.loads(run([*command, "status", "--output", "json"], environment))
        return (wall, cpu), summed(status["by_account"].values())
    finally:
        shutil.rmtree(data, ignore_errors=True)


def summed(accounts):
    """Rows in and rated, over all accounts."""
    accounts = list(accounts)
    return {key: sum(a[key] for a in accounts) for key in ("rows_in", "rated")}


def run(command, environment):
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.decode()}")
    return done.stdout


if __name__ == "__main__":
    main()
