"""S3 through boto3: buckets, objects, ranges and conditions, listings, versions, multipart uploads,
copies, integrity, notifications, restarts."""
import base64
import concurrent.futures
import datetime
import hashlib
import http.client
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
import zlib

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from weirtest import wait_for

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def s3(weir):
    return weir.client("s3")


@pytest.fixture
def bucket(s3):
    name = "b-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name)
    yield name


def code_of(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]


def files_of(weir):
    found = []
    for folder, _, names in os.walk(os.path.join(weir.data_dir, "s3")):
        found += [os.path.join(folder, n) for n in names]
    return found


# --- buckets ---------------------------------------------------------------------------------------

def test_bucket_life(s3, bucket):
    s3.create_bucket(Bucket=bucket)  # again, in us-east-1
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    head = s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    assert head["x-amz-bucket-region"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert code_of(s3.delete_bucket, Bucket=bucket) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    assert code_of(s3.head_bucket, Bucket=bucket) == ("404", 404)
    assert code_of(s3.delete_bucket, Bucket=bucket) == ("NoSuchBucket", 404)
    assert code_of(s3.list_objects_v2, Bucket=bucket) == ("NoSuchBucket", 404)
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x") == ("NoSuchBucket", 404)


@pytest.mark.parametrize("name", ["ab", "a" * 64, "Upper", "a_b", "a..b", "-ab", "ab-", "1.2.3.4", "xn--abc",
                                  "abc-s3alias"])
def test_bucket_names(s3, name):
    with pytest.raises(ClientError) as e:
        s3.create_bucket(Bucket=name)
    assert e.value.response["Error"]["Code"] == "InvalidBucketName"


def test_bucket_regions(weir, s3):
    name = "r-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
    assert code_of(s3.create_bucket, Bucket=name) == ("BucketAlreadyOwnedByYou", 409)
    assert code_of(s3.create_bucket, Bucket=name + "x",
                   CreateBucketConfiguration={"LocationConstraint": "nowhere"})[0] == "InvalidLocationConstraint"


@pytest.mark.parametrize("operation, code", [
    ("get_bucket_policy", "NoSuchBucketPolicy"),
    ("get_bucket_cors", "NoSuchCORSConfiguration"),
    ("get_bucket_website", "NoSuchWebsiteConfiguration"),
    ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
    ("get_bucket_tagging", "NoSuchTagSet"),
    ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
])
def test_absent_settings(s3, bucket, operation, code):
    assert code_of(getattr(s3, operation), Bucket=bucket) == (code, 404)
    assert code_of(getattr(s3, operation), Bucket=bucket + "-none") == ("NoSuchBucket", 404)


@pytest.mark.parametrize("kind", ["analytics", "inventory", "intelligent_tiering", "metrics"])
def test_absent_configurations(s3, bucket, kind):
    for verb in ("get", "delete"):
        call = getattr(s3, f"{verb}_bucket_{kind}_configuration")
        assert code_of(call, Bucket=bucket, Id="i") == ("NoSuchConfiguration", 404)
        assert code_of(call, Bucket=bucket + "-none", Id="i") == ("NoSuchBucket", 404)
    assert getattr(s3, f"list_bucket_{kind}_configurations")(Bucket=bucket)["IsTruncated"] is False
    assert s3.delete_bucket_replication(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_default_settings(s3, bucket):
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    owner = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    acl = s3.get_bucket_acl(Bucket=bucket)
    assert [g["Permission"] for g in acl["Grants"]] == ["FULL_CONTROL"]
    assert acl["Grants"][0]["Grantee"]["Type"] == "CanonicalUser"
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    s3.get_bucket_notification_configuration(Bucket=bucket)


@pytest.mark.parametrize("operation, args", [
    ("put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": [
        {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}]}}),
    ("put_bucket_accelerate_configuration", {"AccelerateConfiguration": {"Status": "Enabled"}}),
    ("put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms:dsse"}}]}}),
])
def test_unsupported_settings_are_refused(s3, bucket, operation, args):
    assert code_of(getattr(s3, operation), Bucket=bucket, **args) == ("NotImplemented", 501)


LIFE_RULES = [
    {"ID": "all", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2}},
    {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30},
     "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    {"ID": "tag", "Status": "Disabled", "Filter": {"Tag": {"Key": "a", "Value": "b"}},
     "Expiration": {"Date": datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)}},
    {"ID": "and", "Status": "Enabled", "Filter": {"And": {"Prefix": "x", "Tags": [{"Key": "a", "Value": ""}],
                                                           "ObjectSizeGreaterThan": 0, "ObjectSizeLessThan": 10}}, "Expiration": {"Days": 1}},
    {"ID": "size", "Status": "Enabled", "Filter": {"ObjectSizeLessThan": 5}, "Expiration": {"Days": 2}},
    {"ID": "marker", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
]


def put_life(s3, bucket, *rules):
    return s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})


LEAST_SIZE = "x-amz-transition-default-minimum-object-size"  # which old clients have no member for


def least_size(reply):
    return reply["ResponseMetadata"]["HTTPHeaders"][LEAST_SIZE]


def test_lifecycle_rules_are_kept(weir, s3, bucket):
    least = least_size(put_life(s3, bucket, *LIFE_RULES))
    shown = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert shown["Rules"] == LIFE_RULES
    assert least_size(shown) == least == "all_storage_classes_128K"
    old = {"Status": "Enabled", "Prefix": "p", "Expiration": {"Days": 1}}
    varying = weir.client("s3")
    varying.meta.events.register("before-call.s3.PutBucketLifecycleConfiguration",
                                 lambda params, **kw: params["headers"].update({LEAST_SIZE: "varies_by_storage_class"}))
    put_life(varying, bucket, old, {**old, "Prefix": ""})
    shown = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert least_size(shown) == "varies_by_storage_class"
    ids = [r.pop("ID") for r in shown["Rules"]]
    assert len(set(ids)) == 2 and all(ids) and shown["Rules"] == [old, {**old, "Prefix": ""}]
    put_life(s3, bucket, *({**old, "ID": str(n)} for n in range(1000)))
    assert len(s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]) == 1000
    s3.delete_bucket_lifecycle(Bucket=bucket)
    s3.delete_bucket_lifecycle(Bucket=bucket)
    assert code_of(s3.get_bucket_lifecycle_configuration, Bucket=bucket) == ("NoSuchLifecycleConfiguration", 404)
    assert code_of(s3.delete_bucket_lifecycle, Bucket=bucket + "-none") == ("NoSuchBucket", 404)
    with pytest.raises(s3.exceptions.NoSuchBucket):
        put_life(s3, bucket + "-none", old)


LIFE = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
LIFE_TAG = {"Filter": {"Tag": {"Key": "a", "Value": "b"}}}
LIFE_SIZE = {"Filter": {"ObjectSizeGreaterThan": 1}}
LIFE_ABORT = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}


