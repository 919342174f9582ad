#!/usr/bin/env python3
"""Generates the tables of CloudFormation's resource types from spec/types/*.json.

    gen/type_rows.py SPEC_DIR OUT.c

Every row is compared with the operations' shapes of SPEC_DIR/<service>.json, and a property that its
templates do not send is marked as refused. The output depends on the specs alone. What rows mean is
told in spec/types/README.md; what the tables mean, in src/svc/cloudformation/type_int.h.
"""
import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from gen import str_init  # noqa: E402

KINDS = {"string": "STRING", "integer": "INTEGER", "number": "NUMBER", "boolean": "BOOLEAN", "json": "JSON",
         "any": "ANY"}
FLAGS = {"required": "TYPE_P_REQUIRED", "replaces": "TYPE_P_REPLACES", "maybe": "TYPE_P_MAYBE"}
TAG = {"Key": "string required", "Value": "string required"}
ROW = {"name", "id", "create", "apply", "update", "delete", "read", "attributes", "exists", "mine", "ignored", "fixed",
       "parts", "refused", "only"}
STEP = {"do", "with", "when", "unless", "changed", "lost", "each", "key", "gone", "take", "live", "until", "skip",
        "absent", "tags", "append"}
SPECIAL = {"$each", "$give", "$if", "$then", "$else", "$merge", "$patch", "$keep"}
WORLD = {"account", "region", "partition", "url-suffix", "stack-name", "stack-id", "logical-id", "token", "tags",
         "tags-set", "tags-unset", "made"}
FILTERS = {"text", "map", "pairs", "camel", "last", "part", "first", "lower", "list", "base64", "zip", "has", "not",
           "is", "or", "reset", "json", "count", "keys", "decoded", "kebab",
           "number", "all", "same", "contains", "booleans", "setting"}
OPAQUE = {"booleans", "text", "json", "map", "pairs", "base64", "zip", "has", "not", "is", "count", "keys", "contains"}  # of a value's inside nothing is left
SAME = {"text", "json", "reset", "or", "list"}  # of which reading makes the property again
HOLE = re.compile(r"\{([#=@.<~:A-Za-z][^{}]*)\}")


class Bad(SystemExit):
    def __init__(self, where, what):
        super().__init__("%s: %s" % (where, what))


class Node:
    """What a property's value is: kind, and what is in it; `taken` when a template sends it."""

    def __init__(self, kind):
        self.kind, self.members, self.of, self.flags, self.taken = kind, {}, None, [], False

    def take_all(self):
        self.taken = True
        for child in list(self.members.values()) + ([self.of] if self.of else []):
            if not child.taken:
                child.take_all()

    def at(self, path):
        node = self
        for name in path:
            if node is None or node.kind in ("JSON", "ANY"):
                return None
            node = node.of if node.kind in ("LIST", "MAP") else node.members.get(name, False)
            if node is False:
                return False
        return node


def parse_kind(text, definitions, depth, seen=()):
    if text[0] in "[{":
        node = Node("LIST" if text[0] == "[" else "MAP")
        node.of = parse_kind(text[1:-1], definitions, depth, seen)
        return node
    if text in KINDS:
        return Node(KINDS[text])
    if seen.count(text) > 1:
        return Node("ANY")  # a definition within itself: from the second level on the service judges
    node = Node("OBJECT")
    fill(node, TAG if text == "tag" else definitions[text], definitions, depth + 1, seen + (text,))
    return node


def fill(node, properties, definitions, depth=0, seen=()):
    for name, words in sorted(properties.items()):
        kind, *flags = words.split()
        child = parse_kind(kind, definitions, depth, seen)
        child.flags = flags if depth == 0 else [f for f in flags if f == "required"]
        node.members[name] = child


class Hole:
    def __init__(self, text, where):
        head, *self.filters = text.split("|")
        for f in self.filters:
            if f.split(":")[0] not in FILTERS:
                raise Bad(where, "no such filter: " + f)
        self.source = head[0] if head[0] in "#=@.<~:" else ""
        rest = head[len(self.source):]
        self.path = [p for p in rest.split(".") if p]
        if self.source == ":" and rest not in WORLD:
            raise Bad(where, "no such hole: {%s}" % text)

    def opaque(self):
        return any(f.split(":")[0] in OPAQUE for f in self.filters)


