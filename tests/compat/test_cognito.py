"""Cognito user pools through boto3."""
import base64
import hashlib
import hmac
import json
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import pytest
from test_constraints import Service
from test_events import code, message

PASSWORD = "Correct-horse-1"
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_CUSTOM_AUTH"]


@pytest.fixture(scope="module")
def cognito(weir):
    return weir.client("cognito-idp")


def letters(weir, to):
    """What was sent to an address, the newest first."""
    with urllib.request.urlopen(f"{weir.endpoint}/_weir/sns/mail") as reply:
        return [m for m in json.load(reply)["messages"] if m["to"] == to]


def code_for(weir, to):
    return letters(weir, to)[0]["body"].rstrip(".").split()[-1]


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def totp(secret, step=None):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 if step is None else step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 10**6:06d}"


class Pool:
    """A user pool with a client."""

    def __init__(self, weir, flows=FLOWS, client=None, **settings):
        self.weir = weir
        self.idp = weir.client("cognito-idp")
        settings = {"PoolName": "p", "AutoVerifiedAttributes": ["email"], **settings}
        self.pool = self.idp.create_user_pool(**settings)["UserPool"]
        self.id = self.pool["Id"]
        self.client = self.idp.create_user_pool_client(UserPoolId=self.id, ClientName="c", ExplicitAuthFlows=flows, **(client or {}))["UserPoolClient"]
        self.client_id = self.client["ClientId"]

    def hash(self, username):
        mac = hmac.new(self.client["ClientSecret"].encode(), (username + self.client_id).encode(), hashlib.sha256)
        return base64.b64encode(mac.digest()).decode()

    def sign_up(self, username, password=PASSWORD, **attributes):
        return self.idp.sign_up(ClientId=self.client_id, Username=username, Password=password,
                                UserAttributes=[{"Name": k.replace("custom_", "custom:"), "Value": v} for k, v in attributes.items()])

    def user(self, username=None, password=PASSWORD, **attributes):
        """A confirmed one."""
        username = username or "u-" + uuid.uuid4().hex[:8]
        self.sign_up(username, password, **attributes)
        self.idp.admin_confirm_sign_up(UserPoolId=self.id, Username=username)
        return username

    def log_in(self, username, password=PASSWORD, **more):
        return self.idp.initiate_auth(ClientId=self.client_id, AuthFlow="USER_PASSWORD_AUTH",
                                      AuthParameters={"USERNAME": username, "PASSWORD": password, **more})

    def tokens(self, username, password=PASSWORD):
        return self.log_in(username, password)["AuthenticationResult"]


@pytest.fixture(scope="module")
def pool(weir):
    return Pool(weir, Schema=[{"Name": "level", "AttributeDataType": "Number", "Mutable": True,
                               "NumberAttributeConstraints": {"MinValue": "1", "MaxValue": "9"}},
                              {"Name": "birth", "AttributeDataType": "String", "Mutable": False}])


# --- signing up and in ------------------------------------------------------------------------------


