//! Pages of `hookctl help` that belong to no one command.

use crate::signature;
use crate::signature::Reason;

/// Columns of a name in a list.
const NAME: usize = 22;

/// How wide lists are at most: terminals have 80 columns.
const WIDTH: usize = 80;

/// `hookctl help signatures`
pub(crate) fn signatures() -> String {
    let mut text = "\
Why a signature does not hold, and how each scheme signs

listen and inspect try what commonly goes wrong and name what then matches.
Nothing that is tried makes a delivery count as valid.

Reasons:
"
    .to_owned();
    for reason in Reason::ALL {
        text += &entry(NAME, reason.name(), reason.meaning());
    }
    text += "
To see what was signed, and what each secret gives:
  hookctl inspect body.json -s env:KEY -H 'X-Webhook-Signature: …' --explain
  hookctl inspect hooks.jsonl --show 3 -s env:KEY --explain
To see what a sender should have sent:
  hookctl send SOURCE -s env:KEY --to URL --dry-run

Schemes, the strongest first, each with the header that has the signature:
";
    for scheme in signature::ALL {
        text += &entry(NAME, scheme.name, &format!("{}: {}", scheme.summary, scheme.signature.join(" or ")));
    }
    text += "
One of your own is spelled out after --scheme, in one word:
  hmac-sha256:header=X-Sig,encoding=base64,prefix=v1=,signed=timestamp.body,
    timestamp-header=X-Ts
  with hex for base64, body for timestamp.body, and no prefix where there is none.

Who signs how: each::labs by eachlabs (generation A), shared-secret (B) and
eachlabs-timestamped (C); Hugging Face as B; Cog by bearer; Replicate and Svix by
standard-webhooks. A key pair is given as whsk_… (private) or whpk_… (public),
fal's public keys with --jwks.";
    text
}

/// A name, so wide, and what it is; what does not fit goes on below itself.
pub(crate) fn entry(columns: usize, name: &str, text: &str) -> String {
    let indent = " ".repeat(columns + 2);
    // A flag is not broken at its hyphens.
    let options =
        textwrap::Options::new(WIDTH).subsequent_indent(&indent).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&format!("  {name:columns$}{text}"), options) + "\n"
}
