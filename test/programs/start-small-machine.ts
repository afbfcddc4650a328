// Starts a small machine and says where; the test then kills this process.
import { startSmallMachine } from '../cluster/small-machine.ts';

console.log((await startSmallMachine()).dir);
setInterval(() => {}, 1_000);
