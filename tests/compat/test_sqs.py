"""SQS through boto3 (query protocol) and through signed JSON requests, as newer SDKs send them."""
import base64
import hashlib
import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from xml.etree import ElementTree

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from weirtest import wait_for

ACCOUNT = "000000000000"


@pytest.fixture
def sqs(weir):
    return weir.client("sqs")


@pytest.fixture
def make(sqs, request):
    """Makes queues named after the test; removes them after it."""
    made = []

    def create(suffix="", fifo=False, **attributes):
        name = re.sub("[^A-Za-z0-9_-]", "-", request.node.name)[:60] + suffix
        if fifo:
            attributes["FifoQueue"] = "true"
            name += ".fifo"
        url = sqs.create_queue(QueueName=name, Attributes={k: str(v) for k, v in attributes.items()})["QueueUrl"]
        made.append(url)
        return url

    yield create
    for url in made:
        try:
            sqs.delete_queue(QueueUrl=url)
        except ClientError:
            pass


def code(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"]


def message(call, **kw):
    """Code and text of the error."""
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def attributes(sqs, url, *names):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names) or ["All"]).get("Attributes", {})


def reopen(weir, name):
    """Client and queue URL after a restart, which may have changed the port."""
    client = weir.client("sqs")
    return client, client.get_queue_url(QueueName=name)["QueueUrl"]


def arn(sqs, url):
    return attributes(sqs, url, "QueueArn")["QueueArn"]


def bodies(reply):
    return [m["Body"] for m in reply.get("Messages", [])]


