#!/bin/bash
# Is the product's output right? Every row, charge and count against the oracle, at 50 thousand and 1 million rows, for three seeds.
#
#   benches/job/verify_all.sh WORKDIR [TOLLWAY]    TOLLWAY: the binary (default: the release build of this checkout)
#
#   SEEDS="1 2 3"  FILES="1 20"   which inputs; a file holds 50,000 rows
#   PYTHON=python3                with duckdb, numpy and pyarrow, such as the one that `cargo xtask test` makes
set -eu
[ $# -ge 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
py=${PYTHON:-python3}
tollway=${2:-}
if [ -z "$tollway" ]; then
    root=$(cd "$here/../.." && pwd)
    (cd "$root" && cargo build --release --package tollway)
    target=$(cd "$root" && cargo metadata --no-deps --format-version 1 | $py -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    tollway="$target/release/tollway"
fi
mkdir -p "$1"
wrong=0
for seed in ${SEEDS:-1 2 3}; do
    for files in ${FILES:-1 20}; do
        data="$1/s$seed-d$files" want="$1/s$seed-o$files" got="$1/s$seed-b$files"
        [ -d "$data" ] || { rm -rf "$data.part" && "$py" "$here/gen.py" "$data.part" --files "$files" --seed "$seed" && mv "$data.part" "$data"; }
        [ -d "$want" ] || { rm -rf "$want.part" && "$py" "$here/oracle.py" "$data" "$want.part" && mv "$want.part" "$want"; }
        rm -rf "$got"
        "$tollway" bench job "$data" "$got" >/dev/null
        "$py" "$here/verify.py" "$want" "$got" || wrong=1
    done
done
exit $wrong
