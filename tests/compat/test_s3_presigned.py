"""Presigned URLs of S3 that carry headers in their query, in both versions and both styles; conditions of
what is written."""
import base64
import hashlib
import hmac
import os
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from weirtest import session


@pytest.fixture(scope="module")
def s3(weir):
    return weir.client("s3")


@pytest.fixture
def bucket(s3):
    name = "p-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name)
    yield name


def code_of(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]


def fetch(url, method="GET", data=None, headers=None):
    """Status and body; a Content-Type only where it is given."""
    parts = urllib.parse.urlsplit(url)
    local = parts._replace(netloc=f"127.0.0.1:{parts.port}")  # names of buckets need no resolver
    r = urllib.request.Request(urllib.parse.urlunsplit(local), data=data, method=method, headers={**(headers or {}), "Host": parts.netloc})
    if data is not None and not any(k.lower() == "content-type" for k in headers or {}):
        r.add_unredirected_header("Content-type", "")
    try:
        with urllib.request.urlopen(r) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def hoisted(weir, method, path, query):
    """A version 4 URL with `query` in it as the JavaScript SDK makes them: parameters that stand for headers."""
    r = AWSRequest(method=method, url=f"{weir.endpoint}{path}?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}")
    S3SigV4QueryAuth(Credentials("test", "test"), "s3", "us-east-1", expires=60).add_auth(r)
    return r.url


def client_v2(weir, style):
    config = Config(signature_version="s3", s3={"addressing_style": style})
    return session().client("s3", endpoint_url=f"http://s3.localhost:{weir.port}", region_name=weir.region, config=config,
                            aws_access_key_id="test", aws_secret_access_key="test")


# --- version 4 -----------------------------------------------------------------------------------

def test_parameters_stand_for_headers(weir, s3, bucket):
    url = hoisted(weir, "PUT", f"/{bucket}/k", {"x-amz-meta-Colour": "light blue", "x-amz-tagging": "a=1&b=2",
                                                "X-Amz-Checksum-CRC32": "NhCmhg=="})
    assert fetch(url, "PUT", b"hello")[0] == 200
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["Metadata"] == {"colour": "light blue"}
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert "BadDigest" in fetch(url, "PUT", b"other")[1]


def test_what_is_refused_as_a_header_is_refused_as_a_parameter(weir, bucket):
    put = lambda **q: fetch(hoisted(weir, "PUT", f"/{bucket}/k", {k.replace("_", "-"): v for k, v in q.items()}), "PUT", b"x")  # noqa: E731
    assert "AccessControlListNotSupported" in put(x_amz_acl="public-read")[1]
    assert "InvalidStorageClass" in put(x_amz_storage_class="NONE")[1]
    assert put(x_amz_acl="private")[0] == 200


def test_a_copy(weir, s3, bucket):
    s3.put_object(Bucket=bucket, Key="from", Body=b"source")
    url = hoisted(weir, "PUT", f"/{bucket}/to", {"x-amz-copy-source": f"/{bucket}/from"})
    status, body = fetch(url, "PUT")
    assert status == 200 and "CopyObjectResult" in body
    assert s3.get_object(Bucket=bucket, Key="to")["Body"].read() == b"source"


def test_permissions_see_what_the_parameters_ask_for(weir, bucket):
    url = hoisted(weir, "PUT", f"/{bucket}/to", {"x-amz-copy-source": "/no-such-bucket-here/from"})
    assert fetch(url, "PUT")[0] == 404


def test_parameters_cannot_be_added(weir, bucket):
    url = hoisted(weir, "PUT", f"/{bucket}/k", {"x-amz-meta-a": "1"})
    assert "SignatureDoesNotMatch" in fetch(url + "&x-amz-meta-b=2", "PUT", b"x")[1]
    assert "AccessDenied" in fetch(url, "PUT", b"x", {"x-amz-meta-c": "3"})[1]
    assert fetch(f"{weir.endpoint}/{bucket}/k?x-amz-acl=private", "PUT", b"x")[0] == 403


def test_conditions_as_parameters(weir, s3, bucket):
    url = hoisted(weir, "PUT", f"/{bucket}/k", {"If-None-Match": "*"})
    assert fetch(url, "PUT", b"1")[0] == 200
    assert fetch(url, "PUT", b"2")[0] == 412
    etag = s3.head_object(Bucket=bucket, Key="k")["ETag"]
    url = hoisted(weir, "PUT", f"/{bucket}/k", {"If-Match": etag})
    assert fetch(url, "PUT", b"3")[0] == 200
    assert fetch(url, "PUT", b"4")[0] == 412


# --- version 2 -----------------------------------------------------------------------------------

