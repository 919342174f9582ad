"""Runs the AWS SDK for JavaScript v3 (tests/node) against a Weir of its own."""
import os
import shutil
import subprocess

import pytest

from test_lambda import Stage
from weirtest import ROOT

FOLDER = os.path.join(ROOT, "tests", "node")


@pytest.fixture(scope="module")
def packages():
    """What the tests import; `tools/deps.sh test` installs it beforehand."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("node and npm are not on this machine")
    done = subprocess.run(["sh", os.path.join(FOLDER, "install.sh")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("file", ["sdk.test.mjs", "messaging.test.mjs"])
def test_javascript_sdk(weir, packages, file):
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    env["WEIR_ENDPOINT"] = weir.endpoint
    env["WEIR_FUNCTION"] = Stage(weir).function()
    done = subprocess.run(["node", "--test", file], cwd=FOLDER, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-6000:]


def test_user_pools(weir, packages):
    idp = weir.client("cognito-idp")
    pool = idp.create_user_pool(PoolName="node")["UserPool"]["Id"]
    client = idp.create_user_pool_client(UserPoolId=pool, ClientName="c", PreventUserExistenceErrors="ENABLED")["UserPoolClient"]["ClientId"]
    idp.sign_up(ClientId=client, Username="ada", Password="Correct-horse-1")
    idp.admin_confirm_sign_up(UserPoolId=pool, Username="ada")
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    env.update(WEIR_ENDPOINT=weir.endpoint, WEIR_POOL=pool, WEIR_CLIENT=client, WEIR_USER="ada", WEIR_PASSWORD="Correct-horse-1")
    done = subprocess.run(["node", "--test", "cognito.test.mjs"], cwd=FOLDER, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-6000:]
