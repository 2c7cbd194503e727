//! The real binary, as its users meet it: SDKs, data sets, crashes, load, a browser.

mod browser;
mod data;
mod durability;
mod load;
mod ops;
mod sdk;
