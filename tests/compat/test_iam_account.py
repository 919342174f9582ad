"""IAM through boto3: service-linked roles, the simulator, and what an account has once."""
import json
import uuid

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"
SQS_READ = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def name(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": s[0], "Action": s[1], "Resource": s[2] if len(s) > 2 else "*", **(s[3] if len(s) > 3 else {})} for s in statements]})


def fails(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


@pytest.fixture
def iam(weir):
    return weir.client("iam")


@pytest.fixture
def user(iam):
    made = name("user")
    iam.create_user(UserName=made)
    return made


# --- service-linked roles -----------------------------------------------------------------------------

def test_service_linked_role(iam):
    made = iam.create_service_linked_role(AWSServiceName="ops.apigateway.amazonaws.com", Description="d")["Role"]
    n = "AWSServiceRoleForAPIGateway"
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ops.apigateway.amazonaws.com/{n}"
    assert made["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "ops.apigateway.amazonaws.com"}
    assert "MaxSessionDuration" not in made
    assert fails(iam.create_service_linked_role, AWSServiceName="ops.apigateway.amazonaws.com") == (
        "InvalidInput", f"Service role name {n} has been taken in this account, please try a different suffix.")
    assert iam.list_attached_role_policies(RoleName=n)["AttachedPolicies"] == [
        {"PolicyName": "APIGatewayServiceRolePolicy", "PolicyArn": "arn:aws:iam::aws:policy/aws-service-role/APIGatewayServiceRolePolicy"}]
    protected = ("UnmodifiableEntity",
                 f"Cannot perform the operation on the protected role '{n}' - this role is only modifiable by AWS")
    for call, kw in ((iam.delete_role, {}), (iam.attach_role_policy, {"PolicyArn": SQS_READ}), (iam.detach_role_policy, {"PolicyArn": SQS_READ}),
                     (iam.put_role_policy, {"PolicyName": "p", "PolicyDocument": policy(("Allow", "s3:*"))}),
                     (iam.delete_role_policy, {"PolicyName": "p"}), (iam.update_assume_role_policy, {"PolicyDocument": TRUST}),
                     (iam.put_role_permissions_boundary, {"PermissionsBoundary": SQS_READ}), (iam.update_role, {"MaxSessionDuration": 7200})):
        assert fails(call, RoleName=n, **kw) == protected
    iam.update_role(RoleName=n, Description="other")
    assert iam.get_role(RoleName=n)["Role"]["Description"] == "other"
    task = iam.delete_service_linked_role(RoleName=n)["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/ops.apigateway.amazonaws.com/{n}/")
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    for wrong in (task[:-1] + ("0" if task[-1] != "0" else "1"), task.replace("APIGateway/", "ECS/"), "task/x", "nothing"):
        assert fails(iam.get_service_linked_role_deletion_status, DeletionTaskId=wrong)[0] == "NoSuchEntity"
    assert fails(iam.get_role, RoleName=n)[0] == "NoSuchEntity"


def test_service_linked_names(iam):
    made = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="mine")["Role"]["RoleName"]
    assert made == "AWSServiceRoleForAutoScaling_mine"
    iam.delete_service_linked_role(RoleName=made)
    assert fails(iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com", CustomSuffix="x") == (
        "InvalidInput", "Custom suffix is not allowed for ecs.amazonaws.com")
    made = iam.create_service_linked_role(AWSServiceName="other.amazonaws.com")["Role"]["RoleName"]
    assert made == "AWSServiceRoleForOther"
    iam.delete_service_linked_role(RoleName=made)
    assert fails(iam.create_service_linked_role, AWSServiceName="example.com")[0] == "InvalidInput"
    plain = name("role")
    iam.create_role(RoleName=plain, AssumeRolePolicyDocument=TRUST)
    assert fails(iam.delete_service_linked_role, RoleName=plain)[0] == "NoSuchEntity"
    assert fails(iam.create_role, RoleName=name("r"), Path="/aws-service-role/x/", AssumeRolePolicyDocument=TRUST)[0] == "InvalidInput"


# --- the simulator ------------------------------------------------------------------------------------

def decided(answer):
    return [(r["EvalActionName"], r["EvalResourceName"], r["EvalDecision"]) for r in answer["EvaluationResults"]]


def test_simulate_published_example(iam):
    """The example of AWS's CLI reference: decision and positions."""
    doc = ('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
           '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}')

    def ask(*values):
        entries = [{"ContextKeyName": "aws:CurrentTime", "ContextKeyValues": list(values), "ContextKeyType": "date"}] if values else []
        return iam.simulate_custom_policy(PolicyInputList=[doc], ActionNames=["dynamodb:CreateBackup"], ContextEntries=entries)["EvaluationResults"][0]
    got = ask("2019-04-25T11:00:00Z")
    assert (got["EvalDecision"], got["EvalResourceName"], got["MissingContextValues"]) == ("allowed", "*", [])
    assert got["MatchedStatements"] == [{"SourcePolicyId": "PolicyInputList.1", "SourcePolicyType": "IAM Policy",
                                         "StartPosition": {"Line": 1, "Column": 38}, "EndPosition": {"Line": 1, "Column": 167}}]
    got = ask("2014-04-25T11:00:00Z")
    assert (got["EvalDecision"], got["MatchedStatements"], got["MissingContextValues"]) == ("implicitDeny", [], [])
    got = ask()
    assert (got["EvalDecision"], got["MissingContextValues"]) == ("implicitDeny", ["aws:CurrentTime"])


def test_simulate_custom(iam):
    both = [policy(("Allow", "s3:*")), policy(("Allow", "sqs:*"), ("Deny", "s3:DeleteObject"))]
    a, b = "arn:aws:s3:::a/k", "arn:aws:s3:::b/k"
    got = iam.simulate_custom_policy(PolicyInputList=both, ActionNames=["s3:GetObject", "s3:DeleteObject", "sns:Publish"], ResourceArns=[a, b])
    assert decided(got) == [("s3:GetObject", a, "allowed"), ("s3:GetObject", b, "allowed"), ("s3:DeleteObject", a, "explicitDeny"),
                            ("s3:DeleteObject", b, "explicitDeny"), ("sns:Publish", a, "implicitDeny"), ("sns:Publish", b, "implicitDeny")]
    denied = got["EvaluationResults"][2]
    assert [s["SourcePolicyId"] for s in denied["MatchedStatements"]] == ["PolicyInputList.2"]
    assert denied["ResourceSpecificResults"][0]["EvalResourceDecision"] == "explicitDeny"
    page = iam.simulate_custom_policy(PolicyInputList=both, ActionNames=["s3:GetObject"], ResourceArns=[a, b], MaxItems=1)
    rest = iam.simulate_custom_policy(PolicyInputList=both, ActionNames=["s3:GetObject"], ResourceArns=[a, b], Marker=page["Marker"])
    assert page["IsTruncated"] and decided(page) + decided(rest) == decided(got)[:2]
    bound = iam.simulate_custom_policy(PolicyInputList=both[:1], PermissionsBoundaryPolicyInputList=[policy(("Allow", "s3:Get*"))],
                                       ActionNames=["s3:GetObject", "s3:PutObject"])
    assert [(r["EvalDecision"], r["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"]) for r in bound["EvaluationResults"]] == [
        ("allowed", True), ("implicitDeny", False)]


def test_simulate_resource_policy(iam):
    caller = f"arn:aws:iam::{ACCOUNT}:user/u"
    theirs = json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": caller}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}})
    kw = {"PolicyInputList": [policy(("Allow", "sqs:*"))], "ActionNames": ["s3:GetObject"], "ResourceArns": ["arn:aws:s3:::b/k"], "ResourcePolicy": theirs}
    assert decided(iam.simulate_custom_policy(CallerArn=caller, **kw))[0][2] == "allowed"
    assert decided(iam.simulate_custom_policy(CallerArn=caller + "x", **kw))[0][2] == "implicitDeny"
    assert decided(iam.simulate_custom_policy(CallerArn=caller, ResourceOwner="arn:aws:iam::111122223333:root", **kw))[0][2] == "implicitDeny"
    assert fails(iam.simulate_custom_policy, **kw)[0] == "InvalidInput"


def test_simulate_types(iam):
    doc = policy(("Allow", "s3:*", "*", {"Condition": {"NumericLessThan": {"s3:max-keys": "10"}, "Bool": {"aws:SecureTransport": "true"},
                                                       "ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}}))

    def ask(keys="5", secure="true", tags=("a",)):
        return decided(iam.simulate_custom_policy(PolicyInputList=[doc], ActionNames=["s3:ListBucket"], ContextEntries=[
            {"ContextKeyName": "s3:max-keys", "ContextKeyValues": [keys], "ContextKeyType": "numeric"},
            {"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": [secure], "ContextKeyType": "boolean"},
            {"ContextKeyName": "aws:TagKeys", "ContextKeyValues": list(tags), "ContextKeyType": "stringList"}]))[0][2]
    assert [ask(), ask(keys="10"), ask(secure="false"), ask(tags=("a", "c")), ask(tags=("a", "b"))] == [
        "allowed", "implicitDeny", "implicitDeny", "implicitDeny", "allowed"]
    for wrong in ({"keys": "five"}, {"secure": "yes"}):
        with pytest.raises(ClientError) as e:
            ask(**wrong)
        assert e.value.response["Error"]["Code"] == "InvalidInput"


@pytest.mark.parametrize("wrong", [{"PolicyInputList": ["{}"]}, {"PolicyInputList": ["{"]}, {"ActionNames": ["nonsense"]}, {"ActionNames": ["s3:*"]},
                                   {"ResourceArns": ["bucket"]}, {"CallerArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"}, {"ResourceOwner": "me"},
                                   {"ContextEntries": [{"ContextKeyName": "aws:TagKeys", "ContextKeyValues": ["a", "b"], "ContextKeyType": "string"}]}])
def test_simulate_refuses(iam, wrong):
    kw = {"PolicyInputList": [policy(("Allow", "s3:*"))], "ActionNames": ["s3:GetObject"], **wrong}
    assert fails(iam.simulate_custom_policy, **kw)[0] == "InvalidInput"


def test_simulate_principal(iam, user):
    group, role = name("group"), name("role")
    arn = iam.get_user(UserName=user)["User"]["Arn"]
    own = iam.create_policy(PolicyName=name("p"), PolicyDocument=policy(("Allow", "sns:Publish")))["Policy"]
    iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=policy(
        ("Allow", "s3:GetObject", "arn:aws:s3:::b/${aws:username}/*"), ("Deny", "sqs:DeleteQueue")))
    iam.attach_user_policy(UserName=user, PolicyArn=own["Arn"])
    iam.create_group(GroupName=group)
    iam.attach_group_policy(GroupName=group, PolicyArn=SQS_READ)

    def ask(action, source=arn, **kw):
        r = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=[action], **kw)["EvaluationResults"][0]
        return r["EvalDecision"], [s["SourcePolicyId"] for s in r["MatchedStatements"]]
    assert ask("sqs:ListQueues") == ("implicitDeny", [])
    iam.add_user_to_group(GroupName=group, UserName=user)
    assert ask("sqs:ListQueues") == ("allowed", ["AmazonSQSReadOnlyAccess"])
    assert ask("sns:Publish") == ("allowed", [own["PolicyName"]])
    assert ask("sqs:DeleteQueue") == ("explicitDeny", [f"user_{user}_inline"])
    assert ask("s3:GetObject", ResourceArns=[f"arn:aws:s3:::b/{user}/k"]) == ("allowed", [f"user_{user}_inline"])
    assert ask("s3:GetObject", ResourceArns=["arn:aws:s3:::b/other/k"])[0] == "implicitDeny"
    assert ask("sqs:ListQueues", iam.get_group(GroupName=group)["Group"]["Arn"])[0] == "allowed"
    assert ask("kms:Encrypt", PolicyInputList=[policy(("Allow", "kms:*"))]) == ("allowed", ["PolicyInputList.1"])
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=SQS_READ)
    got = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["sns:Publish", "sqs:ListQueues"])["EvaluationResults"]
    assert [(r["EvalDecision"], r["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"]) for r in got] == [
        ("implicitDeny", False), ("allowed", True)]
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    assert ask("sqs:ListQueues", made)[0] == "implicitDeny"
    assert fails(iam.simulate_principal_policy, PolicySourceArn=arn + "x", ActionNames=["s3:GetObject"])[0] == "NoSuchEntity"
    assert fails(iam.simulate_principal_policy, PolicySourceArn=own["Arn"], ActionNames=["s3:GetObject"])[0] == "InvalidInput"


def test_context_keys(iam, user):
    doc = policy(("Allow", "s3:*", "arn:aws:s3:::b/${aws:username}", {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}))
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[doc])["ContextKeyNames"] == ["aws:SourceIp", "aws:username"]
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=doc)
    assert iam.get_context_keys_for_principal_policy(PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/{user}")["ContextKeyNames"] == [
        "aws:SourceIp", "aws:username"]


