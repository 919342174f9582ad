"""Peers that take and do not give: stalled requests, idle connections, bodies that never end. What they
hold is bounded, and others are served meanwhile."""
import os
import select
import socket
import stat
import subprocess
import urllib.parse

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from weirtest import find_binary

STALLED = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.ListQueues\r\n" \
          b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n{"


def stall(weir, n, length=100):
    found = []
    for _ in range(n):
        found.append(socket.create_connection(("127.0.0.1", weir.port)))
        found[-1].sendall(STALLED % length)
    return found


def test_stalled_bodies_are_no_running_calls(make_weir):
    weir = make_weir(args=["--calls-max", "5"])
    stalled = stall(weir, 50)
    assert weir.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    for one in stalled:
        one.close()


def test_stalled_strangers_give_way(make_weir):
    weir = make_weir(args=["--connections-max", "40"])
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    stalled = stall(weir, 100)
    for i in range(3):
        weir.client("sqs").send_message(QueueUrl=url, MessageBody=str(i))
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) > 0
    for one in stalled:
        one.close()


def assert_some_refused(stalled):
    """Nine bodies of 16 MiB do not fit into 128 MiB: one is refused, or two that reach the limit at once."""
    refused, _, _ = select.select(stalled, [], [], 30)
    assert 1 <= len(refused) <= 2
    assert all(one.recv(100).startswith(b"HTTP/1.1 503 ") for one in refused)


def test_bodies_of_strangers_have_their_own_budget(make_weir):
    """128 MiB of them; beyond that they are refused, and who is known is not."""
    weir = make_weir()
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    length = 16 * 1024 * 1024
    block = b" " * (length - 2)
    stalled = stall(weir, 9, length)
    for one in stalled:
        try:
            one.sendall(block)
        except OSError:
            pass
    assert_some_refused(stalled)
    body = "x" * 200000
    sqs.send_message(QueueUrl=url, MessageBody=body)
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == body
    for one in stalled:
        one.close()


class Unsigned(S3SigV4Auth):
    def payload(self, request):
        return "UNSIGNED-PAYLOAD"


def test_a_signed_head_does_not_vouch_for_an_unsigned_body(make_weir):
    """Whoever has such a head, as a presigned URL is, may send anything behind it: the budget is that of strangers."""
    weir = make_weir()
    length = 16 * 1024 * 1024
    r = AWSRequest(method="POST", url=f"{weir.endpoint}/a-bucket?delete")
    Unsigned(Credentials("test", "test"), "s3", "us-east-1").add_auth(r)
    head = "".join(f"{k}: {v}\r\n" for k, v in r.headers.items())
    text = f"POST /a-bucket?delete HTTP/1.1\r\nHost: {urllib.parse.urlsplit(weir.endpoint).netloc}\r\n{head}" \
           f"Content-Length: {length}\r\n\r\n"
    stalled = []
    for _ in range(9):
        stalled.append(socket.create_connection(("127.0.0.1", weir.port)))
        try:
            stalled[-1].sendall(text.encode() + b" " * (length - 1))
        except OSError:
            pass
    assert_some_refused(stalled)
    for one in stalled:
        one.close()


@pytest.fixture
def limited(tmp_path, monkeypatch):
    """Sets the hard limit of open files for servers started after it."""
    real = find_binary()

    def set_limit(n):
        script = tmp_path / "weir"
        script.write_text(f'#!/bin/sh\nulimit -n {n} || exit 9\nexec "{real}" "$@"\n')
        script.chmod(stat.S_IRWXU)
        monkeypatch.setenv("WEIR_BIN", str(script))
    return set_limit


def test_connections_leave_files_for_the_store(make_weir, limited):
    limited(512)
    weir = make_weir()
    assert "room for 64 connections" in weir.log_text()
    sqs = weir.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    idle = [socket.create_connection(("127.0.0.1", weir.port)) for _ in range(600)]
    s3 = weir.client("s3")
    s3.create_bucket(Bucket="files")
    for i in range(20):
        sqs.send_message(QueueUrl=url, MessageBody=str(i))
        s3.put_object(Bucket="files", Key=str(i), Body=os.urandom(300000))
    for one in idle:
        one.close()
    weir.restart()
    assert weir.client("s3").list_objects_v2(Bucket="files")["KeyCount"] == 20


def test_too_few_files(limited, tmp_path):
    limited(400)
    done = subprocess.run([find_binary(), "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "d")],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "open files" in done.stderr
