"""Every condition key of every operation changes an answer: of a user who may do anything, a Deny with
a condition on the key. It fires on any value that the request has, and not on one that it has not.

Which operation has which key is read from the specs, the same rows that the server is built from; how a
request comes to have a key that is computed is said here (COMPUTED), and a key that nobody says it of is
a failure."""
import importlib.util
import json
import os
import re
import urllib.error
import urllib.request

import pytest
from botocore import xform_name
from botocore.config import Config

from test_fail_closed import ACCOUNT, SERVICES, params_of, value_of
from test_policy import Person, denied, document, error, name, statement
from weirtest import ROOT

_spec = importlib.util.spec_from_file_location("gen", os.path.join(ROOT, "gen", "gen.py"))
gen = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(gen)

BUCKET = "keyed-bucket"
# Members in which a request's tags are, and how.
TAG_SHAPES = {"Tags", "tags", "TagKeys", "tagKeys", "CreateBucketConfiguration.Tags"}
# The client of these tests is older than the members of these requests: sent as headers.
HEADERS = {"s3:if-match": "If-Match", "s3:if-none-match": "If-None-Match"}
VALUES = {"s3:x-amz-copy-source": "keyed-bucket/key", "s3:object-lock-retain-until-date": "2030-01-01T00:00:00Z",
          "s3:LocationConstraint": "eu-west-1", "s3:x-amz-server-side-encryption": "AES256",
          "iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/keyed", "s3:max-keys": 7, "s3:VersionId": "null",
          "lambda:CodeSigningConfigArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0",
          "lambda:Layer": [f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:l:1"], "lambda:SubnetIds": ["subnet-1"],
          "lambda:SecurityGroupIds": ["sg-1"], "lambda:InvokedViaFunctionUrl": True,
          "kms:DataKeyPairSpec": "ECC_NIST_P256", "kms:GrantOperations": ["Encrypt"], "kms:RotationPeriodInDays": 365}
# What the client's model does not know and no header says.
UNSENT = {"lambda:InvokedViaFunctionUrl", "s3:prefix", "kms:RotationPeriodInDays"}  # of ListBuckets


PATTERN = json.dumps({"source": ["s"], "detail-type": ["d"], "detail": {"service": ["v"], "eventTypeCode": ["c"],
                                                                         "userIdentity": {"principalId": ["i"]}}})


def specs():
    for service in SERVICES:
        with open(os.path.join(ROOT, "spec", f"{service}.json"), encoding="utf-8") as f:
            yield service, gen.Gen(json.load(f))


SPECS = dict(specs())
TEMPLATED = [(s, op, row) for s, g in SPECS.items() for op, _, row, _ in g.ops
             if not row.get("unsigned") and (g.condition_keys(op, row) or g.tag_members(op))]


def replaced(params):
    text = json.dumps(params, default=lambda b: {"__bytes__": b.decode()})
    for old in ("bucket", "table", "queue", "topic", "function", "group", "role", "user", "key"):
        text = text.replace("closed-" + old, "keyed-" + old)
    text = text.replace(":policy/closed", ":policy/keyed").replace('"closed-', '"keyed-')
    return json.loads(text, object_hook=lambda d: d["__bytes__"].encode() if "__bytes__" in d else d)


@pytest.fixture(scope="module")
def world(weir):
    """Things to ask about, with tags, and a user who may do all with them."""
    iam, s3 = weir.client("iam"), weir.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "red"}]})
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"x", Tagging="team=red")
    url = weir.client("sqs").create_queue(QueueName="keyed-queue", tags={"team": "red"})["QueueUrl"]
    weir.client("sns").create_topic(Name="keyed-topic", Tags=[{"Key": "team", "Value": "red"}])
    weir.client("dynamodb").create_table(
        TableName="keyed-table", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("id", *"abcd")],
        GlobalSecondaryIndexes=[{"IndexName": "wide", "Projection": {"ProjectionType": "ALL"},
                                 "KeySchema": [{"AttributeName": n, "KeyType": "HASH"} for n in "abcd"]}], Tags=[{"Key": "team", "Value": "red"}])
    weir.client("logs").create_log_group(logGroupName="keyed-group", tags={"team": "red"})
    tags = [{"Key": "team", "Value": "red"}]
    weir.client("events").put_rule(Name="keyed-rule", EventPattern=PATTERN, Tags=tags)
    weir.client("ssm").put_parameter(Name="/keyed/parameter", Value="v", Type="String", Tags=tags)
    weir.client("ecr").create_repository(repositoryName="keyed/repository", tags=tags)
    iam.create_policy(PolicyName="keyed", PolicyDocument=document(statement()), Tags=tags)
    kms = weir.client("kms")
    key = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "red"}])["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/keyed-key", TargetKeyId=key)
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/keyed"
    for n in ("keyed-role",):
        iam.create_role(RoleName=n, Tags=tags, PermissionsBoundary=boundary, AssumeRolePolicyDocument=document(
            {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}))
    iam.create_user(UserName="keyed-user", Tags=tags, PermissionsBoundary=boundary)
    person = Person(weir, Tags=[{"Key": "team", "Value": "red"}])
    person.url = url
    return person


