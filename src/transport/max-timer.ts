/** The longest that a timer of Node can wait, in milliseconds (24 days); a longer one would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;
