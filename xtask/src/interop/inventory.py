# SPDX-License-Identifier: MIT OR Apache-2.0
"""What Python's libraries read in the forms of `certkeep list`.

argv[1] is the PKI directory, argv[2] a folder with the same inventory as
list.json, list.csv, list.ics, list.prometheus. Writes one line for each
complaint to stdout, and at the end `checks` and their number.
"""

import csv
import datetime
import json
import pathlib
import sys

import icalendar
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from prometheus_client.parser import text_string_to_metric_families

PKI, FOLDER = map(pathlib.Path, sys.argv[1:3])
checks = 0


def check(good, *what):
    global checks
    checks += 1
    if not good:
        print("list:", " ".join(" ".join(str(part) for part in what).split()))


def moment(text):
    parsed = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%SZ")
    return parsed.replace(tzinfo=datetime.timezone.utc)


def certificates(listed):
    """The fields are what is in the files."""
    for entry in listed:
        # ca.crt holds the chain too, and is read to its first certificate here.
        for file in entry["files"] if entry["role"] != "chain" else []:
            pem = (PKI / file).read_bytes()
            read = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN") :])
            check(read.fingerprint(hashes.SHA256()).hex() == entry["sha256"], file, "fingerprint")
            check(read.serial_number == int(entry["serial_number"], 16), file, "serial number")
            check(read.not_valid_before_utc == moment(entry["not_before"]), file, "begin")
            check(read.not_valid_after_utc == moment(entry["not_after"]), file, "end")
            names = read.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            check([name.value for name in names] == [entry["common_name"]], file, "common name")
            try:
                san = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
                dns = [f"DNS:{name}" for name in san.get_values_for_type(x509.DNSName)]
            except x509.ExtensionNotFound:
                dns = []
            listed_dns = [name for name in entry["subject_alt_names"] if name.startswith("DNS:")]
            check(dns == listed_dns, file, "alternative names")


def table(listed):
    """CSV holds the fields of JSON, and nothing that a spreadsheet computes."""
    with open(FOLDER / "list.csv", newline="", encoding="utf-8") as file:
        records = list(csv.DictReader(file, strict=True))
    check(len(records) == len(listed), "CSV has", len(records), "records")
    for record, entry in zip(records, listed):
        check(list(record) == list(entry), "columns", list(record))
        for name, cell in record.items():
            value = entry[name]
            check(name == "days_left" or not cell.lstrip().startswith(("=", "+", "-", "@")), name, cell)
            if name in ("name", "subject", "common_name"):
                # Escaped where a terminal would act on it, behind an apostrophe where a spreadsheet would.
                same = cell in (value or "", f"'{value}") or "\\u{" in cell
            elif name == "remarks":
                same = cell == "; ".join(remark["kind"] for remark in value)
            elif isinstance(value, list):
                same = cell == "; ".join(value)
            else:
                same = cell == ("" if value is None else str(value))
            check(same, "CSV:", name, cell, "is not", value)


def calendar(listed):
    """One event at the end of each valid certificate."""
    raw = (FOLDER / "list.ics").read_bytes()
    check(b"\n" not in raw.replace(b"\r\n", b""), "a bare line feed in the calendar")
    check(max(map(len, raw.split(b"\r\n"))) <= 75, "a line that is too long in the calendar")
    read = icalendar.Calendar.from_ical(raw)
    check(not read.errors, read.errors)
    check(str(read["VERSION"]) == "2.0" and read["PRODID"], "the calendar's head")
    events = {str(event["UID"]): event for event in read.walk("VEVENT")}
    valid = [entry for entry in listed if entry["status"] in ("valid", "not-yet-valid") and entry["sha256"]]
    check(len(events) == len(valid) == len(list(read.walk("VEVENT"))), len(events), "events")
    for entry in valid:
        event = events.get(entry["sha256"] + "@certkeep")
        check(event is not None, entry["name"], "has no event")
        if event is None:
            continue
        check(not event.errors, event.errors)
        check(event["DTSTART"].dt == moment(entry["not_after"]), entry["name"], event["DTSTART"])
        check(event["DTSTAMP"].dt == moment(entry["not_before"]), entry["name"], event["DTSTAMP"])
        check(entry["serial_number"] in event["DESCRIPTION"], entry["name"], "description")
        life = moment(entry["not_after"]) - moment(entry["not_before"])
        alarms = list(event.walk("VALARM"))
        wanted = [days for days in (30, 7, 1) if datetime.timedelta(days=days) < life]
        triggers = [alarm["TRIGGER"].dt for alarm in alarms]
        check(triggers == [-datetime.timedelta(days=days) for days in wanted], entry["name"], triggers)
        check(all(alarm["ACTION"] == "DISPLAY" and alarm["DESCRIPTION"] for alarm in alarms), "alarms")
        # Back to text and read again: nothing was lost on the way.
        again = icalendar.Event.from_ical(event.to_ical())
        check(again["SUMMARY"] == event["SUMMARY"], entry["name"], "summary")


def metrics(listed, counts, crl_next_update):
    """What is to be seen to has a series, and everything is counted."""
    text = (FOLDER / "list.prometheus").read_text(encoding="utf-8")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    for family in families.values():
        check(family.type == "gauge" and family.documentation, family.name)
    ends = families["certkeep_certificate_not_after_timestamp_seconds"].samples
    by_print = {sample.labels["sha256"]: sample for sample in ends}
    check(len(by_print) == len(ends), "two series of one certificate")
    current = [entry for entry in listed if entry["status"] in ("valid", "not-yet-valid")]
    for entry in current:
        sample = by_print.pop(entry["sha256"], None)
        check(sample is not None, entry["name"], "has no series")
        if sample is None:
            continue
        check(sample.value == moment(entry["not_after"]).timestamp(), entry["name"], sample.value)
        check(sample.labels["serial"] == entry["serial_number"], entry["name"], sample.labels)
        check(sample.labels["name"] == entry["name"] or "\\u{" in sample.labels["name"], sample.labels)
    over = {entry["sha256"] for entry in listed if entry["status"] == "expired"}
    check(set(by_print) <= over, "series of others", by_print)
    told = {s.labels["status"]: s.value for s in families["certkeep_certificates"].samples}
    check(told == counts, told, counts)
    due = families["certkeep_crl_next_update_timestamp_seconds"].samples[0].value
    check(due == moment(crl_next_update).timestamp(), "the next CRL", due)


def main():
    inventory = json.loads((FOLDER / "list.json").read_text(encoding="utf-8"))
    listed = inventory["certificates"]
    check(len({entry["sha256"] for entry in listed}) == len(listed), "a certificate twice")
    certificates(listed)
    table(listed)
    calendar(listed)
    metrics(listed, inventory["counts"], inventory["crl_next_update"])
    print("checks", checks)


main()
