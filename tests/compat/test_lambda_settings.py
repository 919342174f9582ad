"""Settings of functions in AWS's words, and as they are shown: boto3, and real functions where they run."""
import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

from test_lambda import Stage

LONG = "n" * 65


@pytest.fixture(scope="module")
def stage(weir):
    return Stage(weir)


@pytest.fixture(scope="module")
def function(stage):
    return stage.function()


def refusal(call, **args):
    """(code, status, message)"""
    with pytest.raises(ClientError) as e:
        call(**args)
    reply = e.value.response
    return reply["Error"]["Code"], reply["ResponseMetadata"]["HTTPStatusCode"], reply["Error"]["Message"]


def invalid(call, **args):
    code, status, message = refusal(call, **args)
    assert (code, status) == ("InvalidParameterValueException", 400), message
    return message


def test_an_empty_environment_is_kept(stage, function):
    shown = lambda **kw: stage.awslambda.get_function_configuration(FunctionName=function, **kw)
    assert "Environment" not in shown()
    change = stage.awslambda.update_function_configuration
    assert change(FunctionName=function, Environment={"Variables": {}})["Environment"] == {"Variables": {}}
    assert shown()["Environment"] == {"Variables": {}}
    assert change(FunctionName=function, Environment={"Variables": {"AB": "1"}})["Environment"] == {"Variables": {"AB": "1"}}
    assert change(FunctionName=function, Description="other")["Environment"] == {"Variables": {"AB": "1"}}
    assert change(FunctionName=function, Environment={})["Environment"] == {"Variables": {}}
    made = stage.function(Environment={"Variables": {}})
    version = stage.awslambda.publish_version(FunctionName=made)["Version"]
    for more in ({}, {"Qualifier": version}):
        assert stage.awslambda.get_function_configuration(FunctionName=made, **more)["Environment"] == {"Variables": {}}


def test_the_environment_is_measured_as_json(stage, function):
    def change(n):
        return stage.awslambda.update_function_configuration(FunctionName=function, Environment={"Variables": {"AB": "x" * n}})
    most = 4096 - len('{"AB":""}')
    assert len(change(most)["Environment"]["Variables"]["AB"]) == most
    assert invalid(change, n=most + 1) == (
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        'exceeded the 4KB limit. String measured: {"AB":"' + "x" * (most + 1) + '"}')