def restore(weir, world):
    """What earlier questions may have changed."""
    tags = [{"Key": "team", "Value": "red"}]
    s3, iam = weir.client("s3"), weir.client("iam")
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"x", Tagging="team=red")
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": tags})
    iam.tag_role(RoleName="keyed-role", Tags=tags)
    iam.tag_user(UserName="keyed-user", Tags=tags)
    iam.tag_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/keyed", Tags=tags)
    for resource in (f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/keyed-table",):
        weir.client("dynamodb").tag_resource(ResourceArn=resource, Tags=tags)
    weir.client("sqs").tag_queue(QueueUrl=world.url, Tags={"team": "red"})
    weir.client("logs").tag_log_group(logGroupName="keyed-group", tags={"team": "red"})
    weir.client("sns").create_topic(Name="keyed-topic")
    weir.client("sns").tag_resource(ResourceArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:keyed-topic", Tags=tags)


def put(params, shape, path, value):
    """Sets a member by its dotted path; a value that is None is made up from the model. False: the
    client knows no such member."""
    first, _, rest = path.partition(".")
    if shape is None or first not in shape.members:
        return False
    member = shape.members[first]
    if rest:
        return put(params.setdefault(first, {}), member, rest, value)
    if value is None:
        value = value_of(first, member)
    elif member.type_name == "boolean":
        value = value in (True, "true")
    params[first] = value
    return True


def tags_for(shape):
    """Tags, or keys of tags, in the form that the member has."""
    if shape.type_name == "map":
        return {"team": "red"}
    if shape.member.type_name == "string":
        return ["team"]
    names = {m.lower().removeprefix("tag"): m for m in shape.member.members}
    return [{names["key"]: "team", names["value"]: "red"}]


class Asked:
    """An operation as the person asks it, again and again."""

    def __init__(self, world, service, op, params=None, headers=None, style=None):
        self.world = world
        self.client = world.client(SERVICES[service])
        self.model = self.client.meta.service_model
        self.op = op
        self.known = op in self.model.operation_names
        if not self.known:
            return
        self.shape = self.model.operation_model(op).input_shape
        self.params = dict(replaced(params_of(service, op, self.model)), **(params or {}))
        if "QueueUrl" in self.params:
            self.params["QueueUrl"] = world.url
        if headers:
            self.client.meta.events.register(f"before-call.{self.model.service_id.hyphenize()}.{op}",
                                             lambda params, **kw: params["headers"].update(headers))

    def denied_by(self, condition):
        self.world.may(statement(), statement("Deny", Condition=condition))
        return denied(getattr(self.client, xform_name(self.op)), **self.params)

    def check(self, key, value=None):
        """The key is there, and is not something else. First what must not fire: the last call may have
        changed the world."""
        op = "ForAnyValue:StringLike" if isinstance(value, list) else "StringLike"
        assert self.denied_by({op: {key: "*"}}), (self.op, key, "absent")
        if value is not None:
            one = value[0] if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
            assert self.denied_by({op.replace("Like", "Equals"): {key: one}}), (self.op, key, value)
        assert not self.denied_by({op.replace("Like", "Equals"): {key: "no-such-value"}}), (self.op, key, "another")


def absent_members(template):
    return [h.partition("|")[0] for h in re.findall(r"\{([^}]*)\}", template) if h.partition("|")[0] not in gen.HOLES]


@pytest.mark.parametrize("service, op, row", TEMPLATED, ids=lambda v: v if isinstance(v, str) else "")
def test_templated_keys(weir, world, service, op, row):
    g = SPECS[service]
    unsent = set()
    for key, template in g.condition_keys(op, row):
        headers = {HEADERS[key]: "*"} if key in HEADERS else None
        asked = Asked(world, service, op, headers=headers)
        if not asked.known:
            pytest.skip("the installed client does not know this operation")
        if op == "PutBucketPolicy":
            asked.params["Policy"] = PRIVATE
        holes = absent_members(template)
        value = VALUES.get(key)
        if key == "s3:x-amz-copy-source":
            value = asked.params["CopySource"]
        sent = key in HEADERS or all(put(asked.params, asked.shape, h, value) if h not in asked.params or value is not None else True
                                     for h in holes)
        if not sent:
            unsent.add(key)
            continue
        exact = value if holes == [template[1:-1]] and value is not None else None
        if not holes and "{" not in template:
            exact = template
        if key == "s3:object-lock-retain-until-date":
            exact = None
        asked.check(key, exact)
    assert unsent <= UNSENT, unsent
    for path in g.tag_members(op):
        asked = Asked(world, service, op)
        top = path.split(".")
        shape = asked.shape
        for part in top:
            shape = shape.members.get(part) if shape is not None and hasattr(shape, "members") else None
        if shape is None:  # the tables know older names beside the client's
            continue
        put(asked.params, asked.shape, path, tags_for(shape))
        asked.check("aws:TagKeys", ["team"])
        if not (shape.type_name == "list" and shape.member.type_name == "string"):
            asked.check("aws:RequestTag/team", "red")


# --- computed keys -------------------------------------------------------------------------------

OBJECT_TAG_OPS = ["GetObject", "HeadObject", "GetObjectAcl", "GetObjectAttributes", "GetObjectTagging", "PutObjectAcl", "PutObjectTagging",
                  "DeleteObjectTagging", "CopyObject", "UploadPartCopy"]
TAGGED = {"Tagging": "color=blue"}
PRIVATE = document({"Effect": "Deny", "Principal": {"AWS": "999999999999"}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"})


def computed():
    """(service, operation, further members, key, value) of every key that hooks give values to."""
    for op in sorted(SPECS["s3"].spec["ops"]):
        yield "s3", op, {}, "s3:authType", "REST-HEADER"
        yield "s3", op, {}, "s3:signatureversion", "AWS4-HMAC-SHA256"
        yield "s3", op, {}, "s3:x-amz-content-sha256", None
    for op in OBJECT_TAG_OPS:
        more = {"CopySource": f"{BUCKET}/key"} if op in ("CopyObject", "UploadPartCopy") else {}
        yield "s3", op, dict(more, Key="key"), "s3:ExistingObjectTag/team", "red"
    for op in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        more = {"CopySource": f"{BUCKET}/key", "Key": "copy"} if op == "CopyObject" else {"Key": "other"}
        yield "s3", op, dict(more, **TAGGED), "s3:RequestObjectTag/color", "blue"
        yield "s3", op, dict(more, **TAGGED), "s3:RequestObjectTagKeys", ["color"]
    tagging = {"Key": "key", "Tagging": {"TagSet": [{"Key": "team", "Value": "red"}]}}
    yield "s3", "PutObjectTagging", tagging, "s3:RequestObjectTag/team", "red"
    yield "s3", "PutObjectTagging", tagging, "s3:RequestObjectTagKeys", ["team"]
    item = {"id": {"S": "1"}}
    for op in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"):
        yield "dynamodb", op, {}, "dynamodb:LeadingKeys", ["1"]
        yield "dynamodb", op, {}, "dynamodb:Attributes", ["id"]
    for op in ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"):
        yield "dynamodb", op, {}, "dynamodb:LeadingKeys", ["1"]
        yield "dynamodb", op, {}, "dynamodb:Attributes", ["id"]
        yield "dynamodb", op, {}, "dynamodb:Select", "ALL_ATTRIBUTES"
        yield "dynamodb", op, {}, "dynamodb:FullTableScan", "false"
    yield "dynamodb", "ExecuteStatement", {"Statement": 'SELECT id FROM "keyed-table"'}, "dynamodb:FullTableScan", "true"
    query = {"KeyConditionExpression": "id = :v", "ExpressionAttributeValues": {":v": {"S": "1"}}, "Select": "COUNT"}
    yield "dynamodb", "Query", query, "dynamodb:LeadingKeys", ["1"]
    yield "dynamodb", "Query", query, "dynamodb:Attributes", ["id"]
    yield "dynamodb", "Query", query, "dynamodb:Select", "COUNT"
    yield "dynamodb", "Scan", {"Select": "COUNT"}, "dynamodb:Select", "COUNT"
    wide = {"IndexName": "wide", "KeyConditionExpression": " AND ".join(f"{n} = :{n}" for n in "abcd"),
            "ExpressionAttributeValues": {f":{n}": {"S": n} for n in "abcd"}}
    for which, n in zip(("First", "Second", "Third", "Fourth"), "abcd"):
        yield "dynamodb", "Query", wide, f"dynamodb:{which}PartitionKeyValues", [n]
    yield "dynamodb", "GetItem", {}, "dynamodb:FirstPartitionKeyValues", ["1"]
    for s, op, key in (("iam", "GetRole", "iam:ResourceTag/team"), ("iam", "GetUser", "iam:ResourceTag/team"), ("iam", "GetPolicy", "iam:ResourceTag/team"),
                       ("lambda", "CreateFunction", "iam:ResourceTag/team"),  # of the role that is passed
                       ("iam", "GetRole", "iam:PermissionsBoundary"), ("iam", "GetUser", "iam:PermissionsBoundary")):
        yield s, op, {}, key, "red" if key.endswith("team") else f"arn:aws:iam::{ACCOUNT}:policy/keyed"
    for key, value in (("kms:CallerAccount", ACCOUNT), ("kms:CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"), ("kms:CustomerMasterKeyUsage", "ENCRYPT_DECRYPT"),
                       ("kms:KeySpec", "SYMMETRIC_DEFAULT"), ("kms:KeyUsage", "ENCRYPT_DECRYPT"), ("kms:KeyOrigin", "AWS_KMS"), ("kms:MultiRegion", "false")):
        yield "kms", "Encrypt", {}, key, value
        yield "kms", "CreateKey", {}, key, value
    yield "kms", "DescribeKey", {}, "kms:RequestAlias", "alias/keyed-key"
    yield "kms", "DescribeKey", {}, "kms:ResourceAliases", ["alias/keyed-key"]
    for op in ("Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"):
        more = {"KeyPairSpec": "ECC_NIST_P256"} if "Pair" in op else {}
        context = {"EncryptionContext": {"color": "blue"}, **more}
        yield "kms", op, context, "kms:EncryptionContext:color", "blue"
        yield "kms", op, context, "kms:EncryptionContextKeys", ["color"]
        yield "kms", op, more, "kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"
    for side in ("Source", "Destination"):
        yield "kms", "ReEncrypt", {f"{side}EncryptionContext": {"color": "blue"}}, "kms:EncryptionContext:color", "blue"
    yield "kms", "ReEncrypt", {}, "kms:ReEncryptOnSameKey", "true"
    yield "kms", "CreateKey", {}, "kms:BypassPolicyLockoutSafetyCheck", "false"
    yield "kms", "PutKeyPolicy", {"BypassPolicyLockoutSafetyCheck": True}, "kms:BypassPolicyLockoutSafetyCheck", "true"
    yield "kms", "ScheduleKeyDeletion", {}, "kms:ScheduleKeyDeletionPendingWindowInDays", "30"
    yield "kms", "ScheduleKeyDeletion", {"PendingWindowInDays": 7}, "kms:ScheduleKeyDeletionPendingWindowInDays", "7"
    for constraint in ("EncryptionContextSubset", "EncryptionContextEquals"):
        yield "kms", "CreateGrant", {"Constraints": {constraint: {"a": "b"}}}, "kms:GrantConstraintType", constraint
    for op in ("CreateGrant", "ListGrants", "RevokeGrant"):
        yield "kms", op, {}, "kms:GrantIsForAWSResource", "false"
    for s, op in (("kms", "Encrypt"), ("kms", "DescribeKey"), ("sqs", "GetQueueAttributes"), ("sqs", "SendMessage"), ("sqs", "ReceiveMessage"), ("sns", "GetTopicAttributes"), ("sns", "Publish"), ("dynamodb", "GetItem"), ("dynamodb", "DescribeTable"),
                  ("s3", "ListObjectsV2"), ("logs", "DescribeLogStreams"), ("logs", "PutLogEvents"), ("iam", "GetRole"), ("iam", "GetUser"), ("iam", "GetPolicy"), ("sts", "AssumeRole")):
        yield s, op, {}, "aws:ResourceTag/team", "red"
    for op in ("DescribeRule", "EnableRule", "DisableRule", "PutRule"):
        more = {"Name": "keyed-rule", **({"EventPattern": PATTERN} if op == "PutRule" else {})}
        yield "events", op, more, "events:creatorAccount", ACCOUNT
        yield "events", op, more, "aws:ResourceTag/team", "red"
    entries = {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}
    yield "events", "PutEvents", entries, "events:source", "s"
    yield "events", "PutEvents", entries, "events:detail-type", "d"
    yield "events", "PutEvents", entries, "events:eventBusInvocation", "false"
    for key, value in (("source", "s"), ("detail-type", "d"), ("detail.service", "v"), ("detail.eventTypeCode", "c"), ("detail.userIdentity.principalId", "i")):
        yield "events", "PutRule", {"Name": "keyed-rule", "EventPattern": PATTERN}, "events:" + key, [value]
    for key in ("aws:ResourceTag/team", "ssm:resourceTag/team"):
        yield "ssm", "GetParameterHistory", {"Name": "/keyed/parameter"}, key, "red"
        yield "ssm", "GetParameters", {"Names": ["/keyed/parameter"]}, key, "red"
    for key in ("aws:ResourceTag/team", "ecr:ResourceTag/team"):
        yield "ecr", "ListImages", {"repositoryName": "keyed/repository"}, key, "red"
        yield "ecr", "DescribeRepositories", {"repositoryNames": ["keyed/repository"]}, key, "red"
    target = f"arn:aws:sqs:us-east-1:{ACCOUNT}:keyed-queue"
    yield "events", "PutTargets", {"Rule": "keyed-rule", "Targets": [{"Id": "t", "Arn": target}]}, "events:TargetArn", [target]


COMPUTED = list(computed())
# Asked in tests of their own, below.
# (kms:ViaService is of calls that services make: tests/unit/svc_kms.)
ELSEWHERE = {"s3:signatureAge", "s3:object-lock-remaining-retention-days", "s3:TlsVersion", "lambda:FunctionArn", "lambda:Principal", "kms:ViaService",
             "sts:SourceIdentity", "sts:TransitiveTagKeys"}  # of web identities: test_sts.py


def test_no_computed_key_is_forgotten():
    asked = {re.sub(r"^(\w+:\w+[:/]).*", r"\1", key) for _, _, _, key, _ in COMPUTED} | ELSEWHERE
    for service, g in SPECS.items():
        assert set(g.spec.get("computed_keys", [])) <= asked, service


@pytest.mark.parametrize("service, op, more, key, value", COMPUTED, ids=lambda v: v if isinstance(v, str) else "")
def test_computed_keys(weir, world, service, op, more, key, value):
    restore(weir, world)
    asked = Asked(world, service, op, more)
    if not asked.known:
        pytest.skip("the installed client does not know this operation")
    if op == "PutBucketPolicy":
        asked.params["Policy"] = PRIVATE
    if op in ("DeleteBucket",):
        asked.params["Bucket"] = "keyed-no-such-bucket"
    if op == "DeleteObjects":
        asked.params["Delete"] = {"Objects": [{"Key": "none"}]}
    asked.check(key, value)
    if op == "PutBucketPolicy":
        weir.client("s3").delete_bucket_policy(Bucket=BUCKET)


def test_tags_of_the_version_that_is_read(weir, world):
    s3, bucket = weir.client("s3"), name("versions")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    red = s3.put_object(Bucket=bucket, Key="k", Body=b"1", Tagging="team=red")["VersionId"]
    blue = s3.put_object(Bucket=bucket, Key="k", Body=b"2", Tagging="team=blue")["VersionId"]
    world.may(statement(), statement("Deny", Condition={"StringEquals": {"s3:ExistingObjectTag/team": "red"}}))
    mine = world.client("s3")
    assert denied(mine.get_object, Bucket=bucket, Key="k", VersionId=red)
    assert error(mine.get_object, Bucket=bucket, Key="k", VersionId=blue) is None
    assert error(mine.get_object, Bucket=bucket, Key="k") is None
    for version, fine in ((red, False), (blue, True)):
        source = {"Bucket": bucket, "Key": "k", "VersionId": version}
        assert denied(mine.copy_object, Bucket=bucket, Key="copy", CopySource=source) != fine
    # No key of requests that make or delete an object (S3 User Guide).
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", Tagging="team=red")
    assert error(mine.put_object, Bucket=bucket, Key="k", Body=b"x") is None


def test_age_of_a_presigned_url(weir, world):
    weir.client("s3").put_object(Bucket=BUCKET, Key="key", Body=b"x", Tagging="team=red")
    s3 = world.client("s3", config=Config(signature_version="s3v4"))

    def get(url):
        try:
            return urllib.request.urlopen(url, timeout=20).status
        except urllib.error.HTTPError as e:
            return e.code

    for condition, fine in (({"NumericGreaterThanEquals": {"s3:signatureAge": "0"}}, False), ({"NumericGreaterThan": {"s3:signatureAge": "600000"}}, True),
                            ({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}, False), ({"StringEquals": {"s3:authType": "REST-HEADER"}}, True)):
        world.may(statement(), statement("Deny", Condition=condition))
        url = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "key"})
        assert (get(url) == 200) == fine, condition
    world.may(statement(), statement("Deny", Condition={"StringEquals": {"s3:signatureversion": "AWS"}}))
    assert get(world.client("s3", config=Config(signature_version="s3")).generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "key"})) == 403


