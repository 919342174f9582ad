"""More than one account: `weir account`, resources apart, and what one account may do to another's."""
import csv
import datetime
import io
import json
import os
import stat
import subprocess
import urllib.error
import urllib.request
import uuid
from urllib.parse import urlsplit

import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from test_dynamodb import raw
from test_lambda import runtime, zipped
from weirtest import Weir, wait_for

A, B = "000000000000", "222222222222"
ECHO = "def handler(event, context):\n    return context.invoked_function_arn\n"
# Tells another account's queue what it was called with, under its own role.
TELL = """
import boto3, json, os
def handler(event, context):
    sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=event["Records"][0]["body"])
"""


def account(weir, *words):
    return subprocess.run([weir.binary, "account", *words, "--data", weir.data_dir], capture_output=True, text=True)


class Two:
    """A server with two accounts; `of(id, service)` a client with the root's right."""

    def __init__(self, weir):
        self.weir = weir
        self.clients = {}

    def of(self, who, service):
        if (who, service) not in self.clients:
            self.clients[who, service] = self.weir.client(service, key=who)
        return self.clients[who, service]

    def user(self, who, *allowed):
        """Clients of a new user of the account, with a policy for the (action, resource)s."""
        iam, name = self.of(who, "iam"), "u" + uuid.uuid4().hex[:8]
        iam.create_user(UserName=name)
        if allowed:
            statement = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in allowed]
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made = lambda service: self.weir.client(service, key["AccessKeyId"], key["SecretAccessKey"])
        made.arn = f"arn:aws:iam::{who}:user/{name}"
        return made

    def role(self, who, trust, *allowed):
        iam, name = self.of(who, "iam"), "r" + uuid.uuid4().hex[:8]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document({"Action": "sts:AssumeRole", **trust}))
        if allowed:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(
                *({"Action": a, "Resource": r} for a, r in allowed)))
        return f"arn:aws:iam::{who}:role/{name}"

    def queue(self, who, policy=None):
        """(url, arn)"""
        sqs = self.of(who, "sqs")
        url = sqs.create_queue(QueueName="q" + uuid.uuid4().hex[:8])["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        if policy:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document({"Resource": arn, **policy})})
        return url, arn


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]})


@pytest.fixture(scope="module")
def two():
    with Weir() as weir:
        done = account(weir, "add", B)
        assert done.returncode == 0, done.stderr
        yield Two(weir)


def code_of(fn, *args, **kw):
    try:
        fn(*args, **kw)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return "OK"


# --- weir account ---------------------------------------------------------------------------------


def test_the_command(two):
    weir = two.weir
    path = os.path.realpath(os.path.join(weir.data_dir, f"root-credentials-{B}"))
    assert account(weir, "list").stdout == f"{B} {path}\n"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    for words, why in ((["add", B], "is there already"), (["add", "12345678901x"], "12 digits"), (["remove", B], "never removed")):
        done = account(weir, *words)
        assert done.returncode in (1, 2) and why in done.stderr, (words, done)
    # A credentials file that went is made anew, the same.
    with open(path) as f:
        text = f.read()
    os.unlink(path)
    done = subprocess.run([weir.binary, "env", "--account", B, "--data", weir.data_dir], capture_output=True, text=True)
    assert f"export AWS_SHARED_CREDENTIALS_FILE={path}\n" in done.stdout and "secret" not in done.stdout.lower().replace(
        "aws_secret_access_key", ""), done
    with open(path) as f:
        assert f.read() == text
    done = subprocess.run([weir.binary, "env", "--account", "3" * 12, "--data", weir.data_dir], capture_output=True, text=True)
    assert done.returncode == 1 and "weir account add 333333333333" in done.stderr
    words = dict(line.split(" = ") for line in text.splitlines() if " = " in line)
    key, secret = words["aws_access_key_id"], words["aws_secret_access_key"]
    me = weir.client("sts", key, secret).get_caller_identity()
    assert (me["Account"], me["Arn"], me["UserId"]) == (B, f"arn:aws:iam::{B}:root", B)
    assert code_of(weir.client("sts", key, secret[::-1]).get_caller_identity) == "SignatureDoesNotMatch"
    assert two.of(B, "sts").get_caller_identity()["Account"] == B  # the development key of an account is its id
    assert two.of(A, "sts").get_caller_identity()["Account"] == A
    assert weir.client("sts").get_caller_identity()["Account"] == A
    assert code_of(weir.client("sts", key="333333333333").get_caller_identity) == "InvalidClientTokenId"
    session = two.of(B, "sts").get_session_token()["Credentials"]
    me = weir.client("sts", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]).get_caller_identity()
    assert me["Arn"] == f"arn:aws:iam::{B}:root"


# --- apart ----------------------------------------------------------------------------------------

