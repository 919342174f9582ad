"""What S3 says when it refuses: the members of its error documents; and small things of replies that suites compare."""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import urllib.request
import zlib

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from weirtest import wait_for

SUSPENDED = {"Status": "Suspended"}


@pytest.fixture(scope="module")
def s3(weir):
    return weir.client("s3")


@pytest.fixture(scope="module")
def bucket(s3):
    s3.create_bucket(Bucket="errors")
    s3.put_object(Bucket="errors", Key="k", Body=b"0123456789")
    yield "errors"


@pytest.fixture(scope="module")
def versions(s3):
    s3.create_bucket(Bucket="error-versions")
    s3.put_bucket_versioning(Bucket="error-versions", VersioningConfiguration={"Status": "Enabled"})
    yield "error-versions"


def send(weir, method, path, headers=None, body=b"", signed=True):
    """Status, headers in lower case, members of the error document."""
    r = AWSRequest(method=method, url=weir.endpoint + path, data=body, headers=headers or {})
    if signed:
        S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(r)
    c = http.client.HTTPConnection("127.0.0.1", weir.port)
    c.request(method, path, body, dict(r.headers))
    reply = c.getresponse()
    text = reply.read().decode()
    c.close()
    return reply.status, {k.lower(): v for k, v in reply.getheaders()}, dict(re.findall(r"<(\w+)>([^<]*)</", text))


def refused(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    error = e.value.response["Error"]
    return {**error, "Status": e.value.response["ResponseMetadata"]["HTTPStatusCode"]}


# --- arguments ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("method, path, headers, name, value", [
    ("GET", "/errors?max-keys=-1", {}, "maxKeys", "-1"),
    ("GET", "/errors?list-type=2&max-keys=-1", {}, "maxKeys", "-1"),
    ("GET", "/errors?versions&max-keys=-1", {}, "maxKeys", "-1"),
    ("GET", "/errors?encoding-type=base64", {}, "encoding-type", "base64"),
    ("GET", "/errors?list-type=2&continuation-token=x", {}, "continuation-token", "x"),
    ("GET", "/errors?versions&version-id-marker=null", {}, "version-id-marker", "null"),
    ("GET", "/errors?versions&key-marker=a&version-id-marker=x", {}, "version-id-marker", "x"),
    ("GET", "/errors/k?versionId=nonsense", {}, "versionId", "nonsense"),
    ("GET", "/errors/k?versionId=", {}, "versionId", ""),
    ("DELETE", "/errors/k?versionId=", {}, "versionId", ""),
    ("DELETE", "/errors/k?versionId=nonsense", {}, "versionId", "nonsense"),
    ("GET", "/errors/k?partNumber=0", {}, "partNumber", "0"),
    ("PUT", "/errors/k?partNumber=0&uploadId=x", {}, "partNumber", "0"),
    ("PUT", "/errors/t", {"x-amz-tagging": "a=1&a=2"}, "x-amz-tagging", "a=1&amp;a=2"),
    ("GET", "/errors/k", {"x-amz-server-side-encryption": "AES256"}, "x-amz-server-side-encryption", "AES256"),
    ("HEAD", "/errors/k", {"x-amz-server-side-encryption": "AES256"}, None, None),
    ("GET", "/errors?max-keys=a", {}, "max-keys", "a"),
    ("GET", "/errors/k?partNumber=a", {}, "partNumber", "a"),
    ("GET", "/errors?versions&key-marker=a&version-id-marker=", {}, "version-id-marker", ""),
    ("GET", "/errors?uploads&max-uploads=-1", {}, "maxUploads", "-1"),
    ("GET", "/errors?uploads&key-marker=a&upload-id-marker=a", {}, "upload-id-marker", "a"),
    ("GET", "/errors/k?uploadId=x&max-parts=-1", {}, "maxParts", "-1"),
    ("GET", "/?max-buckets=0", {}, "max-buckets", "0"),
    ("GET", "/?max-buckets=10001", {}, "max-buckets", "10001"),
    ("PUT", "/errors/t", {"x-amz-acl": "foo"}, "x-amz-acl", "foo"),
    ("PUT", "/errors/t", {"x-amz-copy-source": "errors"}, "x-amz-copy-source", "errors"),
    ("PUT", "/errors/t", {"x-amz-copy-source": "errors/k", "x-amz-metadata-directive": "X"}, "x-amz-metadata-directive", "X"),
    ("PUT", "/errors/t", {"x-amz-copy-source": "errors/k", "x-amz-tagging-directive": "X"}, "x-amz-tagging-directive", "X"),
    ("DELETE", "/errors/k", {"x-amz-bypass-governance-retention": "true"}, "x-amz-bypass-governance-retention", "true"),
    ("PUT", "/errors/t?versionId=x", {}, "versionId", "x"),
    ("PUT", "/errors/t?versionId", {}, "versionId", ""),
    ("PUT", "/errors/t?partNumber=1&uploadId=x&versionId=null", {}, "versionId", "null"),
    ("PUT", "/errors/t?versionId=x", {"x-amz-copy-source": "errors/k"}, "versionId", "x"),
    ("POST", "/errors/t?uploads&versionId=x", {}, "versionId", "x"),
    ("GET", "/errors?prefix=%00", {}, "prefix", "&#x0;"),
    ("GET", "/errors?marker=a%00", {}, "marker", "a&#x0;"),
    ("GET", "/errors?list-type=2&start-after=%00", {}, "start-after", "&#x0;"),
    ("GET", "/errors?versions&key-marker=%00", {}, "key-marker", "&#x0;"),
    ("GET", "/errors?uploads&prefix=%00", {}, "prefix", "&#x0;"),
    # Of two faults one is told of first.
    ("GET", "/errors?versions&max-keys=-1&key-marker=a&version-id-marker=x", {}, "maxKeys", "-1"),
    ("GET", "/errors?versions&encoding-type=x&key-marker=a&version-id-marker=x", {}, "version-id-marker", "x"),
    ("GET", "/errors?versions&encoding-type=x&key-marker=%00", {}, "encoding-type", "x"),
])
def test_arguments_are_named(weir, bucket, method, path, headers, name, value):
    status, _, error = send(weir, method, path, headers)
    assert status == 400
    if name:
        assert (error["Code"], error["ArgumentName"], error["ArgumentValue"]) == ("InvalidArgument", name, value)


@pytest.mark.parametrize("method, path, headers, code, name, value", [
    ("GET", "/errors/k?uploadId=x", {}, "NoSuchUpload", "UploadId", "x"),
    ("PUT", "/errors/k", {"x-amz-storage-class": "GLACIER"}, "NotImplemented", "Header", "x-amz-storage-class"),
    ("GET", "/errors/k", {"Range": "bytes=10-"}, "InvalidRange", "ActualObjectSize", "10"),
    ("GET", "/errors/k", {"If-Match": '"x"'}, "PreconditionFailed", "Condition", "If-Match"),
    ("PUT", "/errors/k", {"x-amz-website-redirect-location": "x"}, "InvalidRedirectLocation", "Message",
     "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."),
    ("GET", "/errors/k?attributes", {}, "InvalidRequest", "Message",
     "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"),
    ("POST", "/errors/k?uploads", {"x-amz-checksum-algorithm": "X"}, "InvalidRequest", "Message",
     "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"),
    ("POST", "/errors/k?uploads", {"x-amz-checksum-algorithm": "MD5"}, "NotImplemented", "Header", "x-amz-checksum-algorithm"),
    ("POST", "/errors/k?uploads", {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "X"}, "InvalidRequest", "Message",
     "Value for x-amz-checksum-type header is invalid."),
    ("PUT", "/errors/t", {"x-amz-copy-source": "errors/k", "x-amz-copy-source-range": "bytes=0-1"}, "NotImplemented", "Header",
     "x-amz-copy-source-range"),
    ("GET", "/errors?versions&version-id-marker=", {}, "InvalidArgument", "Message",
     "A version-id marker cannot be specified without a key marker."),
])
def test_details_of_errors(weir, bucket, method, path, headers, code, name, value):
    error = send(weir, method, path, headers)[2]
    assert (error["Code"], error[name]) == (code, value)


