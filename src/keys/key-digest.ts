/** Makes API keys and what is stored in place of them. Knows nothing of what a key may do. */
import { createHash, randomBytes } from 'node:crypto';

/** A beginning that tools which mask keys in logs know. */
const prefix = 'sk-llamero-';

/** A new key with 256 random bits. */
export function createKeyText(): string {
  return prefix + randomBytes(32).toString('base64url');
}

/**
 * SHA-256, in base64. A slow hash such as scrypt is for what people think up: nobody finds 256 random bits by trying, however
 * fast a try is, and this runs for each request. Keys are looked up by it, so time tells nothing of how close a guess was.
 */
export function digestKey(key: string): string {
  return createHash('sha256').update(key).digest('base64');
}
