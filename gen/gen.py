#!/usr/bin/env python3
"""Generates a service's C structs, prototypes and tables from its spec.

    gen/gen.py spec/<service>.json OUT_DIR     writes OUT_DIR/<service>_api.h and .c

The output depends on the spec alone and is the same on every run. What the C side looks like is
told in gen/README.md; what the tables mean, in src/wire/wire.h.
"""
import json
import os
import re
import sys

C_WORDS = set("""auto break case char const continue default do double else enum extern float for
goto if inline int long register restrict return short signed sizeof static struct switch typedef union
unsigned void volatile while bool true false errno""".split())
SCALARS = {"integer": "INT", "long": "INT", "short": "INT", "boolean": "BOOL", "float": "DOUBLE",
           "double": "DOUBLE", "timestamp": "TIME", "string": "STRING", "character": "STRING",
           "blob": "BLOB"}
C_SCALARS = {"INT": "int64_t", "BOOL": "bool", "DOUBLE": "double", "TIME": "int64_t"}
TIME_FORMATS = {"unixTimestamp": "EPOCH", "iso8601": "ISO8601", "rfc822": "HTTP"}
LOCATIONS = {"header": "HEADER", "querystring": "QUERY", "uri": "URI", "headers": "HEADERS",
             "statusCode": "STATUS"}
WORDINGS = {"counted": "COUNTED", "sqs": "SQS", "s3": "S3"}
COMMON = ["access_denied", "validation", "missing_parameter", "serialization", "unknown_operation",
          "not_implemented", "internal", "unavailable", "throttling", "conflict", "missing_auth",
          "unknown_key", "bad_token", "expired_token", "bad_signature", "bad_auth", "skew",
          "too_large", "timeout", "bad_digest"]
COMMON_SOME = ["incomplete_body", "invalid_chunk_size", "invalid_uri", "missing_content_length"]
LABELS_MAX = 8  # WIRE_LABELS_MAX
# What stands in a template besides members, and what can be made of a member (wire.h).
OP_FACTS = {"action", "resource", "when", "also", "keys", "unsigned", "stream_in", "stream_out", "body_max",
            "self_auth", "bare_bounds", "told_alone", "owner"}
HOLES = {"account", "region", "partition"}
FORMS = {"last", "table", "lambda", "function", "group", "arn", "copy", "version"}
# Members that tell two REST operations with one path and method apart.
TELLING_QUERY = {"uploadId", "id"}
TELLING_HEADERS = {"x-amz-copy-source", "x-amz-rename-source"}


