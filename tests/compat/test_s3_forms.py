"""Forms that browsers post to S3 (POST policies), and objects under keys that customers send along (SSE-C)."""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import urllib.parse

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

NAME = "forms"


@pytest.fixture(scope="module")
def s3(weir):
    client = weir.client("s3")
    client.create_bucket(Bucket=NAME)
    client.create_bucket(Bucket="forms-open")
    client.delete_public_access_block(Bucket="forms-open")
    client.put_bucket_policy(Bucket="forms-open", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::forms-open/*"}]}))
    return client


def encode(fields, file=b"hello", filename="x.txt", after=()):
    """A multipart/form-data body with the file last."""
    parts = [f'--cut\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields]
    if file is not None:
        parts.append(f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
                     "Content-Type: text/plain\r\n\r\n".encode() + file + b"\r\n")
    parts += [f'--cut\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in after]
    return b"".join(parts) + b"--cut--\r\n"


def post(weir, body, bucket=NAME, headers=None, kind="multipart/form-data; boundary=cut"):
    """Status, headers in lower case, members of the document, and all of it."""
    c = http.client.HTTPConnection("127.0.0.1", weir.port)
    c.request("POST", f"/{bucket}", body, {"Content-Type": kind, **(headers or {})})
    reply = c.getresponse()
    text = reply.read().decode()
    c.close()
    return reply.status, {k.lower(): v for k, v in reply.getheaders()}, dict(re.findall(r"<(\w+)>([^<]*)</", text)), text


def later(minutes=10):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def sign_v2(policy, key="test", secret="test"):
    text = base64.b64encode(policy if isinstance(policy, bytes) else json.dumps(policy).encode()).decode()
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()
    return [("AWSAccessKeyId", key), ("policy", text), ("signature", base64.b64encode(mac).decode())]


def form(conditions, fields, expiration=None, **kw):
    """Fields with a policy of these conditions and one of the bucket."""
    policy = {"expiration": expiration or later(), "conditions": [{"bucket": NAME}, *conditions]}
    return encode([*fields, *sign_v2(policy)], **kw)


# --- what boto3 signs ----------------------------------------------------------------------------------

@pytest.mark.parametrize("fields, conditions", [
    ({}, []),
    ({"acl": "private", "Content-Type": "text/html", "x-amz-meta-a": "1"},
     [["starts-with", "$Content-Type", "text/"], {"acl": "private"}, {"x-amz-meta-a": "1"}, ["content-length-range", 5, 5]]),
    ({"tagging": "<Tagging><TagSet><Tag><Key>a b</Key><Value>1+2=&#51;</Value></Tag></TagSet></Tagging>"},
     [["starts-with", "$tagging", ""]]),
    ({"x-amz-storage-class": "STANDARD_IA", "Cache-Control": "no-store"},
     [["eq", "$x-amz-storage-class", "STANDARD_IA"], ["starts-with", "$cache-control", ""]]),
])
def test_presigned_posts(weir, s3, fields, conditions):
    signed = s3.generate_presigned_post(NAME, "up/${filename}", Fields=dict(fields), Conditions=conditions)
    assert signed["url"].endswith(f"/{NAME}")
    status, headers, _, text = post(weir, encode(list(signed["fields"].items()), filename="C:\\docs\\hällo.txt"))
    assert status == 204, text
    key = "up/hällo.txt"
    head = s3.get_object(Bucket=NAME, Key=key)
    assert (status, headers["etag"], head["Body"].read()) == (204, head["ETag"], b"hello")
    assert headers["location"] == f"{weir.endpoint}/{NAME}/" + urllib.parse.quote(key)
    assert head["ContentType"] == fields.get("Content-Type", "binary/octet-stream")
    assert head["Metadata"] == ({"a": "1"} if "x-amz-meta-a" in fields else {})
    assert head.get("StorageClass") == fields.get("x-amz-storage-class")
    tags = s3.get_object_tagging(Bucket=NAME, Key=key)["TagSet"]
    assert tags == ([{"Key": "a b", "Value": "1+2=3"}] if "tagging" in fields else [])
    s3.delete_object(Bucket=NAME, Key=key)


def test_a_users_post_is_authorised(weir, s3):
    iam = weir.client("iam")
    iam.create_user(UserName="poster")
    key = iam.create_access_key(UserName="poster")["AccessKey"]
    own = weir.client("s3", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    signed = own.generate_presigned_post(NAME, "user")["fields"]
    status, _, error, _ = post(weir, encode(list(signed.items())))
    assert (status, error["Code"]) == (403, "AccessDenied")
    iam.put_user_policy(UserName="poster", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{NAME}/user"}]}))
    assert post(weir, encode(list(signed.items())))[0] == 204


def test_a_file_that_streams(weir, s3):
    """Larger than what stays in memory, with what looks like the end of a part in it."""
    data = os.urandom(300_000) + b"\r\n--cu\r\n--" + os.urandom(300_000)
    status, _, _, _ = post(weir, form([{"key": "large"}], [("key", "large")], file=data))
    got = s3.get_object(Bucket=NAME, Key="large")
    assert status == 204 and got["Body"].read() == data
    assert got["ETag"] == '"%s"' % hashlib.md5(data).hexdigest()


@pytest.mark.parametrize("first, second, status", [
    (("key", "one"), ("key", "two"), 400), (("key", "one"), ("KEY", "one"), 400), (("acl", "private"), ("acl", "public-read"), 400),
    (("x-ignore-a", "1"), ("x-ignore-a", "2"), 204)])
def test_a_field_has_one_value(weir, s3, first, second, status):
    """The policy must not judge another than is stored."""
    key = [] if first[0] == "key" else [("key", "one")]
    got, _, error, _ = post(weir, form([{"key": "one"}, ["starts-with", "$acl", ""]] if first[0] == "acl" else [{"key": "one"}], [*key, first, second]))
    assert (got, error.get("Code")) == (status, "MalformedPOSTRequest" if status == 400 else None)


def test_fields_behind_the_file_say_nothing(weir, s3):
    assert post(weir, form([{"key": "after"}], [("key", "after")], after=[("acl", "public-read"), ("file", "2")]))[0] == 204
    assert s3.get_object(Bucket=NAME, Key="after")["Body"].read() == b"hello"


# --- replies -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, value, status", [
    ("success_action_status", "200", 200), ("success_action_status", "201", 201), ("success_action_status", "204", 204),
    ("success_action_status", "404", 204), ("success_action_redirect", "not-a-url", 204),
    ("success_action_redirect", "http://localhost/a", 303), ("redirect", "http://localhost/a?b=c", 303),
])
def test_replies(weir, s3, name, value, status):
    got, headers, document, _ = post(weir, form([{"key": "r/ä"}, {name: value}], [("key", "r/ä"), (name, value)]))
    etag = '"%s"' % hashlib.md5(b"hello").hexdigest()
    assert (got, headers["etag"]) == (status, etag)
    if status == 201:
        assert (document["Bucket"], document["Key"], document["ETag"]) == (NAME, "r/ä", etag.replace('"', "&quot;"))
        assert document["Location"] == f"{weir.endpoint}/{NAME}/r/%C3%A4"
    if status == 303:
        query = f"bucket={NAME}&key=r%2F%C3%A4&etag=%22{etag[1:-1]}%22"
        assert headers["location"] == value + ("&" if "?" in value else "?") + query


def test_pages_of_other_origins(weir, s3):
    """A page may post where the bucket's rules let it, and is told so; the well-known key is of no use to others."""
    body = form([{"key": "page"}], [("key", "page")])
    status, headers, error, _ = post(weir, body, headers={"Origin": "http://page.example"})
    assert (status, error["Code"], "access-control-allow-origin" in headers) == (403, "AccessDenied", False)
    s3.put_bucket_cors(Bucket=NAME, CORSConfiguration={"CORSRules": [
        {"AllowedMethods": ["POST"], "AllowedOrigins": ["http://page.example"]}]})
    status, headers, _, _ = post(weir, body, headers={"Origin": "http://page.example"})
    assert (status, headers["access-control-allow-origin"]) == (204, "http://page.example")
    s3.delete_bucket_cors(Bucket=NAME)


@pytest.mark.parametrize("fields, code, kept", [
    ([("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==")], None, "crc64nvme"),
    ([("Content-MD5", "AUFAKrxLKna5cZ2REBfFkg==")], "BadDigest", None),
    ([("Content-MD5", "short")], "InvalidDigest", None),
    ([("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=")], None, "sha256"),
    ([("x-amz-checksum-algorithm", "SHA1")], None, "sha1"),
    ([("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-crc32", "NhCmhg==")], None, "crc32"),
    ([("x-amz-checksum-algorithm", "SHA1"), ("x-amz-checksum-crc32", "NhCmhg==")], "InvalidRequest", None),
    ([("x-amz-checksum-algorithm", "MD4")], "InvalidRequest", None),
    ([("x-amz-checksum-crc32", "NhCmhg=="), ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=")], "InvalidRequest", None),
])
def test_digests(weir, s3, fields, code, kept):
    status, _, error, text = post(weir, form([{"key": "digest"}, *({k: v} for k, v in fields)], [("key", "digest"), *fields]))
    assert (status, error.get("Code")) == (400 if code else 204, code), text
    if kept:
        head = s3.head_object(Bucket=NAME, Key="digest", ChecksumMode="ENABLED")["ResponseMetadata"]["HTTPHeaders"]
        assert "x-amz-checksum-" + kept in head


# --- policies ------------------------------------------------------------------------------------------------

KEY = [("key", "k")]


@pytest.mark.parametrize("conditions, fields, code, message", [
    ([["eq", "$key", "other"]], KEY, "AccessDenied",
     'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "other"]'),
    ([{"key": "other"}], KEY, "AccessDenied", 'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "other"]'),
    ([["starts-with", "$key", "x"]], KEY, "AccessDenied",
     'Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "x"]'),
    ([{"key": "k"}, {"acl": "private"}], KEY, "AccessDenied",
     'Invalid according to Policy: Policy Condition failed: ["eq", "$acl", "private"]'),
    ([], KEY, "AccessDenied", "Invalid according to Policy: Extra input fields: key"),
    ([{"key": "k"}], [*KEY, ("x-amz-meta-a", "1")], "AccessDenied", "Invalid according to Policy: Extra input fields: x-amz-meta-a"),
    ([{"key": "k"}, ["content-length-range", 6, 10]], KEY, "EntityTooSmall",
     "Your proposed upload is smaller than the minimum allowed size"),
    ([{"key": "k"}, ["content-length-range", 0, 4]], KEY, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"),
    ([{}], KEY, "InvalidPolicyDocument",
     "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."),
    ([["content-length-range", 0]], KEY, "InvalidPolicyDocument", None),
    ([["content-length-range", -1, 5]], KEY, "InvalidPolicyDocument", None),
    ([["has", "$key", "k"]], KEY, "InvalidPolicyDocument", None),
    ([["eq", "key", "k"]], KEY, "InvalidPolicyDocument", None),
    # What lets it pass: any case, ignored fields, an expanded name, a list of types.
    ([["StArTs-WiTh", "$KeY", "k"], {"aCl": "private"}], [*KEY, ("ACL", "private"), ("x-ignore-foo", "1")], None, None),
    ([["eq", "$key", "d/x.txt"]], [("key", "d/${filename}")], None, None),
    ([{"key": "k"}, ["starts-with", "$Content-Type", "image/"]], [*KEY, ("Content-Type", "image/png,image/gif")], None, None),
    ([{"key": "k"}, ["content-length-range", "5", "5"]], KEY, None, None),
])
def test_conditions(weir, s3, conditions, fields, code, message):
    status, _, error, text = post(weir, form(conditions, fields))
    if not code:
        assert status == 204, text
        return
    assert error["Code"] == code, text
    assert status == (403 if code == "AccessDenied" else 400)
    if message:
        assert error["Message"].replace("&quot;", '"') == message


@pytest.mark.parametrize("policy, code, message", [
    ({"conditions": []}, "InvalidPolicyDocument", "Invalid Policy: Policy missing expiration."),
    ({"EXPIRATION": "LATER", "conditions": []}, "InvalidPolicyDocument", "Invalid Policy: Policy missing expiration."),
    ({"expiration": "tomorrow", "conditions": []}, "InvalidPolicyDocument", None),
    ({"expiration": "LATER"}, "InvalidPolicyDocument", "Invalid Policy: Policy missing conditions."),
    ({"expiration": "LATER", "conditions": {}}, "InvalidPolicyDocument", None),
    ({"expiration": "PAST", "conditions": [{"bucket": NAME}, {"key": "k"}]}, "AccessDenied",
     "Invalid according to Policy: Policy expired."),
    ({"expiration": "LATER", "conditions": [{"key": "k"}]}, "AccessDenied", "Invalid according to Policy: Extra input fields: bucket"),
    ({"expiration": "LATER", "conditions": [{"bucket": "other"}, {"key": "k"}]}, "AccessDenied", None),
    (b"{", "InvalidPolicyDocument", None),
    (b"[]", "InvalidPolicyDocument", None),
    (b'{"expiration": "LATER", "conditions": [{"bucket": "forms"}, ["starts-with", "\\$key", "k"]]}', None, None),
])
def test_policies(weir, s3, policy, code, message):
    text = policy if isinstance(policy, bytes) else json.dumps(policy).encode()
    text = text.replace(b"LATER", later().encode()).replace(b"PAST", later(-1).encode())  # as it is run, not as it is read
    status, _, error, text = post(weir, encode([*KEY, *sign_v2(text)]))
    assert (error.get("Code"), status) == (code, 204 if not code else 403 if code == "AccessDenied" else 400), text
    if message:
        assert error["Message"] == message


def without(fields, name):
    return [(k, v) for k, v in fields if k.lower() != name.lower()]


def test_fields_that_are_missing(weir, s3):
    v2 = [*KEY, *sign_v2({"expiration": later(), "conditions": [{"bucket": NAME}, {"key": "k"}]})]
    v4 = list(s3.generate_presigned_post(NAME, "k")["fields"].items())
    if "x-amz-signature" not in dict(v4):  # the client's default may be version 2
        v4 = list(weir.client("s3", config=Config(signature_version="s3v4")).generate_presigned_post(NAME, "k")["fields"].items())
    rows = [(v2, "key"), (v2, "policy"), (v2, "Signature"), (v2, "AWSAccessKeyId"), (v4, "policy"), (v4, "X-Amz-Signature"),
            (v4, "X-Amz-Credential"), (v4, "X-Amz-Date"), (v4, "X-Amz-Algorithm")]
    for fields, name in rows:
        status, _, error, text = post(weir, encode(without(fields, name)))
        assert (status, error.get("Code"), error.get("ArgumentName")) == (400, "InvalidArgument", name), text
        assert error["Message"] == (f"Bucket POST must contain a field named '{name}'.  "
                                    "If it is specified, please check the order of the fields.")
    assert post(weir, encode(v4))[0] == 204


@pytest.mark.parametrize("change, status, code", [
    ({"signature": "x"}, 403, "SignatureDoesNotMatch"),
    ({"AWSAccessKeyId": "AKIAUNKNOWN"}, 403, "InvalidAccessKeyId"),
    ({"policy": "e30="}, 403, "SignatureDoesNotMatch"),
])
def test_wrong_signatures(weir, s3, change, status, code):
    fields = [*KEY, *sign_v2({"expiration": later(), "conditions": [{"bucket": NAME}, {"key": "k"}]})]
    got, _, error, _ = post(weir, encode([(k, change.get(k, v)) for k, v in fields]))
    assert (got, error["Code"]) == (status, code)


@pytest.mark.parametrize("body, bucket, status, code", [
    (encode(KEY), "forms-open", 204, None),
    (encode(KEY), NAME, 403, "AccessDenied"),
    (encode(KEY, file=b"x" * (16 * 1024 * 1024 + 1)), "forms-open", 400, "EntityTooLarge"),
    (encode([("key", "../k")]), "forms-open", 400, "InvalidURI"),
    (encode(KEY, file=None), "forms-open", 400, "InvalidArgument"),
    (encode([("key", "k" * 20001)]), "forms-open", 400, "MaxPostPreDataLengthExceeded"),
    (encode([("key", "k"), *[(f"x-ignore-{i}", "") for i in range(100)]]), "forms-open", 400, "MaxPostPreDataLengthExceeded"),
    (encode(KEY)[:-9], "forms-open", 400, "MalformedPOSTRequest"),
    (b"hello", "forms-open", 400, "MalformedPOSTRequest"),
    (encode([*KEY, ("tagging", "<Tagging>")]), "forms-open", 400, "MalformedXML"),
    (encode([*KEY, ("x-amz-storage-class", "COLD")]), "forms-open", 400, "InvalidStorageClass"),
    (encode([*KEY, ("x-amz-checksum-crc32", "AAAAAA==")]), "forms-open", 400, "BadDigest"),
    (encode(KEY), "forms-nowhere", 404, "NoSuchBucket"),
])
def test_anybodys_forms(weir, s3, body, bucket, status, code):
    got, _, error, text = post(weir, body, bucket)
    assert (got, error.get("Code")) == (status, code), text


def test_other_posts_to_a_bucket(weir, s3):
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data", "multipart/mixed; boundary=cut"):
        status, _, _, _ = post(weir, b"a=b", kind=kind)
        assert status in (400, 405, 412)


# --- keys of customers ---------------------------------------------------------------------------------------

def customer(key=b"k" * 32, prefix="SSECustomer", **change):
    """Parameters as they go out: botocore leaves alone what is base64 and has its MD5 already."""
    given = {"Algorithm": "AES256", "Key": base64.b64encode(key).decode(),
             "KeyMD5": base64.b64encode(hashlib.md5(key).digest()).decode(), **change}
    return {prefix + k: v for k, v in given.items() if v is not None}


def headers_of(key=b"k" * 32, **change):
    names = {"Algorithm": "algorithm", "Key": "key", "KeyMD5": "key-MD5"}
    return {"x-amz-server-side-encryption-customer-" + names[k.removeprefix("SSECustomer")]: v
            for k, v in customer(key, **change).items()}


def send(weir, method, path, headers, body=b""):
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    r = AWSRequest(method=method, url=weir.endpoint + path, data=body, headers=headers)
    S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(r)
    c = http.client.HTTPConnection("127.0.0.1", weir.port)
    c.request(method, path, body, dict(r.headers))
    reply = c.getresponse()
    text = reply.read()
    c.close()
    error = dict(re.findall(r"<(\w+)>([^<]*)</", text.decode(errors="replace")))
    return reply.status, {k.lower(): v for k, v in reply.getheaders()}, error, text


def everything_on_disk(weir):
    found = b""
    for folder, _, names in os.walk(weir.data_dir):
        for path in (os.path.join(folder, name) for name in names):
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    found += f.read()
    return found


@pytest.mark.parametrize("size", [0, 100, 40_000, 200_000])
def test_customer_keys(weir, s3, size):
    key, data = os.urandom(32), os.urandom(20) * (size // 20)
    mine = headers_of(key)
    status, headers, error, _ = send(weir, "PUT", f"/{NAME}/c", mine, data)
    assert status == 200, error
    assert headers["x-amz-server-side-encryption-customer-algorithm"] == "AES256"
    assert headers["x-amz-server-side-encryption-customer-key-md5"] == mine["x-amz-server-side-encryption-customer-key-MD5"]
    assert "x-amz-server-side-encryption" not in headers
    status, got, _, body = send(weir, "GET", f"/{NAME}/c", mine)
    assert (status, body, got["etag"]) == (200, data, headers["etag"])
    assert size == 0 or send(weir, "GET", f"/{NAME}/c", {**mine, "Range": "bytes=10-19"})[3] == data[10:20]
    assert send(weir, "HEAD", f"/{NAME}/c", mine)[0] == 200
    disk = everything_on_disk(weir)
    assert key not in disk and base64.b64encode(key) not in disk and hashlib.md5(key).digest() not in disk
    assert size == 0 or data[:60] not in disk
    # It can be listed, tagged and deleted without.
    assert [o["Size"] for o in s3.list_objects_v2(Bucket=NAME, Prefix="c")["Contents"] if o["Key"] == "c"] == [size]
    s3.delete_object(Bucket=NAME, Key="c")


LACKS = "Requests specifying Server Side Encryption with Customer provided keys must "


@pytest.mark.parametrize("method, headers, status, code, message", [
    ("PUT", headers_of(Algorithm=None), 400, "InvalidArgument", LACKS + "provide a valid encryption algorithm."),
    ("PUT", headers_of(Algorithm="AES128"), 400, "InvalidEncryptionAlgorithmError",
     "The Encryption request you specified is not valid. Supported value: AES256."),
    ("PUT", headers_of(Key=None), 400, "InvalidArgument", LACKS + "provide an appropriate secret key."),
    ("PUT", headers_of(KeyMD5=None), 400, "InvalidArgument", LACKS + "provide the client calculated MD5 of the secret key."),
    ("PUT", headers_of(b"k" * 31), 400, "InvalidArgument", "The secret key was invalid for the specified algorithm."),
    ("PUT", headers_of(Key="*"), 400, "InvalidArgument", "The calculated MD5 hash of the key did not match the hash that was provided."),
    ("PUT", headers_of(Key=""), 400, "InvalidArgument", "The secret key was invalid - too short."),
    ("PUT", headers_of(Algorithm="X", KeyMD5="AAAAAAAAAAAAAAAAAAAAAA=="), 400, "InvalidArgument",
     "The calculated MD5 hash of the key did not match the hash that was provided."),
    ("PUT", headers_of(KeyMD5="AAAAAAAAAAAAAAAAAAAAAA=="), 400, "InvalidArgument",
     "The calculated MD5 hash of the key did not match the hash that was provided."),
    ("PUT", {**headers_of(), "x-amz-server-side-encryption": "AES256"}, 400, "InvalidArgument",
     "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"),
    ("GET", {}, 400, "InvalidRequest", "The object was stored using a form of Server Side Encryption. "
     "The correct parameters must be provided to retrieve the object."),
    ("HEAD", {}, 400, None, None),
    ("GET", headers_of(b"x" * 32), 403, "AccessDenied", LACKS + "provide the correct secret key."),
    ("HEAD", headers_of(b"x" * 32), 403, None, None),
    ("DELETE", headers_of(), 501, "NotImplemented", None),
])
def test_customer_keys_refused(weir, s3, method, headers, status, code, message):
    assert send(weir, "PUT", f"/{NAME}/sealed", headers_of(), b"x")[0] == 200
    got, _, error, _ = send(weir, method, f"/{NAME}/sealed", headers)
    assert (got, error.get("Code")) == (status, code)
    if message:
        assert error["Message"] == message


def test_a_key_for_what_has_none(weir, s3):
    s3.put_object(Bucket=NAME, Key="plain", Body=b"x")
    status, _, error, _ = send(weir, "GET", f"/{NAME}/plain", headers_of())
    assert (status, error["Code"]) == (400, "InvalidRequest")
    assert error["Message"] == "The encryption parameters are not applicable to this object."
    status, _, error, _ = send(weir, "GET", f"/{NAME}/plain", headers_of(Algorithm="AES128"))
    assert (status, error["Code"], error["ArgumentValue"]) == (400, "InvalidEncryptionAlgorithmError", "AES128")


def test_copies_under_customer_keys(weir, s3):
    one, two = os.urandom(32), os.urandom(32)
    source = {k.replace("x-amz-", "x-amz-copy-source-"): v for k, v in headers_of(one).items()}
    send(weir, "PUT", f"/{NAME}/from", headers_of(one), b"secret" * 20_000)
    copy = {"x-amz-copy-source": f"/{NAME}/from"}
    assert send(weir, "PUT", f"/{NAME}/to", copy)[0] == 400
    assert send(weir, "PUT", f"/{NAME}/to", {**copy, **source, **headers_of(two)})[0] == 200
    assert send(weir, "GET", f"/{NAME}/to", headers_of(two))[3] == b"secret" * 20_000
    assert send(weir, "PUT", f"/{NAME}/to", {**copy, **source})[0] == 200
    assert s3.get_object(Bucket=NAME, Key="to")["Body"].read() == b"secret" * 20_000
    # In place, to another key.
    assert send(weir, "PUT", f"/{NAME}/from", {**copy, **source, **headers_of(two)})[0] == 200
    assert send(weir, "GET", f"/{NAME}/from", headers_of(one))[0] == 403
    assert send(weir, "GET", f"/{NAME}/from", headers_of(two))[0] == 200


COMPLETES = ("The object was stored using a form of Server Side Encryption. Correct SSE-C request parameters are required for this "
             "request when specifying checksums for each part.")


def test_uploads_under_customer_keys(weir, s3):
    key = headers_of(b"u" * 32)
    upload = send(weir, "POST", f"/{NAME}/m?uploads", key)[2]["UploadId"]
    where = f"/{NAME}/m?partNumber=%d&uploadId={upload}"
    for headers, words in (({}, "The multipart upload initiate requested encryption. Subsequent part requests must include "
                                "the appropriate encryption parameters."),
                           (headers_of(b"v" * 32), "The provided encryption parameters did not match the ones used originally.")):
        status, _, error, _ = send(weir, "PUT", where % 1, headers, b"x")
        assert (status, error["Code"], error["Message"]) == (400, "InvalidRequest", words)
    data = [os.urandom(5 * 1024 * 1024), b"end"]
    etags = [send(weir, "PUT", where % (i + 1), key, d)[1]["etag"] for i, d in enumerate(data)]
    done = "".join(f"<Part><PartNumber>{i + 1}</PartNumber><ETag>{e}</ETag></Part>" for i, e in enumerate(etags))
    body = f"<CompleteMultipartUpload>{done}</CompleteMultipartUpload>".encode()
    for other in (headers_of(b"v" * 32), headers_of()):
        status, _, error, _ = send(weir, "POST", f"/{NAME}/m?uploadId={upload}", other, body)
        assert (status, error["Code"], error["Message"]) == (400, "InvalidRequest", COMPLETES)
    status, told, _, _ = send(weir, "POST", f"/{NAME}/m?uploadId={upload}", {}, body)
    assert (status, told["x-amz-server-side-encryption-customer-algorithm"]) == (200, "AES256")
    assert send(weir, "GET", f"/{NAME}/m", key)[3] == b"".join(data)
    assert send(weir, "GET", f"/{NAME}/m?partNumber=2", key)[3] == b"end"
    assert send(weir, "GET", f"/{NAME}/m", {})[0] == 400
    plain = send(weir, "POST", f"/{NAME}/m2?uploads", {})[2]["UploadId"]
    status, _, error, _ = send(weir, "PUT", f"/{NAME}/m2?partNumber=1&uploadId={plain}", key, b"x")
    assert (status, error["Message"]) == (400, "The multipart upload initiate did not request encryption. Please resend "
                                               "the request without the specified encryption parameters.")


def test_a_form_under_a_customer_key(weir, s3):
    key = headers_of(b"f" * 32)
    assert post(weir, form([{"key": "f"}, *[{k: v} for k, v in key.items()]], [("key", "f"), *key.items()]))[0] == 204
    assert send(weir, "GET", f"/{NAME}/f", key)[3] == b"hello"
    assert send(weir, "GET", f"/{NAME}/f", {})[0] == 400


def test_customer_keys_through_boto3(s3):
    own = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"b" * 32}
    s3.put_object(Bucket=NAME, Key="boto", Body=b"x", **own)
    assert s3.get_object(Bucket=NAME, Key="boto", **own)["Body"].read() == b"x"
    with pytest.raises(ClientError):
        s3.get_object(Bucket=NAME, Key="boto")
