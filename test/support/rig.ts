import { startBelay, type BelayOptions, type BelayProcess } from './belay-process.ts';
import { sendChat, type ChatRequest } from './chat-client.ts';
import type { Outcome } from './chat-outcome.ts';
import { chainManifest, providerManifests, type Fields } from './manifests.ts';
import { createStandIn, type StandIn } from './stand-in.ts';
import { readAttempt } from './stand-in-script.ts';

export interface RigOptions extends Omit<BelayOptions, 'manifests'> {
  /** Scripts of the two upstreams, as cases write them. */
  readonly a: readonly unknown[];
  readonly b?: readonly unknown[];
  /** Fields of the chain's spec. */
  readonly chain?: Fields;
  /** Documents beside those. */
  readonly more?: readonly Fields[];
}

/** `belay run` with chain `chat`: target `a`, then `b`, both stand-ins. */
export interface Rig {
  readonly a: StandIn;
  readonly b: StandIn;
  readonly belay: BelayProcess;
  /** The manifests, with other fields in the chain's spec. */
  manifests(chain?: Fields): readonly Fields[];
  /** Plays these entries from now on. */
  script(standIn: StandIn, ...entries: readonly unknown[]): void;
  ask(body?: Fields, more?: Partial<ChatRequest>): Promise<Outcome>;
  close(): Promise<void>;
}

const attempts = (entries: readonly unknown[]): ReturnType<typeof readAttempt>[] => entries.map((entry, index) => readAttempt(entry, `entry ${index}`));

export async function createRig({ a: aScript, b: bScript = [{ say: 'Bravo one two three' }], chain = {}, more = [], ...options }: RigOptions): Promise<Rig> {
  const [a, b] = await Promise.all([createStandIn({ name: 'A', script: attempts(aScript) }), createStandIn({ name: 'B', script: attempts(bScript) })]);
  const providers = [a, b].flatMap(({ name, origin }) => providerManifests({ name: name.toLowerCase(), spec: { dialect: 'OpenAI', baseURL: `${origin}/v1` }, key: `key-of-${name.toLowerCase()}` }));
  const targets = ['a', 'b'].map((name) => ({ name, providerRef: { name }, model: `model-of-${name}` }));
  const manifests = (fields: Fields = chain): readonly Fields[] => [...providers, chainManifest('chat', { targets, ...fields }), ...more];
  const belay = await startBelay({ manifests: manifests(), ...options });
  return {
    a, b, belay, manifests,
    script: (standIn, ...entries) => standIn.setScript(attempts(entries)),
    ask: (body = {}, more = {}) => sendChat({ baseUrl: belay.baseUrl, body: { model: 'chat', messages: [{ role: 'user', content: 'Say the words.' }], ...body }, ...more }),
    close: async () => {
      await belay.close();
      await Promise.all([a.close(), b.close()]);
    },
  };
}

/** Rigs that a test opened, closed together when it is over. */
export function rigsOfTest(): { open(options: RigOptions): Promise<Rig>; closeAll(): Promise<void> } {
  const rigs: Rig[] = [];
  return {
    open: async (options) => {
      const rig = await createRig(options);
      rigs.push(rig);
      return rig;
    },
    closeAll: async () => {
      await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    },
  };
}
