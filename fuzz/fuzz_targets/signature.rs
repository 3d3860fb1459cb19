//! Any headers and any body under any scheme: nothing verifies but what was signed, and why not is found out.
//! Input: scheme and secret as one byte, headers, NUL, body.
#![no_main]

use hookctl::payload::Delivery;
use hookctl::signature;
use hookctl::signature::{Choice, Policy, Scheme, Secret, Verdict, keypair};
use hookctl_fuzz::{assert_harmless, bytes, headers, parts};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_790_000_000;

/// Secrets of the forms that schemes know. None of them stands in a dictionary or a seed.
fn secret(choice: u8) -> Secret {
    let pair = keypair::made_of(&[7; 32]);
    match choice % 3 {
        0 => Secret::new("main", "qUx9-t0Zp!w"),
        1 => Secret::new("main", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        _ => Secret::new("main", pair.as_bytes()),
    }
}

/// Says why, and that a reason makes nothing valid.
fn judge(delivery: &Delivery, policy: &Policy) -> Verdict {
    let verdict = signature::check(delivery, policy, NOW, None);
    let explained = signature::why(delivery, policy, NOW, verdict.clone());
    assert_eq!(explained.is_invalid(), verdict.is_invalid(), "a reason makes nothing valid");
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

    // Nobody who does not know the secret can make any of these.
    let delivery = Delivery::bare(headers.clone(), body.clone());
    for policy in [&own, &auto] {
        match judge(&delivery, policy) {
            Verdict::Verified { scheme, .. } => panic!("{scheme} believes a stranger"),
            Verdict::Authenticated { scheme, .. } => {
                let known = headers.iter().any(|(_, value)| secret.is_in(value.as_bytes()));
                assert!(known, "{scheme} believes a stranger");
            }
            Verdict::Invalid { .. } | Verdict::Unsigned | Verdict::Unchecked => {}
        }
    }

    // What it signs it believes, and nothing else that has the same signature.
    let Ok(signed) = scheme.for_secret(&secret).sign(&body, &secret, NOW, "msg_1") else { return };
    let mut delivery = Delivery::bare(signed.into_iter().collect(), body.clone());
    let verdict = judge(&delivery, &own);
    let believed = matches!(verdict, Verdict::Verified { .. } | Verdict::Authenticated { .. });
    assert!(believed, "{} does not believe itself: {verdict:?}", scheme.name);
    for (at, flip) in [(0, 1), (body.len() / 2, 0x20), (body.len().saturating_sub(1), 0x80)] {
        let mut changed = body.to_vec();
        match changed.get_mut(at) {
            Some(byte) => *byte ^= flip,
            None => changed.push(b' '),
        }
        delivery.body = changed.into();
        let verdict = judge(&delivery, &own);
        assert!(!matches!(verdict, Verdict::Verified { .. }), "{} believes another body", scheme.name);
    }
});
