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
    if facts["protocol"] == "smithy-rpc-v2-cbor":
        text = "smithy rpc-v2-cbor, JSON %s" % facts.get("jsonVersion", "1.0")
        return text + " and query" if spec["settings"].get("speaks_query") else text
    if facts["protocol"] == "json":
        text = "JSON %s" % facts.get("jsonVersion", "1.0")
        return text + " and query" if spec["settings"].get("speaks_query") else text
    return PROTOCOLS[facts["protocol"]]


def escape(text):
    return text.replace("|", "\\|")


def condition(when):
    """A need's condition as words."""
    parts = []
    for part in when.split():
        member, _, form = part.lstrip("!").partition("|")
        name = "`%s`%s" % (member, " with a " + form if form else "")
        parts.append(("without " if part[0] == "!" else "with ") + name)
    return " and ".join(parts)


def notes(row):
    out = []
    if row.get("unsigned"):
        out.append("needs no credentials")
    if "resource" not in row:
        out.append("authorised by the service itself")
    if row.get("owner"):
        out.append("reaches other accounts' by " + " or ".join("`%s`" % m for m in row["owner"].split()))
    if row.get("when"):
        out.append("the action " + condition(row["when"]))
    for need in row.get("also", []):
        where = " on `%s`" % escape(need["resource"]) if "resource" in need else ""
        when = " " + condition(need["when"]) if "when" in need else ""
        instead = " or `%s`" % need["or"] if "or" in need else ""
        out.append("also needs `%s`%s%s%s" % (need["action"], instead, where, when))
    if row.get("keys"):
        out.append("has " + ", ".join("`%s`" % k for k in sorted(row["keys"])))
    if row.get("stream_in") or row.get("stream_out"):
        out.append("body is streamed")
    return "; ".join(out)


def condition_keys(spec):
    def names(row):
        return ["`%s`" % (k + "*" if k.endswith("/") else k) for k in sorted(spec.get(row, []))]
    by_member = names("keys")
    if spec.get("tag_members"):
        by_member += ["`aws:RequestTag/*`", "`aws:TagKeys`"]
    out = ["", "## Condition keys", ""]
    for text, keys in (("Of every operation that has the members", by_member),
                       ("Of the operations that AWS gives them to", names("computed_keys")),
                       ("Accepted and always absent, since they belong to what is not here",
                        names("absent_keys"))):
        if keys:
            out.append("%s: %s.\n" % (text, ", ".join(keys)))
    return out[:-1] + [out[-1].rstrip("\n")] if len(out) > 3 else []


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
    out += condition_keys(spec)
    out += ["", "## Not supported (%d)" % len(spec["unsupported"]), "",
            "These operations of AWS answer with the error `%s`." %
            spec["common_errors"]["not_implemented"]["code"], ""]
    out.append(", ".join(sorted(spec["unsupported"])) + ".")
    if spec.get("refused"):
        out += ["", "## Refused settings", "",
                "Members of supported operations that are answered with an error when they ask for "
                "something else than the default:", ""]
        out += ["- %s" % row["says"] for row in spec["refused"]]
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
