// Generated from crds/ by `npm run generate`: change the CRD, never this file.

/** One kind as its CRD describes it. */
export interface CrdSchema {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** The OpenAPI schema of the whole resource, x-kubernetes-* extensions included. */
  readonly schema: OpenAPISchema;
}

/** The part of OpenAPI 3 that a structural schema may use. */
export interface OpenAPISchema {
  readonly type?: string;
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: OpenAPISchema };
  /** A map: every member is of this kind. */
  readonly additionalProperties?: OpenAPISchema;
  readonly items?: OpenAPISchema;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly {
    readonly rule: string;
    readonly message: string;
    readonly fieldPath?: string;
    readonly reason?: string;
  }[];
}

/** Every kind of the API group, sorted by kind. */
export const crdSchemas: readonly CrdSchema[] = [
  {
    "group": "belay.dev",
    "version": "v1alpha1",
    "kind": "FallbackChain",
    "plural": "fallbackchains",
    "singular": "fallbackchain",
    "shortNames": [
      "fbchain"
    ],
    "schema": {
      "type": "object",
      "description": "A model name that applications ask for, and the targets that answer it, in order of preference.",
      "required": [
        "spec"
      ],
      "properties": {
        "apiVersion": {
          "type": "string",
          "maxLength": 64,
          "description": "belay.dev/v1alpha1"
        },
        "kind": {
          "type": "string",
          "maxLength": 64,
          "description": "FallbackChain"
        },
        "metadata": {
          "type": "object"
        },
        "spec": {
          "type": "object",
          "description": "What applications may ask for, and who answers it.",
          "required": [
            "targets"
          ],
          "x-kubernetes-validations": [
            {
              "rule": "has(self.modelNames) || !self.targets.exists(target, target.model == '*')",
              "fieldPath": ".modelNames",
              "reason": "FieldValueRequired",
              "message": "a target with model \"*\" sends the name that the application asked for: list the names that this chain takes, or [\"*\"] for every name that no other chain claims"
            },
            {
              "rule": "!has(self.latencyBudget) || !has(self.deadline) || !self.latencyBudget.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || !self.deadline.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || duration(self.latencyBudget) <= duration(self.deadline)",
              "fieldPath": ".latencyBudget",
              "message": "must not be longer than deadline, which bounds the whole answer"
            }
          ],
          "properties": {
            "modelNames": {
              "type": "array",
              "minItems": 1,
              "maxItems": 64,
              "x-kubernetes-list-type": "set",
              "description": "Names that an application may ask for. Default: the chain's name and the first target's model. \"*\" takes what no other chain claims.",
              "items": {
                "type": "string",
                "minLength": 1,
                "maxLength": 256,
                "x-kubernetes-validations": [
                  {
                    "rule": "self.matches('^[!-~]+$')",
                    "message": "must be the name of a model, such as gpt-4o: printable ASCII without spaces"
                  },
                  {
                    "rule": "self == '*' || !self.contains('*')",
                    "message": "only \"*\" alone is a wildcard: it takes every name that no other chain claims"
                  }
                ]
              }
            },
            "fallbackMode": {
              "type": "string",
              "maxLength": 16,
              "enum": [
                "Sequential",
                "Race"
              ],
              "default": "Sequential",
              "description": "Sequential: the next target starts when one has failed. Race: it also starts while one is late, and one of both answers."
            },
            "latencyBudget": {
              "type": "string",
              "maxLength": 32,
              "description": "From the request to first content, for the whole chain. Default: 2s in Race, none in Sequential, where a provider that says nothing holds an answer that is not streamed for two minutes before the next target is tried.",
              "x-kubernetes-validations": [
                {
                  "rule": "self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$')",
                  "message": "must be a duration such as 2s, 300ms or 1m30s"
                },
                {
                  "rule": "!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) > duration('0s') && duration(self) <= duration('1h'))",
                  "message": "must be longer than 0s and at most 1h"
                }
              ]
            },
            "deadline": {
              "type": "string",
              "maxLength": 32,
              "default": "10m",
              "description": "From the request to the last byte of the answer.",
              "x-kubernetes-validations": [
                {
                  "rule": "self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$')",
                  "message": "must be a duration such as 2s, 300ms or 1m30s"
                },
                {
                  "rule": "!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) > duration('0s') && duration(self) <= duration('24h'))",
                  "message": "must be longer than 0s and at most 24h"
                }
              ]
            },
            "retries": {
              "type": "integer",
              "format": "int32",
              "minimum": 0,
              "maximum": 3,
              "default": 1,
              "description": "On the same target, for transient failures before content."
            },
            "egress": {
              "type": "string",
              "maxLength": 16,
              "enum": [
                "Any",
                "ClusterOnly"
              ],
              "default": "Any",
              "description": "ClusterOnly: no request of this chain leaves the cluster; a target outside it is refused."
            },
            "targets": {
              "type": "array",
              "minItems": 1,
              "maxItems": 8,
              "x-kubernetes-list-type": "atomic",
              "description": "In order of preference.",
              "x-kubernetes-validations": [
                {
                  "rule": "self.all(a, self.exists_one(b, (has(a.name) ? a.name : a.providerRef.name) == (has(b.name) ? b.name : b.providerRef.name)))",
                  "message": "two targets have the same name: give each a name of its own (default: the name of its provider)"
                }
              ],
              "items": {
                "type": "object",
                "required": [
                  "providerRef",
                  "model"
                ],
                "properties": {
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 63,
                    "description": "Default: the name of the provider; needed where a provider stands twice.",
                    "x-kubernetes-validations": [
                      {
                        "rule": "self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",
                        "message": "must be a name such as sonnet: lower-case letters, digits, - and ., with a letter or digit at each end"
                      }
                    ]
                  },
                  "providerRef": {
                    "type": "object",
                    "required": [
                      "name"
                    ],
                    "description": "A ModelProvider.",
                    "properties": {
                      "namespace": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 63,
                        "description": "Where it is: one of another namespace must allow this one in its allowedNamespaces. Default: the namespace of the chain.",
                        "x-kubernetes-validations": [
                          {
                            "rule": "self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
                            "message": "must be the name of a namespace, such as models: lower-case letters, digits and -, with a letter or digit at each end"
                          }
                        ]
                      },
                      "name": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 253,
                        "description": "Its name.",
                        "x-kubernetes-validations": [
                          {
                            "rule": "self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$')",
                            "message": "must be the name of a ModelProvider, such as openai: lower-case letters, digits, - and ., with a letter or digit at each end"
                          }
                        ]
                      }
                    }
                  },
                  "model": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 256,
                    "description": "The model, as the provider spells it; \"*\": the name that the application asked for.",
                    "x-kubernetes-validations": [
                      {
                        "rule": "self.matches('^[!-~]+$')",
                        "message": "must be the name of a model, as the provider spells it: printable ASCII without spaces"
                      },
                      {
                        "rule": "self == '*' || !self.contains('*')",
                        "message": "only \"*\" alone is a wildcard: it sends the name that the application asked for"
                      }
                    ]
                  },
                  "suspend": {
                    "type": "boolean",
                    "description": "true: out of this chain until it is set back."
                  }
                }
              }
            },
            "race": {
              "type": "object",
              "description": "How a race is run; also for a request that asks for one.",
              "properties": {
                "prefer": {
                  "type": "string",
                  "maxLength": 16,
                  "enum": [
                    "Primary",
                    "First"
                  ],
                  "default": "Primary",
                  "description": "Primary: within the latency budget the first target wins even if it is slower. First: who answers first wins."
                },
                "hedgeDelay": {
                  "type": "string",
                  "maxLength": 32,
                  "default": "Auto",
                  "description": "How long the first target runs alone: Auto, or a duration.",
                  "x-kubernetes-validations": [
                    {
                      "rule": "self == 'Auto' || self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$')",
                      "message": "must be Auto, or a duration such as 800ms or 2s"
                    },
                    {
                      "rule": "!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || duration(self) <= duration('1h')",
                      "message": "must be at most 1h"
                    }
                  ]
                },
                "extraRequests": {
                  "type": "string",
                  "maxLength": 8,
                  "default": "5%",
                  "description": "Share of requests that may be sent to a second target while the first still runs.",
                  "x-kubernetes-validations": [
                    {
                      "rule": "self.matches('^(100([.]0{1,2})?|[0-9]{1,2}([.][0-9]{1,2})?)%$')",
                      "message": "must be a percentage such as 5% or 2.5%, from 0% to 100%"
                    }
                  ]
                }
              }
            },
            "triggers": {
              "type": "object",
              "description": "What may move a request on to the next target, beyond outages.",
              "properties": {
                "rateLimit": {
                  "type": "object",
                  "description": "What is done about a 429.",
                  "properties": {
                    "waitUpTo": {
                      "type": "string",
                      "maxLength": 32,
                      "description": "A Retry-After of at most this is waited out on the same target. Default: 2s without a latencyBudget, 0s with one.",
                      "x-kubernetes-validations": [
                        {
                          "rule": "self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$')",
                          "message": "must be a duration such as 2s, 300ms or 1m30s"
                        },
                        {
                          "rule": "!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || duration(self) <= duration('5m')",
                          "message": "must be at most 5m"
                        }
                      ]
                    }
                  }
                }
              }
            }
          }
        },
        "status": {
          "type": "object",
          "description": "Written by the operator.",
          "default": {
            "conditions": [
              {
                "type": "Ready",
                "status": "Unknown",
                "reason": "Pending",
                "message": "Waiting for the operator.",
                "lastTransitionTime": "1970-01-01T00:00:00Z"
              }
            ]
          },
          "properties": {
            "observedGeneration": {
              "type": "integer",
              "format": "int64",
              "minimum": 0,
              "description": "Generation of the spec that this status tells of."
            },
            "conditions": {
              "type": "array",
              "maxItems": 8,
              "x-kubernetes-list-type": "map",
              "x-kubernetes-list-map-keys": [
                "type"
              ],
              "description": "Accepted, ResolvedRefs, Programmed and Ready; PartiallyInvalid only where it is True.",
              "default": [
                {
                  "type": "Ready",
                  "status": "Unknown",
                  "reason": "Pending",
                  "message": "Waiting for the operator.",
                  "lastTransitionTime": "1970-01-01T00:00:00Z"
                }
              ],
              "items": {
                "type": "object",
                "required": [
                  "type",
                  "status",
                  "reason",
                  "message",
                  "lastTransitionTime"
                ],
                "properties": {
                  "type": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 316,
                    "description": "What it tells of."
                  },
                  "status": {
                    "type": "string",
                    "maxLength": 8,
                    "enum": [
                      "True",
                      "False",
                      "Unknown"
                    ],
                    "description": "Whether it holds."
                  },
                  "reason": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "description": "Why, in one word."
                  },
                  "message": {
                    "type": "string",
                    "maxLength": 32768,
                    "description": "Why, in a sentence: what, where, and what would be right."
                  },
                  "observedGeneration": {
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                    "description": "Generation of the spec that it tells of."
                  },
                  "lastTransitionTime": {
                    "type": "string",
                    "format": "date-time",
                    "maxLength": 64,
                    "description": "When status changed last."
                  }
                }
              }
            },
            "summary": {
              "type": "string",
              "maxLength": 4096,
              "description": "The targets in order, such as opus > gemini > local."
            },
            "serving": {
              "type": "string",
              "maxLength": 4096,
              "description": "Who serves now and, where it is not the first target, since when and why."
            },
            "tableVersion": {
              "type": "string",
              "maxLength": 128,
              "description": "Content hash of the routing table that this chain last travelled in."
            },
            "sidecars": {
              "type": "object",
              "description": "Sidecars that asked for this chain.",
              "required": [
                "connected",
                "current",
                "rejected",
                "lastError"
              ],
              "properties": {
                "connected": {
                  "type": "integer",
                  "format": "int32",
                  "minimum": 0,
                  "description": "Those that are connected now."
                },
                "current": {
                  "type": "integer",
                  "format": "int32",
                  "minimum": 0,
                  "description": "Of these, those that run what is published."
                },
                "rejected": {
                  "type": "integer",
                  "format": "int32",
                  "minimum": 0,
                  "description": "Of these, those that refused it."
                },
                "lastError": {
                  "type": "string",
                  "maxLength": 1024,
                  "description": "In the words of the sidecar that refused last; empty where none did."
                }
              }
            },
            "targets": {
              "type": "array",
              "maxItems": 8,
              "x-kubernetes-list-type": "atomic",
              "description": "Targets that can be routed to, in order, as sidecars see them.",
              "items": {
                "type": "object",
                "required": [
                  "name",
                  "tier",
                  "health"
                ],
                "properties": {
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 253,
                    "description": "As the chain names it."
                  },
                  "tier": {
                    "type": "string",
                    "maxLength": 16,
                    "enum": [
                      "Primary",
                      "IntraProvider",
                      "InterProvider",
                      "OpenModel",
                      "Local"
                    ],
                    "description": "Place of the target in its chain."
                  },
                  "health": {
                    "type": "string",
                    "maxLength": 16,
                    "enum": [
                      "Healthy",
                      "Degraded",
                      "Unhealthy",
                      "Loading",
                      "Absent",
                      "Suspended",
                      "Unknown"
                    ],
                    "description": "Unhealthy: it answers nothing, or breakers are open. Degraded: in part. Loading, Absent: a local model that is not there yet, or not at all. Unknown: nothing was sent to it of late."
                  },
                  "problem": {
                    "type": "string",
                    "maxLength": 1024,
                    "description": "Why it is not healthy, and what to do; left out where nothing is wrong."
                  },
                  "successRate": {
                    "type": "string",
                    "maxLength": 8,
                    "description": "Share of attempts that succeeded in the last 15 s, or in the last minute where those saw almost none, such as 99.8%; left out where there were none."
                  },
                  "firstContentP50Ms": {
                    "type": "integer",
                    "format": "int32",
                    "minimum": 0,
                    "description": "Median of the sidecars' medians from request to first content."
                  }
                }
              }
            }
          }
        }
      }
    }
  },
  {
    "group": "belay.dev",
    "version": "v1alpha1",
    "kind": "ModelProvider",
    "plural": "modelproviders",
    "singular": "modelprovider",
    "shortNames": [
      "mprov"
    ],
    "schema": {
      "type": "object",
      "description": "One place that serves models: a provider's API, a server on the network, or a llama.cpp server that Belay runs.",
      "required": [
        "spec"
      ],
      "properties": {
        "apiVersion": {
          "type": "string",
          "maxLength": 64,
          "description": "belay.dev/v1alpha1"
        },
        "kind": {
          "type": "string",
          "maxLength": 64,
          "description": "ModelProvider"
        },
        "metadata": {
          "type": "object"
        },
        "spec": {
          "type": "object",
          "description": "Exactly one of: preset; dialect with baseURL; local.",
          "x-kubernetes-validations": [
            {
              "rule": "[has(self.preset), has(self.dialect), has(self.local)].filter(set, set).size() == 1",
              "message": "set exactly one of: preset; dialect together with baseURL; local"
            },
            {
              "rule": "!has(self.dialect) || has(self.baseURL)",
              "fieldPath": ".baseURL",
              "reason": "FieldValueRequired",
              "message": "a dialect needs the address of the server, up to and with its version, such as https://llm.example/v1"
            },
            {
              "rule": "!has(self.preset) || !(self.preset in ['Ollama', 'VLLM', 'LlamaCpp']) || has(self.baseURL)",
              "fieldPath": ".baseURL",
              "reason": "FieldValueRequired",
              "message": "Ollama, VLLM and LlamaCpp run at an address of your own: set it, such as http://vllm.models.svc:8000/v1"
            },
            {
              "rule": "!has(self.baseURL) || !self.baseURL.startsWith('http://') || (has(self.allowInsecureHTTP) && self.allowInsecureHTTP) || self.baseURL.matches('^http://[A-Za-z0-9_.-]+\\\\.svc(\\\\.[A-Za-z0-9.-]+)?(:[0-9]+)?(/|$)') || self.baseURL.matches('^http://(localhost|127(\\\\.[0-9]{1,3}){3}|\\\\[::1\\\\])(:[0-9]+)?(/|$)')",
              "fieldPath": ".baseURL",
              "message": "plain http goes only to a Service (host ending .svc) or to loopback: use https, or set allowInsecureHTTP where the network is trusted"
            },
            {
              "rule": "!has(self.local) || !has(self.baseURL)",
              "fieldPath": ".baseURL",
              "reason": "FieldValueForbidden",
              "message": "Belay runs a local provider itself and knows its address: leave baseURL out, or use preset LlamaCpp for a server that someone else runs"
            },
            {
              "rule": "!has(self.local) || !has(self.allowInsecureHTTP)",
              "fieldPath": ".allowInsecureHTTP",
              "reason": "FieldValueForbidden",
              "message": "a local provider has no baseURL: leave allowInsecureHTTP out"
            },
            {
              "rule": "!has(self.local) || !has(self.credentials)",
              "fieldPath": ".credentials",
              "reason": "FieldValueForbidden",
              "message": "a local provider needs no key: leave credentials out"
            },
            {
              "rule": "!has(self.local) || !has(self.tls)",
              "fieldPath": ".tls",
              "reason": "FieldValueForbidden",
              "message": "a local provider is not reached over TLS: leave tls out"
            },
            {
              "rule": "!has(self.local) || !has(self.models)",
              "fieldPath": ".models",
              "reason": "FieldValueForbidden",
              "message": "a local provider serves one model: set its window in local.contextTokens and leave models out"
            }
          ],
          "properties": {
            "preset": {
              "type": "string",
              "maxLength": 32,
              "enum": [
                "OpenAI",
                "Groq",
                "DeepSeek",
                "Mistral",
                "Together",
                "Fireworks",
                "XAI",
                "OpenRouter",
                "Cerebras",
                "Ollama",
                "VLLM",
                "LlamaCpp"
              ],
              "description": "A known provider: fills dialect, baseURL, failureDomain and cancellation. Ollama, VLLM and LlamaCpp need a baseURL."
            },
            "dialect": {
              "type": "string",
              "maxLength": 32,
              "enum": [
                "OpenAI"
              ],
              "description": "The protocol that the server at baseURL speaks, where no preset fits."
            },
            "baseURL": {
              "type": "string",
              "minLength": 1,
              "maxLength": 1024,
              "description": "Address of the API up to and with its version, such as https://llm.example/v1; a trailing slash is ignored. https; http only to a Service, to loopback in standalone use, or where allowInsecureHTTP is set.",
              "x-kubernetes-validations": [
                {
                  "rule": "self.matches('^https?://(\\\\[[0-9A-Fa-f:.]+\\\\]|[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?)(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&()*+,;=:@%/-]*)?$')",
                  "message": "must be a URL such as https://llm.example/v1: scheme https or http, a host, perhaps a port and a path; no user, query or fragment"
                },
                {
                  "rule": "!self.matches('/(chat/completions|completions|responses|embeddings|models)/*$')",
                  "message": "must end before the endpoint, which Belay adds: https://llm.example/v1, not https://llm.example/v1/chat/completions"
                }
              ]
            },
            "allowInsecureHTTP": {
              "type": "boolean",
              "description": "Lets baseURL be plain http to any host, such as a GPU box on a private address. Prompts and keys then travel unencrypted."
            },
            "suspend": {
              "type": "boolean",
              "default": false,
              "description": "true: out of every chain until it is set back."
            },
            "credentials": {
              "type": "object",
              "description": "The key that is sent to the provider. Without credentials no key is sent.",
              "required": [
                "secretKeyRef"
              ],
              "properties": {
                "secretKeyRef": {
                  "type": "object",
                  "description": "One key of a Secret in the same namespace.",
                  "required": [
                    "name",
                    "key"
                  ],
                  "properties": {
                    "name": {
                      "type": "string",
                      "minLength": 1,
                      "maxLength": 253,
                      "description": "Name of the Secret.",
                      "x-kubernetes-validations": [
                        {
                          "rule": "self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$')",
                          "message": "must be the name of a Secret, such as openai: lower-case letters, digits, - and ., with a letter or digit at each end"
                        }
                      ]
                    },
                    "key": {
                      "type": "string",
                      "minLength": 1,
                      "maxLength": 253,
                      "description": "Key within the Secret's data.",
                      "x-kubernetes-validations": [
                        {
                          "rule": "self.matches('^[A-Za-z0-9._-]+$')",
                          "message": "must be a key of the Secret's data, such as apiKey: letters, digits, -, _ and ."
                        }
                      ]
                    }
                  }
                }
              }
            },
            "failureDomain": {
              "type": "string",
              "minLength": 1,
              "maxLength": 128,
              "description": "What fails together; a hedge never stays inside one failure domain. Default: the preset in lower case; for a server at an address of your own, its host and port.",
              "x-kubernetes-validations": [
                {
                  "rule": "self.matches('^[A-Za-z0-9]([A-Za-z0-9._:/-]*[A-Za-z0-9])?$')",
                  "message": "must be a word such as eu-west or rack-7: letters, digits, ., _, :, / and -, with a letter or digit at each end"
                }
              ]
            },
            "cancellation": {
              "type": "string",
              "maxLength": 16,
              "enum": [
                "StopsBilling",
                "RunsOn",
                "Unknown"
              ],
              "description": "What a request costs when it is cancelled: StopsBilling: what came so far; RunsOn: the whole answer. Default: by the preset."
            },
            "timeouts": {
              "type": "object",
              "description": "Fixed limits for every attempt at this provider. Default: adaptive.",
              "properties": {
                "connect": {
                  "type": "string",
                  "maxLength": 32,
                  "description": "Until the connection stands.",
                  "x-kubernetes-validations": [
                    {
                      "rule": "self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$')",
                      "message": "must be a duration such as 2s, 300ms or 1m30s"
                    },
                    {
                      "rule": "!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) > duration('0s') && duration(self) <= duration('1m'))",
                      "message": "must be longer than 0s and at most 1m"
                    }
                  ]
                },
                "firstContent": {
                  "type": "string",
                  "maxLength": 32,
                  "description": "From the request to the first content of the answer.",
                  "x-kubernetes-validations": [
                    {
                      "rule": "self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$')",
                      "message": "must be a duration such as 2s, 300ms or 1m30s"
                    },
                    {
                      "rule": "!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) > duration('0s') && duration(self) <= duration('1h'))",
                      "message": "must be longer than 0s and at most 1h"
                    }
                  ]
                },
                "idle": {
                  "type": "string",
                  "maxLength": 32,
                  "description": "Between two events of an answer.",
                  "x-kubernetes-validations": [
                    {
                      "rule": "self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$')",
                      "message": "must be a duration such as 2s, 300ms or 1m30s"
                    },
                    {
                      "rule": "!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) > duration('0s') && duration(self) <= duration('1h'))",
                      "message": "must be longer than 0s and at most 1h"
                    }
                  ]
                }
              }
            },
            "headers": {
              "type": "array",
              "maxItems": 32,
              "x-kubernetes-list-type": "atomic",
              "description": "Added to every request to this provider. Never a credential.",
              "x-kubernetes-validations": [
                {
                  "rule": "self.all(a, self.exists_one(b, a.name.lowerAscii() == b.name.lowerAscii()))",
                  "message": "each header may stand once: names are compared without regard to case"
                }
              ],
              "items": {
                "type": "object",
                "required": [
                  "name",
                  "value"
                ],
                "properties": {
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 128,
                    "description": "Name of the header, such as x-team.",
                    "x-kubernetes-validations": [
                      {
                        "rule": "self.matches('^[A-Za-z0-9!#$%&*+.^_|~-]+$')",
                        "message": "must be the name of an HTTP header, such as x-team: no spaces and no colon"
                      },
                      {
                        "rule": "!self.lowerAscii().matches('(^|-)(auth|authorization|token|secret|password|cookie|credential|credentials)$|api-?key|subscription-key|set-cookie2')",
                        "message": "a credential never stands in headers: put it into a Secret and refer to it in spec.credentials.secretKeyRef"
                      },
                      {
                        "rule": "!(self.lowerAscii() in ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'])",
                        "message": "belongs to one connection (RFC 9110, section 7.6.1), which Belay manages: leave it out"
                      },
                      {
                        "rule": "!(self.lowerAscii() in ['host', 'content-length', 'content-type', 'content-encoding', 'accept', 'accept-encoding', 'expect']) && !self.lowerAscii().startsWith('x-belay-')",
                        "message": "is set by Belay for each request: leave it out"
                      }
                    ]
                  },
                  "value": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "description": "Value of the header, as it is sent.",
                    "x-kubernetes-validations": [
                      {
                        "rule": "self.matches('^[!-~]([ -~]*[!-~])?$')",
                        "message": "must be printable ASCII on one line, without a space at either end"
                      },
                      {
                        "rule": "!self.lowerAscii().startsWith('bearer ') && !self.lowerAscii().startsWith('basic ') && !self.startsWith('sk-')",
                        "message": "looks like a credential: put it into a Secret and refer to it in spec.credentials.secretKeyRef"
                      }
                    ]
                  }
                }
              }
            },
            "tls": {
              "type": "object",
              "description": "How the provider's certificate is checked.",
              "required": [
                "caCertificateRefs"
              ],
              "properties": {
                "caCertificateRefs": {
                  "type": "array",
                  "minItems": 1,
                  "maxItems": 8,
                  "x-kubernetes-list-type": "atomic",
                  "description": "Certificate authorities trusted beside the system's own; PEM under the key ca.crt.",
                  "items": {
                    "type": "object",
                    "required": [
                      "name"
                    ],
                    "properties": {
                      "kind": {
                        "type": "string",
                        "maxLength": 32,
                        "enum": [
                          "ConfigMap"
                        ],
                        "description": "Where the certificates are kept. Default: ConfigMap."
                      },
                      "name": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 253,
                        "description": "Name of a ConfigMap in the same namespace.",
                        "x-kubernetes-validations": [
                          {
                            "rule": "self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$')",
                            "message": "must be the name of a ConfigMap, such as corp-ca: lower-case letters, digits, - and ., with a letter or digit at each end"
                          }
                        ]
                      }
                    }
                  }
                }
              }
            },
            "limits": {
              "type": "object",
              "description": "Limits of the whole fleet at this provider.",
              "properties": {
                "concurrency": {
                  "type": "integer",
                  "format": "int32",
                  "minimum": 1,
                  "maximum": 100000,
                  "description": "Requests under way at once. Default: unlimited; for a local provider its parallel × replicas."
                }
              }
            },
            "models": {
              "type": "array",
              "maxItems": 256,
              "x-kubernetes-list-type": "map",
              "x-kubernetes-list-map-keys": [
                "name"
              ],
              "description": "What is known of this provider's models.",
              "items": {
                "type": "object",
                "required": [
                  "name",
                  "contextTokens"
                ],
                "properties": {
                  "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 256,
                    "description": "Name of the model, as this provider spells it.",
                    "x-kubernetes-validations": [
                      {
                        "rule": "self.matches('^[!-~]+$')",
                        "message": "must be the name of a model, as the provider spells it: printable ASCII without spaces"
                      }
                    ]
                  },
                  "contextTokens": {
                    "type": "integer",
                    "format": "int32",
                    "minimum": 1,
                    "maximum": 100000000,
                    "description": "Tokens of prompt and answer together; larger requests skip this target."
                  }
                }
              }
            },
            "allowedNamespaces": {
              "type": "object",
              "description": "Who may refer to this provider, beside its own namespace. Sharing it shares its key: sidecars of those namespaces are given it.",
              "default": {
                "from": "Same"
              },
              "x-kubernetes-validations": [
                {
                  "rule": "!has(self.from) || self.from != 'Selector' || has(self.selector)",
                  "fieldPath": ".selector",
                  "reason": "FieldValueRequired",
                  "message": "from: Selector needs a selector that says which namespaces, by their labels"
                },
                {
                  "rule": "!has(self.selector) || (has(self.from) && self.from == 'Selector')",
                  "fieldPath": ".selector",
                  "reason": "FieldValueForbidden",
                  "message": "a selector counts only with from: Selector: set that, or leave the selector out"
                }
              ],
              "properties": {
                "from": {
                  "type": "string",
                  "maxLength": 16,
                  "enum": [
                    "Same",
                    "All",
                    "Selector"
                  ],
                  "default": "Same",
                  "description": "Same: no other namespace. All: every namespace. Selector: those whose labels match."
                },
                "selector": {
                  "type": "object",
                  "description": "Labels of namespaces, as in every label selector; kubernetes.io/metadata.name is a namespace's own name.",
                  "x-kubernetes-validations": [
                    {
                      "rule": "(has(self.matchLabels) && self.matchLabels.size() > 0) || (has(self.matchExpressions) && self.matchExpressions.size() > 0)",
                      "message": "is empty and would match every namespace: name labels, or set from: All"
                    }
                  ],
                  "properties": {
                    "matchLabels": {
                      "type": "object",
                      "maxProperties": 16,
                      "description": "All of these labels, with these values.",
                      "x-kubernetes-validations": [
                        {
                          "rule": "self.all(key, key.size() <= 317 && key.matches('^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$'))",
                          "message": "each key must be that of a label, such as team or example.com/team"
                        },
                        {
                          "rule": "self.all(key, self[key] == '' || self[key].matches('^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$'))",
                          "message": "each value must be that of a label: letters, digits, -, _ and ., with a letter or digit at each end"
                        }
                      ],
                      "additionalProperties": {
                        "type": "string",
                        "maxLength": 63
                      }
                    },
                    "matchExpressions": {
                      "type": "array",
                      "maxItems": 16,
                      "x-kubernetes-list-type": "atomic",
                      "description": "All of these.",
                      "items": {
                        "type": "object",
                        "required": [
                          "key",
                          "operator"
                        ],
                        "x-kubernetes-validations": [
                          {
                            "rule": "self.operator in ['In', 'NotIn'] ? (has(self.values) && self.values.size() > 0) : (!has(self.values) || self.values.size() == 0)",
                            "message": "In and NotIn need values; Exists and DoesNotExist take none"
                          }
                        ],
                        "properties": {
                          "key": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 317,
                            "description": "Key of a label.",
                            "x-kubernetes-validations": [
                              {
                                "rule": "self.matches('^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$')",
                                "message": "must be the key of a label, such as team or example.com/team"
                              }
                            ]
                          },
                          "operator": {
                            "type": "string",
                            "maxLength": 16,
                            "enum": [
                              "In",
                              "NotIn",
                              "Exists",
                              "DoesNotExist"
                            ],
                            "description": "How the label of a namespace is compared."
                          },
                          "values": {
                            "type": "array",
                            "maxItems": 64,
                            "x-kubernetes-list-type": "atomic",
                            "description": "What it is compared with: one at least for In and NotIn, none for Exists and DoesNotExist.",
                            "items": {
                              "type": "string",
                              "maxLength": 63,
                              "x-kubernetes-validations": [
                                {
                                  "rule": "self == '' || self.matches('^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$')",
                                  "message": "must be the value of a label: letters, digits, -, _ and ., with a letter or digit at each end"
                                }
                              ]
                            }
                          }
                        }
                      }
                    }
                  }
                }
              }
            },
            "local": {
              "type": "object",
              "description": "A llama.cpp server that Belay runs, with a model of your own.",
              "required": [
                "engine",
                "model"
              ],
              "properties": {
                "engine": {
                  "type": "string",
                  "maxLength": 32,
                  "enum": [
                    "LlamaCpp"
                  ],
                  "description": "The server's program."
                },
                "model": {
                  "type": "object",
                  "description": "Where the model file is.",
                  "required": [
                    "persistentVolumeClaim"
                  ],
                  "properties": {
                    "persistentVolumeClaim": {
                      "type": "object",
                      "description": "A file on a volume; under `belay run` the path is taken below --model-dir.",
                      "required": [
                        "claimName",
                        "path"
                      ],
                      "properties": {
                        "claimName": {
                          "type": "string",
                          "minLength": 1,
                          "maxLength": 253,
                          "description": "Name of a PersistentVolumeClaim in the same namespace.",
                          "x-kubernetes-validations": [
                            {
                              "rule": "self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$')",
                              "message": "must be the name of a PersistentVolumeClaim, such as models: lower-case letters, digits, - and ., with a letter or digit at each end"
                            }
                          ]
                        },
                        "path": {
                          "type": "string",
                          "minLength": 1,
                          "maxLength": 512,
                          "description": "Path of a GGUF file within the volume.",
                          "x-kubernetes-validations": [
                            {
                              "rule": "self.matches('^[ -~]+$') && !self.matches('(^|/)[.]{0,2}(/|$)')",
                              "message": "must be a path within the volume, such as qwen/qwen2.5-1.5b-q4_k_m.gguf: no leading or doubled slash, no . or .. as a part"
                            },
                            {
                              "rule": "self.matches('[.]gguf$')",
                              "message": "must be a GGUF file, which llama.cpp reads: its name ends in .gguf"
                            }
                          ]
                        }
                      }
                    }
                  }
                },
                "contextTokens": {
                  "type": "integer",
                  "format": "int32",
                  "minimum": 256,
                  "maximum": 10000000,
                  "default": 4096,
                  "description": "Window of one request; the server gets contextTokens × parallel."
                },
                "parallel": {
                  "type": "integer",
                  "format": "int32",
                  "minimum": 1,
                  "maximum": 64,
                  "default": 2,
                  "description": "Requests that one server answers at once."
                },
                "replicas": {
                  "type": "integer",
                  "format": "int32",
                  "minimum": 1,
                  "maximum": 64,
                  "default": 1,
                  "description": "Servers in the cluster; more than one needs a volume that several nodes can read. `belay run` runs one."
                },
                "resources": {
                  "type": "object",
                  "description": "Of each server's container in the cluster; `belay run` sets no limits. The server runs one thread for each whole core of the CPU limit, else of the request. Default requests are 500m and 1Gi.",
                  "properties": {
                    "requests": {
                      "type": "object",
                      "maxProperties": 8,
                      "description": "What the scheduler sets aside.",
                      "x-kubernetes-validations": [
                        {
                          "rule": "self.all(key, key.size() <= 317 && key.matches('^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$'))",
                          "message": "each key must be the name of a resource, such as cpu, memory or nvidia.com/gpu"
                        },
                        {
                          "rule": "self.all(key, self[key].matches('^[0-9]{1,12}([.][0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$'))",
                          "message": "each value must be a quantity such as 500m, \"2\" or 2Gi"
                        }
                      ],
                      "additionalProperties": {
                        "type": "string",
                        "maxLength": 32
                      }
                    },
                    "limits": {
                      "type": "object",
                      "maxProperties": 8,
                      "description": "What it may use at most.",
                      "x-kubernetes-validations": [
                        {
                          "rule": "self.all(key, key.size() <= 317 && key.matches('^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$'))",
                          "message": "each key must be the name of a resource, such as cpu, memory or nvidia.com/gpu"
                        },
                        {
                          "rule": "self.all(key, self[key].matches('^[0-9]{1,12}([.][0-9]{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$'))",
                          "message": "each value must be a quantity such as 500m, \"2\" or 2Gi"
                        }
                      ],
                      "additionalProperties": {
                        "type": "string",
                        "maxLength": 32
                      }
                    }
                  }
                }
              }
            }
          }
        },
        "status": {
          "type": "object",
          "description": "Written by the operator.",
          "default": {
            "conditions": [
              {
                "type": "Ready",
                "status": "Unknown",
                "reason": "Pending",
                "message": "Waiting for the operator.",
                "lastTransitionTime": "1970-01-01T00:00:00Z"
              }
            ]
          },
          "properties": {
            "observedGeneration": {
              "type": "integer",
              "format": "int64",
              "minimum": 0,
              "description": "Generation of the spec that this status tells of."
            },
            "conditions": {
              "type": "array",
              "maxItems": 8,
              "x-kubernetes-list-type": "map",
              "x-kubernetes-list-map-keys": [
                "type"
              ],
              "description": "Accepted, ResolvedRefs and Ready.",
              "default": [
                {
                  "type": "Ready",
                  "status": "Unknown",
                  "reason": "Pending",
                  "message": "Waiting for the operator.",
                  "lastTransitionTime": "1970-01-01T00:00:00Z"
                }
              ],
              "items": {
                "type": "object",
                "required": [
                  "type",
                  "status",
                  "reason",
                  "message",
                  "lastTransitionTime"
                ],
                "properties": {
                  "type": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 316,
                    "description": "What it tells of."
                  },
                  "status": {
                    "type": "string",
                    "maxLength": 8,
                    "enum": [
                      "True",
                      "False",
                      "Unknown"
                    ],
                    "description": "Whether it holds."
                  },
                  "reason": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 1024,
                    "description": "Why, in one word."
                  },
                  "message": {
                    "type": "string",
                    "maxLength": 32768,
                    "description": "Why, in a sentence: what, where, and what would be right."
                  },
                  "observedGeneration": {
                    "type": "integer",
                    "format": "int64",
                    "minimum": 0,
                    "description": "Generation of the spec that it tells of."
                  },
                  "lastTransitionTime": {
                    "type": "string",
                    "format": "date-time",
                    "maxLength": 64,
                    "description": "When status changed last."
                  }
                }
              }
            }
          }
        }
      }
    }
  }
];
