import type { FailureClass } from '@belay/contract';

/** Why a target does not answer: a failure class, or why sidecars leave it out. Never a word of an upstream (control-plane: Security promises, 5). */
export type Fault = FailureClass | 'KeyNotDelivered' | 'Absent' | 'NotTried';

/** A clause for each, with what to look at. */
const words: { readonly [fault in Fault]: string } = {
  Client: 'requests that it cannot take',
  Context: 'requests longer than its context window',
  Auth: 'it refuses the key: check the Secret of its ModelProvider',
  Missing: 'it does not know the model: check the model that the target names',
  Quota: 'its account has no quota or credit left',
  Rate: 'its rate limit is reached',
  Overload: 'it says that it is overloaded',
  Transient: 'server errors or broken connections',
  Unreachable: 'no connection: refused, unknown host or bad certificate',
  Timeout: 'no answer in time',
  Content: 'empty, filtered or unusable answers',
  Loading: 'its model is still loading',
  ClientGone: 'clients that hung up',
  KeyNotDelivered: 'its key is not there: see ResolvedRefs of its ModelProvider',
  Absent: 'its server is not there: see Ready of its ModelProvider',
  NotTried: 'sidecars leave it out',
};

/** `Auth (it refuses the key: …)`. */
export function describeFault(fault: Fault): string {
  return `${fault} (${words[fault]})`;
}
