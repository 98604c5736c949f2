declare const answered: unique symbol;

/**
 * What a call returns that answers a request: a boolean, as its documentation says. A handler can return it; no other
 * boolean is an answer.
 */
export type Answered = boolean & { readonly [answered]: true };
