"""Every limit that a spec puts on a text of a supported operation's input is enforced: for each such
member a request that breaks one limit is refused by the service's own validation error. The requests
are made from spec/*.json by botocore's serialisers, so a member that is added is tested by being there."""
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest, prepare_request_dict
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.serialize import create_serializer

from weirtest import ROOT

SERVICES = ["cloudwatch", "cognito", "dynamodb", "ecr", "events", "iam", "kms", "lambda", "logs", "s3", "scheduler", "sns", "sqs", "ssm", "streams", "sts"]

# Texts that somebody's pattern takes, and texts that most patterns refuse.
GOOD = ["abcde", "arn:aws:iam::000000000000:role/r", "arn:aws:lambda:us-east-1:000000000000:function:f",
        "arn:aws:sqs:us-east-1:000000000000:q", "arn:aws:iam::aws:policy/AdministratorAccess", "000000000000", "/abc/", "1", "b/key",
        "AKIAABCDEFGHIJKLMNOP", "v1", "s3.amazonaws.com", "lambda:InvokeFunction", "lambda:GetLayerVersion", "", "o-abcdefghij", "/mnt/abc", "Function.Response",
        "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000",
        "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-00000000000000000",
        "arn:aws:lambda:us-east-1:000000000000:layer:abc:1", "arn:aws:lambda:us-east-1:000000000000:capacity-provider:abc",
        "arn:aws:kms:us-east-1:000000000000:key/abc", "host:9092", "arn:aws:logs:us-east-1:000000000000:log-group:g",
        "arn:aws:lambda:us-east-1::runtime:" + "0" * 64, "00000000-0000-4000-8000-000000000000",
        "arn:aws:events:us-east-1:000000000000:event-bus/b", "arn:aws:events:us-east-1:000000000000:connection/c/0",
        "arn:aws:vpc-lattice:us-east-1:000000000000:resourceconfiguration/rcfg-00000000000000000",
        "arn:aws:scheduler:us-east-1:000000000000:schedule-group/g", "us-east-1_abc", "KeyId"]
BAD = ["a b!c*", "!", "a:b:c", "<>", "", "\u0001", "\ud7ff\U0001f600", "x" * 9, "\u0400", ":a"]

# Patterns that refuse nothing which a request can carry: nothing is there to be tested.
REFUSES_NOTHING = {"[\\s\\S]*", "(?s).*", ".*", "\\s*\\S.*", ".*\\S.*"}


def shapes_of(spec):
    """The spec's shapes with its corrections."""
    shapes = {n: dict(s) for n, s in spec["shapes"].items()}
    for name, change in spec.get("constraints", {}).items():
        shapes[name].update(change)
        shapes[name] = {k: v for k, v in shapes[name].items() if v is not None}
    if spec["import"]["protocol"] in ("json", "smithy-rpc-v2-cbor"):  # names there are those of the query protocol (SQS)
        for shape in shapes.values():
            shape.pop("locationName", None)
            for member in shape.get("members", {}).values():
                member.pop("locationName", None)
    return shapes


