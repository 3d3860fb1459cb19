//! JSON text, and nothing of webhooks: where its members stand, what its strings and numbers say, paths into it, and edits
//! that keep every other byte.

pub mod edit;
pub mod key_filter;
pub mod object;
pub mod path;
pub mod scan;
pub mod string;
pub mod tree;
pub mod value;

pub use object::Object;
pub use value::{Json, JsonType};
