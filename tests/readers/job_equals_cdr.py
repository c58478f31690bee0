#!/usr/bin/env python3
"""job_equals_cdr.py OUT DATA: fails unless the detail and totals of `bench job` are the projection of the tables.

All columns of JOB.md's detail are compared as a multiset: no lineage is among them, so which copy was kept does not matter.
"""
import glob
import sys

import tables

JOB = """SELECT record_id::VARCHAR, customer_id::INT, device_id::INT, plan_id::INT, kind::VARCHAR, zone::VARCHAR, band::VARCHAR,
    month::VARCHAR, epoch_us(start), duration_s::INT, coalesce(bytes_up, 0)::BIGINT, coalesce(bytes_down, 0)::BIGINT,
    a_number::VARCHAR, b_number::VARCHAR, mccmnc::VARCHAR, cost::DECIMAL(18, 6), charge::DECIMAL(18, 6) FROM job"""
CDR = """SELECT record_id, customer::INT, device::INT, plan::INT, kind, zone, band,
    strftime(make_timestamp(epoch_us(start) + start_offset_s::BIGINT * 1000000), '%Y-%m'), epoch_us(start), duration_s,
    coalesce(bytes_up, 0), coalesce(bytes_down, 0),
    a_number, b_number, replace(network, '-', ''), cost::DECIMAL(18, 6), charge::DECIMAL(18, 6)
    FROM entries WHERE outcome = 'rated' AND entry = 'charge'"""
JOB_TOTALS = """SELECT customer_id::VARCHAR, device_id::VARCHAR, kind::VARCHAR, zone::VARCHAR, band::VARCHAR,
    sum(count)::HUGEINT, sum(seconds)::HUGEINT, sum(bytes)::HUGEINT, sum(charge)::DECIMAL(38, 6) FROM job_totals GROUP BY ALL"""
TOTALS = """SELECT customer, device, kind, zone, band,
    sum(count)::HUGEINT, sum(seconds)::HUGEINT, sum(bytes)::HUGEINT, sum(charge)::DECIMAL(38, 6) FROM totals GROUP BY ALL"""


def main(out, data):
    session = tables.duck(("entries", data, "cdr_entries"), ("totals", data, "totals"))
    for view, name in (("job", "detail*"), ("job_totals", "totals*")):
        files = sorted(glob.glob(f"{out}/{name}.parquet"))
        session.execute(f"CREATE VIEW {view} AS SELECT * FROM read_parquet({files})")
    for what, left, right in (("rows", JOB, CDR), ("totals", JOB_TOTALS, TOTALS)):
        lost, extra = (session.execute(f"SELECT count(*) FROM (({a}) EXCEPT ALL ({b}))").fetchall()[0][0]
                       for a, b in ((left, right), (right, left)))
        if lost or extra:
            print(f"{what}: {lost} only in the job's output, {extra} only in the tables")
            for side, a, b in (("the job's output", left, right), ("the tables", right, left)):
                for row in session.execute(f"SELECT * FROM (({a}) EXCEPT ALL ({b})) LIMIT 3").fetchall():
                    print(f"only in {side}: {row}")
            sys.exit(1)
        count = session.execute(f"SELECT count(*) FROM ({left})").fetchall()[0][0]
        print(f"the same {count} {what}")


if __name__ == "__main__":
    main(*sys.argv[1:])