def json_call(weir, operation, body, region="us-east-1", headers=None, keys=("test", "test")):
    """(status, headers, document) of an awsJson 1.0 request."""
    request = AWSRequest("POST", weir.endpoint + "/", data=json.dumps(body), headers={
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS." + operation, **(headers or {})})
    SigV4Auth(Credentials(*keys), "sqs", region).add_auth(request)
    prepared = request.prepare()
    plain = urllib.request.Request(prepared.url, data=prepared.body if isinstance(prepared.body, bytes)
                                   else prepared.body.encode(), headers=dict(prepared.headers), method="POST")
    try:
        with urllib.request.urlopen(plain, timeout=30) as reply:
            text = reply.read()
            return reply.status, reply.headers, json.loads(text) if text else {}
    except urllib.error.HTTPError as e:
        return e.code, e.headers, json.loads(e.read())


def query_text(weir, path="/", method="POST", accept=None, **parameters):
    """(status, body) of a request of the query protocol, perhaps at a queue's URL."""
    form = urllib.parse.urlencode(parameters)
    request = AWSRequest(method, weir.endpoint + path + (f"?{form}" if form and method == "GET" else ""), headers={
        **({"Accept": accept} if accept else {}),
        **({"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {})},
        data=form if method == "POST" else None)
    SigV4Auth(Credentials("test", "test"), "sqs", "us-east-1").add_auth(request)
    prepared = request.prepare()
    plain = urllib.request.Request(prepared.url, data=prepared.body and (
        prepared.body if isinstance(prepared.body, bytes) else prepared.body.encode()),
        headers=dict(prepared.headers), method=method)
    try:
        with urllib.request.urlopen(plain, timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def query_call(weir, operation, **parameters):
    """A request of the query protocol; an error is told as boto3 does."""
    request = AWSRequest("POST", weir.endpoint + "/", headers={
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        data=urllib.parse.urlencode({"Action": operation, "Version": "2012-11-05", **parameters}))
    SigV4Auth(Credentials("test", "test"), "sqs", "us-east-1").add_auth(request)
    prepared = request.prepare()
    plain = urllib.request.Request(prepared.url, data=prepared.body if isinstance(prepared.body, bytes)
                                   else prepared.body.encode(), headers=dict(prepared.headers), method="POST")
    try:
        with urllib.request.urlopen(plain, timeout=30) as reply:
            return reply.read().decode()
    except urllib.error.HTTPError as e:
        root = ElementTree.fromstring(re.sub(' xmlns="[^"]+"', "", e.read().decode()))
        raise ClientError({"Error": {m.tag: m.text for m in root.find("Error")},
                           "ResponseMetadata": {"HTTPStatusCode": e.code}}, operation) from e


# --- queues ---------------------------------------------------------------------------------------


def test_create_is_idempotent(sqs, make):
    url = make(VisibilityTimeout=40)
    name = url.rsplit("/", 1)[1]
    assert url.endswith(f"/{ACCOUNT}/{name}")
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == url
    assert sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "40"})["QueueUrl"] == url
    assert code(sqs.create_queue, QueueName=name, Attributes={"VisibilityTimeout": "41"}) == "QueueAlreadyExists"
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url


def test_default_attributes(sqs, make):
    got = attributes(sqs, make())
    stamps = {k: got.pop(k) for k in ("CreatedTimestamp", "LastModifiedTimestamp")}
    assert all(abs(int(v) - time.time()) < 60 for v in stamps.values())
    assert got.pop("QueueArn") == f"arn:aws:sqs:us-east-1:{ACCOUNT}:test_default_attributes"
    assert got == {
        "ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0", "VisibilityTimeout": "30", "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0", "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600", "SqsManagedSseEnabled": "true"}


def test_attributes_are_echoed(sqs, make):
    want = {"DelaySeconds": "1", "MaximumMessageSize": "262144", "MessageRetentionPeriod": "86400",
            "ReceiveMessageWaitTimeSeconds": "10", "VisibilityTimeout": "60", "SqsManagedSseEnabled": "false"}
    url = make(**want)
    got = attributes(sqs, url)
    assert {k: got[k] for k in want} == want
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0"})
    assert attributes(sqs, url, "DelaySeconds") == {"DelaySeconds": "0"}


@pytest.mark.parametrize("name,value,want", [
    ("DelaySeconds", "901", "InvalidAttributeValue"),
    ("DelaySeconds", "-1", "InvalidAttributeValue"),
    ("DelaySeconds", "x", "InvalidAttributeValue"),
    ("MaximumMessageSize", "1023", "InvalidAttributeValue"),
    ("MaximumMessageSize", "1048577", "InvalidAttributeValue"),
    ("MessageRetentionPeriod", "59", "InvalidAttributeValue"),
    ("MessageRetentionPeriod", "1209601", "InvalidAttributeValue"),
    ("ReceiveMessageWaitTimeSeconds", "21", "InvalidAttributeValue"),
    ("VisibilityTimeout", "43201", "InvalidAttributeValue"),
    ("Policy", "{}", "InvalidAttributeValue"),
    ("Policy", "not json", "InvalidAttributeValue"),
    ("RedrivePolicy", '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:none","maxReceiveCount":"x"}', "InvalidParameterValue"),
    ("RedrivePolicy", '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:none","maxReceiveCount":3}',
     "InvalidParameterValue"),
    ("KmsDataKeyReusePeriodSeconds", "59", "InvalidAttributeValue"),
    ("FifoQueue", "false", "InvalidAttributeName"),
    ("Nonsense", "1", "InvalidAttributeName"),
])
def test_bad_attributes(sqs, name, value, want):
    assert code(sqs.create_queue, QueueName="bad-attributes", Attributes={name: value}) == want


ARN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:"
UNKNOWN_FORMAT = "Amazon SQS can't create the redrive allow policy, as it\u2019s in an unsupported format."
STRING = {"DataType": "String", "StringValue": "v"}


def statements(n):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": str(i), "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": ARN + "words"} for i in range(n)]})


def redrive(**kw):
    return json.dumps({"deadLetterTargetArn": ARN + "words-dead", "maxReceiveCount": 3, **kw})


def in_policy(name, value, why):
    return "InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {why}"


def in_attribute(name, why):
    return "InvalidAttributeValue", f"Invalid value for the parameter {name}. Reason: {why}"


ALLOW = "Amazon SQS can't create the redrive allow policy. "
ATTRIBUTE_ROWS = [  # attribute, value, what SQS says, or None
    ("RedrivePolicy", " ", in_attribute("RedrivePolicy", "Redrive policy is not a valid JSON map.")),
    ("RedrivePolicy", "[1]", in_attribute("RedrivePolicy", "Redrive policy is not a valid JSON map.")),
    *[("RedrivePolicy", text, in_policy("RedrivePolicy", text, why)) for text, why in (
        ("{}", "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
        ('{"maxReceiveCount":3}', "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
        (redrive(more=1), "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn]."),
        (redrive(maxReceiveCount=0), "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive."),
        (redrive(deadLetterTargetArn="dummy"), "Invalid value for deadLetterTargetArn."),
        (redrive(deadLetterTargetArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:t"),
         "Only SQS queues are valid resources for deadLetterTargetArn."),
        (redrive(deadLetterTargetArn="arn:aws:sqs:us-east-1:111122223333:q"),
         "Dead-letter target owner should be same as the source."),
        (redrive(deadLetterTargetArn=f"arn:aws:sqs:eu-west-1:{ACCOUNT}:words-dead"), "Dead letter target does not exist."),
        (redrive(deadLetterTargetArn=ARN + "none"), "Dead letter target does not exist."),
        (redrive(deadLetterTargetArn=ARN + "words.fifo"), "Dead-letter queue must be same type of queue as the source.."))],
    ("RedrivePolicy", redrive(), None),
    *[("RedriveAllowPolicy", text, in_attribute("RedriveAllowPolicy", UNKNOWN_FORMAT)) for text in (
        "no JSON", "[]", "{}", '{"redrivePermission":"ALL"}', '{"redrivePermission":"allowAll","more":1}',
        '{"redrivePermission":"byQueue","sourceQueueArns":"%sq"}' % ARN, '{"redrivePermission":"byQueue","sourceQueueArns":[{}]}',
        '{"redrivePermission":"byQueue","sourceQueueArns":["q"]}',
        '{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sns:us-east-1:%s:t"]}' % ACCOUNT)],
    *[("RedriveAllowPolicy", text, in_policy("RedriveAllowPolicy", text, ALLOW + why)) for text, why in (
        ('{"redrivePermission":"byQueue"}',
         "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values."),
        ('{"redrivePermission":"byQueue","sourceQueueArns":[]}',
         "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values."),
        (json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [ARN + str(i) for i in range(11)]}),
         "The maximum number of source queue ARNs you can specify is 10."),
        ('{"redrivePermission":"denyAll","sourceQueueArns":["%sq"]}' % ARN,
         "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."))],
    ("RedriveAllowPolicy", json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [ARN + str(i) for i in range(10)]}), None),
    ("Policy", statements(20), None),
    ("Policy", statements(21), ("OverLimit", "21 statements were found in the submitted policy, max allowed is 20")),
    ("ContentBasedDeduplication", "true", ("InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication.")),
    *[(name, value, ("InvalidAttributeName", f"You can specify the {name} only when FifoQueue is set to true."))
      for name, value in (("DeduplicationScope", "queue"), ("FifoThroughputLimit", "perQueue"))],
]


def test_attributes_in_words(sqs, make, weir):
    for name in ("words-dead", "words"):
        sqs.create_queue(QueueName=name)
    fifo = sqs.create_queue(QueueName="words.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    url = sqs.get_queue_url(QueueName="words")["QueueUrl"]
    for name, value, want in ATTRIBUTE_ROWS:
        if want:
            assert message(sqs.set_queue_attributes, QueueUrl=url, Attributes={name: value}) == want, value
        else:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={name: value})
    assert message(sqs.set_queue_attributes, QueueUrl=fifo, Attributes={"FifoThroughputLimit": "perMessageGroupId"}) == in_attribute(
        "FifoThroughputLimit", "To set FifoThroughputLimit to perMessageGroupId, the DeduplicationScope must be messageGroup.")
    nothing = ("MissingParameter", "The request must contain the parameter Attribute.Name.")
    assert message(sqs.set_queue_attributes, QueueUrl=url, Attributes={}) == nothing
    with pytest.raises(ClientError) as e:
        query_call(weir, "SetQueueAttributes", QueueUrl=url)
    assert (e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]) == nothing
    query_call(weir, "SetQueueAttributes", QueueUrl=url, **{"Attribute.Name": "DelaySeconds", "Attribute.Value": "3"})
    assert attributes(sqs, url, "DelaySeconds") == {"DelaySeconds": "3"}  # a map of one without its number, as in AWS's examples
    assert message(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["FifoQueue"]) == (
        "InvalidAttributeName", "Unknown Attribute FifoQueue.")
    assert attributes(sqs, fifo, "FifoQueue") == {"FifoQueue": "true"}


@pytest.mark.parametrize("fifo", [False, True])
def test_a_queue_of_its_own_dead_letters(sqs, make, fifo):
    """SQS lets a queue be its own: a message that was received often enough comes back as a dead letter, at the end."""
    url = make(fifo=fifo, **({"ContentBasedDeduplication": "true"} if fifo else {}))
    own = arn(sqs, url)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": own, "maxReceiveCount": 1})})
    sent = sqs.send_message(QueueUrl=url, MessageBody="x", **({"MessageGroupId": "g"} if fifo else {}))
    for life in range(3):
        got = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=1, AttributeNames=["All"])["Messages"][0]
        assert got["MessageId"] == sent["MessageId"] and got["Attributes"]["ApproximateReceiveCount"] == str(life + 1)
        assert got["Attributes"].get("DeadLetterQueueSourceArn") == (own if life else None)
        sqs.receive_message(QueueUrl=url)  # finds it dead
    assert sqs.list_dead_letter_source_queues(QueueUrl=url)["queueUrls"] == [url]
    assert attributes(sqs, url)["ApproximateNumberOfMessages"] == "1"


@pytest.mark.parametrize("name", ["", "a" * 81, "a b", "a.b", "ä", "a.fifo"])
def test_bad_names(sqs, name):
    assert code(sqs.create_queue, QueueName=name) in ("InvalidParameterValue", "MissingParameter")


def test_missing_queue(sqs, weir):
    url = f"{weir.endpoint}/{ACCOUNT}/none"
    for call in (sqs.receive_message, sqs.delete_queue, sqs.get_queue_attributes, sqs.purge_queue):
        assert code(call, QueueUrl=url) == "AWS.SimpleQueueService.NonExistentQueue"
    assert code(sqs.get_queue_url, QueueName="none") == "AWS.SimpleQueueService.NonExistentQueue"
    assert code(sqs.send_message, QueueUrl=f"{weir.endpoint}/111111111111/none", MessageBody="x")


def test_list_and_page(sqs, make):
    urls = sorted(make(f"-{i}") for i in range(5))
    assert sqs.list_queues(QueueNamePrefix="test_list_and_page")["QueueUrls"] == urls
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="no such prefix")
    got, token = [], None
    while True:
        more = {"NextToken": token} if token else {}
        page = sqs.list_queues(QueueNamePrefix="test_list_and_page", MaxResults=2, **more)
        assert len(page["QueueUrls"]) <= 2
        got += page["QueueUrls"]
        token = page.get("NextToken")
        if not token:
            break
    assert got == urls
    assert code(sqs.list_queues, MaxResults=2, NextToken="%%%") == "InvalidParameterValue"
    for list_it in (sqs.list_queues, lambda **kw: sqs.list_dead_letter_source_queues(QueueUrl=urls[0], **kw)):
        assert message(list_it, MaxResults=1001) == ("InvalidParameterValue", "Value for parameter MaxResults is invalid. Reason: "
                                                     "MaxResults must be an integer between 1 and 1000.")


def test_pages_go_on_behind_a_deleted_queue(sqs, make):
    prefix = "test_pages_go_on_behind_a_deleted_queue"
    urls = sorted(make(f"-{i}") for i in range(4))
    page = sqs.list_queues(QueueNamePrefix=prefix, MaxResults=2)
    assert page["QueueUrls"] == urls[:2]
    sqs.delete_queue(QueueUrl=urls[1])
    token = page["NextToken"]
    rest = sqs.list_queues(QueueNamePrefix=prefix, MaxResults=2, NextToken=token)
    assert rest["QueueUrls"] == urls[2:] and "NextToken" not in rest
    # A token belongs to its list.
    assert code(sqs.list_queues, MaxResults=2, NextToken=token) == "InvalidParameterValue"


def test_dead_letter_sources_in_pages(sqs, make, weir):
    dlq = make("-dlq")
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    urls = []
    for i in range(5):
        url = make(f"-{i}")
        if i % 2 == 0:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
            urls.append(url)
    got = [p["queueUrls"] for p in sqs.get_paginator("list_dead_letter_source_queues").paginate(
        QueueUrl=dlq, PaginationConfig={"PageSize": 2})]
    assert got == [sorted(urls)[:2], sorted(urls)[2:]]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dlq)["queueUrls"] == sorted(urls)


