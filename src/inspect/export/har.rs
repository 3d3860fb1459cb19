//! HTTP archives: <http://www.softwareishard.com/blog/har-12-spec/>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;

use crate::journal::Record;

/// The text after the last entry.
pub(crate) const END: &str = "\n]}}\n";

/// The text before the first entry.
pub(crate) fn beginning() -> String {
    let creator = json!({"name": "hookctl", "version": env!("CARGO_PKG_VERSION")});
    format!("{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[\n")
}

/// One delivery with its answer. Missing values are those of the format: -1 for a size, 0 for the status of an answer that
/// did not come.
pub(crate) fn entry(record: &Record, url: &str) -> Value {
    let delivery = &record.delivery;
    let http = if delivery.http.is_empty() { String::new() } else { format!("HTTP/{}", delivery.http) };
    let headers: Vec<Value> =
        delivery.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let parsed = Url::parse(url).ok();
    let pairs = parsed.iter().flat_map(|url| url.query_pairs());
    let query: Vec<Value> = pairs.map(|(name, value)| json!({"name": name, "value": value})).collect();
    let ms = record.answer.as_ref().map_or(0.0, |answer| answer.ms);
    let status = record.answer.as_ref().and_then(|answer| answer.status).unwrap_or_default();
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let method = if delivery.method.is_empty() { "POST" } else { &delivery.method };
    let size = if record.body_was_read() { delivery.body.len() as i64 } else { -1 };
    json!({
        "startedDateTime": format!("{:.6}", record.at),
        "time": ms,
        "request": {
            "method": method, "url": url, "httpVersion": http,
            "cookies": [], "headers": headers, "queryString": query,
            "postData": post_data(record), "headersSize": -1, "bodySize": size,
        },
        "response": {
            "status": status, "statusText": reason.unwrap_or_default(), "httpVersion": http,
            "cookies": [], "headers": [], "content": {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": "", "headersSize": -1, "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": ms, "receive": 0},
        "comment": format!("signature: {}", record.verdict.name()),
    })
}

/// The body. The form knows text only, so other bytes stand in the comment.
fn post_data(record: &Record) -> Value {
    let delivery = &record.delivery;
    let mime = delivery.headers.get("content-type").unwrap_or("application/octet-stream".into());
    if !record.body_was_read() {
        return json!({"mimeType": mime, "params": [], "text": "", "comment": "the body was not taken in"});
    }
    match std::str::from_utf8(&delivery.body) {
        Ok(text) => json!({"mimeType": mime, "params": [], "text": text}),
        Err(_) => {
            let base64 = STANDARD.encode(&delivery.body);
            json!({"mimeType": mime, "params": [], "text": "", "comment": format!("base64: {base64}")})
        }
    }
}
