//! Suggested commands: the sender for this listener, the listener for this sender. A secret appears in them only by its
//! variable or file.

use url::{Host, Url};

use crate::cli::{ListenArgs, SigningArgs};
use crate::http::curl::quote;
use crate::signature;
use crate::sys::secrets;

/// The command that sends to this listener, without `--to`. `None` if the listener runs a command, and for a custom scheme,
/// which would make the line too long.
pub(crate) fn sender(args: &ListenArgs) -> Option<String> {
    if !args.command.is_empty() {
        return None;
    }
    let fixture = args.provider.named().and_then(|provider| provider.fixtures.first());
    let source = fixture.map_or("success", |fixture| fixture.name);
    Some(format!("hookctl send {source}{}", signing(&args.signing)?))
}

/// The command that listens at this target. `None` if the target is another machine, and for a custom scheme.
pub(crate) fn listener(to: &Url, signed: &SigningArgs) -> Option<String> {
    let is_here = match to.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let tls = if to.scheme() == "https" { " --tls" } else { "" };
    let port = to.port_or_known_default()?;
    is_here.then_some(())?;
    Some(format!("hookctl listen --port {port}{tls}{}", signing(signed)?))
}

/// The flags for the same secret and scheme.
fn signing(signing: &SigningArgs) -> Option<String> {
    let mut flags = String::new();
    match signing.secret.first() {
        // Without a value the flag asks for the secret, which must not be shown here.
        Some(Some(spec)) if spec.literal().is_some() => flags.push_str(" --secret"),
        Some(Some(spec)) => flags.push_str(&format!(" --secret {}", quote(spec.to_string().as_bytes()))),
        _ if secrets::variable().ok().flatten().is_some_and(|value| !value.is_empty()) => {
            flags.push_str(&format!(" --secret env:{}", secrets::VARIABLE));
        }
        Some(None) => flags.push_str(" --secret"),
        None => {}
    }
    if let Some(scheme) = signing.scheme.named() {
        // A custom scheme is not in the list.
        signature::ALL.iter().find(|known| known.name == scheme.name)?;
        flags.push_str(&format!(" --scheme {}", scheme.name));
    }
    if let Some(header) = &signing.signature_header {
        flags.push_str(&format!(" --signature-header {header}"));
    }
    Some(flags)
}
