"""SDKs that know no endpoint variable do their work inside functions: Go's version 1 and JavaScript's version 2
call AWS's own names, and the function's network leads those here. Nothing is told to either.
"""
import json
import os
import shutil
import subprocess
import uuid

import pytest

from test_function_network import need_own_network
from test_isolation import Stage, zipped
from weirtest import ROOT, Weir

NODE16 = os.path.join(ROOT, "runtime", "nodejs16.x", "bin", "node")
SDK_V2 = os.path.join(ROOT, "runtime", "sdk-v2", "node_modules", "aws-sdk")
GO_SDK = "/usr/share/gocode/src/github.com/aws/aws-sdk-go"


@pytest.fixture(scope="module")
def stage():
    with Weir(args=["--runtime", "nodejs16.x=" + NODE16] if os.access(NODE16, os.X_OK) else []) as weir:
        need_own_network(weir)
        yield Stage(weir)


@pytest.fixture(scope="module")
def bootstrap():
    """tests/go built; kept below build/, as the SDK takes the compiler a while the first time."""
    if not shutil.which("go") or not os.path.isdir(GO_SDK):
        pytest.skip("tools/deps.sh test has not installed Go and its AWS SDK")
    build = os.path.join(ROOT, "build")
    out = os.path.join(build, "go", "bootstrap")
    env = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=os.path.join(build, "go", "cache"))
    # Without optimisation the SDK compiles in a fourth of the time.
    done = subprocess.run(["go", "build", "-gcflags=github.com/aws/...=-N -l", "-ldflags=-s -w", "-o", out,
                           os.path.join(ROOT, "tests", "go", "handler.go")], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with open(out, "rb") as f:
        return f.read()


def run(stage, name, no_queue):
    """`no_queue`: what the SDK calls a queue that is not there; that depends on its protocol."""
    tail = uuid.uuid4().hex[:10]
    got = stage.invoke(name, {"tail": tail})
    answer = json.load(got["Payload"])
    assert "FunctionError" not in got, (answer, stage.log_lines(name))
    assert answer == {
        "hosts": [f"https://databucket-{tail}.s3.eu-west-1.amazonaws.com", "https://dynamodb.us-east-1.amazonaws.com",
                  "https://sqs.us-east-1.amazonaws.com"],
        "size": 100000, "keys": ["in/customers 1.csv"], "item": "400", "body": "hello <&> world",
        "codes": ["NoSuchKey", "ConditionalCheckFailedException", no_queue]}
    # What the function did is here, and nowhere else.
    s3 = stage.weir.client("s3", region="eu-west-1")
    assert s3.head_object(Bucket="databucket-" + tail, Key="in/customers 1.csv")["ContentLength"] == 100000


@pytest.mark.parametrize("resolver", ["go", "cgo"])
def test_go_sdk_v1(stage, bootstrap, resolver):
    """With Go's own resolver, as in static programs, and with the C library's."""
    name = stage.function(Runtime="provided.al2023", Handler="bootstrap", MemorySize=512, Timeout=60,
                          Code={"ZipFile": zipped(bootstrap, "bootstrap")}, Environment={"Variables": {"GODEBUG": "netdns=" + resolver}})
    run(stage, name, "AWS.SimpleQueueService.NonExistentQueue")


JAVASCRIPT = """
const AWS = require("aws-sdk");
const codeOf = (p) => p.promise().then(() => "none", (e) => e.code);
exports.handler = async ({ tail }) => {
    const s3 = new AWS.S3({ region: "eu-west-1" }), ddb = new AWS.DynamoDB(), sqs = new AWS.SQS();
    const Bucket = "databucket-" + tail, Key = "in/customers 1.csv", TableName = "t-" + tail;
    await s3.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }).promise();
    await s3.putObject({ Bucket, Key, Body: "x".repeat(100000) }).promise();
    const get = s3.getObject({ Bucket, Key });
    const size = (await get.promise()).Body.length;
    const keys = (await s3.listObjectsV2({ Bucket }).promise()).Contents.map((o) => o.Key);
    const codes = [await codeOf(s3.getObject({ Bucket, Key: "none" }))];
    await ddb.createTable({ TableName, BillingMode: "PAY_PER_REQUEST", KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
                            AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }] }).promise();
    const put = { TableName, Item: { id: { S: "1" }, n: { N: "400.00" } }, ConditionExpression: "attribute_not_exists(id)" };
    await ddb.putItem(put).promise();
    codes.push(await codeOf(ddb.putItem(put)));
    const item = (await ddb.getItem({ TableName, Key: { id: { S: "1" } } }).promise()).Item.n.N;
    const { QueueUrl } = await sqs.createQueue({ QueueName: "q-" + tail }).promise();
    await sqs.sendMessage({ QueueUrl, MessageBody: "hello <&> world" }).promise();
    const body = (await sqs.receiveMessage({ QueueUrl }).promise()).Messages[0].Body;
    codes.push(await codeOf(sqs.getQueueUrl({ QueueName: "none-" + tail })));
    const hosts = [get.httpRequest.endpoint, ddb.endpoint, sqs.endpoint].map((e) => e.protocol + "//" + e.hostname);
    return { hosts, size, keys, item, body, codes };
};
"""


def test_javascript_sdk_v2(stage):
    """The SDK that nodejs16.x promises: no module is in the package."""
    if not os.access(NODE16, os.X_OK) or not os.path.isdir(SDK_V2):
        pytest.skip("tools/deps.sh test has not installed Node.js 16 and its AWS SDK: that needs npm")
    name = stage.function(Runtime="nodejs16.x", MemorySize=512, Timeout=60, Code={"ZipFile": zipped(JAVASCRIPT, "app.js")})
    run(stage, name, "QueueDoesNotExist")
