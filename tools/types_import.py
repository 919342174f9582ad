#!/usr/bin/env python3
"""Imports what CloudFormation's resource types look like into spec/types/<service>.json.

    tools/types_import.py spec/types/sqs.json SPEC_DB

SPEC_DB is db.json.gz of the npm package @aws-cdk/aws-service-spec. The file must exist with its rows
("types"); this program rewrites "schemas" alone: of every type that has a row its properties,
attributes and the definitions that they reach. Facts only; the form is told in spec/types/README.md.
"""
import argparse
import gzip
import json

FLAGS = [("required", lambda p: p.get("required")),
         ("replaces", lambda p: p.get("causesReplacement") == "yes"),
         ("maybe", lambda p: p.get("causesReplacement") == "maybe")]
PLAIN = {"string": "string", "date-time": "string", "integer": "integer", "number": "number",
         "boolean": "boolean", "json": "json", "tag": "tag", "null": "any"}
# Of several kinds that a value may have the one that takes most.
WIDEST = ["json", "ref", "array", "map", "string", "number", "integer", "boolean"]


class Importer:
    def __init__(self, db):
        schema = db["schema"]
        self.resources = {r["cloudFormationType"]: r for r in schema["resource"]["entities"]}
        self.definitions = {d["$id"]: d for d in schema["typeDefinition"]["entities"]}

    def kind(self, t, reached):
        what = t["type"]
        if what == "array":
            return "[%s]" % self.kind(t["element"], reached)
        if what == "map":
            return "{%s}" % self.kind(t["element"], reached)
        if what == "ref":
            definition = self.definitions[t["reference"]["$ref"]]
            reached.append(definition)
            return definition["name"]
        if what == "union":
            return self.kind(min(t["types"], key=lambda u: WIDEST.index(u["type"])
                                 if u["type"] in WIDEST else len(WIDEST)), reached)
        return PLAIN[what]

    def properties(self, source, reached):
        out = {}
        for name, p in sorted(source["properties"].items()):
            words = [self.kind(p["type"], reached)] + [w for w, has in FLAGS if has(p)]
            out[name] = " ".join(words)
        return out

    def schema(self, name):
        if name not in self.resources:
            raise SystemExit("%s is not in the data" % name)
        resource, reached, definitions = self.resources[name], [], {}
        out = {"properties": self.properties(resource, reached),
               "attributes": sorted(resource["attributes"])}
        if resource.get("tagInformation"):
            out["tags"] = resource["tagInformation"]["tagPropertyName"]
        while reached:
            definition = reached.pop()
            if definition["name"] not in definitions:
                definitions[definition["name"]] = self.properties(definition, reached)
        if definitions:
            out["definitions"] = dict(sorted(definitions.items()))
        return out


def import_types(rows, db):
    importer = Importer(db)
    rows["schemas"] = {name: importer.schema(name) for name in sorted(rows["types"])}


def dump(value, depth=0, wide=110):
    """JSON whose small values stand on a line each."""
    flat = json.dumps(value, ensure_ascii=False)
    if depth and len(flat) + 2 * depth <= wide or not isinstance(value, (dict, list)) or not value:
        return flat
    pad = "  " * (depth + 1)
    if isinstance(value, list):
        parts, ends = [dump(v, depth + 1, wide) for v in value], "[]"
    else:
        parts = ["%s: %s" % (json.dumps(k), dump(v, depth + 1, wide)) for k, v in value.items()]
        ends = "{}"
    return "%s\n%s%s\n%s%s" % (ends[0], pad, (",\n" + pad).join(parts), "  " * depth, ends[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows")
    parser.add_argument("db")
    args = parser.parse_args()
    with open(args.rows, encoding="utf-8") as f:
        rows = json.load(f)
    opener = gzip.open if args.db.endswith(".gz") else open
    with opener(args.db, "rt", encoding="utf-8") as f:
        import_types(rows, json.load(f))
    with open(args.rows, "w", encoding="utf-8") as f:
        f.write(dump(rows) + "\n")


if __name__ == "__main__":
    main()
