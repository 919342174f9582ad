#!/usr/bin/env python3
"""Others' cases of the AWS protocols against src/wire: what clients send must decode to the same
parameters, and what Weir answers must read back as the same result.

    protocols.py make DATA OUT_DIR     services made of the cases' shapes: tables, stubs, list
    protocols.py files DATA OUT_DIR    what `make` writes, for the build
    protocols.py run DATA OUT_DIR DRIVER

The cases of a file go into as few services as their names allow. `not_applicable.json` lists what
no service of Weir's uses, each with the reason; they are counted in the closing line.
"""
import base64
import gzip
import json
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "gen"))
from gen import COMMON, Gen  # noqa: E402
from stubs import stubs  # noqa: E402

import readers  # noqa: E402

INDEX = {"json": 0, "query": 2, "rest-json": 3, "rest-xml": 4, "cbor": 5}
NAMES = {"smithy-rpc-v2-cbor": "cbor"}


class Conflict(Exception):
    """Two suites that cannot be in one service."""


def strip(shape):
    shape = {k: v for k, v in shape.items() if k not in ("documentation", "box",
                                                        "idempotencyToken")}
    if isinstance(shape.get("xmlNamespace"), str):
        shape["xmlNamespace"] = {"uri": shape["xmlNamespace"]}
    return shape


class Service:
    """Suites whose names do not clash, as a spec."""

    def __init__(self, name, metadata):
        self.name, self.metadata = name, metadata
        self.suites, self.ops, self.shapes, self.routes, self.errors = [], {}, {}, {}, {}

    def add(self, suite):
        ops, shapes = dict(self.ops), dict(self.shapes)
        routes, errors = dict(self.routes), dict(self.errors)
        for name, shape in suite["shapes"].items():
            if shapes.setdefault(name, strip(shape)) != strip(shape):
                raise Conflict
            if shape.get("exception"):
                errors[name] = self.error(shape)
        for case in suite["cases"]:
            given = {k: v for k, v in case["given"].items() if k in ("name", "http", "input",
                                                                     "output", "resultWrapper")}
            if ops.setdefault(given["name"], given) != given:
                raise Conflict
            if self.metadata["protocol"].startswith("rest"):
                http = given["http"]
                key = http["method"] + " " + re.sub(r"\{\w+(\+?)\}", r"{\1}", http["requestUri"])
                if routes.setdefault(key, given["name"]) != given["name"]:
                    raise Conflict
        trial = Service(self.name, self.metadata)
        trial.ops, trial.shapes, trial.routes, trial.errors = ops, shapes, routes, errors
        try:
            Gen(trial.spec()).header()
        except SystemExit:
            raise Conflict from None
        self.ops, self.shapes, self.routes, self.errors = ops, shapes, routes, errors
        self.suites.append(suite)

    def error(self, shape):
        facts = shape.get("error", {})
        server = bool(shape.get("fault"))
        row = {"status": facts.get("httpStatusCode", 500 if server else 400), "server": server}
        if "code" in facts:
            row["code"] = facts["code"]
            if "awsQueryCompatible" in self.metadata:
                row["query_code"] = facts["code"]
        return row

    def spec(self):
        shapes = {n: dict(s, members={m: strip(v) for m, v in s["members"].items()})
                  if "members" in s else s for n, s in self.shapes.items()}
        operations = {}
        for name, given in self.ops.items():
            operations[name] = dict({k: v for k, v in given.items() if k in ("http",
                                                                            "resultWrapper")},
                                    **{s: given[s]["shape"] for s in ("input", "output")
                                       if s in given})
        facts = dict(self.metadata, targetPrefix=self.name)
        common = {c: {"code": "Common" + c.title().replace("_", ""), "status": 400}
                  for c in COMMON}
        return {"service": self.name, "title": self.name, "import": facts, "shapes": shapes,
                "ops": {n: {"action": "x:" + n, "resource": "*"} for n in self.ops},
                "operations": operations, "errors": self.errors, "unsupported": {},
                "common_errors": common, "extra_errors": {}, "xml_roots": {},
                "c_json": {n: "any" for n, s in shapes.items() if s.get("document")},
                "settings": {"signing": self.name, "wording": "counted",
                             "type_prefix": "aws.protocoltests#"}}


def services(data):
    """Every suite in the first service of its file that takes it."""
    out = []
    for direction in ("input", "output"):
        for path in sorted((data / direction).glob("*.json")):
            mine = []
            for suite in json.loads(path.read_text(encoding="utf-8")):
                stem = "p_%s_%s" % (direction, re.sub("[^a-z0-9]", "_", path.stem))
                for service in mine:
                    try:
                        service.add(suite)
                        break
                    except Conflict:
                        continue
                else:
                    mine.append(Service("%s_%d" % (stem, len(mine)), suite["metadata"]))
                    mine[-1].add(suite)
            out += mine
    return out


