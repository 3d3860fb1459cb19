//! The HTTP client that sends deliveries, its TLS, the fetches of hookctl itself, and the curl command for a delivery.

pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod connect;
pub mod curl;
pub(crate) mod exchange;
pub(crate) mod fetch;
pub(crate) mod idle;
pub(crate) mod options;
pub(crate) mod origin;
pub(crate) mod outcome;
pub(crate) mod pem;
pub(crate) mod proxy;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod tls;

pub(crate) use client::{Client, Transport};
pub(crate) use options::ClientOptions;
pub(crate) use origin::host;
pub(crate) use outcome::{IncomingResponse, NoResponse};
pub(crate) use request::OutgoingRequest;
