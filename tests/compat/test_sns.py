"""SNS through boto3: topics, subscriptions, messages and their deliveries; endpoints are small HTTP servers
of the test's own, signatures are verified with the certificate that Weir serves."""
import base64
import io
import json
import re
import time
import urllib.error
import urllib.request
import zipfile

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from receiver import Receiver

from weirtest import Weir, wait_for

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def weir():
    """One whose endpoints may be on this machine."""
    server = Weir(args=["--allow-outgoing-loopback"])
    yield server
    server.stop()


@pytest.fixture
def sns(weir):
    return weir.client("sns")


@pytest.fixture
def sqs(weir):
    return weir.client("sqs")


@pytest.fixture
def name(request):
    return re.sub("[^A-Za-z0-9_-]", "-", request.node.name)[:60]


def error(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def code(call, **kw):
    return error(call, **kw)[0]


def statement(principal, action, resource, source=None):
    s = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    if source:
        s["Condition"] = {"ArnEquals": {"aws:SourceArn": source}}
    return json.dumps({"Version": "2012-10-17", "Statement": [s]})


class Queue:
    """A queue that a topic may send to."""

    def __init__(self, sqs, name, topic, fifo=False, allowed=True, **attributes):
        if fifo:
            attributes.update(FifoQueue="true")
            name += ".fifo"
        self.sqs = sqs
        self.arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        if allowed:
            attributes["Policy"] = statement({"Service": "sns.amazonaws.com"}, "sqs:SendMessage", self.arn, topic)
        self.url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def take(self, wait=0):
        """One message, removed; None: there is none."""
        got = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=wait, MessageAttributeNames=["All"],
                                       AttributeNames=["All"]).get("Messages", [])
        for m in got:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=m["ReceiptHandle"])
        return got[0] if got else None

    def document(self):
        return json.loads(self.take()["Body"])


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


def verify(document):
    """The signature of a document, by the certificate at its address (AWS's own recipe)."""
    note = document["Type"] == "Notification"
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"] if note else \
        ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{n}\n{document[n]}\n" for n in names if document.get(n) is not None)
    url = document.get("SigningCertURL") or document["SigningCertUrl"]
    assert re.search(r"/SimpleNotificationService-[0-9a-f]{32}\.pem$", url)
    with urllib.request.urlopen(url) as reply:
        certificate = x509.load_pem_x509_certificate(reply.read())
    digest = {"1": hashes.SHA1, "2": hashes.SHA256}[document["SignatureVersion"]]()
    certificate.public_key().verify(base64.b64decode(document["Signature"]), text.encode(), padding.PKCS1v15(), digest)
    return certificate


def get(url):
    with urllib.request.urlopen(url) as reply:
        return reply.read().decode()


# --- topics -------------------------------------------------------------------------------------------