@pytest.mark.parametrize("code, says, change", [
    ("InvalidArgument", "positive integer", {"Expiration": {"Days": 0}}),
    ("InvalidArgument", "'NoncurrentDays'", {"NoncurrentVersionExpiration": {"NoncurrentDays": -1}}),
    ("InvalidArgument", "'NewerNoncurrentVersions'", {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 0}}),
    ("InvalidArgument", "at most 100", {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}}),
    ("InvalidArgument", "'DaysAfterInitiation'", {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0}}),
    ("InvalidArgument", "midnight", {"Expiration": {"Date": "2030-01-01T00:00:01Z"}}),
    ("InvalidArgument", "255", {"ID": "i" * 256}),
    ("InvalidArgument", "integers", {"Filter": {"ObjectSizeGreaterThan": -2}}),
    ("InvalidRequest", "At least one action", {"Expiration": None}),
    ("InvalidRequest", "with Tags", {**LIFE_TAG, **LIFE_ABORT}),
    ("InvalidRequest", "with Tags", {**LIFE_TAG, "Expiration": {"ExpiredObjectDeleteMarker": True}}),
    ("InvalidRequest", "with Object Size", {**LIFE_SIZE, **LIFE_ABORT}),
    ("InvalidRequest", "greater than", {"Filter": {"And": {"ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 5}}}),
    ("InvalidRequest", "prefix", {"Filter": {"Prefix": "p" * 1025}}),
    ("InvalidRequest", "V2", {"Filter": None, "Prefix": "", "NoncurrentVersionExpiration": {
        "NoncurrentDays": 1, "NewerNoncurrentVersions": 1}}),
    ("InvalidTag", "", {"Filter": {"And": {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}}}),
    ("MalformedXML", "", {"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}}),
    ("MalformedXML", "", {"Expiration": {}}),
    ("MalformedXML", "", {"Status": "On"}),
    ("MalformedXML", "", {"Prefix": ""}),
    ("MalformedXML", "", {"Filter": None}),
    ("MalformedXML", "", {"Filter": {"Prefix": "a", "ObjectSizeLessThan": 4}}),
    ("MalformedXML", "", {"Filter": {"And": {"Prefix": "a"}}}),
    ("MalformedXML", "", {"NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 1}}),
    ("MalformedXML", "", {"AbortIncompleteMultipartUpload": {}}),
    ("NotImplemented", "Transitions", {"NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "GLACIER"}]}),
])
def test_lifecycle_refusals(s3, bucket, code, says, change):
    rule = {k: v for k, v in {**LIFE, **change}.items() if v is not None}
    with pytest.raises(ClientError) as e:
        put_life(s3, bucket, rule)
    assert e.value.response["Error"]["Code"] == code and says in e.value.response["Error"]["Message"]
    assert code_of(s3.get_bucket_lifecycle_configuration, Bucket=bucket)[0] == "NoSuchLifecycleConfiguration"


def test_lifecycle_rules_among_each_other(s3, bucket):
    old = {"ID": "old", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}
    for code, rules in (("InvalidArgument", [LIFE, LIFE]), ("InvalidRequest", [LIFE, old]), ("MalformedXML", []),
                        ("MalformedXML", [{**LIFE, "ID": str(n)} for n in range(1001)])):
        with pytest.raises(ClientError) as e:
            put_life(s3, bucket, *rules)
        assert e.value.response["Error"]["Code"] == code


def test_lifecycle_expiry_is_told(s3, bucket):
    put_life(s3, bucket, {**LIFE, "ID": "of logs", "Filter": {"Prefix": "logs/"}}, {**LIFE, "Filter": {"Prefix": "l"}, "Expiration": {"Days": 5}})
    told = s3.put_object(Bucket=bucket, Key="logs/k", Body=b"x")["Expiration"]
    made = s3.head_object(Bucket=bucket, Key="logs/k")
    day = made["LastModified"] + datetime.timedelta(days=2) - datetime.timedelta(seconds=1)
    assert told == made["Expiration"] == s3.get_object(Bucket=bucket, Key="logs/k")["Expiration"]
    assert told == day.strftime('expiry-date="%a, %d %b %Y 00:00:00 GMT", rule-id="of%%20logs"')
    copied = s3.copy_object(Bucket=bucket, Key="l", CopySource=f"{bucket}/logs/k")
    assert 'rule-id="r"' in copied["Expiration"]
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="other", Body=b"x")


def page_asks(weir, method, target, **headers):
    """Status, cross-origin headers and body of what a browser would send for a page."""
    peer = http.client.HTTPConnection("127.0.0.1", weir.port, timeout=30)
    peer.request(method, target, headers={k.replace("_", "-"): v for k, v in headers.items()},
                 body=b"of a page" if method == "PUT" else None)
    reply = peer.getresponse()
    body = reply.read().decode()
    peer.close()
    return reply.status, {k[len("Access-Control-"):]: v for k, v in reply.getheaders() if k.startswith("Access-Control-")}, body


def presigned_target(s3, operation, bucket, key):
    url = urllib.parse.urlsplit(s3.generate_presigned_url(operation, Params={"Bucket": bucket, "Key": key}))
    return f"{url.path}?{url.query}"


CORS_RULES = [
    {"ID": "uploads", "AllowedOrigins": ["http://*.example", "https://app.test"], "AllowedMethods": ["PUT", "DELETE"],
     "AllowedHeaders": ["content-type", "x-amz-*"], "ExposeHeaders": ["ETag", "x-amz-version-id"], "MaxAgeSeconds": 60},
    {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
]


def test_cors(weir, s3, bucket):
    put, get = (presigned_target(s3, op, bucket, "k") for op in ("put_object", "get_object"))
    asked = {"Origin": "http://a.example", "Access_Control_Request_Method": "PUT",
             "Access_Control_Request_Headers": "content-type,x-amz-meta-a"}
    refused = lambda *args, **kw: page_asks(weir, *args, **kw)[:2] == (403, {})  # noqa: E731
    assert refused("OPTIONS", put, **asked) and refused("PUT", put, Origin="http://a.example")

    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": CORS_RULES})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == CORS_RULES
    own = {"Allow-Origin": "http://a.example", "Allow-Methods": "PUT, DELETE", "Expose-Headers": "ETag, x-amz-version-id",
           "Max-Age": "60", "Allow-Credentials": "true"}
    status, told, body = page_asks(weir, "OPTIONS", put, **asked)
    assert (status, told, body) == (200, {**own, "Allow-Headers": "content-type, x-amz-meta-a"}, "")
    for other in ({"Origin": "http://evil.test"}, {"Access_Control_Request_Method": "POST"},
                  {"Access_Control_Request_Headers": "authorization"}):
        status, told, body = page_asks(weir, "OPTIONS", put, **{**asked, **other})
        assert (status, told) == (403, {}) and "<Code>AccessForbidden</Code>" in body and "CORSResponse" in body
    assert refused("OPTIONS", f"/{bucket}-other/k", **asked)

    assert page_asks(weir, "PUT", put, Origin="http://a.example")[:2] == (200, own)
    # A request that says what it asked for before is judged by that; names come back in lower case.
    assert page_asks(weir, "GET", get, **{**asked, "Access_Control_Request_Headers": "Content-Type"})[1] == {
        **own, "Allow-Headers": "content-type"}
    assert page_asks(weir, "PUT", put, **{**asked, "Access_Control_Request_Headers": "authorization"})[:2] == (403, {})
    assert refused("PUT", put, Origin="http://evil.test")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"of a page"
    status, told, body = page_asks(weir, "GET", get, Origin="http://evil.test")
    assert (status, told, body) == (200, {"Allow-Origin": "*", "Allow-Methods": "GET"}, "of a page")
    # Errors are for the page to read, too; and its being allowed to ask is no permission.
    status, told, body = page_asks(weir, "GET", get.replace("Signature=", "Signature=0"), Origin="http://evil.test")
    assert status == 403 and told["Allow-Origin"] == "*" and "SignatureDoesNotMatch" in body
    assert page_asks(weir, "GET", f"/{bucket}/k", Origin="http://evil.test")[0] == 403
    assert page_asks(weir, "GET", get)[1] == {}

    s3.delete_bucket_cors(Bucket=bucket)
    assert code_of(s3.get_bucket_cors, Bucket=bucket) == ("NoSuchCORSConfiguration", 404)
    assert refused("OPTIONS", put, **asked)


@pytest.mark.parametrize("change, code, words", [
    ({"AllowedMethods": ["PATCH"]}, "InvalidRequest", "Unsupported method is PATCH"),
    ({"AllowedOrigins": ["http://*.*"]}, "InvalidRequest", "can not have more than one wildcard"),
    ({"AllowedHeaders": ["*-*"]}, "InvalidRequest", "can not have more than one wildcard"),
    ({"ExposeHeaders": ["x-*"]}, "InvalidRequest", "contains wildcard"),
    ({"ID": "i" * 256}, "InvalidRequest", "255"),
    ({"AllowedOrigins": []}, "MalformedXML", "well-formed"),
    ({"AllowedMethods": []}, "MalformedXML", "well-formed"),
])
def test_bad_cors(s3, bucket, change, code, words):
    rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], **change}
    with pytest.raises(ClientError, match=words) as e:
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert e.value.response["Error"]["Code"] == code
    for number in (0, 101):
        assert code_of(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration={"CORSRules": CORS_RULES[1:] * number})[0] == "MalformedXML"
    assert code_of(s3.get_bucket_cors, Bucket=bucket)[0] == "NoSuchCORSConfiguration"


def test_bucket_tags(s3, bucket):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "1"}]
    s3.delete_bucket_tagging(Bucket=bucket)
    assert code_of(s3.get_bucket_tagging, Bucket=bucket)[0] == "NoSuchTagSet"


def test_bucket_policy(s3, bucket):
    def policy(principal, resource="/*", **more):
        return json.dumps({"Version": "2012-10-17", "Statement": [dict(
            Effect="Allow", Principal=principal, Action="s3:GetObject",
            Resource=f"arn:aws:s3:::{bucket}{resource}", **more)]})

    mine = policy({"AWS": "arn:aws:iam::000000000000:root"})
    s3.put_bucket_policy(Bucket=bucket, Policy=mine)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(mine)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=policy("*")) == ("AccessDenied", 403)
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy="{") == ("MalformedPolicy", 400)
    elsewhere = policy({"AWS": "000000000000"}, "-other/*")
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=elsewhere) == ("MalformedPolicy", 400)
    odd = policy({"AWS": "000000000000"}, Condition={"StringEquals": {"s3:NoSuchKey": "y"}})
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=odd) == ("MalformedPolicy", 400)
    s3.delete_public_access_block(Bucket=bucket)
    assert code_of(s3.get_public_access_block, Bucket=bucket)[0] == "NoSuchPublicAccessBlockConfiguration"
    s3.put_bucket_policy(Bucket=bucket, Policy=policy("*"))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    s3.delete_bucket_policy(Bucket=bucket)
    assert code_of(s3.get_bucket_policy, Bucket=bucket)[0] == "NoSuchBucketPolicy"


