//! The real binary, as its users meet it: SDKs, data sets, crashes, load, other readers, a browser.

mod browser;
mod chain;
mod data;
mod demo;
mod durability;
mod load;
mod offsets;
mod ops;
mod readers;
mod sdk;
mod truth;
