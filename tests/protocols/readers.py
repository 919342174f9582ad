"""How a client reads a reply in each AWS protocol: small, written from the protocols' descriptions,
and proved by the cases themselves before they judge Weir (see protocols.py).

Values are in the form of the test's driver: blobs as base64, timestamps as milliseconds, floats that
no JSON number can say as "NaN", "Infinity", "-Infinity".
"""
import base64
import calendar
import email.utils
import json
import math
import re
import struct
import xml.etree.ElementTree as ElementTree


def wire_name(shapes, protocol, name, member):
    """What Weir's tables call a member."""
    if protocol == "rest-json" and "location" not in member:
        return member.get("locationName", name)
    return name


def plain(shapes, protocol, ref, value):
    """A value of a case in the driver's form. `ref`: a member or {"shape": name}."""
    shape = shapes[ref["shape"]]
    kind = shape["type"]
    if shape.get("document"):
        return value
    if kind == "structure":
        return {wire_name(shapes, protocol, n, m): plain(shapes, protocol, m, value[n])
                for n, m in shape["members"].items() if value.get(n) is not None}
    if kind == "list":
        return [plain(shapes, protocol, shape["member"], v) for v in value]
    if kind == "map":
        return {k: plain(shapes, protocol, shape["value"], v) for k, v in value.items()
                if v is not None}
    if kind == "blob":
        return base64.b64encode(value.encode()).decode()
    if kind == "timestamp":
        return round(value * 1000)
    return value


def number(value):
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def time_of(value, form):
    """Milliseconds; `form` names the format, which the text must have."""
    if form == "unixTimestamp":
        return round(float(value) * 1000)
    if form == "rfc822":
        found = re.fullmatch(r"(.*:\d\d)(\.\d+)?( GMT)", value)
        whole = calendar.timegm(email.utils.parsedate(found.group(1) + found.group(3)))
        return round((whole + float(found.group(2) or 0)) * 1000)
    found = re.fullmatch(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)?(Z|([+-])(\d\d):(\d\d))", value)
    parts = [int(found.group(i)) for i in range(1, 7)]
    seconds = calendar.timegm(tuple(parts) + (0, 0, 0)) + float(found.group(7) or 0)
    if found.group(9):
        offset = int(found.group(10)) * 3600 + int(found.group(11)) * 60
        seconds -= offset if found.group(9) == "+" else -offset
    return round(seconds * 1000)


def scalar(shapes, ref, text, default):
    """A value written as text: XML and headers."""
    shape = shapes[ref["shape"]]
    kind = shape["type"]
    if kind in ("integer", "long", "short"):
        return int(text)
    if kind in ("float", "double"):
        return number(text)
    if kind == "boolean":
        return {"true": True, "false": False}[text]
    if kind == "timestamp":
        return time_of(text, ref.get("timestampFormat", shape.get("timestampFormat", default)))
    return text


# --- JSON and CBOR ---------------------------------------------------------------------------------

def from_tree(shapes, protocol, ref, value):
    shape = shapes[ref["shape"]]
    kind = shape["type"]
    if shape.get("document"):
        return value
    if kind == "structure":
        out = {}
        for name, member in shape["members"].items():
            key = wire_name(shapes, protocol, name, member)
            if "location" not in member and value.get(key) is not None:
                out[key] = from_tree(shapes, protocol, member, value[key])
        return out
    if kind == "list":
        return [from_tree(shapes, protocol, shape["member"], v) for v in value if v is not None]
    if kind == "map":
        return {k: from_tree(shapes, protocol, shape["value"], v) for k, v in value.items()
                if v is not None}
    if kind == "timestamp" and not isinstance(value, tuple):
        form = ref.get("timestampFormat", shape.get("timestampFormat", "unixTimestamp"))
        if protocol == "cbor":
            raise ValueError("a time without its tag")
        if (form == "unixTimestamp") != isinstance(value, (int, float)):
            raise ValueError("a time in another format: %r" % (value,))
        return time_of(value, form)
    if kind == "timestamp":
        return round(value[1] * 1000)
    if kind in ("float", "double"):
        return number(value)
    if kind == "blob" and isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if kind == "blob" and protocol == "cbor":
        raise ValueError("a blob as text")
    return value