def holes(template, where):
    """Every hole of a template, at any depth."""
    if isinstance(template, str):
        return [Hole(m, where) for m in HOLE.findall(template)]
    parts = template.values() if isinstance(template, dict) else template if isinstance(template, list) else []
    return [h for p in parts for h in holes(p, where)]


class Service:
    """The operations of spec/<service>.json, with members as inner calls name them."""

    def __init__(self, spec):
        self.spec = spec
        self.rest_json = spec["import"]["protocol"] == "rest-json"

    def input(self, operation):
        op = self.spec["operations"].get(operation)
        return None if op is None else self.spec["shapes"].get(op.get("input"), {"type": "structure", "members": {}})

    def members(self, shape):
        out = {}
        for name, m in shape.get("members", {}).items():
            wire = m.get("locationName", name) if self.rest_json and "location" not in m else name
            out[name if wire in out else wire] = self.spec["shapes"][m["shape"]]
        return out

    def inside(self, shape, part):
        return self.spec["shapes"][shape[part]["shape"]]

    def is_json(self, shape):
        return any(self.spec["shapes"].get(n) is shape for n in self.spec.get("c_json", {}))


def camel(name):
    return name[:1].lower() + name[1:]


class Check:
    """Compares the templates of one row with its operations, and marks what they take."""

    def __init__(self, name, root, services):
        self.name, self.root, self.services = name, root, services

    def step(self, where, step, service, marks):
        unknown = set(step) - STEP
        if unknown or "do" not in step:
            raise Bad(where, "not a step: " + ", ".join(sorted(unknown)))
        op_service, _, operation = step["do"].rpartition(":")
        svc = self.services(op_service or service)
        shape = svc.input(operation)
        if shape is None:
            raise Bad(where, "no such operation: " + step["do"])
        item = None
        for hole in holes({k: v for k, v in step.items() if k != "do"}, where):
            if hole.source in ("", "<"):
                self.find(hole, where)
        if "each" in step:
            hole = holes(step["each"], where)[0]
            if hole.source in ("", "<"):
                node = self.find(hole, where)
                if marks:
                    self.mark_way(hole, None)
                item = node.of if node else None
        if "lost" in step and step["lost"].split(".")[0] not in self.root.members:
            raise Bad(where, "no such property: " + step["lost"])
        self.template(where, step.get("with", {}), svc, shape, item, marks)

    def find(self, hole, where):
        node = self.root.at(hole.path)
        if node is False:
            raise Bad(where, "no such property: " + ".".join(hole.path))
        return node

    def template(self, where, t, svc, shape, item, marks):
        if isinstance(t, str):
            self.text(where, t, svc, shape, item, marks)
        elif isinstance(t, list):
            if shape is not None and shape["type"] != "list" and not svc.is_json(shape):
                raise Bad(where, "not a list")
            for part in t:
                self.template(where, part, svc, svc.inside(shape, "member") if shape else None, item, marks)
        elif isinstance(t, dict):
            self.object(where, t, svc, shape, item, marks)

    def object(self, where, t, svc, shape, item, marks):
        if "$each" in t:
            hole = holes(t["$each"], where)[0]
            base = self.find(hole, where) if hole.source in ("", "<") else item.at(hole.path) if item and hole.source == "." else None
            if base and marks:
                self.mark_way(hole, item)
            inner = svc.inside(shape, "member") if shape and shape["type"] == "list" else None
            return self.template(where, t["$give"], svc, inner, base.of if base else None, marks)
        if "$if" in t:
            for hole in holes(t["$if"], where):
                if hole.source == "" and marks:
                    self.mark_way(hole, item)
            for branch in ("$then", "$else"):
                if branch in t:
                    self.template(where, t[branch], svc, shape, item, marks)
            return None
        if "$merge" in t:
            for part in t["$merge"]:
                self.template(where, part, svc, shape, item, marks)
            return None
        if "$patch" in t:
            for key, value in t["$patch"].items():
                self.text(where, key, svc, None, item, marks)
                self.template(where, value, svc, None, item, marks)
            return None
        return self.plain(where, t, svc, shape, item, marks)

    def plain(self, where, t, svc, shape, item, marks):
        members = svc.members(shape) if shape and shape["type"] == "structure" else None
        for key, value in t.items():
            if key in SPECIAL:
                continue
            inner = None
            if shape is not None and shape["type"] == "map":
                inner = svc.inside(shape, "value")
            elif members is not None and not svc.is_json(shape):
                if key not in members:
                    raise Bad(where, "%s has no member %s" % (shape.get("name", "the input"), key))
                inner = members[key]
            self.template("%s.%s" % (where, key), value, svc, inner, item, marks)
        return None

    def text(self, where, t, svc, shape, item, marks):
        for hole in holes(t, where):
            if hole.source == ":" and hole.path[0].startswith("tags") and marks and self.root.tags:
                self.root.members[self.root.tags].take_all()
            if hole.source == "":
                node = self.find(hole, where)
            elif hole.source == "." and item is not None:
                node = item.at(hole.path)
                if node is False:
                    raise Bad(where, "no such property of an item: " + ".".join(hole.path))
            else:
                continue
            if node is not None and marks:
                self.mark(where, node, hole, svc, shape)
                self.mark_way(hole, item)

    def mark_way(self, hole, item):
        root = self.root if hole.source == "" else item
        for i in range(1, len(hole.path) + 1):
            node = root.at(hole.path[:i])
            if node:
                node.taken = True

    def mark(self, where, node, hole, svc, shape):
        if hole.opaque() or shape is None or svc.is_json(shape):
            node.take_all()
        else:
            self.mark_shape(where, node, svc, shape, any(f == "camel" for f in hole.filters))

    def mark_shape(self, where, node, svc, shape, lower):
        node.taken = True
        if node.kind == "OBJECT" and shape["type"] == "structure":
            members = svc.members(shape)
            for name, child in node.members.items():
                wire = camel(name) if lower else name
                if wire in members:
                    self.mark_shape(where, child, svc, members[wire], lower)
        elif node.kind == "LIST" and shape["type"] == "list":
            self.mark_shape(where, node.of, svc, svc.inside(shape, "member"), lower)
        elif node.kind == "MAP" and shape["type"] == "map":
            self.mark_shape(where, node.of, svc, svc.inside(shape, "value"), lower)
        elif node.kind in ("OBJECT", "LIST", "MAP") and not svc.is_json(shape):
            raise Bad(where, "%s given to %s" % (node.kind.lower(), shape["type"]))


