"""API Gateway's control plane (REST APIs) through boto3."""
import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def gw(weir):
    return weir.client("apigateway")


@pytest.fixture
def api(gw):
    made = gw.create_rest_api(name="a")
    yield made["id"]
    gw.delete_rest_api(restApiId=made["id"])


def refused(call, **asked):
    """Code and message of the error."""
    with pytest.raises(ClientError) as e:
        call(**asked)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def test_rest_apis(gw):
    made = gw.create_rest_api(name="cars", description="d", binaryMediaTypes=["image/*"], minimumCompressionSize=1, tags={"a": "b"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert len(made["id"]) == 10 and made["createdDate"]
    assert made["apiKeySource"] == "HEADER" and made["disableExecuteApiEndpoint"] is False
    assert made["endpointConfiguration"]["types"] == ["EDGE"] and made["tags"] == {"a": "b"}
    seen = gw.get_rest_api(restApiId=made["id"])
    for r in (made, seen):
        del r["ResponseMetadata"]
    assert seen == made
    assert seen in gw.get_rest_apis(limit=500)["items"]
    gw.delete_rest_api(restApiId=made["id"])
    assert refused(gw.get_rest_api, restApiId=made["id"]) == ("NotFoundException", f"Invalid API identifier specified {ACCOUNT}:{made['id']}")
