/** The name of this dialect, for what only it understands. */
import type { DialectName } from '../dialect.ts';

export const dialectName = 'openai-responses' satisfies DialectName;
