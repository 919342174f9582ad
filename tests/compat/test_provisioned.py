"""Provisioned concurrency: environments of a version that are there before anybody asks, used first, and there again
after whatever ended them."""
import json
import uuid

import pytest
from botocore.exceptions import ClientError

from test_lambda import Stage, code_of
from test_cloudwatch import total_of
from weirtest import wait_for

SOURCE = """
import os, time, uuid
me = uuid.uuid4().hex
print("made " + me)
def handler(event, context):
    if event == "exit":
        os._exit(1)
    if event == "sleep":
        time.sleep(1)
    return [me, os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], context.function_version]
"""


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


@pytest.fixture
def name(stage):
    name = stage.function(SOURCE)
    stage.awslambda.publish_version(FunctionName=name)
    yield name
    stage.awslambda.delete_function(FunctionName=name)


def put(stage, name, n, qualifier="1"):
    return stage.awslambda.put_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=n)


def get(stage, name, qualifier="1"):
    return stage.awslambda.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)


def ready(stage, name, n, qualifier="1"):
    def look():
        got = get(stage, name, qualifier)
        assert got["RequestedProvisionedConcurrentExecutions"] == n
        return got if got["Status"] == "READY" else None
    got = wait_for(look, what="warm environments")
    assert got["AllocatedProvisionedConcurrentExecutions"] == got["AvailableProvisionedConcurrentExecutions"] == n
    assert "StatusReason" not in got
    return got


def says(stage, name, qualifier="1", event=None):
    got = stage.invoke(name, event, Qualifier=qualifier)
    assert "FunctionError" not in got, got["Payload"].read()
    return json.load(got["Payload"])


def made(stage, name):
    return [line.split()[1] for line in stage.log_lines(name) if line.startswith("made ")]


def test_made_before_anybody_asks_and_used_first(stage, name):
    first = put(stage, name, 2)
    assert first["Status"] == "IN_PROGRESS" and first["RequestedProvisionedConcurrentExecutions"] == 2 and first["LastModified"]
    assert first["AllocatedProvisionedConcurrentExecutions"] == 0
    ready(stage, name, 2)
    there = wait_for(lambda: len(made(stage, name)) == 2 and made(stage, name), what="prints of initialisation")
    assert not any("START" in line for line in stage.log_lines(name))
    for _ in range(3):
        me, kind, version = says(stage, name)
        assert me in there and kind == "provisioned-concurrency" and version == "1"
    # What is not the version's own is started on demand.
    me, kind, _ = says(stage, name, "$LATEST")
    assert me not in there and kind == "on-demand"
    # One less: what is too much ends.
    put(stage, name, 1)
    ready(stage, name, 1)
    assert says(stage, name)[0] in there
    stage.awslambda.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    assert wait_for(lambda: says(stage, name)[1] == "on-demand", what="an environment on demand")
    with pytest.raises(ClientError) as e:
        get(stage, name)
    assert code_of(e) == "ProvisionedConcurrencyConfigNotFoundException"
    stage.awslambda.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")  # again


def test_metrics_of_warm_environments(weir, stage, name):
    """What runs in a warm one is told so, and what does not as spilled over, by function and version."""
    cw = weir.client("cloudwatch")
    put(stage, name, 2)
    ready(stage, name, 2)
    says(stage, name)
    says(stage, name, "$LATEST")  # none of those that has warm ones
    dims = {"FunctionName": name, "Resource": f"{name}:1"}
    wait_for(lambda: total_of(cw, "AWS/Lambda", "ProvisionedConcurrencyInvocations", **dims) == 1)
    assert total_of(cw, "AWS/Lambda", "ProvisionedConcurrentExecutions", "Maximum", **dims) == 1
    assert total_of(cw, "AWS/Lambda", "ProvisionedConcurrencyUtilization", "Maximum", **dims) == 50
    assert total_of(cw, "AWS/Lambda", "ProvisionedConcurrencySpilloverInvocations", FunctionName=name) == 0
    wait_for(lambda: total_of(cw, "AWS/Lambda", "Invocations", FunctionName=name) == 2)


def test_those_that_end_are_replaced(stage, name):
    put(stage, name, 1)
    ready(stage, name, 1)
    one = says(stage, name)[0]
    assert "FunctionError" in stage.invoke(name, "exit", Qualifier="1")
    wait_for(lambda: len(made(stage, name)) >= 2, what="another environment")
    ready(stage, name, 1)
    other = says(stage, name)
    assert other[0] != one and other[1] == "provisioned-concurrency"