def test_policies_bind(weir, s3, bucket):
    iam = weir.client("iam")
    name = "u-" + os.urandom(4).hex()
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:DeleteObject"],
                                                "Resource": f"arn:aws:s3:::{bucket}/ok*"}]}))
    user = weir.client("s3", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    for k in ("ok1", "ok2", "no1"):
        s3.put_object(Bucket=bucket, Key=k, Body=b"x")
    assert user.get_object(Bucket=bucket, Key="ok1")["Body"].read() == b"x"
    for call, args in ((user.get_object, {"Key": "no1"}), (user.get_object, {"Key": "ok-none"}),
                       (user.put_object, {"Key": "ok3", "Body": b""}), (user.list_objects_v2, {}),
                       (user.get_object, {"Key": "ok1", "VersionId": "null"}),
                       (user.copy_object, {"Key": "ok4", "CopySource": f"{bucket}/ok1"})):
        assert code_of(call, Bucket=bucket, **args) == ("AccessDenied", 403)
    r = user.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "ok1"}, {"Key": "no1"}]})
    assert [d["Key"] for d in r["Deleted"]] == ["ok1"]
    assert [(e["Key"], e["Code"]) for e in r["Errors"]] == [("no1", "AccessDenied")]
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": everything}]}))
    assert code_of(s3.get_object, Bucket=bucket, Key="ok2") == ("AccessDenied", 403)
    s3.delete_bucket_policy(Bucket=bucket)  # root can always take a policy back
    s3.get_object(Bucket=bucket, Key="ok2")


# --- objects ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [0, 1, 2 * 1024, 2 * 1024 + 1, 16 * 1024, 16 * 1024 + 1, 64 * 1024, 64 * 1024 + 1, 3 * MIB + 7])
def test_round_trip(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="dir/k ö+&.bin", Body=body, ContentType="text/plain",
                        CacheControl="no-cache", Metadata={"Colour": "blue"}, Tagging="a=1&b=x%20y")
    etag = '"%s"' % hashlib.md5(body).hexdigest()
    assert put["ETag"] == etag and put["ServerSideEncryption"] == "AES256"
    got = s3.get_object(Bucket=bucket, Key="dir/k ö+&.bin")
    assert got["Body"].read() == body
    assert (got["ETag"], got["ContentLength"], got["ContentType"]) == (etag, size, "text/plain")
    assert got["CacheControl"] == "no-cache" and got["Metadata"] == {"colour": "blue"}
    assert got["TagCount"] == 2 and got["AcceptRanges"] == "bytes"
    head = s3.head_object(Bucket=bucket, Key="dir/k ö+&.bin")
    assert (head["ETag"], head["ContentLength"], head["ContentType"]) == (etag, size, "text/plain")
    s3.delete_object(Bucket=bucket, Key="dir/k ö+&.bin")
    assert code_of(s3.get_object, Bucket=bucket, Key="dir/k ö+&.bin") == ("NoSuchKey", 404)
    assert code_of(s3.head_object, Bucket=bucket, Key="dir/k ö+&.bin") == ("404", 404)


def test_overwrite_and_defaults(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 100000)
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"new" and got["ContentType"] == "binary/octet-stream"


@pytest.mark.parametrize("size", [1000, 200000])
@pytest.mark.parametrize("header, want", [
    ("bytes=0-9", (0, 10)), ("bytes=990-", (990, None)), ("bytes=-5", (-5, None)), ("bytes=5-5", (5, 6)),
    ("bytes=10-99999999", (10, None)), ("bytes=-99999999", (0, None)),
])
def test_ranges(s3, bucket, size, header, want):
    body = os.urandom(size)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    got = s3.get_object(Bucket=bucket, Key="k", Range=header)
    part = body[want[0]:want[1]]
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["Body"].read() == part and got["ContentLength"] == len(part)
    first = want[0] if want[0] >= 0 else size + want[0]
    assert got["ContentRange"] == f"bytes {first}-{first + len(part) - 1}/{size}"


def test_bad_ranges(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    for header in ("bytes=10-", "bytes=-0", "bytes=99-100"):
        assert code_of(s3.get_object, Bucket=bucket, Key="k", Range=header) == ("InvalidRange", 416)
    for header in ("bytes=5-2", "octets=0-1", "bytes=a-b", "bytes=0-1,3-4"):
        assert s3.get_object(Bucket=bucket, Key="k", Range=header)["Body"].read() == b"0123456789"


@pytest.mark.parametrize("sent, kept", [
    ("aws-chunked", None), ("aws-chunked,gzip", "gzip"), ("gzip,aws-chunked", "gzip"), ("gzip, aws-chunked", "gzip"),
    ("gzip", "gzip"), ("br, aws-chunked, gzip", "br,gzip"),
])
def test_content_encoding(s3, bucket, sent, kept):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ContentEncoding=sent)
    assert s3.head_object(Bucket=bucket, Key="k").get("ContentEncoding") == kept


def test_suffix_of_nothing(s3, bucket):
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    for header in ("bytes=-1", "bytes=-524288"):
        for call in (s3.get_object, s3.head_object):
            got = call(Bucket=bucket, Key="empty", Range=header)
            assert got["ResponseMetadata"]["HTTPStatusCode"] == 200 and got["ContentLength"] == 0
    for header in ("bytes=0-", "bytes=-0"):
        assert code_of(s3.get_object, Bucket=bucket, Key="empty", Range=header) == ("InvalidRange", 416)


@pytest.mark.parametrize("key, ok", [
    ("../x", False), ("../../x/y", False), ("a/../../b", False), ("a/./../../b", False), ("a//../..", False),
    ("..", False), ("a/../b", True), ("..a", True), ("a..", True), ("...", True), ("a/..b/..", True),
])
def test_keys_that_leave_the_bucket(s3, bucket, key, ok):
    calls = [lambda: s3.put_object(Bucket=bucket, Key=key, Body=b"x"),
             lambda: s3.get_object(Bucket=bucket, Key=key)["Body"].read(),
             lambda: s3.delete_object(Bucket=bucket, Key=key)]
    for call in calls:
        if ok:
            call()
        else:
            with pytest.raises(ClientError) as e:
                call()
            assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    s3.list_objects_v2(Bucket=bucket, Prefix="../")  # a prefix is text, not a path


def test_read_conditions(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    when = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)
    s3.get_object(Bucket=bucket, Key="k", IfNoneMatch='"other"')
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfMatch='"other"') == ("PreconditionFailed", 412)
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == ("304", 304)
    assert code_of(s3.head_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == ("304", 304)
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfModifiedSince=when) == ("304", 304)
    s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince=when)
    early = when.replace(year=2001)
    assert code_of(s3.get_object, Bucket=bucket, Key="k", IfUnmodifiedSince=early) == ("PreconditionFailed", 412)
    s3.get_object(Bucket=bucket, Key="k", IfMatch=etag, IfUnmodifiedSince=early)


def raw_header(client, operation, headers):
    """Adds headers that this boto3 may be too old to know."""
    def add(request, **kw):
        for name, value in headers.items():
            request.headers[name] = value
    client.meta.events.register(f"before-sign.s3.{operation}", add)


