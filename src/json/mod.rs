//! The one place that reads and writes JSON text; nothing here knows webhooks. Scanner, tokens, strings, values, paths, and
//! edits that keep every other byte.

pub mod edit;
pub(crate) mod json_type;
pub(crate) mod key_filter;
pub mod object;
pub(crate) mod path;
pub(crate) mod scan;
pub(crate) mod string;
pub(crate) mod tokens;
pub(crate) mod tree;
pub(crate) mod value;

pub(crate) use json_type::JsonType;
pub use object::Object;
pub(crate) use value::Json;
