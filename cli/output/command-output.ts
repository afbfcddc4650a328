/** Where a command writes, and whether that is a terminal. */
export interface CommandOutput {
  readonly write: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly colour: boolean;
}

/** What `-o` takes. */
export const outputForms = ['text', 'json', 'yaml'] as const;
export type OutputForm = (typeof outputForms)[number];

export function isOutputForm(form: string): form is OutputForm {
  return (outputForms as readonly string[]).includes(form);
}

/** Why `-o` cannot be meant so. */
export function outputFault(form: string): string {
  return `-o takes ${outputForms.join(', ')}, not ${form}`;
}

/** Colours on a terminal alone, and not where NO_COLOR is set (no-color.org). */
export function terminalOutput(): CommandOutput {
  const { stdout, stderr, env } = process;
  return { write: (text) => void stdout.write(text), complain: (text) => void stderr.write(text), colour: stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' };
}