# --- the account --------------------------------------------------------------------------------------

def test_authorization_details(iam, user):
    group, role, profile, own = name("group"), name("role"), name("profile"), name("policy")
    iam.create_group(GroupName=group)
    iam.add_user_to_group(GroupName=group, UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy(("Allow", "s3:*")))
    iam.attach_group_policy(GroupName=group, PolicyArn=SQS_READ)
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}])
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)
    made = iam.create_policy(PolicyName=own, PolicyDocument=policy(("Allow", "sns:*")), Description="d")["Policy"]
    pages = list(iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 3}))
    assert len(pages) > 1

    def one(part, key, value):
        found = [x for p in pages for x in p[part] if x[key] == value]
        assert len(found) == 1, (part, value)
        return found[0]
    u = one("UserDetailList", "UserName", user)
    assert u["GroupList"] == [group] and u["UserPolicyList"] == [{"PolicyName": "p", "PolicyDocument": json.loads(policy(("Allow", "s3:*")))}]
    assert one("GroupDetailList", "GroupName", group)["AttachedManagedPolicies"][0]["PolicyArn"] == SQS_READ
    r = one("RoleDetailList", "RoleName", role)
    assert r["Tags"] == [{"Key": "a", "Value": "b"}] and r["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert [p["InstanceProfileName"] for p in r["InstanceProfileList"]] == [profile]
    m = one("Policies", "PolicyName", own)
    assert m["Arn"] == made["Arn"] and m["PolicyVersionList"][0]["Document"] == json.loads(policy(("Allow", "sns:*")))
    assert one("Policies", "PolicyName", "AmazonSQSReadOnlyAccess")["AttachmentCount"] >= 1
    only = iam.get_account_authorization_details(Filter=["Group"])
    assert only["GroupDetailList"] and not only["UserDetailList"] and not only["RoleDetailList"] and not only["Policies"]
    aws = iam.get_account_authorization_details(Filter=["AWSManagedPolicy"])["Policies"]
    assert aws and all(p["Arn"].startswith("arn:aws:iam::aws:") and p["AttachmentCount"] for p in aws)


def test_summary(iam, user):
    before = iam.get_account_summary()["SummaryMap"]
    assert before["GroupsPerUserQuota"] == 10 and before["MFADevices"] == 0
    assert (before["ServerCertificatesQuota"], before["AccountPasswordPresent"], before["GlobalEndpointTokenVersion"]) == (20, 0, 1)
    iam.create_group(GroupName=name("group"))
    iam.create_user(UserName=name("user"))
    after = iam.get_account_summary()["SummaryMap"]
    assert (after["Groups"], after["Users"], after["Roles"]) == (before["Groups"] + 1, before["Users"] + 1, before["Roles"])


def test_alias(iam):
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias="first-one")
    iam.create_account_alias(AccountAlias="second-one")
    assert iam.list_account_aliases()["AccountAliases"] == ["second-one"]
    assert fails(iam.delete_account_alias, AccountAlias="first-one") == ("NoSuchEntity", "The account alias first-one cannot be found.")
    iam.delete_account_alias(AccountAlias="second-one")
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_passwords(iam, user):
    none = ("NoSuchEntity", f"The Password Policy with domain name {ACCOUNT} cannot be found.")
    assert fails(iam.get_account_password_policy) == none and fails(iam.delete_account_password_policy) == none
    assert fails(iam.create_login_profile, UserName=user, Password="Ab1!") == (
        "PasswordPolicyViolation", "Password should have a minimum length of 8")
    assert fails(iam.create_login_profile, UserName=user, Password="abcdefgh1")[0] == "PasswordPolicyViolation"
    iam.update_account_password_policy(MinimumPasswordLength=10, RequireSymbols=True, RequireNumbers=True, RequireUppercaseCharacters=True,
                                       RequireLowercaseCharacters=True, MaxPasswordAge=90, PasswordReusePrevention=3)
    got = iam.get_account_password_policy()["PasswordPolicy"]
    assert got == {"MinimumPasswordLength": 10, "RequireSymbols": True, "RequireNumbers": True, "RequireUppercaseCharacters": True,
                   "RequireLowercaseCharacters": True, "AllowUsersToChangePassword": False, "ExpirePasswords": True, "MaxPasswordAge": 90,
                   "PasswordReusePrevention": 3, "HardExpiry": False}
    for password, lack in (("abcdefghi1!", "uppercase letter"), ("ABCDEFGHI1!", "lowercase letter"), ("Abcdefghij!", "number"), ("Abcdefghij1", "symbol")):
        assert fails(iam.create_login_profile, UserName=user, Password=password) == (
            "PasswordPolicyViolation", f"Password should have at least one {lack}")
    made = iam.create_login_profile(UserName=user, Password="Abcdefghi1!", PasswordResetRequired=True)["LoginProfile"]
    assert made["UserName"] == user and made["PasswordResetRequired"] is True
    assert fails(iam.create_login_profile, UserName=user, Password="Abcdefghi1!") == (
        "EntityAlreadyExists", f"Login Profile for user {user} already exists.")
    iam.update_login_profile(UserName=user, PasswordResetRequired=False)
    assert iam.get_login_profile(UserName=user)["LoginProfile"]["PasswordResetRequired"] is False
    assert fails(iam.update_login_profile, UserName=user, Password="short")[0] == "PasswordPolicyViolation"
    assert fails(iam.delete_user, UserName=user) == ("DeleteConflict", "Cannot delete entity, must delete login profile first.")
    iam.delete_login_profile(UserName=user)
    assert fails(iam.get_login_profile, UserName=user) == ("NoSuchEntity", f"Login Profile for User {user} cannot be found.")
    iam.delete_account_password_policy()
    assert fails(iam.get_account_password_policy) == none