# --- global keys ---------------------------------------------------------------------------------

GLOBAL = {"aws:CurrentTime": None, "aws:EpochTime": None, "aws:PrincipalAccount": ACCOUNT, "aws:PrincipalArn": "{arn}", "aws:PrincipalIsAWSService": "false",
          "aws:PrincipalTag/team": "red", "aws:PrincipalType": "User", "aws:RequestedRegion": "us-east-1", "aws:ResourceAccount": ACCOUNT, "aws:SecureTransport": "true",
          "aws:SourceIp": "127.0.0.1", "aws:UserAgent": None, "aws:userid": None, "aws:username": "{name}", "aws:ViaAWSService": "false"}
# Of sessions; of requests with that header; of work that services do (tests/unit/core).
SESSIONS = {"aws:TokenIssueTime": None, "aws:MultiFactorAuthPresent": "false"}
OTHERS = {"aws:FederatedProvider", "aws:SourceIdentity",  # test_sts.py
          "aws:Referer", "aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys",
          "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:SourceAccount", "aws:SourceArn"}


def test_no_global_key_is_forgotten():
    with open(os.path.join(ROOT, "src", "core", "authz_keys.c"), encoding="utf-8") as f:
        table = f.read().split("global_keys[] = {")[1].split("/* Absent")[0]
    known = set(re.findall(r'STR_INIT\("([^"]+)"\)', table))
    assert known == {re.sub("/.*", "/", k) for k in GLOBAL} | set(SESSIONS) | OTHERS


