"""Lambda triggers of Cognito user pools."""
import json
import time

import pytest
from test_cognito import PASSWORD, Pool, claims, code_for, letters
from test_constraints import Service
from test_events import code, message
from test_lambda import Stage

from weirtest import wait_for

# One function for every trigger: what it does is told by the user's name and the event. It writes what it saw to its log.
SOURCE = """
import json

def handler(event, context):
    source, user, response = event["triggerSource"], event["userName"], event["response"]
    print("SAW " + json.dumps(event))
    meta = event["request"].get("clientMetadata") or event["request"].get("validationData") or {}
    if meta.get("fail") == source.split("_")[0]:
        raise Exception("no " + source)
    if meta.get("nonsense") == source.split("_")[0]:
        return "nonsense"
    if source == "PreSignUp_SignUp" and user.startswith("auto"):
        response.update(autoConfirmUser=True, autoVerifyEmail=True)
    if source.startswith("CustomMessage_"):
        response.update(emailSubject="For " + user, emailMessage="Say " + event["request"]["codeParameter"])
    if source.startswith("TokenGeneration_"):
        response["claimsOverrideDetails"] = {"claimsToAddOrOverride": {"plan": "gold", "sub": "forged", "email": "over@example.com"},
            "claimsToSuppress": ["nickname"], "groupOverrideDetails": {"groupsToOverride": ["made-up"]}}
    if source == "UserMigration_Authentication" and user == "moved" and event["request"]["password"] == "Correct-horse-1":
        response.update(userAttributes={"username": user, "email": "moved@example.com", "email_verified": "true"},
            finalUserStatus="CONFIRMED", messageAction="SUPPRESS")
    if source == "DefineAuthChallenge_Authentication":
        rounds = event["request"]["session"]
        done = bool(rounds) and rounds[-1]["challengeResult"] and rounds[-1]["challengeName"] == "CUSTOM_CHALLENGE"
        response.update(issueTokens=done, failAuthentication=len(rounds) >= 3 and not done)
        if not done:
            response["challengeName"] = "CUSTOM_CHALLENGE"
    if source == "CreateAuthChallenge_Authentication":
        response.update(publicChallengeParameters={"question": "2+2"}, privateChallengeParameters={"answer": "4"}, challengeMetadata="SUM")
    if source == "VerifyAuthChallengeResponse_Authentication":
        response["answerCorrect"] = event["request"]["challengeAnswer"] == event["request"]["privateChallengeParameters"]["answer"]
    return event
"""
TRIGGERS = ["PreSignUp", "CustomMessage", "PostConfirmation", "PreAuthentication", "PostAuthentication", "PreTokenGeneration", "UserMigration",
            "DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"]


@pytest.fixture(scope="module")
def stage(weir):
    stage = Stage(weir)
    stage.name = stage.function(SOURCE)
    stage.arn = stage.awslambda.get_function(FunctionName=stage.name)["Configuration"]["FunctionArn"]
    stage.awslambda.add_permission(FunctionName=stage.name, StatementId="pools", Action="lambda:InvokeFunction",
                                   Principal="cognito-idp.amazonaws.com", SourceAccount="000000000000")
    return stage


@pytest.fixture(scope="module")
def pool(weir, stage):
    return Pool(weir, LambdaConfig={t: stage.arn for t in TRIGGERS})


def seen(stage, source, user, n=1):
    """The events of a trigger for a user, at least n, once they are in the function's log."""
    def look():
        lines = [json.loads(line[4:]) for line in stage.log_lines(stage.name) if line.startswith("SAW ")]
        found = [e for e in lines if e["triggerSource"] == source and e["userName"] == user]
        return found if len(found) >= n else None
    return wait_for(look, what=f"{source} for {user}")


def test_signing_up(weir, stage, pool):
    made = pool.idp.sign_up(ClientId=pool.client_id, Username="auto1", Password=PASSWORD, ClientMetadata={"a": "b"},
                            ValidationData=[{"Name": "v", "Value": "w"}], UserAttributes=[{"Name": "email", "Value": "auto1@example.com"},
                                                                                          {"Name": "nickname", "Value": "n"}])
    assert made["UserConfirmed"] is True
    event = seen(stage, "PreSignUp_SignUp", "auto1")[0]
    assert event["version"] == "1" and event["region"] == "us-east-1" and event["userPoolId"] == pool.id
    assert event["callerContext"]["clientId"] == pool.client_id
    assert event["request"] == {"userAttributes": {"email": "auto1@example.com", "nickname": "n"},
                                "validationData": {"v": "w"}, "clientMetadata": {"a": "b"}}
    after = seen(stage, "PostConfirmation_ConfirmSignUp", "auto1")[0]
    assert after["request"]["userAttributes"]["sub"] == made["UserSub"] and after["request"]["userAttributes"]["email_verified"] == "true"
    got = pool.tokens("auto1")
    ids = claims(got["IdToken"])
    assert ids["plan"] == "gold" and ids["sub"] == made["UserSub"] and ids["email"] == "over@example.com"
    assert "nickname" not in ids and ids["cognito:groups"] == ["made-up"]
    for source in ("PreAuthentication_Authentication", "PostAuthentication_Authentication", "TokenGeneration_Authentication"):
        assert len(seen(stage, source, "auto1")) == 1, source