def test_topic(sns, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    assert arn == f"arn:aws:sns:us-east-1:{ACCOUNT}:{name}"
    assert sns.create_topic(Name=name)["TopicArn"] == arn
    assert sns.create_topic(Name=name, Attributes={"DisplayName": ""})["TopicArn"] == arn
    assert arn in [t["TopicArn"] for t in sns.list_topics()["Topics"]]
    a = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert a["Owner"] == ACCOUNT and a["TopicArn"] == arn and a["DisplayName"] == ""
    assert (a["SubscriptionsConfirmed"], a["SubscriptionsPending"], a["SubscriptionsDeleted"]) == ("0", "0", "0")
    assert "FifoTopic" not in a and "SignatureVersion" not in a
    policy = json.loads(a["Policy"])
    assert policy["Id"] == "__default_policy_ID" and policy["Statement"][0]["Resource"] == arn
    assert policy["Statement"][0]["Condition"] == {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
    effective = json.loads(a["EffectiveDeliveryPolicy"])["http"]
    assert effective["defaultHealthyRetryPolicy"] == {
        "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0, "numNoDelayRetries": 0,
        "numMinDelayRetries": 0, "backoffFunction": "linear"}
    assert effective["defaultRequestPolicy"] == {"headerContentType": "text/plain; charset=UTF-8"}
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    assert error(sns.get_topic_attributes, TopicArn=arn) == ("NotFound", "Topic does not exist")


def test_topic_made_twice(sns, name):
    arn = sns.create_topic(Name=name, Attributes={"DisplayName": "a"}, Tags=[{"Key": "k", "Value": "v"}])["TopicArn"]
    assert sns.create_topic(Name=name, Tags=[{"Key": "k", "Value": "v"}])["TopicArn"] == arn
    assert error(sns.create_topic, Name=name, Attributes={"DisplayName": "b"}) == (
        "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes")
    assert error(sns.create_topic, Name=name, Tags=[{"Key": "k", "Value": "w"}]) == (
        "InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")


@pytest.mark.parametrize("topic", ["", "a b", "a" * 257, "a.fifo", "ä", "a.b"])
def test_topic_names(sns, topic):
    assert code(sns.create_topic, Name=topic) in ("InvalidParameter", "ValidationError")


def test_fifo_names(sns):
    assert code(sns.create_topic, Name="plain", Attributes={"FifoTopic": "true"}) == "InvalidParameter"
    arn = sns.create_topic(Name="good.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    a = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (a["FifoTopic"], a["ContentBasedDeduplication"], a["FifoThroughputScope"]) == ("true", "false", "Topic")


def test_attributes(sns, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    delivery = json.dumps({"http": {"defaultHealthyRetryPolicy": {"numRetries": 5, "minDelayTarget": 1, "maxDelayTarget": 9,
                                                                  "backoffFunction": "exponential"}}})
    policy = statement({"AWS": "*"}, "SNS:Publish", arn, "arn:aws:s3:::bucket")
    for attribute, value in [("DisplayName", "Hello"), ("SignatureVersion", "2"), ("TracingConfig", "PassThrough"),
                             ("DeliveryPolicy", delivery), ("Policy", policy)]:
        sns.set_topic_attributes(TopicArn=arn, AttributeName=attribute, AttributeValue=value)
        told = sns.get_topic_attributes(TopicArn=arn)["Attributes"][attribute]
        assert told == value or json.loads(told) == json.loads(value)
    effective = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["EffectiveDeliveryPolicy"])
    assert effective["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 5
    for nothing in ("SQSSuccessFeedbackSampleRate", "LambdaSuccessFeedbackSampleRate"):  # as Terraform sets them
        sns.set_topic_attributes(TopicArn=arn, AttributeName=nothing, AttributeValue="0")
    sns.set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue="")


@pytest.mark.parametrize("attribute, value", [
    ("Nothing", "x"), ("TopicArn", "x"), ("FifoTopic", "true"), ("ContentBasedDeduplication", "true"), ("DisplayName", "x" * 101),
    ("SignatureVersion", "3"), ("TracingConfig", "x"), ("Policy", "{"), ("Policy", "{}"), ("Policy", ""), ("DeliveryPolicy", "{"),
    ("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}'),
    ("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":0}}}'),
    ("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":4}}}'),
    ("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"numRetries":1,"numNoDelayRetries":2}}}'),
    ("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"backoffFunction":"odd"}}}'),
    ("DeliveryPolicy", '{"http":{"defaultRequestPolicy":{"headerContentType":"image/png"}}}'),
    ("DeliveryPolicy", '{"https":{}}'), ("DeliveryPolicy", '{"http":{"odd":{}}}')])
def test_bad_attributes(sns, attribute, value):
    arn = sns.create_topic(Name="bad-attributes")["TopicArn"]
    assert code(sns.set_topic_attributes, TopicArn=arn, AttributeName=attribute, AttributeValue=value) == "InvalidParameter"


def test_no_such_topic(sns):
    arn = f"arn:aws:sns:us-east-1:{ACCOUNT}:none"
    for call, kw in [(sns.get_topic_attributes, {}), (sns.publish, {"Message": "m"}), (sns.list_subscriptions_by_topic, {}),
                     (sns.publish_batch, {"PublishBatchRequestEntries": [{"Id": "a", "Message": "m"}]}),
                     (sns.set_topic_attributes, {"AttributeName": "DisplayName", "AttributeValue": "x"}),
                     (sns.add_permission, {"Label": "l", "AWSAccountId": [ACCOUNT], "ActionName": ["Publish"]}),
                     (sns.remove_permission, {"Label": "l"}), (sns.confirm_subscription, {"Token": "t"}),
                     (sns.subscribe, {"Protocol": "email", "Endpoint": "a@b.c"})]:
        assert error(call, TopicArn=arn, **kw) == ("NotFound", "Topic does not exist")
        assert error(call, TopicArn="bad", **kw) == (
            "InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1")
        assert code(call, TopicArn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:none", **kw) == "InvalidParameter"
    assert code(sns.list_tags_for_resource, ResourceArn=arn) == "ResourceNotFound"
    assert code(sns.tag_resource, ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}]) == "ResourceNotFound"
    assert code(sns.untag_resource, ResourceArn=arn, TagKeys=["a"]) == "ResourceNotFound"
    assert code(sns.get_subscription_attributes, SubscriptionArn=arn + ":6b0e71bd-7e97-4d97-80ce-4a0994e55286") == "NotFound"
    assert code(sns.get_subscription_attributes, SubscriptionArn="PendingConfirmation") == "InvalidParameter"


def test_pages(sns, sqs, weir):
    west = weir.client("sns", region="eu-west-3")
    made = sorted(west.create_topic(Name=f"t{i:03}")["TopicArn"] for i in range(101))
    first = west.list_topics()
    assert len(first["Topics"]) == 100
    rest = west.list_topics(NextToken=first["NextToken"])
    assert [t["TopicArn"] for t in first["Topics"] + rest["Topics"]] == made and "NextToken" not in rest
    assert code(west.list_topics, NextToken="bad") == "InvalidParameter"
    for i in range(101):
        west.subscribe(TopicArn=made[0], Protocol="sqs", Endpoint=f"arn:aws:sqs:eu-west-3:{ACCOUNT}:q{i}")
    for lister, kw in [(west.list_subscriptions, {}), (west.list_subscriptions_by_topic, {"TopicArn": made[0]})]:
        first = lister(**kw)
        rest = lister(NextToken=first["NextToken"], **kw)
        assert (len(first["Subscriptions"]), len(rest["Subscriptions"])) == (100, 1)
        assert code(lister, NextToken="bad", **kw) == "InvalidParameter"
    assert sns.list_subscriptions_by_topic(TopicArn=sns.create_topic(Name="empty")["TopicArn"])["Subscriptions"] == []


def test_permissions(weir, sns, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    sns.add_permission(TopicArn=arn, Label="mine", AWSAccountId=[ACCOUNT], ActionName=["Publish", "Subscribe"])
    st = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])["Statement"]
    assert [s["Sid"] for s in st] == ["__default_statement_ID", "mine"]
    assert sorted(st[1]["Action"]) == ["SNS:Publish", "SNS:Subscribe"]
    add = dict(TopicArn=arn, Label="x", AWSAccountId=[ACCOUNT], ActionName=["Publish"])
    assert error(sns.add_permission, **{**add, "Label": "mine"}) == ("InvalidParameter", "Invalid parameter: Statement already exists")
    assert code(sns.add_permission, **{**add, "ActionName": ["Odd"]}) == "InvalidParameter"
    assert code(sns.add_permission, **{**add, "AWSAccountId": ["x"]}) == "InvalidParameter"
    assert code(sns.add_permission, **{**add, "Label": "x" * 81}) == "InvalidParameter"
    sns.remove_permission(TopicArn=arn, Label="mine")
    sns.remove_permission(TopicArn=arn, Label="mine")
    assert len(json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])["Statement"]) == 1