@pytest.mark.parametrize("service, op", [("sqs", "ListQueues"), ("s3", "ListBuckets"), ("dynamodb", "ListTables"), ("iam", "ListUsers"), ("lambda", "ListFunctions"),
                                         ("logs", "DescribeLogGroups"), ("tagging", "GetResources")])
def test_global_keys(weir, world, service, op):
    for key, value in GLOBAL.items():
        asked = Asked(world, service, op)
        asked.check(key, value and value.format(arn=world.arn, name=world.name))
    Asked(world, service, op, headers={"Referer": "https://a.example/"}).check("aws:Referer", "https://a.example/")


def test_keys_of_sessions(weir):
    iam, role = weir.client("iam"), name("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": ["sts:AssumeRole", "sts:TagSession"]}))["Role"]["Arn"]
    k = weir.client("sts").assume_role(RoleArn=arn, RoleSessionName="sess", Tags=[{"Key": "team", "Value": "red"}])["Credentials"]
    sqs = weir.client("sqs", k["AccessKeyId"], k["SecretAccessKey"], k["SessionToken"])
    for key, value in dict(SESSIONS, **{"aws:PrincipalArn": arn, "aws:PrincipalType": "AssumedRole", "aws:PrincipalTag/team": "red"}).items():
        for condition, fires in (({"StringLike": {key: "*"}}, True), ({"StringEquals": {key: value}}, True), ({"StringEquals": {key: "no-such-value"}}, False)):
            if None in condition.get("StringEquals", {}).values():
                continue
            iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(statement(), statement("Deny", Condition=condition)))
            assert denied(sqs.list_queues) == fires, (key, condition)
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(statement(), statement("Deny", Condition={"Null": {"aws:username": "false"}})))
    assert not denied(sqs.list_queues)
    # Long-term keys have none of them.
    person = Person(weir).may(statement(), statement("Deny", Condition={"Null": {k: "false" for k in SESSIONS}}))
    assert not denied(person.client("sqs").list_queues)