@pytest.mark.parametrize("style", ["path", "virtual"])
def test_version_2(weir, s3, bucket, style):
    old = client_v2(weir, style)
    put = old.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b/é", "Metadata": {"Who": "me"}, "ACL": "private",
                                                    "ContentType": "text/x-own", "Tagging": "a=1"})
    assert "x-amz-meta-who" in put.lower() and "content-type" in put.lower()
    assert fetch(put, "PUT", b"body", {"Content-Type": "text/x-own"})[0] == 200
    head = s3.head_object(Bucket=bucket, Key="a b/é")
    assert (head["Metadata"], head["ContentType"]) == ({"who": "me"}, "text/x-own")
    assert "SignatureDoesNotMatch" in fetch(put.replace("x-amz-meta-who=me", "x-amz-meta-who=you"), "PUT", b"x", {"Content-Type": "text/x-own"})[1]
    assert "SignatureDoesNotMatch" in fetch(put + "&X-Amz-Meta-More=1", "PUT", b"x", {"Content-Type": "text/x-own"})[1]
    get = old.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b/é"})
    assert fetch(get) == (200, "body")
    listing = old.generate_presigned_url("list_objects", {"Bucket": bucket, "Prefix": "a b"})
    assert "<Contents>" in fetch(listing)[1]
    copy = old.generate_presigned_url("copy_object", {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "a b/é"}})
    assert "CopyObjectResult" in fetch(copy, "PUT")[1]
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"body"


@pytest.mark.parametrize("resource", ["/{}?location", "/{}/?location"])
def test_version_2_of_a_bucket(weir, bucket, resource):
    soon = int(time.time()) + 60
    mac = hmac.new(b"test", f"GET\n\n\n{soon}\n{resource.format(bucket)}".encode(), hashlib.sha1).digest()
    signature = urllib.parse.quote(base64.b64encode(mac).decode(), safe="")
    url = f"{weir.endpoint}/{bucket}?location&AWSAccessKeyId=test&Signature={signature}&Expires={soon}"
    assert "LocationConstraint" in fetch(url)[1]
    assert "SignatureDoesNotMatch" in fetch(url.replace("?location", "?acl"))[1]


# --- conditions of writers -----------------------------------------------------------------------

def conditional(weir, operation, **headers):
    """A client whose `operation` has these headers, whatever its model knows of them."""
    def add(request, **kw):
        for name, value in headers.items():
            request.headers[name.replace("_", "-")] = value
    client = weir.client("s3")
    client.meta.events.register(f"before-sign.s3.{operation}", add)
    return client


def upload(s3, bucket, key):
    u = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key=key, UploadId=u, PartNumber=1, Body=b"part")["ETag"]
    return dict(Bucket=bucket, Key=key, UploadId=u, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})


def finish(weir, u, **headers):
    return conditional(weir, "CompleteMultipartUpload", **headers).complete_multipart_upload(**u)


def test_completion_sees_what_was_deleted_meanwhile(weir, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    u = upload(s3, bucket, "k")
    assert code_of(finish, weir=weir, u=u, If_None_Match="*") == ("PreconditionFailed", 412)
    s3.delete_object(Bucket=bucket, Key="k")
    assert code_of(finish, weir=weir, u=u, If_None_Match="*") == ("ConditionalRequestConflict", 409)
    assert code_of(finish, weir=weir, u=u, If_Match='"x"') == ("NoSuchKey", 404)
    finish(weir, upload(s3, bucket, "k"), If_None_Match="*")


def test_completion_sees_what_was_written_meanwhile(weir, s3, bucket):
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"before")["ETag"]
    u = upload(s3, bucket, "k")
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"meanwhile")["ETag"]
    assert code_of(finish, weir=weir, u=u, If_Match=first) == ("PreconditionFailed", 412)
    assert code_of(finish, weir=weir, u=u, If_Match=second) == ("ConditionalRequestConflict", 409)
    finish(weir, upload(s3, bucket, "k"), If_Match=second)


@pytest.mark.parametrize("args, header", [
    ({"If_Match": "*"}, "If-Match"),
    ({"If_None_Match": '"x"'}, "If-None-Match"),
    ({"If_Match": '"x"', "If_None_Match": "*"}, "If-Match,If-None-Match"),
])
def test_conditions_that_writers_cannot_have(weir, bucket, args, header):
    with pytest.raises(ClientError) as e:
        conditional(weir, "PutObject", **args).put_object(Bucket=bucket, Key="k", Body=b"")
    error = e.value.response["Error"]
    assert (error["Code"], error["Header"], "additionalMessage" in error) == ("NotImplemented", header, True)


def test_dates_in_the_future(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k", IfModifiedSince="2090-01-01T00:00:00Z")["Body"].read() == b"x"
    assert s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince="2090-01-01T00:00:00Z")["Body"].read() == b"x"
    assert code_of(s3.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/k", CopySourceIfNoneMatch="*")[0] == "PreconditionFailed"


def test_error_documents_name_no_resource(weir, s3, bucket):
    status, body = fetch(s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "none"}))
    assert status == 404 and "<Key>none</Key>" in body and "<Resource>" not in body