def test_regions_are_apart(weir, make):
    make()
    assert json_call(weir, "GetQueueUrl", {"QueueName": "test_regions_are_apart"})[0] == 200
    assert json_call(weir, "GetQueueUrl", {"QueueName": "test_regions_are_apart"}, region="eu-west-1")[0] == 400


def test_delete_and_make_again(sqs, make, weir):
    url = make()
    name = url.rsplit("/", 1)[1]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    sqs.delete_queue(QueueUrl=url)
    assert code(sqs.get_queue_attributes, QueueUrl=url) == "AWS.SimpleQueueService.NonExistentQueue"
    recently = ("AWS.SimpleQueueService.QueueDeletedRecently",
                "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
    assert message(sqs.create_queue, QueueName=name) == recently
    with pytest.raises(ClientError) as e:
        query_call(weir, "CreateQueue", QueueName=name)
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert (e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]) == recently
    status, _, got = json_call(weir, "CreateQueue", {"QueueName": name}, region="eu-west-1")  # a name of its own
    assert status == 200 and got["QueueUrl"]


def test_tags(sqs, make):
    url = make()
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "b": ""})
    sqs.tag_queue(QueueUrl=url, Tags={"a": "2"})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "2", "b": ""}
    sqs.untag_queue(QueueUrl=url, TagKeys=["a", "zzz"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"b": ""}
    sqs.untag_queue(QueueUrl=url, TagKeys=["b"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)  # as before the first one
    assert code(sqs.tag_queue, QueueUrl=url, Tags={f"k{i}": "v" for i in range(51)}) == "InvalidParameterValue"


def test_permissions(sqs, make):
    url = make()
    sqs.add_permission(QueueUrl=url, Label="one", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    sqs.add_permission(QueueUrl=url, Label="two", AWSAccountIds=["111122223333"], Actions=["*"])
    policy = json.loads(attributes(sqs, url, "Policy")["Policy"])
    assert [s["Sid"] for s in policy["Statement"]] == ["one", "two"]
    assert policy["Statement"][0]["Action"] == "SQS:SendMessage"
    assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert policy["Statement"][0]["Resource"] == arn(sqs, url)
    assert policy["Version"] == "2008-10-17" and policy["Id"] == arn(sqs, url) + "/SQSDefaultPolicy"
    sqs.add_permission(QueueUrl=url, Label="one", AWSAccountIds=["111122223333"], Actions=["SendMessage"])  # the same again
    assert json.loads(attributes(sqs, url, "Policy")["Policy"]) == policy
    one = {"Label": "x", "AWSAccountIds": ["111122223333"], "Actions": ["SendMessage"]}
    for change, want in (
            ({"Label": "one", "Actions": ["*"]}, ("InvalidParameterValue", "Value one for parameter Label is invalid. Reason: Already exists.")),
            ({"Label": ""}, ("MissingParameter", "The request must contain the parameter Label.")),
            ({"Actions": []}, ("MissingParameter", "The request must contain the parameter ActionName.")),
            ({"AWSAccountIds": []}, ("MissingParameter", "The request must contain the parameter AWSAccountIds.")),
            ({"Actions": ["*"] * 8}, ("OverLimit", "8 Actions were found, maximum allowed is 7.")),
            *[({"Actions": [action]}, ("InvalidParameterValue", f"Value SQS:{action} for parameter ActionName is invalid. Reason: {why}"))
              for action, why in (("CreateQueue", "Only the queue owner is allowed to invoke this action."),
                                  ("SendMessageBatch", "Please refer to the appropriate WSDL for a list of valid actions."))]):
        assert message(sqs.add_permission, QueueUrl=url, **{**one, **change}) == want
    assert code(sqs.remove_permission, QueueUrl=url, Label="") == "MissingParameter"
    full = make("-full", Policy=statements(20))
    assert message(sqs.add_permission, QueueUrl=full, **one) == ("OverLimit", "21 Statements were found, maximum allowed is 20.")
    sqs.remove_permission(QueueUrl=url, Label="one")
    sqs.remove_permission(QueueUrl=url, Label="two")
    assert "Policy" not in attributes(sqs, url)
    assert message(sqs.remove_permission, QueueUrl=url, Label="one") == (
        "InvalidParameterValue", "Value one for parameter Label is invalid. Reason: can't find label.")
    sqs.add_permission(QueueUrl=url, Label="both", AWSAccountIds=["111122223333"],
                       Actions=["SendMessage", "ReceiveMessage"])
    policy = json.loads(attributes(sqs, url, "Policy")["Policy"])
    assert policy["Statement"][0]["Action"] == ["SQS:SendMessage", "SQS:ReceiveMessage"]


def test_policy_is_kept(sqs, make):
    url = make()
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": arn(sqs, url), "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::b"}}}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    assert json.loads(attributes(sqs, url, "Policy")["Policy"]) == json.loads(policy)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in attributes(sqs, url)


@pytest.mark.parametrize("resource", ["'$queue_arn'", "queue-name", "/000000000000/q", ["arn:aws:sqs:*:*:q", "q"]])
def test_policy_resources(sqs, make, resource):
    """SQS takes any text: what is no ARN is no queue's."""
    url = make()
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sqs:SendMessage", "Resource": resource,
        "Condition": {"ArnEquals": {"aws:SourceArn": "'$topic_arn'"}}}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    assert json.loads(attributes(sqs, url, "Policy")["Policy"]) == json.loads(policy)


def test_fifo_is_for_ever(sqs, make):
    assert message(sqs.set_queue_attributes, QueueUrl=make(), Attributes={"FifoQueue": "true"}) == (
        "InvalidAttributeName", "Unknown Attribute FifoQueue.")
    assert message(sqs.set_queue_attributes, QueueUrl=make(fifo=True), Attributes={"FifoQueue": "false"}) == (
        "InvalidAttributeValue", "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")


def test_at_a_queues_url(weir, make):
    """The query protocol at the URL of a queue: what is asked of one, and GetQueueUrl of any."""
    path = urllib.parse.urlparse(make()).path
    assert query_text(weir, path, "GET") == query_text(weir, path, "GET", "application/json") == (
        404, "<UnknownOperationException/>\n")
    for action in ("ListQueues", "CreateQueue", "FooBar"):
        status, text = query_text(weir, path, "GET", Action=action, QueueName="x")
        assert status == 400 and "<Code>InvalidAction</Code>" in text
        assert f"<Message>The action {action} is not valid for this endpoint.</Message>" in text
    other = urllib.parse.urlparse(make("-other")).path
    status, text = query_text(weir, path, "GET", Action="GetQueueUrl", QueueName=other.rsplit("/", 1)[1])
    assert status == 200 and f"{other}</QueueUrl>" in text
    assert "<ReceiveMessageResult/>" in query_text(weir, path, "GET", Action="ReceiveMessage")[1]


def test_query_protocol_in_json(weir, make):
    path = urllib.parse.urlparse(make()).path
    status, text = query_text(weir, path, accept="application/json", Action="SendMessage", MessageBody="x")
    sent = json.loads(text)["SendMessageResponse"]
    assert status == 200 and list(sent) == ["ResponseMetadata", "SendMessageResult"]
    assert sent["SendMessageResult"]["SequenceNumber"] is None and sent["SendMessageResult"]["MessageId"]
    status, text = query_text(weir, path, "GET", "application/json", Action="GetQueueAttributes", **{"AttributeName.1": "All"})
    found = json.loads(text)["GetQueueAttributesResponse"]["GetQueueAttributesResult"]["Attributes"]
    assert {"Name": "VisibilityTimeout", "Value": "30"} in found
    status, text = query_text(weir, path, "GET", "application/json", Action="GetQueueAttributes", AttributeName="DelaySeconds")
    found = json.loads(text)["GetQueueAttributesResponse"]["GetQueueAttributesResult"]["Attributes"]
    assert found == [{"Name": "DelaySeconds", "Value": "0"}]  # a list of one without its number, as in AWS's examples
    status, text = query_text(weir, path, "GET", "application/json", Action="ReceiveMessage")
    assert json.loads(text)["ReceiveMessageResponse"]["ReceiveMessageResult"]["messages"][0]["Body"] == "x"
    status, text = query_text(weir, path, "GET", "application/json", Action="ListQueues")
    got = json.loads(text)
    assert status == 400 and got.pop("RequestId") and got == {"Error": {
        "Code": "InvalidAction", "Message": "The action ListQueues is not valid for this endpoint.", "Type": "Sender"}}


# --- messages -------------------------------------------------------------------------------------


def test_send_receive_delete(sqs, make):
    url = make()
    text = "héllo <&> \U0001f600\n"
    sent = sqs.send_message(QueueUrl=url, MessageBody=text)
    assert sent["MD5OfMessageBody"] == hashlib.md5(text.encode()).hexdigest()
    got = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert got["Body"] == text and got["MessageId"] == sent["MessageId"]
    assert got["MD5OfBody"] == sent["MD5OfMessageBody"]
    assert got["Attributes"]["ApproximateReceiveCount"] == "1"
    assert set(got["Attributes"]) == {"SenderId", "SentTimestamp", "ApproximateReceiveCount",
                                      "ApproximateFirstReceiveTimestamp"}
    assert attributes(sqs, url)["ApproximateNumberOfMessagesNotVisible"] == "1"
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
    assert attributes(sqs, url)["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_message_attributes(sqs, make):
    url = make()
    given = {"s": {"DataType": "String", "StringValue": "v"},
             "n.x": {"DataType": "Number.int", "StringValue": "42"},
             "n.y": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sent = sqs.send_message(QueueUrl=url, MessageBody="b", MessageAttributes=given, MessageSystemAttributes={
        "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}})
    assert sent["MD5OfMessageSystemAttributes"] == "62a56dd927315f2b2e12832b84617ea5"

    def receive(*names):
        return sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, MessageAttributeNames=list(names),
                                   AttributeNames=["AWSTraceHeader"])["Messages"][0]

    got = receive("All")  # boto3 checks nothing here; the digest over all is the sender's
    assert got["MessageAttributes"] == given
    assert got["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert got["Attributes"]["AWSTraceHeader"].startswith("Root=1-")
    assert set(receive("n.*")["MessageAttributes"]) == {"n.x", "n.y"}
    assert set(receive("s", "none")["MessageAttributes"]) == {"s"}
    assert "MessageAttributes" not in receive()
    assert "MessageAttributes" not in receive("none")


@pytest.mark.parametrize("kw,want", [
    ({"MessageBody": ""}, "MissingParameter"),
    ({"MessageBody": "\x00"}, "InvalidMessageContents"),
    ({"MessageBody": "x" * (1024 * 1024 + 1)}, "InvalidParameterValue"),
    ({"MessageBody": "x", "DelaySeconds": 901}, "InvalidParameterValue"),
    ({"MessageBody": "x", "DelaySeconds": -1}, "InvalidParameterValue"),
    ({"MessageBody": "x", "MessageGroupId": "a b"}, "InvalidParameterValue"),
    ({"MessageBody": "x", "MessageDeduplicationId": "d"}, "InvalidParameterValue"),
    ({"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "Nope", "StringValue": "v"}}},
     "InvalidParameterValue"),
    ({"MessageBody": "x", "MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}},
     "InvalidParameterValue"),
    ({"MessageBody": "x", "MessageAttributes": {f"a{i}": {"DataType": "String", "StringValue": "v"}
                                                for i in range(11)}}, "InvalidParameterValue"),
])
def test_bad_messages(sqs, make, kw, want):
    assert code(sqs.send_message, QueueUrl=make(), **kw) == want


def test_message_attributes_in_words(sqs, make):
    url = make()

    def of(name, value=STRING):
        return message(sqs.send_message, QueueUrl=url, MessageBody="x", MessageAttributes={name: value})

    for name, want in (("", "The request must contain non-empty message (user) attribute names."),
                       ("a" * 257, "Message (user) attribute name must be shorter than 256 bytes."),
                       (".a", "Message (user) attribute name must not begin with character '.'."),
                       ("a.", "Message (user) attribute name must not end with character '.'."),
                       ("a..b", "Message (user) attribute name must not have successive '.' characters."),
                       ("aWs.a", "You can't use message attribute names beginning with 'AWS.' or 'Amazon'. "
                                 "These strings are reserved for internal use.")):
        assert of(name) == ("InvalidParameterValue", want)
    kinds = "You must use only the following supported type prefixes: Binary, Number, String."
    for value, want in (({"DataType": "Nope", "StringValue": "v"}, "The type of message (user) attribute 'a' is invalid. " + kinds),
                        ({"DataType": "String." + "a" * 250, "StringValue": "v"}, "Message (user) attribute type must be shorter than 256 bytes."),
                        ({"DataType": "", "StringValue": "v"}, "The message (user) attribute 'a' must contain a non-empty message attribute type."),
                        ({"DataType": "Number.int"}, "Message (user) attribute 'a' must contain a non-empty value of type 'Number.int'."),
                        ({"DataType": "String", "BinaryValue": b"v"}, "Message (user) attribute 'a' with type 'String' must use field 'String'."),
                        ({**STRING, "BinaryValue": b"v"}, "Message (user) attribute 'a' must have a single value."),
                        ({"DataType": "Number", "StringValue": "x"}, "Can't cast the value of message (user) attribute 'a' to a number.")):
        assert of("a", value) == ("InvalidParameterValue", want)
    assert code(sqs.send_message, QueueUrl=url, MessageBody="x", MessageAttributes={
        "a": {"DataType": "StringList", "StringListValues": ["v"]}}) == "AWS.SimpleQueueService.UnsupportedOperation"


def test_batches_in_words(sqs, make, weir):
    """A batch without an entry's id fails; without what else an entry needs, the entry does."""
    url = make()

    def failed(operation, entry):
        status, headers, got = json_call(weir, operation, {"QueueUrl": url, "Entries": [{"Id": "a", "ReceiptHandle": "x", "MessageBody": "b"}, entry]},
                                         headers={"x-amzn-query-mode": "true"})
        if status != 200:
            return headers["x-amzn-query-error"].split(";")[0], got["message"]
        return got["Failed"][-1]["Id"], got["Failed"][-1]["Code"], got["Failed"][-1]["Message"]

    needs = "The request must contain the parameter "
    for operation, entry, want in (
            ("SendMessageBatch", {"MessageBody": "x"}, ("MissingParameter", needs + "SendMessageBatchRequestEntry.2.Id.")),
            ("SendMessageBatch", {"Id": "b"}, ("b", "MissingParameter", needs + "SendMessageBatchRequestEntry.2.MessageBody.")),
            ("SendMessageBatch", {"Id": "b", "MessageBody": ""}, ("b", "MissingParameter", needs + "SendMessageBatchRequestEntry.2.MessageBody.")),
            ("DeleteMessageBatch", {"ReceiptHandle": "x"}, ("MissingParameter", needs + "DeleteMessageBatchRequestEntry.2.Id.")),
            ("DeleteMessageBatch", {"Id": "b"}, ("b", "MissingParameter", needs + "ReceiptHandle.")),
            ("ChangeMessageVisibilityBatch", {"Id": "b", "VisibilityTimeout": 1}, ("b", "MissingParameter", needs + "ReceiptHandle.")),
            ("ChangeMessageVisibilityBatch", {"Id": "b", "ReceiptHandle": "x"},
             ("b", "MissingParameter", needs + "ChangeMessageVisibilityBatchRequestEntry.2.VisibilityTimeout."))):
        assert failed(operation, entry) == want
    assert message(sqs.delete_message, QueueUrl=url, ReceiptHandle="") == ("MissingParameter", needs + "ReceiptHandle.")
    fifo = make(fifo=True)
    assert message(sqs.send_message_batch, QueueUrl=fifo, Entries=[{"Id": "a", "MessageBody": "", "MessageGroupId": "g"}]) == (
        "MissingParameter", needs + "SendMessageBatchRequestEntry.1.MessageBody.")
    small = make("-small", MaximumMessageSize=1024)  # what is too long by itself counts as well
    assert code(sqs.send_message_batch, QueueUrl=small, Entries=[{"Id": str(i), "MessageBody": "x" * 600000} for i in range(2)]) == \
        "AWS.SimpleQueueService.BatchRequestTooLong"


def test_largest_message(sqs, make):
    url = make()
    text = "x" * (1024 * 1024)
    sqs.send_message(QueueUrl=url, MessageBody=text)
    assert bodies(sqs.receive_message(QueueUrl=url)) == [text]
    small = make("-small", MaximumMessageSize=1024)
    sqs.send_message(QueueUrl=small, MessageBody="x" * 1024)
    assert code(sqs.send_message, QueueUrl=small, MessageBody="x" * 1025) == "InvalidParameterValue"


def test_delay(sqs, make):
    url = make()
    sqs.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=1)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    assert attributes(sqs, url)["ApproximateNumberOfMessagesDelayed"] == "1"
    started = time.monotonic()
    assert bodies(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)) == ["late"]
    assert time.monotonic() - started < 2


def test_visibility(sqs, make):
    url = make()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    first = sqs.receive_message(QueueUrl=url, VisibilityTimeout=1)["Messages"][0]
    assert bodies(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)) == ["x"]  # woken by the timer
    handle = first["ReceiptHandle"]  # another receive has it now: taken, without effect
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    url = make("-2")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=60)  # it stays visible
    got = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"][0]
    assert got["Attributes"] == {"ApproximateReceiveCount": "2"}
    assert code(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=got["ReceiptHandle"],
                VisibilityTimeout=43201) == "InvalidParameterValue"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])
    assert code(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=got["ReceiptHandle"],
                VisibilityTimeout=1) == "InvalidParameterValue"


def test_bad_receipts(sqs, make):
    url = make()
    for handle in ("x", "A" * 40, "????"):
        assert code(sqs.delete_message, QueueUrl=url, ReceiptHandle=handle) == "ReceiptHandleIsInvalid"
        assert code(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=1) == \
            "ReceiptHandleIsInvalid"


@pytest.mark.parametrize("kw", [{"MaxNumberOfMessages": 0}, {"MaxNumberOfMessages": 11},
                                {"WaitTimeSeconds": 21}, {"WaitTimeSeconds": -1}, {"VisibilityTimeout": 43201}])
def test_bad_receives(sqs, make, kw):
    name, value = next(iter(kw.items()))
    limits = {"MaxNumberOfMessages": "between 1 and 10", "WaitTimeSeconds": ">= 0 and <= 20",
              "VisibilityTimeout": ">= 0 and <= 43200"}[name]
    assert message(sqs.receive_message, QueueUrl=make(), **kw) == (
        "InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: Must be {limits}, if provided.")


def test_url_is_a_bare_name(sqs, make):
    url = make()
    name = url.rsplit("/", 1)[1]
    sqs.send_message(QueueUrl=name, MessageBody="x")
    assert bodies(sqs.receive_message(QueueUrl=f"{ACCOUNT}/{name}", ReceiveRequestAttemptId="a")) == ["x"]
    assert code(sqs.receive_message, QueueUrl="nowhere") == "AWS.SimpleQueueService.NonExistentQueue"


def test_batches(sqs, make):
    url = make(MaximumMessageSize=1024)
    reply = sqs.send_message_batch(QueueUrl=url, Entries=[
        {"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "x" * 1025}, {"Id": "c", "MessageBody": "2"}])
    assert [e["Id"] for e in reply["Successful"]] == ["a", "c"]
    assert [(e["Id"], e["Code"], e["SenderFault"]) for e in reply["Failed"]] == [("b", "InvalidParameterValue", True)]
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert sorted(m["Body"] for m in got) == ["1", "2"]
    reply = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[
        {"Id": "a", "ReceiptHandle": got[0]["ReceiptHandle"], "VisibilityTimeout": 0},
        {"Id": "b", "ReceiptHandle": "nonsense", "VisibilityTimeout": 0}])
    assert [e["Id"] for e in reply["Successful"]] == ["a"]
    assert [(e["Id"], e["Code"]) for e in reply["Failed"]] == [("b", "ReceiptHandleIsInvalid")]
    reply = sqs.delete_message_batch(QueueUrl=url, Entries=[
        {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])
    assert [e["Id"] for e in reply["Successful"]] == ["0", "1"]
    counts = attributes(sqs, url)
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


@pytest.mark.parametrize("entries,want", [
    ([], "AWS.SimpleQueueService.EmptyBatchRequest"),
    ([{"Id": str(i), "MessageBody": "x"} for i in range(11)], "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
    ([{"Id": "a", "MessageBody": "x"}] * 2, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
    ([{"Id": "a b", "MessageBody": "x"}], "AWS.SimpleQueueService.InvalidBatchEntryId"),
    ([{"Id": "a" * 81, "MessageBody": "x"}], "AWS.SimpleQueueService.InvalidBatchEntryId"),
    ([{"Id": str(i), "MessageBody": "x" * 400000} for i in range(3)], "AWS.SimpleQueueService.BatchRequestTooLong"),
])
def test_bad_batches(sqs, make, entries, want):
    assert code(sqs.send_message_batch, QueueUrl=make(), Entries=entries) == want


def test_long_poll_is_woken(sqs, make, weir):
    url = make()
    got = []
    threads = [threading.Thread(target=lambda: got.append(
        (bodies(weir.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)), time.monotonic())))
        for _ in range(3)]
    for t in threads:
        t.start()
    sent = time.monotonic()
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": str(i)} for i in range(3)])
    for t in threads:
        t.join()
    assert sorted(b for texts, _ in got for b in texts) == ["0", "1", "2"]
    assert all(at - sent < 15 for _, at in got)  # not by their own ends


def test_long_poll_ends(sqs, make):
    url = make(ReceiveMessageWaitTimeSeconds=1)
    started = time.monotonic()
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    assert time.monotonic() - started > 0.9
    assert bodies(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)) == []


def test_long_poll_ends_with_its_queue(sqs, make, weir):
    url = make()
    got = []
    thread = threading.Thread(target=lambda: got.append(
        code(weir.client("sqs").receive_message, QueueUrl=url, WaitTimeSeconds=10)))
    thread.start()
    sqs.delete_queue(QueueUrl=url)
    thread.join(5)
    assert got == ["AWS.SimpleQueueService.NonExistentQueue"]


def test_purge(fresh_weir):
    sqs = fresh_weir.client("sqs")
    url = sqs.create_queue(QueueName="purge")["QueueUrl"]
    for i in range(30):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(j), "MessageBody": "x"} for j in range(10)])
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    sqs.purge_queue(QueueUrl=url)
    assert attributes(sqs, url)["ApproximateNumberOfMessages"] == "0"
    for client in (sqs.purge_queue, lambda **kw: query_call(fresh_weir, "PurgeQueue", **kw)):
        with pytest.raises(ClientError) as e:
            client(QueueUrl=url)
        assert e.value.response["Error"]["Code"] == "AWS.SimpleQueueService.PurgeQueueInProgress"
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    sqs.send_message(QueueUrl=url, MessageBody="after")
    fresh_weir.restart()
    sqs, url = reopen(fresh_weir, "purge")
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["after"]


def test_dead_letters(sqs, make):
    dead, url = make("-dead"), make()
    policy = {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": "2"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    assert attributes(sqs, url, "RedrivePolicy")["RedrivePolicy"] == \
        '{"deadLetterTargetArn":"%s","maxReceiveCount":2}' % arn(sqs, dead)
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        assert bodies(sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)) == ["poison"]
    assert bodies(sqs.receive_message(QueueUrl=url)) == []
    got = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"], WaitTimeSeconds=1)["Messages"][0]
    assert got["Body"] == "poison" and got["MessageId"] == sent["MessageId"]
    assert got["Attributes"]["DeadLetterQueueSourceArn"] == arn(sqs, url)
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={
        "RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})})
    other = make("-other")
    assert code(sqs.set_queue_attributes, QueueUrl=other, Attributes={"RedrivePolicy": json.dumps(policy)}) == \
        "InvalidAttributeValue"


def test_fair_queue(sqs, make):
    """A group in a standard queue is kept and told; who has much in flight does not hold up the others."""
    url = make()
    for batch in range(3):
        sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": str(i), "MessageBody": f"n{batch}{i}", "MessageGroupId": "noisy"} for i in range(10)])
    held = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"])["Messages"]
    assert [m["Attributes"]["MessageGroupId"] for m in held] == ["noisy"] * 10
    sqs.send_message(QueueUrl=url, MessageBody="q", MessageGroupId="quiet")
    sqs.send_message(QueueUrl=url, MessageBody="alone")
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=3, AttributeNames=["All"])["Messages"]
    assert [m["Body"] for m in got] == ["q", "alone", "n10"]
    assert [m["Attributes"].get("MessageGroupId") for m in got] == ["quiet", None, "noisy"]
    assert "SequenceNumber" not in got[0]["Attributes"]


def dead_letters(sqs, make, n):
    """(source, dead-letter queue) with n dead letters."""
    dead, url = make("-dead"), make("-from")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": 1})})
    for i in range(n):
        sqs.send_message(QueueUrl=url, MessageBody=str(i), MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}})
    for _ in range(2):
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    assert attributes(sqs, dead)["ApproximateNumberOfMessages"] == str(n)
    return url, dead