def test_write_conditions(weir, bucket):
    s3 = weir.client("s3")
    raw_header(s3, "PutObject", {"If-None-Match": "*"})
    s3.put_object(Bucket=bucket, Key="once", Body=b"1")
    assert code_of(s3.put_object, Bucket=bucket, Key="once", Body=b"2") == ("PreconditionFailed", 412)
    other = weir.client("s3")
    etag = other.head_object(Bucket=bucket, Key="once")["ETag"]
    raw_header(other, "PutObject", {"If-Match": etag})
    other.put_object(Bucket=bucket, Key="once", Body=b"3")
    assert code_of(other.put_object, Bucket=bucket, Key="once", Body=b"4") == ("PreconditionFailed", 412)
    assert code_of(other.put_object, Bucket=bucket, Key="none", Body=b"4") == ("NoSuchKey", 404)


def test_response_overrides(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    got = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="a/b", ResponseCacheControl="c",
                        ResponseContentDisposition="attachment", ResponseContentLanguage="de")
    assert (got["ContentType"], got["CacheControl"], got["ContentDisposition"], got["ContentLanguage"]) == \
        ("a/b", "c", "attachment", "de")


def test_presigned(weir, bucket):
    s3 = weir.client("s3", config=Config(signature_version="s3v4"))
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "p/q"})
    urllib.request.urlopen(urllib.request.Request(url, data=b"presigned", method="PUT"))
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "p/q"})
    assert urllib.request.urlopen(url).read() == b"presigned"


@pytest.mark.parametrize("args, code", [
    ({"ACL": "public-read"}, "AccessControlListNotSupported"),
    ({"ServerSideEncryption": "aws:kms:dsse"}, "NotImplemented"),
    ({"SSEKMSKeyId": "k"}, "InvalidArgument"),
    ({"SSEKMSEncryptionContext": "e30="}, "InvalidArgument"),
    ({"StorageClass": "GLACIER"}, "NotImplemented"),
    ({"Tagging": "&".join(f"k{i}=v" for i in range(11))}, "BadRequest"),
    ({"Metadata": {"k": "v" * 2048}}, "MetadataTooLarge"),
    ({"Key": "k" * 1025}, "KeyTooLongError"),
    ({"ContentMD5": "nonsense"}, "InvalidDigest"),
    ({"ContentMD5": base64.b64encode(hashlib.md5(b"other").digest()).decode()}, "BadDigest"),
    ({"ChecksumCRC32": "AAAAAA=="}, "BadDigest"),
    ({"ChecksumCRC32": "bad"}, "InvalidRequest"),
    ({"ChecksumSHA256": base64.b64encode(hashlib.sha256(b"no").digest()).decode()}, "BadDigest"),
])
def test_refused_puts(s3, bucket, args, code):
    with pytest.raises(ClientError) as e:
        s3.put_object(**{"Bucket": bucket, "Key": "k", "Body": b"body", **args})
    assert e.value.response["Error"]["Code"] == code
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_checksums(s3, bucket):
    body = os.urandom(100000)
    crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    sha = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert s3.put_object(Bucket=bucket, Key="c", Body=body, ChecksumCRC32=crc)["ChecksumCRC32"] == crc
    assert s3.put_object(Bucket=bucket, Key="s", Body=body, ChecksumAlgorithm="SHA256")["ChecksumSHA256"] == sha
    assert s3.head_object(Bucket=bucket, Key="c", ChecksumMode="ENABLED")["ChecksumCRC32"] == crc
    assert "ChecksumCRC32" not in s3.head_object(Bucket=bucket, Key="c")
    assert s3.get_object(Bucket=bucket, Key="s", ChecksumMode="ENABLED")["ChecksumSHA256"] == sha
    parts = s3.get_object_attributes(Bucket=bucket, Key="c",
                                     ObjectAttributes=["Checksum", "ObjectSize", "ETag", "StorageClass"])
    assert parts["Checksum"]["ChecksumCRC32"] == crc and parts["ObjectSize"] == 100000
    assert parts["StorageClass"] == "STANDARD"


def test_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "1"}]
    twice = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
    assert code_of(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=twice)[0] == "InvalidTag"
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert code_of(s3.get_object_tagging, Bucket=bucket, Key="none") == ("NoSuchKey", 404)


def test_delete_objects(s3, bucket):
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=f"k{i}", Body=b"x")
    reply = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k0"}, {"Key": "k1"}, {"Key": "none"}]})
    assert sorted(d["Key"] for d in reply["Deleted"]) == ["k0", "k1", "none"] and "Errors" not in reply
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k2"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k3", "k4"]
    many = {"Objects": [{"Key": str(i)} for i in range(1001)]}
    assert code_of(s3.delete_objects, Bucket=bucket, Delete=many)[0] == "MalformedXML"


def test_concurrent_writers(weir, s3, bucket):
    bodies = [os.urandom(40000) for _ in range(24)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda b: s3.put_object(Bucket=bucket, Key="one", Body=b), bodies))
    assert s3.get_object(Bucket=bucket, Key="one")["Body"].read() in bodies


# --- listings --------------------------------------------------------------------------------------

KEYS = ["a", "a/1", "a/2", "a/b/1", "b", "b+c", "c/x y", "c/ü", "d//e", "é"]


@pytest.fixture(scope="module")
def listed(s3):
    name = "l-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name)
    for key in KEYS:
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def reference(keys, prefix="", delimiter="", after=""):
    out = []
    for key in sorted(keys, key=lambda k: k.encode()):
        if not key.startswith(prefix):
            continue
        entry = key
        if delimiter:
            at = key.find(delimiter, len(prefix))
            if at >= 0:
                entry = key[:at + len(delimiter)]
        if key.encode() <= after.encode() or (entry != key and after.startswith(entry)):
            continue
        if entry not in out:
            out.append(entry)
    return out


@pytest.mark.parametrize("page", [1, 2, 3, 1000])
@pytest.mark.parametrize("prefix, delimiter", [("", ""), ("", "/"), ("a", "/"), ("a/", "/"), ("a/b", ""), ("c/", "/"),
                                               ("d/", "/"), ("zz", "/"), ("", "/1"), ("é", "")])
def test_list_v2(s3, listed, prefix, delimiter, page):
    got, token = [], None
    while True:
        more = {"ContinuationToken": token} if token else {}
        r = s3.list_objects_v2(Bucket=listed, Prefix=prefix, Delimiter=delimiter, MaxKeys=page, **more)
        entries = [o["Key"] for o in r.get("Contents", [])] + [p["Prefix"] for p in r.get("CommonPrefixes", [])]
        assert len(entries) == r["KeyCount"] <= page
        got += sorted(entries, key=lambda k: k.encode())
        if not r["IsTruncated"]:
            break
        token = r["NextContinuationToken"]
    assert got == reference(KEYS, prefix, delimiter)


@pytest.mark.parametrize("page", [1, 3, 1000])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_list_v1(s3, listed, delimiter, page):
    got, marker = [], ""
    while True:
        r = s3.list_objects(Bucket=listed, Delimiter=delimiter, MaxKeys=page, Marker=marker)
        entries = [o["Key"] for o in r.get("Contents", [])] + [p["Prefix"] for p in r.get("CommonPrefixes", [])]
        entries.sort(key=lambda k: k.encode())
        got += entries
        if not r["IsTruncated"]:
            break
        marker = r.get("NextMarker") or entries[-1]
    assert got == reference(KEYS, "", delimiter)


@pytest.mark.parametrize("after", ["", "a", "a/1", "a/b", "b", "zzz"])
def test_start_after(s3, listed, after):
    for delimiter in ("", "/"):
        r = s3.list_objects_v2(Bucket=listed, StartAfter=after, Delimiter=delimiter)
        entries = [o["Key"] for o in r.get("Contents", [])] + [p["Prefix"] for p in r.get("CommonPrefixes", [])]
        assert sorted(entries, key=lambda k: k.encode()) == reference(KEYS, "", delimiter, after)


INCORRECT = "The continuation token provided is incorrect"