def outputs(all_services, out):
    names = [s.name + end for s in all_services for end in ("_api.c", "_stubs.c")]
    return [str(out / n) for n in names + ["protocol_services.c"]]


def make(all_services, out):
    out.mkdir(parents=True, exist_ok=True)
    for service in all_services:
        gen = Gen(service.spec())
        for end, text in (("_api.h", gen.header()), ("_api.c", gen.source()),
                          ("_stubs.c", stubs(gen))):
            (out / (service.name + end)).write_text(text, encoding="utf-8")
    lines = ["/* Generated by tests/protocols/protocols.py. */", '#include "wire/wire.h"', "",
             "extern const struct wire_service *const all_services[];",
             "extern const size_t n_all_services;"]
    lines += ["extern const struct wire_service %s_service;" % s.name for s in all_services]
    lines += ["const struct wire_service *const all_services[] = {"]
    lines += ["    &%s_service," % s.name for s in all_services]
    lines += ["};", "const size_t n_all_services = %d;" % len(all_services), ""]
    (out / "protocol_services.c").write_text("\n".join(lines), encoding="utf-8")


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, command, body):
        self.process.stdin.write(b"%s %d\n" % (command.encode(), len(body)) + body)
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the driver died on: %s %r" % (command, body[:500]))
        return self.process.stdout.read(int(line))


def compressed(service, protocol, case):
    """The body that a case of compression leaves out: its parameters, packed."""
    data = case["params"]["data"]
    body = {"json": lambda: json.dumps({"data": data}),
            "rest-json": lambda: json.dumps({"data": data}),
            "query": lambda: urllib.parse.urlencode({
                "Action": case["given"]["name"], "Version": service.metadata["apiVersion"],
                "data": data}),
            "rest-xml": lambda: "<Input><data>%s</data></Input>" % data}[protocol]()
    return gzip.compress(body.encode())


def request_text(service, protocol, case):
    """A case's request as the driver reads it; the target is that of the generated service."""
    serialized = case["serialized"]
    target = service.metadata.get("targetPrefix", "")
    headers = dict(serialized.get("headers", {}))
    uri, body = serialized["uri"], (serialized.get("body") or "").encode()
    if "X-Amz-Target" in headers:
        headers["X-Amz-Target"] = headers["X-Amz-Target"].replace(target, service.name)
    if "smithy-protocol" in headers:
        uri = uri.replace("/service/%s/" % target, "/service/%s/" % service.name)
        body = base64.b64decode(body)
    if protocol == "json":  # some cases list only the headers that they are about
        headers.setdefault("X-Amz-Target", "%s.%s" % (service.name, case["given"]["name"]))
    if protocol == "query":
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    if "gzip" in headers.get("Content-Encoding", ""):
        body = compressed(service, protocol, case)
    headers["Host"] = serialized.get("host", "example.com")
    text = "%s %s\n" % (serialized["method"], uri)
    text += "".join("%s: %s\n" % (k, ",".join(v) if isinstance(v, list) else v)
                    for k, v in headers.items())
    return text.encode() + b"\n" + body


def check_input(driver, service, protocol, case):
    answer = driver.ask("D " + service.name, request_text(service, protocol, case)).decode()
    name, _, got = answer.partition(" ")
    params = case["params"] or {}
    if "input" in case["given"]:
        params = readers.plain(service.shapes, protocol, case["given"]["input"], params)
    if answer.startswith("!") or name != case["given"]["name"]:
        return answer
    got = comparable(case, protocol, json.loads(got))
    params = without_bound(service, case, comparable(case, protocol, params))
    return None if got == params else "decoded %s\n     sent %s" % (got, params)


def without_bound(service, case, params):
    """A map of all query parameters has for Weir those that no other member takes; clients may put
    the others in it, too."""
    members = service.shapes[case["given"]["input"]["shape"]]["members"] \
        if "input" in case["given"] else {}
    taken = {m.get("locationName") for n, m in members.items() if m.get("location") == "querystring"
             and service.shapes[m["shape"]]["type"] != "map"}
    out = {}
    for name, value in params.items():
        if members.get(name, {}).get("location") == "querystring" and isinstance(value, dict):
            value = {k: v for k, v in value.items() if k not in taken}
            if not value:
                continue
        out[name] = value
    return out


