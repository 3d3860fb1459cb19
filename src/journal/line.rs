//! The fields of a line as serde reads them, leniently: unknown fields are skipped, and known fields may hold the words of a
//! newer hookctl.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{BorrowedStrDeserializer, Error as ValueError};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::record::{Answer, SentOutcome};
use super::summary::is_id;
use crate::json::value;
use crate::signature::{Reason, Verdict};

/// The fields of a line, from which both a [`Record`] and a [`Summary`] are made. The body stays as it stands in the
/// line: a summary only checks that it is a string.
#[derive(Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow)]
    pub(super) r#type: Text<'a>,
    /// Any JSON value: a record of any version is parsed, and only a summary needs a known version.
    #[serde(default, borrow)]
    pub(super) v: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) seq: u64,
    #[serde(default, borrow, deserialize_with = "present")]
    pub(super) id: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) direction: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) at: Text<'a>,
    #[serde(default, borrow)]
    pub(super) remote: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) method: Text<'a>,
    #[serde(default, borrow)]
    pub(super) target: Text<'a>,
    #[serde(default, borrow)]
    pub(super) http: Text<'a>,
    #[serde(default, borrow)]
    pub(super) headers: Vec<(Text<'a>, Text<'a>)>,
    #[serde(default, borrow)]
    pub(super) body: Option<&'a RawValue>,
    #[serde(default, borrow)]
    pub(super) body_base64: Option<Text<'a>>,
    /// `Some(None)` for `null`, and `None` where the line has no such field.
    #[serde(default, borrow, deserialize_with = "present")]
    pub(super) payload: Option<Option<PayloadFields<'a>>>,
    #[serde(default, borrow)]
    pub(super) signature: Option<SignatureFields<'a>>,
    #[serde(default, borrow)]
    pub(super) duplicate_of: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) warnings: Vec<WarningFields<'a>>,
    #[serde(default)]
    pub(super) answer: Option<Answer>,
    #[serde(default)]
    pub(super) attempt: Option<u32>,
    #[serde(default)]
    pub(super) of: Option<u32>,
    #[serde(default, borrow)]
    pub(super) url: Option<Text<'a>>,
    #[serde(default)]
    pub(super) outcome: Option<SentOutcome>,
    #[serde(default, borrow)]
    pub(super) error: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) case: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) expect_status: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct SignatureFields<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    pub(super) verdict: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) scheme: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) secret: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) reason: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) hint: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct WarningFields<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    pub(super) code: Option<Text<'a>>,
    #[serde(default, borrow)]
    pub(super) path: Text<'a>,
    #[serde(default, borrow)]
    pub(super) message: Text<'a>,
}

/// A string, borrowed from the line where it has no escapes: serde does not borrow a `Cow` within an `Option` or a `Vec`.
#[derive(Default, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn into_string(self) -> String {
        self.0.into_owned()
    }
}

/// `Some` for a field in the line, even for `null`; with `default`, `None` where the line lacks the field.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The members of `payload`. A record needs the provider alone: all others are read from the body again.
#[derive(Default)]
pub(super) struct PayloadFields<'a> {
    pub(super) provider: Option<Cow<'a, str>>,
    pub(super) event: Option<Cow<'a, str>>,
    pub(super) status: Option<Cow<'a, str>>,
    pub(super) raw_status: Option<Cow<'a, str>>,
    pub(super) ids: Vec<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for PayloadFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PayloadFieldsVisitor<'a>(PhantomData<&'a str>);

        impl<'de: 'a, 'a> Visitor<'de> for PayloadFieldsVisitor<'a> {
            type Value = PayloadFields<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the members of a payload")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut fields = PayloadFields::default();
                let mut has_provider = false;
                while let Some(Text(name)) = members.next_key()? {
                    let field = match name.as_ref() {
                        "provider" if has_provider => return Err(Error::duplicate_field("provider")),
                        "provider" => {
                            has_provider = true;
                            fields.provider = members.next_value::<Option<Text<'a>>>()?.map(|Text(name)| name);
                            continue;
                        }
                        "event" => &mut fields.event,
                        "status" => &mut fields.status,
                        "raw_status" => &mut fields.raw_status,
                        name if is_id(name) => {
                            fields.ids.extend(value::string(members.next_value::<&'a RawValue>()?.get()));
                            continue;
                        }
                        _ => {
                            members.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    *field = value::string(members.next_value::<&'a RawValue>()?.get());
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(PayloadFieldsVisitor(PhantomData))
    }
}

impl From<SignatureFields<'_>> for Verdict {
    fn from(SignatureFields { verdict, scheme, secret, reason, hint }: SignatureFields<'_>) -> Self {
        let owned = |text: Option<Text<'_>>| text.map(Text::into_string);
        let reason = reason
            .and_then(|Text(reason)| Reason::deserialize(BorrowedStrDeserializer::<ValueError>::new(&reason)).ok());
        let (scheme, secret) = (owned(scheme), owned(secret).unwrap_or_default());
        match verdict.unwrap_or_default().0.as_ref() {
            "verified" => Verdict::Verified { scheme: scheme.unwrap_or_default().into(), secret },
            "authenticated" => Verdict::Authenticated { scheme: scheme.unwrap_or_default().into(), secret },
            "invalid" => Verdict::Invalid {
                scheme,
                reason: reason.unwrap_or(Reason::Other),
                hint: owned(hint).unwrap_or_default(),
            },
            "unsigned" => Verdict::Unsigned,
            // An unknown verdict is read as `Unchecked`.
            _ => Verdict::Unchecked,
        }
    }
}
