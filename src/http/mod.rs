//! The HTTP client that deliveries go out by, its TLS, and the curl command that does the same.

pub(crate) mod answer;
pub(crate) mod client;
pub(crate) mod connect;
pub mod curl;
pub(crate) mod exchange;
pub(crate) mod pem;
pub(crate) mod request;
pub(crate) mod tls;

pub(crate) use client::{Client, ClientOptions, IncomingResponse, NoResponse, OutgoingRequest, Transport};
pub(crate) use request::host;
pub(crate) use tls::install_crypto;
