import { describe, expect, test } from '@jest/globals';
import { parsed, refused, type EndpointEntry } from '@belay/contract';
import type { LogLine } from '@belay/sidecar/shell/sidecar-options.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { LocalModel } from './local-model.ts';
import { createLocalTier } from './local-tier.ts';
import type { ServerEnd, ServerHost, ServerProcess } from './server-host.ts';

const model: LocalModel = { name: 'on-cluster', path: 'qwen.gguf', contextTokens: 1024, parallel: 2 };

interface FakeServer extends ServerProcess {
  readonly args: readonly string[];
  readonly signals: string[];
  end(how: ServerEnd): void;
}

/** A machine whose servers become ready when told, and end when told. */
function fakeMachine() {
  const clock = new ManualClock();
  const servers: FakeServer[] = [];
  const logged: LogLine[] = [];
  const published: (readonly EndpointEntry[])[] = [];
  const machine = {
    clock, servers, logged, published,
    ready: false, installed: true, file: 'Whole' as 'Missing' | 'Growing' | 'Whole', port: 4000, stubborn: false, answer: null as Promise<boolean> | null, words: ['tensor is truncated'] as readonly string[],
    endpoints: (): readonly EndpointEntry[] => published.at(-1) ?? [],
    last: (): FakeServer => servers.at(-1) ?? (() => { throw new Error('no server was started'); })(),
  };
  const host: ServerHost = {
    cores: 4,
    findServer: () => (machine.installed ? parsed('/bin/llama-server') : refused('', 'no llama-server was found')),
    lookAtModel: () => machine.file,
    freePort: () => Promise.resolve(machine.port++),
    isReady: () => (machine.answer === null ? Promise.resolve(machine.ready) : machine.answer),
    start(_server, args, onEnd) {
      const signals: string[] = [];
      const server: FakeServer = {
        pid: 100 + servers.length, args, signals, end: onEnd, lastLines: () => machine.words,
        kill(signal) {
          signals.push(signal);
          if (signal === 'SIGKILL' || !machine.stubborn) void Promise.resolve().then(() => onEnd(signal));
        },
      };
      servers.push(server);
      return server;
    },
  };
  const tier = createLocalTier({ host, clock, log: (line) => logged.push(line), modelDir: '/models', onEndpoints: (endpoints) => published.push(endpoints) });
  return { ...machine, machine, tier };
}

