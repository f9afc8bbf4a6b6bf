/** What of the control plane an API key opens. Says nothing about which path takes how much. */

/** none: health and lists of what the key may use. read: all that changes nothing. full: everything. Each includes those before it. */
export const adminAccesses = ['none', 'read', 'full'] as const;

export type AdminAccess = (typeof adminAccesses)[number];

export function includesAccess(has: AdminAccess, needed: AdminAccess): boolean {
  return adminAccesses.indexOf(has) >= adminAccesses.indexOf(needed);
}
