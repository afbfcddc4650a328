import fc from 'fast-check';

/** JSON that may be written to; what a manifest is while it is being spoiled. */
type Draft = string | number | boolean | null | Draft[] | { [name: string]: Draft };
type Step = string | number;

interface Change {
  /** Chooses the place: the n-th of all, counted in the order of the text. */
  readonly place: number;
  readonly act: 'replace' | 'remove' | 'misspell' | 'repeat';
  readonly value: Draft;
}

/** Values that some field takes and others do not. */
const values: readonly Draft[] = [
  '', 'x', 'X y', '*', 'a*', 'é', '2s', '0s', '99h', '1s500ms', 'Auto', '5%', '101%', 'openai', 'Race', 'http://a', 'https://a.b/v1', 'https://u:p@x', 'https://x?a=b', 'https://[::1]:8080/v1',
  'a.gguf', '../a.gguf', 'authorization', 'sk-abc', 'x'.repeat(300), 0, 1, -1, 4, 1.5, 2 ** 31, true, false, null, [], {}, ['a', 'a', 'a'], [null], [{}], { a: 1 },
];

const change: fc.Arbitrary<Change> = fc.record({
  place: fc.nat(200),
  act: fc.constantFrom('replace' as const, 'replace' as const, 'remove' as const, 'misspell' as const, 'repeat' as const),
  value: fc.constantFrom(...values),
});

/** Manifests that one to three changes below `spec` have made from good or bad ones. */
export function mutatedManifests(sources: readonly { readonly [name: string]: unknown }[]): fc.Arbitrary<{ readonly [name: string]: unknown }> {
  return fc.tuple(fc.constantFrom(...sources), fc.array(change, { minLength: 1, maxLength: 3 })).map(([source, changes]) => {
    const manifest = structuredClone(source) as { [name: string]: Draft };
    for (const one of changes) apply(manifest, one);
    return manifest;
  });
}

function apply(manifest: { [name: string]: Draft }, { place, act, value }: Change): void {
  const places = placesIn(manifest['spec'] ?? {}, manifest, 'spec');
  const [parent, step] = places[place % places.length] ?? [manifest, 'spec'];
  if (Array.isArray(parent)) changeList(parent, Number(step), act, value);
  else changeObject(parent, String(step), act, value);
}

function changeList(list: Draft[], index: number, act: Change['act'], value: Draft): void {
  if (act === 'remove') list.splice(index, 1);
  else if (act === 'replace') list[index] = structuredClone(value);
  else list.push(structuredClone(list[index] ?? null));
}

function changeObject(object: { [name: string]: Draft }, name: string, act: Change['act'], value: Draft): void {
  if (act === 'remove') delete object[name];
  else if (act === 'misspell') object[`${name.slice(0, -1)}q`] = structuredClone(object[name] ?? null);
  else object[name] = structuredClone(value);
}

function placesIn(value: Draft, parent: Draft[] | { [name: string]: Draft }, step: Step): readonly (readonly [Draft[] | { [name: string]: Draft }, Step])[] {
  const here = [[parent, step] as const];
  if (typeof value !== 'object' || value === null) return here;
  const inner: readonly (readonly [Step, Draft])[] = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value);
  return [...here, ...inner.flatMap(([name, member]) => placesIn(member, value, name))];
}
