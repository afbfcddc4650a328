import { tokenAudience } from '@belay/contract';
import type { SidecarIdentity } from '../../core/distribute/connection.ts';

/** What the API server says of a token (authentication.k8s.io/v1 TokenReview). */
export interface TokenReviewStatus {
  readonly authenticated?: boolean;
  readonly user?: {
    readonly username?: string;
    readonly groups?: readonly string[];
    readonly extra?: { readonly [name: string]: readonly string[] };
  };
  /** Those asked for that the token has; a server that does not know audiences leaves it out, and is not believed. */
  readonly audiences?: readonly string[];
  readonly error?: string;
}

export type ReviewedIdentity = { readonly ok: true; readonly identity: SidecarIdentity } | { readonly ok: false; readonly message: string };

/** Who a sidecar is, from its token alone: the pod that the token is bound to. `message` is a sentence for whoever sent the token. */
export function reviewIdentity({ authenticated, user, audiences }: TokenReviewStatus): ReviewedIdentity {
  if (authenticated !== true) return refuse(`The token is not valid here: send the pod's projected token of audience ${tokenAudience}, read anew.`);
  if (audiences?.includes(tokenAudience) !== true) return refuse(`The token is for another audience: send the pod's projected token of audience ${tokenAudience}.`);
  const namespace = serviceAccountNamespace(user);
  if (namespace === null) return refuse('The token is not of a service account: send the pod\'s projected token.');
  const { 'authentication.kubernetes.io/pod-name': names, 'authentication.kubernetes.io/pod-uid': uids } = user?.extra ?? {};
  const pod = single(names);
  const uid = single(uids);
  if (pod === null || uid === null) return refuse('The token is bound to no pod: send the pod\'s projected token, not one of the service account.');
  return { ok: true, identity: { namespace, pod, uid } };
}

/** Of `system:serviceaccount:NAMESPACE:NAME`. */
function serviceAccountNamespace(user: TokenReviewStatus['user']): string | null {
  const [, namespace = null] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(user?.username ?? '') ?? [];
  return user?.groups?.includes('system:serviceaccounts') === true ? namespace : null;
}

function refuse(message: string): ReviewedIdentity {
  return { ok: false, message };
}

function single(values: readonly string[] | undefined): string | null {
  return values?.length === 1 && values[0] ? values[0] : null;
}
