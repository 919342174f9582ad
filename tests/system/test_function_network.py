"""The network that a function finds: AWS's names lead to Weir, the world is reached as the mode says, and
nothing of the host is, tried from inside, as root and as a plain user (the ways of test_isolation).
"""
import contextlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading

import pytest

from test_isolation import AS_ROOT, PROBE, WAYS, children, data_dir, helper, inside, kill_helper, way_args
from test_lambda import Stage
from weirtest import Weir, wait_for


def host_allows(prefix=()):
    """Whether a process started that way may make namespaces as Weir does; not by Weir's own word."""
    return subprocess.run([*prefix, "unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "true"],
                          capture_output=True, check=False).returncode == 0


def need_own_network(weir, prefix=()):
    """Skips where the host allows none; fails where it does and Weir has none."""
    if has_own_network(weir):
        return
    weir.stop()
    assert not host_allows(prefix), weir.log_text()
    pytest.skip("this host allows no network namespaces that way")


def has_own_network(weir):
    if "share the host's network" in weir.log_text() or "functions are refused" in weir.log_text():
        return False
    return wait_for(lambda: "functions have networks of their own" in weir.log_text())


def staged(way, tmp_path_factory, *more):
    args = way_args(way, tmp_path_factory)
    try:
        with Weir(args=more, **args) as weir:
            need_own_network(weir, args.get("prefix", ()))
            stage = Stage(weir)
            stage.name = stage.function(PROBE, Timeout=60)
            yield stage
    finally:
        if "data_dir" in args:
            shutil.rmtree(args["data_dir"], ignore_errors=True)


@pytest.fixture(scope="module", params=WAYS)
def world(request, tmp_path_factory):
    yield from staged(request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def nothing(tmp_path_factory):
    yield from staged("root", tmp_path_factory, "--function-network=none")


# Makes the SDK ignore what tells it where Weir is: what is left are AWS's names.
UNTOLD = """
import os
for name in [n for n in os.environ if n.startswith("AWS_ENDPOINT_URL")]:
    del os.environ[name]
"""


def test_sdk_without_an_endpoint_does_its_work(world):
    code = UNTOLD + """
import sys, uuid
sys.path.append("/usr/lib/python3/dist-packages")
import boto3
tail = uuid.uuid4().hex[:10]
s3 = boto3.client("s3", region_name="eu-west-1")
s3.create_bucket(Bucket="b-" + tail, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
s3.put_object(Bucket="b-" + tail, Key="k", Body=b"x" * 100000)
size = len(s3.get_object(Bucket="b-" + tail, Key="k")["Body"].read())
sqs = boto3.client("sqs", region_name="us-east-1")
url = sqs.create_queue(QueueName="q-" + tail)["QueueUrl"]
sqs.send_message(QueueUrl=url, MessageBody="hello")
body = sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
ddb = boto3.client("dynamodb", region_name="us-east-1")
ddb.create_table(TableName="t-" + tail, BillingMode="PAY_PER_REQUEST",
                 KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                 AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
ddb.put_item(TableName="t-" + tail, Item={"id": {"S": "1"}})
result = [s3.meta.endpoint_url, sqs.meta.endpoint_url, ddb.meta.endpoint_url, size, body,
          ddb.get_item(TableName="t-" + tail, Key={"id": {"S": "1"}})["Item"]]
"""
    got = inside(world, code, world.function(PROBE, Timeout=60))  # its environment forgets where Weir is for good
    assert all(url.startswith("https://") and url.endswith("amazonaws.com") for url in got[:3]), got
    assert got[3:] == [100000, "hello", {"id": {"S": "1"}}]


AWS_NAMES = [
    "s3.amazonaws.com", "s3.eu-west-1.amazonaws.com", "my.bucket.s3.eu-west-1.amazonaws.com",
    "databucket-1.s3.dualstack.eu-west-1.amazonaws.com", "s3-fips.us-east-1.amazonaws.com",
    "bucket.s3-accelerate.amazonaws.com", "sqs.us-east-1.amazonaws.com", "eu-west-1.queue.amazonaws.com",
    "queue.amazonaws.com", "sqs.eu-west-1.api.aws", "dynamodb.us-east-1.amazonaws.com",
    "123456789012.ddb.us-east-1.amazonaws.com", "lambda.us-east-1.amazonaws.com", "iam.amazonaws.com",
    "sts.amazonaws.com", "sts.eu-central-1.amazonaws.com", "logs.us-east-1.amazonaws.com",
    "tagging.us-east-1.amazonaws.com", "events.us-east-1.amazonaws.com", "sns.us-east-1.amazonaws.com",
    "states.us-east-1.amazonaws.com", "abc123.execute-api.eu-west-1.amazonaws.com",
    "abc.lambda-url.eu-west-1.on.aws", "cognito-idp.eu-west-1.amazonaws.com",
    "pool.auth.eu-west-1.amazoncognito.com", "s3.cn-north-1.amazonaws.com.cn", "S3.AmazonAWS.com",
]


def names_lead_here(stage):
    code = f"""
import socket
result = {{}}
for name in {AWS_NAMES!r}:
    result[name] = sorted({{a[4][0] for a in socket.getaddrinfo(name, 443)}})
"""
    got = inside(stage, code)
    assert got == {name: ["198.18.0.1"] for name in AWS_NAMES}


def test_function_urls_from_inside(world):
    """As AWS names them, by a certificate that is trusted, and as Weir does."""
    from test_function_urls import permit
    name = world.function("def handler(event, context):\n    return event['requestContext']['domainName']\n")
    url = world.awslambda.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    permit(world, name)
    at_aws = url.split("/")[2].split(".localhost")[0] + ".on.aws"
    got = inside(world, f"""
import urllib.request
result = [urllib.request.urlopen(url).read().decode() for url in ({url!r}, "https://{at_aws}/", "http://{at_aws}/")]
""")
    assert got == ['"' + url.split("/")[2].split(":")[0] + '"'] + ['"' + at_aws + '"'] * 2


def test_names_of_every_service_lead_here(world):
    names_lead_here(world)


def test_names_lead_here_under_none(nothing):
    names_lead_here(nothing)


def test_certificates(world):
    code = """
import socket, ssl
def serves(name):
    try:
        with socket.create_connection(("198.18.0.1", 443), timeout=10) as s:
            with ssl.create_default_context().wrap_socket(s, server_hostname=name) as t:
                return [v for k, v in t.getpeercert()["subjectAltName"]]
    except (ssl.SSLError, OSError) as e:
        return type(e).__name__
result = [serves("s3.eu-west-1.amazonaws.com"), serves("a.b.s3.amazonaws.com"), serves("www.example.com"),
          serves("evilamazonaws.com")]
"""
    got = inside(world, code)
    assert got[:2] == [["s3.eu-west-1.amazonaws.com"], ["a.b.s3.amazonaws.com"]]
    assert all(isinstance(g, str) for g in got[2:]), got


CONNECT = """
import socket
def reach(host, port):
    try:
        with socket.create_connection((host, port), timeout=10) as s:
            s.settimeout(10)
            s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return s.recv(100).decode("latin-1")
    except OSError as e:
        return type(e).__name__
"""


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"of the host")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def host_server():
    """Something that listens on the host, at all of its addresses."""
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def own_addresses():
    out = subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    return [line.split()[3].split("/")[0] for line in out.splitlines()]


def test_host_cannot_be_reached(world, host_server):
    with socket.create_connection(("127.0.0.1", host_server), timeout=10):
        pass
    addresses = own_addresses()
    got = inside(world, CONNECT + f"result = [reach(a, {host_server}) for a in {addresses!r} + ['localhost', '0.0.0.0']]")
    assert got and not [g for g in got if g.startswith("HTTP")], got


def test_host_cannot_be_reached_at_a_port_that_is_forwarded(world):
    """6379 is taken in for the world: the host's own addresses are not the world."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(("0.0.0.0", 6379))
    except OSError:
        pytest.skip("port 6379 is taken")
    server.listen()
    server.settimeout(0)
    with server:
        code = CONNECT + f"result = [reach(a, 6379) for a in {own_addresses()!r} + ['169.254.169.254', '224.0.0.1']]"
        got = inside(world, code)
        assert not [g for g in got if not g.endswith("Error")], got
        with pytest.raises(BlockingIOError):
            server.accept()


def test_world_is_reached_through_weir(world, tmp_path_factory):
    """A machine of the world: a namespace of its own behind a pair of interfaces."""
    if not AS_ROOT or not shutil.which("ip"):
        pytest.skip("needs root to make a neighbour")
    name, address = f"n{os.getpid()}", "10.213.77"
    serve = ("import socket\ns = socket.socket()\ns.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
             "s.bind(('0.0.0.0', 6379))\ns.listen()\nprint('up', flush=True)\n"
             "while True:\n    c, _ = s.accept()\n    n = 0\n    while True:\n        b = c.recv(65536)\n"
             "        if not b: break\n        n += len(b)\n    c.sendall(b'y' * n)\n    c.close()\n")
    setup = [f"ip netns add {name}", f"ip link add {name}h type veth peer name {name}n netns {name}",
             f"ip addr add {address}.1/24 dev {name}h", f"ip link set {name}h up",
             f"ip -n {name} addr add {address}.2/24 dev {name}n", f"ip -n {name} link set {name}n up"]
    peer = None
    try:
        for line in setup:
            if subprocess.run(line.split(), check=False).returncode:
                pytest.skip("no neighbour can be made here")
        peer = subprocess.Popen(["ip", "netns", "exec", name, "python3", "-c", serve], stdout=subprocess.PIPE, text=True)
        assert peer.stdout.readline() == "up\n"
        got = inside(world, f"""
import socket
with socket.create_connection(("{address}.2", 6379), timeout=30) as s:
    s.sendall(b"x" * 300000)
    s.shutdown(socket.SHUT_WR)
    n = 0
    while True:
        b = s.recv(65536)
        if not b:
            break
        n += len(b)
result = n
""")
        assert got == 300000
    finally:
        if peer:
            peer.kill()
            peer.wait()
        for line in (f"ip link del {name}h", f"ip netns del {name}"):
            subprocess.run(line.split(), check=False, stderr=subprocess.DEVNULL)


def test_aws_under_another_address_is_weir(world):
    """An address of AWS's that came from elsewhere than our resolver: the name that is said decides."""
    got = inside(world, """
import socket, ssl
with socket.create_connection(("52.216.1.1", 443), timeout=10) as s:
    with ssl.create_default_context().wrap_socket(s, server_hostname="s3.amazonaws.com") as t:
        t.sendall(b"GET /_weir/health HTTP/1.1\\r\\nHost: s3.amazonaws.com\\r\\nConnection: close\\r\\n\\r\\n")
        tls = t.recv(1000).decode()
with socket.create_connection(("52.216.1.1", 80), timeout=10) as s:
    s.sendall(b"GET /_weir/health HTTP/1.1\\r\\nHo")
    s.sendall(b"st: s3.amazonaws.com\\r\\nConnection: close\\r\\n\\r\\n")
    plain = s.recv(1000).decode()
result = [tls, plain]
""")
    assert all("running" in g for g in got), got


def test_no_world_under_none(nothing):
    got = inside(nothing, CONNECT + """
def name(host):
    try:
        return socket.getaddrinfo(host, 443)
    except socket.gaierror as e:
        return e.errno
result = [reach("93.184.216.34", 443), reach("93.184.216.34", 80), reach("10.0.0.1", 5432), name("example.com"),
          reach("198.18.0.1", 80)[:4]]
""")
    assert got == ["OSError", "OSError", "OSError", socket.EAI_NONAME, "HTTP"]


def test_other_functions_cannot_be_reached(world):
    """A server of another function, at each address at which it listens."""
    other = world.function("""
import socket, threading
s = socket.socket()
s.bind(("0.0.0.0", 7777))
s.listen()
def handler(event, context):
    return s.getsockname()
""", Timeout=60)
    port = json.loads(world.invoke(other, {})["Payload"].read())[1]
    got = inside(world, CONNECT + f"result = [reach(a, {port}) for a in ['127.0.0.1', '10.0.0.7'] + {own_addresses()!r}]")
    assert all(g.endswith("Error") for g in got), got


def test_runtime_api_is_the_functions_own(world):
    api = inside(world, "import os\nresult = os.environ['AWS_LAMBDA_RUNTIME_API']")
    assert api == "127.0.0.1:9001"
    for address in own_addresses():
        with pytest.raises(OSError):
            socket.create_connection((address, 9001), timeout=10).close()


def test_network_after_a_new_helper(world):
    kill_helper(world.weir)
    test_names_of_every_service_lead_here(world)
    test_only_health_of_weirs_own_pages(world)


def test_weir_behind_a_certificate_of_its_own(tmp_path, monkeypatch):
    """At 0.0.0.0 with a certificate that functions do not know: inside they see the authority's."""
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=weir.corp",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert], check=True, capture_output=True)
    weir = Weir(args=["--listen", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key])
    try:
        need_own_network(weir)
        weir.endpoint = f"https://127.0.0.1:{weir.port}"
        monkeypatch.setenv("AWS_CA_BUNDLE", cert)
        with open(os.path.join(weir.data_dir, "root-credentials"), encoding="ascii") as f:
            root = dict(line.strip().split(" = ") for line in f if " = " in line)
        keyless = weir.client
        weir.client = lambda service: keyless(service, root["aws_access_key_id"], root["aws_secret_access_key"])
        stage = Stage(weir)
        name = stage.function(PROBE, Timeout=60)
        got = inside(stage, """
import sys
sys.path.append("/usr/lib/python3/dist-packages")
import boto3, urllib.request
sqs = boto3.client("sqs")
url = sqs.create_queue(QueueName="q")["QueueUrl"]
sqs.send_message(QueueUrl=url, MessageBody="hello")
result = [sqs.meta.endpoint_url, urllib.request.urlopen(url.rsplit("/", 2)[0] + "/_weir/health").status,
          sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]]
""", name)
        assert got == [f"https://127.0.0.1:{weir.port}", 200, "hello"]
    finally:
        weir.stop()


def test_only_health_of_weirs_own_pages(world):
    got = inside(world, """
import os, urllib.error, urllib.request
def get(path):
    try:
        with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + path, timeout=10) as r:
            return [r.status, r.read().decode()]
    except urllib.error.HTTPError as e:
        return [e.code, ""]
result = [get("/_weir/health"), get("/_weir/metrics")]
""")
    assert got[0][0] == 200 and "version" not in got[0][1]
    assert got[1][0] == 403


def test_development_key_is_not_for_functions(world):
    got = inside(world, """
import sys
sys.path.append("/usr/lib/python3/dist-packages")
import boto3, botocore.exceptions
try:
    boto3.client("sts", aws_access_key_id="test", aws_secret_access_key="test", aws_session_token=None).get_caller_identity()
    result = "taken"
except botocore.exceptions.ClientError as e:
    result = e.response["Error"]["Code"]
""")
    assert got == "InvalidClientTokenId"


def test_own_variables_win(world):
    name = world.function(PROBE, Timeout=60, Environment={"Variables": {"SSL_CERT_FILE": "/mine", "AWS_ENDPOINT_URL": "http://x"}})
    got = inside(world, "import os; result = [os.environ[n] for n in ('SSL_CERT_FILE', 'AWS_ENDPOINT_URL', 'AWS_CA_BUNDLE')]", name)
    assert got == ["/mine", "http://x", "/etc/weir/ca-bundle.crt"]


def tree(weir):
    """The server and all processes below it."""
    pids = [weir.process.pid]
    for pid in pids:
        pids += children(pid)
    return pids


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


FILES_OF_FUNCTION = 20  # of the server's, for one environment: those that listen in its network, its log, its connection


def test_many_at_once(world):
    """Functions that start together each have their network, and cost the server no more than that."""
    code = """
import os, urllib.request
result = [urllib.request.urlopen('https://sqs.us-east-1.amazonaws.com/_weir/health').status, os.readlink('/proc/self/ns/net')]
"""
    role = world.role()
    names = [world.function(PROBE, Timeout=120, MemorySize=128, Role=role) for _ in range(50)]
    files = open_files(world.weir.process.pid) if AS_ROOT else 0
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(inside(world, code, n))) for n in names]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [status for status, _ in results] == [200] * 50
    assert len({namespace for _, namespace in results}) == 50
    if AS_ROOT:
        # The connections of the 50 clients may still be open, too.
        assert open_files(world.weir.process.pid) - files <= 50 * (FILES_OF_FUNCTION + 1)


