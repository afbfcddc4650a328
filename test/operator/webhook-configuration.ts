/** The chart's MutatingWebhookConfiguration, but for its address: the API server of the tests reaches no Service. */
export function webhookConfiguration({ name, namespace, port }: { readonly name: string; readonly namespace: string; readonly port: number }): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
    webhooks: [{
      name: 'inject.belay.dev',
      clientConfig: { url: `https://127.0.0.1:${port}/inject` },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: 'Namespaced' }],
      namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'kube-node-lease', namespace] }] },
      matchConditions: [{
        name: 'annotated',
        expression: "has(object.metadata.annotations) && 'belay.dev/inject' in object.metadata.annotations && object.metadata.annotations['belay.dev/inject'] != 'false'",
      }],
      admissionReviewVersions: ['v1'],
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      reinvocationPolicy: 'IfNeeded',
      sideEffects: 'None',
      timeoutSeconds: 5,
    }],
  };
}
