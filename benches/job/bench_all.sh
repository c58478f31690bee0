#!/bin/bash
# One command for the whole table: the product and its peers on JOB.md's 1 M CDRs, in interleaved rounds.
#
#   benches/job/bench_all.sh WORKDIR
#
#   PEERS="duckdb polars"  only these (default: duckdb polars chdb datafusion); PEERS=none runs the product alone
#   OURS="command"         what stands for the product (default: `tollway bench job {data} {out}`, built from this checkout);
#                          OURS=none leaves it out
#   ROUNDS=5 FILES=20      rounds, and input files of 50,000 rows each
#   BIG=1                  adds 200 files, 10 M rows, 3 rounds
#   FORCE=1                starts on a busy machine too
#
# WORKDIR gets the input, the expected output, the peers' Python and the tables in Markdown (b20.md, b200.md). Takes about 2 GB.
set -eu
[ $# = 1 ] || { sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$1"
cd "$1"
py=$PWD/venv/bin/python
files=${FILES:-20}

if [ ! -f venv/.ready ]; then
    python3 -m venv --clear venv
    venv/bin/pip install -q --disable-pip-version-check numpy==2.4.6 pyarrow==26.0.1 duckdb==2.0.0 polars==2.1.0 datafusion==55.0.0 chdb==4.4.0
    touch venv/.ready
fi
data() { # data NAME FILES: the input, made under another name first, so that a broken run leaves nothing that looks whole
    [ -d "$1" ] || { rm -rf "$1.part" && $py "$here/gen.py" "$1.part" --files "$2" && mv "$1.part" "$1"; }
}
data "d$files" "$files"
[ -d "o$files" ] || { rm -rf "o$files.part" && $py "$here/oracle.py" "d$files" "o$files.part" && mv "o$files.part" "o$files"; }

if [ -z "${OURS:-}" ]; then
    (cd "$root" && cargo build --release --package tollway)
    target=$(cd "$root" && cargo metadata --no-deps --format-version 1 | $py -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    OURS="$target/release/tollway bench job {data} {out}"
fi

busy() { # percent of one core that is in use, over ten seconds
    $py - <<'P'
import time
def used():
    v = [int(x) for x in open("/proc/stat").readline().split()[1:]]
    return sum(v) - v[3] - v[4], sum(v)
a = used(); time.sleep(10); b = used()
print(int(200 * (b[0] - a[0]) / (b[1] - a[1])))
P
}
while [ "${FORCE:-0}" = 0 ] && [ "$(busy)" -gt 10 ]; do echo "machine busy, waiting (FORCE=1 starts anyway)"; done

peers=()
for name in ${PEERS:-duckdb polars chdb datafusion}; do
    [ "$name" = none ] || peers+=("$name=$py -Wignore $here/peer_$name.py")
done
[ "$OURS" = none ] || peers+=("tollway=$OURS")
$py "$here/bench.py" "d$files" "b$files" --rounds "${ROUNDS:-5}" --expect "o$files" "${peers[@]}" | tee "b$files.md"
if [ "${BIG:-0}" = 1 ]; then
    data d200 200
    $py "$here/bench.py" d200 b200 --rounds 3 "${peers[@]}" | tee b200.md
fi
