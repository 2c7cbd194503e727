//! The resource of each instance, and the scopes of what instruments it.

use super::cast::{
    CLONED, HOSTS, INSTANCES, InstanceLine, Language, Level, OLD_VERSION, Service, Zone,
};
use super::dialect::Dialect;
use super::fault::{Fault, Faults};
use crate::proto::common::v1::InstrumentationScope;
use crate::proto::resource::v1::Resource;
use crate::traffic::attributes::{int, text};
use crate::traffic::random::Random;

/// What is known of a running instance.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its service.
    pub service: Service,
    /// Its name, such as `cart-2`; also the name of its pod.
    pub name: String,
    /// Its `service.instance.id`.
    pub id: String,
    /// The host it runs on.
    pub host: &'static str,
    /// That host's `host.id`.
    pub host_id: String,
    /// Its address within the shop.
    pub address: String,
    pub(super) zone: Zone,
    pub(super) host_idx: usize,
    pub(super) dialect: Dialect,
    /// What is wrong with it, of the faults that the shop has.
    pub(super) faults: Vec<Fault>,
    pub(super) resource: Resource,
}

impl Instance {
    /// Who stands in for an instance that there is not.
    pub(super) fn nobody() -> Self {
        Self {
            service: Service::Storefront,
            name: String::new(),
            id: String::new(),
            host: "",
            host_id: String::new(),
            address: String::new(),
            zone: Zone::FrankfurtA,
            host_idx: 0,
            dialect: Dialect::New,
            faults: Vec::new(),
            resource: Resource::default(),
        }
    }
}

/// All instances, in the order of [`INSTANCES`].
pub(super) fn instances(faults: Faults, random: &mut Random) -> Vec<Instance> {
    let host_ids: Vec<String> = HOSTS.iter().map(|_| random.uuid().replace('-', "")).collect();
    INSTANCES.iter().map(|line| instance(line, &host_ids, faults, random)).collect()
}

fn instance(
    line: &InstanceLine,
    host_ids: &[String],
    faults: Faults,
    random: &mut Random,
) -> Instance {
    let [any_host, ..] = &HOSTS;
    let host = HOSTS.get(line.host).unwrap_or(any_host);
    let host_id = host_ids.get(line.host).cloned().unwrap_or_default();
    let own: Vec<Fault> =
        line.faults.iter().copied().filter(|fault| faults.contains(*fault)).collect();
    let speaks_old = line.service == Service::Loyalty || own.contains(&Fault::MixedDialects);
    let dialect = if speaks_old { Dialect::Old } else { Dialect::New };
    let mut made = Instance {
        service: line.service,
        name: format!("{}-{}", line.service.name(), line.nth),
        id: random.uuid(),
        host: host.name,
        host_id,
        address: format!("10.20.{}.{}", line.host + 1, 10 + line.nth),
        zone: match host.zone {
            Zone::Virginia if !faults.contains(Fault::LatencyFloor) => Zone::FrankfurtB,
            zone => zone,
        },
        host_idx: line.host,
        dialect,
        faults: own,
        resource: Resource::default(),
    };
    if line.service == CLONED && faults.contains(Fault::ClonedNode) {
        made.faults.push(Fault::ClonedNode);
    }
    made.resource = resource(&made, random);
    made
}

fn resource(of: &Instance, random: &mut Random) -> Resource {
    let line = of.service.line();
    let is_legacy = of.service == Service::Loyalty;
    let (namespace, cluster) =
        if is_legacy { ("legacy", "legacy-prod-1") } else { ("shop", "shop-prod-eu-1") };
    let version = if of.faults.contains(&Fault::VersionSkew) { OLD_VERSION } else { line.version };
    let (sdk, sdk_version) = sdk(line.language, of.dialect);
    let (runtime, runtime_version) = runtime(line.language);
    let environment = match of.dialect {
        Dialect::New => "deployment.environment.name",
        Dialect::Old => "deployment.environment",
    };
    let mut attributes = vec![
        text("service.name", line.name),
        text("service.namespace", namespace),
        text("service.version", version),
        text("service.instance.id", of.id.clone()),
        text(environment, "production"),
        text("telemetry.sdk.name", "opentelemetry"),
        text("telemetry.sdk.language", sdk),
        text("telemetry.sdk.version", sdk_version),
        text("process.runtime.name", runtime),
        text("process.runtime.version", runtime_version),
        int("process.pid", random.between(300, 40_000)),
        text("host.name", of.host),
        text("host.id", of.host_id.clone()),
        text("host.arch", "amd64"),
        text("os.type", "linux"),
        text("k8s.cluster.name", cluster),
        text("k8s.namespace.name", namespace),
        text("k8s.deployment.name", line.name),
        text("k8s.pod.name", of.name.clone()),
        text("k8s.pod.uid", random.uuid()),
        text("k8s.node.name", of.host),
        text("cloud.provider", "aws"),
        text("cloud.region", of.zone.region()),
        text("cloud.availability_zone", of.zone.name()),
    ];
    if line.level >= Level::Tags {
        let domain: String = of.host_id.chars().take(16).collect();
        attributes.push(text("hlc.clock_domain", domain));
    }
    Resource { attributes, ..Resource::default() }
}

