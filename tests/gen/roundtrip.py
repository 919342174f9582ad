#!/usr/bin/env python3
"""botocore as client of src/wire: for every supported operation, random valid inputs are serialised
by botocore and must come out of Weir's decoder unchanged, and random outputs encoded by Weir must be
read back by botocore unchanged.

    tests/gen/roundtrip.py WIRE_ROUNDTRIP_PROGRAM SPEC_DIR [SEED]

Runs with whichever botocore the interpreter has (an older one speaks SQS's query protocol, a newer
one its JSON). Exit status 77 says it was skipped: no botocore. Errors are read back, too.
"""
import base64
import datetime
import json
import random
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

try:
    import botocore
    import botocore.parsers
    import botocore.serialize
    import botocore.session
    from botocore.awsrequest import HeadersDict
except ImportError:
    print("SKIPPED: this interpreter has no botocore")
    sys.exit(77)

ROUNDS = 12
PROTOCOLS = {"json": 0, "query": 2, "rest-json": 3, "rest-xml": 4}
# Known differences that are not Weir's: botocore reads these outside of its parsers, or the value is
# kept as text on purpose.
TEXT_MEMBERS = {"Expires"}
NO_PARSE = {("s3", "GetBucketLocation")}
SAMPLES = """a ab abc test-name / /a/ 1 $LATEST v1 o-1234567890 subnet-1 vpc-1 123456 000000000000
arn:aws:iam::000000000000:role/r arn:aws:iam::aws:policy/AmazonS3FullAccess
arn:aws:iam::000000000000:policy/abcdefghij arn:aws:sqs:us-east-1:000000000000:q
arn:aws:lambda:us-east-1:000000000000:function:f arn:aws:lambda:us-east-1:000000000000:layer:l:1
arn:aws:kms:us-east-1:000000000000:key/k arn:aws:logs:us-east-1:000000000000:log-group:g
arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0
arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0
arn:aws:lambda:us-east-1:000000000000:capacity-provider:c
AKIAABCDEFGHIJKLMNOP 0123456789abcdef0123 12345678-1234-1234-1234-123456789012 python3.12
lambda:InvokeFunction s3.amazonaws.com index.handler /mnt/a {"a":1} text/plain""".split()
ALPHABET = "abc XYZ-_/&<>\"'=+\u00e9%~."
UNICODE_CLASSES = (("\\p{L}", "A-Za-z"), ("\\p{Z}", " "), ("\\p{N}", "0-9"), ("\\p{M}", ""),
                   ("\\p{S}", ""), ("\\p{P}", ""), ("\\p{Print}", "[ -~]"))


class Impossible(Exception):
    """No value of this shape can be made up."""


# Services that botocore calls otherwise.
MODELS = {"cognito": "cognito-idp", "streams": "dynamodbstreams", "tagging": "resourcegroupstaggingapi"}


class Maker:
    """Makes up values that meet a shape's constraints. `c_json`: shapes that stay JSON; `names`:
    shapes whose limits are another's."""

    def __init__(self, rng, c_json, names):
        self.rng = rng
        self.c_json = c_json
        self.names = names

    def attribute_value(self):
        return self.rng.choice([{"S": "x&\u00e9"}, {"N": "12.5"}, {"L": [{"S": "a"}]},
                                {"M": {"z": {"BOOL": True}}}, {"NULL": True}])

    def make(self, shape, depth=0):
        if shape.name in self.c_json:
            return self.kept_json(shape)
        return getattr(self, "make_" + shape.type_name)(shape, depth)

    def kept_json(self, shape):
        if shape.type_name == "structure":
            return self.attribute_value()
        if shape.type_name == "map":
            return {"k": self.attribute_value()}
        return [self.make(shape.member) for _ in range(2)]

    def make_structure(self, shape, depth):
        out = {}
        for name, member in shape.members.items():
            if member.serialization.get("streaming") or member.serialization.get("eventstream"):
                continue
            required = name in shape.required_members
            if not required and (depth > 5 or self.rng.random() < 0.35):
                continue
            try:
                out[name] = self.make(member, depth + 1)
            except Impossible:
                if required:
                    raise
        if not out and depth and any(True for _ in shape.members):
            raise Impossible  # an empty one has no form parameter
        return out

    def make_list(self, shape, depth):
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 9)
        n = min(max(low, self.rng.randint(1, 2)), high)
        return [self.make(shape.member, depth + 1) for _ in range(n)]

    def make_map(self, shape, depth):
        n = max(shape.metadata.get("min", 0), self.rng.randint(1, 2))
        return {self.make(shape.key): self.make(shape.value, depth + 1) for _ in range(n)}

    def make_string(self, shape, _depth):
        facts = self.names.get(shape.name, shape).metadata
        low, high = facts.get("min", 0), facts.get("max", 10 ** 6)
        if facts.get("enum"):
            return self.rng.choice(facts["enum"])
        if facts.get("pattern"):
            pattern = facts["pattern"]
            for java, python in UNICODE_CLASSES:
                pattern = pattern.replace(java, python)
            fitting = [s for s in SAMPLES if low <= len(s) <= high and re.fullmatch(pattern, s)]
            if not fitting:
                raise Impossible
            return self.rng.choice(fitting)
        n = self.rng.randint(max(low, 1), min(high, max(low, 12)))
        text = "".join(self.rng.choice(ALPHABET) for _ in range(n)).strip()
        return text.ljust(max(low, 1), "x")

    def make_integer(self, shape, _depth):
        low = shape.metadata.get("min", -5)
        return self.rng.randint(low, max(low, min(shape.metadata.get("max", 1000), low + 1000)))

    make_long = make_integer

    def make_boolean(self, _shape, _depth):
        return self.rng.random() < 0.5

    def make_double(self, shape, _depth):
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10 ** 10)
        return self.rng.choice([v for v in (low + 0.5, low + 1.25, high - 0.5) if low <= v <= high])

    make_float = make_double

    def make_timestamp(self, _shape, _depth):
        return datetime.datetime.fromtimestamp(self.rng.randint(10 ** 9, 2 * 10 ** 9),
                                               datetime.timezone.utc)

    def make_blob(self, _shape, _depth):
        return bytes(self.rng.randrange(33, 127) for _ in range(5))