def snake(name):
    """botocore's xform_name, so that names agree with what Python users know."""
    plural = re.search("[A-Z]{2,}s$", name)
    if "_" not in name:
        if plural:
            name = name[:-len(plural.group())] + "_" + plural.group().lower()
        name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
        name = re.sub("([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub("[^A-Za-z0-9_]", "_", name).lower()
    return name + "_" if name in C_WORDS else name


def quote(text):
    """A C string literal; other bytes as octal escapes, which cannot swallow what follows."""
    out = []
    for byte in text.encode("utf-8"):
        char = chr(byte)
        if char in '"\\?':
            out.append("\\" + char)
        elif 32 <= byte < 127:
            out.append(char)
        else:
            out.append("\\%03o" % byte)
    return '"' + "".join(out) + '"'


def str_init(text):
    return "STR_INIT(%s)" % quote(text) if text is not None else "{0}"


class Gen:
    def __init__(self, spec):
        self.spec = spec
        self.prefix = spec["service"]
        self.settings = spec.get("settings", {})
        self.facts = spec["import"]
        self.protocol = {"json": "JSON11" if self.facts.get("jsonVersion") == "1.1" else "JSON10",
                         "query": "QUERY", "rest-json": "REST_JSON",
                         "rest-xml": "REST_XML",
                         "smithy-rpc-v2-cbor": "RPC_CBOR"}[self.facts["protocol"]]
        self.rest = self.protocol.startswith("REST")
        self.c_json = dict(spec.get("c_json", {}))
        self.shapes = {}
        for name, shape in spec["shapes"].items():
            self.shapes[name] = self.constrained(name, shape)
        self.order = []      # names of emitted shapes
        self.uses = {}       # shape -> {"in", "out"}
        self.ops = []
        self.add_operations()
        self.check_names()

    def constrained(self, name, shape):
        """The imported shape with the spec's own corrections of its limits (null removes one)."""
        shape = dict(shape)
        for key, value in self.spec.get("constraints", {}).get(name, {}).items():
            if value is None:
                shape.pop(key, None)
            else:
                shape[key] = value
        first = shape.pop("first", [])
        if first:
            members = shape["members"]
            shape["members"] = {m: members[m] for m in first + [m for m in members if m not in first]}
        if "too_long" in shape and "max" not in shape:
            raise SystemExit("%s: too_long without a limit" % name)
        if shape.get("name", name) not in self.spec["shapes"]:
            raise SystemExit("%s: there is no shape %s" % (name, shape["name"]))
        return shape

    # --- model --------------------------------------------------------------------------------

    def add_operations(self):
        for name, op in sorted(self.spec["operations"].items()):
            row = self.spec["ops"][name]
            sides = {}
            for side, direction in (("Input", "in"), ("Output", "out")):
                shape = self.shapes.get(op.get(side.lower()), {"type": "structure", "members": {}})
                shape = dict(shape, members=self.kept_members(shape))
                if direction == "in":
                    shape.update({k: row[k] for k in ("bare_bounds", "told_alone") if k in row})
                if shape.get("payload") not in shape["members"]:
                    shape.pop("payload", None)
                sides[side] = (name + side, shape, direction)
            self.ops.append((name, op, row, sides))
        for _, _, _, sides in self.ops:
            for _, shape, direction in sides.values():
                for member in shape["members"].values():
                    self.reach(member["shape"], direction)
        for _, _, _, sides in self.ops:
            for side_name, shape, direction in sides.values():
                if side_name in self.uses and self.shapes[side_name] is not shape:
                    raise SystemExit("%s is both an operation's own and a nested shape" % side_name)
                self.shapes[side_name] = shape
                self.uses[side_name] = {direction}
        self.split_json()
        self.order = sorted(self.uses)

    # --- permissions --------------------------------------------------------------------------

    def member_at(self, op_name, path):
        """The member that a dotted path reaches in an operation's input, or None."""
        shape, member = self.shapes[op_name + "Input"], None
        for part in path.split("."):
            member = shape.get("members", {}).get(part)
            if member is None:
                return None
            shape = self.shapes[member["shape"]]
        return member

    def wire_path(self, op_name, path):
        """The path with the members' names in the tables, which are those on the wire in REST-JSON
        bodies."""
        parts = path.split(".")
        members = [self.member_at(op_name, ".".join(parts[:i + 1])) for i in range(len(parts))]
        return ".".join(self.table_name(p, m) for p, m in zip(parts, members))

    def wire_holes(self, op_name, text):
        """A template with its members' names in the tables."""
        def one(hole):
            path, bar, form = hole.group(1).partition("|")
            return "{%s%s%s}" % (path if path in HOLES else self.wire_path(op_name, path), bar, form)
        return text and re.sub(r"\{([^}]*)\}", one, text)

    def wire_when(self, op_name, when):
        holes = [("!" if p[0] == "!" else "", self.wire_holes(op_name, "{%s}" % p.lstrip("!"))[1:-1])
                 for p in (when or "").split()]
        return " ".join(mark + hole for mark, hole in holes) or None

    def unknown_hole(self, op_name, text):
        """The first hole of a template that names nothing, or None."""
        for hole in re.findall(r"\{([^}]*)\}", text):
            path, _, form = hole.partition("|")
            if form and form not in FORMS:
                return hole
            if path not in HOLES and self.member_at(op_name, path) is None:
                return hole
        return None

    def needs(self, name, row):
        """The further permissions of an operation, with defaults filled in."""
        for need in row.get("also", []):
            yield {"action": need["action"], "or": need.get("or"), "resource": need.get("resource", row.get("resource")),
                   "when": need.get("when")}

    def condition_keys(self, name, row):
        """(key, template) of an operation: its own rows, and those of the service's that it has the
        members for."""
        keys = {k: v for k, v in self.spec.get("keys", {}).items()
                if self.unknown_hole(name, v) is None}
        return sorted(dict(keys, **row.get("keys", {})).items())

    def all_condition_keys(self):
        """Names of all keys that the service's operations have, and of those which AWS gives only to
        operations and settings that are not here."""
        rows = {k for name, _, row, _ in self.ops for k, _ in self.condition_keys(name, row)}
        return sorted(rows | set(self.spec.get("computed_keys", [])) |
                      set(self.spec.get("absent_keys", [])))

    def tag_members(self, name):
        return [p for p in self.spec.get("tag_members", []) if self.member_at(name, p)]

    def check_permissions(self, name, row):
        texts = ["{%s}" % path for path in row.get("owner", "").split()]
        texts += [row.get("resource", "")] + [v for _, v in self.condition_keys(name, row)]
        for when in [row.get("when")] + [n["when"] for n in self.needs(name, row)]:
            texts += ["{%s}" % part.lstrip("!") for part in (when or "").split()]
        for need in self.needs(name, row):
            if not need["resource"]:
                raise SystemExit("%s: %s has no resource" % (name, need["action"]))
            texts.append(need["resource"])
        for text in texts:
            hole = self.unknown_hole(name, text)
            if hole is not None:
                raise SystemExit("%s: {%s} is no member and no form of one" % (name, hole))

    def need_lines(self):
        out = []
        for name, _, row, _ in self.ops:
            self.check_permissions(name, row)
            s = snake(name)
            needs = ["{%s, %s, %s, %s}" % (str_init(n["action"]),
                                           str_init(self.wire_holes(name, n["resource"])),
                                           str_init(self.wire_when(name, n["when"])),
                                           str_init(n["or"]))
                     for n in self.needs(name, row)]
            keys = ["{%s, %s}" % (str_init(k), str_init(self.wire_holes(name, v)))
                    for k, v in self.condition_keys(name, row)]
            tags = [str_init(self.wire_path(name, t)) for t in self.tag_members(name)]
            for kind, rows in (("wire_need also", needs), ("wire_key keys", keys),
                               ("str tags", tags)):
                if rows:
                    out.append("static const struct %s_%s[] = {\n    %s};" % (
                        kind, s, ",\n    ".join(rows)))
        return out

    def need_fields(self, name, row):
        fields = []
        if row.get("body_max"):
            fields.append(".body_max = %d" % row["body_max"])
        if row.get("when"):
            fields.append(".when = " + str_init(self.wire_when(name, row["when"])))
        for field, rows in (("also", row.get("also")), ("keys", self.condition_keys(name, row)),
                            ("tags", self.tag_members(name))):
            if rows:
                fields.append(".%s = %s_%s, .n_%s = %d" % (field, field, snake(name), field,
                                                          len(rows)))
        return fields

    def split_json(self):
        """A json shape gets the representation that the direction of its owner asks for, so each
        becomes up to three shapes: NAME/IN, NAME/OUT, NAME/BOTH."""
        kept = dict(self.c_json)
        for owner in sorted(self.uses):
            if owner in kept:
                continue
            uses = self.uses[owner]
            way = "/BOTH" if len(uses) == 2 else "/IN" if "in" in uses else "/OUT"
            shape = dict(self.shapes[owner])
            self.shapes[owner] = shape
            if "members" in shape:
                shape["members"] = {n: self.split_member(m, way, kept)
                                    for n, m in shape["members"].items()}
            for part in ("member", "value"):
                if part in shape:
                    shape[part] = self.split_member(shape[part], way, kept)
        for name in kept:
            self.uses.pop(name, None)

    def split_member(self, member, way, kept):
        if member["shape"] not in kept:
            return member
        name = member["shape"] + way
        self.c_json[name] = kept[member["shape"]]
        self.shapes[name] = self.shapes[member["shape"]]
        self.uses[name] = {"/IN": {"in"}, "/OUT": {"out"}, "/BOTH": {"in", "out"}}[way]
        return dict(member, shape=name)

    def kept_members(self, shape):
        """Without streamed bodies, which never are in a struct."""
        return {n: m for n, m in shape.get("members", {}).items()
                if not m.get("streaming") and not self.shapes[m["shape"]].get("streaming")}

    def reach(self, name, direction):
        if direction in self.uses.setdefault(name, set()):
            return
        self.uses[name].add(direction)
        if name in self.c_json:
            return
        shape = self.shapes[name]
        for member in shape.get("members", {}).values():
            self.reach(member["shape"], direction)
        for part in ("member", "key", "value"):
            if part in shape:
                self.reach(shape[part]["shape"], direction)
        if "name" in shape:
            self.reach(shape["name"], direction)

    def check_names(self):
        seen = {}
        for name in self.order:
            c_name = snake(name)
            named = self.kind(name) in ("STRUCT", "LIST", "MAP")
            if named and seen.setdefault(c_name, name) != name:
                raise SystemExit("%s and %s have one C name" % (name, seen[c_name]))

    def kind(self, name):
        if name in self.c_json:
            uses = self.uses[name]
            return "JSON_BOTH" if len(uses) == 2 else "JSON_IN" if "in" in uses else "JSON_OUT"
        kind = self.shapes[name]["type"]
        return {"structure": "STRUCT", "list": "LIST", "map": "MAP"}.get(kind) or SCALARS[kind]

    def element_type(self, name):
        """C type of a value inside a list or a map."""
        kind = self.kind(name)
        if kind in ("STRUCT", "LIST", "MAP"):
            return "struct %s_%s" % (self.prefix, snake(name))
        return {"STRING": "struct str", "BLOB": "struct str", "JSON_IN": "const struct json *",
                "JSON_OUT": "struct str", "JSON_BOTH": "struct wire_json",
                }.get(kind) or C_SCALARS[kind]

    # --- header -------------------------------------------------------------------------------

    def structure_lines(self, name):
        members = self.shapes[name].get("members", {})
        lines = ["struct %s_%s {" % (self.prefix, snake(name))]
        for member_name, member in members.items():
            c_name, kind = snake(member_name), self.kind(member["shape"])
            c_type = self.element_type(member["shape"])
            if kind == "STRUCT":
                c_type = "const %s *" % c_type
            lines.append("    %s%s%s;" % (c_type, "" if c_type.endswith("*") else " ", c_name))
            if kind in C_SCALARS:
                lines.append("    bool has_%s;" % c_name)
        if not members:
            lines.append("    char unused_;")
        return lines + ["};"]

    def header(self):
        p = self.prefix
        out = ["/* %s: inputs, outputs, handlers and errors. Generated from spec/%s.json by" % (
                   self.spec["title"], p),
               " * gen/gen.py; do not edit. */",
               "#ifndef WEIR_GEN_%s_API_H" % p.upper(), "#define WEIR_GEN_%s_API_H" % p.upper(), "",
               '#include "wire/wire.h"', ""]
        structs = [n for n in self.order if self.kind(n) == "STRUCT"]
        out += ["struct %s_%s;" % (p, snake(n)) for n in structs]
        maps = [n for n in self.order if self.kind(n) == "MAP"]
        out += ["struct %s_%s_entry;" % (p, snake(n)) for n in maps] + [""]
        for name in self.order:
            if self.kind(name) == "LIST":
                element = self.element_type(self.shapes[name]["member"]["shape"])
                out.append("struct %s_%s {\n    const %s%sv;\n    size_t n;\n};" % (
                    p, snake(name), element.replace("const struct json *", "struct json *const"),
                    " *"))
            elif self.kind(name) == "MAP":
                out.append("struct %s_%s {\n    const struct %s_%s_entry *v;\n    size_t n;\n};" % (
                    p, snake(name), p, snake(name)))
        out.append("")
        for name in structs:
            out += self.structure_lines(name)
        for name in maps:
            value = self.element_type(self.shapes[name]["value"]["shape"])
            out.append("struct %s_%s_entry {\n    struct str key;\n    %s value;\n};" % (
                p, snake(name), value))
        out += ["", "/* Handlers: the service defines each. */"]
        for name, _, row, _ in self.ops:
            s = snake(name)
            out.append("enum err %s_%s(struct call *call, const struct %s_%s_input *in,\n"
                       "    struct %s_%s_output *out) WARN_UNUSED;" % (p, s, p, s, p, s))
            if row.get("stream_in"):
                out.append("enum err %s_%s_body(struct call *call, const struct %s_%s_input *in,\n"
                           "    struct call_sink *ret_sink) WARN_UNUSED;" % (p, s, p, s))
        out += ["", "/* Indexes into %s_service.ops. */" % p, "enum %s_op {" % p]
        out += ["    %s_OP_%s," % (p.upper(), snake(name).upper()) for name, _, _, _ in self.ops]
        out += ["};", "", "/* Errors. */"]
        out += ["extern const struct wire_error %s_err_%s;" % (p, c) for c, _ in self.error_rows()]
        out += ["", "extern const struct wire_service %s_service;" % p, "", "#endif", ""]
        return "\n".join(out)

    # --- errors -------------------------------------------------------------------------------

    def error_rows(self):
        """(C name, row) of every error: the model's, the common ones, the spec's extra ones. A
        common or extra row replaces the model's of the same C name."""
        rows = []
        by_hand = set(self.spec["common_errors"]) | set(self.spec.get("extra_errors", {}))
        for name, error in self.spec["errors"].items():
            if snake(name) in by_hand:
                continue
            row = dict(error, name=name, code=error.get("code", name))
            row["status"] = self.spec.get("error_status", {}).get(
                name, error.get("status", 500 if error.get("server") else 400))
            told = name in self.spec.get("error_status", {})
            if self.facts["protocol"] == "json" and not error.get("server") and not told:
                row["status"] = 400
            rows.append((snake(name), row))
        missing = [c for c in COMMON if c not in self.spec["common_errors"]]
        if missing:
            raise SystemExit("common_errors lacks " + ", ".join(missing))
        unknown = [c for c in self.spec["common_errors"] if c not in COMMON + COMMON_SOME]
        if unknown:
            raise SystemExit("common_errors has " + ", ".join(unknown))
        for table in ("common_errors", "extra_errors"):
            for c_name, error in self.spec.get(table, {}).items():
                row = dict(error, name=error["code"])
                row.setdefault("server", row["status"] >= 500)
                rows.append((c_name, row))
        names = [c for c, _ in rows]
        twice = sorted({c for c in names if names.count(c) > 1})
        if twice:
            raise SystemExit("errors with one C name: " + ", ".join(twice))
        return rows

    def error_lines(self):
        out = []
        type_prefix = self.settings.get("type_prefix", "")
        for c_name, row in self.error_rows():
            json_type = row.get("namespace", type_prefix) + row["name"]
            fields = [".name = " + str_init(row["name"]), ".json_type = " + str_init(json_type),
                      ".code = " + str_init(row["code"]), ".status = %d" % row["status"]]
            if "query_code" in row:
                fields.append(".query_code = " + str_init(row["query_code"]))
            said = self.spec.get("query_messages", {}).get(row["name"])
            if said:
                fields.append(".query_message = " + str_init(said))
            for flag, field in (("server", "server"), ("message_capital", "message_capital"),
                                ("type", "has_type")):
                if row.get(flag):
                    fields.append(".%s = true" % field)
            out.append("const struct wire_error %s_err_%s = {%s};" % (self.prefix, c_name,
                                                                      ",\n    ".join(fields)))
        return out

    # --- tables -------------------------------------------------------------------------------

    def shape_ref(self, name):
        return "&shapes[%d]" % self.index[name]

    def time_format(self, *sources):
        for source in sources:
            if source and "timestampFormat" in source:
                return "WIRE_TIME_" + TIME_FORMATS[source["timestampFormat"]]
        return None

    def xml_name(self, member, name):
        """Element or parameter name of a struct's member; that of each element where the list's
        own shape is flattened."""
        target = self.shapes[member["shape"]]
        own = member.get("locationName", target.get("locationName", name)
                         if target.get("flattened") else name)
        if target["type"] == "list" and target.get("flattened") and not member.get("flattened"):
            return target["member"].get("locationName", own)
        return own

    def table_name(self, name, member):
        """What a member is called in struct wire_member.name."""
        in_json = self.protocol == "REST_JSON" and "location" not in member
        return member.get("locationName", name) if in_json else name

    def is_shadowed(self, owner, name, member):
        """Whether a member that travels outside of the body has the name that this one has in it."""
        return any(other != name and "location" in m and self.table_name(other, m) == self.table_name(name, member)
                   for other, m in self.shapes[owner]["members"].items())

    def member_fields(self, owner, name, member):
        fields = [".name = " + str_init(self.table_name(name, member))]
        xml = self.xml_name(member, name)
        if owner is not None and self.shapes[owner].get("payload") == name and xml == name:
            xml = self.shapes[member["shape"]].get("locationName", xml)
        fields += [".xml = " + str_init(xml), ".query = " + str_init(xml),
                   ".shape = " + self.shape_ref(member["shape"])]
        if owner is not None:
            c_struct = "struct %s_%s" % (self.prefix, snake(owner))
            fields.append(".offset = offsetof(%s, %s)" % (c_struct, snake(name)))
            if self.kind(member["shape"]) in C_SCALARS:
                fields.append(".has_offset = offsetof(%s, has_%s)" % (c_struct, snake(name)))
        location = LOCATIONS.get(member.get("location"))
        if owner is not None and self.shapes[owner].get("payload") == name:
            location = "PAYLOAD"
        if location:
            fields.append(".location = WIRE_IN_" + location)
            fields.append(".at = " + str_init(member.get("locationName", name)))
        elif owner is not None and self.is_shadowed(owner, name, member):
            fields.append(".at = " + str_init(name))
        flags = ["WIRE_ELEMENT"] if owner is None else []
        if owner is not None and name in self.shapes[owner].get("required", []):
            flags.append("WIRE_REQUIRED")
        if owner is not None and name == self.shapes[owner].get("told_alone"):
            flags.append("WIRE_ALONE")
        too_long = self.shapes[member["shape"]].get("too_long", {}).get(name)
        if owner is not None and too_long:
            fields.append(".too_long = " + quote(too_long))
        if member.get("flattened") or self.shapes[member["shape"]].get("flattened"):
            flags.append("WIRE_FLATTENED")
        if member.get("xmlAttribute"):
            flags.append("WIRE_XML_ATTRIBUTE")
        if flags:
            fields.append(".flags = " + " | ".join(flags))
        time_format = self.time_format(member, self.shapes[member["shape"]])
        if time_format:
            fields.append(".time_format = " + time_format)
        return "{%s}" % ", ".join(fields)

    def shape_members(self, name):
        """(owner or None, member name, member) rows of a shape's member table."""
        shape, kind = self.shapes[name], self.kind(name)
        if kind == "STRUCT":
            return [(name, n, m) for n, m in shape.get("members", {}).items()]
        if kind == "LIST":
            return [(None, "member", shape["member"])]
        if kind == "MAP":
            return [(None, "key", shape["key"]), (None, "value", shape["value"])]
        return []

    def own_constraint(self, name):
        shape = self.shapes[name]
        if name in self.c_json:
            return False
        return any(k in shape for k in ("min", "max", "pattern", "enum", "required", "name"))

    def checked(self):
        """Shapes that have a constraint themselves or inside: a fixed point over the graph."""
        done = {n for n in self.order if self.own_constraint(n)}
        while True:
            more = {n for n in self.order if n not in done and
                    any(m["shape"] in done for _, _, m in self.shape_members(n))}
            if not more:
                return done
            done |= more

    def shape_fields(self, name, checked):
        shape, kind = self.shapes[name], self.kind(name)
        c_struct = "struct %s_%s" % (self.prefix, snake(name))
        fields = [".name = " + str_init(name.partition("/")[0]), ".kind = WIRE_" + kind]
        flags = []
        if name not in self.c_json:
            for bound, flag in (("min", "WIRE_HAS_MIN"), ("max", "WIRE_HAS_MAX")):
                if bound in shape and not (bound == "min" and shape[bound] == 0
                                           and kind not in ("INT", "DOUBLE")):
                    flags.append(flag)
                    fields.append(".%s = %d" % (bound, shape[bound]))
        if name in checked:
            flags.append("WIRE_CHECKED")
        if shape.get("sensitive"):
            flags.append("WIRE_SENSITIVE")
        if shape.get("flattened"):
            flags.append("WIRE_FLAT_LIST")
        if shape["type"] in ("integer", "short"):
            flags.append("WIRE_INT32")
        if name in self.c_json:
            flags.append({"object": "0", "list": "WIRE_JSON_LIST", "any": "WIRE_DOCUMENT"}[
                self.c_json[name]])
        members = self.shape_members(name)
        if shape.get("bare_bounds"):
            flags.append("WIRE_BARE_BOUNDS")
        if kind == "STRUCT":
            fields.append(".size = sizeof(%s)" % c_struct)
            if any("location" not in m for _, _, m in members):
                flags.append("WIRE_BODY_MEMBERS")
            if "payload" in shape:
                at = list(shape["members"]).index(shape["payload"])
                fields.append(".payload = &members_%d[%d]" % (self.index[name], at))
        elif kind == "LIST":
            fields.append(".size = sizeof(%s)" % self.element_type(shape["member"]["shape"]))
        elif kind == "MAP":
            fields.append(".size = sizeof(%s_entry), .value_offset = offsetof(%s_entry, value)" %
                          (c_struct, c_struct))
        if members:
            fields.append(".members = members_%d, .n_members = %d" % (self.index[name],
                                                                      len(members)))
        if "enum" in shape:
            fields.append(".enums = enums_%d, .n_enums = %d" % (self.index[name],
                                                                len(shape["enum"])))
        if "pattern" in shape and name not in self.c_json:
            fields.append(".pattern = &patterns[%d]" % self.pattern_index[shape["pattern"]])
        if "name" in shape:
            fields.append(".name_shape = " + self.shape_ref(shape["name"]))
        if "xmlNamespace" in shape:
            fields.append(".xmlns = " + str_init(shape["xmlNamespace"]["uri"]))
        time_format = self.time_format(shape)
        if time_format:
            fields.append(".time_format = " + time_format)
        if flags:
            fields.append(".flags = " + " | ".join(flags))
        return "    {%s}," % ",\n     ".join(fields)

    def shape_lines(self):
        self.index = {n: i for i, n in enumerate(self.order)}
        patterns = sorted({self.shapes[n]["pattern"] for n in self.order
                           if "pattern" in self.shapes[n] and n not in self.c_json})
        self.pattern_index = {t: i for i, t in enumerate(patterns)}
        out = []
        if patterns:
            out.append("static struct wire_pattern patterns[] = {")
            out += ["    {.text = %s}," % quote(t) for t in patterns] + ["};"]
        self.n_patterns = len(patterns)
        out.append("static const struct wire_shape shapes[%d];" % len(self.order))
        for name in self.order:
            i, shape = self.index[name], self.shapes[name]
            if "enum" in shape:
                out.append("static const struct str enums_%d[] = {%s};" % (
                    i, ", ".join(str_init(v) for v in shape["enum"])))
            members = self.shape_members(name)
            if members:
                out.append("static const struct wire_member members_%d[] = { /* %s */" % (i, name))
                out += ["    %s," % self.member_fields(*m) for m in members] + ["};"]
        checked = self.checked()
        out.append("static const struct wire_shape shapes[%d] = {" % len(self.order))
        out += [self.shape_fields(n, checked) for n in self.order] + ["};"]
        return out

    # --- operations ---------------------------------------------------------------------------

    def thunk_lines(self):
        p, out = self.prefix, []
        for name, _, row, _ in self.ops:
            s = snake(name)
            out += ["static enum err run_%s(struct call *call, const void *in, void *out)" % s, "{",
                    "    return %s_%s(call, in, out);" % (p, s), "}"]
            if row.get("stream_in"):
                out += ["static enum err body_%s(struct call *call, const void *in,\n"
                        "    struct call_sink *ret_sink)" % s, "{",
                        "    return %s_%s_body(call, in, ret_sink);" % (p, s), "}"]
        return out

    def op_lines(self):
        p, out = self.prefix, self.need_lines()
        for name, op, _, _ in self.ops:
            if op.get("errors"):
                out.append("static const struct wire_error *const errors_%s[] = {%s};" % (
                    snake(name), ", ".join("&%s_err_%s" % (p, snake(e)) for e in op["errors"])))
        out.append("static const struct wire_op ops[] = {")
        for i, (name, op, row, _) in enumerate(self.ops):
            out.append("    {" + ",\n     ".join(self.op_fields(i, name, op, row)) + "},")
        return out + ["};"]

    def op_fields(self, i, name, op, row):
        p, s = self.prefix, snake(name)
        fields = [".name = " + str_init(name), ".index = %d" % i, ".service = &%s_service" % p,
                  ".status = %d" % op.get("http", {}).get("responseCode", 200),
                  ".input = " + self.shape_ref(name + "Input"),
                  ".output = " + self.shape_ref(name + "Output"),
                  ".in_size = sizeof(struct %s_%s_input)" % (p, s),
                  ".out_size = sizeof(struct %s_%s_output)" % (p, s),
                  ".action = " + str_init(row["action"]), ".run = run_" + s]
        if "resource" in row:
            fields.append(".resource = " + str_init(self.wire_holes(name, row["resource"])))
        elif not row.get("self_auth"):
            raise SystemExit("%s has neither a resource nor self_auth" % name)
        if "owner" in row:
            fields.append(".owner = " + str_init(" ".join(self.wire_path(name, p) for p in row["owner"].split())))
        unknown = set(row) - OP_FACTS
        if unknown:
            raise SystemExit("%s: unknown facts %s" % (name, ", ".join(sorted(unknown))))
        fields += self.need_fields(name, row)
        flags = ["WIRE_OP_" + f.upper() for f in
                 ("unsigned", "stream_in", "stream_out", "self_auth") if row.get(f)]
        if "output" not in op:
            flags.append("WIRE_OP_NO_OUTPUT")
        if flags:
            fields.append(".flags = " + " | ".join(flags))
        if op.get("errors"):
            fields.append(".errors = errors_%s, .n_errors = %d" % (s, len(op["errors"])))
        if "http" in op:
            fields.append(".method = %s, .uri = %s" % (str_init(op["http"]["method"]),
                                                      str_init(op["http"]["requestUri"])))
        result = op.get("resultWrapper") or self.spec.get("xml_roots", {}).get(name)
        if not result and "output" in op and not self.rest:
            result = name + "Result"
        if result:
            fields.append(".result = " + str_init(result))
        if row.get("stream_in"):
            fields.append(".body = body_" + s)
        return fields

    # --- REST routes --------------------------------------------------------------------------

    def route(self, name, http, op):
        path, _, query = http["requestUri"].partition("?")
        segments = []
        for part in path.strip("/").split("/"):
            if part:
                label = re.fullmatch(r"\{(\w+)(\+?)\}", part)
                segments.append((label.group(1), "GREEDY" if label.group(2) else "LABEL") if label
                                else (part, "TEXT"))
        if sum(kind != "TEXT" for _, kind in segments) > LABELS_MAX:
            raise SystemExit("%s has more than %d labels" % (name, LABELS_MAX))
        literals = []
        for part in query.split("&"):
            key, eq, value = part.partition("=")
            if key and key != "x-id":
                literals.append((key, value if eq and value else None))
        headers = []
        shape = self.spec["shapes"].get((op or {}).get("input"), {})
        for member_name, member in shape.get("members", {}).items():
            at = member.get("locationName", "")
            if member_name in shape.get("required", []):
                if member.get("location") == "querystring" and at in TELLING_QUERY:
                    literals.append((at, None))
                if member.get("location") == "header" and at.lower() in TELLING_HEADERS:
                    headers.append((at.lower(), None))
        return dict(name=name, method=http["method"], segments=segments, query=literals,
                    header=headers, supported=op is not None)

    def route_lines(self):
        routes = [self.route(n, o["http"], o) for n, o, _, _ in self.ops]
        routes += [self.route(n, h, None) for n, h in self.spec["unsupported"].items()]
        routes.sort(key=lambda r: (
            -len(r["query"]) - len(r["header"]), sum(k != "TEXT" for _, k in r["segments"]),
            not r["supported"], r["name"]))
        out, rows = [], []
        for i, r in enumerate(routes):
            fields = [".name = " + str_init(r["name"]), ".method = " + str_init(r["method"])]
            if r["supported"]:
                at = [n for n, _, _, _ in self.ops].index(r["name"])
                fields.append(".op = &ops[%d]" % at)
            if r["segments"]:
                out.append("static const struct wire_segment segments_%d[] = {%s};" % (i, ", ".join(
                    "{%s, WIRE_SEG_%s}" % (str_init(t), k) for t, k in r["segments"])))
                fields.append(".segments = segments_%d, .n_segments = %d" % (i, len(r["segments"])))
                if r["segments"][-1][1] == "GREEDY":
                    fields.append(".greedy = true")
            for which in ("query", "header"):
                if r[which]:
                    out.append("static const struct wire_literal %s_%d[] = {%s};" % (
                        which, i, ", ".join("{%s, %s}" % (str_init(n), str_init(v))
                                            for n, v in r[which])))
                    fields.append(".%s = %s_%d, .n_%s = %d" % (which, which, i, which,
                                                              len(r[which])))
            rows.append("    {%s}," % ", ".join(fields))
        return out + ["static const struct wire_route routes[] = {"] + rows + ["};"]

    def signed_query(self):
        """Query parameters that Signature Version 2 signs: those that tell operations apart, of all
        that AWS has, and what the spec adds. list-type tells two forms of one question apart, and
        no client signs it."""
        if not self.settings.get("buckets"):
            return []
        routes = [self.route(n, o["http"], o) for n, o, _, _ in self.ops]
        routes += [self.route(n, h, None) for n, h in self.spec["unsupported"].items()]
        names = {n for r in routes for n, _ in r["query"]} - {"list-type"}
        return sorted(names | TELLING_QUERY | set(self.settings.get("signed_query", [])))

    # --- service ------------------------------------------------------------------------------

    def service_lines(self):
        p, s = self.prefix, self.settings
        unsupported = sorted(self.spec["unsupported"])
        out = []
        if unsupported:
            out += ["static const struct str unsupported[] = {"]
            out += ["    %s," % str_init(n) for n in unsupported] + ["};"]
        errors = sorted(self.error_rows(), key=lambda e: (e[1]["name"].encode(), e[0]))
        out += ["static const struct wire_error *const all_errors[] = {"]
        out += ["    &%s_err_%s," % (p, c) for c, _ in errors] + ["};"]
        fields = [".name = " + str_init(p), ".title = " + str_init(self.spec["title"]),
                  ".signing = " + str_init(s["signing"]),
                  ".arn = " + str_init(s.get("arn", s["signing"])),
                  ".version = " + str_init(self.facts["apiVersion"]),
                  ".target = " + str_init(self.facts.get("targetPrefix")),
                  ".xmlns = " + str_init(s.get("xmlns", self.facts.get("xmlNamespace"))),
                  ".type_prefix = " + str_init(s.get("type_prefix", "")),
                  ".url_member = " + str_init(s.get("url_member")),
                  ".server = " + str_init(s.get("server")),
                  ".protocol = WIRE_" + self.protocol,
                  ".wording = WIRE_WORDING_" + WORDINGS[s["wording"]],
                  ".ops = ops, .n_ops = ARRAY_LEN(ops)",
                  ".errors = all_errors, .n_errors = ARRAY_LEN(all_errors)"]
        if s.get("speaks_query") or self.protocol == "QUERY":
            fields.append(".speaks_query = true")
        fields.append(".json_protocol = WIRE_JSON" +
                      ("11" if self.facts.get("jsonVersion") == "1.1" else "10"))
        if s.get("speaks_cbor") or self.protocol == "RPC_CBOR":
            fields.append(".speaks_cbor = true")
        for flag in ("crc32", "gzip_replies", "buckets", "query_detail"):
            if s.get(flag):
                fields.append(".%s = true" % flag)
        if unsupported:
            fields.append(".unsupported = unsupported, .n_unsupported = ARRAY_LEN(unsupported)")
        if self.rest:
            fields.append(".routes = routes, .n_routes = ARRAY_LEN(routes)")
        for field, names in (("condition_keys", self.all_condition_keys()),
                             ("signed_query", self.signed_query())):
            if names:
                out += ["static const struct str %s[] = {" % field]
                out += ["    %s," % str_init(n) for n in names] + ["};"]
                fields.append(".%s = %s, .n_%s = ARRAY_LEN(%s)" % (field, field, field, field))
        if s.get("query_json"):
            out += ["static const struct wire_literal query_json[] = {"]
            out += ["    {%s, %s}," % (str_init(k), str_init(v)) for k, v in s["query_json"].items()] + ["};"]
            fields.append(".query_json = query_json, .n_query_json = ARRAY_LEN(query_json)")
        if self.n_patterns:
            fields.append(".patterns = patterns, .n_patterns = ARRAY_LEN(patterns)")
        common = ", ".join("[WIRE_E_%s] = &%s_err_%s" % (c.upper(), p, c) for c in COMMON + COMMON_SOME
                           if c in self.spec["common_errors"])
        fields.append(".common = {%s}" % common)
        return out + ["const struct wire_service %s_service = {" % p] + \
            ["    %s," % f for f in fields] + ["};"]

    def source(self):
        p = self.prefix
        parts = [["/* %s: tables. Generated from spec/%s.json by gen/gen.py; do not edit. */" % (
            self.spec["title"], p), "#include <stddef.h>", "", '#include "%s_api.h"' % p],
            self.error_lines(), self.shape_lines(), self.thunk_lines(), self.op_lines()]
        if self.rest:
            parts.append(self.route_lines())
        parts.append(self.service_lines())
        return "\n\n".join("\n".join(part) for part in parts) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        gen = Gen(json.load(f))
    stem = os.path.join(sys.argv[2], gen.prefix + "_api")
    os.makedirs(sys.argv[2], exist_ok=True)
    for suffix, text in ((".h", gen.header()), (".c", gen.source())):
        with open(stem + suffix, "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
