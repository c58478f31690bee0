#!/usr/bin/env python3
"""What has a price, rated again: how long does the difference over ten million records take, and posting it?

  again.py WORKDIR [TOLLWAY]   WORKDIR: as bench_all.sh leaves it (d20); TOLLWAY: the binary (default: target/release/tollway)

  ROUNDS=5      rounds of each question
  ACCOUNTS=10   accounts under which the million comes

Prints a table in Markdown: medians with (smallest-largest). `unchanged`: nothing differs. `one plan`, `every price`: prices are a
tenth higher, those of one plan or all. `posted`: every price, written as corrections, once, on one account.
"""

import csv
import decimal
import os
import shutil
import sys

import runs


def main():
    work, tollway = runs.arguments(__doc__)
    accounts = int(os.environ.get("ACCOUNTS", "10"))
    with runs.data_folder(work) as data:
        command = [tollway, "--data", data, "--output", "json", "--quiet"]
        runs.prepare(command, work, runs.environment())
        for number in range(accounts):
            ingest = [*command, "ingest", "--profile", "job", "--account", f"account-{number}", "--as-new", str(work / "d20/cdr")]
            runs.measure([ingest])
        lines = []
        dry = [*command, "rerate", "--cycle", "all", "--dry-run"]
        for what in ["unchanged", "one plan", "every price"]:
            if what != "unchanged":
                base = dearer(work, what)
                runs.run([*command, "import", "tariffs", "job", "--base", str(base)])
            figures = [runs.measure([dry]) for _ in range(1 + runs.rounds())][1:]
            lines.append(line(what, [figure for figure, _ in figures], figures[0][1][0]))
        post = [*command, "rerate", "--cycle", "all", "--account", "account-0"]
        figure, (posted,) = runs.measure([post])
        lines.append(line("posted", [figure], posted))
        figure, (again,) = runs.measure([post])
        if posted["state"] != "rerated" or again["state"] != "unchanged":
            sys.exit(f"posted: {posted['state']}, then {again['state']}")
        lines.append(line("posted twice", [figure], again))
    runs.table(["what", "records", "differ", "wall s", "CPU s", "records/s"], lines)


def line(what, figures, answer):
    walls, cpus = zip(*figures)
    chosen, changes = answer["chosen"], answer["changes"]
    rate = f"{chosen / (sum(walls) / len(walls)):,.0f}"
    return [what, f"{chosen:,}", f"{changes:,}", runs.spread(walls), runs.spread(cpus), rate]


def dearer(work, what):
    """The job's tables in a folder of their own, with prices that are a tenth higher: those of the first plan, or all."""
    with runs.made_once(work / f"ref-{what.replace(' ', '-')}") as made:
        if made:
            shutil.copytree(work / "d20/ref", made, dirs_exist_ok=True)
            with open(work / "d20/ref/prices.csv", newline="") as prices:
                rows = list(csv.DictReader(prices))
            first = rows[0]["plan_id"]
            for row in rows:
                if what == "every price" or row["plan_id"] == first:
                    row["unit_price"] = str(decimal.Decimal(row["unit_price"]) * decimal.Decimal("1.1"))
            with open(made / "prices.csv", "w", newline="") as prices:
                writer = csv.DictWriter(prices, rows[0].keys(), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
    return work / f"ref-{what.replace(' ', '-')}"


if __name__ == "__main__":
    main()
