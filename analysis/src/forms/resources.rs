//! Attributes of resources, read once for all traces.
//!
//! Resources are long and few: a process says the same of itself in each of its spans. Reading one takes longer than all
//! that detectors do to a span, so what was read is remembered by a hash of its text.

use std::sync::Arc;

use causeway_model::value::set_texts;
use xxhash_rust::xxh3::xxh3_128;

use super::recent::Recent;

/// Resources that are remembered, usually about 3 KiB each.
const RESOURCES_MAX: usize = 1_024;

/// Longer resources are read for each trace again, so that those remembered take no more than some 32 MiB.
const RESOURCE_BYTES_MAX: usize = 16 << 10;

/// The attributes of a resource.
#[derive(Debug, Default)]
pub(crate) struct Resource(Vec<(String, Option<String>)>);

impl Resource {
    fn read(text: &str) -> Self {
        let texts = set_texts(text).into_iter();
        Self(texts.map(|(key, value)| (key.into_owned(), value.map(Into::into))).collect())
    }

    /// The first value of an attribute, as [value text](causeway_model::value).
    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key)?.1.as_deref()
    }
}

/// What was read last.
#[derive(Debug)]
pub(super) struct Resources(Recent<Arc<Resource>>);

impl Default for Resources {
    fn default() -> Self {
        Self(Recent::new(RESOURCES_MAX))
    }
}

impl Resources {
    /// The attributes of a resource, given the text of all of them.
    pub(super) fn read(&mut self, text: &str) -> Arc<Resource> {
        if text.len() > RESOURCE_BYTES_MAX {
            return Arc::new(Resource::read(text));
        }
        let hash = xxh3_128(text.as_bytes());
        self.0.find(hash).unwrap_or_else(|| {
            let resource = Arc::new(Resource::read(text));
            self.0.insert(hash, Arc::clone(&resource));
            resource
        })
    }
}