@pytest.mark.parametrize("name", [LONG, "000000000000:function:" + LONG, "arn:aws:lambda:us-east-1:000000000000:function:" + LONG])
def test_names_that_are_too_long(stage, name):
    assert invalid(stage.function, FunctionName=name) == (
        f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64")


def test_patterns_are_told_with_partitions(stage):
    assert refusal(stage.function, FunctionName="a b") == (
        "ValidationException", 400, "1 validation error detected: Value 'a b' at 'functionName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?"
        r"([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?")


@pytest.mark.parametrize("runtime", ["nodejs14.x", "python3.7", "ruby2.7", "dotnetcore3.1", "go1.x", "java8", "provided"])
def test_retired_runtimes(stage, function, runtime):
    said = (f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions.")
    assert invalid(stage.awslambda.update_function_configuration, FunctionName=function, Runtime=runtime) == said
    assert runtime != "provided" or invalid(stage.function, Runtime=runtime) == said


def test_a_version_is_deleted_twice(stage, function):
    version = stage.awslambda.publish_version(FunctionName=function)["Version"]
    for absent in (version, version, "1233"):
        reply = stage.awslambda.delete_function(FunctionName=function, Qualifier=absent)
        assert reply["ResponseMetadata"]["HTTPStatusCode"] == 204
    code, status, message = refusal(stage.awslambda.delete_function, FunctionName="nobody", Qualifier="1")
    assert (code, status) == ("ResourceNotFoundException", 404) and message.startswith("Function not found: ")


NO_FUNCTION = "The function doesn't exist."
NO_CONFIG = "The function arn:aws:lambda:us-east-1:000000000000:function:%s doesn't have an EventInvokeConfig"


@pytest.mark.parametrize("operation,args,want", [
    ("put_function_event_invoke_config", {"MaximumRetryAttempts": 1}, NO_FUNCTION),
    ("update_function_event_invoke_config", {"MaximumRetryAttempts": 1}, NO_FUNCTION),
    ("list_function_event_invoke_configs", {}, NO_FUNCTION),
    ("get_function_event_invoke_config", {}, NO_CONFIG % "nobody:$LATEST"),
    ("delete_function_event_invoke_config", {"Qualifier": "7"}, NO_CONFIG % "nobody:7"),
    ("create_function_url_config", {"AuthType": "NONE"}, "Function does not exist"),
    ("list_function_url_configs", {}, "Function does not exist"),
    ("get_function_url_config", {}, "The resource you requested does not exist."),
    ("delete_function_url_config", {}, "The resource you requested does not exist."),
    ("get_policy", {"Qualifier": "a"}, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:a"),
    ("get_function_concurrency", {}, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody"),
])
def test_functions_that_are_not_there(stage, operation, args, want):
    assert refusal(getattr(stage.awslambda, operation), FunctionName="nobody", **args) == ("ResourceNotFoundException", 404, want)


def test_qualifiers_of_permissions_and_concurrency(stage, function):
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}:"
    grant = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    for operation, args in (("add_permission", grant), ("get_policy", {}), ("remove_permission", {"StatementId": "s"}),
                            ("put_provisioned_concurrency_config", {"ProvisionedConcurrentExecutions": 1}),
                            ("get_provisioned_concurrency_config", {}), ("delete_provisioned_concurrency_config", {})):
        call = getattr(stage.awslambda, operation)
        assert refusal(call, FunctionName=function, Qualifier="nobody", **args) == (
            "ResourceNotFoundException", 404, f"Cannot find alias arn: {arn}nobody")
        assert refusal(call, FunctionName=function, Qualifier="77", **args) == (
            "ResourceNotFoundException", 404, f"Function not found: {arn}77")
    for latest in ({"FunctionName": function, "Qualifier": "$LATEST"}, {"FunctionName": function + ":$LATEST"}):
        assert invalid(stage.awslambda.add_permission, **latest, **grant) == "We currently do not support adding policies for $LATEST."


def test_destinations_in_words(stage, function):
    arn = "arn:aws:lambda:us-east-1:000000000000:function:"
    nothing = "You must specify at least one of error handling or destination setting."
    for change in (stage.awslambda.put_function_event_invoke_config, stage.awslambda.update_function_event_invoke_config):
        assert invalid(change, FunctionName=function) == nothing
    put = lambda to, **kw: stage.awslambda.put_function_event_invoke_config(
        FunctionName=function, DestinationConfig={"OnFailure": {"Destination": to}}, **kw)
    assert invalid(put, to=arn + function) == "You can't specify the function as a destination for itself."
    assert invalid(put, to=arn + "nobody") == f"The destination ARN {arn}nobody is invalid."


def test_functions_are_made_in_ones_own_account(stage):
    other = "arn:aws:lambda:us-east-1:111122223333:function:other"
    with pytest.raises(ClientError) as e:
        stage.awslambda.create_function(FunctionName=other, Runtime="provided.al2023", Handler="h", Code={"ZipFile": b"x"},
                                        Role="arn:aws:iam::000000000000:role/any")
    assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert e.value.response["Error"]["Message"].endswith("lambda:CreateFunction on resource: " + other)


def test_a_new_mapping_has_no_result(stage, function):
    _, queue = stage.queue()
    ddb = stage.weir.client("dynamodb")
    stream = ddb.create_table(TableName="mapped", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                              AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                              StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})["TableDescription"]["LatestStreamArn"]
    make = stage.awslambda.create_event_source_mapping
    members = stage.awslambda.meta.service_model.operation_model("CreateEventSourceMapping").input_shape.members
    assert invalid(make, FunctionName=function) == "Unrecognized event source."
    assert refusal(make, FunctionName=function, EventSourceArn=stream, StartingPosition="0") == (
        "ValidationException", 400, "1 validation error detected: Value '0' at 'startingPosition' failed to satisfy constraint: "
        "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]")
    unsupported = "Unsupported %s parameter for given event source mapping type."
    for args, want in (
            ({"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
            *[({name: value}, unsupported % name) for name, value in (
                ("ParallelizationFactor", 2), ("MaximumRecordAgeInSeconds", 100), ("BisectBatchOnFunctionError", True),
                ("MaximumRetryAttempts", 2), ("TumblingWindowInSeconds", 1), ("DestinationConfig", {"OnFailure": {"Destination": queue}}))],
            ({"EventSourceArn": stream, "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1700000000},
             "Unsupported starting position for arn type: " + stream),
            ({"EventSourceArn": stream, "StartingPosition": "LATEST", "StartingPositionTimestamp": 1700000000},
             "Timestamp only valid with StartingPosition AT_TIMESTAMP"),
            ({"EventSourceArn": stream, "StartingPosition": "LATEST", "ScalingConfig": {"MaximumConcurrency": 2}},
             unsupported % "ScalingConfig"),
            ({"EventSourceArn": stream, "StartingPosition": "LATEST", "DestinationConfig": {"OnSuccess": {"Destination": queue}}},
             unsupported % "DestinationConfig")):
        if set(args) <= set(members):
            assert invalid(make, **{"FunctionName": function, "EventSourceArn": queue, **args}) == want
    for source in ({"EventSourceArn": queue}, {"EventSourceArn": stream, "StartingPosition": "LATEST"}):
        assert invalid(make, FunctionName="nobody", **source) == "Function does not exist"
        assert invalid(make, FunctionName=function + ":nobody", **source) == "Function does not exist"
        made = make(FunctionName=function, Enabled=False, **source)
        assert made["State"] == "Creating" and "LastProcessingResult" not in made
        assert stage.awslambda.get_event_source_mapping(UUID=made["UUID"])["LastProcessingResult"] == "No records processed"
        stage.awslambda.delete_event_source_mapping(UUID=made["UUID"])


def test_the_context_has_the_qualifier(stage, function):
    arn = stage.awslambda.get_function_configuration(FunctionName=function)["FunctionArn"]
    version = stage.awslambda.publish_version(FunctionName=function)["Version"]
    stage.awslambda.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
    for qualifier in (None, "$LATEST", version, "live"):
        more = {"Qualifier": qualifier} if qualifier else {}
        got = json.loads(stage.invoke(function, {"kind": "context"}, **more)["Payload"].read())
        assert got["arn"] == (f"{arn}:{qualifier}" if qualifier else arn)


def test_a_wrapper_starts_the_runtime(stage):
    """It gets the command, and what it sets is the function's."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("app.py", "import os\ndef handler(event, context):\n    return os.environ.get('WRAPPED')\n")
        info = zipfile.ZipInfo("wrap")
        info.external_attr = 0o755 << 16
        z.writestr(info, '#!/bin/sh\nWRAPPED=$# exec "$@"\n')
    name = stage.function(Code={"ZipFile": out.getvalue()}, Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap"}})
    assert int(json.loads(stage.invoke(name, {})["Payload"].read())) >= 2


def test_roles_of_foreign_accounts(stage, function):
    role = "arn:aws:iam::999999999999:role/somebody"
    for call, args in ((stage.function, {"Role": role}),
                       (stage.awslambda.update_function_configuration, {"FunctionName": function, "Role": role})):
        code, status, message = refusal(call, **args)
        assert (code, status, message) == ("AccessDeniedException", 403, "Cross-account pass role is not allowed.")