describe('a local tier', () => {
  test('is Loading until health answers, then Ready at the same address', async () => {
    const { tier, machine, clock } = fakeMachine();
    tier.apply([model]);
    await clock.advance(500);
    expect(machine.endpoints()).toEqual([{ name: 'on-cluster', state: 'Loading', url: 'http://127.0.0.1:4000/v1' }]);
    machine.ready = true;
    await clock.advance(100);
    expect(machine.endpoints()).toEqual([{ name: 'on-cluster', state: 'Ready', url: 'http://127.0.0.1:4000/v1' }]);
    expect(clock.armed).toBe(0);
  });

  test('a health answer that comes when its server has died already does not count', async () => {
    const { tier, machine, clock } = fakeMachine();
    let answer = (_ready: boolean): void => {};
    machine.answer = new Promise((resolve) => { answer = resolve; });
    tier.apply([model]);
    await clock.advance(100);
    machine.last().end('SIGKILL');
    answer(true);
    await clock.advance(0);
    expect(machine.endpoints()[0]?.state).toBe('Loading');
  });

  test('gives each slot the whole context, leaves one core free, and names the model by its file', async () => {
    const { tier, machine, clock } = fakeMachine();
    tier.apply([model]);
    await clock.advance(0);
    expect(machine.last().args.join(' ')).toBe('--model /models/qwen.gguf --alias qwen --host 127.0.0.1 --port 4000 --ctx-size 2048 --parallel 2 --threads 3 --metrics --jinja --no-webui');
  });

  test('starts a server that died again, with its port, after 0.25 s doubling to 10 s', async () => {
    const { tier, machine, clock } = fakeMachine();
    machine.ready = true;
    tier.apply([model]);
    const waits: number[] = [];
    for (let death = 0; death < 8; death++) {
      await clock.advance(100);
      expect(machine.endpoints()[0]?.state).toBe('Ready');
      machine.last().end('SIGKILL');
      expect(machine.endpoints()).toEqual([{ name: 'on-cluster', state: 'Loading', url: 'http://127.0.0.1:4000/v1' }]);
      const started = machine.servers.length;
      let waited = 0;
      while (machine.servers.length === started) { await clock.advance(50); waited += 50; }
      waits.push(waited);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  test('forgets earlier deaths once it was ready for 60 s', async () => {
    const { tier, machine, clock } = fakeMachine();
    machine.ready = true;
    tier.apply([model]);
    await clock.advance(100);
    machine.last().end('SIGKILL');
    await clock.advance(400);
    machine.last().end('SIGKILL');
    await clock.advance(600);
    await clock.advance(60_000);
    machine.last().end('SIGKILL');
    await clock.advance(249);
    expect(machine.servers).toHaveLength(3);
    await clock.advance(1);
    expect(machine.servers).toHaveLength(4);
  });

  test('waits for a model file that appears late, and says once where to put it', async () => {
    const { tier, machine, clock, logged } = fakeMachine();
    machine.file = 'Missing';
    machine.ready = true;
    tier.apply([model]);
    await clock.advance(5_000);
    expect(machine.endpoints()).toEqual([{ name: 'on-cluster', state: 'Loading', url: null }]);
    expect(logged.map(({ message }) => message)).toEqual(['local model on-cluster: its model file is not there yet: put the GGUF file at /models/qwen.gguf; requests wait or go to other targets']);
    machine.file = 'Growing';
    await clock.advance(1_000);
    expect(machine.servers).toHaveLength(0);
    machine.file = 'Whole';
    await clock.advance(400);
    expect(machine.endpoints()[0]?.state).toBe('Ready');
  });

  test('without llama-server is Absent, says once how to get one, and starts when it is installed', async () => {
    const { tier, machine, clock, logged } = fakeMachine();
    machine.installed = false;
    machine.ready = true;
    tier.apply([model]);
    await clock.advance(3_000);
    expect(machine.endpoints()).toEqual([{ name: 'on-cluster', state: 'Absent', url: null, detail: 'no llama-server was found' }]);
    expect(logged).toEqual([expect.objectContaining({ level: 'warn', message: expect.stringContaining('no llama-server was found; its targets are left out') })]);
    machine.installed = true;
    await clock.advance(400);
    expect(machine.endpoints()[0]?.state).toBe('Ready');
  });

  test('that never becomes ready is no longer waited for after three starts, is tried on, and its last line is said', async () => {
    const { tier, machine, clock, logged } = fakeMachine();
    tier.apply([model]);
    const states: string[] = [];
    for (const wait of [0, 250, 500]) {
      await clock.advance(wait);
      machine.last().end('exit code 1');
      states.push(machine.endpoints()[0]!.state);
    }
    expect(states).toEqual(['Loading', 'Loading', 'Absent']);
    expect(logged.at(-1)).toMatchObject({ level: 'error', message: 'local model on-cluster: llama-server could not start (exit code 1: tensor is truncated); its targets are left out until it does', stderr: ['tensor is truncated'] });
    machine.ready = true;
    await clock.advance(1_000);
    expect(machine.servers).toHaveLength(4);
    expect(machine.endpoints()).toEqual([{ name: 'on-cluster', state: 'Absent', url: null, detail: 'llama-server could not start (exit code 1: tensor is truncated)' }]);
    await clock.advance(100);
    expect(machine.endpoints()[0]?.state).toBe('Ready');
  });

  test('tries another port after a start that failed', async () => {
    const { tier, machine, clock } = fakeMachine();
    tier.apply([model]);
    await clock.advance(0);
    machine.last().end('exit code 1');
    await clock.advance(250);
    expect(machine.last().args).toContain('4001');
  });

  test('that loses its words when it fails again is said to have failed as before, until it was ready or ends another way', async () => {
    const { tier, machine, clock, logged } = fakeMachine();
    tier.apply([model]);
    const failsWith = async (words: readonly string[], end: ServerEnd): Promise<string> => {
      await clock.advance(10_000);
      machine.words = words;
      machine.last().end(end);
      return `${logged.at(-1)?.message} ${JSON.stringify(logged.at(-1)?.['stderr'])}`;
    };
    expect(await failsWith(['loading', 'failed to load model'], 'exit code 1')).toContain('(exit code 1: failed to load model); starting it again in 0.25 s ["loading","failed to load model"]');
    expect(await failsWith(['loading'], 'exit code 1')).toContain('(exit code 1: failed to load model); starting it again in 0.5 s ["loading","failed to load model"]');
    expect(await failsWith([], 'SIGSEGV')).toContain('(SIGSEGV); its targets are left out until it does []');
    machine.ready = true;
    expect(await failsWith([], 'exit code 1')).toContain('llama-server ended (exit code 1); starting it again in 2 s []');
    machine.ready = false;
    expect(await failsWith(['loading'], 'exit code 1')).toContain('(exit code 1: loading); starting it again');
  });

  test('says of SIGILL what to do about it', async () => {
    const { tier, machine, clock, logged } = fakeMachine();
    tier.apply([model]);
    await clock.advance(0);
    machine.last().end('SIGILL');
    expect(logged.at(-1)?.message).toContain('set BELAY_LLAMA_SERVER to a build for this one');
  });

  test('restarts on a changed model after the old server is gone, and leaves an unchanged one alone', async () => {
    const { tier, machine, clock } = fakeMachine();
    machine.ready = true;
    machine.stubborn = true;
    tier.apply([model]);
    await clock.advance(100);
    tier.apply([{ ...model }]);
    expect(machine.last().signals).toEqual([]);
    tier.apply([{ ...model, parallel: 4 }]);
    expect(machine.endpoints()).toEqual([{ name: 'on-cluster', state: 'Loading', url: null }]);
    await clock.advance(1_999);
    expect(machine.servers).toHaveLength(1);
    await clock.advance(1);
    expect(machine.servers[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    await clock.advance(100);
    expect(machine.servers).toHaveLength(2);
    expect(machine.last().args).toContain('4096');
    expect(machine.endpoints()[0]?.state).toBe('Ready');
  });

  test('stops the server of a removed provider', async () => {
    const { tier, machine, clock } = fakeMachine();
    tier.apply([model]);
    await clock.advance(0);
    tier.apply([]);
    await clock.advance(5_000);
    expect(machine.last().signals).toEqual(['SIGTERM']);
    expect(machine.endpoints()).toEqual([]);
    expect(machine.servers).toHaveLength(1);
    expect(clock.armed).toBe(0);
  });

  test('stops all with itself and leaves no timer', async () => {
    const { tier, machine, clock } = fakeMachine();
    tier.apply([model, { ...model, name: 'other' }]);
    await clock.advance(50);
    const closed = tier.close();
    await clock.advance(0);
    await closed;
    expect(machine.servers.map(({ signals }) => signals)).toEqual([['SIGTERM'], ['SIGTERM']]);
    expect(clock.armed).toBe(0);
  });

  test('refuses a path that leaves the model directory, and leaves its target out', async () => {
    const { tier, machine, clock, logged } = fakeMachine();
    tier.apply([{ ...model, path: '../../etc/passwd' }]);
    await clock.advance(1_000);
    expect(machine.servers).toHaveLength(0);
    expect(machine.endpoints()).toMatchObject([{ state: 'Absent', detail: expect.stringContaining('must be a file below --model-dir') }]);
    expect(logged[0]?.message).toContain('must be a file below --model-dir, not "../../etc/passwd"');
  });
});
