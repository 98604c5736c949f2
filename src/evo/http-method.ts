/** The methods that a route can be registered for. */
export type HttpMethod = "GET" | "POST" | "OPTIONS" | "DELETE" | "PATCH" | "PUT" | "HEAD" | "ANY";

export const METHODS: ReadonlySet<string> = new Set<HttpMethod>([
  "GET",
  "POST",
  "OPTIONS",
  "DELETE",
  "PATCH",
  "PUT",
  "HEAD",
  "ANY",
]);
