//! Any headers and any body under any scheme: only a delivery that was signed verifies, and every failure is diagnosed.
//! Input: scheme and secret as one byte, headers, NUL, body.
#![no_main]

use hookctl::payload::Delivery;
use hookctl::signature;
use hookctl::signature::{Choice, Policy, Scheme, Secret, Verdict, keypair};
use hookctl_fuzz::{assert_harmless, bytes, headers, parts};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_790_000_000;

/// Secrets of the three kinds: text, `whsec_`, key pair. No dictionary and no seed contains them.
fn secret(choice: u8) -> Secret {
    let pair = keypair::from_seed(&[7; 32]);
    match choice % 3 {
        0 => Secret::new("main", "qUx9-t0Zp!w"),
        1 => Secret::new("main", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        _ => Secret::new("main", pair.as_bytes()),
    }
}

/// Verifies and diagnoses a delivery; a diagnosis must not change the result.
fn verify(delivery: &Delivery, policy: &Policy) -> Verdict {
    let verdict = signature::check(delivery, policy, NOW, None);
    let explained = signature::why(delivery, policy, NOW, verdict.clone());
    assert_eq!(explained.is_invalid(), verdict.is_invalid(), "a diagnosis makes nothing valid");
    if let Verdict::Invalid { hint, .. } = &explained {
        assert_harmless(&hookctl::render::escape::line(hint));
    }
    verdict
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let Some([head, body]) = parts(rest) else { return };
    let (headers, body, secret) = (headers(head), bytes(body), secret(*choice));
    let scheme: &'static Scheme = &signature::ALL[usize::from(choice / 3) % signature::ALL.len()];
    let own = Policy { scheme: Choice::Named(scheme), secrets: vec![secret.clone()], tolerance: None };
    let auto = Policy { scheme: Choice::Auto, ..own.clone() };

    // The input was made without the secret.
    let delivery = Delivery::bare(headers.clone(), body.clone());
    for policy in [&own, &auto] {
        match verify(&delivery, policy) {
            Verdict::Verified { scheme, .. } => panic!("{scheme} accepts a forgery"),
            Verdict::Authenticated { scheme, .. } => {
                let known = headers.iter().any(|(_, value)| secret.is_in(value.as_bytes()));
                assert!(known, "{scheme} accepts a forgery");
            }
            Verdict::Invalid { .. } | Verdict::Unsigned | Verdict::Unchecked => {}
        }
    }

    // The scheme verifies its own signature, and not the same signature with another body.
    let Ok(signed) = scheme.for_secret(&secret).sign(&body, &secret, NOW, "msg_1") else { return };
    let mut delivery = Delivery::bare(signed.into_iter().collect(), body.clone());
    let verdict = verify(&delivery, &own);
    let accepted = matches!(verdict, Verdict::Verified { .. } | Verdict::Authenticated { .. });
    assert!(accepted, "{} does not verify its own signature: {verdict:?}", scheme.name);
    for (at, flip) in [(0, 1), (body.len() / 2, 0x20), (body.len().saturating_sub(1), 0x80)] {
        let mut changed = body.to_vec();
        match changed.get_mut(at) {
            Some(byte) => *byte ^= flip,
            None => changed.push(b' '),
        }
        delivery.body = changed.into();
        let verdict = verify(&delivery, &own);
        assert!(!matches!(verdict, Verdict::Verified { .. }), "{} verifies another body", scheme.name);
    }
});
