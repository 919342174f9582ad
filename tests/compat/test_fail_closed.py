"""P3: a user without any permission is denied by every operation of every service (and whoever did
not sign, too). Inputs are made from the client's own model, valid enough to get past the checks
that come before authorisation, for things that exist as well as for things that do not."""
import json
import os

import pytest
from botocore.exceptions import ClientError

from weirtest import ROOT

# Every spec, by its name, and what the clients call its service.
NAMED = {"tagging": "resourcegroupstaggingapi", "streams": "dynamodbstreams", "cognito": "cognito-idp"}
SERVICES = {name: NAMED.get(name, name) for name in sorted(
    f[:-len(".json")] for f in os.listdir(os.path.join(ROOT, "spec")) if f.endswith(".json"))}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403", "Forbidden"}

# What anybody with a key may do, by AWS's own rules.
OPEN = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
# What who has not signed may do with a link from a letter: it must hold a token, or name a subscription (test_sns.py).
LINKED = {("sns", "ConfirmSubscription"), ("sns", "Unsubscribe")}

# What users do for themselves in a user pool needs no permission, signed or not: the request must prove itself, by a token, a
# password or a code.
with open(os.path.join(ROOT, "spec", "cognito.json")) as _f:
    PROVEN = {("cognito", op): {"NotAuthorizedException", "ResourceNotFoundException"}
              for op, row in json.load(_f)["ops"].items() if row.get("unsigned")}
PROVEN["sts", "AssumeRoleWithWebIdentity"] = {"InvalidIdentityToken"}

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                                            "Action": "sts:AssumeRole"}]})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]})
ACCOUNT = "000000000000"
BY_NAME = {
    "Bucket": "closed-bucket", "CopySource": "closed-bucket/key", "TableName": "closed-table", "QueueName": "closed-queue",
    "QueueUrl": f"http://127.0.0.1/{ACCOUNT}/closed-queue", "FunctionName": "closed-function", "logGroupName": "closed-group",
    "logStreamName": "s", "logGroupIdentifier": None, "RoleName": "closed-role", "UserName": "closed-user", "GroupName": "closed-users",
    "InstanceProfileName": "closed-profile", "AWSServiceName": "ecs.amazonaws.com", "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/closed-user",
    "DeletionTaskId": "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/0", "AccountAlias": "closed-alias", "PolicyName": "closed-policy",
    "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/closed", "AssumeRolePolicyDocument": TRUST, "PolicyDocument": POLICY,
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/closed-role", "Role": f"arn:aws:iam::{ACCOUNT}:role/closed-role",
    "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/closed", "VersionId": None, "RoleSessionName": "session",
    "UploadId": "u", "PartNumber": 1, "Key": "key", "ReceiptHandle": "AQEB", "StatementId": "s1", "Principal": "s3.amazonaws.com",
    "Action": "lambda:InvokeFunction", "UUID": "00000000-0000-4000-8000-000000000000", "Runtime": "python3.11", "Handler": "a.b",
    "resourceArn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:closed-group", "ResourceArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/closed-table",
    "Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:closed-function", "EventSourceArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:closed-queue",
    "AccessKeyId": "AKIAXXXXXXXXXXXXXXXX", "Status": "Active", "Policy": POLICY, "retentionInDays": 7, "Actions": ["SendMessage"],
    "AWSAccountIds": [ACCOUNT], "ObjectAttributes": ["ETag"], "timestamp": 1, "ReservedConcurrentExecutions": 0, "VisibilityTimeout": 1,
    "MaximumRetryAttempts": 0, "TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:closed-topic",
    "SubscriptionArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:closed-topic:00000000-0000-4000-8000-000000000000",
    "ServiceName": "lambda.amazonaws.com", "PolicyInputList": [POLICY], "ActionNames": ["s3:GetObject"],
    "StreamArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/closed-table/stream/2026-01-01T00:00:00.000",
    "BackupArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/closed-table/backup/01490000000000-00000000",
    "ExportArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/closed-table/export/01490000000000-00000000",
    "ImportArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/closed-table/import/01490000000000-00000000",
    "TableArn": f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/closed-table", "GlobalTableName": "closed-table", "S3Bucket": "closed-bucket",
    "ShardId": "shardId-00000000000000000000-00000000", "ShardIterator": "iterator",
    "OpenIDConnectProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/closed.example.com", "Url": "https://closed.example.com",
    "thumbprintType": "a" * 40, "WebIdentityToken": "a.b.c",
    "KeyId": "alias/closed-key", "SourceKeyId": "alias/closed-key", "DestinationKeyId": "alias/closed-key", "TargetKeyId": "alias/closed-key",
    "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/closed-role", "UserPoolId": "us-east-1_closed000", "AccessToken": "a.b.c",
    "SourceArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:closed-queue", "TaskHandle": "abcd",
    "statusCode": "200", "AliasName": "alias/closed-key", "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:root", "RetiringPrincipal": f"arn:aws:iam::{ACCOUNT}:root",
}
# Members that are not required by the model but without which the call says nothing.
ALSO = {("logs", "DescribeLogStreams"): ["logGroupName"], ("logs", "FilterLogEvents"): ["logGroupName"],
        ("logs", "GetLogEvents"): ["logGroupName"], ("logs", "GetLogGroupFields"): ["logGroupName"], ("lambda", "CreateEventSourceMapping"): ["EventSourceArn"],
        ("logs", "AssociateKmsKey"): ["logGroupName"], ("logs", "DisassociateKmsKey"): ["logGroupName"],
        ("iam", "GetUser"): ["UserName"], ("iam", "CreateAccessKey"): ["UserName"], ("iam", "ListAccessKeys"): ["UserName"],
        ("iam", "CreateLoginProfile"): ["UserName"], ("iam", "GetLoginProfile"): ["UserName"], ("iam", "DeleteLoginProfile"): ["UserName"]}
