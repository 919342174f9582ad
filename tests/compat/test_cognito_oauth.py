"""The pages of a user pool's domain: authorization codes, the form, tokens, userInfo."""
import base64
import hashlib
import http.client
import json
import re
import urllib.parse

import pytest
from test_cognito import PASSWORD, Pool, claims, totp

BACK = "https://app.example.com/back?a=b"


class Site:
    """A pool with a domain; requests to it by its host's name."""

    def __init__(self, weir, domain, **client):
        self.weir = weir
        settings = {"AllowedOAuthFlowsUserPoolClient": True, "AllowedOAuthFlows": ["code"], "CallbackURLs": [BACK],
                    "LogoutURLs": ["https://app.example.com/out"],
                    "AllowedOAuthScopes": ["openid", "email", "aws.cognito.signin.user.admin"], **client}
        self.pool = Pool(weir, client=settings)
        self.pool.idp.create_user_pool_domain(UserPoolId=self.pool.id, Domain=domain)
        self.host = f"{domain}.auth.us-east-1.amazoncognito.com"

    def ask(self, method, path, form=None, headers=None, host=None):
        """Status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.weir.port, timeout=30)
        headers = {"Host": host or self.host, **(headers or {})}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return reply.status, dict(reply.getheaders()), text

    def query(self, **more):
        return urllib.parse.urlencode({k: v for k, v in {
            "client_id": self.pool.client_id, "response_type": "code", "redirect_uri": BACK, "scope": "openid email", "state": "s t&a\"te",
            **more}.items() if v is not None})

    def form(self, query):
        """The form's hidden fields, and its cookie."""
        status, headers, body = self.ask("GET", "/login?" + query)
        assert status == 200 and 'role="alert"' not in body
        return hidden(body), headers["Set-Cookie"].split(";")[0]

    def code(self, username, password=PASSWORD, **more):
        query = self.query(**more)
        fields, cookie = self.form(query)
        status, headers, _ = self.ask("POST", "/login?" + query, {**fields, "username": username, "password": password}, {"Cookie": cookie})
        assert status == 302
        told = urllib.parse.parse_qs(urllib.parse.urlsplit(headers["Location"]).query)
        assert headers["Location"].startswith(BACK + "&code=") and told["state"] == ["s t&a\"te"]
        return told["code"][0]

    def token(self, **form):
        status, headers, body = self.ask("POST", "/oauth2/token", {"client_id": self.pool.client_id, **form})
        assert headers["Cache-Control"] == "no-store"
        return status, json.loads(body)


def hidden(body):
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', body))


@pytest.fixture(scope="module")
def site(weir):
    site = Site(weir, "first-site")
    site.pool.user("ada", email="ada@example.com")
    return site


def test_authorization_code(site):
    query = site.query(nonce="n-1")
    status, headers, _ = site.ask("GET", "/oauth2/authorize?" + query)
    assert status == 302 and headers["Location"] == "/login?" + query
    code = site.code("ada", nonce="n-1")
    exchange = dict(grant_type="authorization_code", code=code, redirect_uri=BACK)
    status, got = site.token(**exchange)
    assert status == 200 and got["token_type"] == "Bearer" and got["expires_in"] == 3600
    ids, access = claims(got["id_token"]), claims(got["access_token"])
    assert ids["nonce"] == "n-1" and ids["email"] == "ada@example.com" and access["scope"] == "openid email" and access["version"] == 2
    assert site.token(**exchange) == (400, {"error": "invalid_grant"})  # once
    status, _, body = site.ask("GET", "/oauth2/userInfo", headers={"Authorization": "Bearer " + got["access_token"]})
    assert status == 200 and json.loads(body) == {"sub": ids["sub"], "email": "ada@example.com", "email_verified": "false", "username": "ada"}
    status, again = site.token(grant_type="refresh_token", refresh_token=got["refresh_token"])
    assert status == 200 and claims(again["access_token"])["scope"] == "openid email" and "refresh_token" not in again
    assert site.ask("POST", "/oauth2/revoke", {"client_id": site.pool.client_id, "token": got["refresh_token"]})[0] == 200
    assert site.token(grant_type="refresh_token", refresh_token=got["refresh_token"]) == (400, {"error": "invalid_grant"})
    status, headers, _ = site.ask("GET", "/oauth2/userInfo", headers={"Authorization": "Bearer " + got["access_token"]})
    assert status == 401 and "invalid_token" in headers["WWW-Authenticate"]
    assert site.ask("GET", "/oauth2/userInfo")[0] == 401