class Service:
    def __init__(self, name):
        with open(os.path.join(ROOT, "spec", name + ".json"), encoding="utf-8") as f:
            self.spec = json.load(f)
        self.name = name
        self.shapes = shapes_of(self.spec)
        facts = self.spec["import"]
        # Older clients know nothing of CBOR; services that speak it first speak JSON too.
        self.protocol = {"smithy-rpc-v2-cbor": "json"}.get(facts["protocol"], facts["protocol"])
        operations = {}
        for op, row in self.spec["operations"].items():
            model = {"name": op, "http": row.get("http", {"method": "POST", "requestUri": "/"})}
            if "input" in row:
                model["input"] = {"shape": row["input"]}
                if "inputRoot" in row:
                    model["input"]["locationName"] = row["inputRoot"]
            operations[op] = model
        self.model = ServiceModel({"metadata": dict(facts, signatureVersion="v4"), "operations": operations,
                                   "shapes": {n: {k: v for k, v in s.items() if k != "name"} for n, s in self.shapes.items()}})
        self.serializer = create_serializer(self.protocol, include_validation=False)

    # --- what is limited, and how to break it -----------------------------------------------------

    def limits(self, op):
        """(path, location, limit, broken value) of every limited text that an operation's input can hold. A path is
        made of member names, 0 for a list's element, and "key" or "value" of a map's."""
        shape = self.spec["operations"][op].get("input")
        if shape:
            yield from self.walk(shape, (), None, set())

    def walk(self, name, path, location, above):
        shape = self.shapes[name]
        if name in self.spec.get("c_json", {}) or name in above or shape.get("streaming"):
            return
        kind = shape["type"]
        if kind == "string":
            for limit, value in self.broken(name):
                yield path, location, limit, value
        elif kind == "structure":
            for member, target in shape.get("members", {}).items():
                if not target.get("streaming"):
                    where = target.get("location", location if path else None)
                    yield from self.walk(target["shape"], path + (member,), where, above | {name})
        elif kind == "list":
            yield from self.walk(shape["member"]["shape"], path + (0,), location, above | {name})
        elif kind == "map":
            for part in ("key", "value"):
                yield from self.walk(shape[part]["shape"], path + (part,), location, above | {name})

    def broken(self, name):
        shape = self.shapes[name]
        if "name" in shape:
            yield from self.broken(shape["name"])
            yield "max of an ARN", "arn:" + "a" * shape["max"]
            return
        low, high = shape.get("min", 0), shape.get("max", 10 ** 9)
        if "enum" in shape:
            yield "enum", "no-such-value"
        if low > 0:
            yield "min", "a" * (low - 1)
        if high < 5000:
            yield "max", "a" * (high + 1)
        if "pattern" in shape:
            fits = [b for b in BAD if low <= len(b) <= high and not re.fullmatch(self.python(shape["pattern"]), b)]
            longer = [b.ljust(low, "!")[:high] for b in BAD]
            fits += [b for b in longer if not re.fullmatch(self.python(shape["pattern"]), b)]
            if fits:
                yield "pattern", fits[0]
            else:
                assert shape["pattern"] in REFUSES_NOTHING, (name, shape["pattern"])

    @staticmethod
    def python(pattern):
        """Java's classes in Python's words."""
        visible = r"\p{L}\p{M}\p{S}\p{N}\p{P}"  # everything but white space and control characters
        pattern = pattern.replace(f"[{visible}]", r"[^\s\x01]")
        pattern = re.sub(re.escape(f"[{visible}") + r"(\\t\\n\\r |\\p\{Z\}|\\s\*|\\s)\]", r"[^\\x01]", pattern)
        pattern = re.sub(r"\\p\{[A-Z][a-z]?\}|\\p\{[A-Z]\}", r"\\w", pattern)
        return re.sub(r"\[\\w\\w\\w\\w\\w\\w\]|\[\\w\\w\\w\\w\\w\]", r"[\\s\\S]", pattern)

    def valid(self, name):
        shape = self.shapes[name]
        if "enum" in shape:
            return shape["enum"][0]
        if "name" in shape:
            return self.valid(shape["name"])
        low, high = shape.get("min", 0), shape.get("max", 10 ** 9)
        for good in GOOD + [g.ljust(low, "a") for g in GOOD] + [g[:high] for g in GOOD]:
            if low <= len(good) <= high and re.fullmatch(self.python(shape.get("pattern", "[\\s\\S]*")), good):
                return good
        raise AssertionError(f"no valid text for {name}: {shape}")

    # --- requests -----------------------------------------------------------------------------------

    def value(self, name, depth=0):
        """Something that keeps every limit of the shape."""
        shape = self.shapes[name]
        kind = shape["type"]
        if name in self.spec.get("c_json", {}):
            return self.value_of_json(shape)
        if kind == "string":
            return self.valid(name)
        if kind == "structure":
            required = shape.get("required", [])
            return {m: self.value(shape["members"][m]["shape"], depth + 1) for m in required if not
                    self.shapes[shape["members"][m]["shape"]].get("streaming")}
        if kind == "list":
            return [self.value(shape["member"]["shape"], depth + 1)] * shape.get("min", 0)
        if kind == "map":
            return {}
        low = shape.get("min", 1)
        return {"blob": b"x", "boolean": True, "timestamp": 1}.get(kind, low)

    @staticmethod
    def value_of_json(shape):
        return [] if shape["type"] == "list" else {}

    def with_broken(self, name, path, broken):
        """The shape's value with one text on the way to `path` broken."""
        if not path:
            return broken
        shape = self.shapes[name]
        step, rest = path[0], path[1:]
        if step == 0:
            return [self.with_broken(shape["member"]["shape"], rest, broken)]
        if step == "key" and shape["type"] == "map":
            return {broken: self.value(shape["value"]["shape"])}
        if step == "value" and shape["type"] == "map":
            return {self.valid(shape["key"]["shape"]): self.with_broken(shape["value"]["shape"], rest, broken)}
        value = self.value(name)
        value[step] = self.with_broken(shape["members"][step]["shape"], rest, broken)
        return value

    def send(self, weir, op, params, keys=("test", "test")):
        request = self.serializer.serialize_to_request(params, self.model.operation_model(op))
        url = weir.endpoint + request["url_path"]
        if request["query_string"]:
            prepare_request_dict(request, weir.endpoint, user_agent="limits")
            url = request["url"]
        body = request["body"]
        if isinstance(body, dict):
            body = urllib.parse.urlencode(body)
        data = body.encode() if isinstance(body, str) else body or b""
        signed = AWSRequest(method=request["method"], url=url, data=data, headers=dict(request["headers"]))
        auth = S3SigV4Auth if self.name == "s3" else SigV4Auth
        auth(Credentials(*keys), self.spec["settings"]["signing"], "us-east-1").add_auth(signed)
        prepared = signed.prepare()
        plain = urllib.request.Request(prepared.url, data=data, headers=dict(prepared.headers), method=prepared.method)
        try:
            with urllib.request.urlopen(plain, timeout=30) as reply:
                return reply.status, reply.read().decode(), dict(reply.headers)
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode(), dict(e.headers)

    def refusals(self):
        """Codes that a broken limit is answered with: S3 tells of bodies that they are not as its schema says."""
        common = self.spec["common_errors"]
        codes = {common["validation"]["code"]}
        return codes | {common["serialization"]["code"]} if self.spec["settings"]["wording"] == "s3" else codes


