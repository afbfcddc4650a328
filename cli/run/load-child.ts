// Reads, validates and compiles manifests in a process of its own, and writes what came of it to standard output.
import { configurationToJSON } from './configuration-json.ts';
import { loadConfiguration, type ConfigurationSource } from './load-configuration.ts';

const source = JSON.parse(process.argv[2] ?? '') as ConfigurationSource;
process.stdout.write(configurationToJSON(await loadConfiguration(source, process.env)));
