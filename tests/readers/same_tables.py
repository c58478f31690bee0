#!/usr/bin/env python3
"""same_tables.py DATA OTHER: fails unless both data folders hold the same records, counts and totals.

Records are compared as multisets over all columns but lineage: record key, outcome, reason, charge, derivation and the rest.
Of rows that leave no record (duplicates, resends, skipped) the counts per account are compared; totals key by key.
"""
import sys

import tables

LABELS = "billing_period, tenant, customer, subscription, device, plan, kind, zone, band, currency"
SUMS = ("count", "seconds", "bytes", "messages", "billed_units", "charge", "cost")
LEDGER = """SELECT tenant, provider, account, sum(ledger_rows_in) AS rows_in, sum(ledger_rated) AS rated,
    sum(ledger_suspense) AS suspense, sum(ledger_duplicates + ledger_resent) AS copies, sum(ledger_skipped) AS skipped
    FROM {view} WHERE outcome = 'ledger' GROUP BY ALL"""


def records(session, view):
    columns = [name for name, *_ in session.execute(f"DESCRIBE {view}").fetchall()]
    kept = [name for name in columns if name not in tables.LINEAGE and not name.startswith("ledger_")]
    for needed in ("record_key", "outcome", "reason", "charge", "tariff", "zone", "zone_by", "zone_row", "band", "price_row"):
        assert needed in kept, f"{needed} is missing in {view}"
    return f"SELECT {', '.join(kept)} FROM {view} WHERE outcome <> 'ledger'"


def totals(view):
    sums = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    return f"SELECT {LABELS}, {sums} FROM {view} GROUP BY ALL"


def compare(session, what, left, right):
    lost = f"(({left}) EXCEPT ALL ({right}))"
    extra = f"(({right}) EXCEPT ALL ({left}))"
    count = lambda query: session.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]
    missing, more, whole = count(lost), count(extra), count(left)
    if missing or more:
        print(f"{what}: {missing} rows only in {sys.argv[1]}, {more} only in {sys.argv[2]}")
        for side, query in ((sys.argv[1], lost), (sys.argv[2], extra)):
            for row in session.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {query} ORDER BY ALL LIMIT 5").fetchall():
                print(f"only in {side}: {row}")
        sys.exit(1)
    return whole


def main(data, other):
    session = tables.duck(("a", data, "cdr_entries"), ("b", other, "cdr_entries"), ("ta", data, "totals"), ("tb", other, "totals"))
    rows = compare(session, "records", records(session, "a"), records(session, "b"))
    accounts = compare(session, "counts per account", LEDGER.format(view="a"), LEDGER.format(view="b"))
    keys = compare(session, "totals", totals("ta"), totals("tb"))
    assert rows and accounts and keys, "nothing was compared"
    print(f"the same {rows} records, counts of {accounts} accounts and {keys} totals")


if __name__ == "__main__":
    main(*sys.argv[1:])
