#!/usr/bin/env python3
"""raise_charge.py FILE: raises the charge of one row of a Parquet file by its last place, as a fault would; says what was changed, as JSON.

The row is the one whose charge is the largest, and of those the first by delivery and row.
"""
import json
import os
import sys

import duckdb

path = sys.argv[1]
changed = path + ".changed"
session = duckdb.connect()
session.execute("SET TimeZone = 'UTC'")
largest = "SELECT delivery, row, charge FROM read_parquet(?, hive_partitioning = false) WHERE rows > 0 ORDER BY charge DESC, 1, 2 LIMIT 1"
delivery, row, was = session.execute(largest, [path]).fetchone()
raised = "CAST(charge + CASE WHEN delivery = ? AND row = ? THEN 0.000000001 ELSE 0 END AS DECIMAL(18, 9)) AS charge"
session.execute(
    f"COPY (SELECT * REPLACE ({raised}) FROM read_parquet(?, hive_partitioning = false)) TO '{changed}' (FORMAT parquet)",
    [delivery, row, path],
)
now = session.execute("SELECT charge FROM read_parquet(?) WHERE delivery = ? AND row = ?", [changed, delivery, row]).fetchone()[0]
os.replace(changed, path)
print(json.dumps({"record": f"{delivery}:{row}", "was": str(was), "now": str(now)}))
