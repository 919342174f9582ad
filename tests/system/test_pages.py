"""What a web page can do to a Weir on its user's machine: nothing, unless it was let in. The first tests
send what a browser would; the last ones are a real browser's (Debian's chromium), which decides itself
what to send."""
import http.client
import http.server
import json
import os
import shutil
import subprocess
import threading
import urllib.parse
import urllib.request

import pytest
from botocore.auth import S3SigV4QueryAuth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def presigned(weir, service, method, path, params=None, key="test", secret="test", headers=None):
    """Path and query of a presigned request, signed for the host that `headers` name."""
    host = (headers or {}).get("Host", f"127.0.0.1:{weir.port}")
    request = AWSRequest(method=method, url=f"http://{host}{path}", params=params or {}, headers={"Host": host})
    (S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth)(Credentials(key, secret), service, "us-east-1").add_auth(request)
    url = urllib.parse.urlsplit(request.prepare().url)
    return f"{url.path}?{url.query}"


def ask(weir, method, target, body=None, **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", weir.port, timeout=30)
    connection.request(method, target, body=body, headers=headers)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text, reply.headers


@pytest.fixture(scope="module")
def bucket(weir):
    weir.client("s3").create_bucket(Bucket="pages")
    weir.client("s3").put_object(Bucket="pages", Key="k", Body=b"kept")
    return "pages"


FOREIGN = [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:3000"},
           {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_foreign_page_has_no_use_of_the_development_key(weir, bucket, headers):
    target = presigned(weir, "sqs", "POST", "/", {"Action": "CreateQueue", "QueueName": "evil"})
    status, text, _ = ask(weir, "POST", target, body="x", Content_Type="text/plain", **headers)
    assert status == 403 and "--allow-origin" in text
    status, text, _ = ask(weir, "GET", target.replace("POST", "GET"), **headers)
    assert status == 403
    for method in ("PUT", "GET", "DELETE"):
        target = presigned(weir, "s3", method, f"/{bucket}/k")
        status, text, _ = ask(weir, method, target, body="x" if method == "PUT" else None, **headers)
        assert status == 403 and "AccessDenied" in text, method
    assert weir.client("sqs").list_queues().get("QueueUrls", []) == []
    assert weir.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


@pytest.mark.parametrize("headers", [{}, {"Sec_Fetch_Site": "none"}, {"Sec_Fetch_Site": "same-origin"}])
def test_others_have(weir, bucket, headers):
    status, text, _ = ask(weir, "GET", presigned(weir, "s3", "GET", f"/{bucket}/k"), **headers)
    assert (status, text) == (200, "kept")
    host = f"127.0.0.1:{weir.port}"
    status, _, _ = ask(weir, "PUT", presigned(weir, "s3", "PUT", f"/{bucket}/k"), body="kept", Origin=f"http://{host}", **headers)
    assert status == 200


@pytest.mark.parametrize("host, known", [
    ("evil.example", False), ("localhost.evil.example:4566", False), ("localhost:4566", True),
    ("s3.localhost.localstack.cloud:4566", True), ("s3.us-east-1.amazonaws.com", True), ("10.0.0.1:4566", True)])
def test_rebound_names(weir, bucket, host, known):
    headers = {"Host": host}
    for method, body in (("GET", None), ("PUT", "kept")):
        target = presigned(weir, "s3", method, f"/{bucket}/k", headers=headers)
        status, text, _ = ask(weir, method, target, body=body, **headers)
        assert status == (200 if known else 403), text
        assert known or "--allow-host" in text
    assert (ask(weir, "GET", "/_weir/metrics", **headers)[0] == 200) == known
    status, text, _ = ask(weir, "GET", "/_weir/health", **headers)
    assert status == 200 and ("services" in json.loads(text)) == known


def test_real_signatures(weir, bucket):
    """Under any name, but a foreign page changes nothing with them either."""
    with open(os.path.join(weir.data_dir, "root-credentials")) as f:
        fields = dict(line.strip().split(" = ") for line in f if " = " in line)
    root = {"key": fields["aws_access_key_id"], "secret": fields["aws_secret_access_key"]}
    headers = {"Host": "weir.example"}
    target = presigned(weir, "s3", "PUT", f"/{bucket}/k", headers=headers, **root)
    assert ask(weir, "PUT", target, body="kept", **headers)[0] == 200
    assert ask(weir, "PUT", target, body="evil", Origin="http://evil.example", **headers)[0] == 403
    target = presigned(weir, "s3", "GET", f"/{bucket}/k", **root)
    status, text, reply = ask(weir, "GET", target, Origin="http://evil.example")
    assert (status, text) == (200, "kept") and "Access-Control-Allow-Origin" not in reply
    target = presigned(weir, "sqs", "GET", "/", {"Action": "CreateQueue", "QueueName": "evil"}, **root)
    assert ask(weir, "GET", target, Origin="http://evil.example")[0] == 403


def test_allowed(make_weir):
    weir = make_weir(args=["--allow-origin", "http://localhost:3000, https://app.example", "--allow-host", "weir.lan"])
    weir.client("s3").create_bucket(Bucket="pages")
    for host in (f"127.0.0.1:{weir.port}", "weir.lan:80", "pages.s3.weir.lan"):
        path = "/k" if host.startswith("pages.") else "/pages/k"
        target = presigned(weir, "s3", "PUT", path, headers={"Host": host})
        asked = {"Host": host, "Origin": "https://app.example", "Access_Control_Request_Method": "PUT",
                 "Access_Control_Request_Headers": "content-type,x-amz-acl"}
        status, _, reply = ask(weir, "OPTIONS", target, **asked)
        assert status == 204 and reply["Access-Control-Allow-Origin"] == "https://app.example"
        assert reply["Access-Control-Allow-Methods"] == "PUT"
        assert reply["Access-Control-Allow-Headers"] == "content-type,x-amz-acl"
        status, _, reply = ask(weir, "PUT", target, body="x", Host=host, Origin="https://app.example", Sec_Fetch_Site="cross-site")
        assert status == 200 and reply["Access-Control-Allow-Origin"] == "https://app.example"
        asked["Origin"] = "http://evil.example"
        status, _, reply = ask(weir, "OPTIONS", target, **asked)
        assert status != 204 and "Access-Control-Allow-Origin" not in reply
        assert ask(weir, "PUT", target, body="x", Host=host, Origin="http://evil.example")[0] == 403


# --- a real browser ---------------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium")

PAGE = """<!doctype html><title>waiting</title><script>
async function tell(name, how) {
  let said;
  try { const r = await how(); said = r.type === "opaque" ? "sent" : String(r.status); } catch (e) { said = "refused"; }
  return name + "=" + said;
}
const plain = {method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}, body: "x"};
(async () => {
  const said = [];
  for (const [name, url, init] of TODO) said.push(await tell(name, () => fetch(url, init === "plain" ? plain : init)));
  await fetch(DONE, {method: "POST", mode: "no-cors", body: said.join(" ")});
})();
</script>"""


class Site:
    """A web site of one page, which tells at /done what became of its calls."""

    def __init__(self):
        site = self
        self.done, self.said, self.page = threading.Event(), "", ""

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, body=b""):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.answer(site.page.encode())

            def do_POST(self):
                site.said = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.answer()
                site.done.set()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def make(self, todo):
        return PAGE.replace("TODO", json.dumps(todo)).replace("DONE", f'"http://127.0.0.1:{self.port}/done"')

    def visit(self, todo, host, folder, url=None):
        """Opens the page under http://host:port, or `url`, in a browser for which every name leads here."""
        self.page = self.make(todo)
        self.done.clear()
        browser = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             f"--user-data-dir={folder}", "--host-resolver-rules=MAP * 127.0.0.1",
             "--remote-debugging-port=0", url or f"http://{host}:{self.port}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert self.done.wait(120), "the page did not end"
        finally:
            browser.terminate()
            browser.wait(30)
        return dict(one.split("=") for one in self.said.split())


@pytest.fixture
def site():
    if not CHROMIUM:
        pytest.skip("no chromium on this machine")
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "evil.example"])
def test_a_page_in_a_browser(weir, site, bucket, host, tmp_path):
    here = f"http://127.0.0.1:{weir.port}"
    queue = presigned(weir, "sqs", "POST", "/", {"Action": "CreateQueue", "QueueName": "from-a-page"})
    put = presigned(weir, "s3", "PUT", f"/{bucket}/from-a-page")
    get = presigned(weir, "s3", "GET", f"/{bucket}/k")
    said = site.visit([["queue", here + queue, "plain"], ["put", here + put, {"method": "PUT", "body": "x"}],
                       ["get", here + get, {}], ["metrics", here + "/_weir/metrics", {}]], host, tmp_path)
    assert said["put"] == said["get"] == said["metrics"] == "refused"
    assert weir.client("sqs").list_queues().get("QueueUrls", []) == []
    keys = [o["Key"] for o in weir.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert "from-a-page" not in keys


def test_a_rebound_page_in_a_browser(weir, site, bucket, tmp_path):
    """The page's own name leads to Weir by now, so all it asks is of its own origin. (That it also comes
    from there spares the test a second name server.)"""
    host = f"evil.example:{weir.port}"
    signed = {m: presigned(weir, "s3", m, f"/{bucket}/k", headers={"Host": host}) for m in ("GET", "PUT", "DELETE")}
    queue = presigned(weir, "sqs", "POST", "/", {"Action": "CreateQueue", "QueueName": "evil"}, headers={"Host": host})
    todo = [[m, signed[m], {"method": m, "body": "x" if m == "PUT" else None}] for m in signed]
    todo += [["queue", queue, {"method": "POST", "body": "x"}], ["metrics", "/_weir/metrics", {}]]
    s3 = weir.client("s3")
    s3.put_object(Bucket=bucket, Key="index", ContentType="text/html", Body=site.make(todo).encode())
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/index"}]}))
    said = site.visit([], None, tmp_path, f"http://{host}/{bucket}/index")
    assert set(said) == {"GET", "PUT", "DELETE", "queue", "metrics"} and set(said.values()) == {"403"}
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"kept"


def test_an_allowed_page_in_a_browser(make_weir, site, tmp_path):
    weir = make_weir(args=["--allow-origin", f"http://localhost:{site.port}"])
    weir.client("s3").create_bucket(Bucket="pages")
    here = f"http://127.0.0.1:{weir.port}"
    put = presigned(weir, "s3", "PUT", "/pages/from-a-page")
    get = presigned(weir, "s3", "GET", "/pages/from-a-page")
    todo = [["put", here + put, {"method": "PUT", "body": "hello", "headers": {"Content-Type": "text/csv"}}],
            ["get", here + get, {}]]
    assert site.visit(todo, "localhost", tmp_path) == {"put": "200", "get": "200"}
    assert weir.client("s3").get_object(Bucket="pages", Key="from-a-page")["Body"].read() == b"hello"


def test_a_bucket_lets_a_page_in_a_browser(weir, site, bucket, tmp_path):
    here = f"http://127.0.0.1:{weir.port}"
    weir.client("s3").put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": [f"http://localhost:{site.port}"], "AllowedMethods": ["PUT", "GET"], "AllowedHeaders": ["*"]}]})
    todo = [["put", here + presigned(weir, "s3", "PUT", f"/{bucket}/page"),
             {"method": "PUT", "body": "hello", "headers": {"Content-Type": "text/csv"}}],
            ["get", here + presigned(weir, "s3", "GET", f"/{bucket}/page"), {}],
            ["delete", here + presigned(weir, "s3", "DELETE", f"/{bucket}/page"), {"method": "DELETE"}]]
    assert site.visit(todo, "localhost", tmp_path) == {"put": "200", "get": "200", "delete": "refused"}
    assert weir.client("s3").get_object(Bucket=bucket, Key="page")["Body"].read() == b"hello"
