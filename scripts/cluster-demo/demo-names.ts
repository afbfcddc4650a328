export const demoNamespace = 'belay-demo';
/** What is applied, from the root of the repository. */
export const manifests = 'examples/cluster';
