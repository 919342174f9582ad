"""Runs the AWS SDK for JavaScript v3 (tests/node) against a Weir of its own."""
import os
import shutil
import subprocess

import pytest

from test_lambda import Stage
from weirtest import ROOT

FOLDER = os.path.join(ROOT, "tests", "node")


def test_javascript_sdk(weir, tmp_path):
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("node and npm are not on this machine")
    if not os.path.isdir(os.path.join(FOLDER, "node_modules", "@aws-sdk", "client-s3")):
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    env["WEIR_ENDPOINT"] = weir.endpoint
    env["WEIR_FUNCTION"] = Stage(weir).function()
    done = subprocess.run(["node", "--test", "sdk.test.mjs"], cwd=FOLDER, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-6000:]
