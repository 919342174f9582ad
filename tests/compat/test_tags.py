"""Tags: one set of rules over every service (core/tags), and the Resource Groups Tagging API."""
import json
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

from weirtest import Weir

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def weir():
    """What is tagged is made again under its name."""
    with Weir(args=["--queue-reuse-wait", "0"]) as server:
        yield server


class Sqs:
    """A queue; every class has make, tag, untag, read, remove and its errors."""
    client = "sqs"
    refusal = too_many = "InvalidParameterValue"

    def __init__(self, c, name):
        self.c, self.name = c, name
        self.arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"

    def make(self, tags):
        self.url = self.c.create_queue(QueueName=self.name, tags=tags)["QueueUrl"]

    def tag(self, tags):
        self.c.tag_queue(QueueUrl=self.url, Tags=tags)

    def untag(self, keys):
        self.c.untag_queue(QueueUrl=self.url, TagKeys=keys)

    def read(self):
        return self.c.list_queue_tags(QueueUrl=self.url).get("Tags", {})

    def remove(self):
        self.c.delete_queue(QueueUrl=self.url)


class Logs:
    client = "logs"
    refusal, too_many = "InvalidParameterException", "TooManyTagsException"

    def __init__(self, c, name):
        self.c, self.name = c, name
        self.arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"

    def make(self, tags):
        self.c.create_log_group(logGroupName=self.name, **({"tags": tags} if tags else {}))

    def tag(self, tags):
        self.c.tag_resource(resourceArn=self.arn, tags=tags)

    def untag(self, keys):
        self.c.untag_resource(resourceArn=self.arn, tagKeys=keys)

    def read(self):
        return self.c.list_tags_for_resource(resourceArn=self.arn)["tags"]

    def remove(self):
        self.c.delete_log_group(logGroupName=self.name)


class DynamoDB:
    client = "dynamodb"
    refusal = too_many = "ValidationException"

    def __init__(self, c, name):
        self.c, self.name = c, name
        self.arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{name}"

    def make(self, tags):
        self.c.create_table(TableName=self.name, BillingMode="PAY_PER_REQUEST", Tags=listed(tags),
                            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])

    def tag(self, tags):
        self.c.tag_resource(ResourceArn=self.arn, Tags=listed(tags))

    def untag(self, keys):
        self.c.untag_resource(ResourceArn=self.arn, TagKeys=keys)

    def read(self):
        return {t["Key"]: t["Value"] for t in self.c.list_tags_of_resource(ResourceArn=self.arn)["Tags"]}

    def remove(self):
        self.c.delete_table(TableName=self.name)


class S3Bucket:
    client = "s3"
    refusal = too_many = "InvalidTag"

    def __init__(self, c, name):
        self.c, self.name = c, name
        self.arn = f"arn:aws:s3:::{name}"

    def make(self, tags):
        self.c.create_bucket(Bucket=self.name)
        if tags:
            self.put(tags)

    def put(self, tags):
        self.c.put_bucket_tagging(Bucket=self.name, Tagging={"TagSet": listed(tags)})

    def tag(self, tags):
        self.put(self.read() | tags)

    def untag(self, keys):
        self.put({k: v for k, v in self.read().items() if k not in keys})

    def read(self):
        try:
            return {t["Key"]: t["Value"] for t in self.c.get_bucket_tagging(Bucket=self.name)["TagSet"]}
        except ClientError as e:
            assert e.response["Error"]["Code"] == "NoSuchTagSet"
            return {}

    def remove(self):
        self.c.delete_bucket(Bucket=self.name)


def listed(tags):
    return [{"Key": k, "Value": v} for k, v in tags.items()]


