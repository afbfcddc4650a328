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
      }, {
        name: 'not-a-mirror-of-a-static-pod',
        expression: "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)",
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

/** The chart's rights of the webhook's service account, by the rules' scope. */
export function webhookRules(configuration: string): { readonly namespaced: readonly object[]; readonly cluster: readonly object[] } {
  return {
    namespaced: [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['belay-ca'], verbs: ['get', 'list', 'watch', 'update', 'patch'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    ],
    cluster: [{ apiGroups: ['admissionregistration.k8s.io'], resources: ['mutatingwebhookconfigurations'], resourceNames: [configuration], verbs: ['get', 'list', 'watch', 'patch'] }],
  };
}
