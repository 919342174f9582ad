"""Keys through Terraform's provider: apply, a clean second plan, an update in place, destroy."""
import pytest
from test_terraform import terraform_of


@pytest.fixture
def terraform(weir, tmp_path):
    run = terraform_of(weir, tmp_path, "kms.tf")
    return lambda *args: run(*args, "-no-color").stdout


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
