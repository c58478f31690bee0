#!/usr/bin/env python3
"""What does a call record cost in each layout, from file to totals, beside the layout of JOB.md?

  layouts.py WORKDIR [TOLLWAY]  WORKDIR: for the files, made once (some 500 MB); TOLLWAY: default target/release/tollway

  ROWS=200000       rows of each layout, in four files
  ROUNDS=5          rounds; in each, every layout once, in turn
  LAYOUTS="job ..." which; `job` is the base and always there. Default: all shipped text layouts, and the rows of `job` as
                    TAP3 and in the other readers' forms

Prints a table in Markdown. The month is seeded, its reference data and tariff are the generator's. A ratio is the median of the
rounds' ratios, once of CPU per row read and once of CPU per row rated, because layouts differ in how much they leave out.
"""

import csv
import json
import os
import statistics
import tomllib

import forms
import runs

SEED = "7"
FILES = "4"
BASE = "job"


def main():
    work, tollway = runs.arguments(__doc__)
    rows = os.environ.get("ROWS", "200000")
    names = os.environ.get("LAYOUTS", " ".join([*shipped(), *forms.FORMS])).split()
    names = [BASE, *(name for name in names if name != BASE)]
    made = {name: make(tollway, work / f"layouts-{rows}", name, rows) for name in names}
    figures = {name: [] for name in names}
    counts = {}
    for number in range(1 + runs.rounds()):
        for name in names:
            cpu, counts[name] = measure(tollway, work, *made[name])
            if number > 0:  # the first round warms up
                figures[name].append(cpu)
    runs.table(
        ["layout", "rows", "bytes per row", "rated", "us of CPU per row", "beside `job`", "per rated row"],
        [line(name, made[name][1], figures, counts) for name in names],
    )


def shipped():
    """The text layouts that the generator writes, by the names of their profiles."""
    profiles = [tomllib.loads(path.read_text()) for path in sorted((runs.ROOT / "config/profiles").glob("*.toml"))]
    return [profile["name"] for profile in profiles if profile["file"].get("reader", "delimited") == "delimited"]


def make(tollway, work, name, rows):
    """The profile, the folder of the files and that of their reference data."""
    source = BASE if name in forms.FORMS else name
    month = work / source
    with runs.made_once(month) as folder:
        if folder:
            runs.run([tollway, "generate", "--seed", SEED, "--rows", rows, "--files", FILES, "--layouts", source, folder])
    if source == name:
        return name, month / "cdr" / name, month / "reference"
    with runs.made_once(work / name) as folder:
        if folder:
            with open(month / "reference/devices.csv", newline="") as devices:
                forms.write(name, month / "cdr" / BASE, list(csv.DictReader(devices)), folder)
    profile = work / name / "profile.toml"
    return str(profile) if profile.exists() else name, work / name / "cdr", month / "reference"


def measure(tollway, work, profile, files, reference):
    """CPU in seconds of one `ingest` on an empty data folder, and what became of the rows."""
    with runs.data_folder(work) as data:
        command = [tollway, "--data", data]
        runs.run([*command, "import", "tariffs", "nl-zakelijk"])
        runs.run([*command, "import", "customers", str(reference / "customers.csv")])
        runs.run([*command, "import", "devices", str(reference / "devices.csv")])
        ingest = [*command, "ingest", "--profile", profile, "--account", "bench", "--output", "json", str(files)]
        (_, cpu), _ = runs.measure([ingest])
        status = json.loads(runs.run([*command, "status", "--output", "json"]))
        return cpu, status["by_account"].popitem()[1]


def line(name, files, figures, counts):
    """A row of the table."""
    rows = counts[name]["rows_in"]
    ratio = lambda count: statistics.median(
        (cpu / counts[name][count]) / (base / counts[BASE][count]) for cpu, base in zip(figures[name], figures[BASE])
    )
    size = sum(file.stat().st_size for file in files.rglob("*") if file.is_file())
    each = runs.spread([1e6 * cpu / rows for cpu in figures[name]])
    rated = counts[name]["rated"] / rows
    return [name, f"{rows:,}", f"{size / rows:.0f}", f"{rated:.1%}", each, f"{ratio('rows_in'):.2f}", f"{ratio('rated'):.2f}"]


if __name__ == "__main__":
    main()