def test_policy_of_the_topic(weir, sns, name):
    iam = weir.client("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    theirs = weir.client("sns", key["AccessKeyId"], key["SecretAccessKey"])
    arn = sns.create_topic(Name=name)["TopicArn"]
    assert code(theirs.publish, TopicArn=arn, Message="m") == "AuthorizationError"
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=statement(
        {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{name}"}, "sns:Publish", arn))
    theirs.publish(TopicArn=arn, Message="m")
    assert code(theirs.get_topic_attributes, TopicArn=arn) == "AuthorizationError"


def test_tags(sns, name):
    arn = sns.create_topic(Name=name, Tags=[{"Key": "a", "Value": "1"}])["TopicArn"]
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert code(sns.tag_resource, ResourceArn=arn, Tags=[{"Key": "aws:x", "Value": ""}]) == "InvalidParameter"
    assert code(sns.tag_resource, ResourceArn=arn, Tags=[{"Key": str(i), "Value": ""} for i in range(51)]) == "TagLimitExceeded"
    assert code(sns.tag_resource, ResourceArn="arn:aws:sqs:us-east-1:1:x", Tags=[{"Key": "a", "Value": ""}]) == "InvalidParameter"


# --- queues -------------------------------------------------------------------------------------------

def test_queue(sns, sqs, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    q = Queue(sqs, name, arn)
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn)["SubscriptionArn"]
    assert re.fullmatch(re.escape(arn) + ":[0-9a-f-]{36}", sub)
    assert sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn)["SubscriptionArn"] == sub
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsConfirmed"] == "1"
    message_id = sns.publish(TopicArn=arn, Message='say "ä"\n', Subject="S", MessageAttributes={
        "t": {"DataType": "String", "StringValue": "x"}, "b": {"DataType": "Binary", "BinaryValue": b"\0\1"}})["MessageId"]
    body = q.take()["Body"]
    document = json.loads(body)
    assert list(document) == ["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
                              "SigningCertURL", "UnsubscribeURL", "MessageAttributes"]
    assert body.startswith('{\n  "Type" : "Notification",\n  "MessageId" : "' + message_id + '",\n  "TopicArn" : "' + arn + '",\n')
    assert body.endswith("\n  }\n}") and '\n    "t" : {"Type":"String","Value":"x"}' in body
    assert document["Message"] == 'say "ä"\n' and document["Subject"] == "S" and document["SignatureVersion"] == "1"
    assert document["MessageAttributes"] == {"t": {"Type": "String", "Value": "x"}, "b": {"Type": "Binary", "Value": "AAE="}}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["Timestamp"])
    verify(document)
    sns.publish(TargetArn=arn, Message="plain")
    document = q.document()
    assert "Subject" not in document and "MessageAttributes" not in document
    verify(document)
    sns.unsubscribe(SubscriptionArn=sub)
    sns.unsubscribe(SubscriptionArn=sub)
    sns.publish(TopicArn=arn, Message="nobody")
    assert q.take() is None
    a = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (a["SubscriptionsConfirmed"], a["SubscriptionsDeleted"]) == ("0", "1")


def test_signature_version_2(sns, sqs, name):
    arn = sns.create_topic(Name=name, Attributes={"SignatureVersion": "2"})["TopicArn"]
    q = Queue(sqs, name, arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn)
    sns.publish(TopicArn=arn, Message="m")
    document = q.document()
    assert document["SignatureVersion"] == "2"
    verify(document)


def test_raw(sns, sqs, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    q = Queue(sqs, name, arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=arn, Message="body", Subject="lost", MessageAttributes={
        "s": {"DataType": "String", "StringValue": "x"}, "n": {"DataType": "Number", "StringValue": "1.5"},
        "l": {"DataType": "String.Array", "StringValue": '["a",1]'}, "b": {"DataType": "Binary", "BinaryValue": b"\0"}})
    m = q.take()
    assert m["Body"] == "body"
    assert {k: (v["DataType"], v.get("StringValue", v.get("BinaryValue"))) for k, v in m["MessageAttributes"].items()} == {
        "s": ("String", "x"), "n": ("Number", "1.5"), "l": ("String.Array", '["a",1]'), "b": ("Binary", b"\0")}


def test_structure(sns, sqs, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    q = Queue(sqs, name, arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn)
    sns.publish(TopicArn=arn, MessageStructure="json", Message=json.dumps({"default": "d", "sqs": "for queues"}))
    document = q.document()
    assert document["Message"] == "for queues"
    verify(document)
    sns.publish(TopicArn=arn, MessageStructure="json", Message=json.dumps({"default": "d", "email": "e"}))
    assert q.document()["Message"] == "d"
    for message in ["{", "[]", '"x"', "{}", '{"default": 1}']:
        assert code(sns.publish, TopicArn=arn, MessageStructure="json", Message=message) == "InvalidParameter"


@pytest.mark.parametrize("kw, expected", [
    ({"Message": ""}, ("InvalidParameter", "Invalid parameter: Empty message")),
    ({"Message": "x" * (256 * 1024 + 1)}, ("InvalidParameter", "Invalid parameter: Message too long")),
    ({"Subject": ""}, ("InvalidParameter", "Invalid parameter: Subject")),
    ({"Subject": "x" * 101}, ("InvalidParameter", "Invalid parameter: Subject")),
    ({"Subject": "a\nb"}, ("InvalidParameter", "Invalid parameter: Subject")),
    ({"MessageStructure": "xml"}, ("InvalidParameter", "Invalid parameter: MessageStructure")),
    ({"TopicArn": None}, ("InvalidParameter", "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter")),
    ({"MessageDeduplicationId": "d"}, ("InvalidParameter", None)),
    ({"MessageAttributes": {"": {"DataType": "String", "StringValue": "x"}}}, ("ParameterValueInvalid", None)),
    ({"MessageAttributes": {"AWS.x": {"DataType": "String", "StringValue": "x"}}}, ("ParameterValueInvalid", None)),
    ({"MessageAttributes": {"a": {"DataType": "Odd", "StringValue": "x"}}}, ("ParameterValueInvalid", None)),
    ({"MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}}, ("ParameterValueInvalid", None)),
    ({"MessageAttributes": {"a": {"DataType": "String", "BinaryValue": b"x"}}}, ("ParameterValueInvalid", None)),
    ({"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "x"}}}, ("ParameterValueInvalid", None)),
    ({"MessageAttributes": {"a": {"DataType": "String.Array", "StringValue": "[{}]"}}}, ("ParameterValueInvalid", None))])
def test_bad_messages(sns, kw, expected):
    arn = sns.create_topic(Name="bad-messages")["TopicArn"]
    kw = {k: v for k, v in {"TopicArn": arn, "Message": "m", **kw}.items() if v is not None}
    got = error(sns.publish, **kw)
    assert got[0] == expected[0] and expected[1] in (None, got[1])
    if "Message" in kw and "TopicArn" in kw:
        batch = {k: v for k, v in kw.items() if k != "TopicArn"}
        if len(kw["Message"]) <= 256 * 1024:
            reply = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[{"Id": "good", "Message": "m"}, {"Id": "bad", **batch}])
            assert [e["Id"] for e in reply["Successful"]] == ["good"]
            assert [(e["Id"], e["Code"], e["SenderFault"]) for e in reply["Failed"]] == [("bad", expected[0], True)]


def test_largest_message(sns, sqs, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    q = Queue(sqs, name, arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=arn, Message="x" * (256 * 1024))
    assert len(q.take()["Body"]) == 256 * 1024


def test_batch(sns, sqs, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    q = Queue(sqs, name, arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn, Attributes={"RawMessageDelivery": "true"})
    reply = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[{"Id": str(i), "Message": f"m{i}"} for i in range(10)])
    assert [e["Id"] for e in reply["Successful"]] == [str(i) for i in range(10)] and reply.get("Failed", []) == []
    assert sorted(q.take()["Body"] for i in range(10)) == [f"m{i}" for i in range(10)]

    def refused(*entries):
        return code(sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=list(entries))
    assert refused(*[{"Id": str(i), "Message": "m"} for i in range(11)]) == "TooManyEntriesInBatchRequest"
    assert refused({"Id": "a", "Message": "m"}, {"Id": "a", "Message": "m"}) == "BatchEntryIdsNotDistinct"
    assert refused({"Id": "a b", "Message": "m"}) == "InvalidBatchEntryId"
    assert refused({"Id": "a", "Message": "m" * 200000}, {"Id": "b", "Message": "m" * 200000}) == "BatchRequestTooLong"
    assert code(sns.publish_batch, TopicArn=arn, PublishBatchRequestEntries=[]) in ("EmptyBatchRequest", "ValidationError")


def test_dead_letters_of_a_queue(sns, sqs, name):
    """A queue that does not let the topic in, then one that is not there."""
    arn = sns.create_topic(Name=name)["TopicArn"]
    closed, dead = Queue(sqs, name, arn, allowed=False), Queue(sqs, name + "-dead", arn)
    redrive = json.dumps({"deadLetterTargetArn": dead.arn})
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=closed.arn, Attributes={"RedrivePolicy": redrive})["SubscriptionArn"]
    sns.publish(TopicArn=arn, Message="one")
    letter = dead.take()
    assert json.loads(letter["Body"])["Message"] == "one" and closed.take() is None
    assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "403"
    assert set(letter["MessageAttributes"]) == {"RequestID", "ErrorCode", "ErrorMessage"}
    sqs.delete_queue(QueueUrl=closed.url)
    sns.publish(TopicArn=arn, Message="two")
    assert dead.take()["MessageAttributes"]["ErrorCode"]["StringValue"] == "404"
    sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="RedrivePolicy", AttributeValue="{}")
    assert "RedrivePolicy" not in sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]
    sns.publish(TopicArn=arn, Message="three")
    assert dead.take() is None


def test_many_queues(sns, sqs, name):
    """More than a commit takes: a job delivers."""
    arn = sns.create_topic(Name=name)["TopicArn"]
    q = Queue(sqs, name, arn)
    for i in range(120):
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"{q.arn}-{i}")
    last = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn)["SubscriptionArn"]
    sns.publish(TopicArn=arn, Message="m")
    document = json.loads(q.take(wait=20)["Body"])
    assert document["Message"] == "m" and last in document["UnsubscribeURL"]
    sns.delete_topic(TopicArn=arn)
    again = sns.create_topic(Name=name)["TopicArn"]
    assert sns.get_topic_attributes(TopicArn=again)["Attributes"]["SubscriptionsConfirmed"] == "0"
    sns.publish(TopicArn=again, Message="m")
    assert q.take() is None


# --- FIFO ---------------------------------------------------------------------------------------------

def test_fifo(sns, sqs, name):
    arn = sns.create_topic(Name=name + ".fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"})["TopicArn"]
    q, plain = Queue(sqs, name, arn, fifo=True), Queue(sqs, name + "-plain", arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn, Attributes={"RawMessageDelivery": "true"})
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=plain.arn)
    first = sns.publish(TopicArn=arn, Message="1", MessageGroupId="g")
    assert sns.publish(TopicArn=arn, Message="1", MessageGroupId="h")["MessageId"] == first["MessageId"]
    second = sns.publish(TopicArn=arn, Message="2", MessageGroupId="g")
    batch = sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[
        {"Id": "a", "Message": "3", "MessageGroupId": "g"}, {"Id": "b", "Message": "no group"},
        {"Id": "c", "Message": "4", "MessageGroupId": "g", "MessageDeduplicationId": "d"}])
    assert [e["Id"] for e in batch["Successful"]] == ["a", "c"] and [e["Id"] for e in batch["Failed"]] == ["b"]
    numbers = [first["SequenceNumber"], second["SequenceNumber"]] + [e["SequenceNumber"] for e in batch["Successful"]]
    assert numbers == sorted(set(numbers)) and all(len(n) == 20 for n in numbers)
    got = [q.take() for _ in range(4)]
    assert [m["Body"] for m in got] == ["1", "2", "3", "4"] and {m["Attributes"]["MessageGroupId"] for m in got} == {"g"}
    assert got[3]["Attributes"]["MessageDeduplicationId"] == "d"
    documents = [plain.document() for _ in range(4)]
    assert sorted(d["SequenceNumber"] for d in documents) == numbers and not any("Signature" in d for d in documents)
    assert q.take() is None and plain.take() is None


