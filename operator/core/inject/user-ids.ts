/**
 * Who chooses the user of containers: `fixed` is the `nonroot` user of distroless images; `platform` leaves it to admission, as OpenShift's
 * restricted-v2, which refuses every user outside the namespace's own range.
 */
export type UserIds = 'fixed' | 'platform';

export const fixedUser = 65532;

/** Members of a security context. */
export function runAs(userIds: UserIds): { readonly runAsUser?: number; readonly runAsGroup?: number } {
  return userIds === 'fixed' ? { runAsUser: fixedUser, runAsGroup: fixedUser } : {};
}
