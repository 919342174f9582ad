"""What a function can reach, tried from inside, in each way that Weir can isolate it:

    root        Weir is root: a host user of its own for each function
    own ids     Weir is not root, and its user has subordinate ids: the same
    shared id   Weir is not root and has none: functions have Weir's own user on the host

Root is needed to set the ways up; without it only the last one is tried, and the others are skipped.
"""
import array
import json
import os
import platform
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid

import pytest
from botocore.exceptions import ClientError

from weirtest import ROOT, Weir, find_binary, wait_for

sys.path.insert(0, os.path.join(ROOT, "tests", "compat"))
from test_lambda import Stage, runtime, zipped  # noqa: E402

AS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")
WAYS = ["root", "own ids", "shared id"]

PROBE = """
def handler(event, context):
    scope = {}
    exec(event["code"], scope)
    return scope["result"]
"""

# Refuses namespaces as a container manager's filter does, then becomes the command.
NO_NAMESPACES = """
import ctypes, os, struct, sys
clone, unshare, clone3 = (56, 272, 435) if os.uname().machine == "x86_64" else (220, 97, 435)
ALLOW, EPERM, ENOSYS = 0x7fff0000, 0x50001, 0x50026
code = [(0x20, 0, 0, 0),              # the call's number
        (0x15, 5, 0, unshare), (0x15, 5, 0, clone3), (0x15, 0, 2, clone),
        (0x20, 0, 0, 16),             # its first argument: flags
        (0x45, 1, 0, 0x7e020000),     # any CLONE_NEW*
        (0x06, 0, 0, ALLOW), (0x06, 0, 0, EPERM), (0x06, 0, 0, ENOSYS)]
raw = b"".join(struct.pack("HBBI", *c) for c in code)
text = ctypes.create_string_buffer(raw, len(raw))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(text)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
"""


def data_dir(owner=None):
    path = tempfile.mkdtemp(prefix="weir-test-")
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return path


def as_nobody(command=()):
    return ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups", *command]


def way_args(way, tmp_path_factory):
    """What Weir(...) takes to run that way; skips where it cannot be had."""
    if way != "shared id" and not AS_ROOT:
        pytest.skip("needs root to set up")
    if way == "root" or not AS_ROOT:
        return {}
    if subprocess.run(as_nobody(["test", "-x", find_binary()]), check=False).returncode:
        pytest.skip("the user nobody cannot reach the binary")
    prefix = as_nobody()
    folder = tmp_path_factory.mktemp("ids")
    ids = folder / "ids"
    ids.write_text(f"{NOBODY.pw_name}:300000:65536\n" if way == "own ids" else "")
    if way == "own ids" and not shutil.which("newuidmap"):
        pytest.skip("needs newuidmap (package uidmap)")
    # The host's own tables stay as they are: these are seen by this Weir alone.
    script = f'mount --bind {ids} /etc/subuid && mount --bind {ids} /etc/subgid && exec "$@"'
    return {"prefix": ["unshare", "--mount", "sh", "-c", script, "sh", *prefix], "data_dir": data_dir(NOBODY)}


def staged(way, tmp_path_factory, *more):
    args = way_args(way, tmp_path_factory)
    try:
        with Weir(args=more, **args) as weir:
            stage = Stage(weir)
            stage.way = way
            stage.name = stage.function(PROBE, Timeout=60)
            yield stage
    finally:
        if "data_dir" in args:
            shutil.rmtree(args["data_dir"], ignore_errors=True)


@pytest.fixture(scope="module", params=WAYS)
def boxed(request, tmp_path_factory):
    yield from staged(request.param, tmp_path_factory)


@pytest.fixture(scope="module", params=WAYS)
def sharing(request, tmp_path_factory):
    """Functions in the host's network, where others can come as far as their ports."""
    yield from staged(request.param, tmp_path_factory, "--function-network=host")


def inside(stage, code, name=None):
    got = stage.invoke(name or stage.name, {"code": code})
    payload = json.loads(got["Payload"].read())
    assert "FunctionError" not in got, payload
    return payload


