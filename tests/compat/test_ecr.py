"""Amazon ECR's records of repositories through boto3."""
import json

import pytest
from botocore.exceptions import ClientError
from test_policy import Person, name, statement

ACCOUNT = "000000000000"
ARN = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/"
LIFECYCLE = json.dumps({"rules": [{"rulePriority": 1, "description": "Images without a tag go after a year", "action": {"type": "expire"},
                                   "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 365}}]})


@pytest.fixture
def ecr(weir):
    return weir.client("ecr")


@pytest.fixture
def repo(ecr):
    made = name("team/app")
    ecr.create_repository(repositoryName=made)
    return made


def refused(code, call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    assert e.value.response["Error"]["Code"] == code, e.value.response["Error"]
    return e.value.response["Error"].get("Message", "")


def test_life(ecr):
    made = name("team/app")
    r = ecr.create_repository(repositoryName=made)["repository"]
    assert r.pop("createdAt").year > 2000
    assert r == {"repositoryArn": ARN + made, "registryId": ACCOUNT, "repositoryName": made, "imageTagMutability": "MUTABLE",
                 "repositoryUri": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{made}", "imageScanningConfiguration": {"scanOnPush": False},
                 "encryptionConfiguration": {"encryptionType": "AES256"}} | {k: r[k] for k in r if k == "imageTagMutabilityExclusionFilters"}
    assert "already exists" in refused("RepositoryAlreadyExistsException", ecr.create_repository, repositoryName=made)
    [found] = ecr.describe_repositories(repositoryNames=[made])["repositories"]
    assert found["repositoryArn"] == ARN + made
    assert ecr.delete_repository(repositoryName=made, force=True)["repository"]["repositoryName"] == made
    assert f"'{made}' does not exist in the registry with id '{ACCOUNT}'" in refused(
        "RepositoryNotFoundException", ecr.describe_repositories, repositoryNames=[made])
    refused("RepositoryNotFoundException", ecr.delete_repository, repositoryName=made)


def test_settings(ecr, repo):
    r = ecr.create_repository(repositoryName=repo + "x", imageTagMutability="IMMUTABLE", imageScanningConfiguration={"scanOnPush": True},
                              encryptionConfiguration={"encryptionType": "KMS"})["repository"]
    assert (r["imageTagMutability"], r["imageScanningConfiguration"]) == ("IMMUTABLE", {"scanOnPush": True})
    assert r["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/ecr"}
    assert ecr.put_image_tag_mutability(repositoryName=repo, imageTagMutability="IMMUTABLE")["imageTagMutability"] == "IMMUTABLE"
    assert ecr.put_image_scanning_configuration(repositoryName=repo, imageScanningConfiguration={"scanOnPush": True})["registryId"] == ACCOUNT
    [r] = ecr.describe_repositories(repositoryNames=[repo])["repositories"]
    assert (r["imageTagMutability"], r["imageScanningConfiguration"]) == ("IMMUTABLE", {"scanOnPush": True})
    refused("InvalidParameterException", ecr.create_repository, repositoryName=repo + "y",
            encryptionConfiguration={"encryptionType": "AES256", "kmsKey": "alias/x"})
    refused("InvalidParameterException", ecr.create_repository, repositoryName=repo + "y", registryId="111111111111")


def test_pages(weir, ecr):
    ecr = weir.client("ecr", region="eu-west-1")
    made = [f"page/{c}" for c in "abc"]
    for n in made:
        ecr.create_repository(repositoryName=n)
    page = ecr.describe_repositories(maxResults=2)
    assert [r["repositoryName"] for r in page["repositories"]] == made[:2]
    rest = ecr.describe_repositories(maxResults=2, nextToken=page["nextToken"])
    assert [r["repositoryName"] for r in rest["repositories"]] == made[2:] and "nextToken" not in rest
    refused("InvalidParameterException", ecr.describe_repositories, nextToken="x")
    refused("InvalidParameterException", ecr.describe_repositories, repositoryNames=made, maxResults=2)
    assert ecr.describe_repositories(registryId="111111111111")["repositories"] == []
    refused("RepositoryNotFoundException", ecr.describe_repositories, registryId="111111111111", repositoryNames=made)


def test_lifecycle_policy(ecr, repo):
    refused("LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName=repo)
    refused("LifecyclePolicyNotFoundException", ecr.delete_lifecycle_policy, repositoryName=repo)
    assert ecr.put_lifecycle_policy(repositoryName=repo, lifecyclePolicyText=LIFECYCLE)["lifecyclePolicyText"] == LIFECYCLE
    got = ecr.get_lifecycle_policy(repositoryName=repo)
    assert got["lifecyclePolicyText"] == LIFECYCLE and got["lastEvaluatedAt"]
    assert ecr.delete_lifecycle_policy(repositoryName=repo)["lifecyclePolicyText"] == LIFECYCLE
    refused("LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName=repo)


def changed(**rule):
    policy = json.loads(LIFECYCLE)
    policy["rules"][0] = {**policy["rules"][0], **rule}
    return json.dumps(policy)


@pytest.mark.parametrize("text", [
    "x" * 100, "[]".ljust(100), '{"rules": []}'.ljust(100), '{"rules": 1}'.ljust(100), changed(rulePriority=0), changed(rulePriority="1"), changed(action={"type": "keep"}),
    changed(selection={"tagStatus": "untagged"}), changed(selection={"tagStatus": "tagged", "countType": "imageCountMoreThan", "countNumber": 1}),
    changed(selection={"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": -1}),
    json.dumps({"rules": json.loads(LIFECYCLE)["rules"] * 2})])
def test_bad_lifecycle_policies(ecr, repo, text):
    assert "LifecyclePolicyText" in refused("InvalidParameterException", ecr.put_lifecycle_policy, repositoryName=repo, lifecyclePolicyText=text)


def test_repository_policy(ecr, repo, weir):
    someone = Person(weir)
    text = {"Version": "2012-10-17", "Statement": [{"Sid": "s", "Effect": "Allow", "Principal": {"AWS": someone.arn}, "Action": "ecr:ListImages"}]}
    refused("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName=repo)
    refused("RepositoryPolicyNotFoundException", ecr.delete_repository_policy, repositoryName=repo)
    refused("AccessDeniedException", someone.client("ecr").list_images, repositoryName=repo)
    assert json.loads(ecr.set_repository_policy(repositoryName=repo, policyText=json.dumps(text))["policyText"]) == text
    assert json.loads(ecr.get_repository_policy(repositoryName=repo)["policyText"]) == text
    assert someone.client("ecr").list_images(repositoryName=repo)["imageIds"] == []
    refused("AccessDeniedException", someone.client("ecr").describe_images, repositoryName=repo)
    assert json.loads(ecr.delete_repository_policy(repositoryName=repo)["policyText"]) == text
    refused("AccessDeniedException", someone.client("ecr").list_images, repositoryName=repo)
    for bad in ("x", "[]", '{"Version": "2012-10-17"}', json.dumps({**text, "Statement": [{**text["Statement"][0], "Resource": "*"}]}),
                json.dumps({**text, "Statement": text["Statement"] + [7]}), json.dumps({**text, "Statement": [{"Effect": "Allow", "Action": "ecr:*"}]})):
        assert "PolicyText" in refused("InvalidParameterException", ecr.set_repository_policy, repositoryName=repo, policyText=bad)
    one = {**text, "Statement": text["Statement"][0]}
    ecr.set_repository_policy(repositoryName=repo, policyText=json.dumps(one))
    assert json.loads(ecr.get_repository_policy(repositoryName=repo)["policyText"]) == one


def test_no_images(ecr, repo):
    assert ecr.list_images(repositoryName=repo)["imageIds"] == [] == ecr.describe_images(repositoryName=repo)["imageDetails"]
    assert "imageTag:'latest'" in refused("ImageNotFoundException", ecr.describe_images, repositoryName=repo, imageIds=[{"imageTag": "latest"}])
    for call in (ecr.list_images, ecr.describe_images):
        refused("RepositoryNotFoundException", call, repositoryName=repo + "-not")
        refused("InvalidParameterException", call, repositoryName=repo, nextToken="x")
    for op, asked in (("get_authorization_token", {}), ("batch_get_image", {"repositoryName": repo, "imageIds": [{"imageTag": "latest"}]}),
                      ("initiate_layer_upload", {"repositoryName": repo}), ("put_image", {"repositoryName": repo, "imageManifest": "{}"})):
        assert "not supported" in refused("UnknownOperationException", getattr(ecr, op), **asked)


@pytest.mark.parametrize("call, more", [
    ("put_image_tag_mutability", {"imageTagMutability": "IMMUTABLE"}), ("put_image_scanning_configuration", {"imageScanningConfiguration": {}}),
    ("put_lifecycle_policy", {"lifecyclePolicyText": LIFECYCLE}), ("get_lifecycle_policy", {}), ("delete_lifecycle_policy", {}),
    ("set_repository_policy", {"policyText": "{}"}), ("get_repository_policy", {}), ("delete_repository_policy", {})])
def test_no_repository(ecr, call, more):
    refused("RepositoryNotFoundException", getattr(ecr, call), repositoryName="none/such", **more)


def test_tags(ecr, repo, weir):
    arn = ARN + repo
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ecr.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "2"}]
    refused("InvalidTagParameterException", ecr.tag_resource, resourceArn=arn, tags=[{"Key": "aws:a", "Value": "1"}])
    refused("TooManyTagsException", ecr.tag_resource, resourceArn=arn, tags=[{"Key": f"k{i}", "Value": "1"} for i in range(51)])
    for call, more in ((ecr.list_tags_for_resource, {}), (ecr.tag_resource, {"tags": []}), (ecr.untag_resource, {"tagKeys": []})):
        refused("RepositoryNotFoundException", call, resourceArn=arn + "-not", **more)
        refused("InvalidParameterException", call, resourceArn="arn:aws:sqs:us-east-1:000000000000:q", **more)
    for key in ("aws:ResourceTag/b", "ecr:ResourceTag/b"):
        tagged = Person(weir).may(statement("Allow", "ecr:*", Condition={"StringEquals": {key: "2"}})).client("ecr")
        tagged.list_images(repositoryName=repo)
    ecr.delete_repository(repositoryName=repo)
    ecr.create_repository(repositoryName=repo, tags=[{"Key": "c", "Value": "3"}])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "c", "Value": "3"}]


def test_permissions(ecr, repo, weir):
    theirs = Person(weir).may(statement("Allow", "ecr:*", ARN + repo)).client("ecr")
    assert len(theirs.describe_repositories(repositoryNames=[repo])["repositories"]) == 1
    refused("AccessDeniedException", theirs.describe_repositories)
    refused("AccessDeniedException", theirs.describe_repositories, repositoryNames=[repo, repo + "-not"])
