"""Runs of `tollway ingest` as a user sees them, measured in rounds: what the programs beside this file share.

A run is one process (or several at once) on a data folder; its figure is wall time and CPU in seconds, from start to answer.
CPU is that of tollway's processes, by the kernel's count.
"""

import atexit
import contextlib
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "target/release/tollway"


def arguments(text):
    """The work folder and the binary, or the program's text."""
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(text)
    work = pathlib.Path(sys.argv[1]).resolve()
    work.mkdir(parents=True, exist_ok=True)
    return work, str(pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else BINARY).resolve())


def rounds():
    return int(os.environ.get("ROUNDS", "5"))


def environment(**more):
    """Nothing of the caller's settings reaches the binary."""
    return {k: v for k, v in os.environ.items() if not k.startswith("TOLLWAY_")} | more


def on_servers(number):
    """Settings of an installation of its own for a round on Kafka and PostgreSQL, one worker in each process."""
    name = f"bench{os.getpid()}r{number}"
    return environment(
        TOLLWAY_LOG__KIND="kafka",
        TOLLWAY_KAFKA__BROKERS=os.environ["TOLLWAY_KAFKA"],
        TOLLWAY_KAFKA__TOPIC_PREFIX=f"{name}.",
        TOLLWAY_KAFKA__REPLICATION="1",
        TOLLWAY_STATE__URL=os.environ["TOLLWAY_POSTGRES"],
        TOLLWAY_STATE__SCHEMA=name,
        TOLLWAY_PIPELINE__WORKERS="1",
    )


def prepare(command, work, env):
    """The topics, if the log is Kafka's, and the reference data of the job."""
    if env.get("TOLLWAY_LOG__KIND") == "kafka":
        run([*command, "topics", "create"], env)
    run([*command, "import", "tariffs", "job", "--base", str(work / "d20/ref")], env)
    run([*command, "import", "devices", str(work / "d20/ref/devices.csv")], env)


@contextlib.contextmanager
def data_folder(work):
    """An empty data folder, gone when all runs are done: a file system that has just freed thousands of files makes new ones at
    several times the cost (ext4 passes over each freed inode for up to five minutes), and the next run would pay for it."""
    folder = tempfile.mkdtemp(prefix="data-", dir=work)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yield folder


@contextlib.contextmanager
def made_once(folder):
    """A folder to fill, unless it is there: an interrupted run leaves none that looks whole. Gives none if nothing is to do."""
    if folder.exists():
        yield None
        return
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    yield part
    part.rename(folder)


def run(command, env=None):
    """Runs a command that must end well; gives what it prints."""
    done = subprocess.run(command, env=env or environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr.decode()}")
    return done.stdout


def measure(commands, env=None):
    """Runs commands at the same time: (wall, CPU) in seconds, and the answers in JSON."""
    os.sync()
    began, before = time.monotonic(), cpu_of_children()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen(command, env=env or environment(), **pipes) for command in commands]
    printed = [process.communicate()[0] for process in started]
    wall, cpu = time.monotonic() - began, cpu_of_children() - before
    for process, command in zip(started, commands):
        # 1 says that some rows or files need a hand.
        if process.returncode not in (0, 1):
            sys.exit(f"{' '.join(map(str, command))}: ended with {process.returncode}")
    return (wall, cpu), [json.loads(text) for text in printed]


def cpu_of_children():
    """Of all that have ended: seconds, to the microsecond."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spread(figures):
    """Median (smallest-largest)."""
    return f"{statistics.median(figures):.2f} ({min(figures):.2f}-{max(figures):.2f})"


def table(heads, rows):
    """Prints Markdown."""
    for cells in [heads, ["---"] * len(heads), *rows]:
        print("|", " | ".join(cells), "|")