class Cbor:
    """RFC 8949; a tag 1 becomes ("time", seconds)."""
    BREAK = object()

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise ValueError("short")
        self.at += n
        return self.data[self.at - n:self.at]

    def items(self, n):
        out = []
        while n is None or len(out) < n:
            item = self.value()
            if item is self.BREAK:
                break
            out.append(item)
        return out

    def value(self):
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        arg = info
        if 24 <= info <= 27:
            raw = self.take(1 << (info - 24))
            arg = int.from_bytes(raw, "big")
            if major == 7 and info > 24:
                return struct.unpack({2: ">e", 4: ">f", 8: ">d"}[len(raw)], raw)[0]
        n = None if info == 31 else arg
        if major == 0:
            return arg
        if major == 1:
            return -1 - arg
        if major in (2, 3):
            raw = b"".join(v if isinstance(v, bytes) else v.encode() for v in self.items(None)) \
                if n is None else self.take(n)
            return raw if major == 2 else raw.decode()
        if major == 4:
            return self.items(n)
        if major == 5:
            flat = self.items(None if n is None else 2 * n)
            return dict(zip(flat[::2], flat[1::2]))
        if major == 6:
            value = self.value()
            return ("time", value) if arg == 1 else value
        return {20: False, 21: True, 22: None, 23: None, 31: self.BREAK}[info]


def cbor(data):
    reader = Cbor(data)
    value = reader.value()
    if reader.at != len(data):
        raise ValueError("bytes behind the item")
    return value


# --- XML -------------------------------------------------------------------------------------------

def local(tag):
    return tag.rpartition("}")[2]


def parse_xml(body):
    root = ElementTree.fromstring(body)
    for e in root.iter():
        e.tag = local(e.tag)
    return root


def from_xml(shapes, ref, e):
    shape = shapes[ref["shape"]]
    kind = shape["type"]
    if kind == "structure":
        out = {}
        for name, member in shape["members"].items():
            if "location" not in member:
                member_from_xml(shapes, name, member, e, out)
        return out
    if kind == "list":
        own = shape["member"].get("locationName", "member")
        return [from_xml(shapes, shape["member"], c) for c in e if c.tag == own]
    if kind == "map":
        return entries(shapes, shape, [c for c in e if c.tag == "entry"])
    if kind == "blob":
        base64.b64decode(e.text or "", validate=True)
        return e.text or ""
    return scalar(shapes, ref, e.text or "", "iso8601")


def entries(shapes, shape, elements):
    key = shape["key"].get("locationName", "key")
    value = shape["value"].get("locationName", "value")
    return {c.find(key).text or "": from_xml(shapes, shape["value"], c.find(value))
            for c in elements}


def member_from_xml(shapes, name, member, e, out):
    target = shapes[member["shape"]]
    own = member.get("locationName", name)
    if member.get("xmlAttribute"):
        found = {local(k): v for k, v in e.attrib.items()}.get(own.rpartition(":")[2])
        if found is not None:
            out[name] = found
        return
    flat = member.get("flattened") or target.get("flattened")
    if flat and target["type"] == "list":
        if not member.get("flattened"):
            own = target["member"].get("locationName", own)
        found = [c for c in e if c.tag == own]
        if found:
            out[name] = [from_xml(shapes, target["member"], c) for c in found]
        return
    found = [c for c in e if c.tag == own]
    if flat and found:
        out[name] = entries(shapes, target, found)
    elif found:
        out[name] = from_xml(shapes, member, found[0])


# --- replies ---------------------------------------------------------------------------------------

