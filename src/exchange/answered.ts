declare const answered: unique symbol;

/**
 * The result of a call that answers a request: a boolean with the meaning that the call documents. A handler can return
 * it as its answer. Other booleans are not answers.
 */
export type Answered = boolean & { readonly [answered]: true };
