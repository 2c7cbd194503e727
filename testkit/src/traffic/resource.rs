//! Who sends: the resource of each running copy of a service, and the scopes of its instrumentation.

use super::attributes::{int, text};
use super::random::Random;
use super::shop::{Language, SERVICES};
use crate::proto::common::v1::InstrumentationScope;
use crate::proto::resource::v1::Resource;

pub(super) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// A running copy of a service.
#[derive(Debug)]
pub(super) struct Pod {
    pub(super) language: Language,
    pub(super) resource: Resource,
}

/// What part of a service's instrumentation made a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Inbound,
    Outbound,
    Database,
}

impl Scope {
    pub(super) const ALL: [Scope; 3] = [Scope::Inbound, Scope::Outbound, Scope::Database];

    pub(super) fn instrumentation(self, language: Language) -> InstrumentationScope {
        let names = match language {
            Language::DotNet => [
                ("Microsoft.AspNetCore", "10.0.0"),
                ("System.Net.Http", "10.0.0"),
                ("OpenTelemetry.Instrumentation.SqlClient", "1.13.0"),
            ],
            Language::Go => [
                ("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "0.63.0"),
                (
                    "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc",
                    "0.63.0",
                ),
                ("github.com/redis/go-redis/extra/redisotel", "9.17.0"),
            ],
            Language::Java => [
                ("io.opentelemetry.tomcat-10.0", "2.22.0-alpha"),
                ("io.opentelemetry.grpc-1.6", "2.22.0-alpha"),
                ("io.opentelemetry.jdbc", "2.22.0-alpha"),
            ],
            Language::Node => [
                ("@opentelemetry/instrumentation-express", "0.57.0"),
                ("@opentelemetry/instrumentation-undici", "0.19.0"),
                ("@opentelemetry/instrumentation-mongodb", "0.62.0"),
            ],
            Language::Python => [
                ("opentelemetry.instrumentation.fastapi", "0.60b0"),
                ("opentelemetry.instrumentation.httpx", "0.60b0"),
                ("opentelemetry.instrumentation.psycopg", "0.60b0"),
            ],
            Language::Rust => [
                ("tower_otel", "0.7.0"),
                ("tonic_tracing_opentelemetry", "0.31.0"),
                ("fred", "10.1.0"),
            ],
        };
        let (name, version) = names[self as usize];
        InstrumentationScope {
            name: name.to_owned(),
            version: version.to_owned(),
            ..InstrumentationScope::default()
        }
    }
}

/// Every copy of every service; the copies of one service are neighbours.
pub(super) fn pods(random: &mut Random) -> Vec<Pod> {
    let mut pods = Vec::new();
    for service in SERVICES {
        let replica_set = random.bits() & 0xff_ffff_ffff;
        for _ in 0..service.replicas {
            let pod =
                format!("{}-{replica_set:010x}-{:05x}", service.name, random.bits() & 0xf_ffff);
            pods.push(Pod {
                language: service.language,
                resource: resource(service.name, service.language, &pod, random),
            });
        }
    }
    pods
}

fn resource(service: &str, language: Language, pod: &str, random: &mut Random) -> Resource {
    let (sdk, sdk_version, runtime, runtime_version) = match language {
        Language::DotNet => ("dotnet", "1.14.0", ".NET", "10.0.0"),
        Language::Go => ("go", "1.38.0", "go", "go1.25.4"),
        Language::Java => ("java", "1.56.0", "OpenJDK Runtime Environment", "25.0.1+8-LTS"),
        Language::Node => ("nodejs", "2.2.0", "nodejs", "24.11.1"),
        Language::Python => ("python", "1.39.0", "cpython", "3.14.0"),
        Language::Rust => ("rust", "0.31.0", "rustc", "1.95.0"),
    };
    let node = format!(
        "ip-10-64-{}-{}.eu-central-1.compute.internal",
        random.between(0, 8),
        random.between(2, 250)
    );
    let version =
        format!("{}.{}.{}", random.between(1, 9), random.between(0, 40), random.between(0, 9));
    Resource {
        attributes: vec![
            text("service.name", service),
            text("service.namespace", "shop"),
            text("service.version", version.clone()),
            text("service.instance.id", random.uuid()),
            text("deployment.environment.name", "production"),
            text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.language", sdk),
            text("telemetry.sdk.version", sdk_version),
            text("process.runtime.name", runtime),
            text("process.runtime.version", runtime_version),
            int("process.pid", 1),
            text("host.name", pod),
            text("host.arch", "amd64"),
            text("os.type", "linux"),
            text("container.id", format!("{}{}", random.uuid(), random.uuid()).replace('-', "")),
            text("container.image.name", format!("registry.shop.example/shop/{service}")),
            text("container.image.tags", version),
            text("k8s.cluster.name", "shop-prod-eu-1"),
            text("k8s.namespace.name", "shop"),
            text("k8s.deployment.name", service),
            text("k8s.pod.name", pod),
            text("k8s.pod.uid", random.uuid()),
            text("k8s.node.name", node),
            text("cloud.provider", "aws"),
            text("cloud.region", "eu-central-1"),
            text(
                "cloud.availability_zone",
                *random.pick(&["eu-central-1a", "eu-central-1b", "eu-central-1c"]),
            ),
        ],
        ..Resource::default()
    }
}
