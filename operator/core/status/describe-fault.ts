import type { FailureClass } from '@belay/contract';

/** Why a target does not answer: a failure class, or why sidecars leave it out. Never a word of an upstream (control-plane: Security promises, 5). */
export type Fault = FailureClass | 'KeyNotDelivered' | 'Absent' | 'NotTried';

/** What a fault's words name. */
export interface FaultPlace {
  /** As the table names it: `NAME`, or `NAMESPACE/NAME` of another namespace. */
  readonly provider: string;
  readonly model: string;
  /** Belay runs its server. */
  readonly local: boolean;
  /** Where its key is; null: it names none; undefined: that is not known, or another namespace's own affair. */
  readonly keyRef: KeyRef | null | undefined;
  /** Why its server is not there, as a clause; empty: not known. */
  readonly detail: string;
}

/** A key of a Secret. */
export interface KeyRef {
  readonly name: string;
  readonly key: string;
}

/** Those that last until a person acts. */
const lasting: readonly Fault[] = ['Auth', 'Missing', 'Quota', 'KeyNotDelivered', 'Absent'];
const itsStatusPage = 'see its status page; it is asked again by itself';

/** A clause for each, with what to do, or to look at. */
const words: { readonly [fault in Fault]: (place: FaultPlace) => string } = {
  Client: () => 'requests that it cannot take',
  Context: () => 'requests longer than its context window',
  Auth: authWords,
  Missing: ({ model }) => `it does not know the model ${model}: check the model that the target names`,
  Quota: () => 'its account has no quota or credit left: raise it at the provider',
  Rate: () => 'its rate limit is reached: wait, or raise the limit at the provider',
  Overload: () => `it says that it is overloaded: ${itsStatusPage}`,
  Transient: (place) => `server errors or broken connections: ${place.local ? serverOf(place) : itsStatusPage}`,
  Unreachable: (place) => (place.local ? `its server refuses connections: ${serverOf(place)}` : 'no connection to it: check its baseURL, DNS, its certificate and the network'),
  Timeout: (place) => `no answer in time: ${place.local ? serverOf(place) : itsStatusPage}`,
  Content: () => 'empty, filtered or unusable answers',
  Loading: () => 'its model is still loading',
  ClientGone: () => 'clients that hung up',
  KeyNotDelivered: ({ provider, keyRef }) => `its key is not there: check ${keyRef == null ? '' : `${describeKey(keyRef)}, and `}ResolvedRefs of ${describeProvider(provider)}`,
  Absent: (place) => `its server is not there: ${place.detail === '' ? serverOf(place) : place.detail}`,
  NotTried: () => 'sidecars leave it out: belay why says for what reason',
};

/** `Auth (it refuses the key: …)`. */
export function describeFault(fault: Fault, place: FaultPlace): string {
  return `${fault} (${words[fault](place)})`;
}

/** Nothing but a person's doing ends it. */
export function needsPerson(fault: string): boolean {
  return (lasting as readonly string[]).includes(fault);
}

function authWords({ provider, keyRef }: FaultPlace): string {
  if (keyRef === null) return `it wants a key, and ${describeProvider(provider)} names none: set its credentials.secretKeyRef`;
  return `it refuses the key: check ${keyRef === undefined ? `the Secret of ${describeProvider(provider)}` : describeKey(keyRef)}`;
}

function describeKey({ name, key }: KeyRef): string {
  return `key "${key}" of Secret "${name}"`;
}

function serverOf({ provider }: FaultPlace): string {
  return `see Ready of ${describeProvider(provider)}`;
}

function describeProvider(provider: string): string {
  const [name, namespace] = provider.split('/').reverse();
  return `ModelProvider ${name ?? ''}${namespace === undefined ? '' : ` of namespace ${namespace}`}`;
}
