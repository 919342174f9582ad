"""STS through boto3: who am I, roles, sessions."""
import base64
import json
import time
import uuid

import boto3
import pytest
import botocore
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from receiver import Receiver
from weirtest import Weir

ACCOUNT = "000000000000"


def name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def fails(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal, **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def make_role(weir, principal, policy=None, **kw):
    iam = weir.client("iam")
    role = name("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(principal, **kw.pop("trust", {})),
                          **kw)["Role"]["Arn"]
    if policy:
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy)
    return role, arn


def make_user(weir, policy=None):
    iam = weir.client("iam")
    user = name("user")
    arn = iam.create_user(UserName=user)["User"]["Arn"]
    if policy:
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return user, arn, (key["AccessKeyId"], key["SecretAccessKey"])


def session(weir, service, credentials):
    return weir.client(service, credentials["AccessKeyId"], credentials["SecretAccessKey"],
                       credentials["SessionToken"])


ALLOW_IAM_READ = document({"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"})
MAY_ASSUME = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})


def test_root_identity(weir):
    who = weir.client("sts").get_caller_identity()
    assert who["Account"] == ACCOUNT and who["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_user_identity_without_any_permission(weir):
    user, arn, key = make_user(weir)
    who = weir.client("sts", *key).get_caller_identity()
    assert who["Arn"] == arn and who["UserId"].startswith("AIDA")


def test_assume_role_and_use_it(weir):
    role, arn = make_role(weir, {"AWS": ACCOUNT}, ALLOW_IAM_READ)
    answer = weir.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/me"
    assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":me")
    creds = answer["Credentials"]
    assert creds["AccessKeyId"].startswith("ASIA") and len(creds["SecretAccessKey"]) == 40
    who = session(weir, "sts", creds).get_caller_identity()
    assert who["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert who["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    session(weir, "iam", creds).list_users()
    assert fails(session(weir, "iam", creds).list_roles)["Code"] == "AccessDenied"


def test_account_in_trust_leaves_it_to_the_callers_policies(weir):
    _, arn = make_role(weir, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    _, _, without = make_user(weir)
    _, _, with_it = make_user(weir, MAY_ASSUME)
    error = fails(weir.client("sts", *without).assume_role, RoleArn=arn, RoleSessionName="me")
    assert error["Code"] == "AccessDenied"
    assert "is not authorized to perform: sts:AssumeRole on resource: " + arn in error["Message"]
    weir.client("sts", *with_it).assume_role(RoleArn=arn, RoleSessionName="me")


def test_user_named_in_trust_needs_no_policy(weir):
    _, user_arn, key = make_user(weir)
    _, arn = make_role(weir, {"AWS": user_arn})
    weir.client("sts", *key).assume_role(RoleArn=arn, RoleSessionName="me")
    _, _, other = make_user(weir, MAY_ASSUME)
    assert fails(weir.client("sts", *other).assume_role, RoleArn=arn,
                 RoleSessionName="me")["Code"] == "AccessDenied"


def test_external_id(weir):
    _, arn = make_role(weir, {"AWS": ACCOUNT},
                       trust={"Condition": {"StringEquals": {"sts:ExternalId": "secret"}}})
    sts = weir.client("sts")
    assert fails(sts.assume_role, RoleArn=arn, RoleSessionName="me")["Code"] == "AccessDenied"
    assert fails(sts.assume_role, RoleArn=arn, RoleSessionName="me",
                 ExternalId="wrong")["Code"] == "AccessDenied"
    sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="secret")


def test_service_role_is_not_for_people(weir):
    _, arn = make_role(weir, {"Service": "lambda.amazonaws.com"})
    _, _, key = make_user(weir, MAY_ASSUME)
    assert fails(weir.client("sts", *key).assume_role, RoleArn=arn,
                 RoleSessionName="me")["Code"] == "AccessDenied"
    assert fails(weir.client("sts").assume_role, RoleArn=arn,
                 RoleSessionName="me")["Code"] == "AccessDenied"


def test_no_such_role(weir):
    error = fails(weir.client("sts").assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none",
                  RoleSessionName="me")
    assert error["Code"] == "AccessDenied"
    for wrong in ("x" * 20, f"arn:aws:iam::{ACCOUNT}:user/someone"):
        error = fails(weir.client("sts").assume_role, RoleArn=wrong, RoleSessionName="me")
        assert (error["Code"], error["Message"]) == ("ValidationError", f"{wrong} is invalid")


def test_duration(weir):
    _, arn = make_role(weir, {"AWS": ACCOUNT}, MAY_ASSUME, MaxSessionDuration=7200)
    sts = weir.client("sts")
    creds = sts.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=7200)["Credentials"]
    assert fails(sts.assume_role, RoleArn=arn, RoleSessionName="me",
                 DurationSeconds=7201)["Code"] == "ValidationError"
    chained = session(weir, "sts", creds)
    error = fails(chained.assume_role, RoleArn=arn, RoleSessionName="me", DurationSeconds=3601)
    assert error["Code"] == "ValidationError" and "role chaining" in error["Message"]
    chained.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=3600)


