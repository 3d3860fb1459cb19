//! `hookctl send`: payloads as the provider would send them.

pub(crate) mod attempt;
pub(crate) mod attempt_recorder;
pub mod cog;
pub(crate) mod config;
pub(crate) mod content;
pub(crate) mod curl;
pub(crate) mod deliver;
pub(crate) mod drill;
pub(crate) mod load;
pub(crate) mod notes;
pub(crate) mod prepare;
pub(crate) mod replay;
pub(crate) mod request;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod sequence;
pub(crate) mod signing;
pub(crate) mod source;
pub(crate) mod template;

pub(crate) use config::Config;
pub(crate) use prepare::prepare;
pub(crate) use run::run;