def test_messages(weir, pool):
    pool.sign_up("plain", email="plain@example.com")
    letter = letters(weir, "plain@example.com")[0]
    assert letter["subject"] == "For plain" and letter["body"].startswith("Say ")
    pool.idp.confirm_sign_up(ClientId=pool.client_id, Username="plain", ConfirmationCode=code_for(weir, "plain@example.com"))
    assert pool.tokens("plain")


def test_failures(pool):
    sign_up = dict(ClientId=pool.client_id, Username="failed", Password=PASSWORD)
    assert message(pool.idp.sign_up, ClientMetadata={"fail": "PreSignUp"}, **sign_up) == "PreSignUp failed with error no PreSignUp_SignUp."
    assert code(pool.idp.sign_up, ClientMetadata={"fail": "PreSignUp"}, **sign_up) == "UserLambdaValidationException"
    assert code(pool.idp.sign_up, ClientMetadata={"nonsense": "PreSignUp"}, **sign_up) == "InvalidLambdaResponseException"
    assert code(pool.idp.admin_get_user, UserPoolId=pool.id, Username="failed") == "UserNotFoundException"


def test_not_permitted(weir, stage):
    closed = stage.function(SOURCE)
    arn = stage.awslambda.get_function(FunctionName=closed)["Configuration"]["FunctionArn"]
    pool = Pool(weir, LambdaConfig={"PreSignUp": arn})
    assert code(pool.sign_up, username="x") == "UnexpectedLambdaException"
    assert "AccessDenied" in message(pool.sign_up, username="x")


def test_asked_again(weir, stage):
    """A function that does not run is asked three times; one that is asked a second time may answer."""
    name = stage.function(SOURCE)
    arn = stage.awslambda.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    stage.awslambda.add_permission(FunctionName=name, StatementId="p", Action="lambda:InvokeFunction", Principal="cognito-idp.amazonaws.com")
    stage.awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    pool = Pool(weir, LambdaConfig={"PreSignUp": arn})
    assert code(pool.sign_up, username="x") == "UnexpectedLambdaException"
    cw = weir.client("cloudwatch")

    def throttles():
        points = cw.get_metric_statistics(Namespace="AWS/Lambda", MetricName="Throttles", StartTime=0, EndTime=int(time.time()) + 60, Period=86400 * 365,
                                          Statistics=["Sum"], Dimensions=[{"Name": "FunctionName", "Value": name}])["Datapoints"]
        return sum(p["Sum"] for p in points)
    assert wait_for(throttles) == 3
    stage.awslambda.delete_function_concurrency(FunctionName=name)
    assert pool.sign_up(username="x")["UserConfirmed"] is False


def test_migration(pool):
    assert code(pool.log_in, username="moved", password="Wrong-horse-1") == "UserNotFoundException"
    assert pool.tokens("moved")["AccessToken"]
    assert pool.idp.admin_get_user(UserPoolId=pool.id, Username="moved")["UserStatus"] == "CONFIRMED"


def test_custom_challenges(stage, pool):
    pool.sign_up("auto2", email="auto2@example.com")
    begin = dict(ClientId=pool.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "auto2"})
    answer = lambda asked, text: pool.idp.respond_to_auth_challenge(  # noqa: E731
        ClientId=pool.client_id, ChallengeName="CUSTOM_CHALLENGE", Session=asked["Session"], ChallengeResponses={"USERNAME": "auto2", "ANSWER": text})
    asked = pool.idp.initiate_auth(**begin)
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE" and asked["ChallengeParameters"] == {"USERNAME": "auto2", "question": "2+2"}
    again = answer(asked, "5")
    assert again["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert answer(again, "4")["AuthenticationResult"]["AccessToken"]
    rounds = seen(stage, "DefineAuthChallenge_Authentication", "auto2", 3)[-1]["request"]["session"]
    assert rounds == [{"challengeName": "CUSTOM_CHALLENGE", "challengeResult": False, "challengeMetadata": "SUM"},
                      {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True, "challengeMetadata": "SUM"}]
    asked = pool.idp.initiate_auth(**begin)
    for _ in range(2):
        asked = answer(asked, "5")
    with pytest.raises(pool.idp.exceptions.NotAuthorizedException):
        answer(asked, "5")


def test_claims_of_version_2(weir, stage):
    name = stage.function("""
def handler(event, context):
    assert event["request"]["scopes"] == ["aws.cognito.signin.user.admin"]
    event["response"]["claimsAndScopeOverrideDetails"] = {
        "accessTokenGeneration": {"claimsToAddOrOverride": {"tenant": {"id": 7}}, "scopesToAdd": ["extra"]},
        "idTokenGeneration": {"claimsToAddOrOverride": {"n": 1}}}
    return event
""")
    arn = stage.awslambda.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    stage.awslambda.add_permission(FunctionName=name, StatementId="p", Action="lambda:InvokeFunction", Principal="cognito-idp.amazonaws.com")
    pool = Pool(weir)
    status, body, _ = Service("cognito").send(weir, "UpdateUserPool", {  # a member that older clients do not know
        "UserPoolId": pool.id, "LambdaConfig": {"PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": arn}}})
    assert status == 200, body
    pool.user("v2")
    got = pool.tokens("v2")
    assert claims(got["AccessToken"])["tenant"] == {"id": 7} and claims(got["AccessToken"])["scope"] == "aws.cognito.signin.user.admin extra"
    assert claims(got["IdToken"])["n"] == 1
