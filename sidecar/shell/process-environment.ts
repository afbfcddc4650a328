import { isIP } from 'node:net';
import { describeProblem, parsed, parseSidecarEnvironment, sidecarProcessVariables, type Parsed, type Problem, type SidecarEnvironment } from '@belay/contract';
import type { LogLine } from './sidecar-options.ts';

/** All that injection tells a sidecar by environment. */
export interface ProcessEnvironment {
  readonly control: SidecarEnvironment;
  /** Where probes and metrics are served. */
  readonly podIp: string;
  readonly logLevel: LogLine['level'];
}

const logLevels: readonly LogLine['level'][] = ['error', 'warn', 'info'];

/** Every variable that is not what injection sets, or all of them read. */
export function parseProcessEnvironment(environment: { readonly [name: string]: string | undefined }): Parsed<ProcessEnvironment> {
  const control = parseSidecarEnvironment(environment);
  const problems: Problem[] = control.ok ? [] : [...control.problems];
  const podIp = podIpOf(environment[sidecarProcessVariables.podIp] ?? '', problems);
  const logLevel = logLevelOf(environment[sidecarProcessVariables.logLevel] ?? '', problems);
  return control.ok && problems.length === 0 ? parsed({ control: control.value, podIp, logLevel }) : { ok: false, problems };
}

function podIpOf(written: string, problems: Problem[]): string {
  if (isIP(written) !== 0) return written;
  const message = written === '' ? 'must be set in the environment: the injection webhook sets it' : `must be an IP address, not ${JSON.stringify(written)}`;
  problems.push({ path: sidecarProcessVariables.podIp, message });
  return '';
}

function logLevelOf(written: string, problems: Problem[]): LogLine['level'] {
  const level = logLevels.find((one) => one === written);
  if (level === undefined && written !== '') problems.push({ path: sidecarProcessVariables.logLevel, message: `must be one of ${logLevels.join(', ')}, not ${JSON.stringify(written)}` });
  return level ?? 'info';
}

/** One sentence for all of them. */
export function describeEnvironment(problems: readonly Problem[]): string {
  return `This sidecar cannot run in this environment: ${problems.map(describeProblem).join('; ')}.`;
}
