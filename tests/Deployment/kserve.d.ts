// What this project uses of KServe's objects, written by hand from KServe's API reference, since no package of npm or
// NuGet has its schemas. What is inside a pod is Kubernetes' own.
import type { IContainer } from "kubernetes-models/v1/Container";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type {
  IIoK8sApimachineryPkgApisMetaV1ObjectMeta as Metadata,
} from "@kubernetes-models/apimachinery/apis/meta/v1/ObjectMeta";

type Protocol = "v1" | "v2" | "grpc-v1" | "grpc-v2";

export interface ServingRuntime {
  apiVersion: "serving.kserve.io/v1alpha1";
  kind: "ServingRuntime";
  metadata: Metadata;
  spec: Pick<IPodSpec, "containers" | "volumes" | "nodeSelector" | "affinity" | "tolerations" | "imagePullSecrets"> & {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    supportedModelFormats: { name: string; version?: string; autoSelect?: boolean; priority?: number }[];
    protocolVersions: Protocol[];
    multiModel?: boolean;
    disabled?: boolean;
  };
}

export interface InferenceService {
  apiVersion: "serving.kserve.io/v1beta1";
  kind: "InferenceService";
  metadata: Metadata;
  spec: {
    predictor: Partial<IPodSpec> & {
      minReplicas?: number;
      maxReplicas?: number;
      scaleMetric?: "cpu" | "memory" | "concurrency" | "rps";
      scaleTarget?: number;
      timeout?: number;
      model: Partial<IContainer> & {
        modelFormat: { name: string; version?: string };
        protocolVersion?: Protocol;
        runtime?: string;
        runtimeVersion?: string;
        storageUri?: string;
      };
    };
  };
}
