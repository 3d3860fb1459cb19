//! Where bytes come in and go out: files and standard input, journals, reports, secrets, the HTTP client. And where jq
//! filters get the time and the stack that they may use.

pub mod client;
pub mod filters;
pub mod junit;
pub mod jwks;
pub mod pem;
pub mod secrets;
pub mod signals;