class Sns:
    client = "sns"
    refusal, too_many = "InvalidParameter", "TagLimitExceeded"

    def __init__(self, c, name):
        self.c, self.name = c, name
        self.arn = f"arn:aws:sns:us-east-1:{ACCOUNT}:{name}"

    def make(self, tags):
        self.c.create_topic(Name=self.name, Tags=listed(tags))

    def tag(self, tags):
        self.c.tag_resource(ResourceArn=self.arn, Tags=listed(tags))

    def untag(self, keys):
        self.c.untag_resource(ResourceArn=self.arn, TagKeys=keys)

    def read(self):
        return {t["Key"]: t["Value"] for t in self.c.list_tags_for_resource(ResourceArn=self.arn)["Tags"]}

    def remove(self):
        self.c.delete_topic(TopicArn=self.arn)


KINDS = [Sqs, Logs, DynamoDB, S3Bucket]


@pytest.fixture
def name():
    return f"tagged-{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=[*KINDS, Sns], ids=lambda k: k.__name__)
def thing(request, weir, name):
    return request.param(weir.client(request.param.client), name)


def refused(code, fn, *args):
    with pytest.raises(ClientError) as e:
        fn(*args)
    assert e.value.response["Error"]["Code"].split(".")[-1] == code, e.value.response["Error"]


def test_life(thing):
    thing.make({"team": "x"})
    assert thing.read() == {"team": "x"}
    thing.tag({"team": "y", "Größe": "", "a b_.:/=+-@": "v_.:/=+-@ 1"})
    assert thing.read() == {"team": "y", "Größe": "", "a b_.:/=+-@": "v_.:/=+-@ 1"}
    thing.tag({"Team": "z"})
    assert thing.read()["Team"] == "z" and thing.read()["team"] == "y"
    thing.untag(["team", "none"])
    assert "team" not in thing.read()


def test_new_one_has_none(thing):
    thing.make({"team": "x"})
    thing.remove()
    thing.make({})
    assert thing.read() == {}


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", "aWs:cloudformation:stack-name"])
def test_reserved(thing, key):
    thing.make({"team": "x"})
    refused(thing.refusal, thing.tag, {key: "v"})
    assert thing.read() == {"team": "x"}


@pytest.mark.parametrize("tags", [{"k": "v" * 257}, {"k!": "v"}, {"k": "a,b"}, {"€": "v"}, {"a\tb": "v"}],
                         ids=["long value", "key", "value", "symbol", "tab"])
def test_rules(thing, tags):
    thing.make({})
    with pytest.raises(ClientError):
        thing.tag(tags)
    assert thing.read() == {}


def test_long_key(thing):
    thing.make({})
    thing.tag({"k" * 128: "v" * 256})
    with pytest.raises(ClientError):
        thing.tag({"k" * 129: "v"})
    assert thing.read() == {"k" * 128: "v" * 256}


def test_fifty(thing):
    thing.make({f"a{i}": "v" for i in range(30)})
    thing.tag({f"b{i}": "v" for i in range(20)})
    assert len(thing.read()) == 50
    thing.tag({"a0": "again"})
    refused(thing.too_many, thing.tag, {"one more": "v"})
    assert len(thing.read()) == 50


def test_reserved_at_birth(thing):
    if isinstance(thing, S3Bucket):
        thing.c.create_bucket(Bucket=thing.name)
        refused(thing.refusal, thing.put, {"aws:x": "v"})
        return
    refused(thing.refusal, thing.make, {"aws:x": "v"})


def test_duplicate_in_a_list(weir, name):
    d = DynamoDB(weir.client("dynamodb"), name)
    d.make({})
    twice = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
    refused("ValidationException", lambda: d.c.tag_resource(ResourceArn=d.arn, Tags=twice))
    b = S3Bucket(weir.client("s3"), name)
    b.make({})
    refused("InvalidTag", lambda: b.c.put_bucket_tagging(Bucket=b.name, Tagging={"TagSet": twice}))


# --- the Resource Groups Tagging API ---


