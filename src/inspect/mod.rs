//! `hookctl inspect`: the fields of a payload, the deliveries of a journal, and what is wrong with either.

pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod diff;
pub(crate) mod examine;
pub(crate) mod export;
pub(crate) mod pipeline;
pub(crate) mod present;
pub(crate) mod query;
pub(crate) mod redact;
pub(crate) mod run;
pub(crate) mod scan;
pub(crate) mod sessions;
pub(crate) mod stats;
pub(crate) mod timeline;
pub(crate) mod view;
pub(crate) mod where_filter;

pub(crate) use config::Config;
pub(crate) use run::run;