def plain(value):
    """As the program's JSON has it."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return int(value.timestamp() * 1000)
    return value


def header_text(text):
    return text.encode("ascii", "ignore").decode().strip() or "x"


def token(text):
    return re.sub("[^a-z0-9.-]", "x", text.lower()) or "k"


def fit_head(params, shape, reply):
    """Makes members of the head what a head can carry."""
    for name, member in shape.members.items():
        place = member.serialization.get("location")
        value = params.get(name)
        if value is None:
            continue
        if name in TEXT_MEMBERS:
            params.pop(name)
        elif place == "header" and isinstance(value, str):
            params[name] = header_text(value)
        elif place == "header" and isinstance(value, list):
            if reply:
                params.pop(name)
            else:
                params[name] = [header_text(v).replace(",", "x") for v in value]
        elif place == "headers":
            params[name] = {token(k): header_text(v) for k, v in value.items()}
        elif place == "statusCode":
            params[name] = 200
    return params


def request_text(request):
    """What botocore serialised, as the program reads it."""
    query = request.get("query_string") or ""
    if isinstance(query, dict):
        pairs = [(k, v) for k, vs in query.items() for v in (vs if isinstance(vs, list) else [vs])]
        query = urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)
    path, _, fixed = request["url_path"].partition("?")
    query = "&".join(q for q in (fixed, query) if q)
    headers, body = dict(request["headers"]), request["body"] or b""
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    if isinstance(body, str):
        body = body.encode()
    text = "%s %s%s\n" % (request["method"], path, "?" + query if query else "")
    for name, value in headers.items():
        text += "%s: %s\n" % (name, value.decode() if isinstance(value, bytes) else value)
    return text.encode() + b"\n" + body


def read_reply(answer):
    """What the program encoded, as botocore's parsers take it."""
    head, _, body = answer.partition(b"\n\n")
    lines = head.decode().split("\n")
    headers = HeadersDict(dict(line.split(":", 1) for line in lines[1:]))
    return {"headers": headers, "status_code": int(lines[0]), "body": body}


class Program:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, command, body):
        self.process.stdin.write(b"%s %d\n" % (command.encode(), len(body)) + body)
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the program died on: %s %r" % (command, body[:2000]))
        return self.process.stdout.read(int(line))


