import { Command, CommanderError } from 'commander';
import manifest from './package.json' with { type: 'json' };
import { addClusterCommands } from './cluster/cluster-commands.ts';
import { terminalOutput } from './output/command-output.ts';
import type { RawRunOptions } from './run/run-options.ts';
import type { RawValidateOptions } from './validate/validate-command.ts';

const usageExitCode = 2;

/** Runs the command that `argv` (without node and script) names; resolves to the exit code: 0, 1 (problems), 2 (usage). */
export async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('belay')
    .description('One model name that keeps answering: automatic fallback between model providers.')
    .version(manifest.version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`belay: ${usageSentence(text)}\n`) });

  program.command('run')
    .description('serve manifests from files on this machine, without a cluster')
    .option('-f, --file <path...>', 'a manifest, a directory of manifests, or - for standard input; without it: a chain of the providers whose key variables are set')
    .option('-n, --namespace <name>', 'the namespace to serve (default: the only one that has chains)')
    .option('--port <port>', 'where applications reach it, on loopback (default: 7411)')
    .option('--admin-port <port>', 'probes and metrics (default: --port + 1)')
    .option('--model-dir <dir>', 'where the model files of local providers lie')
    .option('--watch', 'take changes of the manifests while serving')
    .option('--fault <fault...>', 'rehearse a failure: TARGET=500, 429, refused, silent, stall or cut, such as opus=500@50%')
    .option('--listen <address>', 'listen for others too, such as 0.0.0.0; needs a client key in BELAY_CLIENT_KEY')
    .option('--allow-origin <origin...>', 'let a web page of this origin call')
    .action(async (options: RawRunOptions) => {
      const { runCommand } = await import('./run/run-command.ts');
      code = await runCommand(options, manifest.version);
    });

  program.command('validate')
    .description('check manifests: the API server\'s own messages, with file, line and column')
    .option('-f, --file <path...>', 'a manifest, a directory of manifests, or - for standard input')
    .option('-n, --namespace <name>', 'check this namespace alone')
    .option('-o, --output <form>', 'text, json or yaml', 'text')
    .action(async (options: RawValidateOptions) => {
      const { validateCommand } = await import('./validate/validate-command.ts');
      code = await validateCommand(options, terminalOutput());
    });

  addClusterCommands(program, (exitCode) => { code = exitCode; });

  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : usageExitCode;
  }
}

/** The parser's words as one sentence: `unknown option '--prot' (did you mean --port?)`. */
function usageSentence(text: string): string {
  return text.trim().replace(/^error: /, '').replace(/\s*\n\s*/g, ' ').replace('(Did', '(did');
}
