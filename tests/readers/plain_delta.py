#!/usr/bin/env python3
"""plain_delta.py DATA: what PyPI's `deltalake` says of our tables: version, files, positions, history, checkpoints, as JSON."""
import glob
import json
import os
import sys

import pyarrow.parquet
import tables


def positions(data, name, table):
    """The newest version per application, asked of deltalake; which applications there are is read from the log itself."""
    log = os.path.join(data, "store", "tables", name, "_delta_log")
    applications = set()
    for path in glob.glob(os.path.join(log, "*.json")):
        with open(path) as entry:
            actions = [json.loads(line) for line in entry]
        applications |= {action["txn"]["appId"] for action in actions if "txn" in action}
    for path in glob.glob(os.path.join(log, "*.checkpoint*.parquet")):
        rows = pyarrow.parquet.read_table(path, columns=["txn"]).column("txn").to_pylist()
        applications |= {row["appId"] for row in rows if row}
    return {application: table.transaction_version(application) for application in sorted(applications)}


def described(data, name):
    table = tables.table(data, name)
    log = os.path.join(data, "store", "tables", name, "_delta_log")
    return {
        "version": table.version(),
        "files": sorted(os.path.relpath(path, os.path.join(data, "store", "tables", name)) for path in tables.files(data, name)),
        "positions": positions(data, name, table),
        "history": [entry.get("engineInfo") for entry in table.history()],
        "checkpoints": len(glob.glob(os.path.join(log, "*.checkpoint*.parquet"))),
    }


if __name__ == "__main__":
    json.dump({name: described(sys.argv[1], name) for name in ("cdr_entries", "totals")}, sys.stdout)