def test_pkce(site):
    verifier = "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    ask = lambda **kw: site.token(grant_type="authorization_code", redirect_uri=BACK, code=site.code(  # noqa: E731
        "ada", code_challenge=challenge, code_challenge_method="S256"), **kw)
    assert ask(code_verifier=verifier)[0] == 200
    assert ask(code_verifier="w" * 43) == (400, {"error": "invalid_grant"})
    assert ask() == (400, {"error": "invalid_grant"})
    plain = site.query(code_challenge=verifier, code_challenge_method="plain")
    assert "error=invalid_request" in site.ask("GET", "/oauth2/authorize?" + plain)[1]["Location"]


@pytest.mark.parametrize("more, error", [({"response_type": "token"}, "unauthorized_client"), ({"response_type": "id_token"}, "unsupported_response_type"),
                                         ({"scope": "profile"}, "invalid_scope")])
def test_what_the_application_is_told(site, more, error):
    status, headers, _ = site.ask("GET", "/oauth2/authorize?" + site.query(**more))
    assert status == 302 and headers["Location"].startswith(f"{BACK}&error={error}&state=")


def test_implicit(site):
    """Tokens in the fragment, none that refreshes; the client is what CDK makes of nothing said."""
    idp = site.pool.idp
    client = idp.create_user_pool_client(
        UserPoolId=site.pool.id, ClientName="cdk", AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["implicit", "code"],
        AllowedOAuthScopes=["profile", "phone", "email", "openid", "aws.cognito.signin.user.admin"], CallbackURLs=["https://example.com"],
        SupportedIdentityProviders=["COGNITO"])["UserPoolClient"]
    assert client["AllowedOAuthFlows"] == ["implicit", "code"]
    asked = {"client_id": client["ClientId"], "response_type": "token", "redirect_uri": "https://example.com"}

    def told(location):
        assert location.startswith("https://example.com#")
        return {k: v[0] for k, v in urllib.parse.parse_qs(location.split("#")[1], strict_parsing=True).items()}
    query = site.query(**asked, nonce="n-2")
    assert site.ask("GET", "/oauth2/authorize?" + query)[1]["Location"] == "/login?" + query
    fields, cookie = site.form(query)
    status, headers, _ = site.ask("POST", "/login?" + query, {**fields, "username": "ada", "password": PASSWORD}, {"Cookie": cookie})
    got = told(headers["Location"])
    assert status == 302 and set(got) == {"id_token", "access_token", "token_type", "expires_in", "state"}
    assert (got["token_type"], got["expires_in"], got["state"]) == ("Bearer", "3600", "s t&a\"te")
    ids, access = claims(got["id_token"]), claims(got["access_token"])
    assert ids["nonce"] == "n-2" and ids["aud"] == access["client_id"] == client["ClientId"] and access["scope"] == "openid email"
    bearer = {"Authorization": "Bearer " + got["access_token"]}
    assert json.loads(site.ask("GET", "/oauth2/userInfo", headers=bearer)[2])["sub"] == ids["sub"]
    jar = {"Cookie": headers["Set-Cookie"].split(";")[0]}  # signed on: at once, and without openid no ID token
    again = told(site.ask("GET", "/oauth2/authorize?" + site.query(**asked, scope="email", state=None), headers=jar)[1]["Location"])
    assert set(again) == {"access_token", "token_type", "expires_in"} and claims(again["access_token"])["scope"] == "email"
    assert claims(again["access_token"])["auth_time"] == access["auth_time"]
    code = site.ask("GET", "/oauth2/authorize?" + site.query(**{**asked, "response_type": "code"}), headers=jar)[1]["Location"]
    assert code.startswith("https://example.com?code=")
    wrong = site.query(**asked, scope="none")
    assert site.ask("GET", "/oauth2/authorize?" + wrong)[1]["Location"].startswith("https://example.com?error=invalid_scope&state=")
    with pytest.raises(idp.exceptions.InvalidOAuthFlowException):
        idp.update_user_pool_client(UserPoolId=site.pool.id, ClientId=client["ClientId"], AllowedOAuthFlowsUserPoolClient=True,
                                    AllowedOAuthFlows=["implicit"])


@pytest.mark.parametrize("more", [{"client_id": "absent"}, {"client_id": None}, {"redirect_uri": "https://evil.example.com/"},
                                  {"redirect_uri": BACK + "x"}])
