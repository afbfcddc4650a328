import { createHash } from 'node:crypto';
import { describeProblem, encodeFrame, reportIntervalMs, type ChainReport, type Clock, type Random, type SidecarEnvironment } from '@belay/contract';
import type { ControlEffect, ControlEvent, ControlState, ControlTimer } from '../../core/control/control-protocol.ts';
import { initialControlState, stepControl } from '../../core/control/step.ts';
import type { StreamLoss } from '../failure-from-node.ts';
import type { LogLine, Sidecar } from '../sidecar-options.ts';
import { openStream, type ControlStream } from './open-stream.ts';
import { readBootstrap, readCredentials, type StreamFilePaths } from './stream-files.ts';

export interface ControlOptions {
  readonly environment: SidecarEnvironment;
  readonly files: StreamFilePaths;
  readonly sidecar: Pick<Sidecar, 'applyTable' | 'applyKeys' | 'applyEndpoints' | 'report'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: (line: LogLine) => void;
}

/** The sidecar's end of the control stream, for as long as the process lives. */
export interface Control {
  start(): void;
  /** Why no table has come yet: a clause for people. */
  whyNoTable(): string;
  /** Ends the stream; nothing is applied any more. */
  close(): void;
}

interface Held {
  readonly options: ControlOptions;
  state: ControlState;
  /** Of the connection that the core knows as its current one, once it was dialled. */
  stream: { readonly connection: number; readonly stream: ControlStream } | null;
  readonly timers: Map<ControlTimer | 'report', () => void>;
  lastLoss: string | null;
  /** The bootstrap copy as it was read last: the same is not tried twice. */
  bootstrapText: string;
}

/** Carries out what the core decides; decides nothing (control-plane: Distribution). */
export function createControl(options: ControlOptions): Control {
  const held: Held = { options, state: initialControlState(options.environment), stream: null, timers: new Map(), lastLoss: null, bootstrapText: '' };
  return {
    start() {
      lookForBootstrap(held);
      armReport(held);
      tell(held, { type: 'started' });
    },
    whyNoTable() {
      const { distributor: { host, port }, namespace } = options.environment;
      const loss = held.lastLoss === null ? 'has not sent one yet' : `cannot be reached: ${held.lastLoss}`;
      return `the distributor ${host}:${port} ${loss}; and namespace ${namespace} has no bootstrap copy that can be served`;
    },
    close() {
      tell(held, { type: 'closed' });
      for (const disarm of held.timers.values()) disarm();
      held.timers.clear();
    },
  };
}

function tell(held: Held, event: ControlEvent): void {
  const { state, effects } = stepControl(held.state, event, { random: held.options.random, sha256Hex });
  held.state = state;
  for (const effect of effects) carryOut(held, effect);
}

function carryOut(held: Held, effect: ControlEffect): void {
  const { sidecar, log } = held.options;
  switch (effect.type) {
    case 'connect': return connect(held, effect.connection);
    case 'close-connection': return hangUp(held, effect.connection);
    case 'send':
      if (held.stream?.connection === effect.connection) held.stream.stream.send(encodeFrame(effect.frame));
      return;
    case 'arm-timer': return arm(held, effect.timer, effect.delayMs, () => tell(held, { type: 'timer-fired', timer: effect.timer }));
    case 'disarm-timer':
      held.timers.get(effect.timer)?.();
      held.timers.delete(effect.timer);
      return;
    case 'apply-table': {
      const applied = sidecar.applyTable(effect.table);
      const refusal = applied.ok ? null : applied.problems.map(describeProblem).join('; ');
      return tell(held, { type: 'table-settled', source: effect.source, version: effect.version, refusal });
    }
    case 'apply-keys': return sidecar.applyKeys(effect.keys);
    case 'apply-endpoints': return sidecar.applyEndpoints(effect.endpoints);
    // What the fleet knows of a target is for a later release: this one learns by itself.
    case 'apply-hints': return;
    case 'log': return log({ level: effect.level, event: effect.event, message: effect.message });
  }
}

function arm(held: Held, timer: ControlTimer | 'report', delayMs: number, fire: () => void): void {
  held.timers.get(timer)?.();
  held.timers.set(timer, held.options.clock.after(delayMs, () => {
    held.timers.delete(timer);
    fire();
  }));
}

function connect(held: Held, connection: number): void {
  held.stream?.stream.close();
  held.stream = null;
  lookForBootstrap(held);
  const { files, environment } = held.options;
  const lose = (loss: StreamLoss): void => {
    if (held.state.connection === connection) held.lastLoss = loss.detail;
    tell(held, { type: 'connection-lost', connection, ...loss });
  };
  readCredentials(files, environment.certificates).then((credentials) => {
    if (held.state.phase !== 'connecting' || held.state.connection !== connection) return;
    if (!credentials.ok) return lose({ cause: 'Other', detail: credentials.detail });
    const stream = openStream({ ...environment.distributor, ...credentials }, {
      onConnected() {
        held.lastLoss = null;
        tell(held, { type: 'connected', connection });
      },
      onFrame: (frame) => tell(held, { type: 'frame-received', connection, frame }),
      onLost: lose,
    });
    held.stream = { connection, stream };
  }, (error: unknown) => lose({ cause: 'Other', detail: `Belay itself failed: ${String(error)}` }));
}

function hangUp(held: Held, connection: number): void {
  if (held.stream?.connection !== connection) return;
  held.stream.stream.close();
  held.stream = null;
}

/** The copy is wanted for as long as no table is held; the kubelet may write it after the process started. */
function lookForBootstrap(held: Held): void {
  if (held.state.have.table !== null) return;
  readBootstrap(held.options.files.bootstrap).then((read) => {
    if (read === null || held.state.have.table !== null || read.text === held.bootstrapText) return;
    held.bootstrapText = read.text;
    tell(held, { type: 'bootstrap-read', bootstrap: read.bootstrap });
  }, (error: unknown) => held.options.log({ level: 'error', event: 'bootstrap-crashed', message: `Belay itself failed when it read the bootstrap copy: ${String(error)}` }));
}

/** Totals: one that would queue behind an earlier one is left out. */
function armReport(held: Held): void {
  arm(held, 'report', reportIntervalMs, () => {
    armReport(held);
    lookForBootstrap(held);
    if (held.state.phase === 'open' && held.stream?.stream.isCongested() === false) tell(held, { type: 'report-made', chains: reportOf(held) });
  });
}

function reportOf({ options }: Held): readonly ChainReport[] {
  return options.sidecar.report();
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
