"""STS through boto3: who am I, roles, sessions."""
import json
import uuid

import pytest
from botocore.exceptions import ClientError

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


def test_what_is_not_supported_is_refused(weir):
    _, arn = make_role(weir, {"AWS": ACCOUNT})
    sts = weir.client("sts")
    for extra in ({"SourceIdentity": "someone"}, {"TransitiveTagKeys": ["a"]}):
        fails(sts.assume_role, RoleArn=arn, RoleSessionName="me", **extra)
    fails(sts.get_federation_token, Name="x1")


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
