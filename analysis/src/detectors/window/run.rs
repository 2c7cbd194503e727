//! One of each detector over a window.

use super::{
    BrokenBoundary, BrokenBoundarySettings, ChattyEdge, ChattyEdgeSettings, DeadEndpoint,
    DeadEndpointSettings, DistributedMonolith, DistributedMonolithSettings, MixedDialects,
    MixedDialectsSettings, QueueWaits, QueueWaitsSettings, SingleInstance, SingleInstanceSettings,
    VersionSkew, VersionSkewSettings, WindowDetector,
};
use crate::detectors::{Finding, Subject};

/// Thresholds of all detectors over windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowSettings {
    /// Findings of a detector at most; the worst are kept, 100.
    pub findings_max: usize,
    /// See [`ChattyEdge`].
    pub chatty_edge: ChattyEdgeSettings,
    /// See [`SingleInstance`].
    pub single_instance: SingleInstanceSettings,
    /// See [`VersionSkew`].
    pub version_skew: VersionSkewSettings,
    /// See [`MixedDialects`].
    pub mixed_dialects: MixedDialectsSettings,
    /// See [`DeadEndpoint`].
    pub dead_endpoint: DeadEndpointSettings,
    /// See [`BrokenBoundary`].
    pub broken_boundary: BrokenBoundarySettings,
    /// See [`QueueWaits`].
    pub queue_wait: QueueWaitsSettings,
    /// See [`DistributedMonolith`].
    pub distributed_monolith: DistributedMonolithSettings,
}

impl Default for WindowSettings {
    fn default() -> Self {
        Self {
            findings_max: 100,
            chatty_edge: ChattyEdgeSettings::default(),
            single_instance: SingleInstanceSettings::default(),
            version_skew: VersionSkewSettings::default(),
            mixed_dialects: MixedDialectsSettings::default(),
            dead_endpoint: DeadEndpointSettings::default(),
            broken_boundary: BrokenBoundarySettings::default(),
            queue_wait: QueueWaitsSettings::default(),
            distributed_monolith: DistributedMonolithSettings::default(),
        }
    }
}

/// One of each detector over a window, fed together.
pub struct Window {
    detectors: Vec<Box<dyn WindowDetector>>,
    findings_max: usize,
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.detectors.iter().map(|detector| detector.rule().id);
        f.debug_list().entries(names).finish()
    }
}

impl Window {
    /// An empty window.
    pub fn new(settings: &WindowSettings) -> Self {
        let detectors: Vec<Box<dyn WindowDetector>> = vec![
            Box::new(ChattyEdge::new(settings.chatty_edge.clone())),
            Box::new(SingleInstance::new(settings.single_instance.clone())),
            Box::new(VersionSkew::new(settings.version_skew.clone())),
            Box::new(MixedDialects::new(settings.mixed_dialects.clone())),
            Box::new(DeadEndpoint::new(settings.dead_endpoint.clone())),
            Box::new(BrokenBoundary::new(settings.broken_boundary.clone())),
            Box::new(QueueWaits::new(settings.queue_wait.clone())),
            Box::new(DistributedMonolith::new(settings.distributed_monolith.clone())),
        ];
        Self { detectors, findings_max: settings.findings_max }
    }

    /// The detectors.
    pub fn detectors(&self) -> impl Iterator<Item = &dyn WindowDetector> {
        self.detectors.iter().map(Box::as_ref)
    }

    /// Takes a trace into account.
    pub fn observe(&mut self, subject: &Subject<'_, '_>) {
        for detector in &mut self.detectors {
            detector.observe(subject);
        }
    }

    /// What the traces so far show, detector by detector.
    pub fn finish(&self) -> Vec<Finding> {
        let mut all = Vec::new();
        for detector in &self.detectors {
            let mut found = detector.finish();
            found.sort_by(|a, b| {
                let rank = |finding: &Finding| (finding.severity, finding.count);
                rank(b).cmp(&rank(a)).then_with(|| a.finding_id.cmp(&b.finding_id))
            });
            found.truncate(self.findings_max);
            all.extend(found);
        }
        all
    }

    /// Keys that were left out because a limit was reached, by detector.
    pub fn left_out(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.detectors.iter().map(|detector| (detector.rule().id, detector.left_out()))
    }
}