class Check:
    def __init__(self, program, spec, model, rng):
        self.program, self.spec, self.model = program, spec, model
        # Whose limits hold for a value that is no ARN.
        names = {shape: model.shape_for(row["name"])
                 for shape, row in spec.get("constraints", {}).items() if "name" in row}
        self.maker = Maker(rng, spec.get("c_json", {}), names)
        spoken = [model.metadata["protocol"], *model.metadata.get("protocols", [])]
        protocol = next(p for p in spoken if p in PROTOCOLS)  # CBOR, which some speak first, has tests of its own
        self.renamed = protocol == "rest-json"
        self.protocol = PROTOCOLS[protocol] + (protocol == "json" and model.metadata.get("jsonVersion") == "1.1")
        self.serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
        self.parser = botocore.parsers.create_parser(protocol)
        self.done = self.impossible = 0
        self.bad = []

    def wired(self, value, shape):
        """The value by the names that members of bodies have in JSON, which is how the program tells and is told."""
        if shape.type_name == "list" and isinstance(value, list):
            return [self.wired(v, shape.member) for v in value]
        if shape.type_name == "map" and isinstance(value, dict):
            return {k: self.wired(v, shape.value) for k, v in value.items()}
        if shape.type_name != "structure" or not isinstance(value, dict) or not self.renamed:
            return value
        return {m.serialization.get("name", n) if "location" not in m.serialization else n: self.wired(value[n], m)
                for n, m in shape.members.items() if n in value}

    def request(self, name, op):
        params = fit_head(self.maker.make(op.input_shape), op.input_shape, False) \
            if op.input_shape else {}
        if self.spec["service"] == "s3" and "Bucket" in params:
            params["Bucket"] = "bucket"
        if self.spec["service"] == "s3" and "Key" in params:
            params["Key"] = params["Key"].strip("/") or "k"
        request = self.serializer.serialize_to_request(params, op)
        answer = self.program.ask("D " + self.model.signing_name, request_text(request)).decode()
        told = self.wired(params, op.input_shape) if op.input_shape else params
        expected = "%s %s" % (name, json.dumps(plain(told), sort_keys=True))
        got_name, _, got = answer.partition(" ")
        if not answer.startswith("!"):
            got = json.dumps(json.loads(got), sort_keys=True)
        self.compare("request", name, "%s %s" % (got_name, got), expected)

    def reply(self, name, op):
        shape = op.output_shape
        if shape is None or (self.spec["service"], name) in NO_PARSE:
            return
        output = fit_head(self.maker.make(shape), shape, True)
        payload = shape.serialization.get("payload")
        if payload in shape.members and payload not in output:
            if not shape.members[payload].serialization.get("streaming"):
                raise Impossible  # botocore makes an empty one of an absent one
        command = "E %s %s %d" % (self.spec["service"], name, self.protocol)
        answer = self.program.ask(command, json.dumps(plain(self.wired(output, shape))).encode())
        parsed = self.parser.parse(read_reply(answer), shape)
        parsed.pop("ResponseMetadata", None)
        if isinstance(parsed.get(payload), str) and isinstance(output.get(payload), bytes):
            parsed[payload] = parsed[payload].encode()  # as older ones leave it
        if self.spec["ops"][name].get("stream_out"):
            parsed.pop(payload, None)
        for name_of, member in shape.members.items():
            place = member.serialization.get("location")
            absent = name_of not in output and (place == "headers" or member.serialization.get("name", "").lower() == "content-type")
            if place == "statusCode" or absent:
                parsed.pop(name_of, None)  # botocore makes these up, and every reply has a type
                output.pop(name_of, None)
        self.compare("reply", name, json.dumps(plain(parsed), sort_keys=True),
                     json.dumps(plain(output), sort_keys=True))

    def errors(self):
        """Every error of the service, as the client reads it."""
        message = "m<&\u00e9\""
        for index in range(10 ** 6):
            command = "F %s %d %d" % (self.spec["service"], index, self.protocol)
            answer = self.program.ask(command, message.encode())
            if not answer:
                return
            code, _, answer = answer.decode().partition("\n")
            response = read_reply(answer.encode())
            if response["status_code"] == 304:
                continue
            error = self.parser.parse(response, None).get("Error", {})
            self.compare("error", code, "%s %s" % (error.get("Code"), error.get("Message")),
                         "%s %s" % (code, message))

    def compare(self, what, name, got, expected):
        self.done += 1
        if got != expected:
            self.bad.append("%s %s %s\n  got      %s\n  expected %s" % (
                self.spec["service"], name, what, got[:1500], expected[:1500]))

    def run(self):
        self.errors()
        for name in self.spec["operations"]:
            if name not in self.model.operation_names:
                continue  # newer than this botocore
            op = self.model.operation_model(name)
            for _ in range(ROUNDS):
                for side in (self.request, self.reply):
                    try:
                        side(name, op)
                    except Impossible:
                        self.impossible += 1


def main():
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    print("botocore %s, seed %d" % (botocore.__version__, seed), flush=True)
    program = Program(sys.argv[1])
    session = botocore.session.Session()
    failed = False
    for path in sorted(Path(sys.argv[2]).glob("*.json")):
        spec = json.loads(path.read_text(encoding="utf-8"))
        model = session.get_service_model(MODELS.get(spec["service"], spec["service"]))
        check = Check(program, spec, model, random.Random(seed))
        check.run()
        print("%-9s %5d round trips, %d not possible, %d wrong" % (
            spec["service"], check.done, check.impossible, len(check.bad)))
        for text in check.bad[:5]:
            print(text)
        failed |= bool(check.bad) or check.done == 0
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
