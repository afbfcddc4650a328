import { describeProblem, maxServerFrameLength, pingIntervalMs, podAnnotations, resourceTypes, sharedSchemaVersion, silenceLimitMs, snapshotPieces, streamProtocol, type ChainReport, type ClientFrame, type HelloFrame, type Parsed, type Problem, type Resource, type ResourceType, type ServerFrame, type SnapshotFrame } from '@belay/contract';
import type { TableResource } from './last-good-table.ts';
import type { Resources } from './select-resources.ts';

/** Who is there, from its token alone. */
export interface SidecarIdentity {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

/** One resource on one connection. At most one snapshot is on its way; what changes meanwhile waits as `wanted`, the latest alone. */
export interface Slot {
  readonly wanted: Resource | null;
  readonly sent: { readonly nonce: string; readonly resource: Resource } | null;
  readonly acked: string | null;
  /** What was acked on this connection; null: what it runs is known by its version at most. */
  readonly accepted: Resource | null;
  readonly rejected: { readonly version: string; readonly error: string; readonly atMs: number } | null;
  /** Of a table: what is to run while the one that was rejected is all there is; null: what runs may stay. */
  readonly instead: Resource | null;
}

/** `tableInstead` of the pure half, which may keep what it made. */
export type TableInstead = (refused: TableResource, accepted: TableResource | null, error: string) => TableResource | null;

export interface ConnectionState {
  readonly identity: SidecarIdentity;
  readonly hello: HelloFrame | null;
  /** Of tables; null: none that both know, or no hello yet. */
  readonly schemaVersion: number | null;
  readonly slots: { readonly [type in ResourceType]: Slot };
  readonly lastNonce: number;
  readonly heardMs: number;
  readonly pingedMs: number;
  /** Since when more than `stuckBytes` wait in its socket; null: they do not. */
  readonly stuckSinceMs: number | null;
  /** When it is asked to go elsewhere, and then: when it must be gone. */
  readonly leavesMs: number;
  readonly asked: boolean;
}

export type ConnectionEvent =
  | { readonly type: 'frame-received'; readonly frame: Parsed<ClientFrame> }
  | { readonly type: 'resources-selected'; readonly resources: Resources }
  | { readonly type: 'socket-measured'; readonly bufferedBytes: number }
  /** This process will end, or its token has. */
  | { readonly type: 'draining' }
  /** About once a second. */
  | { readonly type: 'ticked' };

export type ConnectionEffect =
  | { readonly type: 'send-snapshot'; readonly resource: Resource; readonly nonce: SnapshotFrame['nonce'] }
  | { readonly type: 'send'; readonly frame: Exclude<ServerFrame, SnapshotFrame> }
  | { readonly type: 'note-report'; readonly identity: SidecarIdentity; readonly chains: readonly ChainReport[] }
  /** Everything after it is void. `reason` is a clause for the log. */
  | { readonly type: 'close'; readonly reason: string };

export interface ConnectionStep {
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

const stuckBytes = 1024 * 1024;
const stuckLimitMs = 10_000;
const connectionAgeMs = 30 * 60_000;
const reconnectWithinMs = 10_000;
/** To be gone after the last moment at which it may have gone by itself. */
const graceMs = 5_000;
const mostProblems = 3;
const emptySlot: Slot = { wanted: null, sent: null, acked: null, accepted: null, rejected: null, instead: null };

/** `chance` is uniform on [0, 1): connections live 30 min ± 20 %, so that they do not all end at once. */
export function openConnection(identity: SidecarIdentity, nowMs: number, chance: number): ConnectionState {
  return {
    identity, hello: null, schemaVersion: null, slots: { endpoints: emptySlot, keys: emptySlot, hints: emptySlot, table: emptySlot },
    lastNonce: 0, heardMs: nowMs, pingedMs: nowMs, stuckSinceMs: null, leavesMs: nowMs + connectionAgeMs * (0.8 + 0.4 * chance), asked: false,
  };
}

/** What one connection does next. Total. */
export function stepConnection(state: ConnectionState, event: ConnectionEvent, nowMs: number, tableInstead: TableInstead): ConnectionStep {
  switch (event.type) {
    case 'frame-received': return event.frame.ok ? receive({ ...state, heardMs: nowMs }, event.frame.value, nowMs, tableInstead) : closed(state, `it sent a bad frame: ${describeBadFrame(event.frame.problems)}`);
    case 'resources-selected': return want(state, event.resources, nowMs, tableInstead);
    case 'socket-measured': return measure(state, event.bufferedBytes, nowMs);
    case 'draining': return state.asked ? same(state) : askToLeave(state, nowMs);
    case 'ticked': return tick(state, nowMs);
  }
}

/** A frame can be wrong in a hundred thousand places: the first ones say enough. */
function describeBadFrame(problems: readonly Problem[]): string {
  const more = problems.length - mostProblems;
  return problems.slice(0, mostProblems).map(describeProblem).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function same(state: ConnectionState): ConnectionStep {
  return { state, effects: [] };
}

function closed(state: ConnectionState, reason: string): ConnectionStep {
  return { state, effects: [{ type: 'close', reason }] };
}

function receive(state: ConnectionState, frame: ClientFrame, nowMs: number, tableInstead: TableInstead): ConnectionStep {
  if (state.hello === null && frame.frame !== 'hello') return closed(state, `its first frame must be hello, not ${frame.frame}`);
  switch (frame.frame) {
    case 'hello': return greet(state, frame);
    case 'ack': return answered(state, frame.nonce, accept);
    case 'nack': return answered(state, frame.nonce, (slot, resource) => reject(slot, resource, { version: resource.version, error: frame.error, atMs: nowMs }, tableInstead));
    case 'report': return { state, effects: [{ type: 'note-report', identity: state.identity, chains: frame.chains }] };
    // This release grants no lease.
    case 'lease-request': return same(state);
  }
}

function greet(state: ConnectionState, hello: HelloFrame): ConnectionStep {
  const { pod, uid } = state.identity;
  if (state.hello !== null) return closed(state, 'it said hello twice');
  if (hello.protocol !== streamProtocol) return closed(state, `it speaks protocol ${hello.protocol}, and this distributor ${streamProtocol}`);
  if (hello.pod !== pod || hello.uid !== uid) return closed(state, `its hello names another pod than its token, which is of ${pod}`);
  const slots = { ...state.slots };
  for (const type of resourceTypes) slots[type] = { ...emptySlot, acked: hello.have[type] };
  return same({ ...state, hello, schemaVersion: sharedSchemaVersion(hello.schemaVersions), slots });
}

/** A nonce that is not on its way is of no interest. */
function answered(state: ConnectionState, nonce: string, settle: (slot: Slot, resource: Resource) => Slot): ConnectionStep {
  const type = resourceTypes.find((candidate) => state.slots[candidate].sent?.nonce === nonce);
  const sent = type === undefined ? null : state.slots[type].sent;
  if (type === undefined || sent === null) return same(state);
  return sendWanted({ ...state, slots: { ...state.slots, [type]: settle({ ...state.slots[type], sent: null }, sent.resource) } });
}

/** What stands in for a rejected table leaves that table rejected. */
function accept(slot: Slot, resource: Resource): Slot {
  const standsIn = resource === slot.instead;
  return { ...slot, acked: resource.version, accepted: resource, rejected: standsIn ? slot.rejected : null, instead: standsIn ? resource : null };
}

function reject(slot: Slot, resource: Resource, rejected: NonNullable<Slot['rejected']>, tableInstead: TableInstead): Slot {
  if (resource === slot.instead) return { ...slot, instead: null };
  const accepted = slot.accepted?.type === 'table' ? slot.accepted : null;
  const instead = resource.type === 'table' ? tableInstead(resource, accepted, rejected.error) : null;
  return { ...slot, rejected, instead: instead === null || isTooLong(instead) ? null : instead };
}

function want(state: ConnectionState, resources: Resources, nowMs: number, tableInstead: TableInstead): ConnectionStep {
  const slots = { ...state.slots };
  for (const type of resourceTypes) {
    const wanted = resources[type];
    const slot: Slot = { ...slots[type], wanted };
    slots[type] = wanted === null || wanted.version === slot.rejected?.version || !isTooLong(wanted) ? slot : reject(slot, wanted, { version: wanted.version, error: describeTooLong(wanted), atMs: nowMs }, tableInstead);
  }
  return sendWanted({ ...state, slots });
}

/** A sidecar drops such a line before it knows its nonce, and so never answers it: it would be on its way for as long as the connection lives. */
function isTooLong(resource: Resource): boolean {
  const { head, rest } = snapshotPieces(resource, String(Number.MAX_SAFE_INTEGER));
  return head.length + rest.length > maxServerFrameLength;
}

function describeTooLong({ type, data }: Resource): string {
  const many = type === 'table' ? `${data.chains.length} chains` : `${data.length} entries`;
  return `the ${type}, of ${many}, is longer than the ${maxServerFrameLength} characters that a sidecar takes: name the chains that a pod needs in its annotation ${podAnnotations.inject}`;
}

/** Sends what is wanted (or stands in for it where it was refused), is not known there, and has nothing of its type before it. */
function sendWanted(state: ConnectionState): ConnectionStep {
  if (state.hello === null || state.stuckSinceMs !== null) return same(state);
  const effects: ConnectionEffect[] = [];
  const slots = { ...state.slots };
  let { lastNonce } = state;
  for (const type of resourceTypes) {
    const { wanted, sent, acked, rejected, instead } = slots[type];
    const resource = wanted !== null && wanted.version === rejected?.version ? instead : wanted;
    if (resource === null || sent !== null || resource.version === acked) continue;
    lastNonce += 1;
    slots[type] = { ...slots[type], sent: { nonce: String(lastNonce), resource } };
    effects.push({ type: 'send-snapshot', resource, nonce: String(lastNonce) });
  }
  return { state: { ...state, slots, lastNonce }, effects };
}

/** While too much waits in its socket nothing is added; if that lasts, the connection is closed. */
function measure(state: ConnectionState, bufferedBytes: number, nowMs: number): ConnectionStep {
  if (bufferedBytes <= stuckBytes) return state.stuckSinceMs === null ? same(state) : sendWanted({ ...state, stuckSinceMs: null });
  const stuckSinceMs = state.stuckSinceMs ?? nowMs;
  const stuck = { ...state, stuckSinceMs };
  return nowMs - stuckSinceMs >= stuckLimitMs ? closed(stuck, `more than ${stuckBytes} bytes have waited in its socket for ${stuckLimitMs / 1_000} s`) : same(stuck);
}

function tick(state: ConnectionState, nowMs: number): ConnectionStep {
  if (nowMs - state.heardMs >= silenceLimitMs) return closed(state, `nothing was heard of it for ${silenceLimitMs / 1_000} s`);
  if (nowMs >= state.leavesMs) return state.asked ? closed(state, 'it was asked to go elsewhere and has not') : askToLeave(state, nowMs);
  if (nowMs - state.pingedMs < pingIntervalMs) return same(state);
  return { state: { ...state, pingedMs: nowMs }, effects: [{ type: 'send', frame: { frame: 'ping' } }] };
}

function askToLeave(state: ConnectionState, nowMs: number): ConnectionStep {
  return { state: { ...state, asked: true, leavesMs: nowMs + reconnectWithinMs + graceMs }, effects: [{ type: 'send', frame: { frame: 'goaway', reconnectWithinMs } }] };
}
