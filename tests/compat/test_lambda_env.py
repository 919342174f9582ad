"""Environments of functions under a key of KMS: who may set, read and run them, and what becomes of them with the key."""
import json

import pytest
from botocore.exceptions import ClientError

from test_kms_use import code, error, kms, make_key, name, states, user  # noqa: F401 (fixtures)
from test_lambda import Stage

VARIABLES = {"ONE": "first value", "TWO": "ünicode", "EMPTY": ""}
CONTEXT = "aws:lambda:FunctionArn"
REFUSED = {"disabled": ("KMSDisabledException", "DisabledException"), "pending": ("KMSInvalidStateException", "KMSInvalidStateException")}


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


@pytest.fixture
def key(kms):
    return make_key(kms)


def function(stage, key, **kw):
    """Its role may do nothing of KMS's."""
    role = kw.pop("Role", None) or stage.role(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"}]}))
    return stage.function(Role=role, KMSKeyArn=key, Environment={"Variables": VARIABLES}, **kw)


def runs(stage, name, **kw):
    """What the function sees of VARIABLES."""
    reply = stage.invoke(name, {"kind": "env"}, **kw)
    got = json.loads(reply["Payload"].read())
    return {k: got[k] for k in VARIABLES if k in got}


def cold(stage, name):
    """Another revision: its environments start anew."""
    stage.awslambda.update_function_configuration(FunctionName=name, Description="again")


def shown(client, name, **kw):
    return client.get_function_configuration(FunctionName=name, **kw)


def test_set_shown_and_run(stage, kms, key):
    name = function(stage, key)
    config = shown(stage.awslambda, name)
    assert config["KMSKeyArn"] == key and config["Environment"] == {"Variables": VARIABLES}
    assert runs(stage, name) == VARIABLES
    assert stage.awslambda.get_function(FunctionName=name)["Configuration"]["Environment"]["Variables"] == VARIABLES
    pages = stage.awslambda.get_paginator("list_functions").paginate()
    listed = {f["FunctionName"]: f for page in pages for f in page["Functions"]}
    assert listed[name]["Environment"] == {"Variables": VARIABLES}
    grants = kms.list_grants(KeyId=key)["Grants"]
    assert len(grants) == 1 and grants[0]["Operations"] == ["Decrypt"]
    assert grants[0]["GranteePrincipal"].endswith("/" + name)
    assert grants[0]["Constraints"] == {"EncryptionContextEquals": {CONTEXT: config["FunctionArn"]}}
    version = stage.awslambda.publish_version(FunctionName=name)
    assert (version["Version"], version["KMSKeyArn"], version["Environment"]) == ("1", key, {"Variables": VARIABLES})
    assert runs(stage, name, Qualifier="1") == VARIABLES
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == "1"
    changed = stage.awslambda.update_function_configuration(FunctionName=name, Environment={"Variables": {"ONE": "new"}})
    assert changed["Environment"] == {"Variables": {"ONE": "new"}} and changed["KMSKeyArn"] == key
    assert runs(stage, name) == {"ONE": "new"} and runs(stage, name, Qualifier="1") == VARIABLES
    assert len(kms.list_grants(KeyId=key)["Grants"]) == 1


def test_a_key_that_does_not_work(stage, kms, key):
    name = function(stage, key)
    for state in states(kms, key):
        invoke, code_of_kms = REFUSED[state]
        cold(stage, name)
        with pytest.raises(ClientError) as e:
            stage.invoke(name, {})
        reply = e.value.response
        assert reply["Error"]["Code"] == invoke and reply["ResponseMetadata"]["HTTPStatusCode"] == 502
        assert "decrypt the environment variables" in reply["Error"].get("Message", reply.get("Message"))
        told = shown(stage.awslambda, name)["Environment"]
        assert told["Error"]["ErrorCode"] == code_of_kms and "Variables" not in told
        args = dict(FunctionName=name, Environment={"Variables": {"AB": "b"}})
        refused, message = error(stage.awslambda.update_function_configuration, **args)
        assert refused == "InvalidParameterValueException" and code_of_kms in message
    assert runs(stage, name) == VARIABLES


def test_a_role_whose_grant_was_revoked(stage, kms, key):
    name = function(stage, key)
    assert runs(stage, name) == VARIABLES
    kms.revoke_grant(KeyId=key, GrantId=kms.list_grants(KeyId=key)["Grants"][0]["GrantId"])
    assert runs(stage, name) == VARIABLES  # an environment that runs has them already
    cold(stage, name)
    assert code(stage.invoke, name=name, event={}) == "KMSAccessDeniedException"
    stage.awslambda.update_function_configuration(FunctionName=name, Role=stage.role(None))
    assert runs(stage, name) == VARIABLES
    poor = shown(stage.awslambda, name)["Role"]
    stage.awslambda.update_function_configuration(FunctionName=name, Role=stage.role())
    kms.revoke_grant(KeyId=key, GrantId=kms.list_grants(KeyId=key)["Grants"][0]["GrantId"])
    kms.revoke_grant(KeyId=key, GrantId=kms.list_grants(KeyId=key)["Grants"][0]["GrantId"])
    cold(stage, name)
    assert runs(stage, name) == VARIABLES  # by the role's own policies
    assert poor != shown(stage.awslambda, name)["Role"]


def test_who_may_set_and_read_it(stage, kms, key, user):  # noqa: F811
    via = {"StringEquals": {"kms:ViaService": "lambda.us-east-1.amazonaws.com"}}
    basic = ["lambda:*", "iam:PassRole"]
    role = stage.role()

    def create(client, name):
        stage_of = Stage(stage.weir)
        stage_of.awslambda = client
        return function(stage_of, key, Role=role, FunctionName=name)

    for n, actions in enumerate((["kms:Encrypt"], ["kms:CreateGrant"])):
        client = user(f"{n}", [*basic, *actions])("lambda")
        refused, message = error(create, client=client, name=f"never-{n}")
        assert refused == "InvalidParameterValueException" and "AccessDeniedException" in message
    writer = user("writer", [*basic, "kms:Encrypt", "kms:CreateGrant"], via)("lambda")
    made = create(writer, "by-writer")
    told = shown(writer, made)["Environment"]
    assert told["Error"]["ErrorCode"] == "AccessDeniedException" and "Variables" not in told
    writer.update_function_configuration(FunctionName=made, Timeout=9)
    assert runs(stage, made) == VARIABLES
    reader = user("reader", ["lambda:*", "kms:Decrypt"], via)("lambda")
    assert shown(reader, made)["Environment"] == {"Variables": VARIABLES}
    # Another key means reading what there is.
    other = make_key(kms)
    refused, message = error(writer.update_function_configuration, FunctionName=made, KMSKeyArn=other)
    assert refused == "InvalidParameterValueException" and "Decrypt" in message
    assert writer.update_function_configuration(
        FunctionName=made, KMSKeyArn=other, Environment={"Variables": {"ONE": "x"}})["KMSKeyArn"] == other
    assert runs(stage, made) == {"ONE": "x"}


def test_changing_and_leaving_a_key(stage, kms, key):
    name, other = function(stage, key), make_key(kms)

    def change(**kw):
        return stage.awslambda.update_function_configuration(FunctionName=name, **kw)

    assert change(KMSKeyArn=other)["KMSKeyArn"] == other
    kms.disable_key(KeyId=key)
    assert runs(stage, name) == VARIABLES
    assert "KMSKeyArn" not in change(KMSKeyArn="")
    kms.disable_key(KeyId=other)
    assert runs(stage, name) == VARIABLES
    assert shown(stage.awslambda, name)["Environment"] == {"Variables": VARIABLES}
    assert code(stage.awslambda.update_function_configuration, FunctionName=name, KMSKeyArn=key) == "InvalidParameterValueException"
    kms.enable_key(KeyId=key)
    assert change(KMSKeyArn=key)["KMSKeyArn"] == key
    kms.disable_key(KeyId=key)
    assert code(stage.invoke, name=name, event={}) == "KMSDisabledException"
    # What cannot be read can be replaced.
    assert change(KMSKeyArn="", Environment={"Variables": {"ONE": "x"}})["Environment"] == {"Variables": {"ONE": "x"}}
    assert runs(stage, name) == {"ONE": "x"}


@pytest.mark.parametrize("kind", ["no such", "hmac", "disabled", "other service"])
def test_keys_that_cannot_be(stage, kms, kind):
    if kind == "hmac":
        arn = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
    elif kind == "disabled":
        arn = make_key(kms)
        kms.disable_key(KeyId=arn)
    else:
        arn = "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000" if kind == "no such" \
            else "arn:aws:sqs:us-east-1:000000000000:q"
    assert code(function, stage=stage, key=arn) == "InvalidParameterValueException"