# --- versions ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("operation, method, more", [
    ("get_object_tagging", "GET", {}),
    ("put_object_tagging", "PUT", {"Tagging": {"TagSet": []}}),
    ("delete_object_tagging", "DELETE", {}),
    ("get_object_acl", "GET", {}),
])
def test_a_delete_marker_has_nothing(weir, s3, versions, operation, method, more):
    s3.put_object(Bucket=versions, Key="gone", Body=b"")
    marker = s3.delete_object(Bucket=versions, Key="gone")["VersionId"]
    hides = operation == "get_object_acl"  # as of reading
    if hides:
        status, headers, error = send(weir, "GET", f"/{versions}/gone?acl")
        assert (status, error["Code"], headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == (404, "NoSuchKey", "true", marker)
    for version in ({"VersionId": marker},) if hides else ({}, {"VersionId": marker}):
        error = refused(getattr(s3, operation), Bucket=versions, Key="gone", **version, **more)
        assert (error["Status"], error["Code"], error["Method"], error["ResourceType"]) == \
            (405, "MethodNotAllowed", method, "DeleteMarker")
    assert refused(s3.get_object, Bucket=versions, Key="gone")["Code"] == "NoSuchKey"
    error = refused(s3.get_object, Bucket=versions, Key="gone", VersionId=marker)
    assert (error["Status"], error["Method"], error["ResourceType"]) == (405, "GET", "DeleteMarker")
    status, headers, _ = send(weir, "HEAD", f"/{versions}/gone?versionId={marker}")
    assert (status, headers["x-amz-delete-marker"], headers["last-modified"][-3:]) == (405, "true", "GMT")
    # As the source of a copy it is another mistake.
    upload = s3.create_multipart_upload(Bucket=versions, Key="parts")["UploadId"]
    for where in (f"/{versions}/copy", f"/{versions}/parts?partNumber=1&uploadId={upload}"):
        for source, want in ((f"{versions}/gone?versionId={marker}", (400, "InvalidRequest")), (f"{versions}/gone", (404, "NoSuchKey"))):
            status, _, error = send(weir, "PUT", where, {"x-amz-copy-source": source})
            assert (status, error["Code"]) == want
        assert send(weir, "PUT", where, {"x-amz-copy-source": f"{versions}/gone?versionId={marker}"})[2]["Message"] == (
            "The source of a copy request may not specifically refer to a delete marker by version id.")


def test_null_is_not_told_of_what_is_written(s3):
    name = "error-suspended"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=SUSPENDED)
    assert "VersionId" not in s3.put_object(Bucket=name, Key="k", Body=b"x")
    assert "VersionId" not in s3.copy_object(Bucket=name, Key="c", CopySource=f"{name}/k")
    upload = s3.create_multipart_upload(Bucket=name, Key="m")["UploadId"]
    part = s3.upload_part(Bucket=name, Key="m", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    assert "VersionId" not in s3.complete_multipart_upload(
        Bucket=name, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    assert s3.head_object(Bucket=name, Key="k")["VersionId"] == "null"


# --- uploads -----------------------------------------------------------------------------------------

def test_uploads_without_an_algorithm_show_none(s3, bucket):
    where = {"Bucket": bucket, "Key": "plain"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    part = s3.upload_part(**where, PartNumber=1, Body=b"x")
    parts, listed = s3.list_parts(**where), s3.list_multipart_uploads(Bucket=bucket, Prefix="plain")
    for shown in (part, parts, parts["Parts"][0], listed["Uploads"][0]):
        assert not [name for name in shown if name.startswith("Checksum")]
    s3.abort_multipart_upload(**where)
    where = {"Bucket": bucket, "Key": "summed"}
    where["UploadId"] = s3.create_multipart_upload(**where, ChecksumAlgorithm="CRC32")["UploadId"]
    s3.upload_part(**where, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")
    parts = s3.list_parts(**where)
    assert (parts["ChecksumAlgorithm"], "ChecksumCRC32" in parts["Parts"][0]) == ("CRC32", True)
    s3.abort_multipart_upload(**where)


def test_who_began_an_upload_and_what_comes_next(weir, s3):
    s3.create_bucket(Bucket="error-uploads")
    empty = s3.list_multipart_uploads(Bucket="error-uploads")
    assert (empty["NextKeyMarker"], empty["NextUploadIdMarker"], empty["IsTruncated"]) == ("", "", False)
    upload = s3.create_multipart_upload(Bucket="error-uploads", Key="a/b")["UploadId"]
    listed = s3.list_multipart_uploads(Bucket="error-uploads")
    assert (listed["NextKeyMarker"], listed["NextUploadIdMarker"], listed["IsTruncated"]) == ("a/b", upload, False)
    assert listed["Uploads"][0]["Initiator"] == {"ID": listed["Uploads"][0]["Owner"]["ID"]}
    grouped = s3.list_multipart_uploads(Bucket="error-uploads", Delimiter="/")
    assert (grouped["NextKeyMarker"], grouped["NextUploadIdMarker"]) == ("a/", "")
    iam = weir.client("iam")
    iam.create_user(UserName="uploader", Path="/team/")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="uploader", PolicyName="p", PolicyDocument=json.dumps(allow))
    key = iam.create_access_key(UserName="uploader")["AccessKey"]
    user = weir.client("s3", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert user.list_parts(Bucket="error-uploads", Key="a/b", UploadId=upload)["Initiator"] == listed["Uploads"][0]["Initiator"]
    upload = user.create_multipart_upload(Bucket="error-uploads", Key="c")["UploadId"]
    initiator = s3.list_parts(Bucket="error-uploads", Key="c", UploadId=upload)["Initiator"]
    assert initiator == {"ID": "arn:aws:iam::000000000000:user/team/uploader", "DisplayName": "uploader"}


# --- conditions of deletions ------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since"])
def test_dates_that_are_none(weir, bucket, name):
    for date in ("yesterday", "", "0"):
        assert send(weir, "GET", f"/{bucket}/k", {name: date})[0] == 200
        assert send(weir, "PUT", f"/{bucket}/copied", {f"x-amz-copy-source-{name}": date, "x-amz-copy-source": f"{bucket}/k"})[0] == 200


@pytest.mark.parametrize("key, given, code", [
    ("there", '"x"', "PreconditionFailed"), ("there", "ETAG", None), ("there", "*", None),
    ("none", "ETAG", "NoSuchKey"), ("none", "*", "PreconditionFailed"), ("gone", "*", "PreconditionFailed"), ("gone", "ETAG", "NoSuchKey"),
])
def test_conditional_deletions(weir, s3, versions, key, given, code):
    where = f"/{versions}/{key}"
    given = given.replace("ETAG", s3.put_object(Bucket=versions, Key="there", Body=b"x")["ETag"])
    s3.put_object(Bucket=versions, Key="gone", Body=b"x")
    s3.delete_object(Bucket=versions, Key="gone")
    ids = lambda: [v["VersionId"] for v in s3.list_object_versions(Bucket=versions).get("DeleteMarkers", [])]  # noqa: E731
    before = ids()
    status, _, error = send(weir, "DELETE", where, {"If-Match": given})
    assert (status, error.get("Code")) == ({None: 204, "NoSuchKey": 404, "PreconditionFailed": 412}[code], code)
    assert (ids() == before) == bool(code)
    s3.put_object(Bucket=versions, Key="there", Body=b"x")
    body = f"<Delete><Object><Key>{key}</Key><ETag>{given}</ETag></Object></Delete>".encode()
    _, _, told = send(weir, "POST", f"/{versions}?delete", {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}, body)
    assert (told["Key"], told.get("Code")) == (key, code)


def test_a_key_is_deleted_once(weir, s3, versions):
    """What a list says twice is one deletion; a key and one of its versions are two."""
    old, new = (s3.put_object(Bucket=versions, Key="twice", Body=b"x")["VersionId"] for _ in range(2))
    named = [{"Key": "twice", "VersionId": old}, {"Key": "twice"}, {"Key": "twice", "VersionId": old}, {"Key": "twice"}]
    deleted = s3.delete_objects(Bucket=versions, Delete={"Objects": named})["Deleted"]
    listed = s3.list_object_versions(Bucket=versions, Prefix="twice")
    assert [d.get("VersionId") for d in deleted] == [old, None]
    assert [m["VersionId"] for m in listed["DeleteMarkers"]] == [deleted[1]["DeleteMarkerVersionId"]]
    assert [v["VersionId"] for v in listed["Versions"]] == [new]


def test_who_may_compare(weir, s3, versions):
    """Who learns whether an ETag is an object's may read it; that something is there, who may delete or write."""
    etag = s3.put_object(Bucket=versions, Key="secret", Body=b"x")["ETag"]
    iam = weir.client("iam")
    iam.create_user(UserName="comparer")
    key = iam.create_access_key(UserName="comparer")["AccessKey"]

    def ask(method, given, *actions):
        iam.put_user_policy(UserName="comparer", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": [f"s3:{a}" for a in actions], "Resource": "*", "Condition": {"Null": {"s3:if-match": "false"}}},
            {"Effect": "Allow", "Action": "s3:GetObject" if "GetObject" in actions else "s3:GetBucketAcl", "Resource": "*"}]}))
        path, body, headers = f"/{versions}/secret", b"", {"If-Match": given} if given else {}
        if method == "POST":
            tag = f"<ETag>{given}</ETag>" if given else ""
            path, body = f"/{versions}?delete", f"<Delete><Object><Key>secret</Key>{tag}</Object></Delete>".encode()
            headers = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
        r = AWSRequest(method=method, url=weir.endpoint + path, headers=headers, data=body)
        S3SigV4Auth(Credentials(key["AccessKeyId"], key["SecretAccessKey"]), "s3", "us-east-1").add_auth(r)
        c = http.client.HTTPConnection("127.0.0.1", weir.port)
        c.request(method, path, body, dict(r.headers))
        reply = c.getresponse()
        code = re.findall("<Code>(.*?)</Code>", reply.read().decode()) if method == "POST" else None
        c.close()
        return reply.status if code is None else "".join(code)
    assert ask("PUT", '"x"', "PutObject") == ask("PUT", etag, "PutObject") == ask("DELETE", '"x"', "DeleteObject") == 403
    assert ask("PUT", '"x"', "PutObject", "GetObject") == ask("DELETE", '"x"', "DeleteObject", "GetObject") == 412
    assert ask("DELETE", None, "DeleteObject") == 403  # the policy wants a condition
    assert ask("POST", None, "DeleteObject") == ask("POST", etag, "DeleteObject") == "AccessDenied"
    assert ask("POST", '"x"', "DeleteObject", "GetObject") == "PreconditionFailed"
    assert (ask("POST", "*", "DeleteObject"), ask("POST", "*", "DeleteObject")) == ("", "PreconditionFailed")
    s3.put_object(Bucket=versions, Key="secret", Body=b"x")
    assert (ask("DELETE", "*", "DeleteObject"), ask("DELETE", "*", "DeleteObject")) == (204, 412)


# --- replies -----------------------------------------------------------------------------------------

def test_small_things_of_replies(weir, s3, bucket):
    for path in ("/errors", "/errors?list-type=2"):
        assert send(weir, "GET", path)[1]["x-amz-bucket-region"] == "us-east-1"
    own = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "000000000000"},
                                                   "Action": "s3:GetObject", "Resource": "arn:aws:s3:::errors/*"}]}
    assert s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(own))["ResponseMetadata"]["HTTPStatusCode"] == 204
    for mode in ("ENABLED", "enabled", "Enabled"):
        head = send(weir, "HEAD", "/errors/k", {"x-amz-checksum-mode": mode})[1]
        assert [name for name in head if name.startswith("x-amz-checksum-crc")]
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": []})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []


