/** Members of a list, and parameters of a member, that are looked at: many times what any client sends. */
const MAX_MEMBERS = 100;

/**
 * The weight of a name in a field such as Accept-Encoding (RFC 9110 §12.4.2).
 * @param name in lower case
 * @returns from 0 (not acceptable) to 1, or undefined where the field does not list it
 */
export function qualityOf(field: string, name: string): number | undefined {
  return weightsOf(field).get(name);
}

/** The weights of the first 100 names; of one name the first counts. */
function weightsOf(field: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const item of field.toLowerCase().split(",", MAX_MEMBERS)) {
    const [name = "", ...parameters] = item.split(";", MAX_MEMBERS).map((part) => part.trim());
    if (weights.has(name)) continue;
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
    weights.set(name, /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0);
  }
  return weights;
}

/**
 * Returns the content codings that a client prefers to none (RFC 9110 §12.5.3).
 * @param acceptEncoding the field; without one no coding is used
 * @param offered in the order that the server prefers
 * @returns the acceptable codings, the best first
 */
export function acceptableCodings<Coding extends string>(
  acceptEncoding: string | undefined,
  offered: readonly Coding[],
): Coding[] {
  if (acceptEncoding === undefined) return [];
  const weights = weightsOf(acceptEncoding);
  const others = weights.get("*") ?? 0;
  const none = weights.get("identity") ?? 0;
  return offered
    .map((coding) => ({ coding, quality: weights.get(coding) ?? others }))
    .filter(({ quality }) => quality > 0 && quality >= none)
    .sort((a, b) => b.quality - a.quality)
    .map(({ coding }) => coding);
}

/**
 * Returns the media type that a client prefers (RFC 9110 §12.5.1). Only a type that the field names is preferred to the
 * usual one. A type that matches a wildcard is not preferred.
 * @param accept the field, or ""
 * @param offered of equal weight, the first counts
 * @param usual the type where the client wishes none of them
 */
export function preferredType<Type extends string>(
  accept: string,
  offered: readonly Type[],
  usual: Type,
): Type {
  if (accept === "") return usual;
  const weights = weightsOf(accept);
  let best = weights.get(usual) ?? 0;
  let preferred = usual;
  for (const type of offered) {
    const weight = weights.get(type) ?? 0;
    if (weight > best || (weight === best && weight > 0 && preferred === usual)) {
      best = weight;
      preferred = type;
    }
  }
  return preferred;
}
