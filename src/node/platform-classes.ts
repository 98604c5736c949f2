/*
 * Node loads its implementation of `fetch` when one of its classes is first looked at: a fifth of the time until a server
 * answers. So nothing here looks before it has to. By then a program may have replaced a class by its own, so the
 * property of the global object is kept as it was.
 */
const properties = new Map(
  (["Headers", "Request", "Response"] as const).map((name) => [
    name,
    Object.getOwnPropertyDescriptor(globalThis, name),
  ]),
);

interface Classes {
  Headers: typeof Headers;
  Request: typeof Request;
  Response: typeof Response;
}

/** Returns the platform's own class, whatever has taken its name since this was loaded. */
export function platformClass<Name extends keyof Classes>(name: Name): Classes[Name];
export function platformClass(name: keyof Classes): unknown {
  const property = properties.get(name);
  if (property?.get === undefined) return property?.value;
  const present = Object.getOwnPropertyDescriptor(globalThis, name);
  const found: unknown = Reflect.apply(property.get, globalThis, []);
  // Node's getter puts what it has found into its own place.
  if (present !== undefined && present.get !== property.get) Object.defineProperty(globalThis, name, present);
  properties.set(name, { value: found });
  return found;
}