@pytest.mark.parametrize("given, partial", [
    ("etag", True), ('"other"', False), ("W/etag", False), ("*", False), ("date", True),
    ("Thu, 01 Jan 2015 00:00:00 GMT", False), ("Thu, 01 Jan 2090 00:00:00 GMT", False), ("nonsense", False)])
def test_if_range(weir, s3, bucket, given, partial):
    head = s3.head_object(Bucket=bucket, Key="k")
    value = given.replace("etag", head["ETag"]).replace("date", head["ResponseMetadata"]["HTTPHeaders"]["last-modified"])
    status, headers, _ = send(weir, "GET", "/errors/k", {"Range": "bytes=2-3", "If-Range": value})
    assert (status, headers["content-length"]) == ((206, "2") if partial else (200, "10"))


def test_deletions_need_a_digest(weir, s3, bucket):
    body = b"<Delete><Object><Key>none</Key></Object></Delete>"
    status, _, error = send(weir, "POST", "/errors?delete", body=body)
    assert (status, error["Code"], error["Message"]) == (400, "InvalidRequest", "Missing required header for this request: Content-MD5")
    assert s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "none"}]})["Deleted"]


@pytest.mark.parametrize("tags, code", [
    ([("aws:a", "1")], "InvalidTag"), ([("AWS:a", "1")], "InvalidTag"), ([("a,b", "1")], "InvalidTag"), ([("a", "1,2")], "InvalidTag"),
    ([("a", "1"), ("a", "2")], "InvalidTag"), ([("a" * 129, "1")], "InvalidTag")])
def test_bad_tags(s3, bucket, tags, code):
    tags = {"TagSet": [{"Key": k, "Value": v} for k, v in tags]}
    assert refused(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=tags)["Code"] == code
    assert refused(s3.put_bucket_tagging, Bucket=bucket, Tagging=tags)["Code"] == code


# --- what names nothing, or is not whole -------------------------------------------------------------

@pytest.mark.parametrize("method, path, kind", [
    ("POST", "/errors", "BUCKET"), ("POST", "/errors/k", "OBJECT"), ("POST", "/", "SERVICE"), ("PATCH", "/errors/k", "OBJECT")])
def test_methods_that_name_nothing(weir, bucket, method, path, kind):
    status, _, error = send(weir, method, path)
    assert (status, error["Code"], error["Method"], error["ResourceType"]) == (405, "MethodNotAllowed", method, kind)
    assert error["Message"] == "The specified method is not allowed against this resource."


@pytest.mark.parametrize("path", ["/errors/%zz", "/errors/%f", "/errors/%", "/errors/a%ff", "/errors/%c3%28"])
def test_paths_that_are_none(weir, bucket, path):
    for method in ("GET", "PUT"):
        status, _, error = send(weir, method, path, signed=False)
        assert (status, error["Code"], error["Message"]) == (400, "InvalidURI", "Couldn't parse the specified URI.")