def test_nobody_is_sent_elsewhere(site, more):
    for path in ("/oauth2/authorize?", "/login?"):
        status, headers, body = site.ask("GET", path + site.query(**more))
        assert status == 400 and "Location" not in headers and "<form" not in body


def test_form(site):
    query = site.query()
    status, headers, body = site.ask("GET", "/login?" + query)
    assert '<label for="username">' in body and '<label for="password">' in body and 'lang="en"' in body
    assert "HttpOnly" in headers["Set-Cookie"] and "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    fields, cookie = site.form(query)
    right = {**fields, "username": "ada", "password": PASSWORD}
    for form, jar in [({**right, "password": "Wrong-horse-1"}, cookie), (right, "weir-csrf=0"), (right, ""), ({**right, "_csrf": ""}, cookie),
                      ({**right, "username": "nobody"}, cookie), ({**fields}, cookie)]:
        status, headers, body = site.ask("POST", "/login?" + query, form, {"Cookie": jar})
        assert status == 401 and 'role="alert"' in body and "Location" not in headers
    status, _, body = site.ask("POST", "/login?" + query, {**right, "username": '"><script>'}, {"Cookie": cookie})
    assert status == 401 and "<script" not in body
    assert site.ask("GET", "/login?" + query, host="first-site.auth.localhost:4566")[0] == 200
    assert site.ask("GET", "/login?" + query, host="absent.auth.us-east-1.amazoncognito.com")[0] == 404
    assert site.ask("GET", "/none")[0] == 404 and site.ask("DELETE", "/login?" + query)[0] == 400


def test_challenges_of_the_form(weir, site):
    pool = site.pool
    pool.idp.admin_create_user(UserPoolId=pool.id, Username="new", TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    query = site.query()
    fields, cookie = site.form(query)
    post = lambda form, jar: site.ask("POST", "/login?" + query, form, {"Cookie": jar})  # noqa: E731
    status, headers, body = post({**fields, "username": "new", "password": PASSWORD}, cookie)
    assert status == 200 and 'name="new_password"' in body
    status, headers, _ = post({**hidden(body), "new_password": PASSWORD + "2"}, headers["Set-Cookie"].split(";")[0])
    assert status == 302 and "code=" in headers["Location"]
    pool.idp.set_user_pool_mfa_config(UserPoolId=pool.id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="OPTIONAL")
    token = pool.tokens("new", PASSWORD + "2")["AccessToken"]
    secret = pool.idp.associate_software_token(AccessToken=token)["SecretCode"]
    import time
    step = int(time.time()) // 30
    pool.idp.verify_software_token(AccessToken=token, UserCode=totp(secret, step - 1))
    pool.idp.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True})
    fields, cookie = site.form(query)
    status, headers, body = post({**fields, "username": "new", "password": PASSWORD + "2"}, cookie)
    assert status == 200 and 'name="code"' in body
    status, headers, _ = post({**hidden(body), "code": totp(secret, step + 1)}, headers["Set-Cookie"].split(";")[0])
    assert status == 302 and "code=" in headers["Location"]


def test_logout(site):
    out = lambda uri: site.ask("GET", "/logout?" + urllib.parse.urlencode({"client_id": site.pool.client_id, "logout_uri": uri}))  # noqa: E731
    status, headers, _ = out("https://app.example.com/out")
    assert status == 302 and headers["Location"] == "https://app.example.com/out"
    assert out("https://evil.example.com/")[0] == 400
    status, headers, _ = site.ask("GET", "/logout?" + site.query())
    assert status == 302 and headers["Location"].startswith("/oauth2/authorize?")


