//! The HTTP client that deliveries go out by, its TLS, and the curl command that does the same.

pub(crate) mod answer;
pub mod client;
pub(crate) mod connect;
pub mod curl;
pub(crate) mod exchange;
pub mod pem;
pub(crate) mod request;
pub(crate) mod tls;

pub use client::{Client, ClientOptions, IncomingResponse, NoResponse, OutgoingRequest, Transport};
pub use request::host;
pub use tls::install_crypto;