def back(template, at):
    """The other way round of a template: where an output of the same shape has each property."""
    out = {}

    def put(path, value):
        here = out
        for name in path[:-1]:
            here = here.setdefault(name, {})
        here[path[-1]] = value

    def walk(t, way):
        if isinstance(t, str):
            found = HOLE.fullmatch(t)
            hole = Hole(found.group(1), at) if found else None
            if hole and hole.source == "" and all(f.split(":")[0] in SAME for f in hole.filters):
                put(hole.path, "{=%s}" % ".".join(way))
        elif isinstance(t, dict) and not SPECIAL & set(t):
            for key, value in t.items():
                walk(value, way + [key])
    walk(template, [at] if at else [])
    return out


def expand(value, parts, where):
    """$part and $back are replaced by what they stand for."""
    if isinstance(value, list):
        return [expand(v, parts, where) for v in value]
    if not isinstance(value, dict):
        return value
    if "$part" in value:
        if value["$part"] not in parts:
            raise Bad(where, "no such part: " + value["$part"])
        rest = expand({k: v for k, v in value.items() if k != "$part"}, parts, where)
        part = expand(parts[value["$part"]], parts, where)
        return dict(part, **rest) if isinstance(part, dict) else part
    if "$back" in value:
        rest = expand({k: v for k, v in value.items() if k not in ("$back", "at")}, parts, where)
        return dict(back(expand(parts[value["$back"]], parts, where), value.get("at", "")), **rest)
    return {k: expand(v, parts, where) for k, v in value.items()}


