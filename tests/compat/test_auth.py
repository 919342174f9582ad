"""Who may call: signatures in every form, right and wrong, over the wire."""
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import time
import urllib.parse
import uuid
from unittest import mock

import pytest
from botocore import auth as botoauth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

REGION = "us-east-1"
ROOT = Credentials("test", "test")
LIST_QUEUES = ("POST", "/", "Action=ListQueues&Version=2012-11-05",
               {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
LIST_TABLES = ("POST", "/", "{}", {"Content-Type": "application/x-amz-json-1.0",
                                   "X-Amz-Target": "DynamoDB_20120810.ListTables"})


class Reply:
    def __init__(self, raw):
        self.status = raw.status
        self.headers = raw.headers
        self.body = raw.read().decode(errors="replace")

    @property
    def code(self):
        xml = re.search("<Code>([^<]*)</Code>", self.body)
        if xml:
            return xml.group(1)
        return json.loads(self.body)["__type"].split("#")[-1] if self.body.startswith("{") else None

    @property
    def message(self):
        xml = re.search("<Message>([^<]*)</Message>", self.body, re.S)
        if xml:
            return xml.group(1)
        body = json.loads(self.body)
        return body.get("message", body.get("Message"))


def send(weir, request, path=None, headers=None, body=None):
    """Sends an AWSRequest, signed or not, as it is but for the given changes."""
    parts = urllib.parse.urlsplit(request.url)
    target = path or parts.path + ("?" + parts.query if parts.query else "")
    all_headers = {k: v for k, v in request.headers.items()}
    all_headers.update(headers or {})
    data = body if body is not None else request.data
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.putrequest(request.method, target, skip_host="Host" in all_headers,
                              skip_accept_encoding=True)
        for k, v in all_headers.items():
            if v is not None:
                connection.putheader(k, v)
        data = data.encode() if isinstance(data, str) else (data or b"")
        if data or request.method in ("POST", "PUT"):
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data or None)
        return Reply(connection.getresponse())
    finally:
        connection.close()


def request(weir, method, path, data, headers):
    return AWSRequest(method=method, url=weir.endpoint + path, data=data, headers=dict(headers))


def at(seconds):
    """Botocore's clock, that much later."""
    now = datetime.datetime.utcnow() + datetime.timedelta(seconds=seconds)
    fake = mock.MagicMock(wraps=datetime.datetime)
    fake.utcnow.return_value = now
    fake.now.return_value = now
    patches = [mock.patch.object(botoauth.datetime, "datetime", fake)] if hasattr(
        botoauth, "datetime") else []
    if hasattr(botoauth, "get_current_datetime"):
        patches.append(mock.patch.object(botoauth, "get_current_datetime",
                                         lambda remove_tzinfo=True: now))
    return patches


def sign(weir, what, service, credentials=ROOT, later=0, signer=botoauth.SigV4Auth, **kw):
    r = request(weir, *what)
    patches = at(later) if later else []
    for p in patches:
        p.start()
    try:
        signer(credentials, service, REGION, **kw).add_auth(r)
    finally:
        for p in patches:
            p.stop()
    return r


@pytest.fixture(scope="module")
def bucket(weir):
    name = "auth-" + uuid.uuid4().hex[:12]
    s3 = weir.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a key+é", Body=b"hello")
    return name


KEY_PATH = "/a%20key%2B%C3%A9"


def s3_get(weir, bucket, **kw):
    return sign(weir, ("GET", f"/{bucket}{KEY_PATH}", b"", {}), "s3", signer=botoauth.S3SigV4Auth, **kw)


# --- headers -----------------------------------------------------------------------------------


def test_right_signatures(weir, bucket):
    assert send(weir, sign(weir, LIST_QUEUES, "sqs")).status == 200
    assert send(weir, sign(weir, LIST_TABLES, "dynamodb")).status == 200
    assert send(weir, s3_get(weir, bucket)).body == "hello"


def test_wrong_secret(weir, bucket):
    wrong = Credentials("test", "toast")
    r = send(weir, sign(weir, LIST_QUEUES, "sqs", wrong))
    assert (r.status, r.code) == (403, "SignatureDoesNotMatch")
    assert "The Canonical String for this request should have been" in r.message
    r = send(weir, sign(weir, LIST_TABLES, "dynamodb", wrong))
    assert (r.status, r.code) == (400, "InvalidSignatureException")
    r = send(weir, s3_get(weir, bucket, credentials=wrong))
    assert (r.status, r.code) == (403, "SignatureDoesNotMatch")
    for detail in ("AWSAccessKeyId", "StringToSign", "SignatureProvided", "CanonicalRequest"):
        assert f"<{detail}>" in r.body


def test_unknown_key(weir, bucket):
    nobody = Credentials("AKIAIOSFODNN7EXAMPLE", "x")
    assert (send(weir, sign(weir, LIST_QUEUES, "sqs", nobody)).code) == "InvalidClientTokenId"
    assert (send(weir, sign(weir, LIST_TABLES, "dynamodb", nobody)).code) == (
        "UnrecognizedClientException")
    r = send(weir, s3_get(weir, bucket, credentials=nobody))
    assert (r.status, r.code) == (403, "InvalidAccessKeyId")


def test_account_numbers_are_keys_of_accounts_that_are_there(weir):
    ask = lambda account, secret: send(weir, sign(weir, LIST_QUEUES, "sqs", Credentials(account, secret)))
    assert ask("000000000000", "test").status == 200
    assert ask("000000000000", "tset").code == "SignatureDoesNotMatch"
    assert ask("111111111111", "test").code == "InvalidClientTokenId"


def test_no_signature(weir, bucket):
    r = send(weir, request(weir, *LIST_QUEUES))
    assert (r.status, r.code) == (403, "MissingAuthenticationToken")
    r = send(weir, request(weir, *LIST_TABLES))
    assert (r.status, r.code) == (400, "MissingAuthenticationTokenException")
    r = send(weir, request(weir, "GET", f"/{bucket}{KEY_PATH}", b"", {}))
    assert (r.status, r.code) == (403, "AccessDenied")


@pytest.mark.parametrize("later,words", [(-1000, "Signature expired: "),
                                         (1000, "Signature not yet current: ")])
def test_skewed_clock(weir, bucket, later, words):
    r = send(weir, sign(weir, LIST_QUEUES, "sqs", later=later))
    assert r.code == "SignatureDoesNotMatch" and r.message.startswith(words)
    r = send(weir, s3_get(weir, bucket, later=later))
    assert (r.status, r.code) == (403, "RequestTimeTooSkewed")
    assert "<MaxAllowedSkewMilliseconds>900000<" in r.body


@pytest.mark.parametrize("later", [-800, 800])
def test_clock_within_the_window(weir, later):
    assert send(weir, sign(weir, LIST_QUEUES, "sqs", later=later)).status == 200


def test_tampering(weir, bucket):
    r = sign(weir, LIST_QUEUES, "sqs")
    assert send(weir, r, body="Action=ListQueues&Version=2012-11-05&QueueNamePrefix=x").code == (
        "SignatureDoesNotMatch")
    assert send(weir, r, path="/?x=1").code == "SignatureDoesNotMatch"
    r = sign(weir, LIST_TABLES, "dynamodb")
    assert send(weir, r, headers={"X-Amz-Target": "DynamoDB_20120810.DescribeLimits"}).code == (
        "InvalidSignatureException")
    r = s3_get(weir, bucket)
    assert send(weir, r, path=f"/{bucket}/other").code == "SignatureDoesNotMatch"


def test_body_that_is_not_the_signed_one(weir, bucket):
    r = sign(weir, ("PUT", f"/{bucket}/tampered", b"signed", {}), "s3", signer=botoauth.S3SigV4Auth)
    reply = send(weir, r, body=b"others")
    assert (reply.status, reply.code) == (400, "XAmzContentSHA256Mismatch")
    with pytest.raises(ClientError):
        weir.client("s3").head_object(Bucket=bucket, Key="tampered")


def test_headers_that_are_not_signed(weir, bucket):
    r = send(weir, s3_get(weir, bucket), headers={"x-amz-meta-extra": "1"})
    assert (r.status, r.code) == (403, "AccessDenied") and "not signed" in r.message
    assert send(weir, s3_get(weir, bucket), headers={"X-Other": "1"}).status == 200


def test_scope_of_another_service(weir):
    r = send(weir, sign(weir, LIST_TABLES, "sqs"))
    assert r.status in (400, 403) and "scoped to correct service" in r.message


@pytest.mark.parametrize("header,code", [
    ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request", "IncompleteSignature"),
    ("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=0", "IncompleteSignature"),
    ("AWS4-HMAC-SHA256", "IncompleteSignature"),
    ("Basic dGVzdDp0ZXN0", "IncompleteSignature"),
])
def test_malformed_authorization(weir, header, code):
    r = send(weir, request(weir, *LIST_QUEUES), headers={
        "Authorization": header, "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())})
    assert r.code == code


def test_signature_v2_header_is_refused(weir, bucket):
    r = send(weir, request(weir, "GET", f"/{bucket}{KEY_PATH}", b"", {
        "Authorization": "AWS test:frJIUN8DYpKDtOLCwo//yllqDzg="}))
    assert (r.status, r.code) == (400, "InvalidRequest") and "AWS4-HMAC-SHA256" in r.message


# --- presigned ---------------------------------------------------------------------------------


def presigned(weir, bucket, expires=60, later=0, credentials=ROOT):
    return sign(weir, ("GET", f"/{bucket}{KEY_PATH}", b"", {}), "s3", credentials, later,
                signer=botoauth.S3SigV4QueryAuth, expires=expires)


def test_presigned(weir, bucket):
    assert send(weir, presigned(weir, bucket)).body == "hello"
    assert send(weir, presigned(weir, bucket, credentials=Credentials("test", "x"))).code == (
        "SignatureDoesNotMatch")


def test_presigned_expired(weir, bucket):
    r = send(weir, presigned(weir, bucket, later=-120))
    assert (r.status, r.code, r.message) == (403, "AccessDenied", "Request has expired")
    assert "<X-Amz-Expires>60</X-Amz-Expires>" in r.body


def test_presigned_too_long_and_not_yet(weir, bucket):
    r = send(weir, presigned(weir, bucket, expires=604801))
    assert (r.status, r.code) == (400, "AuthorizationQueryParametersError")
    assert send(weir, presigned(weir, bucket, later=3600)).message == "Request is not yet valid"


def test_presigned_tampered(weir, bucket):
    r = presigned(weir, bucket)
    url = urllib.parse.urlsplit(r.url)
    longer = url.query.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")
    assert send(weir, r, path=f"{url.path}?{longer}").code == "SignatureDoesNotMatch"
    assert send(weir, r, path=f"/{bucket}/other?{url.query}").code == "SignatureDoesNotMatch"
    less = re.sub("&X-Amz-Date=[^&]*", "", url.query)
    assert send(weir, r, path=f"{url.path}?{less}").code == "AuthorizationQueryParametersError"


def test_two_mechanisms(weir, bucket):
    r = presigned(weir, bucket)
    signed = s3_get(weir, bucket)
    reply = send(weir, r, headers={"Authorization": signed.headers["Authorization"]})
    assert (reply.status, reply.code) == (400, "InvalidArgument")


def v2_url(weir, bucket, expires, secret="test", extra=""):
    text = f"GET\n\n\n{expires}\n/{bucket}{KEY_PATH}"
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()
    import base64
    signature = urllib.parse.quote(base64.b64encode(mac).decode(), safe="")
    return (f"/{bucket}{KEY_PATH}?AWSAccessKeyId=test&Signature={signature}&Expires={expires}" + extra)


def test_presigned_version_2(weir, bucket):
    r = request(weir, "GET", "/", b"", {})
    soon = int(time.time()) + 60
    assert send(weir, r, path=v2_url(weir, bucket, soon)).body == "hello"
    assert send(weir, r, path=v2_url(weir, bucket, soon, "wrong")).code == "SignatureDoesNotMatch"
    assert send(weir, r, path=v2_url(weir, bucket, soon, extra="&versionId=1")).code == (
        "SignatureDoesNotMatch")
    reply = send(weir, r, path=v2_url(weir, bucket, soon - 120))
    assert (reply.status, reply.code, reply.message) == (403, "AccessDenied", "Request has expired")


def test_boto_presigned_in_both_versions(weir, bucket):
    import boto3
    for version in ("s3", "s3v4"):
        s3 = boto3.client("s3", endpoint_url=weir.endpoint, region_name=REGION,
                          aws_access_key_id="test", aws_secret_access_key="test",
                          config=Config(signature_version=version))
        url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a key+é"})
        assert send(weir, AWSRequest(method="GET", url=url)).body == "hello"
        url = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": version})
        assert send(weir, AWSRequest(method="PUT", url=url, data=b"put")).status == 200
        got = weir.client("s3").get_object(Bucket=bucket, Key=version)["Body"].read()
        assert got == b"put"


# --- payloads ----------------------------------------------------------------------------------


def put_signed(weir, bucket, payload_hash, headers, body):
    """A PUT whose x-amz-content-sha256 is the given word."""
    class Signer(botoauth.S3SigV4Auth):
        def payload(self, request):
            return payload_hash

        def _should_sha256_sign_payload(self, request):
            return True
    r = sign(weir, ("PUT", f"/{bucket}/payload", body, headers), "s3", signer=Signer)
    return r


def stored(weir, bucket):
    return weir.client("s3").get_object(Bucket=bucket, Key="payload")["Body"].read()


def test_unsigned_payload(weir, bucket):
    assert send(weir, put_signed(weir, bucket, "UNSIGNED-PAYLOAD", {}, b"any")).status == 200
    assert stored(weir, bucket) == b"any"


def test_unsigned_trailer(weir, bucket):
    body = b"b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
    headers = {"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": "11",
               "x-amz-trailer": "x-amz-checksum-crc32"}
    word = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert send(weir, put_signed(weir, bucket, word, headers, body)).status == 200
    assert stored(weir, bucket) == b"hello world"
    wrong = body.replace(b"DUoRhQ", b"AUoRhQ")
    assert send(weir, put_signed(weir, bucket, word, headers, wrong)).status == 400
    short = body.replace(b"b\r\nhello world", b"5\r\nhello")
    assert send(weir, put_signed(weir, bucket, word, headers, short)).status == 400
    assert stored(weir, bucket) == b"hello world"


def chunk_signatures(r, chunks):
    """The signature of each chunk in the chain that the request's signature starts."""
    authorization = r.headers["Authorization"]
    scope = re.search(r"Credential=[^/]*/([^,]*),", authorization).group(1)
    previous = re.search("Signature=([0-9a-f]{64})", authorization).group(1)
    key = b"AWS4test"
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    for chunk in chunks:
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", r.headers["X-Amz-Date"], scope, previous,
                          hashlib.sha256(b"").hexdigest(), hashlib.sha256(chunk).hexdigest()])
        previous = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        yield previous


def test_signed_chunks(weir, bucket):
    chunks = [b"x" * 8192, b"tail", b""]
    headers = {"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": "8196"}
    r = put_signed(weir, bucket, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", headers, b"")
    body = b"".join(b"%x;chunk-signature=%s\r\n%s\r\n" % (len(c), s.encode(), c)
                    for c, s in zip(chunks, chunk_signatures(r, chunks)))
    assert send(weir, r, body=body).status == 200
    assert stored(weir, bucket) == b"x" * 8192 + b"tail"
    bad = send(weir, r, body=body.replace(b"tail", b"tall"))
    assert (bad.status, bad.code) == (403, "SignatureDoesNotMatch")
    assert stored(weir, bucket) == b"x" * 8192 + b"tail"


# --- sessions and permissions -------------------------------------------------------------------


def document(action, resource="*", effect="Allow"):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Action": action, "Resource": resource}]})


def role_session(weir, policy):
    iam = weir.client("iam")
    role = "auth-" + uuid.uuid4().hex[:10]
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}]}
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy)
    c = weir.client("sts").assume_role(RoleArn=arn, RoleSessionName="auth")["Credentials"]
    return Credentials(c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])


