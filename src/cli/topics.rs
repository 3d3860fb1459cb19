//! The page `hookctl help signatures`, and the layout of lists in help texts.

use crate::error::Exit;
use crate::signature::{self, Reason};

const NAME: usize = 22;

/// Columns of a list: terminals have at least 80.
const WIDTH: usize = 80;

/// `hookctl help signatures`
pub(crate) fn signatures() -> String {
    let mut text = "\
Why a signature does not verify, and how each scheme signs

listen and inspect try the common mistakes and name the mistake that explains the
signature. None of these attempts makes a delivery count as valid.

Reasons:
"
    .to_owned();
    for reason in Reason::ALL {
        text += &entry(NAME, reason.name(), reason.meaning());
    }
    text += "
To see the signed bytes, and the signature that each secret gives:
  hookctl inspect body.json -s env:KEY -H 'X-Webhook-Signature: …' --explain
  hookctl inspect hooks.jsonl --show 3 -s env:KEY --explain
To see the signature that a sender should have sent:
  hookctl send SOURCE -s env:KEY --to URL --dry-run

Schemes, strongest first, each with its signature header:
";
    for scheme in signature::ALL {
        text += &entry(NAME, scheme.name, &format!("{}: {}", scheme.summary, scheme.signature.join(" or ")));
    }
    text += "
A scheme of your own is one word after --scheme:
  hmac-sha256:header=X-Sig,encoding=base64,prefix=v1=,signed=timestamp.body,
    timestamp-header=X-Ts
  encoding is hex or base64, signed is body or timestamp.body; prefix is optional.

Providers and their schemes: each::labs uses eachlabs (generation A),
shared-secret (B) and eachlabs-timestamped (C); Hugging Face uses shared-secret;
Cog uses bearer; Replicate and Svix use standard-webhooks. The keys of a key pair
start with whsk_ (private) and whpk_ (public); --jwks reads fal's public keys.";
    text
}

/// A row of a list: a name in `columns` columns, and a text that is wrapped below its own start.
pub(crate) fn entry(columns: usize, name: &str, text: &str) -> String {
    let indent = " ".repeat(columns + 2);
    // Names of flags are not broken at their hyphens.
    let options =
        textwrap::Options::new(WIDTH).subsequent_indent(&indent).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&format!("  {name:columns$}{text}"), options) + "\n"
}

/// The list of exit codes.
pub(crate) fn exit_codes() -> String {
    let lines = Exit::MEANINGS.iter().map(|(code, meaning)| entry(11, code, &meaning.replace('`', "")));
    format!("Exit codes:\n{}", lines.collect::<String>().trim_end())
}
