"""Lambda's versions and aliases, and what belongs to each of them: invocations, policies, configurations of
asynchronous invocations."""
import json
import re
import uuid

import pytest
from botocore.exceptions import ClientError

from test_lambda import Stage, code_of, raw, zipped
from weirtest import wait_for

SAYS = """
import os
def handler(event, context):
    if event == "raise":
        raise ValueError("no good")
    return [{text!r}, context.function_version, context.invoked_function_arn.split(":function:")[1],
            os.environ["AWS_LAMBDA_FUNCTION_VERSION"], context.log_stream_name.split("[")[1].split("]")[0]]
"""


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


def change(stage, name, text, **kw):
    return stage.awslambda.update_function_code(FunctionName=name, ZipFile=zipped(SAYS.format(text=text)), **kw)


def two_versions(stage):
    """Version 1 says one, 2 says two, $LATEST three."""
    name = stage.function(SAYS.format(text="one"))
    first = stage.awslambda.publish_version(FunctionName=name, Description="first")
    assert (first["Version"], first["Description"]) == ("1", "first")
    assert first["FunctionArn"].endswith(f":function:{name}:1")
    change(stage, name, "two")
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == "2"
    change(stage, name, "three")
    return name


@pytest.fixture(scope="module")
def versions(stage):
    return two_versions(stage)


def says(stage, name, qualifier=None, event=None):
    got = stage.invoke(name, event, **({"Qualifier": qualifier} if qualifier else {}))
    assert "FunctionError" not in got, got["Payload"].read()
    return got["ExecutedVersion"], json.load(got["Payload"])


def test_versions_run_what_was_published(stage, versions):
    assert says(stage, versions) == ("$LATEST", ["three", "$LATEST", versions, "$LATEST", "$LATEST"])
    assert says(stage, versions, "$LATEST")[1][2] == versions + ":$LATEST"
    assert says(stage, versions, "1") == ("1", ["one", "1", versions + ":1", "1", "1"])
    assert says(stage, versions, "2") == ("2", ["two", "2", versions + ":2", "2", "2"])
    assert says(stage, versions + ":1")[0] == "1"  # in the name
    arn = stage.awslambda.get_function_configuration(FunctionName=versions, Qualifier="2")["FunctionArn"]
    assert says(stage, arn)[0] == "2"
    lines = wait_for(lambda: [line for line in stage.log_lines(versions) if line.startswith("START")][4:], what="log")
    assert {line.split("Version: ")[1].strip() for line in lines} <= {"1", "2", "$LATEST"}


def test_what_has_not_changed_is_not_published_again(stage, versions):
    name = stage.function(SAYS.format(text="one"))
    first = stage.awslambda.publish_version(FunctionName=name)
    again = stage.awslambda.publish_version(FunctionName=name)
    assert (again["Version"], again["RevisionId"]) == ("1", first["RevisionId"])
    stage.awslambda.update_function_configuration(FunctionName=name, MemorySize=192)
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == "2"
    kept = stage.awslambda.get_function_configuration(FunctionName=name, Qualifier="1")
    assert kept["MemorySize"] == 256 and kept["Version"] == "1"
    # A number is not used twice.
    stage.awslambda.delete_function(FunctionName=name, Qualifier="2")
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == "3"


def test_publish_with_the_code(stage):
    name = "p-" + uuid.uuid4().hex[:8]
    made = stage.awslambda.create_function(
        FunctionName=name, Runtime=stage.runtime(), Role=stage.role(), Handler="app.handler", Publish=True,
        Code={"ZipFile": zipped(SAYS.format(text="one"))})
    assert made["Version"] == "1" and made["FunctionArn"].endswith(":function:" + name)
    updated = change(stage, name, "two", Publish=True)
    assert updated["Version"] == "2" and updated["FunctionArn"].endswith(f":function:{name}:2")
    assert updated["State"] == "Pending" and "LastUpdateStatus" not in updated
    same = change(stage, name, "two", Publish=True)  # nothing new: the version as it is
    assert (same["Version"], same["State"], same["LastUpdateStatus"]) == ("2", "Active", "Successful")
    tried = change(stage, name, "three", Publish=True, DryRun=True)
    assert tried["LastUpdateStatus"] == "Successful"
    listed = stage.awslambda.list_versions_by_function(FunctionName=name)["Versions"]
    assert [v["Version"] for v in listed] == ["$LATEST", "1", "2"]
    assert says(stage, name, "2")[1][0] == says(stage, name)[1][0] == "two"


