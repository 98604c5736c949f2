/** What is secret wherever it stands in a name: `clientSecret`, `new_password`, `X-Amz-Security-Token`. */
const ANYWHERE =
  /passw(?:or)?d|passphrase|passcode|pwd|secret|token|credential|signature|apikey|privatekey|accesskey|jwt|sessionid|sessid|authorization|cookie|samlresponse/;
/** What is secret as a word of a name, but not within one: `pin` and `pinball`. */
const WORDS = new Set(
  "auth bearer creds csrf cvc cvv mfa oauth otp pass pin session sid sig totp xsrf".split(" "),
);
/** Words that mean a secret, unless a neighbouring word gives them another meaning. */
const AMBIGUOUS = new Set(["code", "key", "keys"]);
/** Words that say so: `countryCode`, `sort_key`. */
const HARMLESS = new Set(
  "area cache country currency error foreign language order partition post postal primary sort status zip".split(
    " ",
  ),
);

/**
 * Creates a function that checks whether a header field or a parameter usually has a secret value, by its name. It
 * compares the words of a name, whatever separates them: `accessToken`, `access-token` and `user[access_token]`.
 * @param more additional secret names, with any separation of their words
 */
export function secretNames(more: readonly string[] = []): (name: string) => boolean {
  const own = new Set(more.map((name) => wordsOf(name).join("")));
  return (name) => {
    const words = wordsOf(name);
    const joined = words.join("");
    if (own.has(joined) || ANYWHERE.test(joined)) return true;
    // OAuth's, RFC 6749 §4.1.2.
    if (joined === "state" || words.some((word) => WORDS.has(word))) return true;
    return words.some((word) => AMBIGUOUS.has(word)) && !words.some((word) => HARMLESS.has(word));
  };
}

const ONE_WORD = /^[a-z]*$/;
/** Where the next word begins: at a capital letter, at a digit, before the last capital letter of several, and after a separator. */
const NEXT_WORD = /(?<=[a-z\d])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=[A-Z])(?=[A-Z][a-z])|[^\p{L}\p{N}]+/u;

/** Returns the words of a name in lower case. It takes linear time, because clients choose names. */
function wordsOf(name: string): string[] {
  // Most names are one word.
  if (ONE_WORD.test(name)) return [name];
  return name.split(NEXT_WORD).map((word) => word.toLowerCase());
}
