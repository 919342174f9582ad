#!/usr/bin/env python3
"""Imports facts about one AWS service from a botocore model into spec/<service>.json.

    tools/spec_import.py spec/sqs.json MODEL [--query-names OLDER_MODEL]

MODEL is a service-2.json or service-2.json.gz. The file must exist with its hand-kept rows ("ops"
above all); this program rewrites only the imported ones:
    service facts   "import"
    "operations"    of every name in "ops": shapes, HTTP binding, declared errors
    "shapes"        what these operations reach
    "errors"        every error of the model
    "unsupported"   every other operation of the model, with its HTTP binding for REST services

--query-names takes element and parameter names of the query protocol from an older model of the
same service, for one that has since moved to JSON (SQS).
"""
import argparse
import gzip
import json

HAND_KEPT = ["service", "title", "ops", "common_errors", "extra_errors", "error_status", "query_messages", "c_json",
             "xml_roots", "settings", "keys", "tag_members", "computed_keys", "absent_keys",
             "constraints", "refused"]
IMPORTED = ["import", "operations", "shapes", "errors", "unsupported"]
SHAPE_FACTS = ["type", "required", "min", "max", "pattern", "enum", "flattened", "payload",
               "timestampFormat", "sensitive", "locationName", "xmlNamespace", "streaming"]
MEMBER_FACTS = ["shape", "location", "locationName", "flattened", "timestampFormat", "streaming",
                "xmlAttribute", "xmlNamespace"]


def load_model(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as f:
        return json.load(f)


def pick(source, names):
    return {k: source[k] for k in names
            if k in source and source[k] is not False and source[k] not in ([], {})}


def binding(op):
    http = op.get("http", {})
    return {k: http[k] for k in ("method", "requestUri", "responseCode") if k in http}


def import_operation(op, rest):
    out = {}
    if rest:
        out["http"] = binding(op)
    for side in ("input", "output"):
        if side in op:
            out[side] = op[side]["shape"]
            if "resultWrapper" in op[side]:
                out["resultWrapper"] = op[side]["resultWrapper"]
            if "locationName" in op[side]:
                out[side + "Root"] = op[side]["locationName"]
    if op.get("errors"):
        out["errors"] = [e["shape"] for e in op["errors"]]
    return out


def import_shape(shape):
    if shape.get("eventstream"):  # its events are framed by the service: a body like any other that is streamed
        return {"type": "blob", "streaming": True}
    out = pick(shape, SHAPE_FACTS)
    if "members" in shape and shape["type"] == "structure":
        out["members"] = {n: pick(m, MEMBER_FACTS) for n, m in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in shape:
            out[part] = pick(shape[part], MEMBER_FACTS)
    return out


def parts_of(shape):
    if shape.get("eventstream"):
        return
    for member in shape.get("members", {}).values():
        yield member["shape"]
    for part in ("member", "key", "value"):
        if part in shape:
            yield shape[part]["shape"]


def reachable(model, operations):
    todo = [o[side] for o in operations.values() for side in ("input", "output") if side in o]
    seen = set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(parts_of(model["shapes"][name]))
    return sorted(seen)


def import_error(shape, rest):
    error = shape.get("error", {})
    out = {}
    if "code" in error:
        out["code"] = error["code"]
    if "httpStatusCode" in error:
        out["status"] = error["httpStatusCode"]
    if shape.get("fault"):
        out["server"] = True
    if "Message" in shape.get("members", {}):
        out["message_capital"] = True
    if rest and "Type" in shape.get("members", {}):
        out["type"] = True
    return out


def overlay_query_names(shapes, old):
    """Adds the older model's wire names to shapes of the same name."""
    for name, shape in shapes.items():
        was = old["shapes"].get(name)
        if was is None:
            continue
        for fact in ("flattened", "locationName"):
            if fact in was:
                shape[fact] = was[fact]
        for part in ("member", "key", "value"):
            if part in shape and "locationName" in was.get(part, {}):
                shape[part]["locationName"] = was[part]["locationName"]
        for member_name, member in shape.get("members", {}).items():
            before = was.get("members", {}).get(member_name, {})
            for fact in ("locationName", "flattened"):
                if fact in before:
                    member[fact] = before[fact]


def import_model(spec, model, old):
    metadata = model["metadata"]
    rest = metadata["protocol"].startswith("rest")
    missing = [n for n in spec["ops"] if n not in model["operations"]]
    if missing:
        raise SystemExit("not in the model: " + ", ".join(missing))
    operations = {n: import_operation(model["operations"][n], rest) for n in sorted(spec["ops"])}
    named = [c["name"] for c in spec.get("constraints", {}).values() if c.get("name")]
    shapes = {n: import_shape(model["shapes"][n])
              for n in sorted(set(reachable(model, operations)) | set(named))}
    if old is not None:
        overlay_query_names(shapes, old)
        for name, op in operations.items():
            was = old["operations"].get(name, {}).get("output", {})
            if "resultWrapper" in was:
                op["resultWrapper"] = was["resultWrapper"]
    spec["import"] = pick(metadata, ["apiVersion", "jsonVersion", "protocol", "targetPrefix",
                                     "xmlNamespace", "serviceFullName", "endpointPrefix"])
    if old is not None:
        spec["import"]["xmlNamespace"] = old["metadata"]["xmlNamespace"]
    spec["operations"] = operations
    spec["shapes"] = shapes
    spec["errors"] = {n: import_error(s, rest) for n, s in sorted(model["shapes"].items())
                      if s.get("exception")}
    if old is not None:
        for name, error in spec["errors"].items():
            was = old["shapes"].get(name, {}).get("error", {})
            error["query_code"] = was.get("code", name)
    spec["unsupported"] = {n: (binding(o) if rest else {})
                           for n, o in sorted(model["operations"].items()) if n not in spec["ops"]}


def dump_refused(row):
    """The sentence on one line, and each request that shows it."""
    head = json.dumps({k: v for k, v in row.items() if k != "try"})
    if "try" not in row:
        return "  " + head
    return "  %s, \"try\": [\n    %s]}" % (head[:-1], ",\n    ".join(map(json.dumps, row["try"])))


def dump(spec):
    """One row per line, so that a difference shows the row that changed."""
    lines = []
    for key in [k for k in HAND_KEPT + IMPORTED if k in spec]:
        value = spec[key]
        if isinstance(value, dict) and key != "import" and value:
            rows = ",\n".join("  %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in value.items())
            lines.append("%s: {\n%s\n}" % (json.dumps(key), rows))
        elif key == "refused" and value:
            lines.append('"refused": [\n%s\n]' % ",\n".join(map(dump_refused, value)))
        else:
            lines.append("%s: %s" % (json.dumps(key), json.dumps(value)))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spec")
    parser.add_argument("model")
    parser.add_argument("--query-names", metavar="OLDER_MODEL")
    args = parser.parse_args()
    with open(args.spec, encoding="utf-8") as f:
        spec = json.load(f)
    unknown = [k for k in spec if k not in HAND_KEPT + IMPORTED]
    if unknown:
        raise SystemExit("unknown rows: " + ", ".join(unknown))
    old = load_model(args.query_names) if args.query_names else None
    import_model(spec, load_model(args.model), old)
    with open(args.spec, "w", encoding="utf-8") as f:
        f.write(dump(spec))


if __name__ == "__main__":
    main()