def test_continuation_tokens_are_sealed(s3, listed):
    other = listed + "-other"
    s3.create_bucket(Bucket=other)
    token = s3.list_objects_v2(Bucket=listed, MaxKeys=1)["NextContinuationToken"]
    assert s3.list_objects_v2(Bucket=listed, MaxKeys=1)["NextContinuationToken"] == token
    for where, bad in [(other, token)] + [(listed, t) for t in (token[:-1], token + "A", "B" + token[1:], token.swapcase(), "YQ", "!!")]:
        with pytest.raises(ClientError) as e:
            s3.list_objects_v2(Bucket=where, ContinuationToken=bad)
        error = e.value.response["Error"]
        assert (error["Code"], error["Message"]) == ("InvalidArgument", INCORRECT), bad
    s3.delete_bucket(Bucket=other)


def list_buckets_page(weir, **query):
    """Signed by hand, since older clients do not know pages of buckets."""
    r = AWSRequest(method="GET", url=f"{weir.endpoint}/?{urllib.parse.urlencode(query)}")
    S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(r)
    try:
        with urllib.request.urlopen(urllib.request.Request(r.url, headers=dict(r.headers.items()))) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def test_pages_of_buckets_go_on_by_sealed_tokens(weir, s3, listed, bucket):
    names, token = [], None
    while True:
        status, body = list_buckets_page(weir, **{"max-buckets": 1}, **({"continuation-token": token} if token else {}))
        assert status == 200, body
        names += re.findall("<Name>(.*?)</Name>", body)
        found = re.search("<ContinuationToken>(.*?)</ContinuationToken>", body)
        if not found:
            break
        token = found.group(1)
    assert len(names) == len(set(names)) and {listed, bucket} <= set(names)
    of_objects = s3.list_objects_v2(Bucket=listed, MaxKeys=1)["NextContinuationToken"]
    for bad in (token[:-1], token.swapcase(), of_objects, listed, "a-name-that-is-none"):
        status, body = list_buckets_page(weir, **{"continuation-token": bad})
        assert status == 400 and "InvalidArgument" in body and INCORRECT in body, body


def test_long_lists_of_buckets_do_not_hold_up_the_loop(weir, s3):
    """The records that are passed count as work, with their policies, which the list does not show."""
    def handed_over():
        text = urllib.request.urlopen(weir.endpoint + "/_weir/metrics").read().decode()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("weir_calls_handed_over_total ")))

    names = [f"much-policy-{i:02}" for i in range(30)]
    for name in names:
        s3.create_bucket(Bucket=name)
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Id": "x" * 19000, "Statement": [
            {"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "s3:GetObject",
             "Resource": f"arn:aws:s3:::{name}/none"}]}))
    before = handed_over()
    for query in {"prefix": "much-policy-"}, {"prefix": "much-policy-", "bucket-region": "us-east-1"}:
        status, body = list_buckets_page(weir, **query)
        assert status == 200 and re.findall("<Name>(.*?)</Name>", body) == names
        assert re.findall("<BucketRegion>(.*?)</BucketRegion>", body) == ["us-east-1"] * len(names)
    status, body = list_buckets_page(weir, prefix="much-policy-", **{"bucket-region": "eu-west-3"})
    assert status == 200 and "<Name>" not in body
    assert handed_over() >= before + 3
    for name in names:
        s3.delete_bucket(Bucket=name)


def test_list_details(s3, listed):
    r = s3.list_objects_v2(Bucket=listed, Prefix="b", FetchOwner=True)
    first = r["Contents"][0]
    assert first["Size"] == 1 and first["StorageClass"] == "STANDARD" and first["Owner"]["ID"]
    assert first["ETag"] == '"%s"' % hashlib.md5(b"b").hexdigest()
    assert code_of(s3.list_objects_v2, Bucket=listed, ContinuationToken="!!")[0] == "InvalidArgument"
    assert code_of(s3.list_objects_v2, Bucket=listed, MaxKeys=-1)[0] == "InvalidArgument"
    assert s3.list_objects_v2(Bucket=listed, MaxKeys=0)["KeyCount"] == 0


# --- versions --------------------------------------------------------------------------------------

def enable(s3, bucket, status="Enabled"):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def versions_of(s3, bucket, **kw):
    r = s3.list_object_versions(Bucket=bucket, **kw)
    rows = [(v["Key"], v["VersionId"], v["IsLatest"], False) for v in r.get("Versions", [])]
    return rows + [(v["Key"], v["VersionId"], v["IsLatest"], True) for v in r.get("DeleteMarkers", [])]


def test_versions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"zero")
    enable(s3, bucket)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    two = s3.put_object(Bucket=bucket, Key="k", Body=b"two" * 10000)["VersionId"]
    read = lambda **kw: s3.get_object(Bucket=bucket, Key="k", **kw)["Body"].read()  # noqa: E731
    assert read() == b"two" * 10000 and read(VersionId=one) == b"one" and read(VersionId="null") == b"zero"
    assert [v[1:3] for v in versions_of(s3, bucket)] == [(two, True), (one, False), ("null", False)]
    gone = s3.delete_object(Bucket=bucket, Key="k")
    assert gone["DeleteMarker"] is True
    with pytest.raises(ClientError) as e:
        read()
    assert e.value.response["Error"]["Code"] == "NoSuchKey"
    assert e.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert read(VersionId=two) == b"two" * 10000
    assert code_of(s3.get_object, Bucket=bucket, Key="k", VersionId=gone["VersionId"]) == ("MethodNotAllowed", 405)
    assert (("k", gone["VersionId"], True, True)) in versions_of(s3, bucket)
    s3.delete_object(Bucket=bucket, Key="k", VersionId=gone["VersionId"])
    assert read() == b"two" * 10000
    s3.delete_object(Bucket=bucket, Key="k", VersionId=two)
    assert read() == b"one"
    assert code_of(s3.delete_bucket, Bucket=bucket)[0] == "BucketNotEmpty"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=one)
    assert read() == b"zero"
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert versions_of(s3, bucket) == []
    assert code_of(s3.get_object, Bucket=bucket, Key="k", VersionId="nonsense")[0] == "InvalidArgument"
    assert code_of(s3.get_object, Bucket=bucket, Key="k", VersionId=two)[0] == "NoSuchVersion"
    s3.delete_bucket(Bucket=bucket)


def test_suspended(s3, bucket):
    enable(s3, bucket)
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    enable(s3, bucket, "Suspended")
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="k", Body=b"null 1")
    assert s3.head_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    s3.put_object(Bucket=bucket, Key="k", Body=b"null 2")
    assert [v[1] for v in versions_of(s3, bucket)] == ["null", one]
    enable(s3, bucket)
    two = s3.put_object(Bucket=bucket, Key="k", Body=b"two")["VersionId"]
    assert [v[1] for v in versions_of(s3, bucket)] == [two, "null", one]
    enable(s3, bucket, "Suspended")
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["VersionId"] == "null" and marker["DeleteMarker"] is True
    assert sorted(v[1] for v in versions_of(s3, bucket)) == sorted([two, one, "null"])
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=two)["Body"].read() == b"two"


def test_list_versions_pages(s3, bucket):
    enable(s3, bucket)
    for key in ("a", "b/1", "b/2", "c"):
        for i in range(3):
            s3.put_object(Bucket=bucket, Key=key, Body=b"%d" % i)
    s3.delete_object(Bucket=bucket, Key="a")
    whole = sorted(versions_of(s3, bucket))
    assert len(whole) == 13
    for page in (1, 2, 5):
        rows, markers = [], {}
        while True:
            r = s3.list_object_versions(Bucket=bucket, MaxKeys=page, **markers)
            rows += versions_of(s3, bucket, MaxKeys=page, **markers)
            if not r["IsTruncated"]:
                break
            markers = {"KeyMarker": r["NextKeyMarker"], "VersionIdMarker": r["NextVersionIdMarker"]}
        assert sorted(rows) == whole
    r = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in r["CommonPrefixes"]] == ["b/"]
    assert s3.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": k, "VersionId": v} for k, v, _, _ in whole]}).get("Errors") is None
    s3.delete_bucket(Bucket=bucket)