@pytest.fixture
def tasks(weir):
    """The operations of tasks, which not every boto3 knows."""
    class Tasks:
        def __getattr__(self, name):
            def call(**parameters):
                operation = "".join(word.title() for word in name.split("_"))
                status, headers, got = json_call(weir, operation, parameters, headers={"x-amzn-query-mode": "true"})
                if status != 200:
                    raise ClientError({"Error": {"Code": headers["x-amzn-query-error"].split(";")[0],
                                                 "Message": got["message"]}}, operation)
                return got
            return call

        def of(self, source):
            return self.list_message_move_tasks(SourceArn=source)["Results"][0]

    return Tasks()


def test_move_task(sqs, make, tasks):
    """Dead letters go back to where they came from, as new messages."""
    url, dead = dead_letters(sqs, make, 5)
    old = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0, AttributeNames=["All"])["Messages"][0]
    started = tasks.start_message_move_task(SourceArn=arn(sqs, dead))
    assert started["TaskHandle"]
    wait_for(lambda: tasks.of(arn(sqs, dead))["Status"] != "RUNNING")
    task = tasks.of(arn(sqs, dead))
    assert task.pop("StartedTimestamp") > 1e12
    assert task == {"Status": "COMPLETED", "SourceArn": arn(sqs, dead), "ApproximateNumberOfMessagesMoved": 5,
                    "ApproximateNumberOfMessagesToMove": 5}
    assert attributes(sqs, dead)["ApproximateNumberOfMessages"] == "0"
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"],
                              MessageAttributeNames=["All"])["Messages"]
    assert sorted(m["Body"] for m in got) == list("01234") and old["MessageId"] not in [m["MessageId"] for m in got]
    assert {m["Attributes"]["ApproximateReceiveCount"] for m in got} == {"1"}
    assert all("DeadLetterQueueSourceArn" not in m["Attributes"] and m["MessageAttributes"] for m in got)
    assert message(tasks.cancel_message_move_task, TaskHandle=started["TaskHandle"]) == (
        "InvalidParameterValue", "Only active tasks can be cancelled.")


