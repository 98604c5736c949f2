import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { secretNames } from "../../src/operations/secret-names.ts";
import { processorMs } from "../support/processor-time.ts";

const SECRET =
  `token access_token accessToken AccessToken ACCESS_TOKEN accesstoken id_token idToken refresh-token refreshToken
  api_key api-key apikey apiKey APIKey x-api-key key keys x-auth-token auth password password[] user[password]
  user.password newPassword passwordConfirmation passwd pwd pass userPass passphrase client_secret client-secret
  clientSecret secret signature X-Amz-Signature X-Amz-Security-Token X-Amz-Credential x-goog-signature sig code state
  authCode reset_code code_verifier jwt session sessionid session_id sessionId JSESSIONID PHPSESSID sid otp totp OTP pin
  private_key privateKey sshPrivateKey authorization proxy-authorization cookie set-cookie x-csrf-token xsrf
  credentials SAMLResponse cvv`.split(/\s+/);

const PLAIN =
  `a id name page q query author authors keyword keyboard keynote monkey pinball pinned compass bypass
  countryCode country_code zip-code postalCode error_code status sort_key sortKey states codec encode decoder signal
  sidebar design sigma obsession sessions order cursor from to user user[name] email`.split(/\s+/);

describe("names of secrets", () => {
  const isSecret = secretNames();
  for (const name of SECRET) it(`${name} is one`, () => assert.equal(isSecret(name), true));
  for (const name of PLAIN) it(`${name} is none`, () => assert.equal(isSecret(name), false));

  it("are known in any style", () => {
    const words = fc.array(fc.constantFrom("user", "my", "x", "new", "1"), { maxLength: 3 });
    const secret = fc.constantFrom("password", "token", "secret", "key", "otp", "signature");
    const capital = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);
    const style = fc.constantFrom(
      (parts: string[]) => parts.join("_"),
      (parts: string[]) => parts.join("-"),
      (parts: string[]) => parts.join("."),
      (parts: string[]) => parts.join("_").toUpperCase(),
      (parts: string[]) => parts.map(capital).join(""),
      (parts: string[]) =>
        `${parts[0]}${parts
          .slice(1)
          .map((part) => `[${part}]`)
          .join("")}[]`,
    );
    fc.assert(
      fc.property(words, secret, words, style, (before, name, after, join) => {
        assert.equal(isSecret(join([...before, name, ...after])), true);
      }),
    );
  });

  it("can be more, in any style", () => {
    const own = secretNames(["X-Own", "birthDate"]);
    for (const name of ["x-own", "xOwn", "X_OWN", "birthdate", "birth_date", "BirthDate"]) {
      assert.equal(own(name), true, name);
    }
    assert.equal(own("own"), false);
  });

  it("are found in time that grows with the length", () => {
    for (const piece of ["A", "a", "Aa", "aA", "pass", "_", "[", "é", "%", "1A"]) {
      const start = processorMs();
      isSecret(piece.repeat(1_000_000 / piece.length));
      assert.ok(processorMs() - start < 2_000, piece);
    }
  });
});
