"""The AWS CLI, loaded once: each call is a fork of this process. It is the same program with the same files as
/usr/bin/aws, without the second of processor time that its start takes.

server.py SOCKET: serves until its standard input ends. Beside it, `aws` is the client.
"""
import ast
import os
import select
import signal
import socket
import sys

import awscli.clidriver

SERVICES = ("sts", "iam", "dynamodb", "sns", "sqs", "s3", "events", "kms", "logs", "lambda", "scheduler")


def load():
    """A driver whose session has parsed the models, as the first call of each service would."""
    driver = awscli.clidriver.create_clidriver()
    loader = driver.session.get_component("data_loader")
    for service in SERVICES:
        for kind in ("service-2", "endpoint-rule-set-1", "paginators-1", "waiters-2"):
            try:
                loader.load_service_model(service, kind)
            except Exception:  # noqa: BLE001 not every service has each
                pass
    return driver


def received(peer):
    """(arguments, folder, environment) of the call, and its standard files."""
    head, fds, _, _ = socket.recv_fds(peer, 16, 3)
    size, call = int(head), b""
    while len(call) < size:
        part = peer.recv(size - len(call))
        if not part:
            raise EOFError
        call += part
    return ast.literal_eval(call.decode()), fds


def run(driver, peer):
    (args, folder, env), fds = received(peer)
    for own, fd in enumerate(fds):
        os.dup2(fd, own)
        os.close(fd)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["aws", *args]
    try:
        status = awscli.clidriver.AWSCLIEntryPoint(driver).main(args)
        sys.stdout.flush()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BrokenPipeError:
        status = 255
    peer.sendall(b"%d" % status)


def main():
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(sys.argv[1])
    listener.listen(64)
    driver = load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([0, listener], [], [])
        if 0 in ready and not os.read(0, 1):
            return
        if listener in ready:
            peer, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # the CLI has children, too
                try:
                    run(driver, peer)
                finally:
                    os._exit(0)
            peer.close()


main()