def test_move_task_with_a_rate_is_cancelled(sqs, make, tasks):
    _, dead = dead_letters(sqs, make, 5)
    to, source = make("-to"), arn(sqs, dead)
    handle = tasks.start_message_move_task(SourceArn=source, DestinationArn=arn(sqs, to), MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    assert message(tasks.start_message_move_task, SourceArn=source) == (
        "InvalidParameterValue",
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
    task = tasks.of(source)
    assert task["Status"] == "RUNNING" and task["TaskHandle"] == handle and task["DestinationArn"] == arn(sqs, to)
    assert task["MaxNumberOfMessagesPerSecond"] == 1 and task["ApproximateNumberOfMessagesToMove"] == 5
    moved = tasks.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    task = tasks.of(source)
    assert task["Status"] == "CANCELLED" and "TaskHandle" not in task
    assert task["ApproximateNumberOfMessagesMoved"] == moved < 5
    assert attributes(sqs, to)["ApproximateNumberOfMessages"] == str(moved)
    assert attributes(sqs, dead)["ApproximateNumberOfMessages"] == str(5 - moved)


def test_move_task_permissions(sqs, make, tasks, weir):
    """Who moves must be allowed to receive, delete and send, wherever that is."""
    url, dead = dead_letters(sqs, make, 1)
    asked = [{"SourceArn": arn(sqs, dead)}, {"SourceArn": arn(sqs, dead), "DestinationArn": arn(sqs, make("-to"))}]
    iam = weir.client("iam")
    iam.create_user(UserName="mover")
    key = iam.create_access_key(UserName="mover")["AccessKey"]
    for action in ("StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "SendMessage"):
        iam.put_user_policy(UserName="mover", PolicyName="but", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "NotAction": "sqs:" + action, "Resource": "*"}]}))
        for parameters in asked:
            status, _, got = json_call(weir, "StartMessageMoveTask", parameters, keys=(key["AccessKeyId"], key["SecretAccessKey"]))
            assert status == 403 and "sqs:" + action in got["message"]
    handle = base64.b64encode(json.dumps({"taskId": "x", "sourceArn": arn(sqs, dead)}).encode()).decode()
    iam.put_user_policy(UserName="mover", PolicyName="but", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sqs:CancelMessageMoveTask", "Resource": arn(sqs, url)}]}))
    assert json_call(weir, "CancelMessageMoveTask", {"TaskHandle": handle},
                     keys=(key["AccessKeyId"], key["SecretAccessKey"]))[0] == 403


def test_move_task_errors(sqs, make, tasks):
    _, dead = dead_letters(sqs, make, 1)
    source, nowhere = arn(sqs, dead), f"arn:aws:sqs:us-east-1:{ACCOUNT}:nowhere"
    start = tasks.start_message_move_task
    absent = "The resource that you specified for the %s parameter doesn't exist."
    form = "You must use this format to specify the %s: arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
    for bad in ("", "dead"):
        assert message(start, SourceArn=bad) == ("InvalidParameterValue", form % "SourceArn")
        assert message(start, SourceArn=source, DestinationArn=bad) == ("InvalidParameterValue", form % "DestinationArn")
    assert message(start, SourceArn=nowhere) == ("ResourceNotFoundException", absent % "SourceArn")
    assert message(start, SourceArn=source, DestinationArn=nowhere) == ("ResourceNotFoundException", absent % "DestinationArn")
    assert message(start, SourceArn=arn(sqs, make("-live"))) == (
        "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    assert code(start, SourceArn=source, DestinationArn=source) == "InvalidParameterValue"
    assert message(start, SourceArn=source, DestinationArn=arn(sqs, make(fifo=True))) == (
        "InvalidParameterValue", "The source queue and destination queue must be of the same queue type.")
    for rate in (0, 501):
        assert message(start, SourceArn=source, MaxNumberOfMessagesPerSecond=rate) == (
            "InvalidParameterValue", "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a number "
            "that's between 1 and 500.")
    assert tasks.list_message_move_tasks(SourceArn=source).get("Results", []) == []
    assert code(tasks.list_message_move_tasks, SourceArn=source, MaxResults=11) == "InvalidParameterValue"
    assert message(tasks.list_message_move_tasks, SourceArn=nowhere) == ("ResourceNotFoundException", absent % "SourceArn")
    cancel = tasks.cancel_message_move_task
    assert message(cancel, TaskHandle="garbage") == ("InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
    for handle, text in (({"taskId": "x", "sourceArn": nowhere}, absent % "SourceArn"),
                         ({"taskId": "x", "sourceArn": source}, "Task does not exist.")):
        encoded = base64.b64encode(json.dumps(handle).encode()).decode()
        assert message(cancel, TaskHandle=encoded) == ("ResourceNotFoundException", text)
    sqs.send_message(QueueUrl=dead, MessageBody="of its own")  # and of no queue
    start(SourceArn=source)
    wait_for(lambda: tasks.of(source)["Status"] != "RUNNING")
    task = tasks.of(source)
    assert task["Status"] == "FAILED" and task["FailureReason"] == "CouldNotDetermineMessageSource"
    assert bodies(sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)) == ["of its own"]


def test_fifo(sqs, make):
    url = make(fifo=True, ContentBasedDeduplication="true")
    numbers = []
    for group, body in (("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a1")):
        numbers.append(sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group)["SequenceNumber"])
    assert numbers[0] < numbers[1] < numbers[2] and numbers[3] == numbers[0]
    first = sqs.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert first["Body"] == "a1" and first["Attributes"]["MessageGroupId"] == "a"
    assert first["Attributes"]["SequenceNumber"] == numbers[0]
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["b1"]  # group a is locked
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert bodies(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)) == ["a2"]
    assert attributes(sqs, url, "FifoQueue", "DeduplicationScope", "FifoThroughputLimit") == {
        "FifoQueue": "true", "DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}
    assert code(sqs.send_message, QueueUrl=url, MessageBody="x") == "MissingParameter"


def test_fifo_after_a_purge(sqs, make):
    url = make(fifo=True, ContentBasedDeduplication="true")
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="g")
    sqs.purge_queue(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="g")
    assert bodies(sqs.receive_message(QueueUrl=url)) == ["x"]