def test_what_cannot_be_made_is_listed_empty(iam, user):
    """Who removes a user, or looks through an account, asks for them."""
    missing = ("NoSuchEntity", "The user with name absent cannot be found.")
    for name, member in (("list_mfa_devices", "MFADevices"), ("list_ssh_public_keys", "SSHPublicKeys"),
                         ("list_signing_certificates", "Certificates"),
                         ("list_service_specific_credentials", "ServiceSpecificCredentials")):
        got = getattr(iam, name)(UserName=user)
        assert got[member] == [] and not got.get("IsTruncated"), got
        assert fails(getattr(iam, name), UserName="absent") == missing
    assert fails(iam.list_mfa_devices, UserName=user, Marker="nonsense")[0] == "ValidationError"
    for name, member in (("list_virtual_mfa_devices", "VirtualMFADevices"),
                         ("list_server_certificates", "ServerCertificateMetadataList"), ("list_saml_providers", "SAMLProviderList")):
        assert getattr(iam, name)()[member] == []


def test_change_password(weir, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    mine = weir.client("iam", key["AccessKeyId"], key["SecretAccessKey"])
    arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
    change = lambda old, new, by=mine: by.change_password(OldPassword=old, NewPassword=new)
    first, second, third = "Abcdefghi1!", "Bcdefghij2!", "Cdefghijk3!"
    assert fails(change, old=first, new=second, by=iam) == ("InvalidUserType", "Only IAM Users can change their own password.")
    denied = f"User: {arn} is not authorized to perform: iam:ChangePassword on resource: {arn} because no identity-based policy allows the iam:ChangePassword action"
    assert fails(change, old=first, new=second) == ("AccessDenied", denied)
    # The account's policy may let everybody, whatever else he may.
    iam.update_account_password_policy(MinimumPasswordLength=10, AllowUsersToChangePassword=True, PasswordReusePrevention=2)
    assert fails(change, old=first, new=second) == ("NoSuchEntity", f"Login Profile for User {user} cannot be found.")
    iam.create_login_profile(UserName=user, Password=first, PasswordResetRequired=True)
    wrong = ("AccessDenied", "The old password was incorrect.")
    used = ("PasswordPolicyViolation", "Policy constraint violation with password reuse prevention during password change.")
    assert fails(change, old=second, new=third) == wrong
    assert fails(change, old=first, new="short") == ("PasswordPolicyViolation", "Password should have a minimum length of 10")
    assert fails(change, old=first, new=first) == used
    assert iam.get_login_profile(UserName=user)["LoginProfile"]["PasswordResetRequired"] is True
    change(first, second)
    assert iam.get_login_profile(UserName=user)["LoginProfile"]["PasswordResetRequired"] is False
    assert fails(change, old=first, new=third) == wrong
    assert fails(change, old=second, new=first) == used
    change(second, third)
    change(third, first)  # two are remembered, this was the third
    iam.update_login_profile(UserName=user, Password=second, PasswordResetRequired=True)
    assert fails(change, old=first, new=third) == wrong
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy(("Deny", "iam:ChangePassword", arn)))
    assert fails(change, old=second, new=third)[1].startswith(f"User: {arn} is not authorized to perform: iam:ChangePassword")
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy(("Allow", "iam:ChangePassword", "arn:aws:iam::*:user/${aws:username}")))
    iam.delete_account_password_policy()
    change(second, third)
    for word in ("OldPassword", "NewPassword"):
        code, message = fails(mine.change_password, **{"OldPassword": third, "NewPassword": first, word: "x" * 129})
        assert code == "ValidationError" and f"failed to satisfy constraint: Member must have length less than or equal to 128" in message and "xxx" not in message
    iam.delete_login_profile(UserName=user)
    iam.create_login_profile(UserName=user, Password=second)
    change(second, third)