def test_fifo_rules(sns, sqs, name):
    fifo = sns.create_topic(Name=name + ".fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    arn = sns.create_topic(Name=name)["TopicArn"]
    queue_arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    assert error(sns.publish, TopicArn=fifo, Message="m")[1] == "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    assert "ContentBasedDeduplication" in error(sns.publish, TopicArn=fifo, Message="m", MessageGroupId="g")[1]
    assert code(sns.publish, TopicArn=fifo, Message="m", MessageGroupId="a b", MessageDeduplicationId="d") == "InvalidParameter"
    assert code(sns.publish, TopicArn=fifo, Message="m", MessageGroupId="g", MessageDeduplicationId="d" * 129) == "InvalidParameter"
    assert code(sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=queue_arn + ".fifo") == "InvalidParameter"
    assert code(sns.subscribe, TopicArn=fifo, Protocol="email", Endpoint="a@b.c") == "InvalidParameter"
    for i in range(100):
        sns.subscribe(TopicArn=fifo, Protocol="sqs", Endpoint=f"{queue_arn}{i}.fifo")
    assert code(sns.subscribe, TopicArn=fifo, Protocol="sqs", Endpoint=queue_arn + ".fifo") == "SubscriptionLimitExceeded"
    sns.set_topic_attributes(TopicArn=fifo, AttributeName="FifoThroughputScope", AttributeValue="MessageGroup")
    a = sns.publish(TopicArn=fifo, Message="m", MessageGroupId="a", MessageDeduplicationId="d")
    b = sns.publish(TopicArn=fifo, Message="m", MessageGroupId="b", MessageDeduplicationId="d")
    assert a["MessageId"] != b["MessageId"]


# --- filters ------------------------------------------------------------------------------------------

def test_filters(sns, sqs, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    q, bodies = Queue(sqs, name, arn), Queue(sqs, name + "-body", arn)
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn, Attributes={
        "FilterPolicy": json.dumps({"kind": ["a", {"prefix": "b"}], "n": [{"numeric": [">", 5]}]}), "RawMessageDelivery": "true"})["SubscriptionArn"]
    other = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=bodies.arn, Attributes={
        "FilterPolicy": json.dumps({"x": {"y": ["z"]}}), "FilterPolicyScope": "MessageBody", "RawMessageDelivery": "true"})["SubscriptionArn"]

    def publish(message, **attributes):
        sns.publish(TopicArn=arn, Message=message, MessageAttributes={
            k: {"DataType": "Number" if isinstance(v, int) else "String", "StringValue": str(v)} for k, v in attributes.items()})
    publish("1", kind="a", n=6)
    publish("2", kind="a", n=5)
    publish("3", kind="bc", n=7)
    publish("4")
    publish('{"x":{"y":"z"}}')
    publish('{"x":{"y":"w"}}')
    assert sorted([q.take()["Body"], q.take()["Body"]]) == ["1", "3"] and q.take() is None
    assert bodies.take()["Body"] == '{"x":{"y":"z"}}' and bodies.take() is None
    a = sns.get_subscription_attributes(SubscriptionArn=other)["Attributes"]
    assert a["FilterPolicyScope"] == "MessageBody" and json.loads(a["FilterPolicy"]) == {"x": {"y": ["z"]}}
    sns.set_subscription_attributes(SubscriptionArn=sub, AttributeName="FilterPolicy", AttributeValue="{}")
    assert "FilterPolicy" not in sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]
    publish("5")
    assert q.take()["Body"] == "5"


