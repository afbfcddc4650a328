import picocolors from 'picocolors';
import { stringify } from 'yaml';
import { findManifests } from '../manifest/manifest-files.ts';
import { belayKinds } from '../manifest/read-manifests.ts';
import { isOutputForm, outputFault, type CommandOutput } from '../output/command-output.ts';
import { printProblems, type ProblemTotals } from '../output/print-problems.ts';
import { validateManifests, type ValidatedManifests } from './validate-manifests.ts';

/** Options of `belay validate` as the command line gives them. */
export interface RawValidateOptions {
  readonly file?: readonly string[];
  readonly namespace?: string;
  readonly output?: string;
}

/** `belay validate`: prints every finding. Resolves to the exit code: 0, 1 (errors; warnings are none), 2 (usage). */
export async function validateCommand(options: RawValidateOptions, output: CommandOutput): Promise<number> {
  const { file: paths = [], namespace = null, output: form = 'text' } = options;
  const fault = usageFault(paths, form);
  if (fault !== null) {
    output.complain(`belay validate: ${fault}\n`);
    return 2;
  }
  const found = findManifests(paths);
  const validated = await validateManifests(found, { namespace, use: 'Cluster' });
  const totals = totalsOf(validated, found.files.length);
  output.write(form === 'text' ? printProblems(validated.problems, totals, picocolors.createColors(output.colour)) : machineForm(form, validated, totals));
  return totals.errors > 0 ? 1 : 0;
}

function usageFault(paths: readonly string[], form: string): string | null {
  if (paths.length === 0) return 'say with -f which manifests: a file, a directory, or - for standard input';
  return isOutputForm(form) ? null : outputFault(form);
}

function totalsOf({ problems, resources }: ValidatedManifests, files: number): ProblemTotals {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const belay = resources.filter(({ kind }) => (belayKinds as readonly string[]).includes(kind));
  return { files, resources: belay.length, errors, warnings: problems.length - errors };
}

function machineForm(form: string, { problems }: ValidatedManifests, totals: ProblemTotals): string {
  const report = { ok: totals.errors === 0, ...totals, problems };
  return form === 'json' ? `${JSON.stringify(report, null, 2)}\n` : stringify(report);
}