def test_fifo_ids(sqs, make):
    url = make(fifo=True)
    entry = {"Id": "a", "MessageBody": "x"}
    good = {"Id": "b", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    wants = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    assert message(sqs.send_message_batch, QueueUrl=url, Entries=[good, entry]) == (
        "InvalidParameterValue", "The request must contain the parameter MessageGroupId.")
    assert message(sqs.send_message_batch, QueueUrl=url, Entries=[good, {**entry, "MessageGroupId": "g"}]) == (
        "InvalidParameterValue", wants)
    assert message(sqs.send_message, QueueUrl=url, MessageBody="x", MessageGroupId="g") == (
        "InvalidParameterValue", wants)
    assert attributes(sqs, url)["ApproximateNumberOfMessages"] == "0"
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        for bad in ("a" * 129, "a b"):
            ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d", name: bad}
            assert message(sqs.send_message, QueueUrl=url, MessageBody="x", **ids) == (
                "InvalidParameterValue", f"Value {bad} for parameter {name} is invalid. Reason: {name} can only include "
                "alphanumeric and punctuation characters. 1 to 128 in length.")
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d", DelaySeconds=0)
    assert message(sqs.send_message, QueueUrl=url, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="e",
                   DelaySeconds=1) == (
        "InvalidParameterValue", "Value 1 for parameter DelaySeconds is invalid. Reason: The request include parameter "
        "that is not valid for this queue type.")


def test_fifo_receive_again(sqs, make, weir):
    """A receive repeated under one id gives the same messages, for their visibility time-out anew."""
    url = make(fifo=True, ContentBasedDeduplication="true")
    for body, group in (("1", "g"), ("2", "g"), ("3", "h"), ("4", "g")):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group)

    def receive(attempt, n=2):
        return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=n, ReceiveRequestAttemptId=attempt,
                                   VisibilityTimeout=600, AttributeNames=["All"]).get("Messages", [])

    first = receive("a")
    assert [m["Body"] for m in first] == ["1", "2"]
    assert receive("a") == first and receive("a", n=10) == first  # handles, counts and times as well
    assert [m["Body"] for m in receive("b")] == ["3"]
    assert [m["Body"] for m in receive("b")] == ["3"] and receive("c") == []
    status, _, got = json_call(weir, "ReceiveMessage", {"QueueUrl": url, "ReceiveRequestAttemptId": "a"})
    assert status == 200 and [m["ReceiptHandle"] for m in got["Messages"]] == [m["ReceiptHandle"] for m in first]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"], VisibilityTimeout=50)
    assert receive("a") == []  # changed: an ordinary receive, and the group is locked
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first[0]["ReceiptHandle"])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first[1]["ReceiptHandle"], VisibilityTimeout=0)
    second = receive("a")
    assert [m["Body"] for m in second] == ["2", "4"] and second[0]["ReceiptHandle"] != first[1]["ReceiptHandle"]
    assert receive("a") == second
    sqs.delete_message(QueueUrl=url, ReceiptHandle=second[0]["ReceiptHandle"])
    assert receive("a") == []  # one of them is gone
    for bad in ("a" * 129, "a b", "\xe4"):
        want = ("InvalidParameterValue", f"Value {bad} for parameter ReceiveRequestAttemptId is invalid. Reason: "
                "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
        assert message(sqs.receive_message, QueueUrl=url, ReceiveRequestAttemptId=bad) == want
        with pytest.raises(ClientError) as e:
            query_call(weir, "ReceiveMessage", QueueUrl=url, ReceiveRequestAttemptId=bad)
        assert (e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]) == want