SPECIAL = {
    ("cloudformation", "DescribeStackEvents"): {"StackName": "closed"},
    ("cloudformation", "SignalResource"): {"StackName": "closed", "LogicalResourceId": "R", "UniqueId": "u", "Status": "SUCCESS"},
    ("kms", "Decrypt"): {"KeyId": "alias/closed-key"},
    ("kms", "ReEncrypt"): {"SourceKeyId": "alias/closed-key"},
    ("kms", "GetKeyPolicy"): {"PolicyName": "default"},
    ("kms", "PutKeyPolicy"): {"PolicyName": "default"},
    ("kms", "RetireGrant"): {"KeyId": "00000000-0000-4000-8000-000000000000", "GrantId": "g"},
    ("s3", "PutBucketPolicy"): {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::closed-bucket/*"}]})},
    ("lambda", "CreateFunction"): {"Code": {"ZipFile": b"PK"}},
    ("lambda", "UpdateFunctionCode"): {"ZipFile": b"PK"},
    ("lambda", "CreateAlias"): {"FunctionVersion": "1"},
    ("lambda", "GetLayerVersionByArn"): {"Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:closed:1"},
    ("lambda", "AddLayerVersionPermission"): {"Action": "lambda:GetLayerVersion", "Principal": ACCOUNT},
    ("sns", "CreateTopic"): {"Name": "closed-other"},
    ("sns", "Publish"): {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:closed-topic"},
    ("sns", "AddPermission"): {"AWSAccountId": [ACCOUNT], "ActionName": ["Publish"]},
    ("sns", "TagResource"): {"ResourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:closed-topic"},
    ("sns", "UntagResource"): {"ResourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:closed-topic"},
    ("sns", "ListTagsForResource"): {"ResourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:closed-topic"},
    ("sqs", "SetQueueAttributes"): {"Attributes": {"VisibilityTimeout": "1"}},
    ("s3", "CreateBucket"): {"Bucket": "closed-other"},
    ("events", "CreateApiDestination"): {"ConnectionArn": f"arn:aws:events:us-east-1:{ACCOUNT}:connection/closed/0"},
    ("events", "CreateConnection"): {"AuthorizationType": "BASIC"},
    ("events", "CreateArchive"): {"EventSourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"},
    ("events", "StartReplay"): {"EventSourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:archive/closed",
                                "Destination": {"Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"}},
    ("cognito", "AssociateSoftwareToken"): {"AccessToken": "a.b.c"},
    ("cognito", "VerifySoftwareToken"): {"AccessToken": "a.b.c", "UserCode": "000000"},
    ("cognito", "TagResource"): {"ResourceArn": f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_closed000"},
    ("cognito", "UntagResource"): {"ResourceArn": f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_closed000"},
    ("cognito", "ListTagsForResource"): {"ResourceArn": f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_closed000"},
    ("scheduler", "TagResource"): {"ResourceArn": f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/closed"},
    ("scheduler", "UntagResource"): {"ResourceArn": f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/closed"},
    ("scheduler", "ListTagsForResource"): {"ResourceArn": f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/closed"},
    ("cloudwatch", "TagResource"): {"ResourceARN": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:closed"},
    ("cloudwatch", "UntagResource"): {"ResourceARN": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:closed"},
    ("cloudwatch", "ListTagsForResource"): {"ResourceARN": f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:closed"},
    ("ecr", "TagResource"): {"tags": [{"Key": "a", "Value": "b"}]},
    ("ecr", "PutLifecyclePolicy"): {"lifecyclePolicyText": json.dumps({"rules": [{"rulePriority": 1, "action": {"type": "expire"}, "selection": {
        "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}}]})},
    ("sqs", "CreateQueue"): {"QueueName": "closed-other"},
    ("dynamodb", "BatchGetItem"): {"RequestItems": {"closed-table": {"Keys": [{"id": {"S": "1"}}]}}},
    ("dynamodb", "BatchWriteItem"): {"RequestItems": {"closed-table": [{"PutRequest": {"Item": {"id": {"S": "1"}}}}]}},
    ("dynamodb", "TransactGetItems"): {"TransactItems": [{"Get": {"TableName": "closed-table", "Key": {"id": {"S": "1"}}}}]},
    ("dynamodb", "TransactWriteItems"): {"TransactItems": [{"Put": {"TableName": "closed-table", "Item": {"id": {"S": "1"}}}}]},
    ("dynamodb", "ExecuteStatement"): {"Statement": "SELECT * FROM \"closed-table\" WHERE id = '1'"},
    ("dynamodb", "BatchExecuteStatement"): {"Statements": [{"Statement": "SELECT * FROM \"closed-table\" WHERE id = '1'"}]},
    ("dynamodb", "ExecuteTransaction"): {"TransactStatements": [{"Statement": "SELECT * FROM \"closed-table\" WHERE id = '1'"}]},
}


def value_of(name, shape, depth=0):
    if name in BY_NAME:
        return BY_NAME[name]
    kind = shape.type_name
    if shape.metadata.get("enum"):
        return shape.metadata["enum"][0]
    if kind == "structure":
        if name in ("Key", "Item") or shape.name == "AttributeValue":
            return {"S": "1"}
        return {m: value_of(m, shape.members[m], depth + 1) for m in shape.required_members}
    if kind == "list":
        return [value_of(shape.member.name, shape.member, depth + 1)]
    if kind == "map":
        if shape.value.name == "AttributeValue":
            return {"id": {"S": "1"}}
        return {"id": value_of(shape.value.name, shape.value, depth + 1)}
    return {"string": "abcde", "blob": b"x", "boolean": True, "integer": 1, "long": 1, "float": 1.0, "double": 1.0, "timestamp": 1}[kind]


def params_of(service, op, model):
    shape = model.operation_model(op).input_shape
    if shape is None:
        return {}
    names = list(shape.required_members) + ALSO.get((service, op), [])
    params = {n: value_of(n, shape.members[n]) for n in names}
    if "Key" in params and service == "dynamodb":
        params["Key"] = {"id": {"S": "1"}}
    params.update(SPECIAL.get((service, op), {}))
    if service == "iam" and "VersionId" in params:
        params["VersionId"] = "v1"
    return {k: v for k, v in params.items() if v is not None}


def operations():
    for service in SERVICES:
        with open(os.path.join(ROOT, "spec", f"{service}.json")) as f:
            for op in sorted(json.load(f)["operations"]):
                yield service, op


@pytest.fixture(scope="module")
def nobody(weir):
    """A user without any policy, in an account where the things that are asked for exist."""
    iam = weir.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    weir.client("s3").create_bucket(Bucket="closed-bucket")
    weir.client("s3").put_object(Bucket="closed-bucket", Key="key", Body=b"secret")
    weir.client("sqs").create_queue(QueueName="closed-queue")
    weir.client("sns").create_topic(Name="closed-topic")
    weir.client("dynamodb").create_table(
        TableName="closed-table", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    weir.client("logs").create_log_group(logGroupName="closed-group")
    iam.create_role(RoleName="closed-role", AssumeRolePolicyDocument=TRUST)
    iam.create_user(UserName="closed-user")
    kms = weir.client("kms")
    kms.create_alias(AliasName="alias/closed-key", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    return {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


@pytest.mark.parametrize("service, op", list(operations()))
def test_denied(weir, nobody, service, op):
    client = weir.client(SERVICES[service], **nobody)
    model = client.meta.service_model
    if op not in model.operation_names:
        pytest.skip("the installed client does not know this operation")
    from botocore import xform_name
    call = getattr(client, xform_name(op))
    if (service, op) in OPEN:
        call()
        return
    if (service, op) == ("s3", "DeleteObjects"):  # answers per key, as on AWS
        assert [e["Code"] for e in call(Bucket="closed-bucket", Delete={"Objects": [{"Key": "key"}]})["Errors"]] == ["AccessDenied"]
        return
    with pytest.raises(ClientError) as e:
        call(**params_of(service, op, model))
    assert e.value.response["Error"]["Code"] in PROVEN.get((service, op), DENIED), e.value.response


@pytest.mark.parametrize("service, op", [(s, o) for s, o in operations() if s != "s3" and (s, o) not in LINKED])
def test_unsigned(weir, service, op):
    from botocore import UNSIGNED, xform_name
    from botocore.config import Config
    client = weir.client(SERVICES[service], config=Config(signature_version=UNSIGNED))
    model = client.meta.service_model
    if op not in model.operation_names:
        pytest.skip("the installed client does not know this operation")
    with pytest.raises(ClientError) as e:
        getattr(client, xform_name(op))(**params_of(service, op, model))
    denied = DENIED | {"MissingAuthenticationToken", "MissingAuthenticationTokenException"}
    assert e.value.response["Error"]["Code"] in PROVEN.get((service, op), denied)


# --- further permissions ------------------------------------------------------------------------------

# What makes a further permission of the spec arise, where the required members alone do not.
ARISES = {
    ("kms", "CreateKey", "kms:TagResource"): {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    ("kms", "CreateAlias", "kms:CreateAlias"): {},
    ("kms", "UpdateAlias", "kms:UpdateAlias"): {},
    ("kms", "ReEncrypt", "kms:ReEncryptTo"): {},
    ("dynamodb", "CreateTable", "dynamodb:TagResource"): {"Tags": [{"Key": "a", "Value": "b"}], "BillingMode": "PAY_PER_REQUEST", "TableName": "further",
                                                          "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                                                          "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]},
    ("dynamodb", "CreateTable", "dynamodb:PutResourcePolicy"): {"ResourcePolicy": POLICY, "BillingMode": "PAY_PER_REQUEST", "TableName": "further",
                                                                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                                                                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]},
    ("iam", "CreateUser", "iam:TagUser"): {"UserName": "further", "Tags": [{"Key": "a", "Value": "b"}]},
    ("iam", "CreateInstanceProfile", "iam:TagInstanceProfile"): {"InstanceProfileName": "further", "Tags": [{"Key": "a", "Value": "b"}]},
    ("iam", "AddRoleToInstanceProfile", "iam:PassRole"): {},
    ("iam", "CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"): {"ThumbprintList": ["a" * 40], "Tags": [{"Key": "a", "Value": "b"}]},
    ("sts", "GetFederationToken", "sts:TagSession"): {"Tags": [{"Key": "a", "Value": "b"}]},
    ("iam", "CreateRole", "iam:TagRole"): {"RoleName": "further", "Tags": [{"Key": "a", "Value": "b"}]},
    ("iam", "CreatePolicy", "iam:TagPolicy"): {"PolicyName": "further", "Tags": [{"Key": "a", "Value": "b"}]},
    ("lambda", "CreateFunction", "iam:PassRole"): {},
    ("lambda", "CreateFunction", "s3:GetObject"): {"Code": {"S3Bucket": "closed-bucket", "S3Key": "key"}},
    ("lambda", "CreateFunction", "s3:GetObjectVersion"): {"Code": {"S3Bucket": "closed-bucket", "S3Key": "key", "S3ObjectVersion": "v"}},
    ("lambda", "CreateFunction", "lambda:TagResource"): {"Tags": {"a": "b"}},
    ("lambda", "PublishLayerVersion", "s3:GetObject"): {"Content": {"S3Bucket": "closed-bucket", "S3Key": "key"}},
    ("lambda", "PublishLayerVersion", "s3:GetObjectVersion"): {"Content": {"S3Bucket": "closed-bucket", "S3Key": "key", "S3ObjectVersion": "v"}},
    ("lambda", "UpdateFunctionConfiguration", "iam:PassRole"): {"Role": f"arn:aws:iam::{ACCOUNT}:role/closed-role"},
    ("lambda", "UpdateFunctionCode", "s3:GetObject"): {"ZipFile": None, "S3Bucket": "closed-bucket", "S3Key": "key"},
    ("lambda", "UpdateFunctionCode", "s3:GetObjectVersion"): {"ZipFile": None, "S3Bucket": "closed-bucket", "S3Key": "key", "S3ObjectVersion": "v"},
    ("lambda", "CreateEventSourceMapping", "lambda:TagResource"): {"Tags": {"a": "b"}},
    ("logs", "CreateLogGroup", "logs:TagResource"): {"tags": {"a": "b"}, "logGroupName": "further"},
    ("apigateway", "CreateRestApi", "apigateway:PUT"): {"tags": {"a": "b"}},
    ("apigateway", "CreateStage", "apigateway:PUT"): {"tags": {"a": "b"}},
    ("sns", "CreateTopic", "sns:TagResource"): {"Tags": [{"Key": "a", "Value": "b"}], "Name": "further"},
    ("events", "CreateApiDestination", "events:CreateApiDestination"): {},
    ("events", "UpdateApiDestination", "events:UpdateApiDestination"): {"ConnectionArn": f"arn:aws:events:us-east-1:{ACCOUNT}:connection/closed/0"},
    ("events", "CreateArchive", "events:CreateArchive"): {},
    ("events", "CreateEventBus", "events:TagResource"): {"Tags": [{"Key": "a", "Value": "b"}]},
    ("events", "PutRule", "events:TagResource"): {"Tags": [{"Key": "a", "Value": "b"}]},
    ("events", "PutRule", "iam:PassRole"): {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/closed-role"},
    ("events", "StartReplay", "events:StartReplay"): {},
    ("cloudwatch", "PutMetricAlarm", "cloudwatch:TagResource"): {
        "AlarmName": "further", "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
        "ComparisonOperator": "LessThanThreshold", "Tags": [{"Key": "a", "Value": "b"}]},
    ("cloudwatch", "PutCompositeAlarm", "cloudwatch:TagResource"): {"AlarmName": "further-2", "AlarmRule": "TRUE", "Tags": [{"Key": "a", "Value": "b"}]},
    ("cloudwatch", "PutDashboard", "cloudwatch:TagResource"): {"DashboardName": "further", "DashboardBody": "{\"widgets\": []}", "Tags": [{"Key": "a", "Value": "b"}]},
    ("scheduler", "CreateSchedule", "iam:PassRole"): {},
    ("scheduler", "UpdateSchedule", "iam:PassRole"): {},
    ("scheduler", "CreateScheduleGroup", "scheduler:TagResource"): {"Tags": [{"Key": "a", "Value": "b"}]},
    ("ssm", "PutParameter", "ssm:AddTagsToResource"): {"Name": "further", "Type": "String", "Tags": [{"Key": "a", "Value": "b"}]},
    ("ecr", "CreateRepository", "ecr:TagResource"): {"repositoryName": "further", "tags": [{"Key": "a", "Value": "b"}]},
    **{("sqs", "StartMessageMoveTask", f"sqs:{action}"): {"DestinationArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:closed.fifo"}
       for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "SendMessage")},
    ("sqs", "CreateQueue", "sqs:TagQueue"): {"tags": {"a": "b"}, "QueueName": "further"},
    ("apigateway", "CreateApiKey", "apigateway:PUT"): {"tags": {"a": "b"}, "name": "further"},
    ("apigateway", "CreateUsagePlan", "apigateway:PUT"): {"tags": {"a": "b"}, "name": "further"},
    ("apigateway", "CreateDomainName", "apigateway:PUT"): {"tags": {"a": "b"}, "domainName": "further.example.com"},
    ("s3", "CreateBucket", "s3:PutBucketAcl"): {"ACL": "private"},
    ("s3", "CreateBucket", "s3:PutBucketOwnershipControls"): {"ObjectOwnership": "BucketOwnerEnforced"},
    ("s3", "CreateBucket", "s3:PutBucketObjectLockConfiguration"): {"ObjectLockEnabledForBucket": True},
    ("s3", "CreateBucket", "s3:PutBucketVersioning"): {"ObjectLockEnabledForBucket": True},
    ("s3", "CopyObject", "s3:GetObject"): {},
    ("s3", "CopyObject", "s3:GetObjectVersion"): {"CopySource": "closed-bucket/key?versionId=null"},
    ("s3", "UploadPartCopy", "s3:GetObject"): {},
    ("s3", "UploadPartCopy", "s3:GetObjectVersion"): {"CopySource": "closed-bucket/key?versionId=null"},
}
for _op in ("CreateStack", "UpdateStack", "DeleteStack", "ContinueUpdateRollback", "RollbackStack", "CreateChangeSet"):
    ARISES["cloudformation", _op, "iam:PassRole"] = {"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/closed-role", "StackName": "closed"}
for _op, _members in (("RestoreTableFromBackup", {}), ("RestoreTableToPointInTime", {"SourceTableName": "closed-table", "UseLatestRestorableTime": True})):
    for _action in (_op, "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "UpdateItem"):
        ARISES["dynamodb", _op, "dynamodb:" + _action] = _members
for _op in ("PutObject", "CopyObject", "CreateMultipartUpload"):
    ARISES["s3", _op, "s3:PutObjectTagging"] = {"Tagging": "a=b", **({"TaggingDirective": "REPLACE"} if _op == "CopyObject" else {})}
    ARISES["s3", _op, "s3:PutObjectAcl"] = {"ACL": "private"}
for _op in ("GetObject", "HeadObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", "GetObjectAcl",
            "PutObjectAcl", "GetObjectAttributes"):
    ARISES["s3", _op, "s3:" + {"HeadObject": "GetObject"}.get(_op, _op).replace("Object", "ObjectVersion", 1)] = {"VersionId": "null"}
ARISES["s3", "GetObjectAttributes", "s3:GetObject"] = {}
ARISES["s3", "GetObjectAttributes", "s3:GetObjectVersion"] = {"VersionId": "null"}


def further():
    for service in SERVICES:
        with open(os.path.join(ROOT, "spec", f"{service}.json")) as f:
            ops = json.load(f)["ops"]
        for op in sorted(ops):
            for action, instead in sorted({(need["action"], need.get("or", "")) for need in ops[op].get("also", [])}):
                yield service, op, action, instead


@pytest.fixture(scope="module")
def almost(weir, nobody):
    """A function of a user who may do everything but some actions, made anew for each choice of them."""
    users = {}

    def make(*actions):
        if actions not in users:
            users[actions] = user(weir, "but-" + "-".join(actions).replace(":", "-").lower(),
                                  {"Effect": "Allow", "NotAction": list(actions), "Resource": "*"})
        return users[actions]

    return make


@pytest.mark.parametrize("service, op, action, instead", list(further()))
def test_further_permission_is_needed(weir, almost, service, op, action, instead):
    """Whoever may do the main action, and all others, but not the further one, is denied, and told which it was."""
    from botocore import xform_name
    client = almost(action, *([instead] if instead else []))(service)
    model = client.meta.service_model
    arises = ARISES[service, op, action]  # a new row of the spec needs one here
    if op not in model.operation_names:
        pytest.skip("the installed client does not know the operation")
    params = {**params_of(service, op, model), **arises}
    known = set(model.operation_model(op).input_shape.members)
    if not set(arises) <= known:
        pytest.skip("the installed client does not know a member")
    with pytest.raises(ClientError) as e:
        getattr(client, xform_name(op))(**{k: v for k, v in params.items() if v is not None})
    assert e.value.response["Error"]["Code"] in DENIED, e.value.response
    if op != "HeadObject":
        assert action in e.value.response["Error"]["Message"], e.value.response


@pytest.mark.parametrize("service, op, action, instead", [row for row in further() if row[3]])
def test_either_of_two_permissions_will_do(weir, almost, service, op, action, instead):
    """Whoever has one of the two, whichever it is, is not denied."""
    from botocore import xform_name
    for missing in (action, instead):
        client = almost(missing)(service)
        params = {**params_of(service, op, client.meta.service_model), **ARISES[service, op, action]}
        try:
            getattr(client, xform_name(op))(**params)
        except ClientError as e:  # it is there already
            assert e.response["Error"]["Code"] not in DENIED, e.response


# --- denials that must not be talked around -----------------------------------------------------------


def user(weir, name, *statements):
    iam = weir.client("iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": list(statements)}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return lambda service: weir.client(service, key["AccessKeyId"], key["SecretAccessKey"])


def code_of(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"]


ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def test_queue_url_has_one_form(weir):
    """The name that is authorised is the name that is used."""
    url = weir.client("sqs").create_queue(QueueName="one-form")["QueueUrl"]
    denied = user(weir, "one-form", ALL, {"Effect": "Deny", "Action": "sqs:*",
                                          "Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:one-form"})("sqs")
    assert code_of(denied.send_message, QueueUrl=url, MessageBody="x") in DENIED
    for other in (url + "/", url + "//"):
        with pytest.raises(ClientError):
            denied.send_message(QueueUrl=other, MessageBody="x")
    assert "Messages" not in weir.client("sqs").receive_message(QueueUrl=url)


def test_return_values_are_a_condition(weir):
    table = dict(TableName="returns", Key={"id": {"S": "1"}})
    weir.client("dynamodb").create_table(
        TableName="returns", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    weir.client("dynamodb").put_item(TableName="returns", Item={"id": {"S": "1"}, "secret": {"S": "x"}})
    mine = user(weir, "returns", {
        "Effect": "Allow", "Action": "dynamodb:UpdateItem", "Resource": "*",
        "Condition": {"StringEqualsIfExists": {"dynamodb:ReturnValues": ["NONE", "UPDATED_NEW"]}}})("dynamodb")
    change = dict(UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": {"S": "1"}})
    mine.update_item(**table, **change)
    mine.update_item(**table, **change, ReturnValues="UPDATED_NEW")
    assert code_of(mine.update_item, **table, **change, ReturnValues="ALL_NEW") in DENIED


def test_bucket_policy_holds_for_code_of_functions(weir):
    """Lambda reads the package for the caller: the bucket's own policy has a say."""
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="closed-code")
    s3.put_object(Bucket="closed-code", Key="app.zip", Body=b"PK")
    weir.client("iam").create_role(RoleName="code-role", AssumeRolePolicyDocument=TRUST)
    mine = user(weir, "code", ALL)("lambda")
    s3.put_bucket_policy(Bucket="closed-code", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/code"}, "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::closed-code/*"}]}))
    assert code_of(mine.create_function, FunctionName="code", Runtime="provided.al2023", Handler="h",
                   Role=f"arn:aws:iam::{ACCOUNT}:role/code-role",
                   Code={"S3Bucket": "closed-code", "S3Key": "app.zip"}) in DENIED