TRUST = json.dumps({"Version": "2012-10-17", "Statement": {
    "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}})
PATTERN = json.dumps({"source": ["x"]})
TEMPLATE = json.dumps({"Resources": {"T": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-stack"}}}})
DOCUMENT = document({"Action": "s3:GetObject", "Resource": "*"})


def writes_logs(iam):
    iam.create_role(RoleName="same", AssumeRolePolicyDocument=TRUST)
    iam.put_role_policy(RoleName="same", PolicyName="p", PolicyDocument=document({"Action": "logs:*", "Resource": "*"}))


# service, what makes one of the name "same" (None: what was made before is enough), what lists, the list's member
APART = [
    ("sqs", lambda c, who: c.create_queue(QueueName="same"), "list_queues", "QueueUrls"),
    ("sns", lambda c, who: c.create_topic(Name="same"), "list_topics", "Topics"),
    ("sns", lambda c, who: c.subscribe(TopicArn=f"arn:aws:sns:us-east-1:{who}:same", Protocol="sqs",
                                       Endpoint=f"arn:aws:sqs:us-east-1:{who}:same"), "list_subscriptions", "Subscriptions"),
    ("dynamodb", lambda c, who: c.create_table(
        TableName="same", BillingMode="PAY_PER_REQUEST", AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}),
     "list_tables", "TableNames"),
    ("dynamodbstreams", None, "list_streams", "Streams"),
    ("iam", lambda c, who: c.create_user(UserName="same"), "list_users", "Users"),
    ("iam", lambda c, who: writes_logs(c), "list_roles", "Roles"),
    ("iam", lambda c, who: c.create_group(GroupName="same"), "list_groups", "Groups"),
    ("iam", lambda c, who: c.create_policy(PolicyName="same", PolicyDocument=DOCUMENT), "list_policies(Scope=Local)", "Policies"),
    ("iam", lambda c, who: c.create_instance_profile(InstanceProfileName="same"), "list_instance_profiles", "InstanceProfiles"),
    ("lambda", lambda c, who: c.create_function(FunctionName="same", Runtime=runtime(), Handler="app.handler",
                                                Role=f"arn:aws:iam::{who}:role/same", Code={"ZipFile": zipped(ECHO)}),
     "list_functions", "Functions"),
    ("lambda", lambda c, who: c.publish_layer_version(LayerName="same", Content={"ZipFile": zipped("x = 1")}), "list_layers", "Layers"),
    ("logs", lambda c, who: c.create_log_group(logGroupName="same"), "describe_log_groups", "logGroups"),
    ("events", lambda c, who: c.put_rule(Name="same", EventPattern=PATTERN), "list_rules", "Rules"),
    ("events", lambda c, who: c.create_archive(ArchiveName="same", EventSourceArn=f"arn:aws:events:us-east-1:{who}:event-bus/default"),
     "list_archives", "Archives"),
    ("scheduler", lambda c, who: c.create_schedule_group(Name="same"), "list_schedule_groups(NamePrefix=same)", "ScheduleGroups"),
    ("ssm", lambda c, who: c.put_parameter(Name="same", Value=who, Type="String"), "describe_parameters", "Parameters"),
    ("kms", lambda c, who: c.create_alias(AliasName="alias/same", TargetKeyId=c.create_key()["KeyMetadata"]["KeyId"]),
     "list_aliases", "Aliases"),
    ("kms", None, "list_keys", "Keys"),
    ("cognito-idp", lambda c, who: c.create_user_pool(PoolName="same"), "list_user_pools(MaxResults=10)", "UserPools"),
    ("ecr", lambda c, who: c.create_repository(repositoryName="same"), "describe_repositories", "repositories"),
    ("apigateway", lambda c, who: c.create_rest_api(name="same", tags={"of": who}), "get_rest_apis", "items"),
    ("apigateway", lambda c, who: c.create_api_key(name="same"), "get_api_keys", "items"),
    ("apigateway", lambda c, who: c.create_usage_plan(name="same"), "get_usage_plans", "items"),
    ("cloudwatch", lambda c, who: c.put_metric_alarm(
        AlarmName="same", MetricName="m", Namespace="n", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold"), "describe_alarms", "MetricAlarms"),
    ("cloudwatch", lambda c, who: c.put_metric_data(Namespace="n", MetricData=[{"MetricName": who, "Value": 1}]),
     "list_metrics(Namespace=n)", "Metrics"),
    ("cloudformation", lambda c, who: c.create_stack(StackName="same", TemplateBody=TEMPLATE), "list_stacks", "StackSummaries"),
    ("resourcegroupstaggingapi", None, "get_resources", "ResourceTagMappingList"),
]




def of_others(of):
    """What A's root may not do to what B has: (service, call, its arguments)."""
    arn = lambda service, rest, region="us-east-1": f"arn:aws:{service}:{region}:{B}:{rest}"
    fn, layer, topic = arn("lambda", "function:same"), arn("lambda", "layer:same"), arn("sns", "same")
    first = lambda service, how, member, key: listed(of(B, service), how, member)[0][key]
    api = first("apigateway", "get_rest_apis", "items", "id")
    pool = first("cognito-idp", "list_user_pools(MaxResults=10)", "UserPools", "Id")
    key = arn("kms", "key/" + first("kms", "list_keys", "Keys", "KeyId"))
    stack = first("cloudformation", "list_stacks", "StackSummaries", "StackId")
    url = of(B, "sqs").get_queue_url(QueueName="same")["QueueUrl"]
    mine = of(A, "sqs").get_queue_url(QueueName="same")["QueueUrl"]
    return [
        ("lambda", "update_function_configuration", dict(FunctionName=fn, Timeout=9)),
        ("lambda", "add_permission", dict(FunctionName=fn, StatementId="x", Action="lambda:InvokeFunction", Principal=A)),
        ("lambda", "create_function_url_config", dict(FunctionName=fn, AuthType="NONE")),
        ("lambda", "delete_function", dict(FunctionName=fn)),
        ("lambda", "invoke", dict(FunctionName=f"{B}:function:same")),
        ("lambda", "tag_resource", dict(Resource=fn, Tags={"a": "b"})),
        ("lambda", "create_event_source_mapping", dict(FunctionName=fn, EventSourceArn=arn("sqs", "same").replace(B, A))),
        ("lambda", "delete_layer_version", dict(LayerName=layer, VersionNumber=1)),
        ("lambda", "publish_layer_version", dict(LayerName=layer, Content={"ZipFile": zipped("x = 2")})),
        ("lambda", "get_layer_version", dict(LayerName=layer, VersionNumber=1)),
        ("sqs", "send_message", dict(QueueUrl=url, MessageBody="x")),
        ("sqs", "delete_queue", dict(QueueUrl=url)),
        ("sqs", "tag_queue", dict(QueueUrl=url, Tags={"a": "b"})),
        ("sqs", "set_queue_attributes", dict(QueueUrl=mine, Attributes={"RedrivePolicy": json.dumps(
            {"deadLetterTargetArn": arn("sqs", "same"), "maxReceiveCount": 1})})),
        ("sns", "publish", dict(TopicArn=topic, Message="x")),
        ("sns", "delete_topic", dict(TopicArn=topic)),
        ("sns", "tag_resource", dict(ResourceArn=topic, Tags=[{"Key": "a", "Value": "b"}])),
        ("dynamodb", "delete_table", dict(TableName=arn("dynamodb", "table/same"))),
        ("dynamodb", "create_backup", dict(TableName=arn("dynamodb", "table/same"), BackupName="same")),
        ("dynamodb", "tag_resource", dict(ResourceArn=arn("dynamodb", "table/same"), Tags=[{"Key": "a", "Value": "b"}])),
        ("dynamodb", "execute_statement", dict(Statement=f'SELECT * FROM "{arn("dynamodb", "table/same")}"')),
        ("dynamodbstreams", "describe_stream", dict(StreamArn=first("dynamodbstreams", "list_streams", "Streams", "StreamArn"))),
        ("kms", "schedule_key_deletion", dict(KeyId=key)),
        ("kms", "encrypt", dict(KeyId=key, Plaintext=b"x")),
        ("kms", "create_alias", dict(AliasName="alias/others", TargetKeyId=key)),
        ("events", "put_rule", dict(Name="others", EventBusName=arn("events", "event-bus/default"), EventPattern=PATTERN)),
        ("events", "create_archive", dict(ArchiveName="others", EventSourceArn=arn("events", "event-bus/default"))),
        ("events", "put_events", dict(Entries=[dict(Source="a", DetailType="d", Detail="{}", EventBusName=arn("events", "event-bus/default"))])),
        ("logs", "filter_log_events", dict(logGroupIdentifier=arn("logs", "log-group:same"))),
        ("logs", "tag_resource", dict(resourceArn=arn("logs", "log-group:same"), tags={"a": "b"})),
        ("ssm", "get_parameter", dict(Name=arn("ssm", "parameter/same"))),
        ("iam", "get_policy", dict(PolicyArn=arn("iam", "policy/same", ""))),
        ("iam", "attach_role_policy", dict(RoleName="same", PolicyArn=arn("iam", "policy/same", ""))),
        ("sts", "assume_role", dict(RoleArn=arn("iam", "role/same", ""), RoleSessionName="ss")),
        ("cloudformation", "delete_stack", dict(StackName=stack)),
        ("cloudwatch", "tag_resource", dict(ResourceARN=arn("cloudwatch", "alarm:same"), Tags=[{"Key": "a", "Value": "b"}])),
        ("apigateway", "get_rest_api", dict(restApiId=api)),
        ("apigateway", "get_resources", dict(restApiId=api)),
        ("apigateway", "create_deployment", dict(restApiId=api)),
        ("apigateway", "tag_resource", dict(resourceArn=f"arn:aws:apigateway:us-east-1::/restapis/{api}", tags={"a": "b"})),
        ("cognito-idp", "describe_user_pool", dict(UserPoolId=pool)),
        ("cognito-idp", "admin_create_user", dict(UserPoolId=pool, Username="x")),
        ("ecr", "describe_images", dict(registryId=B, repositoryName="same")),
        ("ecr", "delete_repository", dict(registryId=B, repositoryName="same")),
        ("sqs", "get_queue_url", dict(QueueName="same", QueueOwnerAWSAccountId=B)),
    ]


def listed(client, how, member):
    name, _, args = how.partition("(")
    args = dict(part.split("=") for part in args.rstrip(")").split(",") if part)
    if "MaxResults" in args:
        args["MaxResults"] = int(args["MaxResults"])
    return getattr(client, name)(**args).get(member, [])


def test_resources_apart():
    with Weir() as weir:  # where nothing else is made
        assert account(weir, "add", B).returncode == 0
        of = Two(weir).of
        for service, make, how, member in APART:
            if make:
                make(of(A, service), A)
        for service, make, how, member in APART:
            assert listed(of(A, service), how, member), (service, how)
            assert not listed(of(B, service), how, member), (service, how)
        in_a = {(service, how): listed(of(A, service), how, member) for service, _, how, member in APART}
        for service, make, how, member in APART:
            if make:
                make(of(B, service), B)
        of(A, "cloudformation").get_waiter("stack_create_complete").wait(StackName="same", WaiterConfig={"Delay": 1})
        of(B, "cloudformation").get_waiter("stack_create_complete").wait(StackName="same", WaiterConfig={"Delay": 1})
        for service, _, how, member in APART:
            theirs = listed(of(B, service), how, member)
            assert theirs, (service, how)
            text = json.dumps(theirs, default=str)
            assert A not in text, (service, how, text)
            assert B not in json.dumps(in_a[service, how], default=str)
        for service, call, args in of_others(of):
            assert code_of(getattr(of(A, service), call), **args) != "OK", (service, call)
        # Names in B lead to B's.
        assert of(B, "ssm").get_parameter(Name="same")["Parameter"]["Value"] == B
        assert of(A, "ssm").get_parameter(Name="same")["Parameter"]["Value"] == A
        invoked = of(B, "lambda").invoke(FunctionName="same")["Payload"].read()
        assert json.loads(invoked) == f"arn:aws:lambda:us-east-1:{B}:function:same"
        wait_for(lambda: of(B, "logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/same")["logGroups"], what="log group in B")
        assert not of(A, "logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/same")["logGroups"]
        stats = lambda who: of(who, "cloudwatch").list_metrics(Namespace="AWS/Lambda", MetricName="Invocations")["Metrics"]
        wait_for(lambda: stats(B), what="metrics in B")
        assert not stats(A)
        assert of(B, "sqs").get_queue_url(QueueName="of-stack")["QueueUrl"].endswith(f"/{B}/of-stack")
        # All of it survives a kill: the account, its root, its users' keys.
        key = of(B, "iam").create_access_key(UserName="same")["AccessKey"]
        weir.kill9()
        weir.start()
        assert account(weir, "list").stdout.startswith(B)
        assert len(of(B, "sqs").list_queues()["QueueUrls"]) == 2
        me = weir.client("sts", key["AccessKeyId"], key["SecretAccessKey"]).get_caller_identity()
        assert me["Arn"] == f"arn:aws:iam::{B}:user/same"


# --- both sides -----------------------------------------------------------------------------------

SEND = "sqs:SendMessage"


@pytest.mark.parametrize("identity, principal, deny, outcome", [
    (False, None, False, "no identity-based"),
    (True, None, False, "no resource-based"),
    (False, "user", False, "no identity-based"),
    (True, "user", False, "OK"),
    (True, "account", False, "OK"),
    (True, "root", False, "OK"),
    (True, "*", False, "OK"),
    (True, "other", False, "no resource-based"),
    (True, "user", True, "explicit deny in a resource-based"),
])
def test_both_sides_must_allow(two, identity, principal, deny, outcome):
    url, arn = two.queue(B)
    user = two.user(A, *([(SEND, arn)] if identity else []))
    names = {"user": user.arn, "account": A, "root": f"arn:aws:iam::{A}:root", "*": "*", "other": B}
    statements = [{"Principal": {"AWS": names[principal]}, "Action": SEND, "Resource": arn}] if principal else []
    if deny:
        statements.append({"Effect": "Deny", "Principal": "*", "Action": SEND, "Resource": arn,
                           "Condition": {"StringEquals": {"aws:PrincipalAccount": A, "aws:ResourceAccount": B}}})
    if statements:
        two.of(B, "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(*statements)})
    try:
        user("sqs").send_message(QueueUrl=url, MessageBody="x")
        said = "OK"
    except ClientError as e:
        assert e.response["Error"]["Code"] == "AccessDenied"
        said = e.response["Error"]["Message"]
    assert outcome in said
    count = two.of(B, "sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert count["Attributes"]["ApproximateNumberOfMessages"] == ("1" if outcome == "OK" else "0")


def test_root_of_another_account_needs_the_resource(two):
    url, arn = two.queue(B)
    assert code_of(two.of(A, "sqs").send_message, QueueUrl=url, MessageBody="x") == "AccessDenied"
    two.of(B, "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(
        {"Principal": {"AWS": A}, "Action": "sqs:*", "Resource": arn})})
    two.of(A, "sqs").send_message(QueueUrl=url, MessageBody="x")
    name = arn.split(":")[-1]
    assert two.of(A, "sqs").get_queue_url(QueueName=name, QueueOwnerAWSAccountId=B)["QueueUrl"] == url
    assert two.of(A, "sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "x"
    # What AWS opens to nobody else.
    for call in ("delete_queue", "list_queue_tags"):
        assert code_of(getattr(two.of(A, "sqs"), call), QueueUrl=url) != "OK"
    assert code_of(two.of(A, "sqs").set_queue_attributes, QueueUrl=url, Attributes={"DelaySeconds": "1"}) != "OK"
    assert code_of(two.of(A, "sqs").send_message, QueueUrl=url.replace(B, "3" * 12), MessageBody="x") == \
        "AWS.SimpleQueueService.NonExistentQueue"


def test_principals_of_another_account(two):
    """Stored by their ids: who is made anew under an old name is nobody."""
    user = two.user(A, (SEND, "*"))
    url, arn = two.queue(B, {"Principal": {"AWS": user.arn}, "Action": SEND})
    user("sqs").send_message(QueueUrl=url, MessageBody="x")
    sqs, policy = two.of(B, "sqs"), document({"Principal": {"AWS": f"arn:aws:iam::{A}:user/nobody"}, "Action": SEND, "Resource": arn})
    assert code_of(sqs.set_queue_attributes, QueueUrl=url, Attributes={"Policy": policy}) == "InvalidAttributeValue"
    iam, name = two.of(A, "iam"), user.arn.split("/")[1]
    iam.delete_user_policy(UserName=name, PolicyName="p")
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)
    iam.create_user(UserName=name)
    shown = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    assert shown["Statement"][0]["Principal"]["AWS"].startswith("AIDA")


def test_topics(two):
    sns_b = two.of(B, "sns")
    topic = sns_b.create_topic(Name="t" + uuid.uuid4().hex[:8])["TopicArn"]
    url, arn = two.queue(A)
    two.of(A, "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(
        {"Principal": {"Service": "sns.amazonaws.com"}, "Action": SEND, "Resource": arn,
         "Condition": {"ArnEquals": {"aws:SourceArn": topic}, "StringEquals": {"aws:SourceAccount": B}}})})
    assert code_of(two.of(A, "sns").publish, TopicArn=topic, Message="x") == "AuthorizationError"
    sns_b.add_permission(TopicArn=topic, Label="a", AWSAccountId=[A], ActionName=["Publish", "Subscribe"])
    sub = two.of(A, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)["SubscriptionArn"]
    assert sns_b.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]["Owner"] == A
    listed = lambda sns: [s["SubscriptionArn"] for page in sns.get_paginator("list_subscriptions").paginate()
                                       for s in page["Subscriptions"]]
    assert listed(two.of(A, "sns")) == [sub] and listed(sns_b) == []  # the subscriber's
    assert [s["Owner"] for s in sns_b.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]] == [A]
    two.of(A, "sns").publish(TopicArn=topic, Message="hello")
    body = two.of(A, "sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]["Body"]
    assert json.loads(body)["Message"] == "hello"
    # His end of it is the subscriber's, by his own policies alone; a third account's it is not.
    mine, stranger = two.user(A, ("sns:*", "*"))("sns"), two.user(A)("sns")
    change = {"SubscriptionArn": sub, "AttributeName": "RawMessageDelivery", "AttributeValue": "true"}
    for name, args in (("get_subscription_attributes", {"SubscriptionArn": sub}), ("set_subscription_attributes", change),
                       ("unsubscribe", {"SubscriptionArn": sub})):
        assert code_of(getattr(stranger, name), **args) == "AuthorizationError", name
    mine.set_subscription_attributes(**change)
    assert mine.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]["RawMessageDelivery"] == "true"
    assert sns_b.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]["RawMessageDelivery"] == "true"
    its_own = sns_b.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=two.queue(B)[1], ReturnSubscriptionArn=True)["SubscriptionArn"]
    assert code_of(mine.get_subscription_attributes, SubscriptionArn=its_own) == "AuthorizationError"
    assert code_of(mine.unsubscribe, SubscriptionArn=its_own) == "AuthorizationError"
    assert listed(two.of(A, "sns")) == [sub] and listed(sns_b) == [its_own]
    mine.unsubscribe(SubscriptionArn=sub)
    assert listed(two.of(A, "sns")) == []
    assert code_of(sns_b.get_subscription_attributes, SubscriptionArn=sub) == "NotFound"
    assert [s["SubscriptionArn"] for s in sns_b.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]] == [its_own]
    # A page's worth at home, and one abroad behind them; that goes with its topic.
    home = two.of(A, "sns").create_topic(Name="home" + uuid.uuid4().hex[:8])["TopicArn"]
    own = {two.of(A, "sns").subscribe(TopicArn=home, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{A}:q{i}",
                                      ReturnSubscriptionArn=True)["SubscriptionArn"] for i in range(100)}
    sub = two.of(A, "sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)["SubscriptionArn"]
    got = listed(two.of(A, "sns"))
    assert set(got[:100]) == own and got[100:] == [sub]
    sns_b.delete_topic(TopicArn=topic)
    two.of(A, "sns").delete_topic(TopicArn=home)
    wait_for(lambda: listed(two.of(A, "sns")) == [], 30, "subscriptions to go with their topics")


def test_tables(two):
    ddb_b, name = two.of(B, "dynamodb"), "t" + uuid.uuid4().hex[:8]
    arn = ddb_b.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                             AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])["TableDescription"]["TableArn"]
    assert arn.split(":")[4] == B
    ddb_a, item = two.of(A, "dynamodb"), {"k": {"S": "1"}}
    assert code_of(ddb_a.put_item, TableName=arn, Item=item) == "AccessDeniedException"
    assert code_of(ddb_a.batch_get_item, RequestItems={arn: {"Keys": [item]}}) == "AccessDeniedException"
    allow = document({"Principal": {"AWS": A}, "Action": "dynamodb:*", "Resource": arn})
    assert raw(two.weir, "PutResourcePolicy", {"ResourceArn": arn, "Policy": allow}, key=B)[0] == 200
    ddb_a.put_item(TableName=arn, Item=item)
    assert ddb_b.get_item(TableName=name, Key=item)["Item"] == item
    assert ddb_a.batch_get_item(RequestItems={arn: {"Keys": [item]}})["Responses"][arn] == [item]
    ddb_a.transact_write_items(TransactItems=[{"Put": {"TableName": arn, "Item": {"k": {"S": "2"}}}}])
    assert ddb_a.describe_table(TableName=arn)["Table"]["TableArn"] == arn
    assert ddb_a.scan(TableName=arn)["Count"] == 2
    # The name alone is the caller's, and what is not opened stays shut.
    assert code_of(ddb_a.get_item, TableName=name, Key=item) == "ResourceNotFoundException"
    # Tags are open to other accounts; whatever else is the owner's, also where his policy allows all. The same name in
    # the caller's own account is never meant by the ARN.
    ddb_a.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}])
    ddb_a.untag_resource(ResourceArn=arn, TagKeys=["c"])
    assert ddb_a.list_tags_of_resource(ResourceArn=arn)["Tags"] == ddb_b.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    statement = f'SELECT * FROM "{arn}"'
    lack, recover = "ResourceNotFoundException", {"PointInTimeRecoveryEnabled": True}
    for own in (False, True):
        if own:
            ddb_a.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                               AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
        for call, args, code in [
            ("create_backup", dict(TableName=arn, BackupName="none"), "TableNotFoundException"),
            ("describe_continuous_backups", dict(TableName=arn), "TableNotFoundException"),
            ("update_continuous_backups", dict(TableName=arn, PointInTimeRecoverySpecification=recover), "TableNotFoundException"),
            ("export_table_to_point_in_time", dict(TableArn=arn, S3Bucket="bucket"), "TableNotFoundException"),
            ("restore_table_to_point_in_time", dict(SourceTableArn=arn, TargetTableName="copy", UseLatestRestorableTime=True), "TableNotFoundException"),
            ("describe_time_to_live", dict(TableName=arn), lack),
            ("update_time_to_live", dict(TableName=arn, TimeToLiveSpecification={"Enabled": True, "AttributeName": "t"}), lack),
            ("execute_statement", dict(Statement=statement), lack),
            ("execute_transaction", dict(TransactStatements=[{"Statement": statement + " WHERE k='1'"}]), lack),
            ("describe_kinesis_streaming_destination", dict(TableName=arn), lack),
        ]:
            assert code_of(getattr(ddb_a, call), **args) == code, (call, own)
        got = ddb_a.batch_execute_statement(Statements=[{"Statement": statement + " WHERE k='1'"}])["Responses"]
        assert got[0]["Error"]["Code"] == "ResourceNotFound", got
    ddb_a.batch_write_item(RequestItems={arn: [{"PutRequest": {"Item": {"k": {"S": "3"}}}}], name: [{"PutRequest": {"Item": item}}]})
    assert (ddb_b.scan(TableName=name)["Count"], ddb_a.scan(TableName=name)["Count"]) == (3, 1)
    assert ddb_a.update_table(TableName=arn, BillingMode="PAY_PER_REQUEST")["TableDescription"]["TableArn"] == arn
    assert ddb_a.delete_table(TableName=arn)["TableDescription"]["TableArn"] == arn
    assert code_of(ddb_b.describe_table, TableName=name) == lack