def test_a_missing_bucket_is_told_to_anybody(weir, s3, bucket):
    for method, path in (("GET", "/no-such-bucket"), ("GET", "/no-such-bucket/k"), ("PUT", "/no-such-bucket/k"),
                         ("DELETE", "/no-such-bucket"), ("GET", "/no-such-bucket?policy")):
        status, _, error = send(weir, method, path, signed=False)
        assert (status, error["Code"], error["BucketName"]) == (404, "NoSuchBucket", "no-such-bucket")
        status, _, error = send(weir, method, path.replace("no-such-bucket", bucket), signed=False)
        assert (status, error["Code"]) == (403, "AccessDenied")
    assert send(weir, "HEAD", "/no-such-bucket", signed=False)[0] == 404
    iam = weir.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    user = weir.client("s3", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    assert refused(user.list_objects_v2, Bucket="no-such-bucket")["Code"] == "NoSuchBucket"
    assert refused(user.list_objects_v2, Bucket=bucket)["Code"] == "AccessDenied"
    assert refused(user.create_bucket, Bucket="no-such-bucket")["Code"] == "AccessDenied"
    assert refused(user.list_buckets)["Code"] == "AccessDenied"


def send_stream(weir, body, headers):
    """A PUT of a body in unsigned chunks: status, headers in lower case, members of the error document."""
    r = AWSRequest(method="PUT", url=weir.endpoint + "/errors/chunked", headers={
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "content-encoding": "aws-chunked", **headers})
    auth = S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1")
    auth.payload = lambda request: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    auth.add_auth(r)
    c = http.client.HTTPConnection("127.0.0.1", weir.port)
    c.request("PUT", "/errors/chunked", body, dict(r.headers))
    reply = c.getresponse()
    text = reply.read().decode()
    c.close()
    return reply.status, {k.lower(): v for k, v in reply.getheaders()}, dict(re.findall(r"<(\w+)>([^<]*)</", text))


def send_chunks(weir, promised, chunks):
    body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % \
        base64.b64encode(zlib.crc32(b"".join(chunks)).to_bytes(4, "big"))
    status, _, error = send_stream(weir, body, {"x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": str(promised)})
    return status, error


BIG = 9000


@pytest.mark.parametrize("promised, sizes, code, details", [
    (BIG, [BIG], None, {}),
    (BIG + 5, [BIG, 5], None, {}),
    (8193, [8192, 1], None, {}),
    (8192, [8191, 1], "InvalidChunkSizeError", {"Chunk": "1", "BadChunkSize": "8191"}),
    (2 * BIG + 3, [BIG, 3, BIG], "InvalidChunkSizeError", {"Chunk": "2", "BadChunkSize": "3"}),
    (400003, [300000, 3, 100000], "InvalidChunkSizeError", {"Chunk": "2", "BadChunkSize": "3"}),
    (BIG + 1, [BIG], "IncompleteBody", {"Message": "The request body terminated unexpectedly"}),
    (400000, [300000], "IncompleteBody", {}),
])
def test_chunked_bodies(weir, bucket, promised, sizes, code, details):
    status, error = send_chunks(weir, promised, [b"x" * n for n in sizes])
    assert (status, error.get("Code")) == ((400, code) if code else (200, None))
    assert {name: error[name] for name in details} == details


SUMS = {"crc32": "NhCmhg==", "crc32c": "mnG7TA==", "crc64nvme": "M3eFcAZSQlc=", "sha1": "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
        "sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="}  # of "hello"


@pytest.mark.parametrize("name", SUMS)
def test_trailing_checksums(weir, bucket, name):
    header, other = f"x-amz-checksum-{name}", "sha1" if name == "crc32" else "crc32"
    given = {"x-amz-decoded-content-length": "5", "x-amz-trailer": header}

    def put(value, **more):
        status, headers, error = send_stream(weir, b"5\r\nhello\r\n0\r\n" + b"%s:%s\r\n\r\n" % (header.encode(), value.encode()), {**given, **more})
        return status, error.get("Code"), error.get("Message"), headers.get(header)
    assert put(SUMS[name]) == (200, None, None, SUMS[name])
    assert put(SUMS[name], **{"x-amz-sdk-checksum-algorithm": name.upper()}) == (200, None, None, SUMS[name])
    wrong = base64.b64encode(base64.b64decode(SUMS[name])[::-1]).decode()
    assert put(wrong)[:3] == (400, "BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")
    assert put("invalid")[:3] == (400, "InvalidRequest", f"Value for {header} trailing header is invalid.")
    assert put(SUMS[name], **{"x-amz-sdk-checksum-algorithm": other.upper()})[:2] == (400, "InvalidRequest")
    for also in (name, other):
        assert put(SUMS[name], **{f"x-amz-checksum-{also}": SUMS[also]})[:3] == (
            400, "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    # In a header alone it is no trailer.
    status, headers, _ = send_stream(weir, b"5\r\nhello\r\n0\r\n\r\n", {"x-amz-decoded-content-length": "5", header: SUMS[name]})
    assert (status, headers[header]) == (200, SUMS[name])


HELLO = b"5\r\nhello\r\n0\r\n"
TRAILER = b"x-amz-checksum-crc32:NhCmhg==\r\n"


@pytest.mark.parametrize("body, announced, promised, code", [
    (HELLO + b"\r\n", None, "5", None),
    (HELLO + TRAILER + b"\r\n", "x-amz-checksum-crc32", "5", None),
    (HELLO + b"\r\n", "x-amz-checksum-crc32", "5", "MalformedTrailerError"),
    (HELLO + TRAILER + b"\r\n", None, "5", "MalformedTrailerError"),  # of which nobody spoke
    (HELLO + TRAILER + b"\r\n", "x-amz-checksum-sha1", "5", "MalformedTrailerError"),
    (HELLO + TRAILER + TRAILER + b"\r\n", "x-amz-checksum-crc32", "5", "MalformedTrailerError"),
    (HELLO + TRAILER + b"x-amz-meta-a:b\r\n\r\n", "x-amz-checksum-crc32", "5", "MalformedTrailerError"),
    (HELLO + b"x-amz-meta-a:b\r\n\r\n", "x-amz-meta-a", "5", "InvalidRequest"),
    (HELLO + TRAILER + b"\r\n", "x-amz-checksum-crc32", None, "MissingContentLength"),
    (HELLO + TRAILER + b"\r\n", "x-amz-checksum-crc32", "abc", "MissingContentLength"),
    (HELLO + TRAILER + b"\r\n", "x-amz-checksum-crc32", "-5", "MissingContentLength"),
    (HELLO + TRAILER + b"\r\n", "x-amz-checksum-crc32", "6", "IncompleteBody"),
    (HELLO + TRAILER, "x-amz-checksum-crc32", "5", "IncompleteBody"),
    (b"5\r\n", "x-amz-checksum-crc32", "5", "IncompleteBody"),
    (b"5\r\nhello0\r\n\r\n", "x-amz-checksum-crc32", "5", "IncompleteBody"),
    (b"five" + HELLO + TRAILER + b"\r\n", "x-amz-checksum-crc32", "5", "IncompleteBody"),
])
def test_trailers(weir, bucket, body, announced, promised, code):
    headers = {"x-amz-trailer": announced, "x-amz-decoded-content-length": promised}
    status, _, error = send_stream(weir, body, {k: v for k, v in headers.items() if v is not None})
    assert (status, error.get("Code")) == (411 if code == "MissingContentLength" else 400 if code else 200, code)


def test_repeated_metadata_is_joined(weir, s3, bucket):
    r = AWSRequest(method="PUT", url=weir.endpoint + "/errors/meta", data=b"")
    for name, value in (("x-amz-meta-a", "1"), ("x-amz-meta-b", "x"), ("X-Amz-Meta-A", "2"), ("x-amz-meta-a", "3")):
        r.headers.add_header(name, value)
    S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(r)
    c = http.client.HTTPConnection("127.0.0.1", weir.port)
    c.putrequest("PUT", "/errors/meta")
    for name, value in [*r.headers.items(), ("Content-Length", "0")]:
        c.putheader(name, value)
    c.endheaders()
    assert c.getresponse().status == 200
    c.close()
    assert s3.head_object(Bucket=bucket, Key="meta")["Metadata"] == {"a": "1,2,3", "b": "x"}


# --- what else suites compare --------------------------------------------------------------------------

@pytest.mark.parametrize("method, path, kind", [
    ("DELETE", "/error-parts?logging", "BUCKET"),  # which must not delete the bucket
    ("DELETE", "/error-parts?acl", "BUCKET"),
    ("PUT", "/error-parts?location", "BUCKET"),
    ("PUT", "/error-parts?versions", "BUCKET"),
    ("POST", "/error-parts?acl", "BUCKET"),
    ("DELETE", "/error-parts/k?acl", "OBJECT"),
    ("PUT", "/error-parts/k?attributes", "OBJECT"),
    ("PUT", "/error-parts/k?partNumber=1", "OBJECT"),
    ("POST", "/error-parts/k", "OBJECT"),
    ("POST", "/", "SERVICE"),
])
def test_parts_that_a_method_does_not_have(weir, s3, method, path, kind):
    s3.create_bucket(Bucket="error-parts")
    s3.put_object(Bucket="error-parts", Key="k", Body=b"x")
    status, _, error = send(weir, method, path)
    assert (status, error["Code"], error["Method"], error["ResourceType"]) == (405, "MethodNotAllowed", method, kind)
    assert s3.get_object(Bucket="error-parts", Key="k")["Body"].read() == b"x"
    s3.delete_object(Bucket="error-parts", Key="k")
    assert send(weir, method, path)[0] == 405
    assert s3.list_objects_v2(Bucket="error-parts")["KeyCount"] == 0


ANY_ORIGIN = {"Origin": "http://x"}
ANY_PUT = {**ANY_ORIGIN, "Access-Control-Request-Method": "PUT"}
NOT_ALLOWED = ("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
               "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
NOT_ENABLED = "CORSResponse: CORS is not enabled for this bucket."


@pytest.mark.parametrize("path, headers, code, message, method, kind", [
    ("/errors/k", ANY_PUT, "AccessForbidden", NOT_ENABLED, "PUT", "BUCKET"),
    ("/errors/k", ANY_ORIGIN, "AccessForbidden", NOT_ENABLED, "OPTIONS", "BUCKET"),
    ("/error-no-bucket/k", ANY_PUT, "AccessForbidden", "CORSResponse: Bucket not found", "PUT", "BUCKET"),
    ("/error-no-bucket", ANY_ORIGIN, "AccessForbidden", "CORSResponse: Bucket not found", "OPTIONS", "BUCKET"),
    ("/error-cors/k", ANY_PUT, "AccessForbidden", NOT_ALLOWED, "PUT", "OBJECT"),
    ("/error-cors", ANY_PUT, "AccessForbidden", NOT_ALLOWED, "PUT", "BUCKET"),
    ("/error-cors/k", {**ANY_PUT, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-a"},
     "AccessForbidden", NOT_ALLOWED, "GET", "OBJECT"),
    ("/errors/k", {}, "BadRequest", "Insufficient information. Origin request header needed.", None, None),
    ("/error-no-bucket/k", {}, "BadRequest", "Insufficient information. Origin request header needed.", None, None),
    ("/error-cors/k", ANY_ORIGIN, "BadRequest", "Invalid Access-Control-Request-Method: null", None, None),
    ("/", {}, "MethodNotAllowed", "The specified method is not allowed against this resource.", "OPTIONS", "SERVICE"),
])
def test_preflight_requests_that_fail(weir, s3, bucket, path, headers, code, message, method, kind):
    s3.create_bucket(Bucket="error-cors")
    s3.put_bucket_cors(Bucket="error-cors", CORSConfiguration={"CORSRules": [
        {"AllowedMethods": ["GET"], "AllowedOrigins": ["http://x"]}]})
    got, _, error = send(weir, "OPTIONS", path, headers, signed=False)
    assert got == {"AccessForbidden": 403, "BadRequest": 400, "MethodNotAllowed": 405}[code]
    assert (error["Code"], error["Message"].replace("&apos;", "'")) == (code, message)
    assert (error.get("Method"), error.get("ResourceType")) == (method, kind)


@pytest.mark.parametrize("key, value", [
    ("", "x"), ("aws:x", "x"), ("a,b", "x"), ("a", "x,y"), ("a" * 129, "x"), ("a", "x" * 257),
])
def test_tags_that_are_none(s3, bucket, key, value):
    tags = {"TagSet": [{"Key": key, "Value": value}]}
    assert refused(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=tags)["Code"] == "InvalidTag"
    assert refused(s3.put_bucket_tagging, Bucket=bucket, Tagging=tags)["Code"] == "InvalidTag"
    twice = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
    assert refused(s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=twice)["Code"] == "InvalidTag"


@pytest.mark.parametrize("algorithm, kind, fits", [
    ("SHA256", "COMPOSITE", False), ("CRC32", None, False), ("CRC32C", "COMPOSITE", False), ("CRC32", "FULL_OBJECT", True),
    ("CRC64NVME", None, True),
])
def test_parts_without_a_checksum(weir, bucket, algorithm, kind, fits):
    more = {"x-amz-checksum-type": kind} if kind else {}
    upload = send(weir, "POST", "/errors/sums?uploads", {"x-amz-checksum-algorithm": algorithm, **more})[2]["UploadId"]
    status, _, error = send(weir, "PUT", f"/errors/sums?partNumber=1&uploadId={upload}", {}, b"x")
    assert status == (200 if fits else 400)
    if not fits:
        assert error["Message"] == ("Checksum Type mismatch occurred, expected checksum Type: "
                                    f"{algorithm.lower()}, actual checksum Type: null")


@pytest.mark.parametrize("sent, told", [
    ("plain", "plain"),
    ("=?UTF-8?B?w4Q=?=", "=?UTF-8?B?w4Q=?="),
    ("=?UTF-8?Q?=C3=84_x?=", "=?UTF-8?B?w4QgeA==?="),
    ("=?UTF-8?Q?ascii?=", "ascii"),
    ("\u00c4MX", "=?UTF-8?B?w4RNWA==?="),  # http.client sends ISO-8859-1
])
def test_metadata_beyond_ascii(weir, s3, sent, told):
    s3.create_bucket(Bucket="error-open")
    s3.delete_public_access_block(Bucket="error-open")
    s3.put_bucket_policy(Bucket="error-open", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::error-open/*"}]}))
    assert send(weir, "PUT", "/error-open/meta", {"x-amz-meta-a": sent}, signed=False)[0] == 200
    assert send(weir, "HEAD", "/error-open/meta")[1]["x-amz-meta-a"] == told
    s3.copy_object(Bucket="error-open", Key="copy", CopySource="error-open/meta")
    assert send(weir, "HEAD", "/error-open/copy")[1]["x-amz-meta-a"] == told


def test_keys_that_xml_cannot_carry(weir, s3):
    name = "error-keys"
    s3.create_bucket(Bucket=name)
    keys = ["a\x01b", "a\x0bb", "a\ufffeb", "t\tx", "n\nx", "<&>"]
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    assert sorted(o["Key"] for o in s3.list_objects_v2(Bucket=name)["Contents"]) == sorted(keys)
    assert send(weir, "GET", f"/{name}?prefix=a%01")[2]["Key"] == "a&#x1;b"
    # As a client writes them that knows of references.
    listed = "".join(f"<Object><Key>{k}</Key></Object>" for k in ("a&#x1;b", "a&#11;b", "a&#xFFFE;b", "t&#9;x", "n&#10;x", "&lt;&amp;&gt;"))
    body = f"<Delete>{listed}</Delete>".encode()
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    assert send(weir, "POST", f"/{name}?delete", {"Content-MD5": md5}, body)[0] == 200
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 0
    body = b"<Delete><Object><Key></Key></Object></Delete>"
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    assert send(weir, "POST", f"/{name}?delete", {"Content-MD5": md5}, body)[2]["Code"] == "MalformedXML"


@pytest.mark.parametrize("asked, whole", [
    ("bytes=0-9", True), ("bytes=0-", True), ("bytes=0-99", True), ("bytes=-10", True), ("bytes=1-9", False), ("bytes=0-8", False),
])
def test_checksums_of_ranges(weir, bucket, asked, whole):
    status, headers, _ = send(weir, "GET", "/errors/k", {"Range": asked, "x-amz-checksum-mode": "ENABLED"})
    assert (status, "x-amz-checksum-crc64nvme" in headers or "x-amz-checksum-crc32" in headers) == (206, whole)


def test_attributes_of_objects(weir, s3, bucket):
    where = {"Bucket": bucket, "Key": "attributes"}
    where["UploadId"] = s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    sums = [base64.b64encode(hashlib.sha256(b).digest()).decode() for b in (b"x" * (5 << 20), b"y")]
    parts = [{"PartNumber": n, "ChecksumSHA256": s, "ETag": s3.upload_part(
        **where, PartNumber=n, Body=b, ChecksumSHA256=s)["ETag"]} for n, b, s in ((1, b"x" * (5 << 20), sums[0]), (2, b"y", sums[1]))]
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    wanted = ["Checksum", "ObjectParts"]
    got = s3.get_object_attributes(Bucket=bucket, Key="attributes", ObjectAttributes=wanted)
    assert done["ChecksumSHA256"] == got["Checksum"]["ChecksumSHA256"] + "-2"  # the number is told by the parts
    page = s3.get_object_attributes(Bucket=bucket, Key="attributes", ObjectAttributes=wanted, MaxParts=1)["ObjectParts"]
    assert (page["IsTruncated"], page["NextPartNumberMarker"], page["TotalPartsCount"]) == (True, 1, 2)
    page = s3.get_object_attributes(Bucket=bucket, Key="attributes", ObjectAttributes=wanted, PartNumberMarker=1)["ObjectParts"]
    assert (page["IsTruncated"], [p["PartNumber"] for p in page["Parts"]]) == (False, [2])
    status, _, error = send(weir, "GET", "/errors/k?attributes", {"x-amz-object-attributes": "ETag,Nope"})
    assert (status, error["Code"], error["Message"], error["ArgumentValue"]) == \
        (400, "InvalidArgument", "Invalid attribute name specified.", "Nope")


@pytest.mark.parametrize("actions, resources, message", [
    ("s3:GetObject", "", "Action does not apply to any resource(s) in statement"),
    (["s3:GetObject", "s3:listbucket"], ["/*"], "Action does not apply to any resource(s) in statement"),
    (["s3:GetObject", "s3:ListBucket"], ["", "/*"], None),
    (["s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], "/a/*", None),
    (["s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:PutLifecycleConfiguration", "s3:GetBucketLocation"], "", None),
    ("s3:*Object", "", None), ("s3:ReplicateObject", "/*", None), ("*", "", None),
    ("sqs:SendMessage", "/*", "Policy has invalid action"),
    ("s3:GetObject", "2/*", "Policy has invalid resource"),
])
def test_what_statements_of_policies_are_about(s3, actions, resources, message):
    s3.create_bucket(Bucket="error-policies")
    named = [f"arn:aws:s3:::error-policies{r}" for r in ([resources] if isinstance(resources, str) else resources)]
    put = {"Bucket": "error-policies", "Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": actions, "Resource": named}]})}
    if message:
        error = refused(s3.put_bucket_policy, **put)
        assert (error["Code"], error["Message"]) == ("MalformedPolicy", message)
    else:
        s3.put_bucket_policy(**put)


def test_a_part_that_is_none(weir, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="no-part")["UploadId"]
    error = send(weir, "POST", f"/{bucket}/no-part?uploadId={upload}", {},
                 b"<CompleteMultipartUpload><Part><PartNumber>3</PartNumber><ETag>&quot;x&quot;</ETag></Part></CompleteMultipartUpload>")[2]
    assert [error[k] for k in ("Code", "UploadId", "PartNumber", "ETag")] == ["InvalidPart", upload, "3", "x"]
    error = send(weir, "POST", f"/{bucket}/no-part?uploadId={upload}", {},
                 b"<CompleteMultipartUpload><Part><PartNumber>-1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>")[2]
    assert [error[k] for k in ("Code", "Message", "ArgumentName", "ArgumentValue")] == \
        ["InvalidArgument", "PartNumber must be &gt;= 1", "PartNumber", "-1"]
    s3.abort_multipart_upload(Bucket=bucket, Key="no-part", UploadId=upload)


@pytest.mark.parametrize("algorithm, kind, numbers, code", [
    ("CRC32", "COMPOSITE", [1], None), ("CRC32", "COMPOSITE", [2], "InvalidPartOrder"),
    ("SHA256", "COMPOSITE", [1, 3], "InvalidPartOrder"), ("CRC32", "FULL_OBJECT", [2], None), (None, None, [7], None)])
def test_parts_with_checksums_are_all_there(weir, s3, bucket, algorithm, kind, numbers, code):
    where = {"Bucket": bucket, "Key": "gaps"}
    headers = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": kind} if algorithm else {}
    where["UploadId"] = send(weir, "POST", f"/{bucket}/gaps?uploads", headers)[2]["UploadId"]
    algorithm = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    parts = []
    for n in numbers:
        part = s3.upload_part(**where, PartNumber=n, Body=b"x", **algorithm)
        sums = {k: v for k, v in part.items() if k.startswith("Checksum") and algorithm}
        parts.append({"PartNumber": n, "ETag": part["ETag"], **sums})
    complete = {**where, "MultipartUpload": {"Parts": parts}}
    if code:
        assert refused(s3.complete_multipart_upload, **complete)["Code"] == code
        s3.abort_multipart_upload(**where)
        return
    if kind == "COMPOSITE":  # a sum of another kind
        other = [{"PartNumber": 1, "ETag": parts[0]["ETag"], "ChecksumSHA1": base64.b64encode(b"1" * 20).decode()}]
        error = refused(s3.complete_multipart_upload, **where, MultipartUpload={"Parts": other})
        assert (error["Code"], error["Message"]) == ("BadDigest", "The sha1 you specified for part 1 did not match what we received.")
    assert s3.complete_multipart_upload(**complete)["ETag"].endswith("-1\"")


def test_copies_in_place(s3):
    name = "error-place"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    place = {"Bucket": name, "Key": "k", "CopySource": f"{name}/k"}
    assert refused(s3.copy_object, **place)["Code"] == "InvalidRequest"
    for algorithm in ("AES256", "aws:kms"):
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}]})
        assert s3.copy_object(**place)["ServerSideEncryption"] == algorithm
    s3.delete_bucket_encryption(Bucket=name)
    assert refused(s3.copy_object, **place)["Code"] == "InvalidRequest"


@pytest.mark.parametrize("region, wanted, code, told", [
    ("us-east-1", "us-east-1", "InvalidLocationConstraint", None),
    ("us-east-1", "eu-west-9", "InvalidLocationConstraint", None),
    ("us-east-1", "EU", None, "EU"),
    ("eu-west-1", "EU", None, "EU"),
    ("us-west-2", None, "IllegalLocationConstraintException", None),
    ("us-west-2", "us-east-1", "IllegalLocationConstraintException", None),
    ("us-west-2", "us-west-2", None, "us-west-2"),
    ("aws-global", None, None, ""),
    ("aws-global", "eu-west-1", None, "eu-west-1"),
])
def test_where_buckets_are_made(weir, region, wanted, code, told):
    name = f"/error-{region}-{str(wanted).lower()}"
    body = (f"<CreateBucketConfiguration><LocationConstraint>{wanted}</LocationConstraint>"
            "</CreateBucketConfiguration>").encode() if wanted else b""

    def ask(method, path, body=b""):
        r = AWSRequest(method=method, url=weir.endpoint + path, data=body)
        S3SigV4Auth(Credentials("test", "test"), "s3", region).add_auth(r)
        c = http.client.HTTPConnection("127.0.0.1", weir.port)
        c.request(method, path, body, dict(r.headers))
        reply = c.getresponse()
        text = reply.read().decode()
        c.close()
        return reply, dict(re.findall(r"<(\w+)>([^<]*)</", text)), text

    reply, error, _ = ask("PUT", name, body)
    assert (reply.status, error.get("Code")) == (400 if code else 200, code)
    if not code:
        assert re.search(r"<LocationConstraint[^>]*>(.*?)</", ask("GET", name + "?location")[2])[1] == told
        assert ask("HEAD", name)[0].headers["x-amz-bucket-region"] == {"EU": "eu-west-1", "": "us-east-1"}.get(told, told)


@pytest.mark.parametrize("head, status, code", [
    (b"", 411, "MissingContentLength"),
    (b"Transfer-Encoding: chunked\r\n", 501, "NotImplemented"),
    (b"Content-Length: 0\r\n", 403, "AccessDenied"),
])
def test_bodies_without_a_length(weir, bucket, head, status, code):
    with socket.create_connection(("127.0.0.1", weir.port)) as s:
        s.sendall(b"PUT /errors/none HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n" + (b"0\r\n\r\n" if b"chunked" in head else b""))
        reply = s.recv(4096).decode()
    assert (int(reply.split()[1]), f"<Code>{code}</Code>" in reply) == (status, True)


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000"])
def test_dates_that_are_signed(weir, s3, bucket, zone):
    now = datetime.datetime.now(datetime.timezone.utc)
    date, scope = now.strftime("%a, %d %b %Y %H:%M:%S ") + zone, now.strftime("%Y%m%d/us-east-1/s3/aws4_request")
    empty, host = hashlib.sha256(b"").hexdigest(), f"127.0.0.1:{weir.port}"
    canonical = (f"GET\n/errors/k\n\ndate:{date}\nhost:{host}\nx-amz-content-sha256:{empty}\n\n"
                 f"date;host;x-amz-content-sha256\n{empty}")
    text = f"AWS4-HMAC-SHA256\n{now:%Y%m%dT%H%M%SZ}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4test"
    for part in [*scope.split("/"), text]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    status, _, _ = send(weir, "GET", "/errors/k", {
        "Date": date, "x-amz-content-sha256": empty,
        "Authorization": f"AWS4-HMAC-SHA256 Credential=test/{scope},SignedHeaders=date;host;x-amz-content-sha256,Signature={key.hex()}",
    }, signed=False)
    assert status == 200


def test_small_things_of_replies(weir, s3, bucket):
    assert send(weir, "GET", "/errors/k")[1]["server"] == "AmazonS3"
    assert send(weir, "GET", "/errors/absent")[1]["server"] == "AmazonS3"
    for path in ("/errors?delimiter=", "/errors?list-type=2&delimiter=", "/errors?versions&delimiter=", "/errors?uploads&delimiter="):
        assert "Delimiter" not in send(weir, "GET", path)[2]
    for owner, code in (("1234", "InvalidBucketOwnerAWSAccountID"), ("12345678901x", "InvalidBucketOwnerAWSAccountID"),
                        ("123456789012", "AccessDenied")):
        assert refused(s3.get_object, Bucket=bucket, Key="k", ExpectedBucketOwner=owner)["Code"] == code
    c = http.client.HTTPConnection("127.0.0.1", weir.port)
    r = AWSRequest(method="GET", url=weir.endpoint + "/")
    S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(r)
    c.request("GET", "/", headers=dict(r.headers))
    text = c.getresponse().read().decode()
    c.close()
    assert text.index("<Owner>") < text.index("<Buckets>")


# --- settings ----------------------------------------------------------------------------------------------

def test_request_payment(weir, s3):
    name = "error-payer"
    s3.create_bucket(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}]}))
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    for payer, status in (("BucketOwner", 200), ("Requester", 403), ("BucketOwner", 200)):
        s3.put_bucket_request_payment(Bucket=name, RequestPaymentConfiguration={"Payer": payer})
        assert s3.get_bucket_request_payment(Bucket=name)["Payer"] == payer
        assert send(weir, "GET", f"/{name}/k", signed=False)[0] == status
        assert send(weir, "GET", f"/{name}/k", {"x-amz-request-payer": "requester"}, signed=False)[0] == status
        assert send(weir, "GET", f"/{name}/k")[0] == 200  # the owner's own
    assert refused(s3.put_bucket_request_payment, Bucket=name, RequestPaymentConfiguration={"Payer": "Nobody"})["Code"] == "MalformedXML"


def test_acceleration(s3, bucket):
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    error = refused(s3.put_bucket_accelerate_configuration, Bucket=bucket, AccelerateConfiguration={"Status": "Enabled"})
    assert error["Code"] == "NotImplemented"
    s3.put_bucket_accelerate_configuration(Bucket=bucket, AccelerateConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_accelerate_configuration(Bucket=bucket)["Status"] == "Suspended"
    s3.create_bucket(Bucket="error.dots")
    assert refused(s3.put_bucket_accelerate_configuration, Bucket="error.dots",
                   AccelerateConfiguration={"Status": "Suspended"})["Code"] == "InvalidRequest"


# --- server access logging ---------------------------------------------------------------------------

LOG = re.compile(
    r'^([0-9a-f]{64}) (\S+) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] (\S+) (\S+) ([0-9A-F]{16}) (\S+) (\S+) "([^"]*)" '
    r'(-|\d{3}) (\S+) (-|\d+) (-|\d+) (-|\d+) (-|\d+) "([^"]*)" "([^"]*)" (\S+) (\S+) (SigV[24]|-) (\S+) (AuthHeader|QueryString|POST|-) (\S+) '
    r'(\S+) - (Yes|-) (us-east-1)$')


@pytest.fixture
def logged(s3):
    name = "logged-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name)
    return name


def let_logs_in(s3, target, source):
    s3.put_bucket_policy(Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/*",
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{source}"}, "StringEquals": {"aws:SourceAccount": "000000000000"}}}]}))


def log_to(s3, source, target, **more):
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "log/", **more}})


def logs_of(s3, source, target, wanted):
    """What was logged until now: a change of the configuration delivers it."""
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={})
    found = {}

    def all_there():
        for o in s3.list_objects_v2(Bucket=target, Prefix="log/").get("Contents", []):
            if o["Key"] not in found:
                found[o["Key"]] = s3.get_object(Bucket=target, Key=o["Key"])["Body"].read().decode()
        return sum(len(t.splitlines()) for t in found.values()) >= wanted
    wait_for(all_there, what="log")
    return sorted(found), [line for text in found.values() for line in text.splitlines()]


def test_access_log(weir, s3, logged):
    bucket = logged
    target = bucket + "-log"
    s3.create_bucket(Bucket=target)
    let_logs_in(s3, target, bucket)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    log_to(s3, bucket, target)
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == {"TargetBucket": target, "TargetPrefix": "log/"}
    s3.put_object(Bucket=bucket, Key='a "b"', Body=b"x" * 20_000)
    s3.get_object(Bucket=bucket, Key='a "b"', Range="bytes=0-9")["Body"].read()
    s3.head_object(Bucket=bucket, Key='a "b"')
    refused(s3.get_object, Bucket=bucket, Key="none", VersionId="null")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": 'a "b"'})
    urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": 'w"x', "Referer": "http://r"})).read()
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": 'a "b"'})
    s3.list_objects_v2(Bucket=bucket)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}], "Quiet": True})
    send(weir, "GET", f"/{bucket}/a", signed=False)
    send(weir, "GET", "/page", {"Host": f"{bucket}.s3-website-us-east-1.amazonaws.com"}, signed=False)
    keys, lines = logs_of(s3, bucket, target, 14)
    assert re.fullmatch(r"log/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}", keys[0])
    rows = [LOG.match(line).groups() for line in lines]
    key = "a%20%22b%22"
    assert sorted((r[6], r[7], r[9], r[10]) for r in rows) == sorted([
        ("REST.PUT.LOGGING_STATUS", "-", "200", "-"),
        ("REST.GET.LOGGING_STATUS", "-", "200", "-"),
        ("REST.PUT.OBJECT", key, "200", "-"),
        ("REST.GET.OBJECT", key, "206", "-"),
        ("REST.HEAD.OBJECT", key, "200", "-"),
        ("REST.GET.OBJECT", "none", "404", "NoSuchVersion"),
        ("REST.COPY.OBJECT_GET", key, "200", "-"),
        ("REST.COPY.OBJECT", "copy", "200", "-"),
        ("REST.GET.BUCKET", "-", "200", "-"),
        ("REST.POST.MULTI_OBJECT_DELETE", "-", "200", "-"),
        ("BATCH.DELETE.OBJECT", "copy", "204", "-"),
        ("REST.GET.OBJECT", key, "200", "-"),
        ("REST.GET.OBJECT", "a", "403", "AccessDenied"),
        ("WEBSITE.GET.OBJECT", "page", "404", "-"),
    ])
    by = {(r[6], r[7], r[9], r[21]): r for r in rows}
    put, got = by["REST.PUT.OBJECT", key, "200", "AuthHeader"], by["REST.GET.OBJECT", key, "206", "AuthHeader"]
    missing, signed = by["REST.GET.OBJECT", "none", "404", "AuthHeader"], by["REST.GET.OBJECT", key, "200", "QueryString"]
    anonymous = by["REST.GET.OBJECT", "a", "403", "-"]
    owner = s3.list_buckets()["Owner"]["ID"]
    assert {r[0] for r in rows} == {owner} and {r[1] for r in rows} == {bucket} and {r[3] for r in rows} == {"127.0.0.1"}
    assert put[4] == owner and put[8].startswith(f"PUT /{bucket}/a%20%22b%22") and put[8].endswith(" HTTP/1.1")
    assert (put[11], put[12]) == ("-", "20000") and (got[11], got[12]) == ("10", "20000")
    assert put[19:23] == ("SigV4", "-", "AuthHeader", f"127.0.0.1:{weir.port}")
    assert missing[17] == "null" and (signed[15], signed[16]) == ("http://r", "w%22x")
    assert anonymous[4] == "-" and anonymous[19] == "-"


def put_form(weir, source, target, form):
    """TargetObjectKeyFormat, which this boto3 may be too old to know."""
    body = (f"<BucketLoggingStatus><LoggingEnabled><TargetBucket>{target}</TargetBucket><TargetPrefix>log/</TargetPrefix>"
            f"<TargetObjectKeyFormat>{form}</TargetObjectKeyFormat></LoggingEnabled></BucketLoggingStatus>").encode()
    return send(weir, "PUT", f"/{source}?logging", body=body)


def by(source):
    return f"<PartitionedPrefix><PartitionDateSource>{source}</PartitionDateSource></PartitionedPrefix>"


@pytest.mark.parametrize("form,shape", [
    ("<SimplePrefix></SimplePrefix>", r"log/\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}"),
    (by("EventTime"), r"log/000000000000/us-east-1/BUCKET/(\d{4})/(\d\d)/(\d\d)/\1-\2-\3-00-00-00-[0-9A-F]{16}"),
    (by("DeliveryTime"), r"log/000000000000/us-east-1/BUCKET/(\d{4})/(\d\d)/(\d\d)/\1-\2-\3-\d\d-\d\d-\d\d-[0-9A-F]{16}"),
])
def test_access_log_keys(weir, s3, logged, form, shape):
    bucket = logged
    target = bucket + "-log"
    s3.create_bucket(Bucket=target)
    let_logs_in(s3, target, bucket)
    assert put_form(weir, bucket, target, form)[0] == 200
    shown = send(weir, "GET", f"/{bucket}?logging")[2]
    assert shown.get("PartitionDateSource", "") in form and (("PartitionDateSource" in shown) == ("Partitioned" in form))
    keys, _ = logs_of(s3, bucket, target, 2)
    assert all(re.fullmatch(shape.replace("BUCKET", bucket), k) for k in keys), keys


def test_access_log_by_acl(s3, logged):
    """The group may write where lists count; the bucket that logs to itself comes to rest."""
    bucket = logged
    everyone = "http://acs.amazonaws.com/groups/global/AllUsers"
    grants = [{"Grantee": {"Type": "Group", "URI": everyone}, "Permission": "READ"}]
    assert refused(log_to, s3=s3, source=bucket, target=bucket, TargetGrants=grants)["Code"] == "AccessControlListNotSupported"
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    s3.put_bucket_acl(Bucket=bucket, ACL="log-delivery-write")
    log_to(s3, bucket, bucket, TargetGrants=grants)
    shown = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetGrants"]
    assert [(g["Grantee"]["URI"], g["Permission"]) for g in shown] == [(everyone, "READ")]
    keys, lines = logs_of(s3, bucket, bucket, 2)
    assert sorted(g["Permission"] for g in s3.get_object_acl(Bucket=bucket, Key=keys[0])["Grants"]) == ["FULL_CONTROL", "READ"]
    assert not [line for line in lines if "svc:logging" in line]


def test_access_log_refused(weir, s3, logged):
    bucket = logged
    s3.create_bucket(Bucket=bucket + "-e", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert refused(log_to, s3=s3, source=bucket, target=bucket + "-n")["Code"] == "InvalidTargetBucketForLogging"
    assert refused(log_to, s3=s3, source=bucket, target=bucket + "-e")["Code"] == "CrossLocationLoggingProhibited"
    for form in ("", by("x"), "<SimplePrefix/>" + by("EventTime")):
        status, _, error = put_form(weir, bucket, bucket, form)
        assert (status, error["Code"]) == (400, "MalformedXML")
