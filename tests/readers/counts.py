#!/usr/bin/env python3
"""counts.py DATA: rows and money per file and per total, as DuckDB and as Polars see them, as JSON; every cell is a text."""
import json
import sys

import polars
import tables

SUMS = ("rows_in", "rated", "suspense", "duplicates", "resent", "skipped")


def duckdb_counts(data):
    session = tables.duck(("entries", data, "cdr_entries"), ("totals", data, "totals"))
    ledger = ", ".join(f"sum(ledger_{name})" for name in SUMS)
    ask = lambda sql: session.execute(sql).fetchall()
    return {
        "outcomes": ask("SELECT delivery, outcome, sum(rows), sum(charge), sum(cost) FROM entries WHERE outcome <> 'ledger' "
                        "GROUP BY ALL ORDER BY ALL"),
        "ledger": ask(f"SELECT delivery, {ledger} FROM entries WHERE outcome = 'ledger' GROUP BY ALL ORDER BY delivery"),
        "totals": ask("SELECT billing_period, customer, currency, sum(count), sum(seconds), sum(bytes), sum(charge), sum(cost) "
                      "FROM totals GROUP BY ALL ORDER BY billing_period, customer, currency"),
    }


def polars_counts(data):
    entries, totals = tables.frame(data, "cdr_entries"), tables.frame(data, "totals")
    records = entries.filter(polars.col("outcome") != "ledger").with_columns(polars.col("rows").cast(polars.Int64))
    ledger = entries.filter(polars.col("outcome") == "ledger")

    def sums(frame, keys, columns):
        grouped = frame.group_by(keys).agg([polars.col(name).sum() for name in columns]).sort(keys)
        return grouped.select(keys + columns).collect().rows()

    return {
        "outcomes": sums(records, ["delivery", "outcome"], ["rows", "charge", "cost"]),
        "ledger": sums(ledger, ["delivery"], [f"ledger_{name}" for name in SUMS]),
        "totals": sums(totals, ["billing_period", "customer", "currency"], ["count", "seconds", "bytes", "charge", "cost"]),
    }


def texts(counts):
    money = {"outcomes": 2, "ledger": 0, "totals": 2}  # the last so many columns are sums of money
    def cells(name, row):
        first_money = len(row) - money[name]
        return [tables.money(cell) if i >= first_money else str(cell) for i, cell in enumerate(row)]
    return {name: [cells(name, row) for row in rows] for name, rows in counts.items()}


if __name__ == "__main__":
    json.dump({"duckdb": texts(duckdb_counts(sys.argv[1])), "polars": texts(polars_counts(sys.argv[1]))}, sys.stdout)