def comparable(case, protocol, params):
    """Without what a client makes up by itself (idempotency tokens, Content-Encoding), and, where the
    protocol has no way to say it, without what is empty: XML, forms and heads do not tell an empty
    list, map or structure from an absent one."""
    out = dict(params)
    if "IdempotencyTokenAutoFill" in case["id"] and not case["params"]:
        out.pop("token", None)
    if "ContentEncoding" in case["id"] or "SDKAppend" in case["id"]:
        out.pop("encoding", None)
    if protocol in ("query", "rest-xml", "rest-json"):
        out = {k: v for k, v in out.items() if v not in ([], {})}
    return out


def read_reply(answer):
    head, _, body = answer.partition(b"\n\n")
    lines = head.decode().split("\n")
    return int(lines[0]), dict(line.split(":", 1) for line in lines[1:]), body


def own_reply(protocol, response):
    body = (response.get("body") or "").encode()
    return (response["status_code"], response.get("headers", {}),
            base64.b64decode(body) if protocol == "cbor" else body)


def check_output(driver, service, protocol, case):
    ref = case["given"].get("output")
    expected = readers.plain(service.shapes, protocol, ref, case["result"]) if ref else {}
    read = readers.success(service.shapes, protocol, case["given"],
                           *own_reply(protocol, case["response"]))
    if comparable(case, protocol, read) != comparable(case, protocol, expected):
        return "the reader itself: %s\n   expected %s" % (read, expected)
    command = "E %s %s %d" % (service.name, case["given"]["name"], INDEX[protocol] + (
        service.metadata.get("jsonVersion") == "1.1"))
    reply = read_reply(driver.ask(command, json.dumps(expected).encode()))
    try:
        got = readers.success(service.shapes, protocol, case["given"], *reply)
    except (ValueError, KeyError, AttributeError) as fault:
        return "%r\n  reply %s" % (fault, reply)
    got, expected = comparable(case, protocol, got), comparable(case, protocol, expected)
    if got != expected:
        return "read back %s\n expected %s\n    reply %s" % (got, expected, reply)
    status = case["response"]["status_code"]
    return None if reply[0] == status else "status %d, expected %d" % (reply[0], status)


def check_error(driver, service, protocol, case):
    shape_name = case["given"]["errors"][0]["shape"]
    ref = {"shape": shape_name}
    members = readers.plain(service.shapes, protocol, ref, case.get("error") or {})
    members = {k: v for k, v in members.items() if k.lower() != "message"}
    status, headers, body = own_reply(protocol, case["response"])
    code, message = case["errorCode"], case.get("errorMessage")
    read = readers.error(service.shapes, protocol, shape_name, headers, body)
    if read[0] != code or read[2] != members or (message and read[1] != message):
        return "the reader itself: %s\n   expected %s %s %s" % (read, code, message, members)
    command = "X %s %s %d" % (service.name, shape_name, INDEX[protocol] + (
        service.metadata.get("jsonVersion") == "1.1"))
    text = json.dumps({"message": message or "", "members": members})
    reply = read_reply(driver.ask(command, text.encode()))
    got = readers.error(service.shapes, protocol, shape_name, *reply[1:])
    if (got[0], got[1] or "", got[2]) != (code, message or "", members):
        return "read back %s\n expected %s %s %s\n reply %s" % (got, code, message, members, reply)
    return None if protocol in ("json", "cbor") or reply[0] == status else \
        "status %d, expected %d" % (reply[0], status)


def run(all_services, path):
    driver = Driver(path)
    rows = json.loads((HERE / "not_applicable.json").read_text(encoding="utf-8"))
    left_out = {(d, i): reason for d, ids in rows.items() for i, reason in ids.items()}
    done, failed, unused = 0, 0, dict(left_out)
    for service in all_services:
        protocol = NAMES.get(service.metadata["protocol"], service.metadata["protocol"])
        for case in (c for s in service.suites for c in s["cases"]):
            check = check_input if "serialized" in case else \
                check_error if "errorCode" in case else check_output
            key = (service.name.split("_")[1] + "/" + protocol, case["id"])
            if key in left_out:
                unused.pop(key, None)
                continue
            problem = check(driver, service, protocol, case)
            done += 1
            if problem:
                failed += 1
                print("%s %s %s\n  %s" % (key[0], case["id"], case.get("description", "")[:80], problem))
    for key in unused:
        print("not_applicable.json names no case: %s %s" % key)
    print("%d cases of the protocols, %d failed; %d not applicable to Weir's services" % (
        done, failed, len(left_out)))
    return 1 if failed or unused or not done else 0


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    data, out = Path(sys.argv[2]), Path(sys.argv[3])
    all_services = services(data)
    if sys.argv[1] == "files":
        print(";".join(outputs(all_services, out)), end="")
    elif sys.argv[1] == "make":
        make(all_services, out)
    else:
        sys.exit(run(all_services, sys.argv[4]))


if __name__ == "__main__":
    main()