class Row:
    def __init__(self, name, row, schema, service, title, services):
        self.name, self.service, self.title, self.schema = name, service, title, schema
        unknown = set(row) - ROW
        if unknown:
            raise Bad(name, "unknown members: " + ", ".join(sorted(unknown)))
        row = expand(row, row.get("parts", {}), name)
        self.row = row
        self.root = Node("OBJECT")
        self.root.taken = True
        self.root.tags = schema.get("tags")
        definitions = schema.get("definitions", {})
        fill(self.root, schema["properties"], definitions)
        self.check = Check(name, self.root, services)
        self.lists = self.make_lists()
        self.mark_rest()

    def make_lists(self):
        row, out = self.row, {}
        for part in ("create", "apply", "delete", "read", "mine"):
            for i, step in enumerate(row.get(part, [])):
                self.check.step("%s.%s[%d]" % (self.name, part, i), step, self.service,
                                part in ("create", "apply") and "lost" not in step and not step.get("gone"))
        again = row.get("update") == "again"
        if not again:
            for i, step in enumerate(row.get("update", [])):
                self.check.step("%s.update[%d]" % (self.name, i), step, self.service, False)
        setting = [s for s in row.get("apply", []) if "lost" not in s and not s.get("gone")]
        out["create"] = [(s, 0) for s in row.get("create", [])] + [(s, "G") for s in setting]
        if again:
            out["update"] = [(s, "D") for s in row.get("delete", [])] + out["create"]
        else:
            out["update"] = [(s, "C") for s in row.get("update", [])] + [
                (s, "C" if "lost" in s or s.get("gone") else "GC") for s in row.get("apply", [])]
        out["delete"] = [(s, "D") for s in row.get("delete", [])]
        for part in ("read", "mine"):
            out[part] = [(s, 0) for s in row.get(part, [])]
        return out

    def uses(self, step):
        """The properties whose change makes an update run the step, and whether tags do."""
        if "changed" in step:
            return sorted(step["changed"]), False
        found = holes({k: step[k] for k in ("with", "when", "unless", "each") if k in step}, self.name)
        names = {h.path[0] for h in found if h.source == "" and h.path}
        # What names the thing stays as it is while it is updated.
        names = {n for n in names if "replaces" not in self.root.members[n].flags}
        if "lost" in step:
            names.add(step["lost"].split(".")[0])
        return sorted(names), any(h.source == ":" and h.path[0].startswith("tags") for h in found)

    def mark_rest(self):
        if "property" in self.row.get("name", {}):
            self.root.members[self.row["name"]["property"]].taken = True
        for path in self.row.get("ignored", {}):
            node = self.root.at(path.split("."))
            if not node:
                raise Bad(self.name, "no such property: " + path)
            node.take_all()
        for path in self.row.get("refused", {}):
            node = self.root.at(path.split("."))
            if not node:
                raise Bad(self.name, "no such property: " + path)
            node.taken = False
        for path in self.row.get("only", {}):
            if path not in self.root.members:
                raise Bad(self.name, "no such property: " + path)
        if self.row.get("update") != "again":
            self.need_update()

    def need_update(self):
        """A property that may change must be sent by an update, or be told apart."""
        sent = set(self.row.get("fixed", [])) | set(self.row.get("ignored", {}))
        for step, _ in self.lists["update"]:
            names, tags = self.uses(step)
            sent |= set(names) | ({self.root.tags} if tags else set())
        for name, node in self.root.members.items():
            if node.taken and "replaces" not in node.flags and name not in sent:
                raise Bad(self.name, "no step of an update sends " + name)


