import { describeProblem, refused, type Clock, type EndpointEntry } from '@belay/contract';
import type { LogLine } from '@belay/sidecar/shell/sidecar-options.ts';
import { parseModelFile, type LocalModel } from './local-model.ts';
import { createLocalServer, type LocalServer } from './local-server.ts';
import type { ServerHost } from './server-host.ts';

export interface LocalTierOptions {
  readonly host: ServerHost;
  readonly clock: Clock;
  readonly log: (line: LogLine) => void;
  /** `--model-dir`; null: not given. */
  readonly modelDir: string | null;
  /** Every endpoint there is, whenever one changed. */
  readonly onEndpoints: (endpoints: readonly EndpointEntry[]) => void;
}

/** The llama-servers of all local providers. */
export interface LocalTier {
  /** Starts what is new, restarts what changed, stops what is gone, and leaves the rest alone. */
  apply(models: readonly LocalModel[]): void;
  /** Stops every server; resolves when all are gone. */
  close(): Promise<void>;
}

interface Entry {
  readonly model: string;
  /** null while the server that it replaces is still being stopped. */
  server: LocalServer | null;
}

/** Keeps one llama-server running for each local model, and tells where each answers. */
export function createLocalTier(options: LocalTierOptions): LocalTier {
  const entries = new Map<string, Entry>();
  const leaving = new Map<string, Promise<void>>();
  let closed = false;

  const publish = (): void => {
    if (closed) return;
    options.onEndpoints([...entries].flatMap(([name, { server }]) => {
      const endpoint = server === null ? { name, state: 'Loading' as const, url: null } : server.endpoint();
      return endpoint === null ? [] : [endpoint];
    }));
  };
  const leave = (name: string, { server }: Entry): void => {
    entries.delete(name);
    if (server === null) return;
    const gone = server.close().finally(() => leaving.delete(name));
    leaving.set(name, gone);
  };
  const enter = (model: LocalModel, file: string): void => {
    const { host, clock, log } = options;
    const entry: Entry = { model: JSON.stringify(model), server: null };
    entries.set(model.name, entry);
    const start = (): void => {
      if (closed || entries.get(model.name) !== entry) return;
      entry.server = createLocalServer({ model, file, host, clock, log, onChange: publish });
      publish();
    };
    const before = leaving.get(model.name);
    if (before === undefined) start();
    else void before.then(start);
  };
  return {
    apply(models) {
      const wanted = new Map(models.map((model) => [model.name, JSON.stringify(model)]));
      for (const [name, entry] of [...entries]) if (wanted.get(name) !== entry.model) leave(name, entry);
      for (const model of models) {
        const file = entries.has(model.name) ? null : modelFile(model, options);
        if (file !== null) enter(model, file);
      }
      publish();
    },
    async close() {
      closed = true;
      for (const [name, entry] of [...entries]) leave(name, entry);
      await Promise.all(leaving.values());
    },
  };
}

/** null, said in a warning, where no file can be meant. */
function modelFile({ name, path }: LocalModel, { modelDir, log }: LocalTierOptions): string | null {
  const file = modelDir === null
    ? refused('', 'say with --model-dir DIR where its model file lies')
    : parseModelFile(modelDir, path);
  if (file.ok) return file.value;
  const why = file.problems.map(describeProblem).join('; ');
  log({ level: 'warn', event: 'local-model-missing', message: `local model ${name}: ${why}; its targets are left out`, provider: name });
  return null;
}
