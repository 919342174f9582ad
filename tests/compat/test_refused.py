"""P4 through the wire: what the reference pages list as refused is refused, with the error they name.

The rows are those of spec/*.json ("refused"): a sentence for the page, and requests that ask for what it
speaks of. Each request differs from one that is taken in that alone, so that nothing else refuses it."""
import glob
import io
import json
import os
import platform
import re
import zipfile

import pytest
from test_constraints import Service
from test_fail_closed import params_of

from weirtest import ROOT

SERVICES = sorted(os.path.basename(p)[:-len(".json")] for p in glob.glob(os.path.join(ROOT, "spec", "*.json")))


def rows():
    for service in SERVICES:
        with open(os.path.join(ROOT, "spec", f"{service}.json"), encoding="utf-8") as f:
            for row in json.load(f).get("refused", []):
                yield service, row


def requests():
    for service, row in rows():
        for n, request in enumerate(row.get("try", [])):
            asked = "+".join(k for k in request["with"])
            yield pytest.param(service, request, id=f"{service}-{request['op']}-{asked}-{n}")


def bootstrap():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("bootstrap", "#!/bin/sh\n")
    return out.getvalue()


def trust(principal):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})


@pytest.fixture(scope="module")
def keys(weir):
    """Of a user who may do everything, where what the requests speak of exists, so that nothing else refuses them."""
    weir.client("s3").create_bucket(Bucket="closed-bucket")
    weir.client("s3").put_object(Bucket="closed-bucket", Key="key", Body=b"x")
    weir.client("sqs").create_queue(QueueName="closed-queue")
    weir.client("sns").create_topic(Name="closed-topic")
    weir.client("dynamodb").create_table(
        TableName="closed-table", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    kms = weir.client("kms")
    kms.create_alias(AliasName="alias/closed-key", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    logs = weir.client("logs")
    logs.create_log_group(logGroupName="closed-group")
    logs.create_log_stream(logGroupName="closed-group", logStreamName="s")
    weir.client("events").put_rule(Name="closed-rule", EventPattern='{"source": ["a"]}')
    iam = weir.client("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    iam.create_role(RoleName="closed-role", AssumeRolePolicyDocument=trust({"AWS": weir.account, "Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]}))
    weir.client("lambda").create_function(
        FunctionName="closed-function", Runtime="provided.al2023", Handler="h", Code={"ZipFile": bootstrap()},
        Role=f"arn:aws:iam::{weir.account}:role/closed-role")
    key = iam.create_access_key(UserName="u")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


@pytest.mark.parametrize("name, request_", requests())
def test_refused(weir, keys, name, request_):
    service = Service(name)
    params = {**params_of(name, request_["op"], service.model), **request_["with"]}
    if params.get("Architectures") == ["arm64"] and platform.machine() == "aarch64":
        params["Architectures"] = ["x86_64"]
    if request_["op"] == "CreateFunction":
        params["FunctionName"] = "refused"
    status, body, headers = service.send(weir, request_["op"], {k: v for k, v in params.items() if v is not None}, keys)
    assert 400 <= status < 500 or status == 501, (status, body)
    told = body + " " + headers.get("x-amzn-ErrorType", "")
    assert request_["error"] in re.findall(r"[A-Za-z]+", told), told


def keys_of(value):
    if isinstance(value, dict):
        for k, v in value.items():
            yield k
            yield from keys_of(v)
    elif isinstance(value, list):
        for v in value:
            yield from keys_of(v)
    else:
        yield str(value)


def test_services_are_found():
    assert "iam" in SERVICES and "sqs" in SERVICES


@pytest.mark.parametrize("service, row", [pytest.param(s, r, id=f"{s}-{n}") for n, (s, r) in enumerate(rows())])
def test_every_row_is_tried(service, row):
    assert row.get("try") or row["says"].startswith("Without effect by nature: ")


@pytest.mark.parametrize("service, row", [pytest.param(s, r, id=f"{s}-{n}") for n, (s, r) in enumerate(rows()) if "try" in r])
def test_every_member_on_the_page_is_tried(service, row):
    """A sentence may name no member, and no error, that no request asks for."""
    tried = {k for request in row["try"] for k in keys_of(request["with"])}
    named = re.findall(r"`([A-Za-z*]+)`", row["says"])  # not the values with other signs
    missing = [n for n in named if not any(re.fullmatch(n.replace("*", ".*"), k) for k in tried) and n not in row.get("taken", [])]
    assert not missing
    errors = {request["error"] for request in row["try"]}
    assert all(e in row["says"] for e in errors)
