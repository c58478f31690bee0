"""Our Delta tables as other readers see them: the file list of PyPI's `deltalake`, read by DuckDB or Polars."""
import os

import duckdb
import polars
from deltalake import DeltaTable

MONEY_DIGITS = 9

# Which of two equal records was kept is not specified, so where a record stands in its file is no part of what it is.
LINEAGE = {"delivery", "arrival", "row", "byte_offset", "byte_length", "as_of"}


def table(data, name):
    """The newest version of a table of a data folder."""
    return DeltaTable(os.path.join(data, "store", "tables", name))


def files(data, name):
    """The live files of a table."""
    return sorted(path.removeprefix("file://") for path in table(data, name).file_uris())


def duck(*named):
    """A DuckDB session with a view per (view, data folder, table)."""
    session = duckdb.connect()
    session.execute("SET TimeZone = 'UTC'")
    for view, data, name in named:
        session.execute(
            f"CREATE VIEW {view} AS SELECT * FROM read_parquet({files(data, name)}, hive_partitioning = true, "
            "hive_types_autocast = false, union_by_name = true)"
        )
    return session


def frame(data, name):
    """A table in Polars."""
    return polars.scan_parquet(files(data, name), hive_partitioning=True, try_parse_hive_dates=False)


def money(value):
    """An exact sum as text, with all its places; nothing is 0."""
    return f"{value or 0:.{MONEY_DIGITS}f}"