@pytest.mark.parametrize("attribute, value", [
    ("FilterPolicy", "{"), ("FilterPolicy", '{"a":"b"}'), ("FilterPolicy", '{"a":[{"odd":1}]}'), ("FilterPolicy", '{"a":{"b":["c"]}}'),
    ("FilterPolicyScope", "Odd"), ("RawMessageDelivery", "odd"), ("RedrivePolicy", "{"), ("RedrivePolicy", '{"deadLetterTargetArn":"x"}'),
    ("RedrivePolicy", '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:q"}'),
    ("RedrivePolicy", '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:q.fifo"}'),
    ("RedrivePolicy", '{"odd":"x"}'), ("DeliveryPolicy", '{"healthyRetryPolicy":{"numRetries":1}}'), ("Odd", "x")])
def test_bad_subscription_attributes(sns, attribute, value):
    arn = sns.create_topic(Name="bad-subscriptions")["TopicArn"]
    endpoint = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    assert code(sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=endpoint + "-x", Attributes={attribute: value}) == "InvalidParameter"
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint)["SubscriptionArn"]
    assert code(sns.set_subscription_attributes, SubscriptionArn=sub, AttributeName=attribute, AttributeValue=value) == "InvalidParameter"


def test_too_many_filters(sns, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    made = [sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:q{i}",
                          Attributes={"FilterPolicy": '{"a":["b"]}'})["SubscriptionArn"] for i in range(200)]
    more = dict(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:more")
    assert code(sns.subscribe, **more, Attributes={"FilterPolicy": '{"a":["b"]}'}) == "FilterPolicyLimitExceeded"
    sub = sns.subscribe(**more)["SubscriptionArn"]
    change = dict(SubscriptionArn=sub, AttributeName="FilterPolicy", AttributeValue='{"a":["b"]}')
    assert code(sns.set_subscription_attributes, **change) == "FilterPolicyLimitExceeded"
    sns.set_subscription_attributes(SubscriptionArn=made[0], AttributeName="FilterPolicy", AttributeValue="")
    sns.set_subscription_attributes(**change)


# --- subscriptions ------------------------------------------------------------------------------------

def test_subscription_attributes(sns, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    endpoint = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    sub = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=endpoint)["SubscriptionArn"]
    assert sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"] == {
        "SubscriptionArn": sub, "TopicArn": arn, "Owner": ACCOUNT, "Protocol": "sqs", "Endpoint": endpoint, "PendingConfirmation": "false",
        "ConfirmationWasAuthenticated": "true", "RawMessageDelivery": "false", "SubscriptionPrincipal": f"arn:aws:iam::{ACCOUNT}:root"}
    listed = {"SubscriptionArn": sub, "Owner": ACCOUNT, "Protocol": "sqs", "Endpoint": endpoint, "TopicArn": arn}
    assert sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"] == [listed]
    assert listed in [s for page in sns.get_paginator("list_subscriptions").paginate() for s in page["Subscriptions"]]
    assert error(sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=endpoint, Attributes={"RawMessageDelivery": "true"}) == (
        "InvalidParameter", "Invalid parameter: Attributes Reason: Subscription already exists with different attributes")


