"""User pools through HashiCorp's own provider: apply, a clean second plan, a change, destroy."""
import json

from test_terraform import terraform_of


def test_user_pool(weir, tmp_path):
    terraform = terraform_of(weir, tmp_path, "cognito", "")
    out = terraform("apply", "-auto-approve", "-no-color")
    assert "8 added, 0 changed, 0 destroyed" in out.stdout
    terraform("plan", "-detailed-exitcode", "-no-color")  # exit 2 would be a difference

    client = json.loads(terraform("output", "-json").stdout)["client"]["value"]
    idp = weir.client("cognito-idp")
    got = idp.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ada@example.com", "PASSWORD": "correct-horse-1"})
    assert got["AuthenticationResult"]["ExpiresIn"] == 1800

    out = terraform("apply", "-auto-approve", "-no-color", "-var", "length=12")
    assert "0 added, 1 changed, 0 destroyed" in out.stdout
    out = terraform("destroy", "-auto-approve", "-no-color")
    assert "8 destroyed" in out.stdout
    assert idp.list_user_pools(MaxResults=10)["UserPools"] == []