def cannot_be_sent(service, path, location, limit, value):
    """Broken values that HTTP has no way to carry, so that they never reach a check."""
    if location == "uri":
        return value == ""  # another route
    if location in ("header", "headers"):
        return value == "" or not value.isascii() or not value.isprintable()
    if service.protocol in ("rest-xml", "query") and any(ord(c) < 32 for c in value):
        return service.protocol == "rest-xml"
    return service.protocol == "rest-xml" and not value.isascii()


def cases():
    for name in SERVICES:
        service = Service(name)
        for op in sorted(service.spec["operations"]):
            yield pytest.param(service, op, id=f"{name}-{op}")


@pytest.mark.parametrize("service, op", list(cases()))
def test_limits_of_texts(weir, service, op):
    wrong = []
    for path, location, limit, value in service.limits(op):
        if cannot_be_sent(service, path, location, limit, value):
            continue
        params = service.with_broken(service.spec["operations"][op]["input"], path, value)
        status, body, headers = service.send(weir, op, params)
        where = ".".join(str(p) for p in path)
        if status >= 500 or status < 400:
            wrong.append((where, limit, value[:40], status, body[:200]))
        elif body and not any(code in body + headers.get("x-amzn-ErrorType", "") for code in service.refusals()):
            wrong.append((where, limit, value[:40], status, body[:200]))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("name", ["a b c", "ab", "a" * 256, "\u00fc-table"])
def test_table_names(weir, name):
    client = weir.client("dynamodb", config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as e:
        client.create_table(
            TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    message = str(e.value)
    assert "1 validation error detected: Value '" + name + "' at 'tableName' failed to satisfy constraint: Member must " in message