def test_publish_conditions(stage):
    name = stage.function(SAYS.format(text="one"))
    conf = stage.awslambda.get_function_configuration(FunctionName=name)
    with pytest.raises(ClientError) as e:
        stage.awslambda.publish_version(FunctionName=name, CodeSha256="other")
    assert code_of(e) == "InvalidParameterValueException" and conf["CodeSha256"] in str(e.value)
    with pytest.raises(ClientError) as e:
        stage.awslambda.publish_version(FunctionName=name, RevisionId="other")
    assert code_of(e) == "PreconditionFailedException"
    assert stage.awslambda.publish_version(FunctionName=name, CodeSha256=conf["CodeSha256"],
                                           RevisionId=conf["RevisionId"])["Version"] == "1"
    with pytest.raises(ClientError) as e:
        stage.awslambda.publish_version(FunctionName="none")
    assert code_of(e) == "ResourceNotFoundException"


def test_versions_are_listed_by_number(stage):
    name = stage.function()
    for i in range(11):
        stage.awslambda.update_function_configuration(FunctionName=name, Timeout=20 + i)
        stage.awslambda.publish_version(FunctionName=name)
    for size in (1, 5, 12, 50):
        found, marker = [], {}
        while True:
            page = stage.awslambda.list_versions_by_function(FunctionName=name, MaxItems=size, **marker)
            assert len(page["Versions"]) <= size
            found += [v["Version"] for v in page["Versions"]]
            if not page.get("NextMarker"):
                break
            marker = {"Marker": page["NextMarker"]}
        assert found == ["$LATEST"] + [str(i + 1) for i in range(11)], size
    pages = stage.awslambda.get_paginator("list_functions").paginate(FunctionVersion="ALL")
    arns = [f["FunctionArn"] for page in pages for f in page["Functions"] if f["FunctionName"] == name]
    assert len(arns) == 12 and arns[0].endswith(":$LATEST") and arns[-1].endswith(":11")
    plain = [f["Version"] for page in stage.awslambda.get_paginator("list_functions").paginate() for f in page["Functions"]
             if f["FunctionName"] == name]
    assert plain == ["$LATEST"]
    with pytest.raises(ClientError) as e:
        stage.awslambda.list_versions_by_function(FunctionName=name, Marker="other")
    assert code_of(e) == "InvalidParameterValueException"


def test_aliases(stage):
    name = two_versions(stage)
    made = stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="d")
    assert made["AliasArn"].endswith(f":function:{name}:live") and made["FunctionVersion"] == "1"
    assert "RoutingConfig" not in made and made["Description"] == "d"
    assert says(stage, name, "live") == ("1", ["one", "1", name + ":live", "1", "1"])
    got = stage.awslambda.get_alias(FunctionName=name, Name="live")
    assert got["RevisionId"] == made["RevisionId"]
    moved = stage.awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RevisionId=got["RevisionId"])
    assert moved["RevisionId"] != got["RevisionId"] and moved["Description"] == "d"
    assert says(stage, name + ":live")[1][:3] == ["two", "2", name + ":live"]
    stage.awslambda.create_alias(FunctionName=name, Name="dev", FunctionVersion="$LATEST")
    assert says(stage, name, "dev")[1][:2] == ["three", "$LATEST"]
    conf = stage.awslambda.get_function(FunctionName=name, Qualifier="live")["Configuration"]
    assert conf["Version"] == "2" and conf["FunctionArn"].endswith(":live")
    listed = stage.awslambda.list_aliases(FunctionName=name)["Aliases"]
    assert [a["Name"] for a in listed] == ["dev", "live"]
    assert [a["Name"] for a in stage.awslambda.list_aliases(FunctionName=name, FunctionVersion="2")["Aliases"]] == ["live"]
    first = stage.awslambda.list_aliases(FunctionName=name, MaxItems=1)
    rest = stage.awslambda.list_aliases(FunctionName=name, MaxItems=1, Marker=first["NextMarker"])
    assert [a["Name"] for a in first["Aliases"] + rest["Aliases"]] == ["dev", "live"] and not rest.get("NextMarker")
    stage.awslambda.delete_alias(FunctionName=name, Name="dev")
    stage.awslambda.delete_alias(FunctionName=name, Name="dev")  # again, as on AWS
    with pytest.raises(ClientError) as e:
        stage.invoke(name, 1, Qualifier="dev")
    assert code_of(e) == "ResourceNotFoundException"