def test_fifo_gives_back(sqs, make):
    """A message is held back by those of its group before it that are in flight, not by those after it."""
    url = make(fifo=True, ContentBasedDeduplication="true")
    for body in ("1", "2", "3", "4"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g")

    def receive(n=10):
        return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=n).get("Messages", [])

    def give_back(message):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)

    held = receive(3)
    assert [m["Body"] for m in held] == ["1", "2", "3"]
    give_back(held[1])
    assert receive() == []
    give_back(held[0])
    again = receive()
    assert [m["Body"] for m in again] == ["1", "2"]  # 3 is out, and 4 behind it
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again[0]["ReceiptHandle"])
    assert receive() == []
    give_back(again[1])
    assert [m["Body"] for m in receive()] == ["2"]
    give_back(held[2])
    assert receive() == []


# --- durability, scale, protocols -----------------------------------------------------------------


def test_survives_kill(fresh_weir):
    sqs = fresh_weir.client("sqs")
    url = sqs.create_queue(QueueName="kill", Attributes={"VisibilityTimeout": "60"}, tags={"k": "v"})["QueueUrl"]
    for i in range(20):
        sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": str(j), "MessageBody": f"{i}-{j}"} for j in range(10)])
    out = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)["Messages"]
    for m in out[:5]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    fresh_weir.kill9()
    fresh_weir.start()
    sqs, url = reopen(fresh_weir, "kill")
    counts = attributes(sqs, url)
    assert counts["VisibilityTimeout"] == "60" and sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"k": "v"}
    assert counts["ApproximateNumberOfMessages"] == "190"
    assert counts["ApproximateNumberOfMessagesNotVisible"] == "5"
    for m in out[5:]:  # receipt handles outlive the process
        sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    seen = set()
    while True:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages")
        if not got:
            break
        seen |= {m["Body"] for m in got}
    assert len(seen) == 190 and not seen & {m["Body"] for m in out}