def test_session_token(weir, bucket):
    session = role_session(weir, document(["sqs:ListQueues", "s3:GetObject"]))
    assert send(weir, sign(weir, LIST_QUEUES, "sqs", session)).status == 200
    assert send(weir, s3_get(weir, bucket, credentials=session)).body == "hello"
    assert send(weir, presigned(weir, bucket, credentials=session)).body == "hello"
    other = role_session(weir, document("sqs:*"))
    for token in (None, other.token, session.token[:-8] + "AAAAAAA=", "x"):
        wrong = Credentials(session.access_key, session.secret_key, token)
        assert send(weir, sign(weir, LIST_QUEUES, "sqs", wrong)).code == "InvalidClientTokenId"
        r = send(weir, s3_get(weir, bucket, credentials=wrong))
        assert r.code in ("InvalidToken", "InvalidAccessKeyId")
    extra = Credentials("test", "test", session.token)
    assert send(weir, sign(weir, LIST_QUEUES, "sqs", extra)).status == 403


def test_denied_action(weir, bucket):
    session = role_session(weir, document("s3:GetObject", f"arn:aws:s3:::{bucket}/other"))
    r = send(weir, s3_get(weir, bucket, credentials=session))
    assert (r.status, r.code) == (403, "AccessDenied")
    r = send(weir, sign(weir, LIST_TABLES, "dynamodb", session))
    assert (r.status, r.code) == (400, "AccessDeniedException")
    assert "is not authorized to perform: dynamodb:ListTables" in r.message
    allowed = role_session(weir, document("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    assert send(weir, s3_get(weir, bucket, credentials=allowed)).body == "hello"


# --- Signature Version 2: what it binds ----------------------------------------------------------

@pytest.fixture(scope="module")
def v2_buckets(weir):
    s3 = weir.client("s3")
    for name in ("v2-public", "v2-secret"):
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="report", Body=name.encode())


def v2_boto(weir, style="path", operation="get_object", expires=60, **more):
    import boto3
    from botocore.config import Config
    s3 = boto3.client("s3", endpoint_url=f"http://s3.localhost:{weir.port}", region_name=REGION,
                      config=Config(signature_version="s3", s3={"addressing_style": style}),
                      **dict({"aws_access_key_id": "test", "aws_secret_access_key": "test"}, **more.pop("keys", {})))
    params = dict({"Bucket": "v2-public", "Key": "report"}, **more)
    return urllib.parse.urlsplit(s3.generate_presigned_url(operation, Params=params, ExpiresIn=expires))


def v2_send(weir, url, host=None, extra=""):
    r = request(weir, "GET", "/", b"", {})
    return send(weir, r, path=f"{url.path}?{url.query}{extra}", headers={"Host": host or url.netloc})


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_version_2_binds_the_bucket(weir, v2_buckets, style):
    url = v2_boto(weir, style)
    assert v2_send(weir, url).body == "v2-public"
    other = f"v2-secret.s3.localhost:{weir.port}"
    assert v2_send(weir, url, host=other).code in ("SignatureDoesNotMatch", "NoSuchKey")
    if style == "virtual":
        assert v2_send(weir, url, host=other).code == "SignatureDoesNotMatch"
        assert v2_send(weir, url, host=f"s3.localhost:{weir.port}").code == "SignatureDoesNotMatch"


def test_version_2_path_read_as_a_key_of_another_bucket(weir, v2_buckets):
    weir.client("s3").put_object(Bucket="v2-secret", Key="v2-public/report", Body=b"secret")
    url = v2_boto(weir, "path")
    assert v2_send(weir, url, host=f"v2-secret.s3.localhost:{weir.port}").code == "SignatureDoesNotMatch"


def s3_query_literals():
    """Parameters that tell S3's operations apart, from the same file as the server's routes."""
    from weirtest import ROOT
    with open(os.path.join(ROOT, "spec", "s3.json"), encoding="utf-8") as f:
        spec = json.load(f)
    uris = [o["http"]["requestUri"] for o in spec["operations"].values()]
    uris += [o["requestUri"] for o in spec["unsupported"].values()]
    names = {p.split("=")[0] for u in uris if "?" in u for p in u.split("?")[1].split("&")}
    # x-id tells nothing; list-type asks the same question in another form, and clients do not sign it.
    return sorted(names - {"x-id", "list-type"}) + ["uploadId=x", "versionId=x", "id=x", "partNumber=1", "response-content-type=x"]


@pytest.mark.parametrize("name", s3_query_literals())
def test_version_2_nothing_that_matters_can_be_added(weir, v2_buckets, name):
    url = v2_boto(weir)
    for extra in (name, "%{:02x}{}".format(ord(name[0]), name[1:])):
        assert v2_send(weir, url, extra="&" + extra).code == "SignatureDoesNotMatch", extra


def test_version_2_lasts_a_week(weir, v2_buckets):
    week = 7 * 24 * 3600
    assert v2_send(weir, v2_boto(weir, expires=week)).body == "v2-public"
    reply = v2_send(weir, v2_boto(weir, expires=week + 3600))
    assert (reply.status, reply.code) == (400, "AuthorizationQueryParametersError")


def test_version_2_with_a_session_token(weir, v2_buckets):
    c = weir.client("sts").get_session_token()["Credentials"]
    keys = {"aws_access_key_id": c["AccessKeyId"], "aws_secret_access_key": c["SecretAccessKey"], "aws_session_token": c["SessionToken"]}
    assert v2_send(weir, v2_boto(weir, keys=keys)).body == "v2-public"


def test_version_2_of_listings_and_parts(weir, v2_buckets):
    url = v2_boto(weir, Key="report", ResponseContentType="text/x")
    assert v2_send(weir, url).body == "v2-public"
    s3 = weir.client("s3")
    part = s3.create_multipart_upload(Bucket="v2-public", Key="big")["UploadId"]
    r = request(weir, "GET", "/", b"", {})
    url = v2_boto(weir, operation="list_parts", Key="big", UploadId=part)
    assert "<UploadId>" in send(weir, r, path=f"{url.path}?{url.query}", headers={"Host": url.netloc}).body


def test_version_4_nothing_can_be_added(weir, bucket):
    r = presigned(weir, bucket)
    url = urllib.parse.urlsplit(r.url)
    for extra in ("x=1", "acl", "versionId=x", "X-Amz-Meta-A=1", "%61cl"):
        assert send(weir, r, path=f"{url.path}?{url.query}&{extra}").code == "SignatureDoesNotMatch", extra
    for seconds in ("-1", "604801", "abc"):
        query = url.query.replace("X-Amz-Expires=", f"X-Amz-Expires={seconds}&x=")
        assert send(weir, r, path=f"{url.path}?{query}").code == "AuthorizationQueryParametersError"
