"""The everyday commands of a pipeline, verbatim, with the AWS CLI version 2 and version 1."""
import json
import os
import re
import subprocess

import pytest

from weirtest import find_clis, wait_for


@pytest.fixture(scope="module", params=["2", "1"])
def aws(request, weir):
    if request.param not in find_clis():
        pytest.skip(f"AWS CLI version {request.param} is not on this machine")

    def run(*args, ok=True, endpoint_url=True, cwd=None):
        command = [find_clis()[request.param], *args]
        if endpoint_url:  # version 1 and Debian's version 2 know no AWS_ENDPOINT_URL
            command += ["--endpoint-url", weir.endpoint]
        done = subprocess.run(command, env=weir.cli_env(), capture_output=True, text=True, timeout=120, cwd=cwd)
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout if ok else done.stderr

    run.major = request.param
    return run


def test_s3(aws, tmp_path):
    bucket = f"cli-bucket-{aws.major}"
    (tmp_path / "customers_20230828.csv").write_text("id,name\n1,John Doe\n")
    big = os.urandom(20 * 1024 * 1024)
    (tmp_path / "big").write_bytes(big)
    aws("s3", "mb", f"s3://{bucket}")
    assert "upload:" in aws("s3", "cp", "customers_20230828.csv", f"s3://{bucket}", cwd=tmp_path)
    aws("s3", "cp", "big", f"s3://{bucket}/deep/big", cwd=tmp_path)  # multipart
    aws("s3", "cp", f"s3://{bucket}/deep/big", "back", cwd=tmp_path)  # ranged
    assert (tmp_path / "back").read_bytes() == big
    listing = aws("s3", "ls", f"s3://{bucket}", "--recursive")
    assert "customers_20230828.csv" in listing and "deep/big" in listing
    aws("s3", "sync", ".", f"s3://{bucket}/sync", cwd=tmp_path)
    assert aws("s3", "sync", ".", f"s3://{bucket}/sync", cwd=tmp_path) == ""
    url = aws("s3", "presign", f"s3://{bucket}/customers_20230828.csv").strip()
    got = subprocess.run(["curl", "-sS", "-f", url], capture_output=True, text=True)
    assert got.stdout == "id,name\n1,John Doe\n"
    assert "403" in aws("s3api", "head-object", "--bucket", bucket, "--key", "x", "--no-sign-request", ok=False)
    aws("s3", "rm", f"s3://{bucket}/customers_20230828.csv")
    aws("s3", "rm", f"s3://{bucket}", "--recursive")
    assert "BucketNotEmpty" not in aws("s3", "rb", f"s3://{bucket}")
    assert "NoSuchBucket" in aws("s3", "ls", f"s3://{bucket}", ok=False)


def test_sqs(aws):
    url = json.loads(aws("sqs", "create-queue", "--queue-name", f"cli-queue-{aws.major}"))["QueueUrl"]
    aws("sqs", "send-message", "--queue-url", url, "--message-body", "hello")
    got = json.loads(aws("sqs", "receive-message", "--queue-url", url, "--max-number-of-messages", "10",
                         "--wait-time-seconds", "10"))
    assert got["Messages"][0]["Body"] == "hello"
    aws("sqs", "purge-queue", "--queue-url", url)
    attributes = json.loads(aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All"))
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"
    aws("sqs", "delete-queue", "--queue-url", url)
    assert "NonExistentQueue" in aws("sqs", "get-queue-url", "--queue-name", f"cli-queue-{aws.major}", ok=False)


def test_dynamodb(aws):
    table = f"cli-table-{aws.major}"
    aws("dynamodb", "create-table", "--table-name", table, "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=id,AttributeType=S",
        "--key-schema", "AttributeName=id,KeyType=HASH")
    aws("dynamodb", "put-item", "--table-name", table, "--item", '{"id": {"S": "1"}, "n": {"N": "1.50"}}')
    item = json.loads(aws("dynamodb", "get-item", "--table-name", table, "--key", '{"id": {"S": "1"}}'))
    assert item["Item"] == {"id": {"S": "1"}, "n": {"N": "1.5"}}
    error = aws("dynamodb", "put-item", "--table-name", table, "--item", '{"id": {"S": "1"}}',
                "--condition-expression", "attribute_not_exists(id)", ok=False)
    assert "ConditionalCheckFailedException" in error
    aws("dynamodb", "delete-table", "--table-name", table)


def test_identity(aws):
    who = json.loads(aws("sts", "get-caller-identity"))
    assert who == {"UserId": "000000000000", "Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root"}
    name = f"cli-user-{aws.major}"
    aws("iam", "create-user", "--user-name", name)
    assert "EntityAlreadyExists" in aws("iam", "create-user", "--user-name", name, ok=False)
    aws("iam", "delete-user", "--user-name", name)


def test_sns(aws):
    topic = json.loads(aws("sns", "create-topic", "--name", f"cli-topic-{aws.major}", "--tags", "Key=a,Value=b"))["TopicArn"]
    queue = f"arn:aws:sqs:us-east-1:000000000000:cli-topic-{aws.major}"
    url = json.loads(aws("sqs", "create-queue", "--queue-name", f"cli-topic-{aws.major}", "--attributes", json.dumps({"Policy": json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
                                                "Action": "sqs:SendMessage", "Resource": queue}]})})))["QueueUrl"]
    sub = json.loads(aws("sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", queue, "--attributes",
                         "RawMessageDelivery=true"))["SubscriptionArn"]
    aws("sns", "publish", "--topic-arn", topic, "--message", "hello", "--message-attributes",
        '{"a":{"DataType":"String","StringValue":"x"}}')
    got = json.loads(aws("sqs", "receive-message", "--queue-url", url, "--message-attribute-names", "All"))["Messages"][0]
    assert got["Body"] == "hello" and got["MessageAttributes"]["a"]["StringValue"] == "x"
    assert sub in aws("sns", "list-subscriptions-by-topic", "--topic-arn", topic)
    aws("sns", "unsubscribe", "--subscription-arn", sub)
    aws("sns", "delete-topic", "--topic-arn", topic)
    assert "NotFound" in aws("sns", "get-topic-attributes", "--topic-arn", topic, ok=False)


