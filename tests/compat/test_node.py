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