class Writer:
    """C text of all rows: nodes, shapes, steps, rows."""

    def __init__(self):
        self.nodes, self.node_at = [], {}
        self.shapes, self.shape_at, self.properties = [], {}, []
        self.steps, self.rows = [], []

    # --- templates are constant JSON trees ------------------------------------------------------

    def node(self, value, key=None, following=-1):
        known = json.dumps([value, key, following])
        if known not in self.node_at:
            self.node_at[known] = self.add_node(value, key, following)
        return self.node_at[known]

    def add_node(self, value, key, following):
        child, n = -1, 0
        if isinstance(value, dict):
            items = list(value.items())
            n = len(items)
            for k, v in reversed(items):
                child = self.node(v, k, child)
        elif isinstance(value, list):
            n = len(value)
            for v in reversed(value):
                child = self.node(v, None, child)
        fields = [".kind = " + self.json_kind(value)]
        if value is True:
            fields.append(".b = true")
        if isinstance(value, str) or isinstance(value, (int, float)) and not isinstance(value, bool):
            fields.append(".text = " + str_init(value if isinstance(value, str) else json.dumps(value)))
        if key is not None:
            fields.append(".key = " + str_init(key))
        if n:
            fields += [".n = %d" % n, ".child = NODE(%d)" % child]
        if following >= 0:
            fields.append(".next = NODE(%d)" % following)
        self.nodes.append("{%s}" % ", ".join(fields))
        return len(self.nodes) - 1

    @staticmethod
    def json_kind(value):
        if value is None:
            return "JSON_NULL"
        if isinstance(value, bool):
            return "JSON_BOOL"
        kinds = {dict: "JSON_OBJECT", list: "JSON_ARRAY", str: "JSON_STRING"}
        return kinds.get(type(value), "JSON_NUMBER")

    def tree(self, value):
        return "NULL" if value is None else "&nodes[%d]" % self.node(value)

    # --- shapes ------------------------------------------------------------------------------------

    def shape(self, node):
        key, members = (node.kind,), []
        if node.kind == "OBJECT":
            members = [(name, child.taken, tuple(child.flags), self.shape(child))
                       for name, child in node.members.items()]
            key += tuple(members)
        elif node.of:
            key += (self.shape(node.of),)
        if key not in self.shape_at:
            self.shape_at[key] = len(self.shapes)
            fields = [".kind = TYPE_" + node.kind]
            if members:
                fields += [".members = &properties[%d]" % len(self.properties), ".n_members = %d" % len(members)]
            for name, taken, flags, shape in members:
                words = [FLAGS[f] for f in flags] + ([] if taken else ["TYPE_P_REFUSED"])
                self.properties.append("{%s, %s, &shapes[%d]}" % (str_init(name), " | ".join(words) or "0", shape))
            if node.of:
                fields.append(".of = &shapes[%d]" % key[1])
            self.shapes.append("{%s}" % ", ".join(fields))
        return self.shape_at[key]

    # --- steps and rows ----------------------------------------------------------------------------

    def step(self, row, step, how):
        service, _, operation = step["do"].rpartition(":")
        uses, tags = row.uses(step)
        if "G" in str(how) and not uses and not tags:
            raise Bad(row.name, step["do"] + " would never run: nothing that it names may change. It belongs to `create`")
        until = step.get("until", {})
        flags = [name for name, has in (
            ("TYPE_S_IF_GIVEN", "G" in str(how)), ("TYPE_S_IF_CHANGED", "C" in str(how)),
            ("TYPE_S_REMOVES", "D" in str(how) or "lost" in step or step.get("gone")),
            ("TYPE_S_TAGS", tags), ("TYPE_S_GONE", step.get("gone")),
            ("TYPE_S_ALWAYS", step.get("changed") == []),
            ("TYPE_S_UNTIL_GONE", until.get("gone")), ("TYPE_S_ABSENT", step.get("absent"))) if has]
        fields = [".service = " + str_init(service or row.service), ".operation = " + str_init(operation)]
        for name in ("with", "when", "unless", "take", "live", "append", "tags", "skip"):
            if name in step:
                fields.append(".%s = %s" % (name, self.tree(step[name])))
        for name in ("each", "key", "lost"):
            if name in step:
                fields.append(".%s = %s" % (name, str_init(step[name].strip("{}") if name == "each" else step[name])))
        for name in ("is", "one", "never", "past"):
            if name in until:
                fields.append(".until_%s = %s" % (name, self.tree(until[name])))
        if "ms" in until:
            fields.append(".wait_ms = %d" % until["ms"])
        fields.append(".uses = " + self.tree(uses))
        if flags:
            fields.append(".flags = " + " | ".join(flags))
        self.steps.append("{%s}" % ", ".join(fields))

    def add(self, row):
        fields = [".name = " + str_init(row.name), ".title = " + str_init(row.title),
                  ".shape = &shapes[%d]" % self.shape(row.root)]
        if row.root.tags:
            fields.append(".tags = " + str_init(row.root.tags))
        for part in ("create", "update", "delete", "read", "mine"):
            fields += [".%s = {&steps[%d], %d}" % (part, len(self.steps), len(row.lists[part]))]
            for step, how in row.lists[part]:
                self.step(row, step, how)
        naming = row.row.get("name")
        if naming:
            fields.append(".naming = {%s, %d, %s, %s, %s}" % (
                str_init(naming.get("property")), naming["max"], self.tree(naming.get("suffix")),
                "true" if naming.get("lower") else "false", "true" if naming.get("plain") else "false"))
        fields += [".id = " + self.tree(row.row.get("id", "{:logical-id}")),
                   ".values = " + self.tree(row.row.get("attributes", {})),
                   ".attributes = " + self.tree(self.attributes(row)),
                   ".fixed = " + self.tree(row.row.get("fixed", [])),
                   ".exists = " + self.tree(row.row.get("exists", [])),
                   ".only = " + self.tree(row.row.get("only", {}))]
        self.rows.append("{%s}" % ",\n     ".join(fields))

    @staticmethod
    def attributes(row):
        """Those of the schema that the row gives."""
        given = set(row.row.get("attributes", {}))
        for part in row.lists.values():
            for step, _ in part:
                given |= set(step.get("take", {}))
        return [a for a in row.schema["attributes"] if a in given]

    def source(self):
        def array(what, name, rows):
            return "static const struct %s %s[] = {\n    %s,\n};\n" % (what, name, ",\n    ".join(rows))
        rows = "const struct type_row type_rows[] = {\n    %s,\n};\nconst size_t type_n_rows = %d;\n" % (
            ",\n    ".join(self.rows), len(self.rows))
        return "\n".join([
            "/* Generated by gen/type_rows.py from spec/types. */", '#include "svc/cloudformation/type_int.h"', "",
            "/* The trees are only read. */", "#define NODE(i) ((struct json *)&nodes[i])", "",
            "static const struct json nodes[%d];" % len(self.nodes),
            "static const struct type_shape shapes[%d];" % len(self.shapes), "",
            array("json", "nodes", self.nodes).replace("nodes[]", "nodes[%d]" % len(self.nodes)),
            array("type_property", "properties", self.properties),
            array("type_shape", "shapes", self.shapes).replace("shapes[]", "shapes[%d]" % len(self.shapes)),
            array("type_step", "steps", self.steps), rows])


def load(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_rows(spec_dir):
    known = {}

    def services(name):
        if name not in known:
            path = Path(spec_dir) / (name + ".json")
            if not path.exists():
                raise Bad(name, "no such service")
            known[name] = Service(load(path))
        return known[name]
    rows = []
    for path in sorted((Path(spec_dir) / "types").glob("*.json")):
        spec = load(path)
        for name, row in spec["types"].items():
            if name not in spec["schemas"]:
                raise Bad(name, "its schema is not imported")
            title = spec.get("title", spec["service"].capitalize())
            rows.append(Row(name, row, spec["schemas"][name], spec["service"], title, services))
    return sorted(rows, key=lambda r: r.name)


def generate(spec_dir):
    writer = Writer()
    for row in read_rows(spec_dir):
        writer.add(row)
    return writer.source()


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    Path(sys.argv[2]).write_text(generate(sys.argv[1]), encoding="utf-8")


if __name__ == "__main__":
    main()