def header_list(shapes, ref, text):
    item = shapes[ref["shape"]]["member"]
    shape = shapes[item["shape"]]
    if shape["type"] == "timestamp" and shape.get("timestampFormat", "rfc822") == "rfc822":
        parts = re.findall(r"\w{3}, [^,]+", text)
    else:
        parts = [p[1:-1].replace('\\"', '"').replace("\\\\", "\\") if p.startswith('"') else p
                 for p in re.findall(r'"(?:[^"\\]|\\.)*"|[^,\s][^,]*', text)]
    return [scalar(shapes, item, p.strip(), "rfc822") for p in parts]


def from_head(shapes, shape, status, headers, out):
    lower = {k.lower(): v for k, v in headers.items()}
    for name, member in shape["members"].items():
        at, place = member.get("locationName", name), member.get("location")
        if place == "statusCode":
            out[name] = status
        elif place == "headers":
            found = {k[len(at):]: v for k, v in headers.items() if k.lower().startswith(at.lower())}
            if found:
                out[name] = found
        elif place == "header" and at.lower() in lower:
            text = lower[at.lower()]
            if shapes[member["shape"]]["type"] == "list":
                out[name] = header_list(shapes, member, text)
            else:
                out[name] = scalar(shapes, member, text, "rfc822")


def rest(shapes, protocol, shape, status, headers, body):
    out = {}
    from_head(shapes, shape, status, headers, out)
    payload = shape.get("payload")
    if payload:
        member = shape["members"][payload]
        target = shapes[member["shape"]]
        key = wire_name(shapes, protocol, payload, member)
        if not body:
            return out
        if target["type"] == "blob":
            out[key] = base64.b64encode(body).decode()
        elif target["type"] == "string":
            out[key] = body.decode()
        elif protocol == "rest-json":
            out[key] = from_tree(shapes, protocol, member, json.loads(body))
        else:
            out[key] = from_xml(shapes, member, parse_xml(body))
    elif body and protocol == "rest-json":
        out.update(from_tree(shapes, protocol, {"shape": shape["name"]}, json.loads(body)))
    elif body:
        out.update(from_xml(shapes, {"shape": shape["name"]}, parse_xml(body)))
    return out


def success(shapes, protocol, op, status, headers, body):
    """The output of a reply, or of none."""
    ref = op.get("output")
    if not ref:
        return {}
    if protocol == "json":
        return from_tree(shapes, protocol, ref, json.loads(body)) if body else {}
    if protocol == "cbor":
        return from_tree(shapes, protocol, ref, cbor(body)) if body else {}
    if protocol == "query":
        if not body:
            return {}
        result = parse_xml(body).find(op["name"] + "Result")
        return {} if result is None else from_xml(shapes, ref, result)
    return rest(shapes, protocol, dict(shapes[ref["shape"]], name=ref["shape"]), status, headers,
                body)


def error(shapes, protocol, shape_name, headers, body):
    """(code, message, members) of an error reply."""
    lower = {k.lower(): v for k, v in headers.items()}
    shape = shapes[shape_name]
    members = {}
    if protocol in ("rest-xml", "query"):
        inner = parse_xml(body)
        inner = inner if inner.find("Code") is not None else inner.find("Error")
        code, message = inner.find("Code").text, inner.find("Message")
        message = None if message is None else message.text
        members.update(from_xml(shapes, {"shape": shape_name}, inner))
    else:
        tree = (cbor(body) if protocol == "cbor" else json.loads(body)) if body else {}
        code = lower.get("x-amzn-errortype") or tree.get("code") or tree.get("__type")
        code = code.partition(":")[0] if "#" not in code else code.rpartition("#")[2].partition(
            ":")[0]
        code = lower.get("x-amzn-query-error", code).partition(";")[0]
        message = tree.get("message", tree.get("Message"))
        members.update(from_tree(shapes, protocol, {"shape": shape_name}, tree))
    if protocol.startswith("rest"):
        from_head(shapes, shape, 0, headers, members)
    return code, message, {k: v for k, v in members.items() if k.lower() != "message"}