CHILD = """Parameters: {Delay: {Type: Number}}
Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: !Ref Delay}}}
Outputs: {Url: {Value: !Ref Queue}}
"""
PARENT = """Parameters: {Delay: {Type: Number, Default: 1}}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}
  Function: {Type: AWS::Lambda::Function, Properties: {Code: code, Handler: b, Runtime: provided.al2023, Role: !GetAtt Role.Arn}}
  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {Delay: !Ref Delay}}}
Outputs: {Url: {Value: !GetAtt Inner.Outputs.Url}}
"""


def test_stacks(weir, tmp_path):
    """package, deploy and delete, of a function's code and of a template in a template. By the CLI that knows AWS_ENDPOINT_URL,
    since `package` gives its client of S3 no other; carried out without it, since its waiter looks every 30 seconds."""
    cf, s3, sqs = weir.client("cloudformation"), weir.client("s3"), weir.client("sqs")

    def aws(*args):
        done = subprocess.run([find_clis()["1"], "cloudformation", *args], env=weir.cli_env(), capture_output=True, text=True, timeout=120, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def look(name):
        return cf.describe_stacks(StackName=name)["Stacks"][0]

    def settled(name, status):
        stack = wait_for(lambda: (lambda s: s["StackStatus"][-8:] != "PROGRESS" and s)(look(name)))
        assert stack["StackStatus"] == status, stack
        return stack

    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "bootstrap").write_text("#!/bin/sh\n")
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "parent.yaml").write_text(PARENT)
    s3.create_bucket(Bucket="cli-packages")
    aws("package", "--template-file", "parent.yaml", "--s3-bucket", "cli-packages", "--output-template-file", "packaged.yaml")
    assert len(s3.list_objects_v2(Bucket="cli-packages")["Contents"]) == 2
    said = aws("deploy", "--template-file", "packaged.yaml", "--stack-name", "cli-parent", "--capabilities", "CAPABILITY_IAM",
               "--parameter-overrides", "Delay=2", "--no-execute-changeset")
    cf.execute_change_set(ChangeSetName=re.search(r"arn:\S+:changeSet/\S+", said)[0])
    url = settled("cli-parent", "CREATE_COMPLETE")["Outputs"][0]["OutputValue"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"] == {"DelaySeconds": "2"}
    cf.create_stack(StackName="cli-child", TemplateBody=CHILD, Parameters=[{"ParameterKey": "Delay", "ParameterValue": "1"}])
    settled("cli-child", "CREATE_COMPLETE")
    assert "No changes to deploy. Stack cli-child is up to date" in aws(
        "deploy", "--template-file", "child.yaml", "--stack-name", "cli-child", "--no-fail-on-empty-changeset")
    parent = look("cli-parent")["StackId"]
    aws("delete-stack", "--stack-name", "cli-parent")
    cf.delete_stack(StackName="cli-child")
    settled(parent, "DELETE_COMPLETE")
    assert not [u for u in sqs.list_queues().get("QueueUrls", []) if "/cli-parent" in u] and not weir.client("lambda").list_functions()["Functions"]
