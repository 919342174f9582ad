"""Keys through Terraform's provider: apply, a clean second plan, an update in place, destroy."""
import os
import shutil
import subprocess

import pytest
from test_terraform import HERE, find_provider_mirror


@pytest.fixture
def terraform(weir, tmp_path):
    binary, mirror = shutil.which("terraform"), find_provider_mirror()
    if not binary or not mirror:
        pytest.skip("terraform or its AWS provider is not on this machine")
    rc = tmp_path / "terraformrc"
    rc.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
    shutil.copy(os.path.join(HERE, "terraform", "kms.tf"), tmp_path)
    env = weir.cli_env()
    env.update(TF_CLI_CONFIG_FILE=str(rc), TF_IN_AUTOMATION="1", TF_INPUT="0", CHECKPOINT_DISABLE="1", AWS_REGION=weir.region)

    def run(*args, timeout=240):
        done = subprocess.run([binary, *args, "-no-color"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    run("init")
    return run


def test_keys(weir, terraform):
    changed = ("-var", "description=other", "-var", "rotates=true")
    assert "7 added, 0 changed, 0 destroyed" in terraform("apply", "-auto-approve")
    terraform("plan", "-detailed-exitcode")  # exit 2 would be a difference
    kms = weir.client("kms")
    key = kms.describe_key(KeyId="alias/tf-orders")["KeyMetadata"]["KeyId"]
    assert [g["Constraints"] for g in kms.list_grants(KeyId=key)["Grants"]] == [{"EncryptionContextEquals": {"team": "red"}}]
    assert "0 added, 1 changed, 0 destroyed" in terraform("apply", "-auto-approve", *changed)
    terraform("plan", "-detailed-exitcode", *changed)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert "7 destroyed" in terraform("destroy", "-auto-approve", *changed)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert kms.list_aliases()["Aliases"] == []