def test_signed_on(weir, site):
    """Who gave his password at the domain is not asked again for an hour, or until he leaves."""
    site.pool.user("sid")
    query = site.query()

    def sign_on():
        fields, cookie = site.form(query)
        status, headers, _ = site.ask("POST", "/login?" + query, {**fields, "username": "sid", "password": PASSWORD}, {"Cookie": cookie})
        assert status == 302 and "code=" in headers["Location"]
        return headers["Set-Cookie"]

    def authorize(jar, host=None, **more):
        return site.ask("GET", "/oauth2/authorize?" + site.query(**more), headers={"Cookie": jar}, host=host)[1]["Location"]
    cookie = sign_on()
    flags = cookie.split("; ")
    jar = "other=1; " + flags[0]
    assert flags[0].startswith("cognito=") and flags[1:] == ["Path=/", "Max-Age=3600", "HttpOnly", "SameSite=Lax"]
    told = urllib.parse.parse_qs(urllib.parse.urlsplit(authorize(jar, scope="openid", nonce="n")).query)
    status, got = site.token(grant_type="authorization_code", redirect_uri=BACK, code=told["code"][0])
    assert status == 200 and claims(got["id_token"])["cognito:username"] == "sid" and claims(got["id_token"])["nonce"] == "n"
    assert "code=" in authorize(jar, prompt="none")
    assert authorize(jar, prompt="login").startswith("/login?")
    for nobody in ("", "cognito=", "cognito=0", flags[0] + "0"):
        assert authorize(nobody).startswith("/login?")
        assert "error=login_required" in authorize(nobody, prompt="none")
    # it is of this domain alone
    other = Pool(weir)
    other.idp.create_user_pool_domain(UserPoolId=other.id, Domain="other-site")
    asked = {"client_id": other.client_id}
    other.idp.update_user_pool_client(UserPoolId=other.id, ClientId=other.client_id, AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["code"],
                                      CallbackURLs=[BACK], AllowedOAuthScopes=["openid", "email"])
    assert authorize(jar, host="other-site.auth.us-east-1.amazoncognito.com", **asked).startswith("/login?")
    # it ends
    out = "/logout?" + urllib.parse.urlencode({"client_id": site.pool.client_id, "logout_uri": "https://app.example.com/out"})
    status, headers, _ = site.ask("GET", out, headers={"Cookie": jar})
    assert status == 302 and headers["Set-Cookie"].startswith("cognito=; Path=/; Max-Age=0;") and authorize(jar).startswith("/login?")
    jar = sign_on().split(";")[0]
    assert "code=" in authorize(jar)
    site.pool.idp.admin_user_global_sign_out(UserPoolId=site.pool.id, Username="sid")
    assert authorize(jar).startswith("/login?")
    jar = sign_on().split(";")[0]
    site.pool.idp.admin_disable_user(UserPoolId=site.pool.id, Username="sid")
    assert authorize(jar).startswith("/login?")


def test_client_credentials(weir):
    pool = Pool(weir)
    pool.idp.create_user_pool_domain(UserPoolId=pool.id, Domain="machines")
    pool.idp.create_resource_server(UserPoolId=pool.id, Identifier="api", Name="API", Scopes=[
        {"ScopeName": "read", "ScopeDescription": "r"}, {"ScopeName": "write", "ScopeDescription": "w"}])
    client = pool.idp.create_user_pool_client(UserPoolId=pool.id, ClientName="m", GenerateSecret=True, AllowedOAuthFlowsUserPoolClient=True,
                                              AllowedOAuthFlows=["client_credentials"], AllowedOAuthScopes=["api/read", "api/write"])["UserPoolClient"]
    site = Site.__new__(Site)
    site.weir, site.pool, site.host = weir, pool, "machines.auth.us-east-1.amazoncognito.com"
    basic = lambda secret: {"Authorization": "Basic " + base64.b64encode(f"{client['ClientId']}:{secret}".encode()).decode()}  # noqa: E731
    ask = lambda secret=client["ClientSecret"], **form: site.ask(  # noqa: E731
        "POST", "/oauth2/token", {"grant_type": "client_credentials", **form}, basic(secret))
    status, headers, body = ask()
    got = json.loads(body)
    token = claims(got["access_token"])
    assert status == 200 and set(got) == {"access_token", "expires_in", "token_type"} and headers["Access-Control-Allow-Origin"] == "*"
    assert token["scope"] == "api/read api/write" and token["sub"] == token["client_id"] == client["ClientId"] and "username" not in token
    assert claims(json.loads(ask(scope="api/read")[2])["access_token"])["scope"] == "api/read"
    assert json.loads(ask(scope="openid")[2]) == {"error": "invalid_scope"}
    status, _, body = ask(secret="wrong")
    assert status == 401 and json.loads(body) == {"error": "invalid_client"}
    assert json.loads(site.ask("POST", "/oauth2/token", {"grant_type": "client_credentials", "client_id": pool.client_id})[2]) == {
        "error": "unauthorized_client"}
    assert json.loads(ask(grant_type="password")[2]) == {"error": "unsupported_grant_type"}
    assert site.ask("OPTIONS", "/oauth2/token")[0] == 200