def test_sign_up_and_in(weir, pool):
    idp = pool.idp
    made = pool.sign_up("ada", email="ada@example.com")
    assert made["UserConfirmed"] is False and made["CodeDeliveryDetails"] == {
        "Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    assert code(pool.log_in, username="ada") == "UserNotConfirmedException"
    assert code(pool.log_in, username="ada", password="Wrong-horse-1") == "NotAuthorizedException"
    letter = letters(weir, "ada@example.com")[0]
    assert letter["source"] == pool.pool["Arn"] and letter["subject"] == "Your verification code"
    text = code_for(weir, "ada@example.com")
    wrong = "000000" if text != "000000" else "000001"
    confirm = dict(ClientId=pool.client_id, Username="ada")
    assert code(idp.confirm_sign_up, ConfirmationCode=wrong, **confirm) == "CodeMismatchException"
    idp.confirm_sign_up(ConfirmationCode=text, **confirm)
    assert code(idp.confirm_sign_up, ConfirmationCode=text, **confirm) == "NotAuthorizedException"
    got = pool.tokens("ada")
    assert got["TokenType"] == "Bearer" and got["ExpiresIn"] == 3600 and got["RefreshToken"]
    ids, access = claims(got["IdToken"]), claims(got["AccessToken"])
    assert ids["sub"] == made["UserSub"] == access["sub"] and ids["cognito:username"] == access["username"] == "ada"
    assert ids["iss"] == access["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    assert ids["aud"] == access["client_id"] == pool.client_id and ids["token_use"] == "id" and access["token_use"] == "access"
    assert ids["email"] == "ada@example.com" and ids["email_verified"] is True
    assert access["scope"] == "aws.cognito.signin.user.admin" and ids["origin_jti"] == access["origin_jti"]
    assert ids["exp"] - ids["iat"] == 3600 and ids["jti"] != access["jti"]
    user = idp.get_user(AccessToken=got["AccessToken"])
    assert user["Username"] == "ada" and {"Name": "email_verified", "Value": "true"} in user["UserAttributes"]
    assert code(idp.sign_up, ClientId=pool.client_id, Username="ada", Password=PASSWORD) == "UsernameExistsException"


def test_many_wrong_codes(weir, pool):
    pool.sign_up("bert", email="bert@example.com")
    text = code_for(weir, "bert@example.com")
    wrong = "000000" if text != "000000" else "000001"
    confirm = dict(ClientId=pool.client_id, Username="bert")
    for _ in range(5):
        assert code(pool.idp.confirm_sign_up, ConfirmationCode=wrong, **confirm) == "CodeMismatchException"
    assert code(pool.idp.confirm_sign_up, ConfirmationCode=text, **confirm) == "LimitExceededException"
    pool.idp.resend_confirmation_code(**confirm)
    pool.idp.confirm_sign_up(ConfirmationCode=code_for(weir, "bert@example.com"), **confirm)
    assert code(pool.idp.resend_confirmation_code, **confirm) == "InvalidParameterException"


def test_keys(weir, pool):
    pool.user("kay")
    tokens = pool.tokens("kay")
    token = tokens["IdToken"]
    headers = [json.loads(base64.urlsafe_b64decode(tokens[t].split(".")[0] + "==")) for t in ("IdToken", "AccessToken")]
    assert all(set(h) == {"kid", "alg"} and h["alg"] == "RS256" for h in headers) and headers[0]["kid"] != headers[1]["kid"]
    with urllib.request.urlopen(f"{weir.endpoint}/{pool.id}/.well-known/jwks.json") as reply:
        keys = json.load(reply)["keys"]
    assert [k["kid"] for k in keys] == [h["kid"] for h in headers] and all(k["kty"] == "RSA" and k["use"] == "sig" for k in keys)
    assert pool.idp.get_user(AccessToken=tokens["AccessToken"])["Username"] == "kay"
    host = urllib.request.Request(f"{weir.endpoint}/{pool.id}/.well-known/openid-configuration",
                                  headers={"Host": "cognito-idp.us-east-1.amazonaws.com"})
    with urllib.request.urlopen(host) as reply:
        found = json.load(reply)
    assert found["issuer"] == claims(token)["iss"] and found["jwks_uri"] == found["issuer"] + "/.well-known/jwks.json"
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(f"{weir.endpoint}/us-east-1_absent/.well-known/jwks.json")
    assert e.value.code == 400 and b"ResourceNotFoundException" in e.value.read()


def test_lockout(pool):
    pool.user("lock")
    for _ in range(5):
        assert message(pool.log_in, username="lock", password="Wrong-horse-1") == "Incorrect username or password."
    assert message(pool.log_in, username="lock") == "Password attempts exceeded"
    pool.idp.admin_set_user_password(UserPoolId=pool.id, Username="lock", Password=PASSWORD, Permanent=True)
    assert pool.tokens("lock")["AccessToken"]


def test_existence(weir):
    told, hidden = Pool(weir), Pool(weir, client={"PreventUserExistenceErrors": "ENABLED"})
    assert code(told.log_in, username="nobody") == "UserNotFoundException"
    assert message(hidden.log_in, username="nobody") == "Incorrect username or password."
    assert code(told.idp.forgot_password, ClientId=told.client_id, Username="nobody") == "UserNotFoundException"
    for send in (hidden.idp.forgot_password, hidden.idp.resend_confirmation_code):
        assert send(ClientId=hidden.client_id, Username="nobody")["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    assert code(hidden.idp.confirm_sign_up, ClientId=hidden.client_id, Username="nobody", ConfirmationCode="1") == "ExpiredCodeException"


def test_secret_hash(weir):
    pool = Pool(weir, client={"GenerateSecret": True})
    sign_up = dict(ClientId=pool.client_id, Username="sam", Password=PASSWORD)
    assert "SECRET_HASH was not received" in message(pool.idp.sign_up, **sign_up)
    assert "Unable to verify secret hash" in message(pool.idp.sign_up, SecretHash=pool.hash("max"), **sign_up)
    pool.idp.sign_up(SecretHash=pool.hash("sam"), **sign_up)
    pool.idp.admin_confirm_sign_up(UserPoolId=pool.id, Username="sam")
    got = pool.log_in("sam", SECRET_HASH=pool.hash("sam"))["AuthenticationResult"]
    again = pool.idp.initiate_auth(ClientId=pool.client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={
        "REFRESH_TOKEN": got["RefreshToken"], "SECRET_HASH": pool.hash("sam")})["AuthenticationResult"]
    assert claims(again["AccessToken"])["origin_jti"] == claims(got["AccessToken"])["origin_jti"] and "RefreshToken" not in again
    assert code(pool.idp.revoke_token, Token=got["RefreshToken"], ClientId=pool.client_id) == "NotAuthorizedException"
    pool.idp.revoke_token(Token=got["RefreshToken"], ClientId=pool.client_id, ClientSecret=pool.client["ClientSecret"])
    assert message(pool.idp.initiate_auth, ClientId=pool.client_id, AuthFlow="REFRESH_TOKEN", AuthParameters={
        "REFRESH_TOKEN": got["RefreshToken"], "SECRET_HASH": pool.hash("sam")}) == "Refresh Token has been revoked"
    assert message(pool.idp.get_user, AccessToken=again["AccessToken"]) == "Access Token has been revoked"
    assert code(pool.idp.revoke_token, Token=again["AccessToken"], ClientId=pool.client_id,
                ClientSecret=pool.client["ClientSecret"]) == "UnsupportedTokenTypeException"


def test_refresh_token(weir, pool):
    pool.user("ref")
    got = pool.tokens("ref")
    status, body, _ = Service("cognito").send(weir, "GetTokensFromRefreshToken", {"RefreshToken": got["RefreshToken"], "ClientId": pool.client_id})
    assert status == 200 and json.loads(body)["AuthenticationResult"]["IdToken"]
    refresh = dict(ClientId=pool.client_id, AuthFlow="REFRESH_TOKEN_AUTH")
    assert message(pool.idp.initiate_auth, AuthParameters={"REFRESH_TOKEN": "bm9uZQ"}, **refresh) == "Invalid Refresh Token."
    pool.idp.admin_user_global_sign_out(UserPoolId=pool.id, Username="ref")
    assert message(pool.idp.initiate_auth, AuthParameters={"REFRESH_TOKEN": got["RefreshToken"]}, **refresh) == "Refresh Token has been revoked"
    got = pool.tokens("ref")
    pool.idp.global_sign_out(AccessToken=got["AccessToken"])
    assert message(pool.idp.get_user, AccessToken=got["AccessToken"]) == "Access Token has been revoked"
    assert code(pool.idp.get_user, AccessToken=got["IdToken"]) == "NotAuthorizedException"
    assert code(pool.idp.get_user, AccessToken=got["AccessToken"][:-4] + "AAAA") == "NotAuthorizedException"
    head, body, _ = got["AccessToken"].split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    assert code(pool.idp.get_user, AccessToken=f"{none}.{body}.") == "NotAuthorizedException"


def test_flows_not_enabled(weir):
    pool = Pool(weir, flows=["ALLOW_REFRESH_TOKEN_AUTH"])
    assert message(pool.log_in, username="x") == "USER_PASSWORD_AUTH flow not enabled for this client"
    assert code(pool.idp.initiate_auth, ClientId=pool.client_id, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters={}) == "InvalidParameterException"
    assert code(pool.idp.initiate_auth, ClientId="absent", AuthFlow="USER_PASSWORD_AUTH", AuthParameters={}) == "ResourceNotFoundException"


# --- administrators ---------------------------------------------------------------------------------


def test_admin_create_user(weir, pool):
    idp = pool.idp
    made = idp.admin_create_user(UserPoolId=pool.id, Username="new", UserAttributes=[
        {"Name": "email", "Value": "new@example.com"}, {"Name": "email_verified", "Value": "true"}])["User"]
    assert made["UserStatus"] == "FORCE_CHANGE_PASSWORD" and made["Enabled"] is True
    body = letters(weir, "new@example.com")[0]["body"]
    assert body.startswith("Your username is new and temporary password is ")
    temporary = body.split(" is ")[-1][:-1]
    asked = pool.log_in("new", temporary)
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED" and asked["ChallengeParameters"]["requiredAttributes"] == "[]"
    assert json.loads(asked["ChallengeParameters"]["userAttributes"])["email"] == "new@example.com"
    answer = dict(ClientId=pool.client_id, ChallengeName="NEW_PASSWORD_REQUIRED", Session=asked["Session"])
    assert code(idp.respond_to_auth_challenge, ChallengeResponses={"USERNAME": "new", "NEW_PASSWORD": "short"}, **answer) == "InvalidPasswordException"
    got = idp.respond_to_auth_challenge(ChallengeResponses={"USERNAME": "new", "NEW_PASSWORD": PASSWORD}, **answer)
    assert got["AuthenticationResult"]["AccessToken"]
    assert code(idp.respond_to_auth_challenge, ChallengeResponses={"USERNAME": "new", "NEW_PASSWORD": PASSWORD}, **answer) == "NotAuthorizedException"
    assert idp.admin_get_user(UserPoolId=pool.id, Username="new")["UserStatus"] == "CONFIRMED"
    assert code(idp.admin_create_user, UserPoolId=pool.id, Username="new", MessageAction="RESEND") == "UnsupportedUserStateException"
    assert code(idp.admin_create_user, UserPoolId=pool.id, Username="new", MessageAction="SUPPRESS") == "UsernameExistsException"


def test_admin_auth_and_disabling(pool):
    name = pool.user()
    admin = dict(UserPoolId=pool.id, ClientId=pool.client_id, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                 AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD})
    got = pool.idp.admin_initiate_auth(**admin)["AuthenticationResult"]
    pool.idp.admin_disable_user(UserPoolId=pool.id, Username=name)
    assert message(pool.idp.admin_initiate_auth, **admin) == "User is disabled."
    assert code(pool.idp.get_user, AccessToken=got["AccessToken"]) == "NotAuthorizedException"
    pool.idp.admin_enable_user(UserPoolId=pool.id, Username=name)
    assert pool.idp.admin_initiate_auth(**admin)["AuthenticationResult"]
    pool.idp.admin_delete_user(UserPoolId=pool.id, Username=name)
    assert code(pool.idp.admin_get_user, UserPoolId=pool.id, Username=name) == "UserNotFoundException"
    assert code(pool.idp.admin_delete_user, UserPoolId=pool.id, Username=name) == "UserNotFoundException"


def test_passwords(weir, pool):
    idp = pool.idp
    name = pool.user(email="forgot@example.com")
    idp.admin_update_user_attributes(UserPoolId=pool.id, Username=name, UserAttributes=[{"Name": "email_verified", "Value": "true"}])
    forgot = dict(ClientId=pool.client_id, Username=name)
    assert idp.forgot_password(**forgot)["CodeDeliveryDetails"]["Destination"] == "f***@e***"
    text = code_for(weir, "forgot@example.com")
    assert code(idp.confirm_forgot_password, ConfirmationCode=text, Password="weak", **forgot) == "InvalidPasswordException"
    wrong = "000000" if text != "000000" else "000001"
    assert code(idp.confirm_forgot_password, ConfirmationCode=wrong, Password=PASSWORD, **forgot) == "CodeMismatchException"
    idp.confirm_forgot_password(ConfirmationCode=text, Password="Another-horse-2", **forgot)
    assert code(idp.confirm_forgot_password, ConfirmationCode=text, Password="Another-horse-2", **forgot) == "ExpiredCodeException"
    assert code(pool.log_in, username=name) == "NotAuthorizedException"
    token = pool.tokens(name, "Another-horse-2")["AccessToken"]
    assert code(idp.change_password, AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword="Third-horse-3") == "NotAuthorizedException"
    idp.change_password(AccessToken=token, PreviousPassword="Another-horse-2", ProposedPassword="Third-horse-3")
    assert pool.tokens(name, "Third-horse-3")
    idp.admin_reset_user_password(UserPoolId=pool.id, Username=name)
    assert code(pool.log_in, username=name, password="Third-horse-3") == "PasswordResetRequiredException"
    idp.admin_set_user_password(UserPoolId=pool.id, Username=name, Password="Fourth-horse-4", Permanent=False)
    assert pool.log_in(name, "Fourth-horse-4")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    unverified = pool.user(email="no@example.com")
    assert code(idp.forgot_password, ClientId=pool.client_id, Username=unverified) == "InvalidParameterException"


@pytest.mark.parametrize("password, why", [("Sh0rt-", "not long enough"), ("no-capital-1", "uppercase"), ("NO-SMALL-1", "lowercase"),
                                           ("No-digit-x", "numeric"), ("NoSymbol11", "symbol")])
def test_password_policy(pool, password, why):
    assert why in message(pool.sign_up, username="policy", password=password)


# --- attributes -------------------------------------------------------------------------------------


def test_attributes(weir, pool):
    idp = pool.idp
    name = pool.user(email="attr@example.com", custom_level="3", custom_birth="1815-12-10")
    token = pool.tokens(name)["AccessToken"]
    update = lambda **kw: idp.update_user_attributes(  # noqa: E731
        AccessToken=token, UserAttributes=[{"Name": k.replace("custom_", "custom:"), "Value": v} for k, v in kw.items()])
    sent = update(custom_level="9", email="attr2@example.com")["CodeDeliveryDetailsList"]
    assert sent == [{"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}]
    got = {a["Name"]: a["Value"] for a in idp.get_user(AccessToken=token)["UserAttributes"]}
    assert got["custom:level"] == "9" and got["email"] == "attr2@example.com" and got["email_verified"] == "false"
    idp.verify_user_attribute(AccessToken=token, AttributeName="email", Code=code_for(weir, "attr2@example.com"))
    assert idp.get_user_attribute_verification_code(AccessToken=token, AttributeName="email")["CodeDeliveryDetails"]
    assert code(idp.verify_user_attribute, AccessToken=token, AttributeName="email", Code="x") == "CodeMismatchException"
    got = {a["Name"]: a["Value"] for a in idp.get_user(AccessToken=token)["UserAttributes"]}
    assert got["email_verified"] == "true"
    for bad in [{"custom_level": "10"}, {"custom_level": "x"}, {"custom_birth": "y"}, {"custom_none": "1"}, {"email": "nobody"},
                {"phone_number": "123"}, {"sub": "x"}, {"birthdate": "1815"}]:
        assert code(update, **bad) == "InvalidParameterException", bad
    assert code(update, email_verified="true") == "NotAuthorizedException"
    idp.delete_user_attributes(AccessToken=token, UserAttributeNames=["custom:level"])
    idp.admin_delete_user_attributes(UserPoolId=pool.id, Username=name, UserAttributeNames=["email"])
    got = {a["Name"] for a in idp.admin_get_user(UserPoolId=pool.id, Username=name)["UserAttributes"]}
    assert got == {"sub", "custom:birth"}
    assert code(idp.admin_delete_user_attributes, UserPoolId=pool.id, Username=name, UserAttributeNames=["sub"]) == "InvalidParameterException"
    idp.delete_user(AccessToken=token)
    assert code(idp.get_user, AccessToken=token) == "UserNotFoundException"


def test_schema(weir):
    pool = Pool(weir, Schema=[{"Name": "given_name", "Required": True}])
    assert code(pool.sign_up, username="x") == "InvalidParameterException"
    pool.sign_up("x", given_name="X")
    idp = pool.idp
    add = lambda **kw: idp.add_custom_attributes(UserPoolId=pool.id, CustomAttributes=[kw])  # noqa: E731
    add(Name="plan", AttributeDataType="String")
    assert code(add, Name="plan", AttributeDataType="String") == "InvalidParameterException"
    assert code(add, Name="r", AttributeDataType="String", Required=True) == "InvalidParameterException"
    shown = {a["Name"]: a for a in idp.describe_user_pool(UserPoolId=pool.id)["UserPool"]["SchemaAttributes"]}
    assert shown["given_name"]["Required"] is True and shown["custom:plan"]["Mutable"] is True and shown["sub"]["Mutable"] is False
    pool.sign_up("y", given_name="Y", custom_plan="gold")
    assert code(idp.create_user_pool, PoolName="p", Schema=[{"Name": "email", "AttributeDataType": "Number"}]) == "InvalidParameterException"


def test_names(weir):
    by_email = Pool(weir, UsernameAttributes=["email"], UsernameConfiguration={"CaseSensitive": False})
    made = by_email.sign_up("Eve@example.com")
    by_email.idp.admin_confirm_sign_up(UserPoolId=by_email.id, Username="eve@example.com")
    assert claims(by_email.tokens("EVE@example.com")["IdToken"])["cognito:username"] == made["UserSub"]
    assert code(by_email.sign_up, username="eve@EXAMPLE.com") == "UsernameExistsException"
    assert code(by_email.sign_up, username="eve") == "InvalidParameterException"
    assert by_email.idp.admin_get_user(UserPoolId=by_email.id, Username=made["UserSub"])["Username"] == made["UserSub"]
    alias = Pool(weir, AliasAttributes=["email", "preferred_username"])
    alias.user("one", email="al@example.com")
    assert code(alias.log_in, username="al@example.com") == "UserNotFoundException"  # not verified
    verify = lambda name: alias.idp.admin_update_user_attributes(UserPoolId=alias.id, Username=name, UserAttributes=[  # noqa: E731
        {"Name": "email", "Value": "al@example.com"}, {"Name": "email_verified", "Value": "true"}])
    verify("one")
    assert alias.tokens("al@example.com")
    alias.user("two")
    assert code(verify, name="two") == "AliasExistsException"
    alias.idp.admin_update_user_attributes(UserPoolId=alias.id, Username="two", UserAttributes=[{"Name": "preferred_username", "Value": "deux"}])
    assert alias.tokens("deux")
    assert code(alias.sign_up, username="al3@example.com") == "InvalidParameterException"


# --- lists and groups -------------------------------------------------------------------------------


def test_list_users(weir):
    pool = Pool(weir)
    for i in range(5):
        pool.idp.admin_create_user(UserPoolId=pool.id, Username=f"user{i}", MessageAction="SUPPRESS", TemporaryPassword=PASSWORD,
                                   UserAttributes=[{"Name": "email", "Value": f"e{i}@example.com"}])
    names = lambda **kw: [u["Username"] for u in pool.idp.list_users(UserPoolId=pool.id, **kw)["Users"]]  # noqa: E731
    assert names() == [f"user{i}" for i in range(5)]
    assert names(Filter='username = "user3"') == ["user3"] and names(Filter='username ^= "user"') == names()
    assert names(Filter='email = "e2@example.com"') == ["user2"] and names(Filter='email ^= "e"') == names()
    assert names(Filter='cognito:user_status = "CONFIRMED"') == [] and names(Filter='status = "Enabled"') == names()
    for bad in ["email", 'mail = "x"', 'email = x', 'email = "x']:
        assert code(names, Filter=bad) == "InvalidParameterException", bad
    page = pool.idp.list_users(UserPoolId=pool.id, Limit=2, AttributesToGet=["email"])
    assert [u["Attributes"] for u in page["Users"]] == [[{"Name": "email", "Value": f"e{i}@example.com"}] for i in range(2)]
    assert names(Limit=3, PaginationToken=page["PaginationToken"]) == ["user2", "user3", "user4"]
    rest = pool.idp.list_users(UserPoolId=pool.id, Limit=2, PaginationToken=page["PaginationToken"])
    assert [u["Username"] for u in rest["Users"]] == ["user2", "user3"]
    assert code(pool.idp.list_users, UserPoolId=pool.id, PaginationToken="bad") == "InvalidParameterException"
    assert pool.idp.describe_user_pool(UserPoolId=pool.id)["UserPool"]["EstimatedNumberOfUsers"] == 5


def test_groups(pool):
    idp = pool.idp
    name = pool.user()
    group = dict(UserPoolId=pool.id, GroupName="admins")
    made = idp.create_group(Description="d", Precedence=1, RoleArn="arn:aws:iam::000000000000:role/r", **group)["Group"]
    assert made["Precedence"] == 1 and made["Description"] == "d"
    assert code(idp.create_group, **group) == "GroupExistsException"
    idp.create_group(UserPoolId=pool.id, GroupName="readers")
    assert idp.update_group(Precedence=5, **group)["Group"]["Precedence"] == 5 and idp.get_group(**group)["Group"]["Precedence"] == 5
    for g in ("readers", "admins"):
        idp.admin_add_user_to_group(UserPoolId=pool.id, GroupName=g, Username=name)
    ids = claims(pool.tokens(name)["IdToken"])
    assert ids["cognito:groups"] == ["admins", "readers"]
    assert ids["cognito:roles"] == ["arn:aws:iam::000000000000:role/r"] and ids["cognito:preferred_role"] == ids["cognito:roles"][0]
    assert [u["Username"] for u in idp.list_users_in_group(**group)["Users"]] == [name]
    assert {g["GroupName"] for g in idp.admin_list_groups_for_user(UserPoolId=pool.id, Username=name)["Groups"]} == {"admins", "readers"}
    assert [g["GroupName"] for g in idp.list_groups(UserPoolId=pool.id)["Groups"]] == ["admins", "readers"]
    idp.admin_remove_user_from_group(UserPoolId=pool.id, GroupName="readers", Username=name)
    idp.delete_group(**group)
    assert code(idp.get_group, **group) == "ResourceNotFoundException"
    assert idp.admin_list_groups_for_user(UserPoolId=pool.id, Username=name)["Groups"] == []
    assert code(idp.admin_add_user_to_group, UserPoolId=pool.id, GroupName="readers", Username="nobody") == "UserNotFoundException"


# --- pools, clients, domains, resource servers ------------------------------------------------------


def test_pools(cognito):
    made = cognito.create_user_pool(PoolName="first", UserPoolTags={"k": "v"}, DeletionProtection="ACTIVE")["UserPool"]
    ref = dict(UserPoolId=made["Id"])
    assert made["Arn"] == f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{made['Id']}" and made["MfaConfiguration"] == "OFF"
    shown = cognito.describe_user_pool(**ref)["UserPool"]
    assert shown["UserPoolTags"] == {"k": "v"} and shown["Name"] == "first"
    assert shown["Policies"]["PasswordPolicy"] == {"MinimumLength": 8, "RequireUppercase": True, "RequireLowercase": True,
                                                   "RequireNumbers": True, "RequireSymbols": True, "TemporaryPasswordValidityDays": 7}
    assert code(cognito.delete_user_pool, **ref) == "InvalidParameterException"
    cognito.update_user_pool(Policies={"PasswordPolicy": {"MinimumLength": 12}}, **ref)
    shown = cognito.describe_user_pool(**ref)["UserPool"]
    assert shown["DeletionProtection"] == "INACTIVE" and shown["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert shown["Policies"]["PasswordPolicy"]["RequireSymbols"] is False and shown["UserPoolTags"] == {"k": "v"}
    cognito.tag_resource(ResourceArn=made["Arn"], Tags={"x": "y"})
    cognito.untag_resource(ResourceArn=made["Arn"], TagKeys=["k"])
    assert cognito.list_tags_for_resource(ResourceArn=made["Arn"])["Tags"] == {"x": "y"}
    assert made["Id"] in [p["Id"] for p in cognito.get_paginator("list_user_pools").paginate(MaxResults=2).build_full_result()["UserPools"]]
    cognito.delete_user_pool(**ref)
    assert code(cognito.describe_user_pool, **ref) == "ResourceNotFoundException"
    assert code(cognito.delete_user_pool, **ref) == "ResourceNotFoundException"
    assert code(cognito.list_tags_for_resource, ResourceArn=made["Arn"]) == "ResourceNotFoundException"


def test_deleted_pool_is_gone(weir):
    pool = Pool(weir)
    pool.user("x")
    token = pool.tokens("x")["AccessToken"]
    pool.idp.delete_user_pool(UserPoolId=pool.id)
    assert code(pool.log_in, username="x") == "ResourceNotFoundException"
    assert code(pool.idp.get_user, AccessToken=token) == "NotAuthorizedException"


def test_clients(pool):
    idp = pool.idp
    args = dict(UserPoolId=pool.id, ClientName="web", GenerateSecret=True, AccessTokenValidity=10, TokenValidityUnits={"AccessToken": "minutes"},
                AllowedOAuthFlows=["code"], AllowedOAuthScopes=["openid"], AllowedOAuthFlowsUserPoolClient=True,
                CallbackURLs=["https://example.com/cb"], ReadAttributes=["email"], WriteAttributes=["email"])
    made = idp.create_user_pool_client(**args)["UserPoolClient"]
    ref = dict(UserPoolId=pool.id, ClientId=made["ClientId"])
    assert {k: made[k] for k in args if k != "GenerateSecret"} == {k: v for k, v in args.items() if k != "GenerateSecret"}
    assert idp.describe_user_pool_client(**ref)["UserPoolClient"] == made and made["ClientSecret"] and made["RefreshTokenValidity"] == 30
    changed = idp.update_user_pool_client(ClientName="web2", **ref)["UserPoolClient"]
    assert changed["ClientName"] == "web2" and "AllowedOAuthFlows" not in changed and changed["ClientSecret"] == made["ClientSecret"]
    listed = idp.get_paginator("list_user_pool_clients").paginate(UserPoolId=pool.id, MaxResults=1).build_full_result()["UserPoolClients"]
    assert {c["ClientName"] for c in listed} == {"c", "web2"}
    make = lambda **kw: idp.create_user_pool_client(**{"UserPoolId": pool.id, "ClientName": "bad", **kw})  # noqa: E731
    for error, bad in [("InvalidParameterException", {"AccessTokenValidity": 1, "TokenValidityUnits": {"AccessToken": "seconds"}}),
                       ("InvalidParameterException", {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "USER_PASSWORD_AUTH"]}),
                       ("InvalidOAuthFlowException", {"AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": ["openid"]}),
                       ("InvalidOAuthFlowException", {"AllowedOAuthFlows": ["code"]}),
                       ("ScopeDoesNotExistException", {"AllowedOAuthScopes": ["none/read"]}),
                       ("InvalidParameterException", {"CallbackURLs": ["http://example.com/"]}),
                       ("InvalidParameterException", {"DefaultRedirectURI": "https://example.com/"})]:
        assert code(make, **bad) == error, bad
    idp.delete_user_pool_client(**ref)
    assert code(idp.describe_user_pool_client, **ref) == "ResourceNotFoundException"


def test_read_and_write_attributes(pool):
    made = pool.idp.create_user_pool_client(UserPoolId=pool.id, ClientName="narrow", ReadAttributes=["name"], WriteAttributes=["name"],
                                            ExplicitAuthFlows=FLOWS)["UserPoolClient"]["ClientId"]
    sign_up = lambda **kw: pool.idp.sign_up(ClientId=made, Username="narrow", Password=PASSWORD, UserAttributes=[  # noqa: E731
        {"Name": k, "Value": v} for k, v in kw.items()])
    assert code(sign_up, email="n@example.com") == "NotAuthorizedException"
    sign_up(name="N")
    pool.idp.admin_confirm_sign_up(UserPoolId=pool.id, Username="narrow")
    pool.idp.admin_update_user_attributes(UserPoolId=pool.id, Username="narrow", UserAttributes=[{"Name": "nickname", "Value": "n"}])
    got = pool.idp.initiate_auth(ClientId=made, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "narrow", "PASSWORD": PASSWORD})
    ids = claims(got["AuthenticationResult"]["IdToken"])
    assert ids["name"] == "N" and "nickname" not in ids
    assert {a["Name"] for a in pool.idp.get_user(AccessToken=got["AuthenticationResult"]["AccessToken"])["UserAttributes"]} == {"sub", "name"}


def test_domains_and_servers(weir):
    pool = Pool(weir)
    idp = pool.idp
    assert idp.describe_user_pool_domain(Domain="log-in")["DomainDescription"] == {}
    idp.create_user_pool_domain(UserPoolId=pool.id, Domain="log-in")
    shown = idp.describe_user_pool_domain(Domain="log-in")["DomainDescription"]
    assert shown["UserPoolId"] == pool.id and shown["Status"] == "ACTIVE"
    assert idp.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Domain"] == "log-in"
    assert code(idp.create_user_pool_domain, UserPoolId=pool.id, Domain="other") == "InvalidParameterException"
    assert code(idp.create_user_pool_domain, UserPoolId=Pool(weir).id, Domain="log-in") == "InvalidParameterException"
    assert code(idp.create_user_pool_domain, UserPoolId=pool.id, Domain="my-aws") == "InvalidParameterException"
    assert code(idp.delete_user_pool, UserPoolId=pool.id) == "InvalidParameterException"
    idp.delete_user_pool_domain(UserPoolId=pool.id, Domain="log-in")
    assert code(idp.delete_user_pool_domain, UserPoolId=pool.id, Domain="log-in") == "InvalidParameterException"
    server = dict(UserPoolId=pool.id, Identifier="api")
    scopes = [{"ScopeName": "read", "ScopeDescription": "r"}]
    assert idp.create_resource_server(Name="API", Scopes=scopes, **server)["ResourceServer"]["Scopes"] == scopes
    assert code(idp.create_resource_server, Name="API", **server) == "InvalidParameterException"
    assert idp.update_resource_server(Name="API2", **server)["ResourceServer"]["Name"] == "API2"
    assert idp.describe_resource_server(**server)["ResourceServer"]["Name"] == "API2"
    assert [s["Identifier"] for s in idp.list_resource_servers(UserPoolId=pool.id, MaxResults=1)["ResourceServers"]] == ["api"]
    idp.delete_resource_server(**server)
    assert code(idp.describe_resource_server, **server) == "ResourceNotFoundException"


# --- MFA --------------------------------------------------------------------------------------------


def test_software_token(weir):
    pool = Pool(weir)
    idp = pool.idp
    name = pool.user()
    token = pool.tokens(name)["AccessToken"]
    assert code(idp.associate_software_token, AccessToken=token) == "SoftwareTokenMFANotFoundException"
    on = idp.set_user_pool_mfa_config(UserPoolId=pool.id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="OPTIONAL")
    assert on["MfaConfiguration"] == "OPTIONAL" and idp.get_user_pool_mfa_config(UserPoolId=pool.id)["SoftwareTokenMfaConfiguration"] == {"Enabled": True}
    secret = idp.associate_software_token(AccessToken=token)["SecretCode"]
    prefer = dict(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})
    assert code(idp.set_user_mfa_preference, **prefer) == "InvalidParameterException"
    assert code(idp.verify_software_token, AccessToken=token, UserCode=totp(secret, 1)) == "EnableSoftwareTokenMFAException"
    used = int(time.time()) // 30
    assert idp.verify_software_token(AccessToken=token, UserCode=totp(secret, used - 1))["Status"] == "SUCCESS"
    idp.set_user_mfa_preference(**prefer)
    assert idp.get_user(AccessToken=token)["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
    asked = pool.log_in(name)
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    answer = lambda text: idp.respond_to_auth_challenge(ClientId=pool.client_id, ChallengeName="SOFTWARE_TOKEN_MFA", Session=asked["Session"],  # noqa: E731
                                                        ChallengeResponses={"USERNAME": name, "SOFTWARE_TOKEN_MFA_CODE": text})
    with pytest.raises(idp.exceptions.CodeMismatchException):
        answer(totp(secret, used - 1))  # a second time
    assert answer(totp(secret, used + 1))["AuthenticationResult"]
    idp.admin_set_user_mfa_preference(UserPoolId=pool.id, Username=name, SoftwareTokenMfaSettings={"Enabled": False})
    assert "AuthenticationResult" in pool.log_in(name)


def test_mfa_setup(weir):
    pool = Pool(weir)
    idp = pool.idp
    name = pool.user()
    idp.set_user_pool_mfa_config(UserPoolId=pool.id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="ON")
    asked = pool.log_in(name)
    assert asked["ChallengeName"] == "MFA_SETUP" and asked["ChallengeParameters"]["MFAS_CAN_SETUP"] == '["SOFTWARE_TOKEN_MFA"]'
    first = idp.associate_software_token(Session=asked["Session"])
    done = idp.verify_software_token(Session=first["Session"], UserCode=totp(first["SecretCode"]))
    got = idp.respond_to_auth_challenge(ClientId=pool.client_id, ChallengeName="MFA_SETUP", Session=done["Session"], ChallengeResponses={"USERNAME": name})
    assert got["AuthenticationResult"]["AccessToken"]
    assert pool.log_in(name)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert code(idp.set_user_pool_mfa_config, UserPoolId=pool.id, MfaConfiguration="ON") == "InvalidParameterException"