def found(tagging, **kw):
    pages = tagging.get_paginator("get_resources").paginate(**kw)
    return {r["ResourceARN"]: {t["Key"]: t["Value"] for t in r["Tags"]} for p in pages for r in p["ResourceTagMappingList"]}


def test_get_resources(weir, name):
    tagging = weir.client("resourcegroupstaggingapi")
    things = [k(weir.client(k.client), f"{name}-{i}") for i, k in enumerate(KINDS)]
    for i, t in enumerate(things):
        t.make({"set": name, "n": str(i)})
    mine = [{"Key": "set", "Values": [name]}]
    assert found(tagging, TagFilters=mine) == {t.arn: {"set": name, "n": str(i)} for i, t in enumerate(things)}
    # In pages of one, in ARN order.
    page = {"PaginationToken": ""}
    order = []
    while True:
        page = tagging.get_resources(TagFilters=mine, ResourcesPerPage=1, PaginationToken=page["PaginationToken"])
        order += [r["ResourceARN"] for r in page["ResourceTagMappingList"]]
        if not page["PaginationToken"]:
            break
    assert order == sorted(t.arn for t in things)
    assert list(found(tagging, TagFilters=mine, ResourceTypeFilters=["sqs"])) == [things[0].arn]
    assert set(found(tagging, TagFilters=mine, ResourceTypeFilters=["logs:log-group", "dynamodb:table"])) == {things[1].arn, things[2].arn}
    assert found(tagging, TagFilters=mine, ResourceTypeFilters=["lambda"]) == {}
    assert set(found(tagging, TagFilters=mine + [{"Key": "n", "Values": ["0", "3"]}])) == {things[0].arn, things[3].arn}
    assert set(found(tagging, TagFilters=[{"Key": "set"}, {"Key": "n", "Values": ["9"]}])) == set()
    assert found(tagging, ResourceARNList=[things[3].arn]) == {things[3].arn: {"set": name, "n": "3"}}
    # Elsewhere there is nothing of it; what lost its tags is told of without them; what went is gone.
    elsewhere = boto3.client("resourcegroupstaggingapi", "eu-west-1", endpoint_url=weir.endpoint, aws_access_key_id="test",
                             aws_secret_access_key="test")
    assert found(elsewhere, TagFilters=mine) == {}
    things[0].untag(["set", "n"])
    assert found(tagging, ResourceTypeFilters=["sqs"]).get(things[0].arn) == {}
    things[1].remove()
    assert set(found(tagging, TagFilters=mine)) == {things[2].arn, things[3].arn}


def test_keys_and_values(weir, name):
    tagging = weir.client("resourcegroupstaggingapi")
    for i in range(3):
        Sqs(weir.client("sqs"), f"{name}-{i}").make({f"key-{name}": str(i % 2)})
    keys = [k for p in tagging.get_paginator("get_tag_keys").paginate() for k in p["TagKeys"]]
    assert keys.count(f"key-{name}") == 1
    values = [v for p in tagging.get_paginator("get_tag_values").paginate(Key=f"key-{name}") for v in p["TagValues"]]
    assert sorted(values) == ["0", "1"]
    assert tagging.get_tag_values(Key=f"none-{name}")["TagValues"] == []


