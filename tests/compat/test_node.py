"""Runs the AWS SDK for JavaScript v3 (tests/node) against a Weir of its own."""
import io
import json
import os
import shutil
import subprocess
import zipfile

import pytest

from test_cognito import Pool, claims
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


VERIFIER = """
import { CognitoJwtVerifier } from "aws-jwt-verify";
const { POOL, CLIENT } = process.env;
export const handler = async ({ token, tokenUse }) => {
  const verifier = CognitoJwtVerifier.create({ userPoolId: POOL, clientId: CLIENT, tokenUse });
  try {
    return { sub: (await verifier.verify(token)).sub };
  } catch (e) {
    return { refused: e.name };
  }
};
"""


def test_tokens_are_verified_in_a_function(weir, packages):
    """The pool's keys are fetched from the host that the tokens name as their issuer: there it is Weir."""
    stage, pool = Stage(weir), Pool(weir)
    tokens = pool.tokens(pool.user())
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as z:
        z.writestr("app.mjs", VERIFIER)
        base = os.path.join(FOLDER, "node_modules")
        for folder, _, files in os.walk(os.path.join(base, "aws-jwt-verify")):
            for name in files:
                if name.endswith((".js", ".json")):
                    path = os.path.join(folder, name)
                    z.write(path, os.path.join("node_modules", os.path.relpath(path, base)))
    listed = subprocess.run([weir.binary, "runtime", "list"], capture_output=True, text=True, check=True).stdout
    node = next((line.split()[0] for line in listed.splitlines() if line.startswith(("nodejs18", "nodejs2"))), None)
    if not node:
        pytest.skip("no Node.js that functions may use")
    name = stage.function(Runtime=node, Code={"ZipFile": package.getvalue()}, Timeout=60, MemorySize=512,
                          Environment={"Variables": {"POOL": pool.id, "CLIENT": pool.client_id}})

    def verified(token, use):
        return json.load(stage.invoke(name, {"token": token, "tokenUse": use})["Payload"])

    sub = claims(tokens["IdToken"])["sub"]
    assert verified(tokens["IdToken"], "id") == {"sub": sub} == verified(tokens["AccessToken"], "access")
    assert "refused" in verified(tokens["AccessToken"], "id")
    assert "refused" in verified(tokens["IdToken"][:-8] + "AAAAAAAA", "id")
