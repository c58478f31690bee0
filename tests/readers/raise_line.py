#!/usr/bin/env python3
"""raise_line.py FILE: raises the amount of one posted line of a Parquet file by a cent, as a fault would; says what was changed, as JSON.

The line is the one whose amount is the largest, and of those the first by closing, customer and line.
"""
import json
import os
import sys

import duckdb

path = sys.argv[1]
changed = path + ".changed"
session = duckdb.connect()
session.execute("SET TimeZone = 'UTC'")
largest = (
    "SELECT closing, customer, line, amount FROM read_parquet(?, hive_partitioning = false) ORDER BY amount DESC, 1, 2, 3 LIMIT 1"
)
closing, customer, line, was = session.execute(largest, [path]).fetchone()
place = "closing = ? AND customer = ? AND line = ?"
raised = f"CAST(amount + CASE WHEN {place} THEN 0.01 ELSE 0 END AS DECIMAL(38, 9)) AS amount"
session.execute(
    f"COPY (SELECT * REPLACE ({raised}) FROM read_parquet(?, hive_partitioning = false)) TO '{changed}' (FORMAT parquet)",
    [closing, customer, line, path],
)
now = session.execute(f"SELECT amount FROM read_parquet(?) WHERE {place}", [changed, closing, customer, line]).fetchone()[0]
os.replace(changed, path)
print(json.dumps({"closing": closing, "customer": customer, "line": line, "was": str(was), "now": str(now)}))