def test_tag_resources(weir, name):
    tagging = weir.client("resourcegroupstaggingapi")
    things = [k(weir.client(k.client), f"{name}-{i}") for i, k in enumerate(KINDS)]
    for t in things:
        t.make({"a": "1"})
    none = f"arn:aws:sqs:us-east-1:{ACCOUNT}:none-{name}"
    elsewhere = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:x"
    failed = tagging.tag_resources(ResourceARNList=[t.arn for t in things] + [none, elsewhere, f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/v"],
                                   Tags={"a": "2", "b": "3"})["FailedResourcesMap"]
    assert set(failed) == {none, elsewhere, f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/v"}
    assert all(f["ErrorCode"] == "InvalidParameterException" and f["StatusCode"] == 400 for f in failed.values())
    for t in things:
        assert t.read() == {"a": "2", "b": "3"}
    assert tagging.untag_resources(ResourceARNList=[t.arn for t in things], TagKeys=["a"])["FailedResourcesMap"] == {}
    for t in things:
        assert t.read() == {"b": "3"}
    refused("InvalidParameterException", lambda: tagging.tag_resources(ResourceARNList=[none], Tags={"aws:x": "1"}))
    refused("InvalidParameterException", lambda: tagging.untag_resources(ResourceARNList=[none], TagKeys=["aws:x"]))
    full = tagging.tag_resources(ResourceARNList=[things[0].arn], Tags={f"k{i}": "v" for i in range(50)})["FailedResourcesMap"]
    assert set(full) == {things[0].arn} and things[0].read() == {"b": "3"}


def test_refusals(weir):
    tagging = weir.client("resourcegroupstaggingapi")
    for kw in [{"ResourcesPerPage": 0}, {"ResourcesPerPage": 101}, {"TagsPerPage": 150}, {"TagsPerPage": 100, "ResourcesPerPage": 1},
               {"IncludeComplianceDetails": True}, {"ResourceARNList": ["arn:aws:s3:::b"], "ResourcesPerPage": 1},
               {"ResourceARNList": ["no ARN"]}, {"TagFilters": [{"Values": ["x"]}]}]:
        refused("InvalidParameterException", lambda: tagging.get_resources(**kw))
    refused("PaginationTokenExpiredException", lambda: tagging.get_resources(PaginationToken="nonsense"))
    refused("UnknownOperationException", lambda: tagging.start_report_creation(S3Bucket="b"))


def test_permissions(weir, name):
    """tag:TagResources alone is not enough: the queue's own action is asked for, too."""
    iam = weir.client("iam")
    q = Sqs(weir.client("sqs"), name)
    q.make({"a": "1"})
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def allow(actions):
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}))

    tagging = weir.client("resourcegroupstaggingapi", key["AccessKeyId"], key["SecretAccessKey"])
    allow(["sqs:TagQueue"])
    refused("AccessDeniedException", lambda: tagging.tag_resources(ResourceARNList=[q.arn], Tags={"b": "1"}))
    allow(["tag:TagResources", "tag:UntagResources"])
    failed = tagging.tag_resources(ResourceARNList=[q.arn], Tags={"b": "1"})["FailedResourcesMap"]
    assert failed[q.arn]["ErrorCode"] == "AccessDeniedException"
    assert q.read() == {"a": "1"}
    allow(["tag:TagResources", "sqs:TagQueue"])
    assert tagging.tag_resources(ResourceARNList=[q.arn], Tags={"b": "1"})["FailedResourcesMap"] == {}
    assert q.read() == {"a": "1", "b": "1"}


def test_resource_tags_of_what_has_none(weir, name):
    """A policy that asks for a resource's tags decides also where the resource is no ARN ("*"), or an object's key
    that is none of a tagged resource: there are no tags, and that is an answer, not a failure."""
    iam, s3 = weir.client("iam"), weir.client("s3")
    bucket = "tags-of-none"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a key\nof two lines", Body=b"x")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": "*",
             "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}}}]}))
    theirs = {n: weir.client(n, key["AccessKeyId"], key["SecretAccessKey"]) for n in ("dynamodb", "s3")}
    refused("AccessDeniedException", lambda: theirs["dynamodb"].list_tables())
    refused("AccessDenied", lambda: theirs["s3"].get_object(Bucket=bucket, Key="a key\nof two lines"))
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": "*"},
            {"Effect": "Deny", "Action": "*", "Resource": "*",
             "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}}}]}))
    assert theirs["dynamodb"].list_tables()["TableNames"] is not None
    assert theirs["s3"].get_object(Bucket=bucket, Key="a key\nof two lines")["Body"].read() == b"x"