def test_roles_and_arns(iam, user):
    n = name("role")
    assert "MaxSessionDuration" not in iam.create_role(RoleName=n, AssumeRolePolicyDocument=TRUST)["Role"]
    got = iam.get_role(RoleName=n)["Role"]
    assert got["MaxSessionDuration"] == 3600 and got["RoleLastUsed"] == {}
    wrong = "a" * 20
    for call, kw in ((iam.attach_user_policy, {"UserName": user, "PolicyArn": wrong}), (iam.detach_user_policy, {"UserName": user, "PolicyArn": wrong}),
                     (iam.put_role_permissions_boundary, {"RoleName": n, "PermissionsBoundary": wrong}), (iam.get_policy, {"PolicyArn": wrong}),
                     (iam.delete_policy, {"PolicyArn": wrong})):
        assert fails(call, **kw) == ("ValidationError", f"ARN {wrong} is not valid.")
    missing = f"arn:aws:iam::{ACCOUNT}:policy/none"
    for call, kw in ((iam.put_user_permissions_boundary, {"UserName": user}), (iam.put_role_permissions_boundary, {"RoleName": n}),
                     (iam.create_user, {"UserName": name("u")}), (iam.create_role, {"RoleName": name("r"), "AssumeRolePolicyDocument": TRUST})):
        assert fails(call, PermissionsBoundary=missing, **kw) == ("NoSuchEntity", f"Scope ARN: {missing} does not exist or is not attachable.")