fn sdk(language: Language, dialect: Dialect) -> (&'static str, &'static str) {
    match (language, dialect) {
        (Language::DotNet, _) => ("dotnet", "1.14.0"),
        (Language::Go, _) => ("go", "1.38.0"),
        (Language::Java, Dialect::Old) => ("java", "1.19.0"),
        (Language::Java, Dialect::New) => ("java", "1.56.0"),
        (Language::Node, _) => ("nodejs", "2.2.0"),
        (Language::Python, Dialect::Old) => ("python", "1.15.0"),
        (Language::Python, Dialect::New) => ("python", "1.39.0"),
        (Language::Rust, _) => ("rust", "0.33.1"),
    }
}

fn runtime(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::DotNet => (".NET", "10.0.0"),
        Language::Go => ("go", "go1.25.4"),
        Language::Java => ("OpenJDK Runtime Environment", "25.0.1+8-LTS"),
        Language::Node => ("nodejs", "24.11.1"),
        Language::Python => ("cpython", "3.14.0"),
        Language::Rust => ("rustc", "1.95.0"),
    }
}

/// What part of a service's instrumentation made a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Inbound,
    Outbound,
    Database,
    Messaging,
    Own,
}

impl Scope {
    pub(super) const ALL: [Self; 5] =
        [Self::Inbound, Self::Outbound, Self::Database, Self::Messaging, Self::Own];

    pub(super) fn instrumentation(self, service: Service) -> InstrumentationScope {
        let line = service.line();
        let (name, version) = match (line.language, self) {
            (_, Self::Own) => (line.name, line.version),
            (Language::DotNet, Self::Inbound) => ("Microsoft.AspNetCore", "10.0.0"),
            (Language::DotNet, _) => ("OpenTelemetry.Instrumentation.StackExchangeRedis", "1.14.0"),
            (Language::Go, Self::Database) => ("github.com/XSAM/otelsql", "0.40.0"),
            (Language::Go, _) => (
                "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc",
                "0.63.0",
            ),
            (Language::Java, Self::Inbound) => ("io.opentelemetry.tomcat-10.0", "2.22.0-alpha"),
            (Language::Java, Self::Outbound) => {
                ("io.opentelemetry.java-http-client", "2.22.0-alpha")
            }
            (Language::Java, Self::Database) => ("io.opentelemetry.jdbc", "2.22.0-alpha"),
            (Language::Java, Self::Messaging) => {
                ("io.opentelemetry.kafka-clients-2.6", "2.22.0-alpha")
            }
            (Language::Node, Self::Inbound) => ("@opentelemetry/instrumentation-http", "0.208.0"),
            (Language::Node, Self::Messaging) => {
                ("@opentelemetry/instrumentation-kafkajs", "0.18.0")
            }
            (Language::Node, _) => ("@opentelemetry/instrumentation-undici", "0.19.0"),
            (Language::Python, Self::Inbound) => {
                ("opentelemetry.instrumentation.fastapi", "0.60b0")
            }
            (Language::Python, Self::Database) => {
                ("opentelemetry.instrumentation.psycopg", "0.60b0")
            }
            (Language::Python, _) => ("opentelemetry.instrumentation.httpx", "0.60b0"),
            (Language::Rust, Self::Inbound) => ("axum-tracing-opentelemetry", "0.32.0"),
            (Language::Rust, _) => ("reqwest-tracing", "0.5.8"),
        };
        InstrumentationScope {
            name: name.to_owned(),
            version: version.to_owned(),
            ..InstrumentationScope::default()
        }
    }
}