def test_functions_that_never_ran_cost_nothing(make_weir):
    weir = make_weir()
    need_own_network(weir)
    stage = Stage(weir)
    role = stage.role()
    stage.function(PROBE, Role=role)
    before = wait_for(lambda: len(tree(weir)) > 3 and sorted(tree(weir)), what="prepared environments")
    files = open_files(weir.process.pid)
    for _ in range(100):
        stage.function(PROBE, Role=role)
    assert sorted(tree(weir)) == before
    assert open_files(weir.process.pid) == files


def test_bad_settings_are_refused():
    from weirtest import find_binary
    for args, why in [(["--function-network=some"], "world, none or host"), (["--function-aws=maybe"], "weir or real"),
                      (["--function-aws=real", "--function-network=none"], "goes with")]:
        done = subprocess.run([find_binary(), "serve", "--data", data_dir(), "--listen", "127.0.0.1:0", *args],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 1 and why in done.stderr


KINDS = ("net", "mnt", "pid", "user", "ipc", "uts")


def namespaces(pids):
    """Files of the namespaces that these processes are in, by name."""
    found = {}
    for pid in pids:
        for kind in KINDS:
            file = f"/proc/{pid}/ns/{kind}"
            try:
                found.setdefault(os.readlink(file), file)
            except OSError:
                continue  # it ended meanwhile
    return found


@contextlib.contextmanager
def namespaces_kept(pids, but):
    """Those of `pids` that `but` is not in. Kept open, so that no new namespace gets the number of one that ended."""
    shared = namespaces([but])
    with contextlib.ExitStack() as files:
        kept = set()
        for name, file in namespaces(pids).items():
            if name not in shared:
                opened = os.open(file, os.O_RDONLY)
                files.callback(os.close, opened)
                assert os.readlink(f"/proc/self/fd/{opened}") == name
                kept.add(name)
        yield kept


def everybody():
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit()]