def test_concurrent_consumers_share(sqs, make, weir):
    url = make()
    for i in range(20):
        sqs.send_message_batch(QueueUrl=url, Entries=[
            {"Id": str(j), "MessageBody": f"{i}-{j}"} for j in range(10)])
    seen, lock = [], threading.Lock()

    def consume():
        client = weir.client("sqs")
        while True:
            got = client.receive_message(QueueUrl=url, MaxNumberOfMessages=7).get("Messages")
            if not got:
                return
            client.delete_message_batch(QueueUrl=url, Entries=[
                {"Id": str(k), "ReceiptHandle": m["ReceiptHandle"]} for k, m in enumerate(got)])
            with lock:
                seen.extend(m["Body"] for m in got)

    threads = [threading.Thread(target=consume) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(seen) == 200 and len(set(seen)) == 200
    assert attributes(sqs, url)["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_json_protocol(weir, make):
    url = make()
    status, headers, sent = json_call(weir, "SendMessage", {
        "QueueUrl": url, "MessageBody": "x",
        "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": "AP8="}}})
    assert status == 200 and headers["Content-Type"] == "application/x-amz-json-1.0"
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"x").hexdigest()
    path = url.split("/", 3)[3]
    status, _, got = json_call(weir, "ReceiveMessage", {
        "QueueUrl": f"https://sqs.us-east-1.amazonaws.com/{path}", "MessageAttributeNames": ["All"],
        "MessageSystemAttributeNames": ["ApproximateReceiveCount"]})
    assert status == 200
    m = got["Messages"][0]
    assert m["MessageAttributes"]["b"]["BinaryValue"] == "AP8=" and m["Attributes"] == {"ApproximateReceiveCount": "1"}
    status, _, got = json_call(weir, "DeleteMessage", {"QueueUrl": url, "ReceiptHandle": m["ReceiptHandle"]})
    assert (status, got) == (200, {})
    status, _, got = json_call(weir, "ReceiveMessage", {"QueueUrl": url})
    assert (status, got.get("Messages", [])) == (200, [])


def test_json_errors(weir, make):
    status, headers, got = json_call(weir, "GetQueueUrl", {"QueueName": "none"}, headers={"x-amzn-query-mode": "true"})
    assert status == 400
    assert got["__type"] == "com.amazonaws.sqs#QueueDoesNotExist"
    assert headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert json_call(weir, "SendMessage", {"QueueUrl": make()})[0] == 400
    status, _, got = json_call(weir, "Nonsense", {})
    assert status == 400 and "UnknownOperation" in got["__type"]