# --- OpenID Connect providers -------------------------------------------------------------------------

def test_identity_providers(iam):
    host = name("idp") + ".example.com"
    made = iam.create_open_id_connect_provider(Url=f"https://{host}/a", ClientIDList=["c1", "c2", "c1"], ThumbprintList=["a" * 40],
                                               Tags=[{"Key": "k", "Value": "v"}])
    arn = made["OpenIDConnectProviderArn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}/a" and made["Tags"] == [{"Key": "k", "Value": "v"}]
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (got["Url"], got["ClientIDList"], got["ThumbprintList"]) == (f"{host}/a", ["c1", "c2"], ["a" * 40]) and got["CreateDate"]
    assert {"Arn": arn} in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert fails(iam.create_open_id_connect_provider, Url=f"https://{host}/a") == (
        "EntityAlreadyExists", f"Provider with url {host}/a already exists.")
    of = {"OpenIDConnectProviderArn": arn}
    iam.add_client_id_to_open_id_connect_provider(ClientID="c3", **of)
    iam.add_client_id_to_open_id_connect_provider(ClientID="c3", **of)
    iam.remove_client_id_from_open_id_connect_provider(ClientID="c1", **of)
    iam.remove_client_id_from_open_id_connect_provider(ClientID="never", **of)
    iam.update_open_id_connect_provider_thumbprint(ThumbprintList=["b" * 40, "c" * 40], **of)
    iam.tag_open_id_connect_provider(Tags=[{"Key": "a", "Value": "1"}], **of)
    iam.untag_open_id_connect_provider(TagKeys=["k"], **of)
    got = iam.get_open_id_connect_provider(**of)
    assert (got["ClientIDList"], got["ThumbprintList"], got["Tags"]) == (["c2", "c3"], ["b" * 40, "c" * 40], [{"Key": "a", "Value": "1"}])
    iam.tag_open_id_connect_provider(Tags=[{"Key": "b", "Value": "2"}], **of)
    page = iam.list_open_id_connect_provider_tags(MaxItems=1, **of)
    assert page["IsTruncated"] and page["Tags"] == [{"Key": "a", "Value": "1"}]
    assert iam.list_open_id_connect_provider_tags(Marker=page["Marker"], **of)["Tags"] == [{"Key": "b", "Value": "2"}]
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Providers"] >= 1
    iam.delete_open_id_connect_provider(**of)
    iam.delete_open_id_connect_provider(**of)
    missing = ("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}")
    for call, kw in ((iam.get_open_id_connect_provider, {}), (iam.add_client_id_to_open_id_connect_provider, {"ClientID": "c"}),
                     (iam.update_open_id_connect_provider_thumbprint, {"ThumbprintList": []}),
                     (iam.tag_open_id_connect_provider, {"Tags": [{"Key": "a", "Value": "1"}]}), (iam.list_open_id_connect_provider_tags, {})):
        assert fails(call, **of, **kw) == missing


@pytest.mark.parametrize("request_, error", [
    ({"Url": "http://example.com"}, "ValidationError"), ({"Url": "example.com"}, "ValidationError"),
    ({"Url": "https://example.com:8443"}, "ValidationError"), ({"Url": "https://example.com/?a=b"}, "ValidationError"),
    ({"Url": "https://"}, "ValidationError"), ({"Url": "https://" + "a" * 250}, "ValidationError"),
    ({"ThumbprintList": ["a" * 40] * 6}, "InvalidInput"), ({"ThumbprintList": ["a" * 39]}, "ValidationError"),
    ({"ClientIDList": [f"c{i}" for i in range(101)]}, "LimitExceeded"), ({"ClientIDList": ["a" * 256]}, "ValidationError"),
    ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "InvalidInput")])
