"""A stack of a SAM template with all that a function can be woken by, from nothing to working to nothing."""
import base64
import gzip
import http.client
import json
import pathlib
import time
from urllib.parse import urlsplit

import pytest
from test_cloudformation import Stacks
from test_lambda import runtime, zipped

from weirtest import wait_for

CASE = pathlib.Path(__file__).parent.parent / "data" / "sam"
TEMPLATE = (CASE / "input" / "all_events.yaml").read_text()


def left(weir):
    """All that there is, of each kind; a stream outlives its table for a day."""
    asked = {"lambda": ("list_functions", "list_layers", "list_event_source_mappings"), "s3": ("list_buckets",), "sqs": ("list_queues",),
             "sns": ("list_topics", "list_subscriptions"), "events": ("list_rules",), "scheduler": ("list_schedules",),
             "apigateway": ("get_rest_apis",), "dynamodb": ("list_tables",), "logs": ("describe_log_groups",),
             "iam": ("list_roles",)}
    found = {(service, call): getattr(weir.client(service), call)() for service, calls in asked.items() for call in calls}
    found["pools"] = weir.client("cognito-idp").list_user_pools(MaxResults=10)
    found["policies"] = weir.client("iam").list_policies(Scope="Local")
    for answer in found.values():
        answer.pop("ResponseMetadata")
    return found


@pytest.fixture
def ask(weir):
    def get(path, host=None):
        connection = http.client.HTTPConnection("127.0.0.1", weir.port, timeout=60)
        connection.request("GET", path, headers={"Host": host} if host else {})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    return get


class Heard:
    """What the function told, as [alias, event]."""

    def __init__(self, sqs, url):
        self.sqs, self.url, self.all = sqs, url, []

    def more(self):
        for m in self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=1, MaxNumberOfMessages=10).get("Messages", []):
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=m["ReceiptHandle"])
            self.all.append(json.loads(m["Body"]))

    def of(self, test):
        def find():
            self.more()
            return [alias for alias, event in (x for x in self.all if isinstance(x, list)) if test(event)]
        return wait_for(find, 60, "event")


def test_a_function_of_all_events(weir, ask):
    stacks, s3 = Stacks(weir), weir.client("s3")
    s3.create_bucket(Bucket="sam-code")
    s3.put_object(Bucket="sam-code", Key="layer.zip", Body=zipped("WORD = 'hello'\n", "shared.py"))
    before = left(weir)
    stack = stacks.create("sam", TEMPLATE, Capabilities=["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"],
                          Parameters=[{"ParameterKey": "Runtime", "ParameterValue": runtime()}])
    out = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    processed = stacks.cf.get_template(StackName="sam", TemplateStage="Processed")["TemplateBody"]
    given = stacks.cf.get_template(StackName="sam", TemplateStage="Original")["TemplateBody"]
    assert processed == json.loads((CASE / "output" / "all_events.json").read_text()) and given == TEMPLATE
    assert {k: r["ResourceType"] for k, r in stacks.resources("sam").items()} == {k: r["Type"] for k, r in processed["Resources"].items()}
    heard = Heard(weir.client("sqs"), out["Seen"])
    functions = weir.client("lambda")
    name = stacks.physical("sam", "Woken")
    assert functions.list_tags(Resource=functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"])["Tags"]["team"] == "red"
    assert out["Version"].endswith(":1")
    # Asked by all three addresses.
    url = urlsplit(out["Url"])
    for path, host in ((out["Implicit"], None), (out["Explicit"], None), (url.path or "/", url.netloc)):
        assert ask(path, host) == (200, "hello!"), path
    assert heard.of(lambda e: e.get("path") == "/own/7" and e["pathParameters"] == {"id": "7"}) == ["live"]
    # Woken by a bucket, a table and a log; the others are driven where each service is tested.
    s3.put_object(Bucket="sam-in", Key="in/a", Body=b"x")
    weir.client("logs").create_log_stream(logGroupName=out["Watched"], logStreamName="s")
    weir.client("logs").put_log_events(logGroupName=out["Watched"], logStreamName="s",
                                       logEvents=[{"timestamp": int(time.time() * 1000), "message": "wanted"}])
    weir.client("dynamodb").put_item(TableName=stacks.physical("sam", "Streamed"), Item={"id": {"S": "changed"}})
    assert heard.of(lambda e: "Records" in e and e["Records"][0].get("s3", {}).get("object", {}).get("key") == "in/a") == ["live"]
    assert heard.of(lambda e: "Records" in e and e["Records"][0].get("dynamodb", {}).get("Keys") == {"id": {"S": "changed"}}) == ["live"]
    assert heard.of(lambda e: "awslogs" in e and "wanted" in gzip.decompress(base64.b64decode(e["awslogs"]["data"])).decode()) == ["live"]
    # The same template changes nothing.
    with pytest.raises(stacks.cf.exceptions.ClientError, match="No updates are to be performed"):
        stacks.cf.update_stack(StackName="sam", TemplateBody=TEMPLATE, Capabilities=["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"],
                               Parameters=[{"ParameterKey": "Runtime", "UsePreviousValue": True}])
    s3.delete_object(Bucket="sam-in", Key="in/a")
    stacks.delete("sam")
    assert left(weir) == before


@pytest.mark.parametrize("resource, message", ids=["type", "pair", "event"], argvalues=[
    ("{Type: 'AWS::Serverless::HttpApi'}", "Resource with id [A] is invalid. AWS::Serverless::HttpApi is not supported."),
    ("{Type: 'AWS::Serverless::Connector', Properties: {Source: {Id: Q}, Destination: {Id: Q}, Permissions: [Read]}}",
     "Resource with id [A] is invalid. Unable to create connector from AWS::SQS::Queue to AWS::SQS::Queue; it's not supported or the template is invalid."),
    ("{Type: 'AWS::Serverless::Function', Properties: {Events: {E: {Type: HttpApi}}, Runtime: x, Handler: y, CodeUri: z}}",
     "Resource with id [A] is invalid. Event with id [E] is invalid. Events of type HttpApi are not supported. "
     "Resource with id [A] is invalid. 'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter."),
])
def test_refused(weir, resource, message):
    body = f"Transform: AWS::Serverless-2016-10-31\nResources: {{A: {resource}, Q: {{Type: 'AWS::SQS::Queue'}}}}"
    stacks = Stacks(weir)
    with pytest.raises(stacks.cf.exceptions.ClientError) as e:
        stacks.cf.create_stack(StackName="refused", TemplateBody=body, Capabilities=["CAPABILITY_AUTO_EXPAND"])
    assert e.value.response["Error"]["Message"] == (
        "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. "
        f"Number of errors found: {message.count('Resource with')}. {message}")
