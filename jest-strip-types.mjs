// Node's own type stripping as jest's transform: same lines and columns, no dependency.
import { stripTypeScriptTypes } from 'node:module';

export default { process: (source) => ({ code: stripTypeScriptTypes(source, { mode: 'strip' }) }) };
