"""A Weir for tests: started on a free port with a temporary data directory, driven by unmodified
vendor clients, stopped by process id.

The binary is $WEIR_BIN, or the sanitizer build's, or the release build's. At the end the server must
stop cleanly, and its log must hold no sanitizer report.
"""
import functools
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import boto3
from botocore.config import Config

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))


def find_binary():
    named = os.environ.get("WEIR_BIN")
    if named:
        return named
    for candidate in ("build/asan/weir", "build/weir"):
        path = os.path.join(ROOT, candidate)
        if os.path.exists(path):
            return path
    raise RuntimeError("no weir binary: run make build")


@functools.cache
def find_clis():
    """Every aws on the PATH and in Debian's place, by major version; for tests and fixtures, since asking one for
    its version takes a second of processor time, in every process that collects."""
    found, asked = {}, set()
    places = os.environ.get("PATH", "").split(":") + ["/usr/bin"]
    for place in places:
        path = os.path.join(place, "aws")
        real = os.path.realpath(path)
        if os.access(path, os.X_OK) and real not in asked:
            asked.add(real)
            done = subprocess.run([path, "--version"], capture_output=True, text=True)
            text = done.stdout + done.stderr
            for major in ("1", "2"):
                if text.startswith(f"aws-cli/{major}.") and major not in found:
                    found[major] = path
    return found


_of_thread = threading.local()


def session():
    """One for each thread, since sessions are not shared between threads: it keeps the services' models, whose
    reading takes most of the time that a client takes to make."""
    if not hasattr(_of_thread, "session"):
        _of_thread.session = boto3.session.Session()
    return _of_thread.session


class Weir:
    """A running server. `stop` ends it by signal and process id and checks its last words; so does the end of a
    `with`, which fixtures use: what fails before their yield must not leave a server behind."""

    region = "us-east-1"
    account = "000000000000"

    def __init__(self, args=(), data_dir=None, env=None, prefix=(), binary=None):
        """`prefix`: a command that becomes `weir` in the end, by exec, such as setpriv."""
        self.own_data = data_dir is None
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="weir-test-")
        self.log_path = os.path.join(tempfile.mkdtemp(prefix="weir-log-"), "log")
        self.args = list(args)
        self.prefix = list(prefix)
        self.binary = binary or find_binary()
        self.env = dict(env or {})
        self.before_stop = []  # functions that end what was started beside it
        self.process = None
        self.port = 0
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.stop()

    def start(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "WEIR_"))}
        env.update({"ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1"})
        env.update(self.env)
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*self.prefix, self.binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.data_dir, *self.args],
            stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL, env=env)
        line = self._first_line(60)
        match = re.match(r"listening on (https?)://(\S+):(\d+)", line)
        if not match:
            self.process.kill()
            self.process.wait()
        assert match, f"weir did not start: {line!r}\n{self.log_text()[-4000:]}"
        self.port = int(match.group(3))
        self.endpoint = f"{match.group(1)}://{match.group(2)}:{self.port}"

    def _first_line(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        return self.process.stdout.readline().decode() if ready else ""

    def log_text(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def kill9(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        text = self.log_text()
        assert "runtime error:" not in text and "AddressSanitizer" not in text, text[-6000:]
        assert code == 0, f"exit {code}\n{text[-4000:]}"

    def restart(self):
        """Clean stop and start on the same port and data."""
        self.terminate()
        self.start()

    def stop(self):
        while self.before_stop:
            self.before_stop.pop()()
        try:
            if self.process.poll() is None:
                self.terminate()
            else:
                text = self.log_text()
                assert self.process.returncode in (0, -9), f"weir died: {self.process.returncode}\n{text[-6000:]}"
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.log.close()
            if self.own_data:
                shutil.rmtree(self.data_dir, ignore_errors=True)

    def _args(self, key, secret, token, config):
        # The server's checks are under test, not the client's.
        base = Config(parameter_validation=False, retries={"max_attempts": 1, "mode": "standard"}, s3={"addressing_style": "path"},
                      read_timeout=120, connect_timeout=5)
        return dict(endpoint_url=self.endpoint, region_name=self.region, aws_access_key_id=key,
                    aws_secret_access_key=secret, aws_session_token=token,
                    config=base.merge(config) if config else base)

    def client(self, service, key="test", secret="test", token=None, config=None, region=None):
        args = self._args(key, secret, token, config)
        if region:
            args["region_name"] = region
        return session().client(service, **args)

    def resource(self, service, key="test", secret="test", token=None, config=None):
        return session().resource(service, **self._args(key, secret, token, config))

    def cli_env(self):
        """Environment for the AWS CLI."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        env.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=self.region,
                   AWS_ENDPOINT_URL=self.endpoint, AWS_PAGER="", AWS_EC2_METADATA_DISABLED="true",
                   AWS_CONFIG_FILE="/nonexistent", AWS_SHARED_CREDENTIALS_FILE="/nonexistent")
        return env

    def script_env(self):
        """The same for a script that calls the AWS CLI dozens of times: `aws` is one that is loaded already."""
        global awscli
        awscli = awscli or LoadedCli()
        env = self.cli_env()
        env.update(PATH=f"{LoadedCli.HERE}:{env['PATH']}", AWSCLI_SOCKET=awscli.socket,
                   WEIR_BUILD=os.environ.get("WEIR_BUILD", os.path.join(ROOT, "build")))
        return env


class LoadedCli:
    """The AWS CLI's process that forks for each call (awscli/server.py); ends with this one."""

    HERE = os.path.join(ROOT, "tests", "awscli")

    def __init__(self):
        self.socket = os.path.join(tempfile.mkdtemp(prefix="weir-aws-"), "socket")
        self.process = subprocess.Popen(["/usr/bin/python3", os.path.join(self.HERE, "server.py"), self.socket],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"


awscli = None


def wait_for(condition, seconds=30, what="condition"):
    """Polls `condition` until it gives something true; for effects that a client can only poll."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"no {what} after {seconds} s"
        time.sleep(0.05)
