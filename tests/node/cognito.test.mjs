// User pools as the vendor's own JavaScript sees them: its client signs in by SRP, its verifier takes the tokens.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthenticationDetails, CognitoUser, CognitoUserPool } from "amazon-cognito-identity-js";
import { CognitoJwtVerifier } from "aws-jwt-verify";

const { WEIR_ENDPOINT: endpoint, WEIR_POOL: UserPoolId, WEIR_CLIENT: ClientId, WEIR_USER: Username, WEIR_PASSWORD: Password } = process.env;
const pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });

function signIn(password, name = Username) {
  const user = new CognitoUser({ Username: name, Pool: pool });
  return new Promise((resolve, reject) => user.authenticateUser(new AuthenticationDetails({ Username: name, Password: password }), {
    onSuccess: (session) => resolve({ user, session }), onFailure: reject,
    newPasswordRequired: () => reject(new Error("newPasswordRequired")),
  }));
}

test("SRP: the right password", async () => {
  // What is hashed depends on leading zeros and top bits of random numbers: often enough that both come.
  for (let i = 0; i < 4; i++) {
    const { session } = await signIn(Password);
    assert.equal(session.getIdToken().payload["cognito:username"], Username);
  }
});

test("SRP: wrong passwords, nobody", async () => {
  await assert.rejects(signIn("Wrong-horse-1"), { code: "NotAuthorizedException", message: "Incorrect username or password." });
  await assert.rejects(signIn(Password, "nobody"), { code: "NotAuthorizedException", message: "Incorrect username or password." });
});

test("refresh, attributes, change of password", async () => {
  const { user, session } = await signIn(Password);
  const again = await new Promise((resolve, reject) =>
    user.refreshSession(session.getRefreshToken(), (err, got) => (err ? reject(err) : resolve(got))));
  assert.notEqual(again.getAccessToken().getJwtToken(), session.getAccessToken().getJwtToken());
  const attributes = await new Promise((resolve, reject) => user.getUserAttributes((err, got) => (err ? reject(err) : resolve(got))));
  assert.ok(attributes.some((a) => a.getName() === "sub"));
  await new Promise((resolve, reject) => user.changePassword(Password, Password + "2", (err) => (err ? reject(err) : resolve())));
  await signIn(Password + "2");
});

test("aws-jwt-verify takes the tokens", async () => {
  const { session } = await signIn(Password + "2");
  const jwks = await (await fetch(`${endpoint}/${UserPoolId}/.well-known/jwks.json`)).json();
  for (const tokenUse of ["id", "access"]) {
    const verifier = CognitoJwtVerifier.create({ userPoolId: UserPoolId, clientId: ClientId, tokenUse });
    verifier.cacheJwks(jwks);
    const token = (tokenUse === "id" ? session.getIdToken() : session.getAccessToken()).getJwtToken();
    const claims = await verifier.verify(token);
    assert.equal(claims.token_use, tokenUse);
    const [head, body, signature] = token.split(".");
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: "other" })).toString("base64url");
    await assert.rejects(verifier.verify([head, forged, signature].join(".")));
    await assert.rejects(verifier.verify([head, body, signature.slice(0, -8) + "AAAAAAAA"].join(".")));
  }
});