def test_session_policy_limits(weir):
    _, arn = make_role(weir, {"AWS": ACCOUNT}, document(
        {"Effect": "Allow", "Action": ["iam:ListUsers", "iam:ListRoles"], "Resource": "*"}))
    sts = weir.client("sts")
    creds = sts.assume_role(RoleArn=arn, RoleSessionName="me", Policy=ALLOW_IAM_READ)["Credentials"]
    session(weir, "iam", creds).list_users()
    assert fails(session(weir, "iam", creds).list_roles)["Code"] == "AccessDenied"
    creds = sts.assume_role(RoleArn=arn, RoleSessionName="me", PolicyArns=[
        {"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}])["Credentials"]
    assert fails(session(weir, "iam", creds).list_users)["Code"] == "AccessDenied"
    assert fails(sts.assume_role, RoleArn=arn, RoleSessionName="me",
                 Policy="{}")["Code"] == "MalformedPolicyDocument"


def test_session_tags_are_seen_by_policies(weir):
    iam = weir.client("iam")
    role = name("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT},
         "Action": ["sts:AssumeRole", "sts:TagSession"]}))["Role"]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(
        {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
         "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}}))
    sts = weir.client("sts")
    for tags, allowed in (([], False), ([{"Key": "team", "Value": "red"}], False),
                          ([{"Key": "team", "Value": "blue"}], True)):
        creds = sts.assume_role(RoleArn=arn, RoleSessionName="me", Tags=tags)["Credentials"]
        client = session(weir, "iam", creds)
        if allowed:
            client.list_users()
        else:
            assert fails(client.list_users)["Code"] == "AccessDenied"


# --- what goes on with a session ----------------------------------------------------------------------

ALL_OF_STS = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]


def tags(**kw):
    return [{"Key": k, "Value": v} for k, v in kw.items()]


def open_role(weir, actions=ALL_OF_STS, policy=None, **condition):
    role = name("role")
    arn = weir.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=document(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": actions, **condition}))["Role"]["Arn"]
    weir.client("iam").put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy or document(
        {"Effect": "Allow", "Action": ALL_OF_STS, "Resource": "*"}))
    return arn


def test_transitive_tags_go_on_through_a_chain(weir):
    blue = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}}
    first, second = open_role(weir), open_role(weir, policy=document(
        {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", **blue}))
    untagged = open_role(weir, actions=["sts:AssumeRole"])
    sts = weir.client("sts")
    me = {"RoleSessionName": "me"}
    chain = session(weir, "sts", sts.assume_role(
        RoleArn=first, Tags=tags(team="blue", cost="1"), TransitiveTagKeys=["team"], **me)["Credentials"])
    session(weir, "iam", chain.assume_role(RoleArn=second, **me)["Credentials"]).list_users()
    assert fails(chain.assume_role, RoleArn=second, Tags=tags(Team="red"), **me) == {
        "Type": "Sender", "Code": "InvalidParameterValue", "Message":
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."}
    # What is inherited is a tag that the next role must allow to be set, too.
    assert "sts:TagSession" in fails(chain.assume_role, RoleArn=untagged, **me)["Message"]
    alone = session(weir, "sts", sts.assume_role(RoleArn=first, Tags=tags(team="blue"), **me)["Credentials"])
    other = session(weir, "iam", alone.assume_role(RoleArn=second, **me)["Credentials"])
    assert fails(other.list_users)["Code"] == "AccessDenied"
    assert fails(sts.assume_role, RoleArn=first, Tags=tags(a="1"), TransitiveTagKeys=["b"], **me)["Message"] == (
        "The specified transitive tag key must be included in the requested tags.")
    only = open_role(weir, Condition={"ForAllValues:StringEquals": {"sts:TransitiveTagKeys": ["team"], "aws:TagKeys": ["team"]},
                                      "Null": {"sts:TransitiveTagKeys": "false"}})
    sts.assume_role(RoleArn=only, Tags=tags(team="x"), TransitiveTagKeys=["team"], **me)
    for wrong in ({"Tags": tags(team="x")}, {"Tags": tags(team="x", b="y"), "TransitiveTagKeys": ["team", "b"]}):
        assert fails(sts.assume_role, RoleArn=only, **me, **wrong)["Code"] == "AccessDenied"


def test_source_identity_stays(weir):
    seen = {"Condition": {"StringEquals": {"aws:SourceIdentity": "ann"}}}
    first, second = open_role(weir), open_role(weir, policy=document(
        {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", **seen}))
    without = open_role(weir, actions=["sts:AssumeRole"])
    named = open_role(weir, Condition={"StringLike": {"sts:SourceIdentity": "a*"}})
    sts = weir.client("sts")
    me = {"RoleSessionName": "me"}
    answer = sts.assume_role(RoleArn=first, SourceIdentity="ann", **me)
    assert answer["SourceIdentity"] == "ann"
    chain = session(weir, "sts", answer["Credentials"])
    answer = chain.assume_role(RoleArn=second, **me)
    assert answer["SourceIdentity"] == "ann"
    session(weir, "iam", answer["Credentials"]).list_users()
    assert "sts:SetSourceIdentity" in fails(chain.assume_role, RoleArn=without, **me)["Message"]
    assert "sts:SetSourceIdentity" in fails(chain.assume_role, RoleArn=second, SourceIdentity="bob", **me)["Message"]
    assert fails(sts.assume_role, RoleArn=named, SourceIdentity="bob", **me)["Code"] == "AccessDenied"
    sts.assume_role(RoleArn=named, SourceIdentity="ann", **me)


# --- federated users ----------------------------------------------------------------------------------

MAY_FEDERATE = {"Effect": "Allow", "Action": ["sts:GetFederationToken", "sts:TagSession"], "Resource": "*"}


def test_federated_user(weir):
    policy = document(MAY_FEDERATE, {"Effect": "Allow", "Action": ["sqs:*", "iam:*"], "Resource": "*"})
    _, user_arn, key = make_user(weir, policy)
    sts = weir.client("sts", *key)
    lists = document({"Effect": "Allow", "Action": ["sqs:ListQueues", "sns:ListTopics", "iam:*"], "Resource": "*"})
    answer = sts.get_federation_token(Name="bob", Policy=lists, DurationSeconds=900)
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:bob", "Arn": arn}
    assert 0 < answer["PackedPolicySize"] <= 100
    creds = answer["Credentials"]
    who = session(weir, "sts", creds).get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (arn, f"{ACCOUNT}:bob")
    session(weir, "sqs", creds).list_queues()  # both allow
    assert fails(session(weir, "sns", creds).list_topics)["Code"] == "AuthorizationError"  # the user may not
    queue = weir.client("sqs").create_queue(QueueName=name("q"))["QueueUrl"]
    send = {"QueueUrl": queue, "MessageBody": "m"}
    assert "not authorized" in fails(session(weir, "sqs", creds).send_message, **send)["Message"]  # the session may not
    assert fails(session(weir, "iam", creds).list_users)["Code"] == "InvalidClientTokenId"
    for call, kw in (("get_federation_token", {"Name": "eve"}), ("get_session_token", {}),
                     ("assume_role", {"RoleArn": open_role(weir), "RoleSessionName": "me"})):
        assert fails(getattr(session(weir, "sts", creds), call), **kw)["Code"] == "AccessDenied", call
    # A resource's policy that names the federated user needs nobody else; one that names his user is within the session's.
    queue_arn = queue.rsplit("/", 1)[1]
    for principal, allowed in ((arn, True), (user_arn, False)):
        weir.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document(
            {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sqs:SendMessage",
             "Resource": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue_arn}"})})
        call = session(weir, "sqs", creds).send_message
        call(**send) if allowed else fails(call, **send)
    bare = sts.get_federation_token(Name="bob")
    assert "PackedPolicySize" not in bare
    assert "not authorized" in fails(session(weir, "sqs", bare["Credentials"]).list_queues)["Message"]


def test_who_may_federate(weir):
    _, _, plain = make_user(weir)
    error = fails(weir.client("sts", *plain).get_federation_token, Name="bob")
    assert error["Code"] == "AccessDenied" and f"federated-user/bob" in error["Message"]
    _, _, untagged = make_user(weir, document({"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*"}))
    assert "sts:TagSession" in fails(weir.client("sts", *untagged).get_federation_token, Name="bob", Tags=tags(a="b"))["Message"]
    _, _, key = make_user(weir, document(MAY_FEDERATE, {
        "Effect": "Allow", "Action": "sqs:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue", "aws:PrincipalType": "FederatedUser"}}}))
    everything = [{"arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]
    for team in ("blue", "red"):
        creds = weir.client("sts", *key).get_federation_token(Name="bob", PolicyArns=everything, Tags=tags(team=team))["Credentials"]
        call = session(weir, "sqs", creds).list_queues
        call() if team == "blue" else fails(call)
    root = weir.client("sts").get_federation_token(Name="bob", PolicyArns=everything, DurationSeconds=129600)["Credentials"]
    assert root["Expiration"].timestamp() < time.time() + 3700  # of root: an hour
    session(weir, "sqs", root).list_queues()
    role = session(weir, "sts", weir.client("sts").assume_role(RoleArn=open_role(weir), RoleSessionName="me")["Credentials"])
    assert fails(role.get_federation_token, Name="bob")["Code"] == "AccessDenied"
    assert fails(weir.client("sts").get_federation_token, Name="x" * 33)["Code"] == "ValidationError"


def test_access_key_info(weir):
    _, _, key = make_user(weir)
    creds = weir.client("sts").get_session_token()["Credentials"]
    for known in (key[0], creds["AccessKeyId"]):
        assert weir.client("sts").get_access_key_info(AccessKeyId=known)["Account"] == ACCOUNT
    assert fails(weir.client("sts").get_access_key_info, AccessKeyId="AKIAIOSFODNN7NOBODYS")["Code"] == "ValidationError"


def test_decode_authorization_message(weir):
    """Nothing that Weir says is encoded."""
    sts = weir.client("sts")
    for message in ("x", "B2UTpuAS30_naB5rE3Dw5v2ENy-V5w3H0wmt6rfE8hrpUz2d", "a\nb"):
        error = fails(sts.decode_authorization_message, EncodedMessage=message)
        assert (error["Code"], error["Message"]) == ("InvalidAuthorizationMessageException", "Message is not valid")
    error = fails(sts.decode_authorization_message, EncodedMessage="x" * 10241)
    assert error["Code"] == "ValidationError" and "Member must have length less than or equal to 10240" in error["Message"]


# --- web identities -----------------------------------------------------------------------------------

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Idp:
    """An OpenID Connect provider: its pages, and tokens that it signs."""

    def __init__(self, weir, host):
        self.web = Receiver()
        self.issuer = self.web.base
        self.url = self.issuer.split("://")[1]
        self.key = rsa.generate_private_key(65537, 2048)
        self.weir = weir
        self.arn = host.create_open_id_connect_provider(Url=self.issuer, ClientIDList=["app"],
                                                        ThumbprintList=["0" * 40])["OpenIDConnectProviderArn"]

    def serve(self, jwks_status=200, issuer=None, alg="RS256"):
        public, number = self.key.public_key().public_numbers(), lambda v, size: b64(v.to_bytes(size, "big"))
        size = (self.key.key_size + 7) // 8
        if alg and alg.startswith("ES"):
            kind = {"kty": "EC", "crv": f"P-{self.key.key_size}", "x": number(public.x, size), "y": number(public.y, size)}
        else:
            kind = {"kty": "RSA", "n": number(public.n, size), "e": "AQAB"}
        keys = [{**kind, "use": "sig", "kid": "k1", **({"alg": alg} if alg else {})}]
        self.web.answers = [(200, {}, json.dumps({"issuer": issuer or self.issuer, "jwks_uri": self.issuer + "/keys"})),
                            (jwks_status, {}, json.dumps({"keys": keys}))]

    def token(self, key=None, kid="k1", alg="RS256", **more):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "app", "sub": "user-42", "iat": now, "exp": now + 600, **more}
        text = b64(json.dumps({"alg": alg, "kid": kid}).encode()) + "." + b64(
            json.dumps({k: v for k, v in claims.items() if v is not None}).encode())
        key, digest = key or self.key, getattr(hashes, "SHA" + alg[2:])()
        if not alg.startswith("ES"):
            return text + "." + b64(key.sign(text.encode(), padding.PKCS1v15(), digest))
        size = (key.key_size + 7) // 8
        return text + "." + b64(b"".join(v.to_bytes(size, "big") for v in utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(digest)))))

    def role(self, condition=None, actions="sts:AssumeRoleWithWebIdentity", policy=None, principal=None):
        role = name("role")
        iam = self.weir.client("iam")
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(
            {"Effect": "Allow", "Principal": principal or {"Federated": self.arn}, "Action": actions,
             **({"Condition": condition} if condition else {})}))["Role"]["Arn"]
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy or ALLOW_IAM_READ)
        return arn


@pytest.fixture(scope="module")
def idp():
    server = Weir(args=["--allow-outgoing-loopback"])
    made = Idp(server, server.client("iam"))
    yield made
    made.web.close()
    server.stop()


@pytest.fixture
def fresh(idp):
    """One whose keys nobody knows yet."""
    made = Idp(idp.weir, idp.weir.client("iam"))
    yield made
    made.web.close()


@pytest.fixture
def unsigned(idp):
    return boto3.client("sts", endpoint_url=idp.weir.endpoint, region_name="us-east-1",
                        config=botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1}))


def test_web_identity(idp, unsigned):
    idp.serve()
    arn = idp.role({"StringEquals": {f"{idp.url}:aud": "app", f"{idp.url}:sub": "user-42"},
                    "ForAnyValue:StringEquals": {f"{idp.url}:amr": "mfa"}})
    ask = {"RoleArn": arn, "RoleSessionName": "web"}
    answer = unsigned.assume_role_with_web_identity(WebIdentityToken=idp.token(amr=["pwd", "mfa"]), DurationSeconds=900, **ask)
    assert idp.web.next() and idp.web.path == "/.well-known/openid-configuration"
    assert idp.web.next() and idp.web.path == "/keys"
    role = arn.split("/")[1]
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/web"
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"]) == ("user-42", "app", idp.arn)
    assert "PackedPolicySize" not in answer
    session(idp.weir, "iam", answer["Credentials"]).list_users()
    # The keys are known now: nobody is asked again.
    denied = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    other = idp.role(principal={"Federated": idp.arn + "x"})
    for role_arn, more in ((arn, {"sub": "user-43"}), (arn, {}), (other, {"amr": ["mfa"]}), (arn + "x", {"amr": ["mfa"]}),
                           (idp.role(principal={"AWS": ACCOUNT}, actions="sts:AssumeRole"), {})):
        error = fails(unsigned.assume_role_with_web_identity, WebIdentityToken=idp.token(**more), RoleArn=role_arn, RoleSessionName="web")
        assert (error["Code"], error["Message"]) == denied, more
    limited = unsigned.assume_role_with_web_identity(WebIdentityToken=idp.token(amr=["mfa"]), Policy=document(
        {"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}), **ask)
    assert fails(session(idp.weir, "iam", limited["Credentials"]).list_users)["Code"] == "AccessDenied"
    assert idp.web.got.empty()


def test_web_identity_tokens_that_are_none(idp, unsigned):
    idp.serve()
    ask = {"RoleArn": idp.role(), "RoleSessionName": "web"}
    unsigned.assume_role_with_web_identity(WebIdentityToken=idp.token(), **ask)
    invalid = "InvalidIdentityToken"
    stranger = rsa.generate_private_key(65537, 2048)
    now = int(time.time())
    for token, code, words in (
            ("abcd", invalid, "The ID Token provided is not a valid JWT."),
            (idp.token(iss="https://nobody.example.com"), invalid,
             "No OpenIDConnect provider found in your account for https://nobody.example.com"),
            (idp.token(iss=None), invalid, "Missing a required claim: iss"),
            (idp.token(aud="other"), invalid, "Incorrect token audience"),
            (idp.token(aud=None), invalid, "Missing a required claim: aud"),
            (idp.token(sub=None), invalid, "Missing a required claim: sub"),
            (idp.token(exp=now - 5), "ExpiredTokenException", f"must be before the expiration date/time {now - 5}"),
            (idp.token(exp=None), invalid, "times"),
            (idp.token(nbf=now + 3600), invalid, "times"),
            (idp.token(key=stranger), invalid, "could not be validated"),
            (idp.token()[:-8] + "AAAAAAAA", invalid, "could not be validated")):
        error = fails(unsigned.assume_role_with_web_identity, WebIdentityToken=token, **ask)
        assert error["Code"] == code and words in error["Message"], (token, error)
    for more, code in (({"DurationSeconds": 3601}, "ValidationError"), ({"Policy": "{}"}, "MalformedPolicyDocument"),
                       ({"RoleSessionName": "a b"}, "ValidationError"), ({"RoleArn": "arn:aws:iam::000000000000:user/u"}, "ValidationError")):
        assert fails(unsigned.assume_role_with_web_identity, WebIdentityToken=idp.token(), **{**ask, **more})["Code"] == code
    unsigned.assume_role_with_web_identity(WebIdentityToken=idp.token(aud=["x", "app"], azp="app"), **ask)


@pytest.mark.parametrize("of_key", [None, "RS384", "RS512"])
def test_web_identity_digests(fresh, unsigned, of_key):
    fresh.serve(alg=of_key)
    ask = {"RoleArn": fresh.role(), "RoleSessionName": "web"}
    for alg in ("RS256", "RS384", "RS512"):
        token = fresh.token(alg=alg)
        if of_key in (None, alg):
            unsigned.assume_role_with_web_identity(WebIdentityToken=token, **ask)
        else:
            assert fails(unsigned.assume_role_with_web_identity, WebIdentityToken=token, **ask)["Code"] == "InvalidIdentityToken"
    lie = fresh.token(alg="RS384" if of_key != "RS512" else "RS512").split(".")
    head = b64(json.dumps({"alg": "RS256", "kid": "k1"}).encode())
    assert fails(unsigned.assume_role_with_web_identity, WebIdentityToken=".".join([head, *lie[1:]]), **ask)["Code"] == "InvalidIdentityToken"


@pytest.mark.parametrize("alg, curve", [("ES256", ec.SECP256R1), ("ES384", ec.SECP384R1), ("ES512", ec.SECP521R1)])
def test_web_identity_curves(fresh, unsigned, alg, curve):
    fresh.key = ec.generate_private_key(curve())
    fresh.serve(alg=alg)
    ask = {"RoleArn": fresh.role(), "RoleSessionName": "web"}
    unsigned.assume_role_with_web_identity(WebIdentityToken=fresh.token(alg=alg), **ask)
    head, claims, _ = fresh.token(alg=alg).split(".")
    for wrong in (fresh.token(alg=alg, key=ec.generate_private_key(curve())), fresh.token(alg="ES384" if alg != "ES384" else "ES256"),
                  f"{head}.{claims}.{b64(bytes(2 * ((fresh.key.key_size + 7) // 8)))}"):
        assert fails(unsigned.assume_role_with_web_identity, WebIdentityToken=wrong, **ask)["Code"] == "InvalidIdentityToken"


def test_web_identity_tags_and_source(idp, unsigned):
    idp.serve()
    claim = {"https://aws.amazon.com/tags": {"principal_tags": {"team": ["blue"]}, "transitive_tag_keys": ["team"]},
             "https://aws.amazon.com/source_identity": "ann"}
    one, all_ = "sts:AssumeRoleWithWebIdentity", ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]
    policy = document({"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", "Condition": {"StringEquals": {
        "aws:PrincipalTag/team": "blue", "aws:SourceIdentity": "ann", "aws:FederatedProvider": idp.arn, f"{idp.url}:sub": "user-42"}}})
    ask = {"RoleSessionName": "web", "WebIdentityToken": idp.token(**claim)}
    answer = unsigned.assume_role_with_web_identity(RoleArn=idp.role(
        {"StringEquals": {"aws:RequestTag/team": "blue", "sts:SourceIdentity": "ann"}}, actions=all_, policy=policy), **ask)
    assert answer["SourceIdentity"] == "ann" and answer["PackedPolicySize"] > 0
    session(idp.weir, "iam", answer["Credentials"]).list_users()
    assert fails(unsigned.assume_role_with_web_identity, RoleArn=idp.role(actions=one), **ask)["Code"] == "AccessDenied"


def test_identity_providers_that_do_not_answer(idp, unsigned):
    iam = idp.weir.client("iam")
    quiet = Idp(idp.weir, iam)
    ask = {"RoleArn": quiet.role(), "RoleSessionName": "web"}
    for serve in ({"jwks_status": 500}, {"issuer": "https://another.example.com"}):
        quiet.serve(**serve)
        error = fails(unsigned.assume_role_with_web_identity, WebIdentityToken=quiet.token(), **ask)
        assert error["Code"] == "InvalidIdentityToken" and "Couldn't retrieve verification key" in error["Message"]
    quiet.serve()
    error = fails(unsigned.assume_role_with_web_identity, WebIdentityToken=quiet.token(kid="k2"), **ask)
    assert "Couldn't retrieve verification key" in error["Message"]
    gone = Idp(idp.weir, iam)
    gone.web.close()
    ask["RoleArn"] = gone.role()
    assert fails(unsigned.assume_role_with_web_identity, WebIdentityToken=gone.token(), **ask)["Code"] == "IDPCommunicationError"
    quiet.web.close()


def test_web_identity_of_a_user_pool(idp, unsigned):
    cognito, iam = idp.weir.client("cognito-idp"), idp.weir.client("iam")
    pool = cognito.create_user_pool(PoolName=name("pool"))["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="c", ExplicitAuthFlows=[
        "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="ann", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="ann", Password="Passw0rd!", Permanent=True)
    token = cognito.admin_initiate_auth(UserPoolId=pool, ClientId=client, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters={
        "USERNAME": "ann", "PASSWORD": "Passw0rd!"})["AuthenticationResult"]["IdToken"]
    url = f"cognito-idp.us-east-1.amazonaws.com/{pool}"
    arn = iam.create_open_id_connect_provider(Url="https://" + url, ClientIDList=[client])["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{url}"
    role = idp.role({"StringEquals": {f"{url}:aud": client}}, principal={"Federated": arn})
    ask = {"RoleArn": role, "RoleSessionName": "web", "WebIdentityToken": token}
    session(idp.weir, "iam", unsigned.assume_role_with_web_identity(**ask)["Credentials"]).list_users()
    cognito.delete_user_pool(UserPoolId=pool)
    assert "Couldn't retrieve verification key" in fails(unsigned.assume_role_with_web_identity, **ask)["Message"]


def test_get_session_token(weir):
    user, arn, key = make_user(weir, ALLOW_IAM_READ)
    creds = weir.client("sts", *key).get_session_token(DurationSeconds=900)["Credentials"]
    assert session(weir, "sts", creds).get_caller_identity()["Arn"] == arn
    error = fails(session(weir, "sts", creds).get_session_token)
    assert error["Code"] == "AccessDenied"
    # Without MFA such credentials are not for IAM.
    assert fails(session(weir, "iam", creds).list_users)["Code"] == "InvalidClientTokenId"
    root = weir.client("sts").get_session_token()["Credentials"]
    assert session(weir, "sts", root).get_caller_identity()["Arn"].endswith(":root")


def test_sessions_survive_a_restart_and_die_with_their_role(weir):
    role, arn = make_role(weir, {"AWS": ACCOUNT}, ALLOW_IAM_READ)
    creds = weir.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    weir.restart()
    session(weir, "iam", creds).list_users()
    iam = weir.client("iam")
    iam.delete_role_policy(RoleName=role, PolicyName="p")
    assert fails(session(weir, "iam", creds).list_users)["Code"] == "AccessDenied"
    iam.delete_role(RoleName=role)
    fails(session(weir, "sts", creds).get_caller_identity)
    # A role of the same name made later is another one.
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))
    fails(session(weir, "sts", creds).get_caller_identity)