def test_keys(two):
    kms_b = two.of(B, "kms")
    arn = kms_b.create_key()["KeyMetadata"]["Arn"]
    assert arn.split(":")[4] == B
    user = two.user(A, ("kms:*", arn))
    kms = user("kms")
    assert code_of(kms.encrypt, KeyId=arn, Plaintext=b"x") == "AccessDeniedException"
    kms_b.put_key_policy(KeyId=arn, PolicyName="default", Policy=document(
        {"Principal": {"AWS": f"arn:aws:iam::{B}:root"}, "Action": "kms:*", "Resource": "*"},
        {"Principal": {"AWS": f"arn:aws:iam::{A}:root"}, "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*"}))
    blob = kms.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert kms_b.decrypt(CiphertextBlob=blob)["KeyId"] == arn
    assert code_of(kms.describe_key, KeyId=arn) == "AccessDeniedException"
    assert code_of(two.user(A)("kms").decrypt, CiphertextBlob=blob) == "AccessDeniedException"


def test_re_encrypt(two):
    """From a key of one account to one of another, each with its own policy's consent."""
    kms_a, kms_b = two.of(A, "kms"), two.of(B, "kms")
    own, theirs = (k.create_key()["KeyMetadata"]["Arn"] for k in (kms_a, kms_b))
    alias = "alias/k" + uuid.uuid4().hex[:8]
    kms_a.create_alias(AliasName=alias, TargetKeyId=own)
    kms_b.create_alias(AliasName=alias, TargetKeyId=theirs)
    blob_a, blob_b = kms_a.encrypt(KeyId=own, Plaintext=b"a")["CiphertextBlob"], kms_b.encrypt(KeyId=theirs, Plaintext=b"b")["CiphertextBlob"]
    user = two.user(A, ("kms:*", "*"))("kms")
    alias_b = f"arn:aws:kms:us-east-1:{B}:{alias}"

    def rows():
        for to in (theirs, alias_b):
            yield "kms:ReEncryptTo", {"CiphertextBlob": blob_a, "DestinationKeyId": to}, theirs, b"a"
        for to in (own, alias, own.rsplit("/", 1)[1]):  # what is no ARN is the caller's
            yield "kms:ReEncryptFrom", {"CiphertextBlob": blob_b, "DestinationKeyId": to}, own, b"b"
        for source in (theirs, alias_b):
            yield "kms:ReEncryptFrom", {"CiphertextBlob": blob_b, "SourceKeyId": source, "DestinationKeyId": own}, own, b"b"

    for needs, args, to, plain in rows():
        for action in ({"kms:ReEncryptFrom", "kms:ReEncryptTo"} - {needs}).pop(), needs:
            kms_b.put_key_policy(KeyId=theirs, PolicyName="default", Policy=document(
                {"Principal": {"AWS": f"arn:aws:iam::{B}:root"}, "Action": "kms:*", "Resource": "*"},
                {"Principal": {"AWS": A}, "Action": action, "Resource": "*"}))
            if action != needs:
                assert code_of(user.re_encrypt, **args) == "AccessDeniedException", (needs, args)
        got = user.re_encrypt(**args)
        assert got["KeyId"] == to
        assert (kms_a if to == own else kms_b).decrypt(CiphertextBlob=got["CiphertextBlob"])["Plaintext"] == plain
    assert code_of(two.user(A)("kms").re_encrypt, CiphertextBlob=blob_b, DestinationKeyId=own) == "AccessDeniedException"
    absent = theirs[:-1] + ("0" if theirs[-1] != "0" else "1")
    assert code_of(kms_a.re_encrypt, CiphertextBlob=blob_a, DestinationKeyId=absent) in ("NotFoundException", "AccessDeniedException")


