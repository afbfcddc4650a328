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
  /** null while the server that it replaces is still being stopped; a text: why there can be none. */
  server: LocalServer | string | null;
}

/** Keeps one llama-server running for each local model, and tells where each answers. */
export function createLocalTier(options: LocalTierOptions): LocalTier {
  const entries = new Map<string, Entry>();
  const leaving = new Map<string, Promise<void>>();
  let closed = false;

  const publish = (): void => {
    if (closed) return;
    options.onEndpoints([...entries].map(([name, { server }]) => endpointOf(name, server)));
  };
  const leave = (name: string, { server }: Entry): void => {
    entries.delete(name);
    if (server === null || typeof server === 'string') return;
    const gone = server.close().finally(() => leaving.delete(name));
    leaving.set(name, gone);
  };
  const enter = (model: LocalModel): void => {
    const { host, clock, log, modelDir } = options;
    const entry: Entry = { model: JSON.stringify(model), server: null };
    entries.set(model.name, entry);
    const file = modelDir === null ? refused('', 'say with --model-dir DIR where its model file lies') : parseModelFile(modelDir, model.path);
    if (!file.ok) {
      entry.server = file.problems.map(describeProblem).join('; ');
      log({ level: 'warn', event: 'local-model-missing', message: `local model ${model.name}: ${entry.server}; its targets are left out`, provider: model.name });
      return;
    }
    const start = (): void => {
      if (closed || entries.get(model.name) !== entry) return;
      entry.server = createLocalServer({ model, file: file.value, host, clock, log, onChange: publish });
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
      for (const model of models) if (!entries.has(model.name)) enter(model);
      publish();
    },
    async close() {
      closed = true;
      for (const [name, entry] of [...entries]) leave(name, entry);
      await Promise.all(leaving.values());
    },
  };
}

function endpointOf(name: string, server: Entry['server']): EndpointEntry {
  if (server === null) return { name, state: 'Loading', url: null };
  return typeof server === 'string' ? { name, state: 'Absent', url: null, detail: server } : server.endpoint();
}