def test_list_versions_goes_on_whatever_became_of_the_marker(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"null")
    enable(s3, bucket)
    for i in range(4):
        s3.put_object(Bucket=bucket, Key="k", Body=b"%d" % i)
    rows = [v["VersionId"] for v in s3.list_object_versions(Bucket=bucket)["Versions"]]
    assert len(rows) == 5 and rows[4] == "null"
    # The current version ends the page, then goes: the next one is current now, and is listed.
    r = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    markers = {"KeyMarker": r["NextKeyMarker"], "VersionIdMarker": r["NextVersionIdMarker"]}
    s3.delete_object(Bucket=bucket, Key="k", VersionId=rows[0])
    rest = s3.list_object_versions(Bucket=bucket, **markers)["Versions"]
    assert [v["VersionId"] for v in rest] == rows[1:]
    assert [v["IsLatest"] for v in rest] == [True, False, False, False]
    # So with an older one, and with the null version between others.
    r = s3.list_object_versions(Bucket=bucket, MaxKeys=2)
    markers = {"KeyMarker": r["NextKeyMarker"], "VersionIdMarker": r["NextVersionIdMarker"]}
    s3.delete_object(Bucket=bucket, Key="k", VersionId=rows[2])
    rest = s3.list_object_versions(Bucket=bucket, **markers)["Versions"]
    assert [v["VersionId"] for v in rest] == rows[3:]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket=bucket, Key="k", Body=b"new null")
    r = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    assert r["Versions"][0]["VersionId"] == "null"
    markers = {"KeyMarker": r["NextKeyMarker"], "VersionIdMarker": r["NextVersionIdMarker"]}
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    rest = s3.list_object_versions(Bucket=bucket, **markers)["Versions"]
    assert [v["VersionId"] for v in rest] == [rows[1], rows[3]]
    assert [v["IsLatest"] for v in rest] == [True, False]


# --- multipart -------------------------------------------------------------------------------------

def upload_parts(s3, bucket, key, bodies, **create):
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, **create)["UploadId"]
    parts = []
    for i, body in enumerate(bodies, 1):
        r = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=i, Body=body)
        parts.append({"PartNumber": i, "ETag": r["ETag"]})
    return upload, parts


def test_multipart(s3, bucket):
    bodies = [os.urandom(5 * MIB), os.urandom(5 * MIB + 3), b"tail"]
    whole = b"".join(bodies)
    upload, parts = upload_parts(s3, bucket, "m", bodies, ContentType="x/y", Metadata={"a": "b"})
    assert [p["PartNumber"] for p in s3.list_parts(Bucket=bucket, Key="m", UploadId=upload)["Parts"]] == [1, 2, 3]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    done = s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": parts})
    digests = b"".join(hashlib.md5(b).digest() for b in bodies)
    assert done["ETag"] == '"%s-3"' % hashlib.md5(digests).hexdigest()
    got = s3.get_object(Bucket=bucket, Key="m")
    assert got["Body"].read() == whole and got["ContentType"] == "x/y" and got["Metadata"] == {"a": "b"}
    for first, last in ((0, 0), (5 * MIB - 2, 5 * MIB + 1), (len(whole) - 6, len(whole) - 1), (1, len(whole) - 2)):
        r = s3.get_object(Bucket=bucket, Key="m", Range=f"bytes={first}-{last}")
        assert r["Body"].read() == whole[first:last + 1]
    two = s3.get_object(Bucket=bucket, Key="m", PartNumber=2)
    assert two["Body"].read() == bodies[1] and two["PartsCount"] == 3
    assert s3.head_object(Bucket=bucket, Key="m", PartNumber=3)["ContentLength"] == 4
    assert code_of(s3.get_object, Bucket=bucket, Key="m", PartNumber=4)[1] == 416
    attrs = s3.get_object_attributes(Bucket=bucket, Key="m", ObjectAttributes=["ObjectParts", "ObjectSize"])
    assert attrs["ObjectParts"]["TotalPartsCount"] == 3 and attrs["ObjectSize"] == len(whole)
    assert code_of(s3.list_parts, Bucket=bucket, Key="m", UploadId=upload) == ("NoSuchUpload", 404)


def test_multipart_completed_again(s3, bucket):
    """A client whose answer was lost completes again; what the upload became is told while it is current."""
    upload, parts = upload_parts(s3, bucket, "again", [b"once"])
    args = dict(Bucket=bucket, Key="again", UploadId=upload, MultipartUpload={"Parts": parts})
    done = s3.complete_multipart_upload(**args)
    again = s3.complete_multipart_upload(**args)
    assert again["ETag"] == done["ETag"] and again["Location"] == done["Location"]
    assert code_of(s3.complete_multipart_upload, **dict(args, Key="other")) == ("NoSuchUpload", 404)
    assert code_of(s3.upload_part, Bucket=bucket, Key="again", UploadId=upload, PartNumber=1,
                   Body=b"x") == ("NoSuchUpload", 404)
    s3.put_object(Bucket=bucket, Key="again", Body=b"newer")
    assert code_of(s3.complete_multipart_upload, **args) == ("NoSuchUpload", 404)
    assert s3.get_object(Bucket=bucket, Key="again")["Body"].read() == b"newer"