def control_groups(pid):
    """Folders of the groups that Weir's helper made."""
    return [os.path.join(folder, d) for folder, dirs, _ in os.walk("/sys/fs/cgroup") for d in dirs if d == f"weir-{pid}"]


def mounts():
    with open("/proc/self/mountinfo", encoding="ascii") as f:
        return len(f.readlines())


def test_killed_weir_leaves_nothing_behind():
    """Functions are running, others idle, environments prepared: all end with the server, however it ends."""
    if not AS_ROOT:
        pytest.skip("needs root to see everybody's namespaces")
    mounted = mounts()
    weir = Weir()
    need_own_network(weir)
    stage = Stage(weir)
    inside(stage, "result = 1", stage.function(PROBE, Timeout=60))
    name = stage.function(PROBE, Timeout=60)
    url, _ = stage.queue()
    running = ["import os, sys, time", "sys.path.append('/usr/lib/python3/dist-packages')", "import boto3",
               "sqs = boto3.client('sqs', endpoint_url=os.environ['AWS_ENDPOINT_URL'])",
               f"sqs.send_message(QueueUrl={url!r}, MessageBody='running')", "time.sleep(60)"]
    for _ in range(4):
        stage.invoke(name, {"code": "\n".join(running)}, InvocationType="Event")
    for _ in range(4):
        stage.receive(url)
    pids = tree(weir)
    groups = control_groups(helper(weir))
    with namespaces_kept(pids, but=os.getpid()) as own:
        # A network of its own for each: the idle one, four that run, those prepared.
        assert len([n for n in own if n.startswith("net:")]) >= 5
        weir.process.kill()
        weir.process.wait()
        wait_for(lambda: not [p for p in pids if os.path.exists(f"/proc/{p}")], what="end of every process")
        assert not namespaces(everybody()).keys() & own
    assert not [g for g in groups if os.path.exists(g)]
    assert mounts() == mounted
    weir.stop()
