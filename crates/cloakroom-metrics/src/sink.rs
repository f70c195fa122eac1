//! [`Sink`]: a recorder of the facade that takes metrics by their entry in the list, so that none is
//! recorded under another name, with other labels or as another kind.

use std::sync::Arc;

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder, SharedString, Unit,
};

use crate::metric::{Kind, METRICS, Metric};

const METADATA: Metadata<'static> =
    Metadata::new("cloakroom_metrics", Level::INFO, Some(module_path!()));

/// Where metrics go. Clones are the same.
#[derive(Clone)]
pub(crate) struct Sink {
    recorder: Arc<dyn Recorder + Send + Sync>,
}

impl Sink {
    /// A sink that has told the recorder what all metrics mean.
    pub(crate) fn to(recorder: impl Recorder + Send + Sync + 'static) -> Self {
        describe(&recorder);
        Self { recorder: Arc::new(recorder) }
    }

    /// The recorder that the process has installed; nothing where it has none.
    pub(crate) fn global() -> Self {
        Self::to(Installed)
    }

    pub(crate) fn counter<const N: usize>(
        &self,
        metric: &Metric,
        values: [SharedString; N],
    ) -> Counter {
        debug_assert_eq!(metric.kind, Kind::Counter, "{}", metric.name);
        self.recorder.register_counter(&key(metric, values), &METADATA)
    }

    pub(crate) fn gauge<const N: usize>(
        &self,
        metric: &Metric,
        values: [SharedString; N],
    ) -> Gauge {
        debug_assert_eq!(metric.kind, Kind::Gauge, "{}", metric.name);
        self.recorder.register_gauge(&key(metric, values), &METADATA)
    }

    pub(crate) fn histogram<const N: usize>(
        &self,
        metric: &Metric,
        values: [SharedString; N],
    ) -> Histogram {
        debug_assert_eq!(metric.kind, Kind::Histogram, "{}", metric.name);
        self.recorder.register_histogram(&key(metric, values), &METADATA)
    }
}

fn describe(recorder: &impl Recorder) {
    for Metric { name, kind, unit, meaning, .. } in METRICS {
        let (name, meaning) = (KeyName::from_const_str(name), SharedString::const_str(meaning));
        match kind {
            Kind::Counter => recorder.describe_counter(name, *unit, meaning),
            Kind::Gauge => recorder.describe_gauge(name, *unit, meaning),
            Kind::Histogram => recorder.describe_histogram(name, *unit, meaning),
        }
    }
}

fn key<const N: usize>(metric: &Metric, values: [SharedString; N]) -> Key {
    debug_assert_eq!(metric.labels.len(), N, "{}", metric.name);
    let labels = metric.labels.iter().zip(values).map(|(name, value)| Label::new(*name, value));
    Key::from_parts(metric.name, labels.collect::<Vec<_>>())
}

/// Passes everything on to the recorder that is installed at the moment of the call.
struct Installed;

impl Recorder for Installed {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        metrics::with_recorder(|recorder| recorder.describe_counter(key, unit, description));
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        metrics::with_recorder(|recorder| recorder.describe_gauge(key, unit, description));
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        metrics::with_recorder(|recorder| recorder.describe_histogram(key, unit, description));
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        metrics::with_recorder(|recorder| recorder.register_counter(key, metadata))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        metrics::with_recorder(|recorder| recorder.register_gauge(key, metadata))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        metrics::with_recorder(|recorder| recorder.register_histogram(key, metadata))
    }
}