@pytest.mark.parametrize("protocol, endpoint", [
    ("odd", "x"), ("sqs", "x"), ("sqs", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"), ("lambda", "f"), ("email", "x"), ("email", "a@b"),
    ("http", "https://a.b"), ("https", "http://a.b"), ("http", "x"), ("email-json", "a b@c.d"), ("sqs", ""), ("http", "http://a b")])
def test_bad_endpoints(sns, protocol, endpoint):
    arn = sns.create_topic(Name="bad-endpoints")["TopicArn"]
    assert code(sns.subscribe, TopicArn=arn, Protocol=protocol, Endpoint=endpoint) == "InvalidParameter"


# --- HTTP ---------------------------------------------------------------------------------------------

def confirmed(sns, receiver, arn, **attributes):
    """A confirmed subscription of the receiver, and the document that asked for it."""
    reply = sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=receiver.url, Attributes=attributes)
    assert reply["SubscriptionArn"] == "pending confirmation"
    headers, body = receiver.next()
    document = json.loads(body)
    return sns.confirm_subscription(TopicArn=arn, Token=document["Token"])["SubscriptionArn"], headers, document


def test_http(sns, receiver, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    sub, headers, document = confirmed(sns, receiver, arn)
    assert list(document) == ["Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeURL", "Timestamp", "SignatureVersion",
                              "Signature", "SigningCertURL"]
    assert headers["x-amz-sns-message-type"] == document["Type"] == "SubscriptionConfirmation"
    assert headers["x-amz-sns-message-id"] == document["MessageId"] and headers["x-amz-sns-topic-arn"] == arn
    assert headers["content-type"] == "text/plain; charset=UTF-8" and headers["user-agent"] == "Amazon Simple Notification Service Agent"
    verify(document)
    a = sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]
    assert (a["PendingConfirmation"], a["ConfirmationWasAuthenticated"]) == ("false", "true")
    assert json.loads(a["EffectiveDeliveryPolicy"])["healthyRetryPolicy"]["numRetries"] == 3
    sns.publish(TopicArn=arn, Message="m", Subject="s")
    headers, body = receiver.next()
    note = json.loads(body)
    assert headers["x-amz-sns-message-type"] == note["Type"] == "Notification" and headers["x-amz-sns-subscription-arn"] == sub
    assert note["Message"] == "m"
    verify(note)
    assert "ConfirmSubscriptionResult" in get(document["SubscribeURL"])  # once more is fine
    assert "UnsubscribeResponse" in get(note["UnsubscribeURL"])
    headers, body = receiver.next()
    end = json.loads(body)
    assert headers["x-amz-sns-message-type"] == end["Type"] == "UnsubscribeConfirmation"
    verify(end)
    assert sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"] == []
    get(end["SubscribeURL"])  # which takes the end back
    assert [s["Endpoint"] for s in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]] == [receiver.url]
    assert receiver.got.empty()


def test_http_raw(sns, receiver, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    policy = json.dumps({"requestPolicy": {"headerContentType": "application/json"}})
    sub, _, _ = confirmed(sns, receiver, arn, RawMessageDelivery="true", DeliveryPolicy=policy)
    sns.publish(TopicArn=arn, Message='{"a":1}')
    headers, body = receiver.next()
    assert body == '{"a":1}' and headers["x-amz-sns-rawdelivery"] == "true" and headers["content-type"] == "application/json"
    assert json.loads(sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]["DeliveryPolicy"]) == json.loads(policy)


@pytest.fixture(params=["plain", "encrypted"])
def sealed(request, weir):
    """Attributes of a topic, without and with a key of KMS."""
    key = request.param == "encrypted" and weir.client("kms").create_key()["KeyMetadata"]["Arn"]
    return {"KmsMasterKeyId": key} if key else {}


def test_http_retries(sns, sqs, receiver, name, sealed):
    """500 is tried again, 4xx is not; what is given up is a dead letter."""
    arn = sns.create_topic(Name=name, Attributes=sealed)["TopicArn"]
    dead = Queue(sqs, name, arn)
    retry = {"healthyRetryPolicy": {"numRetries": 2, "numNoDelayRetries": 2, "minDelayTarget": 1, "maxDelayTarget": 1}}
    confirmed(sns, receiver, arn, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}), DeliveryPolicy=json.dumps(retry))
    receiver.answers = [500, 429, 200]
    sns.publish(TopicArn=arn, Message="third time")
    assert {json.loads(receiver.next()[1])["Message"] for _ in range(3)} == {"third time"}
    receiver.answers = [403]
    sns.publish(TopicArn=arn, Message="never")
    letter = dead.take(wait=20)
    assert json.loads(letter["Body"])["Message"] == "never" and letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "403"
    receiver.answers = [500, 500, 500]
    sns.publish(TopicArn=arn, Message="exhausted")
    letter = dead.take(wait=20)
    assert json.loads(letter["Body"])["Message"] == "exhausted" and letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "500"