def test_more_than_are_warm_start_on_demand(weir, stage, name):
    import threading
    put(stage, name, 1)
    ready(stage, name, 1)
    kinds = []
    threads = [threading.Thread(target=lambda: kinds.append(says(stage, name, event="sleep")[1])) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(kinds) == ["on-demand", "provisioned-concurrency"]
    wait_for(lambda: total_of(weir.client("cloudwatch"), "AWS/Lambda", "ProvisionedConcurrencySpilloverInvocations", FunctionName=name, Resource=f"{name}:1") == 1)


def test_an_alias_takes_them_to_its_version(stage, name):
    stage.awslambda.update_function_configuration(FunctionName=name, MemorySize=192)
    stage.awslambda.publish_version(FunctionName=name)
    stage.awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    put(stage, name, 1, "live")
    ready(stage, name, 1, "live")
    assert says(stage, name, "live")[1:] == ["provisioned-concurrency", "1"]
    stage.awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert wait_for(lambda: says(stage, name, "live")[1:] == ["provisioned-concurrency", "2"], what="the other version")
    for refused in ({"FunctionVersion": "$LATEST"}, {"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}):
        with pytest.raises(ClientError) as e:
            stage.awslambda.update_alias(FunctionName=name, Name="live", **refused)
        assert code_of(e) == "InvalidParameterValueException"
    with pytest.raises(ClientError) as e:
        put(stage, name, 1, "2")
    assert (code_of(e), e.value.response["Error"]["Message"]) == (
        "ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias")
    put(stage, name, 1, "1")
    stage.awslambda.create_alias(FunctionName=name, Name="old", FunctionVersion="1")
    with pytest.raises(ClientError) as e:
        put(stage, name, 1, "old")
    assert (code_of(e), e.value.response["Error"]["Message"]) == (
        "ResourceConflictException", "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
    stage.awslambda.delete_alias(FunctionName=name, Name="old")
    found, marker = [], {}
    while True:
        page = stage.awslambda.list_provisioned_concurrency_configs(FunctionName=name, MaxItems=1, **marker)
        found += [c["FunctionArn"].rsplit(":", 1)[1] for c in page["ProvisionedConcurrencyConfigs"]]
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    assert sorted(found) == ["1", "live"]
    stage.awslambda.delete_alias(FunctionName=name, Name="live")
    listed = stage.awslambda.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert [c["FunctionArn"].rsplit(":", 1)[1] for c in listed] == ["1"]
    stage.awslambda.delete_function(FunctionName=name, Qualifier="1")
    assert stage.awslambda.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"] == []


def test_what_cannot_be(stage, name):
    stage.awslambda.create_alias(FunctionName=name, Name="latest", FunctionVersion="$LATEST")
    stage.awslambda.update_function_configuration(FunctionName=name, MemorySize=192)
    stage.awslambda.publish_version(FunctionName=name)
    stage.awslambda.create_alias(FunctionName=name, Name="both", FunctionVersion="1",
                                 RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    for qualifier, n, error in (("$LATEST", 1, "InvalidParameterValueException"), ("latest", 1, "InvalidParameterValueException"),
                                ("both", 1, "InvalidParameterValueException"), ("7", 1, "ResourceNotFoundException"),
                                ("none", 1, "ResourceNotFoundException"), ("1", 0, "ValidationException"),
                                ("1", 901, "InvalidParameterValueException")):
        with pytest.raises(ClientError) as e:
            put(stage, name, n, qualifier)
        assert code_of(e) == error, (qualifier, n)
    with pytest.raises(ClientError) as e:
        stage.awslambda.list_provisioned_concurrency_configs(FunctionName="none")
    assert code_of(e) == "ResourceNotFoundException"
    stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    put(stage, name, 2)
    for other in ("1", "2"):
        with pytest.raises(ClientError) as e:
            put(stage, name, 3 if other == "1" else 1, other)
        assert code_of(e) == "InvalidParameterValueException"
    with pytest.raises(ClientError) as e:
        stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert code_of(e) == "InvalidParameterValueException"


def test_initialisation_that_fails_is_told(stage):
    name = stage.function("raise RuntimeError('no')\n")
    stage.awslambda.publish_version(FunctionName=name)
    put(stage, name, 1)
    got = wait_for(lambda: get(stage, name) if get(stage, name)["Status"] == "FAILED" else None, what="failure")
    assert got["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE" and got["AllocatedProvisionedConcurrentExecutions"] == 0
    stage.awslambda.delete_function(FunctionName=name)


def test_there_again_after_a_restart(stage, name):
    put(stage, name, 1)
    ready(stage, name, 1)
    before = says(stage, name)[0]
    stage.weir.restart()
    ready(stage, name, 1)
    after = says(stage, name)
    assert after[0] != before and after[1] == "provisioned-concurrency"
