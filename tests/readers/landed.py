#!/usr/bin/env python3
"""landed.py DATA: the files that have landed and how many data rows each holds, counted by Python's csv module, as JSON.

Knows the shipped layouts from their description alone: encoding, separator, quoting, header, trailer.
"""
import csv
import json
import os
import sys

LAYOUTS = {
    "kpn-sp16": {"encoding": "latin-1", "delimiter": ";", "quoting": csv.QUOTE_NONE, "header": 1, "trailer": "TRAILER"},
    "routit": {"encoding": "utf-8-sig", "delimiter": ",", "header": 1},
    "asterisk-cdr-csv": {"encoding": "utf-8", "delimiter": ",", "header": 0},
    "mobile-metadata": {"encoding": "utf-8", "delimiter": ",", "header": 1},
    "job": {"encoding": "utf-8", "delimiter": ",", "header": 1},
    "kpn-een": {"encoding": "utf-8", "delimiter": ";", "header": 1},
    "vodafone": {"encoding": "cp1252", "delimiter": "|", "quoting": csv.QUOTE_NONE, "header": 2, "trailer": "TOTAAL"},
    "tmobile-calvi": {"encoding": "utf-16", "delimiter": "\t", "header": 1, "trailer": "TOTAL"},
    "yielder": {"encoding": "utf-8", "delimiter": ",", "header": 1, "trailer": "#end"},
    "freeswitch-cdr-csv": {"encoding": "utf-8", "delimiter": ",", "header": 0},
    "pbx-csv": {"encoding": "utf-8", "delimiter": ",", "header": 1},
    "cisco-cucm": {"encoding": "utf-8", "delimiter": ",", "header": 1},
}


def rows(path, encoding, delimiter, header, quoting=csv.QUOTE_MINIMAL, trailer=None):
    with open(path, newline="", encoding=encoding, errors="replace") as file:
        lines = [line for line in csv.reader(file, delimiter=delimiter, quoting=quoting) if line][header:]
    if trailer:
        last = lines.pop()
        assert last[0] == trailer, f"{path} ends with {last}"
        assert int(last[1]) == len(lines), f"the trailer of {path} says {last[1]}, it has {len(lines)}"
    return len(lines)


def landed(data):
    landing = os.path.join(data, "store", "landing")
    for name in sorted(os.listdir(os.path.join(landing, "arrivals"))):
        with open(os.path.join(landing, "arrivals", name)) as file:
            record = json.load(file)
        # What arrived together lies in one record.
        deliveries = [kind.get("delivery") for kind in record.get("kinds") or [record["kind"]]]
        for delivery in filter(lambda d: d and d["state"] == "announced", deliveries):
            identity, profile = delivery["identity"], delivery["profile"].split("@")[0]
            path = os.path.join(landing, "objects", identity["sha256"])
            yield {"delivery": delivery["delivery"], "profile": profile, "account": identity["account"]["account"],
                   "file": identity["logical_file"], "rows": rows(path, **LAYOUTS[profile])}


if __name__ == "__main__":
    json.dump(list(landed(sys.argv[1])), sys.stdout)
