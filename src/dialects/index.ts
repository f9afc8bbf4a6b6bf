/** All dialects by name. Nothing else lists them. */
import type { Dialect, DialectName } from './dialect.ts';

export const dialects: Readonly<Partial<Record<DialectName, Dialect>>> = {};
