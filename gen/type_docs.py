#!/usr/bin/env python3
"""Writes the reference page of CloudFormation's resource types from spec/types/*.json.

    gen/type_docs.py SPEC_DIR docs/reference

A type's line says what Fn::GetAtt gives, which properties are refused, and which no update can change.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import type_rows  # noqa: E402


def refused(node, path=""):
    """Paths of the properties that no template of the row sends."""
    for name, child in node.members.items():
        if not child.taken:
            yield path + name
            continue
        inner, where = child, path + name
        while inner.of is not None:
            inner, where = inner.of, where + "[]"
        yield from refused(inner, where + ".")


def names(values):
    return ", ".join("`%s`" % v for v in values)


def page(rows):
    out = ["# Resource types of CloudFormation", "",
           "Generated from `spec/types` by `tools/docs.sh`. A property that is not named here as refused is passed to the",
           "service's operation, which may refuse it in its own words (see its page).", "",
           "| type | attributes | refused properties | fixed once made |", "|---|---|---|---|"]
    for row in rows:
        out.append("| `%s` | %s | %s | %s |" % (row.name, names(type_rows.Writer.attributes(row)), names(refused(row.root)),
                                              names(row.row.get("fixed", []))))
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    text = page(type_rows.read_rows(sys.argv[1]))
    (Path(sys.argv[2]) / "cloudformation-types.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
