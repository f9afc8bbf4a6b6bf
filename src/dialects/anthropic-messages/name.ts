/** The dialect's own name, for everything that carries it. */
export const dialectName = 'anthropic-messages';
