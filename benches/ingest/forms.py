"""The rows of the layout `job` in the forms of the other readers, each with its profile: the same calls, so the same work behind
the reader. TAP3 comes without a profile, because there is a shipped one; it names the visited network in its head, so its
calls are roaming.
"""

import csv
import re

import runs

JOB = runs.ROOT / "config/profiles/job.toml"
NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")


def write(form, source, devices, folder):
    """Writes `cdr/` and, where none is shipped, `profile.toml` below a folder."""
    files = []
    for path in sorted(source.rglob("*.csv")):
        with open(path, newline="") as file:
            files.append((path.stem, list(csv.DictReader(file))))
    (folder / "cdr").mkdir()
    for name, content, profile in FORMS[form](files, devices):
        (folder / "cdr" / name).write_bytes(content)
    if profile:
        # What columns mean is said as in the source's profile; how they are found is the form's.
        meaning = JOB.read_text().partition("[record]")
        text = f'name = "{form}"\nversion = 1\ntitle = "rows of the yardstick as {form}"\n\n{profile}\n{meaning[1]}{meaning[2]}'
        (folder / "profile.toml").write_text(text)


def cells(row):
    """The fields that a row has; one that was cut off has fewer."""
    return [(name, value) for name, value in row.items() if name and value is not None]


def xml(files, _):
    for stem, rows in files:
        records = ("".join(f"<{name}>{value}</{name}>" for name, value in cells(row) if value) for row in rows)
        text = "".join(f"  <Call>{record}</Call>\n" for record in records)
        document = f'<?xml version="1.0" encoding="UTF-8"?>\n<Usage>\n{text}</Usage>\n'
        yield f"{stem}.xml", document.encode(), '[file]\nreader = "xml"\n\n[xml]\nrecord = "Usage/Call"\n'


def json_object(row):
    def value(name, text):
        is_number = name in ("duration_s", "bytes_up", "bytes_down", "cost") and NUMBER.fullmatch(text)
        return text if is_number else f'"{text}"'

    return "{" + ", ".join(f'"{name}": {value(name, text)}' for name, text in cells(row) if text) + "}"


def json_lines(files, _):
    for stem, rows in files:
        yield f"{stem}.jsonl", "".join(f"{json_object(row)}\n" for row in rows).encode(), '[file]\nreader = "json"\n'


def json_array(files, _):
    for stem, rows in files:
        text = ",\n  ".join(map(json_object, rows))
        yield f"{stem}.json", f"[\n  {text}\n]\n".encode(), '[file]\nreader = "json"\n\n[json]\nrecords = "array"\n'


def fixed_width(files, _):
    widths = {}
    for _, rows in files:
        for row in rows:
            for name, value in cells(row):
                widths[name] = max(widths.get(name, 1), len(value))
    columns, start = [], 1
    for name, width in widths.items():
        columns.append(f"{name} = {{ start = {start}, width = {width} }}\n")
        start += width
    profile = '[file]\nreader = "fixed-width"\nshort_rows = "pad"\n\n[columns]\n' + "".join(columns)
    for stem, rows in files:
        lines = ("".join(value.ljust(widths[name]) for name, value in cells(row)).rstrip() for row in rows)
        yield f"{stem}.txt", "".join(f"{line}\n" for line in lines).encode(), profile


def tap3(files, devices):
    imsis = {device["msisdn"]: device["imsi"] for device in devices}
    for number, (_, rows) in enumerate(files, 1):
        events = [event for event in (tap3_event(row, imsis) for row in rows) if event]
        charges = sum(units for _, units in events)
        stamp = lambda tag: group(tag, text(16, "20261101120000") + text(231, "+0100"))
        control = text(196, SENDER) + text(182, "NLDLT") + text(109, f"{number:05d}")
        control += stamp(108) + stamp(227) + stamp(107) + integer(201, 3) + integer(189, 12)
        rates = group(80, group(106, integer(105, 0) + integer(159, 2) + integer(104, 125)))
        accounting = text(135, "EUR") + rates + integer(244, 6)
        offset = lambda code, hours: group(233, integer(232, code) + text(231, hours))
        entity = group(183, integer(184, 1) + integer(186, 1) + text(400, "491710000001"))
        network = group(234, offset(1, "+0100") + offset(2, "+0200")) + group(188, entity)
        audit = integer(415, charges) + integer(226, 0) + integer(43, len(events))
        head = group(4, control) + group(5, accounting) + group(6, network)
        body = group(3, b"".join(event for event, _ in events))
        yield f"CD{SENDER}NLDLT{number:05d}", group(1, head + body + group(15, audit)), None