def test_http_retry_while_the_key_is_disabled(weir, sns, sqs, receiver, name):
    """A message that waits for its next attempt cannot be read meanwhile; it is sent once the key works again. One whose
    attempts are over by then is lost: nobody can read what the dead letter would be."""
    kms = weir.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    arn = sns.create_topic(Name=name, Attributes={"KmsMasterKeyId": key})["TopicArn"]
    dead = Queue(sqs, name, arn)
    retry = {"healthyRetryPolicy": {"numRetries": 3, "minDelayTarget": 1, "maxDelayTarget": 1}}
    confirmed(sns, receiver, arn, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead.arn}), DeliveryPolicy=json.dumps(retry))
    unread = lambda: weir.log_text().count("cannot be read: The key is disabled.")

    def published_and_disabled(message):
        receiver.answers = [500]
        sns.publish(TopicArn=arn, Message=message)
        assert json.loads(receiver.next()[1])["Message"] == message
        before = unread()
        kms.disable_key(KeyId=key)
        return before

    before = published_and_disabled("waits")
    wait_for(lambda: unread() > before, 30, "an attempt that cannot read")
    kms.enable_key(KeyId=key)
    assert json.loads(receiver.next()[1])["Message"] == "waits"
    before = published_and_disabled("lost")
    wait_for(lambda: unread() >= before + 4, 30, "three attempts and the end")
    kms.enable_key(KeyId=key)
    sns.publish(TopicArn=arn, Message="after")
    assert json.loads(receiver.next()[1])["Message"] == "after"
    assert receiver.got.empty() and dead.take() is None


def test_pending(sns, receiver, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    sub = sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=receiver.url, ReturnSubscriptionArn=True)["SubscriptionArn"]
    token = json.loads(receiver.next()[1])["Token"]
    assert sub.startswith(arn + ":")
    a = sns.get_subscription_attributes(SubscriptionArn=sub)["Attributes"]
    assert (a["PendingConfirmation"], a["ConfirmationWasAuthenticated"]) == ("true", "false")
    assert [s["SubscriptionArn"] for s in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]] == ["PendingConfirmation"]
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsPending"] == "1"
    got = error(sns.unsubscribe, SubscriptionArn=sub)
    assert got[0] == "InvalidParameter" and "Cannot unsubscribe a subscription that is pending confirmation" in got[1]  # Terraform looks for it
    sns.publish(TopicArn=arn, Message="too early")
    other = sns.create_topic(Name=name + "-other")["TopicArn"]
    for topic, text in [(arn, token[:-1] + ("A" if token[-1] != "A" else "B")), (arn, "x"), (other, token)]:
        assert error(sns.confirm_subscription, TopicArn=topic, Token=text) == ("InvalidParameter", "Invalid parameter: Token")
    assert sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=receiver.url)["SubscriptionArn"] == "pending confirmation"
    assert json.loads(receiver.next()[1])["Type"] == "SubscriptionConfirmation"  # asked again, and the message never came
    assert sns.confirm_subscription(TopicArn=arn, Token=token)["SubscriptionArn"] == sub


def test_unsubscribe_by_signature_only(weir, sns, receiver, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=receiver.url)
    token = json.loads(receiver.next()[1])["Token"]
    nobody = weir.client("sns", config=Config(signature_version=UNSIGNED))
    ask = dict(TopicArn=arn, Token=token, AuthenticateOnUnsubscribe="true")
    assert code(nobody.confirm_subscription, **ask) == "AuthorizationError"
    sub = sns.confirm_subscription(**ask)["SubscriptionArn"]
    assert code(nobody.unsubscribe, SubscriptionArn=sub) == "AuthorizationError"
    sns.unsubscribe(SubscriptionArn=sub)


def test_own_machine_is_refused_unless_allowed(make_weir, receiver):
    server = make_weir()
    sns, sqs = server.client("sns"), server.client("sqs")
    arn = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=receiver.url)
    deadline = time.monotonic() + 20
    while "--allow-outgoing-loopback" not in server.log_text() and time.monotonic() < deadline:
        sqs.list_queues()
    assert "--allow-outgoing-loopback" in server.log_text() and receiver.got.empty()


# --- letters ------------------------------------------------------------------------------------------

def test_mail(weir, sns, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    for protocol, to in [("email", f"{name}@example.com"), ("email-json", f"{name}-json@example.com")]:
        sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=to)

    def letters():
        shown = json.loads(get(weir.endpoint + "/_weir/sns/mail"))["messages"]
        return {m["to"]: m for m in reversed(shown) if m["to"].startswith(name)}
    asked = letters()
    link = re.search(r"http://\S+", asked[f"{name}@example.com"]["body"]).group()
    assert "ConfirmSubscriptionResult" in get(link) and link in weir.log_text()
    get(json.loads(asked[f"{name}-json@example.com"]["body"])["SubscribeURL"])
    sns.publish(TopicArn=arn, Message="hello", Subject="news")
    got = letters()
    plain, document = got[f"{name}@example.com"], json.loads(got[f"{name}-json@example.com"]["body"])
    assert plain["subject"] == "news" and plain["body"].startswith("hello\n") and "Action=Unsubscribe" in plain["body"]
    assert document["Message"] == "hello"
    verify(document)
    west = weir.client("sns", region="eu-west-3")  # links lead to their topic's region
    far = west.create_topic(Name=name)["TopicArn"]
    west.subscribe(TopicArn=far, Protocol="email", Endpoint=f"{name}-far@example.com")
    get(re.search(r"http://\S+", letters()[f"{name}-far@example.com"]["body"]).group())
    assert west.get_topic_attributes(TopicArn=far)["Attributes"]["SubscriptionsConfirmed"] == "1"
    west.publish(TopicArn=far, Message="far")
    get(re.search(r"http://\S+", letters()[f"{name}-far@example.com"]["body"]).group())
    assert west.get_topic_attributes(TopicArn=far)["Attributes"]["SubscriptionsConfirmed"] == "0"
    foreign = urllib.request.Request(weir.endpoint + "/_weir/sns/mail", headers={"Origin": "http://evil.example"})
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(foreign)
    assert e.value.code == 403


