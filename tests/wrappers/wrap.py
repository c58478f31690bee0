#!/usr/bin/env python3
"""wrap.py MONTH OUT: the files of a generated month, wrapped by programs that are not ours, one folder per way.

MONTH holds cdr/PROFILE/ACCOUNT/NAME; OUT gets WAY/PROFILE/ACCOUNT/ with a wrapped file per file (gz, zst, bz2) or an archive of
all of them (zip, tar.gz, nested). Archives also hold what no provider means as data, and names that would lead elsewhere.
"""
import bz2
import gzip
import io
import os
import sys
import tarfile
import zipfile

import pyarrow

STREAMS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "zst": lambda data: pyarrow.compress(data, codec="zstd", asbytes=True),
}


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2026/", b"")
        for place, (name, data) in enumerate(files):
            archive.writestr(f"{['../../x', '/etc/cron.d'][place % 2]}/{name}", data)
            archive.writestr(f"__MACOSX/._{name}", b"\x00\x05\x16\x07")
    return out.getvalue()


def tarred(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, kind, target in (("./2026", tarfile.DIRTYPE, ""), ("./passwd", tarfile.SYMTYPE, "/etc/passwd")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            archive.addfile(entry)
        for name, data in files:
            entry = tarfile.TarInfo(f"./2026/../../../x/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def nested(files):
    """A zip of a tar.gz of gzip files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("month/all.tgz", tarred([(f"{name}.gz", gzip.compress(data)) for name, data in files]))
    return out.getvalue()


ARCHIVES = {"zip": zipped, "tar.gz": tarred, "nested": nested}


def write(out, way, account, name, data):
    folder = os.path.join(out, way, account)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def main(month, out):
    root = os.path.join(month, "cdr")
    for folder, _, names in os.walk(root):
        account = os.path.relpath(folder, root)
        files = [(name, open(os.path.join(folder, name), "rb").read()) for name in sorted(names)]
        for way, compress in STREAMS.items():
            for name, data in files:
                write(out, way, account, f"{name}.{way}", compress(data))
        for way, pack in ARCHIVES.items():
            if files:
                # What an archive is called says nothing of what it is.
                write(out, way, account, "delivery.dat", pack(files))


if __name__ == "__main__":
    main(*sys.argv[1:])