def test_identity_provider_limits(iam, request_, error):
    assert fails(iam.create_open_id_connect_provider, **{"Url": f"https://{name('h')}.example.com", **request_})[0] == error


def test_identity_provider_permissions(weir, iam, user):
    host = name("idp") + ".example.com"
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy(
        ("Allow", "iam:CreateOpenIDConnectProvider", arn),
        ("Allow", "iam:GetOpenIDConnectProvider", "*", {"Condition": {"StringEquals": {"aws:ResourceTag/a": "1"}}})))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    his = weir.client("iam", key["AccessKeyId"], key["SecretAccessKey"])
    assert fails(his.create_open_id_connect_provider, Url=f"https://{host}x")[0] == "AccessDenied"
    his.create_open_id_connect_provider(Url=f"https://{host}")
    assert fails(his.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)[0] == "AccessDenied"
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=arn, Tags=[{"Key": "a", "Value": "1"}])
    his.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)


# --- when keys and roles were used --------------------------------------------------------------------

def test_last_use(weir, iam, user):
    key = iam.create_access_key(UserName=user)["AccessKey"]
    ask = {"AccessKeyId": key["AccessKeyId"]}
    unused = iam.get_access_key_last_used(**ask)
    assert (unused["UserName"], unused["AccessKeyLastUsed"]) == (user, {"ServiceName": "N/A", "Region": "N/A"})
    weir.client("sts", key["AccessKeyId"], key["SecretAccessKey"]).get_caller_identity()
    used = iam.get_access_key_last_used(**ask)["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sts", "us-east-1") and used["LastUsedDate"]
    role = name("role")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]}))["Role"]["Arn"]
    assert iam.get_role(RoleName=role)["Role"]["RoleLastUsed"] == {}
    c = weir.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    weir.client("sts", c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"]).get_caller_identity()
    last = iam.get_role(RoleName=role)["Role"]["RoleLastUsed"]
    assert last["Region"] == "us-east-1" and last["LastUsedDate"]
    weir.restart()  # what was not written yet is, when Weir stops
    assert iam.get_access_key_last_used(**ask)["AccessKeyLastUsed"] == used
    assert iam.get_role(RoleName=role)["Role"]["RoleLastUsed"] == last
    assert fails(iam.get_access_key_last_used, AccessKeyId="AKIAIOSFODNN7NOBODYS") == (
        "NoSuchEntity", "The Access Key with id AKIAIOSFODNN7NOBODYS cannot be found.")