# --- functions, and topics as targets -----------------------------------------------------------------

def test_function(weir, sns, sqs, name):
    arn = sns.create_topic(Name=name)["TopicArn"]
    dead = Queue(sqs, name, arn)
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:none"
    sub = sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=function, Attributes={
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})})["SubscriptionArn"]
    sns.publish(TopicArn=arn, Message="m", MessageAttributes={"a": {"DataType": "String", "StringValue": "x"}})
    letter = dead.take()
    assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "404"
    record = json.loads(letter["Body"])["Records"][0]
    assert list(record) == ["EventSource", "EventVersion", "EventSubscriptionArn", "Sns"] and record["EventSubscriptionArn"] == sub
    assert list(record["Sns"]) == ["Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
                                   "SigningCertUrl", "UnsubscribeUrl", "MessageAttributes"]
    assert record["Sns"]["Subject"] is None and record["Sns"]["MessageAttributes"] == {"a": {"Type": "String", "Value": "x"}}
    verify(record["Sns"])


def test_function_is_permitted_and_fails_to_topics(weir, sns, sqs, name):
    """A function that may never run: its events come back by its dead letters and its destination, both topics."""
    iam, functions = weir.client("iam"), weir.client("lambda")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    letters, records = [sns.create_topic(Name=f"{name}-{what}")["TopicArn"] for what in ("letters", "records")]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as z:
        z.writestr("bootstrap", "#!/bin/sh\n")
    make = dict(FunctionName=name, Runtime="provided.al2023", Handler="h", Role=role, Code={"ZipFile": package.getvalue()},
                DeadLetterConfig={"TargetArn": letters})
    assert "Publish on SNS" in error(functions.create_function, **make)[1]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}]}))
    function = functions.create_function(**make)["FunctionArn"]
    functions.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnFailure": {"Destination": records}})
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    got = {}
    for what, topic in (("letters", letters), ("records", records)):
        got[what] = Queue(sqs, f"{name}-{what}", topic)
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=got[what].arn, Attributes={"RawMessageDelivery": "true"})
    arn = sns.create_topic(Name=name)["TopicArn"]
    dead = Queue(sqs, name, arn)
    sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=function, Attributes={
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead.arn})})
    sns.publish(TopicArn=arn, Message="not permitted")
    assert dead.take()["MessageAttributes"]["ErrorCode"]["StringValue"] == "403"
    functions.add_permission(FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="sns.amazonaws.com", SourceArn=arn)
    sns.publish(TopicArn=arn, Message="permitted")
    letter = got["letters"].take(wait=20)
    assert json.loads(letter["Body"])["Records"][0]["Sns"]["Message"] == "permitted"
    assert letter["MessageAttributes"]["ErrorCode"] == {"DataType": "Number", "StringValue": "429"}
    record = json.loads(got["records"].take(wait=20)["Body"])
    assert record["requestPayload"]["Records"][0]["Sns"]["Message"] == "permitted" and dead.take() is None


def test_topic_of_a_bucket(weir, sns, sqs, name):
    s3, bucket = weir.client("s3"), name.lower().replace("_", "-")
    s3.create_bucket(Bucket=bucket)
    arn = sns.create_topic(Name=name)["TopicArn"]
    q = Queue(sqs, name, arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn)
    config = {"TopicConfigurations": [{"Id": "t", "TopicArn": arn, "Events": ["s3:ObjectCreated:*"],
                                       "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"}]}}}]}
    put = dict(Bucket=bucket, NotificationConfiguration=config)
    assert code(s3.put_bucket_notification_configuration, **put) == "InvalidArgument"
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=statement(
        {"Service": "s3.amazonaws.com"}, "SNS:Publish", arn, f"arn:aws:s3:::{bucket}"))
    s3.put_bucket_notification_configuration(**put)
    assert json.loads(q.document()["Message"])["Event"] == "s3:TestEvent"
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["TopicConfigurations"] == config["TopicConfigurations"]
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"x")
    s3.put_object(Bucket=bucket, Key="out/a", Body=b"x")
    document = q.document()
    assert document["Subject"] == "Amazon S3 Notification"
    assert json.loads(document["Message"])["Records"][0]["s3"]["object"]["key"] == "in/a"
    assert q.take() is None


# --- durability ---------------------------------------------------------------------------------------

def test_restart(fresh_weir):
    sns, sqs = fresh_weir.client("sns"), fresh_weir.client("sqs")
    arn = sns.create_topic(Name="t")["TopicArn"]
    q = Queue(sqs, "q", arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=q.arn, Attributes={"FilterPolicy": '{"a":["b"]}'})
    attributes = {"a": {"DataType": "String", "StringValue": "b"}}
    sns.publish(TopicArn=arn, Message="1", MessageAttributes=attributes)
    before = verify(q.document())
    fresh_weir.restart()
    sns, q.sqs = fresh_weir.client("sns"), fresh_weir.client("sqs")
    sns.publish(TopicArn=arn, Message="no")
    sns.publish(TopicArn=arn, Message="2", MessageAttributes=attributes)
    document = q.document()
    assert document["Message"] == "2" and verify(document) == before