def test_alias_of_two_versions(stage):
    name = two_versions(stage)
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1",
                                 RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    assert {says(stage, name, "live")[0] for _ in range(40)} == {"1", "2"}
    got = stage.awslambda.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
    assert got["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 1.0}} and got["FunctionVersion"] == "1"
    assert {says(stage, name, "live")[0] for _ in range(10)} == {"2"}
    got = stage.awslambda.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in got
    assert {says(stage, name, "live")[0] for _ in range(10)} == {"1"}


BAD_ALIASES = [
    (dict(FunctionVersion="9"), "ResourceNotFoundException"),
    (dict(Name="taken", FunctionVersion="1"), "ResourceConflictException"),
    (dict(Name="7", FunctionVersion="1"), "ValidationException"),
    (dict(FunctionVersion="1", Description="x" * 257), "ValidationException"),
    (dict(FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"9": 0.1}}), "ResourceNotFoundException"),
    (dict(FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}), "InvalidParameterValueException"),
    (dict(FunctionVersion="$LATEST", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}), "InvalidParameterValueException"),
    (dict(FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1, "2": 0.1}}), "InvalidParameterValueException"),
    (dict(FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 1.5}}), "ValidationException"),
]


def test_bad_aliases(stage):
    name = two_versions(stage)
    stage.awslambda.create_alias(FunctionName=name, Name="taken", FunctionVersion="1")
    for args, error in BAD_ALIASES:
        with pytest.raises(ClientError) as e:
            stage.awslambda.create_alias(**{"FunctionName": name, "Name": "new", **args})
        assert code_of(e) == error, args
    with pytest.raises(ClientError) as e:
        stage.awslambda.create_alias(FunctionName="none", Name="new", FunctionVersion="1")
    assert code_of(e) == "ResourceNotFoundException"
    for call in (stage.awslambda.get_alias, stage.awslambda.update_alias):
        with pytest.raises(ClientError) as e:
            call(FunctionName=name, Name="none")
        assert code_of(e) == "ResourceNotFoundException" and f":function:{name}:none" in str(e.value)
    with pytest.raises(ClientError) as e:
        stage.awslambda.update_alias(FunctionName=name, Name="taken", RevisionId="other")
    assert code_of(e) == "PreconditionFailedException"
    assert [a["Name"] for a in stage.awslambda.list_aliases(FunctionName=name)["Aliases"]] == ["taken"]


def test_deleting_versions(stage):
    name = two_versions(stage)
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="2",
                                 RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}})
    for used in ("1", "2"):
        with pytest.raises(ClientError) as e:
            stage.awslambda.delete_function(FunctionName=name, Qualifier=used)
        assert code_of(e) == "ResourceConflictException"
    for bad, error in (("$LATEST", "InvalidParameterValueException"), ("live", "InvalidParameterValueException"),
                       ("nobody", "ResourceNotFoundException")):
        with pytest.raises(ClientError) as e:
            stage.awslambda.delete_function(FunctionName=name, Qualifier=bad)
        assert code_of(e) == error
    stage.awslambda.delete_alias(FunctionName=name, Name="live")
    stage.awslambda.delete_function(FunctionName=name, Qualifier="1")
    with pytest.raises(ClientError) as e:
        stage.invoke(name, 1, Qualifier="1")
    assert code_of(e) == "ResourceNotFoundException"
    assert says(stage, name, "2")[1][0] == "two" and says(stage, name)[1][0] == "three"


def test_what_hangs_on_a_deleted_function(stage):
    """Created anew it has neither its versions nor its aliases, nor what was permitted on them."""
    name = two_versions(stage)
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    stage.awslambda.add_permission(FunctionName=name, Qualifier="live", StatementId="s", Action="lambda:InvokeFunction",
                                   Principal="s3.amazonaws.com")
    stage.awslambda.delete_function(FunctionName=name)
    stage.function(SAYS.format(text="new"), FunctionName=name)
    for qualifier in ("1", "live"):
        with pytest.raises(ClientError) as e:
            stage.invoke(name, 1, Qualifier=qualifier)
        assert code_of(e) == "ResourceNotFoundException"
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == "1"
    assert says(stage, name, "1")[1][0] == "new"
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    with pytest.raises(ClientError) as e:
        stage.awslambda.get_policy(FunctionName=name, Qualifier="live")
    assert code_of(e) == "ResourceNotFoundException"


