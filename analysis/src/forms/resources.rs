//! Attributes of resources, read once for all traces.
//!
//! Resources are long and few: a process says the same of itself in each of its spans. Reading one takes longer than all
//! that detectors do to a span, so what was read is remembered by a hash of its text. Hashing a long text takes its time as
//! well, so where a text lies in memory is looked at first: that of a batch is read for many traces, and comparing it is
//! quick.

use std::sync::Arc;

use causeway_model::value::set_texts;
use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_128;

use super::recent::Recent;

/// Resources that are remembered, usually about 4 KiB each; as many again by where their texts lie.
const RESOURCES_MAX: usize = 1_024;

/// Longer resources are read for each trace again, so that those remembered take no more than some 32 MiB.
const RESOURCE_BYTES_MAX: usize = 16 << 10;

/// The attributes of a resource.
#[derive(Debug, Default)]
pub(crate) struct Resource {
    text: String,
    attributes: Vec<(String, Option<String>)>,
}

impl Resource {
    fn read(text: &str) -> Self {
        let texts = set_texts(text).into_iter();
        let texts = texts.map(|(key, value)| (key.into_owned(), value.map(Into::into)));
        Self { attributes: texts.collect(), text: text.to_owned() }
    }

    /// The first value of an attribute, as [value text](causeway_model::value).
    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == key)?.1.as_deref()
    }
}

/// What was read last.
#[derive(Debug)]
pub(super) struct Resources {
    by_hash: Recent<Arc<Resource>>,
    /// By the address of the text, which may hold another by now.
    by_place: HashMap<usize, Arc<Resource>>,
}

impl Default for Resources {
    fn default() -> Self {
        Self { by_hash: Recent::new(RESOURCES_MAX), by_place: HashMap::new() }
    }
}

impl Resources {
    /// The attributes of a resource, given the text of all of them.
    pub(super) fn read(&mut self, text: &str) -> Arc<Resource> {
        if text.len() > RESOURCE_BYTES_MAX {
            return Arc::new(Resource::read(text));
        }
        let place = text.as_ptr().addr();
        if let Some(resource) = self.by_place.get(&place).filter(|known| known.text == text) {
            return Arc::clone(resource);
        }
        let hash = xxh3_128(text.as_bytes());
        let resource = self.by_hash.find(hash).unwrap_or_else(|| {
            let resource = Arc::new(Resource::read(text));
            self.by_hash.insert(hash, Arc::clone(&resource));
            resource
        });
        if self.by_place.len() >= RESOURCES_MAX {
            self.by_place.clear();
        }
        self.by_place.insert(place, Arc::clone(&resource));
        resource
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_the_place_of_another_is_not_taken_for_it() {
        let mut resources = Resources::default();
        let mut text = String::from(r#"{"host.name":"a"}"#);
        for name in ["a", "b", "b"] {
            let place = text.as_ptr();
            text.clear();
            text.push_str(&format!("{{\"host.name\":\"{name}\"}}"));
            assert_eq!(text.as_ptr(), place);
            assert_eq!(resources.read(&text).attribute("host.name"), Some(name));
        }
        assert_eq!(resources.by_place.len(), 1);
    }
}
