import type { FallbackChain } from '../resources/fallback-chain.ts';

/** What one chain got of the names that it claims. */
export interface ClaimedNames {
  /** In the order in which the chain claims them. */
  readonly names: readonly string[];
  readonly lost: readonly LostName[];
}

export interface LostName {
  readonly name: string;
  /** The chain that serves it. */
  readonly owner: string;
  /** The loser lists it in spec.modelNames; its index there. null: it was a default. */
  readonly index: number | null;
}

interface Claim {
  readonly chain: FallbackChain;
  readonly name: string;
  readonly index: number | null;
}

/**
 * Settles which chain of a namespace serves which model name: an explicit claim beats a default one, else the older chain keeps it; of two that
 * are equally old, or that no cluster has stored, the one that is first by name.
 */
export function claimModelNames(chains: readonly FallbackChain[]): ReadonlyMap<string, ClaimedNames> {
  const claims = chains.flatMap(claimsOf);
  const owners = new Map<string, Claim>();
  for (const claim of claims) {
    const owner = owners.get(claim.name);
    if (owner === undefined || beats(claim, owner)) owners.set(claim.name, claim);
  }
  const owned = (claim: Claim) => owners.get(claim.name)?.chain === claim.chain;
  return new Map(chains.map((chain) => {
    const own = claims.filter((claim) => claim.chain === chain);
    return [chain.metadata.name, {
      names: own.filter(owned).map(({ name }) => name),
      lost: own.filter((claim) => !owned(claim)).map(({ name, index }) => ({ name, index, owner: owners.get(name)?.chain.metadata.name ?? '' })),
    }];
  }));
}

function claimsOf(chain: FallbackChain): readonly Claim[] {
  const { metadata, spec } = chain;
  const listed = spec.modelNames;
  if (listed !== undefined) return listed.map((name, index) => ({ chain, name, index })).filter(({ name, index }) => listed.indexOf(name) === index);
  const model = spec.targets[0]?.model;
  const names = model === undefined || model === '*' || model === metadata.name ? [metadata.name] : [metadata.name, model];
  return names.map((name) => ({ chain, name, index: null }));
}

function beats(challenger: Claim, owner: Claim): boolean {
  if ((challenger.index === null) !== (owner.index === null)) return challenger.index !== null;
  const [age, ownerAge] = [created(challenger), created(owner)];
  return age === ownerAge ? challenger.chain.metadata.name < owner.chain.metadata.name : age < ownerAge;
}

/** RFC 3339 in UTC, as the API server writes it, so that text compares as time does. */
function created({ chain }: Claim): string {
  return chain.metadata.creationTimestamp ?? '';
}