def test_policies_of_aliases(stage, versions):
    """A permission for an alias is none for the function, nor the other way round."""
    stage.awslambda.create_alias(FunctionName=versions, Name="open", FunctionVersion="1")
    user = "u-" + uuid.uuid4().hex[:8]
    arn = stage.iam.create_user(UserName=user)["User"]["Arn"]
    key = stage.iam.create_access_key(UserName=user)["AccessKey"]
    mine = stage.weir.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    stage.awslambda.add_permission(FunctionName=versions, Qualifier="open", StatementId="s", Action="lambda:InvokeFunction",
                                   Principal=arn)
    policy = json.loads(stage.awslambda.get_policy(FunctionName=versions, Qualifier="open")["Policy"])
    assert policy["Statement"][0]["Resource"].endswith(f":function:{versions}:open")
    assert json.load(mine.invoke(FunctionName=versions, Qualifier="open", Payload=b"1")["Payload"])[0] == "one"
    assert json.load(mine.invoke(FunctionName=versions + ":open", Payload=b"1")["Payload"])[0] == "one"
    for other in ({}, {"Qualifier": "1"}, {"Qualifier": "$LATEST"}):
        with pytest.raises(ClientError) as e:
            mine.invoke(FunctionName=versions, Payload=b"1", **other)
        assert code_of(e) == "AccessDeniedException"
    with pytest.raises(ClientError) as e:
        stage.awslambda.get_policy(FunctionName=versions)
    assert code_of(e) == "ResourceNotFoundException"
    stage.awslambda.remove_permission(FunctionName=versions, Qualifier="open", StatementId="s")
    with pytest.raises(ClientError) as e:
        mine.invoke(FunctionName=versions, Qualifier="open", Payload=b"1")
    assert code_of(e) == "AccessDeniedException"


def test_a_qualifier_in_the_name_is_what_is_denied(stage, versions):
    stage.awslambda.create_alias(FunctionName=versions, Name="shut", FunctionVersion="1")
    user = "u-" + uuid.uuid4().hex[:8]
    stage.iam.create_user(UserName=user)
    everything = f"arn:aws:lambda:us-east-1:000000000000:function:{versions}"
    stage.iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "lambda:*", "Resource": [everything, everything + ":*"]},
        {"Effect": "Deny", "Action": "lambda:*", "Resource": everything + ":shut"}]}))
    key = stage.iam.create_access_key(UserName=user)["AccessKey"]
    mine = stage.weir.client("lambda", key["AccessKeyId"], key["SecretAccessKey"])
    assert mine.invoke(FunctionName=versions, Payload=b"1")["StatusCode"] == 200
    for args in ({"FunctionName": versions, "Qualifier": "shut"}, {"FunctionName": versions + ":shut"},
                 {"FunctionName": everything + ":shut"}, {"FunctionName": f"000000000000:function:{versions}:shut"}):
        with pytest.raises(ClientError) as e:
            mine.invoke(Payload=b"1", **args)
        assert code_of(e) == "AccessDeniedException", args


def test_reserved_concurrency_is_of_all_versions(stage):
    name = two_versions(stage)
    stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    for qualifier in ("$LATEST", "1", "2"):
        with pytest.raises(ClientError) as e:
            stage.invoke(name, 1, Qualifier=qualifier)
        assert code_of(e) == "TooManyRequestsException"
    stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    assert says(stage, name, "1")[0] == "1"
    stage.awslambda.delete_function_concurrency(FunctionName=name)
    assert says(stage, name, "2")[0] == "2"


def test_versions_after_a_restart(make_weir):
    server = make_weir()
    mine = Stage(server)
    name = two_versions(mine)
    mine.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1",
                                RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
    server.restart()
    mine = Stage(server)
    assert says(mine, name, "1")[1][0] == "one" and says(mine, name, "live")[1][0] == "two"
    assert says(mine, name)[1][0] == "three"