def test_a_queue_under_a_key(two):
    """A's caller, B's queue under B's own key."""
    kms_b = two.of(B, "kms")
    key = kms_b.create_key(Policy=document(
        {"Principal": {"AWS": [f"arn:aws:iam::{B}:root", f"arn:aws:iam::{A}:root"]}, "Action": "kms:*", "Resource": "*"}))
    url, arn = two.queue(B, {"Principal": {"AWS": A}, "Action": "sqs:*"})
    two.of(B, "sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key["KeyMetadata"]["Arn"]})
    two.of(A, "sqs").send_message(QueueUrl=url, MessageBody="sealed")
    assert two.of(B, "sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "sealed"


def test_buses(two):
    events_b, name = two.of(B, "events"), "b" + uuid.uuid4().hex[:8]
    bus = events_b.create_event_bus(Name=name)["EventBusArn"]
    url, arn = two.queue(B, {"Principal": {"Service": "events.amazonaws.com"}, "Action": SEND})
    events_b.put_rule(Name="r", EventBusName=name, EventPattern=json.dumps({"source": ["a"]}))
    events_b.put_targets(Rule="r", EventBusName=name, Targets=[{"Id": "1", "Arn": arn}])
    entry = {"Source": "a", "DetailType": "d", "Detail": "{}", "EventBusName": bus}
    put = two.of(A, "events").put_events
    assert code_of(put, Entries=[entry]) == "AccessDeniedException"
    events_b.put_permission(EventBusName=name, StatementId="a", Principal=A, Action="events:PutEvents")
    assert put(Entries=[entry])["FailedEntryCount"] == 0
    event = json.loads(two.of(B, "sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]["Body"])
    assert event["account"] == A
    # A rule of A's sends on to B's bus, under a role of A's.
    role = two.role(A, {"Principal": {"Service": "events.amazonaws.com"}}, ("events:PutEvents", bus))
    two.of(A, "events").put_rule(Name="on" + name, EventPattern=json.dumps({"source": ["a"]}))
    two.of(A, "events").put_targets(Rule="on" + name, Targets=[{"Id": "1", "Arn": bus, "RoleArn": role}])
    put(Entries=[{"Source": "a", "DetailType": "forwarded", "Detail": "{}"}])
    event = json.loads(two.of(B, "sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]["Body"])
    assert (event["account"], event["detail-type"]) == (A, "forwarded")


def test_rules_on_another_accounts_bus(two):
    events_b, name = two.of(B, "events"), "b" + uuid.uuid4().hex[:8]
    bus = events_b.create_event_bus(Name=name)["EventBusArn"]
    rule = f"arn:aws:events:us-east-1:{B}:rule/{name}/r"
    url, queue = two.queue(A, {"Principal": {"Service": "events.amazonaws.com"}, "Action": SEND})
    user = two.user(A, ("events:*", "*"))("events")
    pattern = json.dumps({"source": ["a"]})
    calls = (("put_rule", {"Name": "r", "EventBusName": bus, "EventPattern": pattern, "Tags": [{"Key": "k", "Value": "v"}]}),
             ("put_targets", {"Rule": "r", "EventBusName": bus, "Targets": [{"Id": "1", "Arn": queue}]}),
             ("describe_rule", {"Name": "r", "EventBusName": bus}), ("list_targets_by_rule", {"Rule": "r", "EventBusName": bus}),
             ("list_tags_for_resource", {"ResourceARN": rule}), ("disable_rule", {"Name": "r", "EventBusName": bus}),
             ("enable_rule", {"Name": "r", "EventBusName": bus}), ("tag_resource", {"ResourceARN": rule, "Tags": [{"Key": "k", "Value": "w"}]}))
    over = (("untag_resource", {"ResourceARN": rule, "TagKeys": ["k"]}), ("remove_targets", {"Rule": "r", "EventBusName": bus, "Ids": ["1"]}),
            ("delete_rule", {"Name": "r", "EventBusName": bus}))
    for call, args in calls + over:
        assert code_of(getattr(user, call), **args) == "AccessDeniedException", call
    mine = {"StringEqualsIfExists": {"events:creatorAccount": "${aws:PrincipalAccount}"}}
    events_b.put_permission(EventBusName=name, Policy=document(
        {"Sid": "rules", "Principal": {"AWS": A}, "Action": "events:*", "Resource": f"arn:aws:events:us-east-1:{B}:rule/{name}/*", "Condition": mine},
        {"Sid": "put", "Principal": {"AWS": A}, "Action": "events:PutEvents", "Resource": bus}))
    for call, args in calls + over:
        assert code_of(getattr(two.user(A)("events"), call), **args) == "AccessDeniedException", call  # nor without his own side
    for call, args in calls:
        assert code_of(getattr(user, call), **args) == "OK", call
    told = events_b.describe_rule(Name="r", EventBusName=name)
    assert (told["Arn"], told["CreatedBy"]) == (rule, A)
    assert user.put_events(Entries=[{"Source": "a", "DetailType": "d", "Detail": "{}", "EventBusName": bus}])["FailedEntryCount"] == 0
    assert json.loads(two.of(A, "sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]["Body"])["source"] == "a"
    # The bus's account made this one, and the policy leaves it alone; a rule of A's own bus has the same name.
    events_b.put_rule(Name="s", EventBusName=name, EventPattern=pattern)
    assert code_of(user.delete_rule, Name="s", EventBusName=bus) == "AccessDeniedException"
    assert code_of(user.describe_rule, Name="r") == "ResourceNotFoundException"
    for call, args in over:
        assert code_of(getattr(user, call), **args) == "OK", call
    assert [r["Name"] for r in events_b.list_rules(EventBusName=name)["Rules"]] == ["s"]


# --- roles ----------------------------------------------------------------------------------------


def assumed(two, sts, role, **more):
    c = sts.assume_role(RoleArn=role, RoleSessionName="ss", **more)["Credentials"]
    return lambda service: two.weir.client(service, c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])


def test_roles_across_accounts(two):
    role = two.role(B, {"Principal": {"AWS": A}, "Condition": {"StringEquals": {"sts:ExternalId": "xx"}}}, ("sqs:*", "*"))
    user = two.user(A, ("sts:AssumeRole", role))
    assert code_of(user("sts").assume_role, RoleArn=role, RoleSessionName="ss") == "AccessDenied"
    assert code_of(two.user(A)("sts").assume_role, RoleArn=role, RoleSessionName="ss", ExternalId="xx") == "AccessDenied"
    said = user("sts").assume_role(RoleArn=role, RoleSessionName="ss", ExternalId="xx")["AssumedRoleUser"]["Arn"]
    name = role.split("/")[1]
    assert said == f"arn:aws:sts::{B}:assumed-role/{name}/ss"
    inside = assumed(two, user("sts"), role, ExternalId="xx")
    assert inside("sts").get_caller_identity()["Arn"] == said
    made = inside("sqs").create_queue(QueueName="by" + name)["QueueUrl"]
    assert made.endswith(f"/{B}/by{name}")
    # A chain: B's role takes on A's.
    back = two.role(A, {"Principal": {"AWS": role}}, ("sqs:CreateQueue", "*"))
    assert code_of(inside("sts").assume_role, RoleArn=back, RoleSessionName="ss") == "AccessDenied"
    two.of(B, "iam").put_role_policy(RoleName=name, PolicyName="chain", PolicyDocument=document({"Action": "sts:AssumeRole", "Resource": back}))
    chained = assumed(two, inside("sts"), back)
    assert chained("sqs").create_queue(QueueName="back" + name)["QueueUrl"].endswith(f"/{A}/back{name}")
    # Session policies are of the role's account.
    foreign = two.of(A, "iam").create_policy(PolicyName="p" + name, PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    assert code_of(user("sts").assume_role, RoleArn=role, RoleSessionName="ss", ExternalId="xx", PolicyArns=[{"arn": foreign}]) == \
        "ValidationError"
    assert code_of(two.of(A, "iam").attach_role_policy, RoleName=back.split("/")[1], PolicyArn=foreign.replace(A, B)) == "NoSuchEntity"


# --- functions ------------------------------------------------------------------------------------


def function(two, who, source, role, **more):
    name = "f" + uuid.uuid4().hex[:8]
    two.of(who, "lambda").create_function(FunctionName=name, Runtime=runtime(), Handler="app.handler", Role=role,
                                          Code={"ZipFile": zipped(source)}, Timeout=30, **more)
    return name, f"arn:aws:lambda:us-east-1:{who}:function:{name}"


def test_functions(two):
    service = {"Principal": {"Service": "lambda.amazonaws.com"}}
    role_a = two.role(A, service)
    with pytest.raises(ClientError, match="Cross-account pass role is not allowed|not authorized to perform: iam:PassRole"):
        function(two, B, ECHO, role_a)
    name, arn = function(two, B, ECHO, two.role(B, service))
    fns = two.of(A, "lambda")
    assert code_of(fns.invoke, FunctionName=arn) == "AccessDeniedException"
    two.of(B, "lambda").add_permission(FunctionName=name, StatementId="a", Action="lambda:InvokeFunction", Principal=A)
    assert json.loads(fns.invoke(FunctionName=arn)["Payload"].read()) == arn
    assert json.loads(fns.invoke(FunctionName=f"{B}:function:{name}")["Payload"].read()) == arn
    assert code_of(fns.get_function, FunctionName=arn) == "AccessDeniedException"
    assert code_of(fns.invoke, FunctionName=name) == "ResourceNotFoundException"
    # A layer of B's in a function of A's.
    layer = two.of(B, "lambda").publish_layer_version(LayerName="l" + name, Content={"ZipFile": zipped("x = 1")})["LayerVersionArn"]
    with pytest.raises(ClientError, match="lambda:GetLayerVersion"):
        function(two, A, ECHO, role_a, Layers=[layer])
    two.of(B, "lambda").add_layer_version_permission(LayerName="l" + name, VersionNumber=1, StatementId="a", Principal=A,
                                                     Action="lambda:GetLayerVersion")
    function(two, A, ECHO, role_a, Layers=[layer])


def test_concurrency_is_of_the_account(two):
    """What A reserves leaves B its own 1,000."""
    service = {"Principal": {"Service": "lambda.amazonaws.com"}}
    roles = {who: two.role(who, service) for who in (A, B)}
    left = lambda who: two.of(who, "lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    reserving = {who: function(two, who, ECHO, roles[who])[0] for who in (A, B)}
    try:
        for who in (A, B):
            two.of(who, "lambda").put_function_concurrency(FunctionName=reserving[who], ReservedConcurrentExecutions=600)
        assert [left(A), left(B)] == [400, 400]
        for who in (A, B):
            name, arn = function(two, who, ECHO, roles[who])
            assert json.loads(two.of(who, "lambda").invoke(FunctionName=name)["Payload"].read()) == arn
    finally:
        for who in (A, B):
            two.of(who, "lambda").delete_function(FunctionName=reserving[who])
    assert [left(A), left(B)] == [1000, 1000]


def test_a_function_of_b_by_a_queue_of_a_to_a_queue_of_a(two):
    """Both sides at both ends: an event source mapping, and what the function itself sends."""
    role = two.role(B, {"Principal": {"Service": "lambda.amazonaws.com"}}, ("sqs:*", "*"))
    out_url, _ = two.queue(A, {"Principal": {"AWS": role}, "Action": SEND})
    in_url, in_arn = two.queue(A)
    name, _ = function(two, B, TELL, role, Environment={"Variables": {"OUT": out_url}})
    create = two.of(B, "lambda").create_event_source_mapping
    assert code_of(create, FunctionName=name, EventSourceArn=in_arn) == "InvalidParameterValueException"
    two.of(A, "sqs").set_queue_attributes(QueueUrl=in_url, Attributes={"Policy": document({
        "Principal": {"AWS": role}, "Resource": in_arn,
        "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]})})
    mapping = create(FunctionName=name, EventSourceArn=in_arn)["FunctionArn"]
    assert mapping.split(":")[4] == B
    two.of(A, "sqs").send_message(QueueUrl=in_url, MessageBody="through")
    told = two.of(A, "sqs").receive_message(QueueUrl=out_url, WaitTimeSeconds=20)["Messages"][0]
    assert told["Body"] == "through"


# --- fronts that name no account ------------------------------------------------------------------


def get(two, host, who=None):
    """(status, body) of a request to a host of B's, signed by the development key of an account."""
    request = AWSRequest("GET", f"http://{host}/", headers={"Host": host})
    if who:
        SigV4Auth(Credentials(who, "test"), "lambda", two.weir.region).add_auth(request)
    asked = urllib.request.Request(two.weir.endpoint + "/", headers={**dict(request.headers.items()), "Host": host})
    try:
        with urllib.request.urlopen(asked) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_function_urls(two):
    name, arn = function(two, B, "def handler(event, context):\n    return context.invoked_function_arn\n",
                         two.role(B, {"Principal": {"Service": "lambda.amazonaws.com"}}))
    fns = two.of(B, "lambda")
    host = urlsplit(fns.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]).netloc
    assert get(two, host)[0] == 403 and get(two, host, A)[0] == 403
    assert get(two, host, B) == (200, json.dumps(arn))
    for action, more in (("InvokeFunctionUrl", {"FunctionUrlAuthType": "AWS_IAM"}), ("InvokeFunction", {})):
        fns.add_permission(FunctionName=name, StatementId=action, Action="lambda:" + action, Principal=A, **more)
    assert get(two, host, A) == (200, json.dumps(arn))


def test_an_api_and_a_user_pool(two):
    apis = two.of(B, "apigateway")
    api = apis.create_rest_api(name="b")
    id, root = api["id"], apis.get_resources(restApiId=api["id"])["items"][0]["id"]
    apis.put_method(restApiId=id, resourceId=root, httpMethod="GET", authorizationType="NONE")
    apis.put_integration(restApiId=id, resourceId=root, httpMethod="GET", type="MOCK",
                         requestTemplates={"application/json": '{"statusCode": 200}'})
    apis.put_method_response(restApiId=id, resourceId=root, httpMethod="GET", statusCode="200")
    apis.put_integration_response(restApiId=id, resourceId=root, httpMethod="GET", statusCode="200",
                                  responseTemplates={"application/json": "$context.accountId"})
    apis.create_deployment(restApiId=id, stageName="s")
    with urllib.request.urlopen(f"{two.weir.endpoint}/restapis/{id}/s/_user_request_/") as reply:
        assert reply.read().decode() == B
    pools = two.of(B, "cognito-idp")
    pool = pools.create_user_pool(PoolName="b")["UserPool"]["Id"]
    app = pools.create_user_pool_client(UserPoolId=pool, ClientName="c", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    client = app["UserPoolClient"]["ClientId"]
    pools.admin_create_user(UserPoolId=pool, Username="u", MessageAction="SUPPRESS")
    pools.admin_set_user_password(UserPoolId=pool, Username="u", Password="Passw0rd!", Permanent=True)
    anybody = two.weir.client("cognito-idp", config=Config(signature_version=UNSIGNED))
    told = anybody.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "u", "PASSWORD": "Passw0rd!"})
    assert anybody.get_user(AccessToken=told["AuthenticationResult"]["AccessToken"])["Username"] == "u"


# --- the credential report ----------------------------------------------------------------------------

COLUMNS = ("user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
           "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
           "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,"
           "cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated")


def test_credential_report(two):
    """One is kept for hours: no other test here asks for one."""
    account, weir, iam = B, two.weir, two.of(B, "iam")
    with pytest.raises(iam.exceptions.CredentialReportNotPresentException):
        iam.get_credential_report()
    root = iam.get_user()["User"]
    assert root["Arn"] == f"arn:aws:iam::{account}:root" and root["CreateDate"].year >= 2024
    iam.update_account_password_policy(MaxPasswordAge=90)
    made = {}
    for user in ("b,1", "A", "c"):
        made[user] = iam.create_user(UserName=user, Path="/x/" if user == "A" else "/")["User"]
    iam.create_login_profile(UserName="A", Password="Abcdefghi1!")
    keys = [iam.create_access_key(UserName="c")["AccessKey"] for i in range(2)]
    keys.sort(key=lambda k: k["AccessKeyId"])
    iam.update_access_key(UserName="c", AccessKeyId=keys[0]["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError):
        weir.client("sqs", keys[1]["AccessKeyId"], keys[1]["SecretAccessKey"]).list_queues()
    assert {k: v for k, v in iam.generate_credential_report().items() if k != "ResponseMetadata"} == {
        "State": "STARTED", "Description": "No report exists. Starting a new report generation task"}
    iam.delete_user(UserName="b,1")
    assert {k: v for k, v in iam.generate_credential_report().items() if k != "ResponseMetadata"} == {"State": "COMPLETE"}
    got = iam.get_credential_report()
    assert got["ReportFormat"] == "text/csv"
    text = got["Content"].decode()
    assert text.split("\n")[0] == COLUMNS and not text.endswith("\n")
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(text))}
    assert list(rows)[0] == "<root_account>" and list(rows)[1:] == sorted(list(rows)[1:], key=str.lower)
    when = lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ")
    no_key = {f"access_key_{i}_{c}": "false" if c == "active" else "N/A" for i in (1, 2)
              for c in ("active", "last_rotated", "last_used_date", "last_used_region", "last_used_service")}
    no_certs = {"cert_1_active": "false", "cert_1_last_rotated": "N/A", "cert_2_active": "false", "cert_2_last_rotated": "N/A"}
    assert rows["<root_account>"] == {
        **no_key, **no_certs, "user": "<root_account>", "arn": f"arn:aws:iam::{account}:root", "user_creation_time": when(root["CreateDate"]),
        "password_enabled": "false", "password_last_used": "no_information", "password_last_changed": "not_supported",
        "password_next_rotation": "not_supported", "mfa_active": "false", "access_key_1_active": "true",
        "access_key_1_last_rotated": when(root["CreateDate"])}
    assert rows["b,1"] == {
        **no_key, **no_certs, "user": "b,1", "arn": made["b,1"]["Arn"], "user_creation_time": when(made["b,1"]["CreateDate"]),
        "password_enabled": "false", "password_last_used": "N/A", "password_last_changed": "N/A", "password_next_rotation": "N/A", "mfa_active": "false"}
    a, c = rows["A"], rows["c"]
    changed, due = (datetime.datetime.strptime(a[k], "%Y-%m-%dT%H:%M:%SZ") for k in ("password_last_changed", "password_next_rotation"))
    assert (a["password_enabled"], a["password_last_used"], due - changed) == ("true", "no_information", datetime.timedelta(days=90))
    assert [c[f"access_key_1_{k}"] for k in ("active", "last_rotated", "last_used_date")] == ["false", when(keys[0]["CreateDate"]), "N/A"]
    assert [c[f"access_key_2_{k}"] for k in ("active", "last_rotated", "last_used_region", "last_used_service")] == [
        "true", when(keys[1]["CreateDate"]), "us-east-1", "sqs"]
    assert datetime.datetime.strptime(c["access_key_2_last_used_date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc) >= keys[1]["CreateDate"]
    iam.delete_account_password_policy()
    assert abs((got["GeneratedTime"] - root["CreateDate"]).total_seconds()) < 24 * 3600