def children(pid, name=None):
    out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    rows = [line.split(None, 1) for line in out.splitlines()]
    return [int(p) for p, comm in rows if name is None or comm.strip() == name]


def helper(weir):
    pids = children(weir.process.pid, "weir-sandbox")
    return pids[0] if pids else None


def kill_helper(weir):
    """Until there is another one: as long as the old one is seen, so are its functions."""
    before = helper(weir)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: helper(weir) not in (None, before), what="new helper")
    wait_for(lambda: health(weir)[0] == 200, what="health")


# --- the first process of the namespace -------------------------------------------------------------

def test_first_process_is_closed(boxed):
    got = inside(boxed, """
import os
result = {}
for name in ("environ", "mem", "maps", "auxv", "fd", "io", "syscall", "stack", "pagemap"):
    try:
        result[name] = str(os.listdir("/proc/1/fd") if name == "fd" else open("/proc/1/" + name, "rb").read(64))
    except OSError as e:
        result[name] = type(e).__name__
for name in ("mem",):
    try:
        result["write"] = str(open("/proc/1/mem", "r+b"))
    except OSError as e:
        result["write"] = type(e).__name__
for name in ("exe", "cwd", "root", "ns/pid"):
    try:
        result[name] = os.readlink("/proc/1/" + name)
    except OSError as e:
        result[name] = type(e).__name__
""")
    assert set(got.values()) <= {"PermissionError", "FileNotFoundError"}, got


def test_arguments_of_processes(boxed):
    """/proc/<pid>/cmdline is open to all: it must not say where the data are."""
    got = inside(boxed, """
import os
result = {p: open("/proc/%s/cmdline" % p).read() for p in os.listdir("/proc") if p.isdigit()}
""")
    assert got["1"].rstrip("\0") == "weir-sandbox"
    assert not any(boxed.weir.data_dir in line for line in got.values()), got