def packages(server):
    import os
    return sorted(os.listdir(os.path.join(server.data_dir, "lambda", "code")))


def test_packages_go_with_their_last_version(make_weir):
    server = make_weir()
    mine = Stage(server)
    name = mine.function(SAYS.format(text="one"))
    mine.awslambda.publish_version(FunctionName=name)
    mine.awslambda.update_function_configuration(FunctionName=name, MemorySize=512)
    mine.awslambda.publish_version(FunctionName=name)
    change(mine, name, "two")  # its package is that of two versions
    assert says(mine, name, "1")[1][0] == says(mine, name, "2")[1][0] == "one" and says(mine, name)[1][0] == "two"
    assert len(packages(server)) == 4  # a folder and a file each
    mine.awslambda.delete_function(FunctionName=name, Qualifier="1")
    assert says(mine, name, "2")[1][0] == "one"
    mine.awslambda.delete_function(FunctionName=name, Qualifier="2")
    wait_for(lambda: len(packages(server)) == 2, what="removal of the package")
    assert says(mine, name)[1][0] == "two"
    mine.awslambda.delete_function(FunctionName=name)
    wait_for(lambda: not packages(server), what="removal of all packages")


# --- asynchronous invocations -----------------------------------------------------------------------


def test_event_invoke_config_of_each(stage):
    name = two_versions(stage)
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for i, qualifier in enumerate((None, "2", "live")):
        args = {"Qualifier": qualifier} if qualifier else {}
        with pytest.raises(ClientError) as e:
            stage.awslambda.get_function_event_invoke_config(FunctionName=name, **args)
        assert code_of(e) == "ResourceNotFoundException"
        with pytest.raises(ClientError) as e:
            stage.awslambda.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1, **args)
        assert code_of(e) == "ResourceNotFoundException"
        put = stage.awslambda.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1,
                                                               MaximumEventAgeInSeconds=100 + i, **args)
        assert put["FunctionArn"].endswith(f":function:{name}:{qualifier or '$LATEST'}")
        stage.awslambda.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0, **args)
    for i, qualifier in enumerate((None, "2", "live")):
        got = stage.awslambda.get_function_event_invoke_config(FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))
        assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"]) == (0, 100 + i)
    for size in (1, 2, 3, 50):
        found, marker = [], {}
        while True:
            page = stage.awslambda.list_function_event_invoke_configs(FunctionName=name, MaxItems=size, **marker)
            assert len(page["FunctionEventInvokeConfigs"]) <= size
            found += [c["FunctionArn"].rsplit(":", 1)[1] for c in page["FunctionEventInvokeConfigs"]]
            if not page.get("NextMarker"):
                break
            marker = {"Marker": page["NextMarker"]}
        assert found == ["$LATEST", "2", "live"], size
    stage.awslambda.delete_function_event_invoke_config(FunctionName=name, Qualifier="live")
    with pytest.raises(ClientError) as e:
        stage.awslambda.delete_function_event_invoke_config(FunctionName=name, Qualifier="live")
    assert code_of(e) == "ResourceNotFoundException"
    left = stage.awslambda.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    assert len(left) == 2


