#!/usr/bin/env python3
"""Writes the reference page of a service from its spec.

    gen/docs.py spec/<service>.json ... OUT_DIR     writes OUT_DIR/<service>.md for each

The pages in docs/reference are these outputs; tests/gen checks that they are current.
"""
import json
import os
import sys

PROTOCOLS = {"query": "query", "rest-json": "REST JSON", "rest-xml": "REST XML"}


def protocol(spec):
    facts = spec["import"]
    if facts["protocol"] == "json":
        text = "JSON %s" % facts.get("jsonVersion", "1.0")
        return text + " and query" if spec["settings"].get("speaks_query") else text
    return PROTOCOLS[facts["protocol"]]


def notes(row):
    out = []
    if row.get("unsigned"):
        out.append("needs no credentials")
    if "resource" not in row:
        out.append("authorised by the service itself")
    if row.get("stream_in") or row.get("stream_out"):
        out.append("body is streamed")
    return "; ".join(out)


def escape(text):
    return text.replace("|", "\\|")


def page(spec):
    facts = spec["import"]
    out = ["# %s" % spec["title"], "",
           "Generated from `spec/%s.json`; do not edit." % spec["service"], "",
           "API version %s, protocol %s, signing name `%s`." % (
               facts["apiVersion"], protocol(spec), spec["settings"]["signing"]), "",
           "## Supported operations (%d)" % len(spec["operations"]), "",
           "| operation | IAM action | resource | notes |", "|---|---|---|---|"]
    for name in sorted(spec["operations"]):
        row = spec["ops"][name]
        resource = "<br>".join("`%s`" % escape(t) for t in row.get("resource", "").split())
        out.append("| %s | `%s` | %s | %s |" % (name, row["action"], resource, notes(row)))
    out += ["", "## Not supported (%d)" % len(spec["unsupported"]), "",
            "These operations of AWS answer with the error `%s`." %
            spec["common_errors"]["not_implemented"]["code"], ""]
    out.append(", ".join(sorted(spec["unsupported"])) + ".")
    if spec.get("refused"):
        out += ["", "## Refused settings", "",
                "Members of supported operations that are answered with an error when they ask for "
                "something else than the default:", ""]
        out += ["- %s" % line for line in spec["refused"]]
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    os.makedirs(sys.argv[-1], exist_ok=True)
    for path in sys.argv[1:-1]:
        with open(path, encoding="utf-8") as f:
            spec = json.load(f)
        with open(os.path.join(sys.argv[-1], spec["service"] + ".md"), "w", encoding="utf-8") as f:
            f.write(page(spec))


if __name__ == "__main__":
    main()
