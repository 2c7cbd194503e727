//! Forms of every family