def test_destinations_of_an_alias(stage):
    name = two_versions(stage)
    good_url, good = stage.queue()
    bad_url, bad = stage.queue()
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    stage.awslambda.put_function_event_invoke_config(
        FunctionName=name, Qualifier="live", MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": good}, "OnFailure": {"Destination": bad}})
    stage.invoke(name, "well", InvocationType="Event", Qualifier="live")
    record = json.loads(stage.receive(good_url)["Body"])
    assert record["requestContext"]["functionArn"].endswith(f":function:{name}:live")
    assert record["requestContext"]["condition"] == "Success"
    assert record["responseContext"]["executedVersion"] == "1" and record["responsePayload"][0] == "one"
    stage.invoke(name + ":live", "raise", InvocationType="Event")
    record = json.loads(stage.receive(bad_url)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted" and record["requestPayload"] == "raise"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "1", "functionError": "Unhandled"}


def test_a_version_as_destination_and_target(stage):
    """Sent on to version 2, by name."""
    url, queue = stage.queue()
    last = two_versions(stage)
    stage.awslambda.put_function_event_invoke_config(FunctionName=last, Qualifier="2", DestinationConfig={"OnSuccess": {"Destination": queue}})
    first = stage.function(SAYS.format(text="first"))
    arn = stage.awslambda.get_function_configuration(FunctionName=last, Qualifier="2")["FunctionArn"]
    stage.awslambda.put_function_event_invoke_config(FunctionName=first, DestinationConfig={"OnSuccess": {"Destination": arn}})
    stage.invoke(first, 1, InvocationType="Event")
    record = json.loads(stage.receive(url)["Body"])
    assert record["responsePayload"][:3] == ["two", "2", last + ":2"]
    assert record["requestPayload"]["responsePayload"][0] == "first"


def test_tags_are_the_functions(stage, versions):
    arn = stage.awslambda.get_function_configuration(FunctionName=versions)["FunctionArn"]
    stage.awslambda.tag_resource(Resource=arn, Tags={"a": "b"})
    assert stage.awslambda.get_function(FunctionName=versions, Qualifier="1")["Tags"] == {"a": "b"}
    with pytest.raises(ClientError) as e:
        stage.awslambda.tag_resource(Resource=arn + ":1", Tags={"a": "b"})
    assert code_of(e) == "InvalidParameterValueException"


def test_what_takes_no_qualifier(stage, versions):
    """Only $LATEST can be changed."""
    for call, args in ((stage.awslambda.update_function_configuration, {"MemorySize": 512}),
                       (stage.awslambda.put_function_concurrency, {"ReservedConcurrentExecutions": 1})):
        with pytest.raises(ClientError) as e:
            call(FunctionName=versions + ":1", **args)
        assert code_of(e) in ("ResourceNotFoundException", "ValidationException")


def test_who_updates_runtimes(stage):
    def ask(method, name, body=None, qualifier=None):
        """Older clients do not know the operations."""
        query = f"?Qualifier={qualifier}" if qualifier else ""
        return raw(stage, method, f"/2021-07-20/functions/{name}/runtime-management-config{query}", body)

    name = stage.function()
    arn = stage.awslambda.get_function_configuration(FunctionName=name)["FunctionArn"]
    assert ask("GET", name) == {"UpdateRuntimeOn": "Auto", "FunctionArn": arn + ":$LATEST"}
    version = stage.awslambda.publish_version(FunctionName=name)["Version"]
    assert ask("PUT", name, {"UpdateRuntimeOn": "FunctionUpdate"}) == {"UpdateRuntimeOn": "FunctionUpdate", "FunctionArn": arn + ":$LATEST"}
    assert ask("GET", name)["UpdateRuntimeOn"] == "FunctionUpdate"
    assert ask("GET", name, qualifier=version)["UpdateRuntimeOn"] == "Auto"
    assert stage.awslambda.publish_version(FunctionName=name)["Version"] == version  # the same code and settings
    shown = raw(stage, "GET", f"/2015-03-31/functions/{name}/configuration", None)
    here = shown["RuntimeVersionConfig"]["RuntimeVersionArn"]
    assert re.fullmatch("arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}", here)
    manual = {"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": here}
    assert ask("PUT", name, manual, version) == {**manual, "FunctionArn": f"{arn}:{version}"}
    assert ask("GET", name, qualifier=version) == {**manual, "FunctionArn": f"{arn}:{version}"}
    assert "RuntimeVersionArn" not in ask("GET", name)
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    for said, body, qualifier in (("needs a RuntimeVersionArn", {"UpdateRuntimeOn": "Manual"}, None),
                                  ("only for", {**manual, "UpdateRuntimeOn": "Auto"}, None),
                                  ("is not here", {**manual, "RuntimeVersionArn": here + "1"}, None),
                                  ("not an alias", {"UpdateRuntimeOn": "Auto"}, "live"),
                                  ("failed to satisfy", {"UpdateRuntimeOn": "Never"}, None),
                                  ("not found", {"UpdateRuntimeOn": "Auto"}, "77")):
        reply = ask("PUT", name, body, qualifier)
        assert said in reply.get("message", reply.get("Message")), reply
    assert "not found" in ask("GET", "nobody")["Message"]
    # A version that was chosen goes with its runtime.
    ask("PUT", name, manual)
    stage.awslambda.update_function_configuration(FunctionName=name, Runtime="provided.al2023")
    assert ask("GET", name)["UpdateRuntimeOn"] == "Auto"
