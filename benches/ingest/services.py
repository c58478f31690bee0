#!/usr/bin/env python3
"""The pace of services that have long joined their group, on Kafka and PostgreSQL: what does a site get on an ordinary day?

  services.py WORKDIR [TOLLWAY]   WORKDIR: as bench_all.sh leaves it (d20); TOLLWAY: the binary (default: target/release/tollway)

  ROUNDS=5 SERVICES=3 ACCOUNTS=20
  TOLLWAY_KAFKA, TOLLWAY_POSTGRES   as `cargo xtask services start kafka postgres` wrote them

In each round SERVICES processes of `tollway run` start on an empty installation. A first small file for every account shows that all
take part; then the million lands, by one `ingest --land-only` per account, one after the other, as files come in. The clock runs from
the first landing to the last row's commit, as the services' metrics tell it. CPU is that of the services and of landing, by the
kernel's count; the broker's and the database's are shown beside it.
"""

import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

import runs

SERVICES = int(os.environ.get("SERVICES", "3"))
ACCOUNTS = int(os.environ.get("ACCOUNTS", "20"))
SAMPLE_ROWS = 200
WAIT_S = 120
TICKS = os.sysconf("SC_CLK_TCK")


def main():
    work, tollway = runs.arguments(__doc__)
    files = sorted((work / "d20/cdr").iterdir())
    rounds = [one_round(work, tollway, files, number) for number in range(1 + runs.rounds())][1:]  # the first warms up
    walls, cpus, servers = zip(*[figures[:3] for figures in rounds])
    rows = rounds[0][3]
    rate = f"{rows / statistics.median(walls):,.0f}"
    per_core = f"{rows / statistics.median(cpus):,.0f}"
    heads = ["services", "wall s", "CPU s", "CPU s of broker and database", "rows/s", "rows per CPU s"]
    runs.table(heads, [[str(SERVICES), runs.spread(walls), runs.spread(cpus), runs.spread(servers), rate, per_core]])


def one_round(work, tollway, files, number):
    """Wall and CPU seconds of the million, CPU of the servers meanwhile, and the rows."""
    env = runs.on_servers(number)
    with runs.data_folder(work) as data, contextlib.ExitStack() as ends:
        command = [tollway, "--data", data]
        runs.prepare(command, work, env)
        services = [ends.enter_context(service(command, env)) for _ in range(SERVICES)]
        land = [*command, "ingest", "--land-only", "--profile", "job", "--account"]
        for account in range(ACCOUNTS):
            runs.run([*land, f"account-{account}", sample(work, files, account)], env)
        before = rows_of(services, ACCOUNTS * SAMPLE_ROWS)
        if min(before) == 0:
            print(f"round {number}: a service had nothing to do in the beginning: {before}", file=sys.stderr)
        os.sync()
        used, idle_servers, landed = cpu_of(services), cpu_of_servers(), runs.cpu_of_children()
        began = time.monotonic()
        for account in range(ACCOUNTS):
            runs.run([*land, f"account-{account}", *map(str, files[account::ACCOUNTS])], env)
        landed_after = time.monotonic() - began
        expected = ACCOUNTS * SAMPLE_ROWS + sum(file.read_bytes().count(b"\n") - 1 for file in files)
        after = rows_of(services, expected)
        wall = time.monotonic() - began
        cpu = cpu_of(services) - used + runs.cpu_of_children() - landed
        shares = [a - b for a, b in zip(after, before)]
        print(f"round {number}: {wall:.2f} s, of it {landed_after:.2f} s landing, {cpu:.2f} s of CPU, rows by service {shares}", file=sys.stderr)
        status = json.loads(runs.run([*command, "status", "--output", "json"], env))
        counted = sum(account["rows_in"] for account in status["by_account"].values())
        if counted != expected:
            sys.exit(f"{counted} rows instead of {expected}")
        return wall, cpu, cpu_of_servers() - idle_servers, sum(shares)


def sample(work, files, account):
    """A small file, another one for each account: the same bytes would be held. Its rows come again and are duplicates then."""
    path = work / f"sample-{account}.csv"
    header, *rows = files[account % len(files)].read_bytes().splitlines(keepends=True)
    begin = account // len(files) * SAMPLE_ROWS
    path.write_bytes(b"".join([header, *rows[begin : begin + SAMPLE_ROWS]]))
    return str(path)


@contextlib.contextmanager
def service(command, env):
    """A running `tollway run`: its process and the address of its metrics."""
    log = {"TOLLWAY_LOGGING__LEVEL": "info"}
    run = [*command, "run", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(run, env=env | log, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for line in process.stderr:
            found = re.search(r"127\.0\.0\.1:\d+", line) if "listening" in line else None
            if found:
                break
        else:
            sys.exit("a service ended before it listened")
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield process, found[0]
    finally:
        process.terminate()
        process.wait()


def rows_of(services, expected):
    """Waits until the services have committed so many rows together; gives each one's."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        rows = [committed(address) for _, address in services]
        if sum(rows) >= expected:
            return rows
        time.sleep(0.02)
    sys.exit(f"{sum(rows)} of {expected} rows after {WAIT_S} s")


def committed(address):
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("tollway_rows_total{"))


def cpu_of(services):
    return sum(ticks(process.pid) for process, _ in services) / TICKS


def ticks(pid):
    """User and system time of a process and of its children that have ended (proc(5))."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15])


def cpu_of_servers():
    """Seconds of all processes of Kafka (java) and PostgreSQL."""
    sums = 0
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "comm").read_text().strip() in ("java", "postgres"):
                sums += ticks(folder.name)
    return sums / TICKS


if __name__ == "__main__":
    main()