# --- keys of Lambda's things that are not in the request -------------------------------------------

@pytest.fixture(scope="module")
def stage(weir):
    from test_lambda import Stage
    return Stage(weir)


def test_function_of_a_mapping(weir, world, stage):
    function = stage.function()
    _, queue_arn = stage.queue()
    client = weir.client("lambda")
    arn = client.get_function_configuration(FunctionName=function)["FunctionArn"]
    made = client.create_event_source_mapping(FunctionName=function, EventSourceArn=queue_arn, Enabled=False)["UUID"]
    for op, params in (("GetEventSourceMapping", {}), ("UpdateEventSourceMapping", {"BatchSize": 5}), ("DeleteEventSourceMapping", {})):
        asked = Asked(world, "lambda", op)
        asked.params = dict(params, UUID=made)
        asked.check("lambda:FunctionArn", arn)
    asked = Asked(world, "lambda", "GetEventSourceMapping")
    asked.params = {"UUID": "00000000-0000-4000-8000-000000000000"}
    assert not asked.denied_by({"Null": {"lambda:FunctionArn": "false"}})


def test_principal_of_a_permission(weir, world, stage):
    function = stage.function()
    client = weir.client("lambda")
    client.add_permission(FunctionName=function, StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    asked = Asked(world, "lambda", "RemovePermission")
    asked.params = {"FunctionName": function, "StatementId": "s"}
    asked.check("lambda:Principal", "s3.amazonaws.com")


def test_function_policy_means_the_user_of_then(weir, stage):
    function, person = stage.function(), Person(weir)
    client = weir.client("lambda")
    statement_ = json.loads(client.add_permission(FunctionName=function, StatementId="s", Action="lambda:GetFunction", Principal=person.arn)["Statement"])
    assert statement_["Principal"]["AWS"] == person.arn
    assert error(person.client("lambda").get_function, FunctionName=function) is None
    user_id = weir.client("iam").get_user(UserName=person.name)["User"]["UserId"]
    person.remove()
    again = Person(weir, person.name)
    assert denied(again.client("lambda").get_function, FunctionName=function)
    assert json.loads(client.get_policy(FunctionName=function)["Policy"])["Statement"][0]["Principal"]["AWS"] == user_id
    # Another statement may still be added beside the one of who is gone.
    client.add_permission(FunctionName=function, StatementId="t", Action="lambda:GetFunction", Principal=person.arn)
    assert error(again.client("lambda").get_function, FunctionName=function) is None
    got = error(client.add_permission, FunctionName=function, StatementId="u", Action="lambda:GetFunction", Principal=f"arn:aws:iam::{ACCOUNT}:user/nobody-there")
    assert got[0] == "InvalidParameterValueException"
