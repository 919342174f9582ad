"""Static websites: their configuration, and what their host names answer."""
import http.client
import json
import os

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def s3(weir):
    return weir.client("s3")


@pytest.fixture
def bucket(s3):
    name = "web-" + os.urandom(6).hex()
    s3.create_bucket(Bucket=name)
    return name


def code_of(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"]


def configure(s3, bucket, **more):
    c = {"IndexDocument": {"Suffix": "index.html"}, **more}
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={k: v for k, v in c.items() if v is not None})


def publish(s3, bucket, listed=True):
    s3.delete_public_access_block(Bucket=bucket)
    statement = [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]
    if listed:
        statement.append({"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement}))


def visit(weir, bucket, path="/", method="GET", host="{}.s3-website-us-east-1.amazonaws.com", **headers):
    c = http.client.HTTPConnection("127.0.0.1", weir.port)
    c.request(method, path, headers={"Host": host.format(bucket), **{k.replace("_", "-"): v for k, v in headers.items()}})
    r = c.getresponse()
    body = r.read().decode()
    c.close()
    return r.status, body, r.headers


@pytest.mark.parametrize("c", [
    {"IndexDocument": {"Suffix": "i"}},
    {"IndexDocument": {"Suffix": "i"}, "ErrorDocument": {"Key": "e"}, "RoutingRules": [
        {"Condition": {"KeyPrefixEquals": "a/"}, "Redirect": {"ReplaceKeyPrefixWith": "b/"}},
        {"Condition": {"HttpErrorCodeReturnedEquals": "404"}, "Redirect": {"HostName": "h", "Protocol": "https", "ReplaceKeyWith": "k", "HttpRedirectCode": "302"}},
        {"Redirect": {"HostName": "h"}}]},
    {"RedirectAllRequestsTo": {"HostName": "h", "Protocol": "https"}},
])
def test_configuration_is_kept(s3, bucket, c):
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=c)
    got = s3.get_bucket_website(Bucket=bucket)
    got.pop("ResponseMetadata")
    assert got == c
    s3.delete_bucket_website(Bucket=bucket)
    assert code_of(s3.get_bucket_website, Bucket=bucket) == "NoSuchWebsiteConfiguration"


@pytest.mark.parametrize("c, code", [
    ({}, "InvalidArgument"),
    ({"IndexDocument": {"Suffix": ""}}, "InvalidArgument"),
    ({"IndexDocument": {"Suffix": "a/b"}}, "InvalidArgument"),
    ({"IndexDocument": {"Suffix": "a"}, "ErrorDocument": {"Key": ""}}, "MalformedXML"),
    ({"IndexDocument": {"Suffix": "a"}, "RedirectAllRequestsTo": {"HostName": "h"}}, "InvalidArgument"),
    ({"RedirectAllRequestsTo": {"HostName": "h", "Protocol": "ftp"}}, "InvalidRequest"),
    ({"IndexDocument": {"Suffix": "a"}, "RoutingRules": [{"Condition": {}, "Redirect": {"HostName": "h"}}]}, "InvalidRequest"),
    ({"IndexDocument": {"Suffix": "a"}, "RoutingRules": [{"Redirect": {"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}]}, "InvalidRequest"),
    ({"IndexDocument": {"Suffix": "a"}, "RoutingRules": [{"Redirect": {}}]}, "MalformedXML"),
    ({"IndexDocument": {"Suffix": "a"}, "RoutingRules": [{"Redirect": {"HttpRedirectCode": "300"}}]}, "InvalidRequest"),
    ({"IndexDocument": {"Suffix": "a"}, "RoutingRules": [{"Condition": {"HttpErrorCodeReturnedEquals": "200"}, "Redirect": {"HostName": "h"}}]}, "InvalidRequest"),
    ({"IndexDocument": {"Suffix": "a"}, "RoutingRules": [{"Redirect": {"HostName": "h"}}] * 51}, "InvalidRequest"),
])
def test_bad_configurations(s3, bucket, c, code):
    assert code_of(s3.put_bucket_website, Bucket=bucket, WebsiteConfiguration=c) == code


def test_pages(weir, s3, bucket):
    assert visit(weir, bucket)[0] == 404 and "NoSuchWebsiteConfiguration" in visit(weir, bucket)[1]
    assert "NoSuchBucket" in visit(weir, "no-bucket-of-this-name")[1]
    configure(s3, bucket)
    s3.put_object(Bucket=bucket, Key="index.html", Body=b"home", ContentType="text/html", CacheControl="no-cache", Metadata={"a": "b"})
    s3.put_object(Bucket=bucket, Key="docs/index.html", Body=b"docs")
    s3.put_object(Bucket=bucket, Key="large.txt", Body=b"0123456789" * 10000)
    assert visit(weir, bucket)[0] == 403
    publish(s3, bucket)
    for host in ("{}.s3-website-us-east-1.amazonaws.com", "{}.s3-website.localhost:4566", "{}.s3-website.eu-central-1.amazonaws.com"):
        status, body, headers = visit(weir, bucket, host=host)
        assert (status, body, headers["Content-Type"], headers["Cache-Control"], headers["x-amz-meta-a"]) == (200, "home", "text/html", "no-cache", "b")
    assert visit(weir, bucket, "/", "HEAD")[:2] == (200, "")
    assert visit(weir, bucket, "/", If_None_Match=headers["ETag"])[0] == 304
    assert visit(weir, bucket, "/docs/")[1] == "docs"
    status, _, headers = visit(weir, bucket, "/docs")
    assert (status, headers["Location"]) == (302, "/docs/")
    status, body, headers = visit(weir, bucket, "/docs")
    assert (headers["x-amz-error-code"], headers["x-amz-error-message"]) == ("Found", "Resource Found") and "<h1>302 Found</h1>" in body
    assert len(visit(weir, bucket, "/large.txt")[1]) == 100000
    status, body, headers = visit(weir, bucket, "/large.txt", Range="bytes=5-9")
    assert (status, body, headers["Content-Range"]) == (206, "56789", "bytes 5-9/100000")
    status, body, headers = visit(weir, bucket, "/<none>")
    assert status == 404 and headers["Content-Type"] == "text/html; charset=utf-8" and "<li>Code: NoSuchKey</li>" in body and "&lt;none>" in body
    status, body, _ = visit(weir, bucket, "/", "POST")
    assert status == 405 and "<li>Method: POST</li>\n<li>ResourceType: OBJECT</li>" in body
    assert f"<li>BucketName: {bucket}-none</li>" in visit(weir, bucket + "-none")[1]
    # What S3 says of conditions and ranges is a page, too.
    for more, want, code in (({"If_Match": '"a"'}, 412, "PreconditionFailed"), ({"Range": "bytes=100000-"}, 416, "InvalidRange")):
        status, body, headers = visit(weir, bucket, "/large.txt", **more)
        assert (status, headers["x-amz-error-code"], headers["Content-Type"]) == (want, code, "text/html; charset=utf-8")
        assert body.startswith("<html>\n") and f"<li>Code: {code}</li>" in body


def test_error_documents(weir, s3, bucket):
    configure(s3, bucket, ErrorDocument={"Key": "oops.html"})
    publish(s3, bucket)
    body = visit(weir, bucket, "/none")[1]
    assert "NoSuchKey" in body and "Custom Error Document</h3>" in body and "<li>Key: oops.html</li>" in body
    s3.put_object(Bucket=bucket, Key="oops.html", Body=b"oops", ContentType="text/html")
    status, body, headers = visit(weir, bucket, "/none")
    assert (status, body, headers["Content-Type"]) == (404, "oops", "text/html")
    publish(s3, bucket, listed=False)
    assert visit(weir, bucket, "/none")[:2] == (403, "oops")


def test_redirects(weir, s3, bucket):
    rules = [{"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}},
             {"Condition": {"KeyPrefixEquals": "x", "HttpErrorCodeReturnedEquals": "404"},
              "Redirect": {"HostName": "example.com", "Protocol": "https", "ReplaceKeyWith": "404.html", "HttpRedirectCode": "302"}}]
    configure(s3, bucket, RoutingRules=rules)
    publish(s3, bucket)
    go = lambda path: (lambda r: (r[0], r[2]["Location"]))(visit(weir, bucket, path))  # noqa: E731
    assert go("/old/a%20b") == (301, f"http://{bucket}.s3-website-us-east-1.amazonaws.com/new/a%20b")
    assert go("/x/y") == (302, "https://example.com/404.html")
    assert go("/y") == (404, None)
    s3.put_object(Bucket=bucket, Key="moved", Body=b"", WebsiteRedirectLocation="/elsewhere")
    assert go("/moved") == (301, "/elsewhere")
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"RedirectAllRequestsTo": {"HostName": "example.com"}})
    assert go("/any/thing") == (301, "http://example.com/any/thing")
