export type { CookieOptions } from "./cookies.ts";
export { clearCookie, cookies, setCookie } from "./cookies.ts";
export type { FormLimits } from "./form-limits.ts";
export { defaultFormLimits } from "./form-limits.ts";
export type { Form, FormField, FormFile, FormFilePart, FormOptions, FormPart } from "./forms.ts";
export { formParts, readForm } from "./forms.ts";
export type { FileOptions } from "./serve-files.ts";
export { serveFiles } from "./serve-files.ts";