def test_multipart_refusals(s3, bucket):
    upload, parts = upload_parts(s3, bucket, "m", [b"small", b"last"])
    finish = lambda p: dict(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": p})  # noqa: E731
    call = s3.complete_multipart_upload
    assert code_of(call, **finish(parts)) == ("EntityTooSmall", 400)
    assert code_of(call, **finish(parts[::-1])) == ("InvalidPartOrder", 400)
    assert code_of(call, **finish([{"PartNumber": 1, "ETag": '"x"'}])) == ("InvalidPart", 400)
    assert code_of(call, **finish([{"PartNumber": 7, "ETag": parts[0]["ETag"]}])) == ("InvalidPart", 400)
    assert code_of(call, **finish([parts[0], {"PartNumber": 7, "ETag": parts[0]["ETag"]}])) == ("InvalidPart", 400)  # before its size
    for part in ([], [{"PartNumber": 1}], [{"ETag": parts[0]["ETag"]}], [parts[0], {"PartNumber": 2}]):
        assert code_of(call, **finish(part))[0] == "MalformedXML"
    assert code_of(s3.list_parts, Bucket=bucket, Key="m", UploadId=upload, PartNumberMarker=-1)[0] == "InvalidArgument"
    assert code_of(call, Bucket=bucket, Key="m", UploadId=upload) == ("InvalidRequest", 400)
    bad = dict(Bucket=bucket, Key="m", UploadId=upload, Body=b"x")
    assert code_of(s3.upload_part, PartNumber=0, **bad)[0] == "InvalidArgument"
    assert code_of(s3.upload_part, PartNumber=10001, **bad)[0] == "InvalidArgument"
    assert code_of(s3.upload_part, PartNumber=1, Bucket=bucket, Key="m", UploadId="none", Body=b"x")[0] == "NoSuchUpload"
    s3.abort_multipart_upload(Bucket=bucket, Key="m", UploadId=upload)
    assert code_of(s3.abort_multipart_upload, Bucket=bucket, Key="m", UploadId=upload) == ("NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_multipart_sha256(s3, bucket):
    bodies = [os.urandom(5 * MIB), b"tail"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m", ChecksumAlgorithm="SHA256")["UploadId"]
    parts = []
    for i, body in enumerate(bodies, 1):
        r = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=i, Body=body,
                           ChecksumAlgorithm="SHA256")
        assert r["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(body).digest()).decode()
        parts.append({"PartNumber": i, "ETag": r["ETag"], "ChecksumSHA256": r["ChecksumSHA256"]})
    missing = [{k: v for k, v in p.items() if k != "ChecksumSHA256"} for p in parts]
    assert code_of(s3.complete_multipart_upload, Bucket=bucket, Key="m", UploadId=upload,
                   MultipartUpload={"Parts": missing})[0] == "InvalidRequest"
    done = s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": parts})
    joined = b"".join(hashlib.sha256(b).digest() for b in bodies)
    assert done["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(joined).digest()).decode() + "-2"


def test_replaced_part(s3, bucket):
    upload, parts = upload_parts(s3, bucket, "m", [b"first"])
    r = s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"second")
    assert code_of(s3.complete_multipart_upload, Bucket=bucket, Key="m", UploadId=upload,
                   MultipartUpload={"Parts": parts})[0] == "InvalidPart"
    s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload,
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": r["ETag"]}]})
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == b"second"


def test_delete_bucket_with_upload(weir, s3, bucket):
    before = set(files_of(weir))  # files of earlier tests go meanwhile
    upload_parts(s3, bucket, "m", [b"x" * 100000, b"y"])
    parts = set(files_of(weir)) - before
    assert len(parts) >= 2
    s3.delete_bucket(Bucket=bucket)
    wait_for(lambda: not parts & set(files_of(weir)), what="removal of a dropped bucket's parts")


# --- copies ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [10, 100000])
def test_copy(s3, bucket, size):
    body = os.urandom(size)
    s3.put_object(Bucket=bucket, Key="from ü", Body=body, ContentType="a/b", Metadata={"x": "1"}, Tagging="t=1")
    r = s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from ü"})
    assert r["CopyObjectResult"]["ETag"] == '"%s"' % hashlib.md5(body).hexdigest()
    got = s3.get_object(Bucket=bucket, Key="to")
    assert got["Body"].read() == body and got["ContentType"] == "a/b" and got["Metadata"] == {"x": "1"}
    assert got["TagCount"] == 1
    s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/to", MetadataDirective="REPLACE",
                   ContentType="c/d", TaggingDirective="REPLACE")
    got = s3.head_object(Bucket=bucket, Key="to")
    assert got["ContentType"] == "c/d" and got["Metadata"] == {} and got["ContentLength"] == size
    assert code_of(s3.copy_object, Bucket=bucket, Key="to", CopySource=f"{bucket}/to")[0] == "InvalidRequest"
    assert code_of(s3.copy_object, Bucket=bucket, Key="to", CopySource=f"{bucket}/none") == ("NoSuchKey", 404)
    assert code_of(s3.copy_object, Bucket=bucket, Key="x", CopySource=f"{bucket}/to",
                   CopySourceIfMatch='"no"') == ("PreconditionFailed", 412)


def test_copy_of_tags_needs_permission(weir, s3, bucket):
    iam = weir.client("iam")
    iam.create_user(UserName=bucket)
    key = iam.create_access_key(UserName=bucket)["AccessKey"]
    client = weir.client("s3", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    s3.put_object(Bucket=bucket, Key="tagged", Body=b"x", Tagging="k=v")

    def allow(*actions):
        iam.put_user_policy(UserName=bucket, PolicyName="p", PolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:s3:::{bucket}/*"}]}))

    allow("s3:GetObject", "s3:PutObject")
    client.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/plain")
    args = dict(Bucket=bucket, Key="copy", CopySource=f"{bucket}/tagged")
    assert code_of(client.copy_object, **args) == ("AccessDenied", 403)
    client.copy_object(TaggingDirective="REPLACE", **args)
    for half in ("s3:GetObjectTagging", "s3:PutObjectTagging"):
        allow("s3:GetObject", "s3:PutObject", half)
        assert code_of(client.copy_object, **args) == ("AccessDenied", 403)
    allow("s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:PutObjectTagging")
    client.copy_object(**args)
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "k", "Value": "v"}]


def test_copy_parts(s3, bucket):
    big = os.urandom(6 * MIB)
    s3.put_object(Bucket=bucket, Key="big", Body=big)
    s3.put_object(Bucket=bucket, Key="small", Body=b"inline bytes")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="m")["UploadId"]
    one = s3.upload_part_copy(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, CopySource=f"{bucket}/big",
                              CopySourceRange=f"bytes=100-{5 * MIB + 99}")["CopyPartResult"]
    two = s3.upload_part_copy(Bucket=bucket, Key="m", UploadId=upload, PartNumber=2,
                              CopySource=f"{bucket}/small")["CopyPartResult"]
    s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": [
        {"PartNumber": 1, "ETag": one["ETag"]}, {"PartNumber": 2, "ETag": two["ETag"]}]})
    assert s3.get_object(Bucket=bucket, Key="m")["Body"].read() == big[100:5 * MIB + 100] + b"inline bytes"
    s3.copy_object(Bucket=bucket, Key="flat", CopySource=f"{bucket}/m")
    flat = s3.head_object(Bucket=bucket, Key="flat")
    assert flat["ETag"] == '"%s"' % hashlib.md5(big[100:5 * MIB + 100] + b"inline bytes").hexdigest()
    assert code_of(s3.upload_part_copy, Bucket=bucket, Key="m2", UploadId="x", PartNumber=1,
                   CopySource=f"{bucket}/big")[0] == "NoSuchUpload"


# --- files -----------------------------------------------------------------------------------------

def test_files_are_removed(fresh_weir):
    s3 = fresh_weir.client("s3")
    s3.create_bucket(Bucket="files")
    for i in range(10):
        s3.put_object(Bucket="files", Key=f"k{i}", Body=os.urandom(50000))
    for i in range(10):
        s3.put_object(Bucket="files", Key=f"k{i}", Body=os.urandom(50000))
    wait_for(lambda: len(files_of(fresh_weir)) == 10, what="removal of overwritten files")
    for i in range(10):
        s3.delete_object(Bucket="files", Key=f"k{i}")
    wait_for(lambda: not files_of(fresh_weir), what="removal of deleted files")


def test_failed_puts_leave_nothing(fresh_weir):
    s3 = fresh_weir.client("s3")
    s3.create_bucket(Bucket="files")
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert code_of(s3.put_object, Bucket="files", Key="k", Body=os.urandom(300000), ContentMD5=wrong)[0] == "BadDigest"
    wait_for(lambda: not files_of(fresh_weir), what="removal of a refused body")


def test_kill_and_recover(fresh_weir):
    s3 = fresh_weir.client("s3")
    s3.create_bucket(Bucket="crash")
    body = os.urandom(200000)
    s3.put_object(Bucket="crash", Key="kept", Body=body)
    # What a crash in the middle of an upload leaves: a marker and half a file.
    orphan = "00" * 16
    root = os.path.join(fresh_weir.data_dir, "s3")
    fresh_weir.kill9()
    open(os.path.join(root, "staging", orphan), "w").close()
    with open(os.path.join(root, "objects", "00", orphan), "wb") as f:
        f.write(b"half")
    fresh_weir.start()
    s3 = fresh_weir.client("s3")
    assert s3.get_object(Bucket="crash", Key="kept")["Body"].read() == body
    assert len(files_of(fresh_weir)) == 1
    fresh_weir.restart()
    assert fresh_weir.client("s3").get_object(Bucket="crash", Key="kept")["Body"].read() == body


def test_kill_under_load(fresh_weir):
    """What was acknowledged is there after each kill, byte for byte, and no file without an object."""
    fresh_weir.client("s3").create_bucket(Bucket="load")
    acknowledged = {}

    def work(worker):
        s3 = fresh_weir.client("s3")
        for i in range(10000):
            key, body = f"w{worker}/{i % 7}", os.urandom(30000 if i % 2 else 100) + b"%d" % i
            try:
                s3.put_object(Bucket="load", Key=key, Body=body)
            except Exception:
                # May have arrived; a key that was never acknowledged may also be absent.
                acknowledged.setdefault(key, [None]).append(hashlib.md5(body).hexdigest())
                return
            acknowledged[key] = [hashlib.md5(body).hexdigest()]

    for _ in range(3):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(work, n) for n in range(4)]
            wait_for(lambda: len(acknowledged) >= 20, what="writes")
            fresh_weir.kill9()
            for job in jobs:
                job.result()
        fresh_weir.start()
        s3 = fresh_weir.client("s3")
        for key, digests in acknowledged.items():
            try:
                digest = hashlib.md5(s3.get_object(Bucket="load", Key=key)["Body"].read()).hexdigest()
            except s3.exceptions.NoSuchKey:
                digest = None
            assert digest in digests, key
            acknowledged[key] = [digest]
        stored = [o for o in s3.list_objects_v2(Bucket="load")["Contents"] if o["Size"] > 16 * 1024]
        wait_for(lambda: len(files_of(fresh_weir)) == len(stored), what="removal of files without an object")


def test_reader_survives_delete(fresh_weir):
    s3 = fresh_weir.client("s3")
    s3.create_bucket(Bucket="slow")
    body = os.urandom(32 * MIB)
    s3.put_object(Bucket="slow", Key="k", Body=body)
    stream = s3.get_object(Bucket="slow", Key="k")["Body"]
    got = stream.read(MIB)
    s3.delete_object(Bucket="slow", Key="k")
    assert got + stream.read() == body
    wait_for(lambda: not files_of(fresh_weir), what="removal after the reader left")


# --- notifications ---------------------------------------------------------------------------------

@pytest.fixture
def queue(weir):
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="q-" + os.urandom(6).hex())["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return sqs, url, arn


def allow_s3(queue, bucket):
    sqs, url, arn = queue
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
         "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}}}]})})


def receive(queue, n):
    sqs, url, _ = queue
    got = []

    def enough():
        for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
            got.append(json.loads(m["Body"]))
        return len(got) >= n
    wait_for(enough, what=f"{n} messages")
    assert len(got) == n
    return got


def test_notifications(s3, bucket, queue):
    rule = lambda **kw: {"QueueConfigurations": [dict(QueueArn=queue[2], **kw)]}  # noqa: E731
    put = s3.put_bucket_notification_configuration
    created = rule(Id="mine", Events=["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], Filter={"Key": {"FilterRules": [
        {"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".csv"}]}})
    assert code_of(put, Bucket=bucket, NotificationConfiguration=created) == ("InvalidArgument", 400)
    allow_s3(queue, bucket)
    put(Bucket=bucket, NotificationConfiguration=created)
    assert receive(queue, 1)[0]["Event"] == "s3:TestEvent"
    got = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert got[0]["Id"] == "mine" and got[0]["Events"] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    assert {r["Name"].lower(): r["Value"] for r in got[0]["Filter"]["Key"]["FilterRules"]} == \
        {"prefix": "in/", "suffix": ".csv"}
    s3.put_object(Bucket=bucket, Key="in/a b.csv", Body=b"12345")
    s3.put_object(Bucket=bucket, Key="in/a.txt", Body=b"x")
    s3.put_object(Bucket=bucket, Key="a.csv", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="in/copy.csv", CopySource=f"{bucket}/a.csv")
    upload, parts = upload_parts(s3, bucket, "in/m.csv", [b"part"])
    s3.complete_multipart_upload(Bucket=bucket, Key="in/m.csv", UploadId=upload, MultipartUpload={"Parts": parts})
    s3.delete_object(Bucket=bucket, Key="in/copy.csv")
    s3.delete_object(Bucket=bucket, Key="in/none.csv")
    records = [m["Records"][0] for m in receive(queue, 5)]
    assert {r["s3"]["object"]["key"] for r in records if r["eventName"] == "ObjectRemoved:Delete"} == {"in/copy.csv", "in/none.csv"}
    assert re.fullmatch("A[A-Z2-7]{13}", records[0]["s3"]["bucket"]["ownerIdentity"]["principalId"])
    by_name = {r["eventName"]: r for r in records}
    assert set(by_name) == {"ObjectCreated:Put", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload",
                            "ObjectRemoved:Delete"}
    first = by_name["ObjectCreated:Put"]
    assert first["eventSource"] == "aws:s3" and first["awsRegion"] == "us-east-1"
    assert first["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{bucket}" and first["s3"]["configurationId"] == "mine"
    assert first["s3"]["object"]["key"] == "in/a+b.csv" and first["s3"]["object"]["size"] == 5
    assert first["s3"]["object"]["eTag"] == hashlib.md5(b"12345").hexdigest()
    assert "size" not in by_name["ObjectRemoved:Delete"]["s3"]["object"]
    put(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": got})  # what was given can be put again
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"] == got
    put(Bucket=bucket, NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_refused_notifications(s3, bucket, queue):
    allow_s3(queue, bucket)
    refused = lambda *rules: code_of(  # noqa: E731
        s3.put_bucket_notification_configuration, Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [dict(QueueArn=queue[2], **r) for r in rules]})[0]
    both = {"Events": ["s3:ObjectCreated:*"]}
    assert refused(both, {"Events": ["s3:ObjectCreated:Put"]}) == "InvalidArgument"
    assert refused({"Events": ["s3:ObjectRestore:*"]}) == "InvalidArgument"
    assert refused({"Events": ["s3:Nonsense"]}) in ("InvalidArgument", "MalformedXML")
    assert refused(dict(both, Filter={"Key": {"FilterRules": [{"Name": "middle", "Value": "x"}]}})) in \
        ("InvalidArgument", "MalformedXML")
    assert code_of(s3.put_bucket_notification_configuration, Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [dict(both, QueueArn=queue[2] + "-none")]})[0] == "InvalidArgument"
    assert code_of(s3.put_bucket_notification_configuration, Bucket=bucket, NotificationConfiguration={
        "LambdaFunctionConfigurations": [dict(
            both, LambdaFunctionArn="arn:aws:lambda:us-east-1:000000000000:function:none")]})[0] == "InvalidArgument"


def test_versioned_events(s3, bucket, queue):
    allow_s3(queue, bucket)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": queue[2], "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]})
    receive(queue, 1)
    enable(s3, bucket)
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    events = {r["eventName"]: r["s3"]["object"].get("versionId")
              for r in (m["Records"][0] for m in receive(queue, 3))}
    assert events == {"ObjectCreated:Put": version, "ObjectRemoved:DeleteMarkerCreated": marker,
                      "ObjectRemoved:Delete": version}


def test_notification_to_a_fifo_queue_is_refused(weir, s3, bucket):
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="events.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}]})})
    assert code_of(s3.put_bucket_notification_configuration, Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}) == ("InvalidArgument", 400)


def test_event_too_large_for_its_queue_stops_no_writer(weir, s3, bucket):
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="narrow-" + bucket)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024", "Policy": json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                                                 "Action": "sqs:SendMessage", "Resource": arn}]})})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})
    s3.put_object(Bucket=bucket, Key="k" * 900, Body=b"x")
    assert s3.head_object(Bucket=bucket, Key="k" * 900)["ContentLength"] == 1


@pytest.mark.parametrize("header", ["x-amz-server-side-encryption-customer-key", "x-amz-server-side-encryption-context"])
def test_encryption_that_is_not_done_is_refused(weir, bucket, header):
    s3 = weir.client("s3")
    s3.meta.events.register("before-call.s3", lambda params, **kw: params["headers"].__setitem__(header, "eA=="))
    # The one goes with aws:kms, the other with an algorithm.
    assert code_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x") == ("InvalidArgument", 400)
    assert code_of(s3.get_object_tagging, Bucket=bucket, Key="k") == ("NotImplemented", 501)


# --- damaged files ---------------------------------------------------------------------------------

def file_of(weir, bucket, key, body):
    """Puts an object that becomes one file, and tells which."""
    before = set(files_of(weir))
    weir.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    made, = [f for f in set(files_of(weir)) - before if "/objects/" in f]
    return made


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("harm", [
    os.remove, lambda f: os.truncate(f, 1000), lambda f: os.truncate(f, os.path.getsize(f) - 1),
    lambda f: os.truncate(f, os.path.getsize(f) + 1), lambda f: flip(f, 0), lambda f: flip(f, 99999),
    lambda f: flip(f, os.path.getsize(f) - 1),
], ids=["missing", "cut", "cut_end", "grown", "first_bit", "last_bit", "checksum"])
def test_damaged_file(weir, s3, bucket, harm):
    harm(file_of(weir, bucket, "k", os.urandom(100000)))
    calls = [lambda: s3.get_object(Bucket=bucket, Key="k"),
             lambda: s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")]
    for call in calls:
        with pytest.raises(ClientError) as e:
            call()
        assert e.value.response["Error"]["Code"] == "InternalError"
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "object bytes damaged: file=" in weir.log_text()
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="copy")


def test_damaged_range(weir, s3, bucket):
    body = os.urandom(3 * MIB)
    path = file_of(weir, bucket, "k", body)
    flip(path, 2 * MIB + 5)
    part = lambda r: s3.get_object(Bucket=bucket, Key="k", Range=r)["Body"].read()  # noqa: E731
    assert part("bytes=0-99") == body[:100] and part("bytes=-10") == body[-10:]
    assert code_of(s3.get_object, Bucket=bucket, Key="k", Range="bytes=2097200-2097300") == ("InternalError", 500)
    got = s3.get_object(Bucket=bucket, Key="k")  # the head is out before the bad block is met
    with pytest.raises(Exception) as e:
        got["Body"].read()
    assert "IncompleteRead" in str(e) or "Connection" in str(e)
    assert "reply broken off" in weir.log_text()


def test_lost_part(weir, s3, bucket):
    upload, parts = upload_parts(s3, bucket, "m", [os.urandom(5 * MIB), b"end"])
    s3.complete_multipart_upload(Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": parts})
    last, = [f for f in files_of(weir) if "/objects/" in f and open(f, "rb").read(3) == b"end"]
    os.remove(last)
    assert code_of(s3.get_object, Bucket=bucket, Key="m") == ("InternalError", 500)
    assert s3.get_object(Bucket=bucket, Key="m", Range="bytes=0-9")["ContentLength"] == 10