SENDER = "DEUD1"
FORMS = {"tap3": tap3, "xml": xml, "json-lines": json_lines, "json-array": json_array, "fixed-width": fixed_width}


def tap3_event(row, imsis):
    """An event and its charge; nothing for a row that cannot be said in TAP3."""
    row = {name: value or "" for name, value in row.items()}
    served, other, cost = e164(row["a_number"]), e164(row["b_number"]), NUMBER.fullmatch(row["cost"])
    start = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\+0([12]):00", row["start"])
    is_data = row["type"] == "data"
    seconds = [row["duration_s"], *([row["bytes_up"], row["bytes_down"]] if is_data else [])]
    if not (served and cost and start and (other or is_data) and all(text and text.isdigit() for text in seconds)):
        return None
    units = round(float(row["cost"]) * 1_000_000)
    *clock, offset = start.groups()
    sim = (digits(129, imsis[served]) if served in imsis else b"") + digits(152, served)
    subscriber = group(427, group(199, sim))
    when = group(44, text(16, "".join(clock)) + integer(232, int(offset))) + integer(223, int(row["duration_s"]))
    detail = lambda kind: group(63, text(71, kind) + integer(62, units))
    levels = group(258, integer(259, 1) + integer(255, 0) + integer(256, 31))
    charge = group(70, group(69, text(66, "D") + integer(105, 0) + levels + group(64, detail("00") + detail("03"))))
    reference = bytes.fromhex(row["record_id"].replace("-", "").rjust(16, "0")[-16:])
    if is_data:
        basic = group(114, group(115, subscriber) + when + integer(72, int.from_bytes(reference, "big") >> 16))
        location = group(117, group(118, group(185, integer(184, 1))))
        volumes = integer(250, int(row["bytes_down"])) + integer(251, int(row["bytes_up"]))
        return group(14, basic + location + group(121, volumes + charge)), units
    event, basic, party, number = (10, 153, 41, 405) if row["direction"] == "MT" else (9, 147, 89, 407)
    basic = group(basic, subscriber + group(party, digits(number, other)) + when)
    location = group(138, group(156, integer(184, 1) + value(45, reference)))
    service = group(36, group(426, text(218, "11" if row["type"] == "voice" else "22")))
    return group(event, basic + location + group(38, group(39, service + charge))), units


def e164(written):
    """The digits of a number in any of the notations of `job`; nothing for what is none."""
    kept = re.sub(r"\(0\)|[ ()-]", "", written) if written.startswith("+") else re.sub(r"[ ()-]", "", written)
    kept = kept[1:] if kept.startswith("+") else kept[2:] if kept.startswith("00") else re.sub("^0", "31", kept)
    return kept if kept.isdigit() and 8 <= len(kept) <= 15 else None


def tag(number, is_group):
    first = 0x60 if is_group else 0x40
    if number < 31:
        return bytes([first | number])
    return bytes([first | 31, number]) if number < 128 else bytes([first | 31, 0x80 | number >> 7, number & 0x7F])


def value(number, content, is_group=False):
    """An element of BER of class APPLICATION, with a definite length."""
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    length = octets if size < 128 else bytes([0x80 | len(octets)]) + octets
    return tag(number, is_group) + length + content


def group(number, content):
    return value(number, content, True)


def integer(number, whole):
    return value(number, whole.to_bytes(whole.bit_length() // 8 + 1, "big"))


def text(number, written):
    return value(number, written.encode())


def digits(number, written):
    """Two digits in an octet, the last one filled up."""
    return value(number, bytes.fromhex(written + "f" * (len(written) % 2)))
