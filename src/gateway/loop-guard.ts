/**
 * Requests that go round in a circle of routers: each router signs what it sends on (`CDN-Loop`, RFC 8586) and refuses
 * what has its own signature. Only headers are looked at.
 */
import { LlameroError } from '../domain/errors.ts';

export const loopHeader = 'cdn-loop';

/** Longer chains are no chains that somebody wanted. */
const routersMax = 16;
const signaturePrefix = 'llamero-';

/** What one router signs with. `random`: unlike that of any other router; letters, digits and dashes. */
export function loopSignature(random: string): string {
  return `${signaturePrefix}${random}`;
}

/** Why a request must not go on; undefined = it may. */
export function findLoop(received: readonly string[], signature: string): LlameroError | undefined {
  const values = valuesOf(received);
  if (values.length === 0) return undefined;
  const routers = signaturesIn(values).filter((name) => name.startsWith(signaturePrefix));
  if (routers.includes(signature)) {
    const others = routers.length - routers.indexOf(signature) - 1;
    const way = others === 0 ? 'directly' : `through ${others} other router${others === 1 ? '' : 's'}`;
    return new LlameroError(
      'loop_detected',
      `The request came back to this router ${way}: look at \`peers\` and \`backends\` of each`,
    );
  }
  if (routers.length < routersMax) return undefined;
  return new LlameroError('loop_detected', `The request came through ${routersMax} routers already`);
}

/** The header for the next one: everyone who signed before, then this router. */
export function signedBy(received: readonly string[], signature: string): string {
  return [...valuesOf(received), signature].join(', ');
}

/** Each without its parameters. */
function signaturesIn(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(',').map((entry) => entry.split(';', 1)[0]?.trim() ?? ''));
}

function valuesOf(headers: readonly string[]): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (name.length === loopHeader.length && name.toLowerCase() === loopHeader) {
      values.push(headers[index + 1] ?? '');
    }
  }
  return values;
}