def readable_memory(pid):
    """The pages that the process has. Others are not touched: that would make them, and there may be
    terabytes of them under a sanitizer."""
    out = []
    page = os.sysconf("SC_PAGESIZE")
    with open(f"/proc/{pid}/maps") as f:
        spans = [[int(x, 16) for x in line.split()[0].split("-")] for line in f if line.split()[1].startswith("rw")]
    with open(f"/proc/{pid}/mem", "rb", 0) as mem, open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap:
        for low, high in spans:
            if high - low > 1 << 30:
                continue
            pagemap.seek(low // page * 8)
            present = array.array("Q", pagemap.read((high - low) // page * 8))
            for i, entry in enumerate(present):
                if entry >> 62:
                    mem.seek(low + i * page)
                    out.append(mem.read(page))
    return b"".join(out)


def test_nothing_is_left_in_the_first_process(boxed):
    """Looked at from outside: neither the function's own credentials, nor another's, nor the root key,
    nor another's report."""
    if not AS_ROOT:
        pytest.skip("needs root to look into processes")
    weir = boxed.weir
    other = boxed.function(PROBE, Environment={"Variables": {"MARK": "mark-" + uuid.uuid4().hex}})
    code = "import os\nresult = {k: os.environ[k] for k in ('AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN')}"
    secrets = list(inside(boxed, code).values()) + list(inside(boxed, code, other).values())
    with open(os.path.join(weir.data_dir, "root-credentials")) as f:
        words = f.read().replace("=", " ").replace(":", " ").split()
    secrets += [w for w in words if len(w) >= 20]
    assert len(secrets) >= 6
    parent = helper(weir)
    firsts = children(parent)
    assert len(firsts) >= 2
    for pid in [parent] + firsts:
        memory = readable_memory(pid)
        assert b"weir-sandbox" in memory # it was readable at all
        assert not [s for s in secrets if s.encode() in memory], pid
        with open(f"/proc/{pid}/environ", "rb") as f:
            assert not f.read().strip(b"\0")
    for pid in firsts:
        with open(f"/proc/{pid}/maps") as f:
            shared = [line.split()[0].split("-") for line in f if "rw-s" in line]
        assert [int(b, 16) - int(a, 16) for a, b in shared] == [os.sysconf("SC_PAGESIZE")]


def test_privileges(boxed):
    got = inside(boxed, """
result = dict(line.rstrip().partition(":\\t")[::2] for line in open("/proc/self/status"))
""")
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(got[name], 16) == 0, name
    assert got["NoNewPrivs"] == "1" and got["Seccomp"] == "2"
    if boxed.way != "shared id":
        assert got.get("Groups", "").strip() == ""


def test_users_on_the_host(boxed):
    """Two functions have two users, and neither is Weir's, where the host allows that."""
    other = boxed.function(PROBE)
    inside(boxed, "result = 1")
    inside(boxed, "result = 1", other)
    owners = []
    for first in children(helper(boxed.weir)):
        for pid in children(first):
            with open(f"/proc/{pid}/status") as f:
                owners.append(int([line for line in f if line.startswith("Uid:")][0].split()[1]))
    weir_uid = os.stat(f"/proc/{boxed.weir.process.pid}").st_uid
    assert len(owners) >= 2
    if boxed.way == "shared id":
        assert set(owners) == {weir_uid}
        assert "share Weir's own user id" in boxed.weir.log_text()
    else:
        assert len(set(owners)) == len(owners) and weir_uid not in owners


# --- system calls -------------------------------------------------------------------------------------

def test_sockets(boxed):
    got = inside(boxed, """
import ctypes, errno, os, socket
def family(f, kind=socket.SOCK_DGRAM, proto=0):
    try:
        socket.socket(f, kind, proto).close()
        return "ok"
    except OSError as e:
        return errno.errorcode[e.errno]
result = {str(f): family(f, socket.SOCK_RAW if f in (16, 17) else socket.SOCK_DGRAM) for f in range(1, 46)}
result["vsock stream"] = family(40, socket.SOCK_STREAM)
result["netlink"] = [family(16, socket.SOCK_RAW, p) for p in range(0, 23)]
libc = ctypes.CDLL(None, use_errno=True)
number = 41 if os.uname().machine == "x86_64" else 198
libc.syscall.argtypes = [ctypes.c_long] * 4
libc.syscall(number, (1 << 32) | 40, 1, 0)
result["high bits"] = errno.errorcode[ctypes.get_errno()]
libc.syscall(number, 16, 3, (1 << 32) | 4)
result["high bits of protocol"] = errno.errorcode[ctypes.get_errno()]
result["names"] = len(socket.getaddrinfo("localhost", 80))
""")
    allowed = {"1", "2", "10", "16"}
    assert {f for f in got if f.isdigit() and got[f] != "EAFNOSUPPORT"} == allowed, got
    assert got["netlink"][0] == "ok" and set(got["netlink"][1:]) == {"EAFNOSUPPORT"}
    assert got["vsock stream"] == got["high bits"] == got["high bits of protocol"] == "EAFNOSUPPORT"
    assert got["names"] > 0


@pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of system calls are this machine's")
def test_refused_system_calls(boxed):
    calls = {"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "userfaultfd": 323,
             "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "keyctl": 250, "add_key": 248,
             "request_key": 249, "bpf": 321, "perf_event_open": 298, "pidfd_getfd": 438, "mount": 165, "unshare": 272,
             "setns": 308, "open_by_handle_at": 304, "fanotify_init": 300, "personality": 135, "modify_ldt": 154,
             "process_madvise": 440, "process_mrelease": 448, "statmount": 457, "listmount": 458}
    got = inside(boxed, f"""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
result = {{}}
for name, number in {calls!r}.items():
    ctypes.set_errno(0)
    libc.syscall(number, 0, 0, 0, 0, 0, 0)
    result[name] = errno.errorcode.get(ctypes.get_errno(), "ok")
ctypes.set_errno(0)
libc.ioctl(1, 0x5412, b"x")
result["TIOCSTI"] = errno.errorcode.get(ctypes.get_errno(), "ok")
""")
    # Names that this machine's libseccomp does not know are left to the kernel.
    late = {"statmount", "listmount"}
    assert {n for n, e in got.items() if e != "EPERM"} <= late, got


# --- who calls ------------------------------------------------------------------------------------------

STEAL = """
import http.client
def ask(path, method="GET"):
    c = http.client.HTTPConnection("%s", timeout=20)
    c.request(method, path, b"{}" if method == "POST" else None)
    return c.getresponse().status
result = [ask("/2018-06-01/runtime/invocation/next"), ask("/2018-06-01/runtime/invocation/x/response", "POST"),
          ask("/2018-06-01/runtime/init/error", "POST")]
"""


def test_runtime_api_of_another(sharing):
    boxed = sharing
    victim = boxed.function(PROBE)
    api = inside(boxed, "import os\nresult = os.environ['AWS_LAMBDA_RUNTIME_API']", victim)
    assert inside(boxed, STEAL % api) == [403, 403, 403]
    # Who comes from a port that was the victim's a moment ago is not taken for it.
    ask = """
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0") # closes without a trace
s.bind(("127.0.0.1", %d))
s.connect(("127.0.0.1", %s))
s.sendall(b"POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 1\\r\\n\\r\\n1")
result = [s.getsockname()[1], s.recv(100).split()[1].decode()]
s.close()
"""
    number = api.split(":")[1]
    port, status = inside(boxed, ask % (0, number), victim)
    assert status == "400"
    assert inside(boxed, ask % (port, number)) == [port, "403"]
    scope = {}
    exec(STEAL % api, scope) # a process of the host that is no function
    assert scope["result"] == [403, 403, 403]
    # Over its own connection, from whatever process of the function, it is served.
    own = inside(boxed, f"""
import subprocess, sys
code = '''import http.client
c = http.client.HTTPConnection("{api}")
c.request("POST", "/2018-06-01/runtime/invocation/x/response", b"1")
print(c.getresponse().status)'''
result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
""", victim)
    assert own == "400"
    assert inside(boxed, "result = 7", victim) == 7


KEY = """
import boto3, os
from botocore.config import Config
from botocore.exceptions import ClientError
config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
def call(service, fn, **key):
    try:
        fn(boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=config, **key))
        return "ok"
    except ClientError as e:
        return e.response["Error"]["Code"]
dev = dict(aws_access_key_id="test", aws_secret_access_key="test")
# A session token in the environment is not used with a key that is given.
result = {
    "own": call("sts", lambda c: c.get_caller_identity()),
    "sts": call("sts", lambda c: c.get_caller_identity(), **dev),
    "s3": call("s3", lambda c: c.list_buckets(), **dev),
    "dynamodb": call("dynamodb", lambda c: c.list_tables(), **dev),
    "sqs": call("sqs", lambda c: c.list_queues(), **dev),
    "lambda": call("lambda", lambda c: c.list_functions(), **dev),
}
url = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=config, **dev).generate_presigned_url(
    "list_buckets")
import urllib.request, urllib.error
try:
    result["presigned"] = urllib.request.urlopen(url).status
except urllib.error.HTTPError as e:
    result["presigned"] = e.code
"""


def test_development_key_inside_a_function(boxed):
    outside = boxed.weir.client("sts")
    assert inside(boxed, KEY) == {
        "own": "ok", "sts": "InvalidClientTokenId", "s3": "InvalidAccessKeyId",
        "dynamodb": "UnrecognizedClientException", "sqs": "InvalidClientTokenId",
        "lambda": "UnrecognizedClientException", "presigned": 403}
    assert outside.get_caller_identity()["Arn"].endswith(":root")
    assert boxed.weir.client("sts").get_caller_identity()["Arn"].endswith(":root")


def test_development_key_in_a_shared_network(sharing):
    test_development_key_inside_a_function(sharing)


def test_hiding_the_sender_in_a_shared_network(sharing):
    test_hiding_the_sender(sharing)


def test_hiding_the_sender(boxed):
    """A request whose sender cannot be told is taken for a function's while functions run."""
    got = inside(boxed, """
import os, socket
from urllib.parse import urlsplit
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
base = os.environ["AWS_ENDPOINT_URL"]
host = urlsplit(base).netloc
body = b"Action=CreateUser&UserName=made-inside&Version=2010-05-08"
head = {"Content-Type": "application/x-www-form-urlencoded", "Host": host, "Content-Length": str(len(body))}
req = AWSRequest("POST", base + "/", data=body, headers=head)
SigV4Auth(Credentials("test", "test"), "iam", "us-east-1").add_auth(req)
raw = "POST / HTTP/1.1\\r\\n" + "".join("%s: %s\\r\\n" % kv for kv in req.headers.items()) + "\\r\\n"
for i in range(20):
    s = socket.create_connection(tuple(host.rsplit(":", 1)))
    s.sendall(raw.encode() + body)
    s.close()
# Nor one whose socket is in no process, but on its way from one to another.
result = []
for i in range(20):
    a, b = socket.socketpair()
    s = socket.create_connection(tuple(host.rsplit(":", 1)))
    s.sendall(raw.encode() + body)
    socket.send_fds(a, [b"x"], [s.fileno()])
    s.close()
    s = socket.socket(fileno=socket.recv_fds(b, 1, 1)[1][0])
    result.append(s.recv(4096).split()[1].decode())
""")
    assert set(got) == {"403"}
    inside(boxed, "result = 1")
    users = boxed.iam.list_users()["Users"]
    assert not [u for u in users if u["UserName"] == "made-inside"]


# --- limits -----------------------------------------------------------------------------------------------

def test_limits_without_control_groups(boxed):
    got = inside(boxed, """
import resource
result = {n: resource.getrlimit(getattr(resource, n)) for n in ("RLIMIT_NPROC", "RLIMIT_DATA", "RLIMIT_CORE", "RLIMIT_NOFILE")}
""")
    log = boxed.weir.log_text()
    assert got["RLIMIT_CORE"] == [0, 0] and got["RLIMIT_NOFILE"] == [1024, 1024]
    if "the pids limit of functions is not enforced" in log:
        assert got["RLIMIT_NPROC"] == [1024, 1024]
    if "the memory limit of functions is not enforced" in log:
        assert got["RLIMIT_DATA"] == [(256 + 256) << 20] * 2
        failed = boxed.invoke(boxed.name, {"code": "x = bytearray(1 << 30)"})
        assert failed["FunctionError"] and b"MemoryError" in failed["Payload"].read()


# --- what a host refuses ------------------------------------------------------------------------------------

def serve(prefix, *args, data):
    return subprocess.run([*prefix, find_binary(), "serve", "--listen", "127.0.0.1:0", "--data", data, *args],
                          capture_output=True, text=True, timeout=120, check=False)


def test_a_shared_user_is_incomplete_isolation(tmp_path_factory):
    args = way_args("shared id", tmp_path_factory)
    data = args.get("data_dir") or data_dir()
    done = serve(args.get("prefix", []), "--require-isolation", data=data)
    assert done.returncode == 1
    assert "share Weir's own user id" in done.stderr and "complete isolation is required" in done.stderr
    shutil.rmtree(data, ignore_errors=True)


@pytest.mark.parametrize("way", ["root", "shared id"])
def test_no_namespaces(way, make_weir, tmp_path_factory):
    args = way_args(way, tmp_path_factory)
    plain = [sys.executable, "-c", NO_NAMESPACES]
    prefix = args.get("prefix", [])
    data = args.get("data_dir") or data_dir()
    # setpriv and its like look their command up; the script takes a path.
    full = [*prefix, *plain]
    weir = make_weir(prefix=prefix, data_dir=data)
    stage = Stage(weir)
    name = stage.function(PROBE)
    weir.terminate()

    weir.prefix = full
    weir.start()
    try:
        stage = Stage(weir)
        with pytest.raises(ClientError, match="--allow-unisolated-functions") as e:
            stage.function(PROBE)
        assert e.value.response["Error"]["Code"] == "InvalidParameterValueException"
        with pytest.raises(ClientError, match="--allow-unisolated-functions"):
            stage.invoke(name, {"code": "result = 1"})
        log = weir.log_text()
        assert "functions are refused: this host allows no namespaces" in log
        assert ("root-credentials" in log) == (way == "shared id" or not AS_ROOT)
        weir.terminate()

        weir.args = ["--allow-unisolated-functions"]
        weir.start()
        stage = Stage(weir)
        assert inside(stage, "result = 1", name) == 1
        assert "functions run without namespaces" in weir.log_text()
        got = inside(stage, KEY, name)
        assert got["own"] == "ok" and got["sts"] == "InvalidClientTokenId", got
        victim = stage.function(PROBE)
        api = inside(stage, "import os\nresult = os.environ['AWS_LAMBDA_RUNTIME_API']", victim)
        assert inside(stage, STEAL % api, name) == [403, 403, 403]
        if way == "root" and AS_ROOT:
            closed = inside(stage, f"""
import os
result = []
for path in ({data!r} + "/root-credentials", "/proc/{weir.process.pid}/environ", "/proc/{weir.process.pid}/mem"):
    try:
        result.append(open(path).read(1))
    except OSError as e:
        result.append(type(e).__name__)
try:
    os.kill({weir.process.pid}, 0)
    result.append("killed")
except OSError as e:
    result.append(type(e).__name__)
""", name)
            assert closed == ["PermissionError"] * 4
    finally:
        weir.stop()
        shutil.rmtree(data, ignore_errors=True)


# --- the helper ---------------------------------------------------------------------------------------------

def health(weir):
    try:
        with urllib.request.urlopen(weir.endpoint + "/_weir/health") as r:
            return r.status, json.loads(r.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


def test_helper_is_started_again(boxed):
    for _ in range(2):
        inside(boxed, "result = 1")
        kill_helper(boxed.weir)
        assert inside(boxed, "result = 2") == 2
    log = boxed.weir.log_text()
    assert "the helper process that starts functions ended" in log and "the helper process is back" in log


def test_functions_isolation_after_a_new_helper(boxed):
    """The second helper is a program of its own: what holds for the first must hold for it."""
    kill_helper(boxed.weir)
    test_first_process_is_closed(boxed)
    test_arguments_of_processes(boxed)
    if AS_ROOT:
        test_nothing_is_left_in_the_first_process(boxed)


def test_runtime_api_after_a_new_helper(sharing):
    os.kill(helper(sharing.weir), signal.SIGKILL)
    wait_for(lambda: helper(sharing.weir) and health(sharing.weir)[0] == 200, what="health")
    test_runtime_api_of_another(sharing)


def test_health_without_helper(make_weir, tmp_path):
    """A binary that cannot be executed any more cannot start a helper: health says so until it can."""
    binary = tmp_path / "weir"
    shutil.copy2(find_binary(), binary)
    weir = make_weir(binary=str(binary), env={"WEIR_RUNTIME_DIR": os.path.join(ROOT, "runtime")})
    stage = Stage(weir)
    name = stage.function(PROBE)
    assert health(weir)[0] == 200
    binary.chmod(0)
    os.kill(helper(weir), signal.SIGKILL)
    status, body = wait_for(lambda: (lambda h: h if h[0] != 200 else None)(health(weir)), what="bad health")
    assert status == 503 and body["status"] == "degraded" and "functions" in body["cause"]
    with pytest.raises(ClientError, match="helper process") as e:
        stage.invoke(name, {"code": "result = 1"})
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    binary.chmod(0o755)
    wait_for(lambda: health(weir)[0] == 200, what="health")
    assert inside(stage, "result = 3", name) == 3
