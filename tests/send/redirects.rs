//! Redirects to another origin carry no secret: two real servers, and the user gave the secrets for the first one.

use super::send;
use crate::support::certificates::Certificates;
use crate::support::program::hookctl;
use crate::support::target::{Answer, OK, Request, Target};

fn moved(url: &str) -> Answer {
    Answer::Status(307, Box::leak(format!("location: {url}\r\n").into_boxed_str()), "")
}

/// The request line and headers in lower case.
fn head(request: &Request) -> String {
    request.head.to_lowercase()
}

/// Secrets for the first receiver, by every flag that can carry one.
const SECRETS: [&str; 12] = [
    "cog/coglet/start",
    "--secret",
    "s3cret-of-the-user",
    "--scheme=bearer",
    "--signature-header=x-tok",
    "-HAuthorization: Bearer one-s3cret",
    "-HCookie: session=two-s3cret",
    "-HX-Api-Key: three-s3cret",
    "-HProxy-Authorization: Basic four-s3cret",
    "-HUser-Agent: mine",
    "--retry=none",
    "--json",
];

#[test]
fn a_redirect_to_another_host_carries_the_delivery_without_secrets() {
    let second = Target::start(&[OK]);
    let first = Target::start(&[moved(&second.url)]);
    let to = format!("{}?token=five-s3cret", first.url);
    let finished = hookctl([&["send", "--to", &to], &SECRETS[..]].concat()).exits(0);
    assert!(finished.stdout.contains("after a 307"), "{finished:?}");
    let (sent, redirected) = (&first.requests()[0], &second.requests()[0]);
    assert_eq!(head(sent).matches("s3cret").count(), 6, "{}", sent.head);
    assert!(!head(redirected).contains("s3cret"), "{}", redirected.head);
    assert_eq!(redirected.body, sent.body);
    let host = second.url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/hook"));
    assert_eq!(redirected.header("host"), host);
    // The provider's headers, with the user's changes, and a referer without path and query.
    assert_eq!(
        (redirected.header("user-agent"), redirected.header("content-type")),
        (Some("mine"), Some("application/json"))
    );
    assert_eq!(redirected.header("referer"), Some(first.url.trim_end_matches("hook")));
}

#[test]
fn a_redirect_within_the_origin_keeps_the_secrets() {
    let target = Target::start(&[moved("/next"), OK]);
    send(&target, &SECRETS).exits(0);
    let [first, second] = &target.requests()[..] else { panic!("two requests") };
    assert_eq!(head(second).matches("s3cret").count(), head(first).matches("s3cret").count());
}

#[test]
fn secrets_dropped_at_another_origin_do_not_come_back() {
    let first = Target::start(&[Answer::By(|_| (200, String::new()))]);
    let second = Target::start(&[moved(&first.url)]);
    let third = Target::start(&[moved(&second.url)]);
    send(&third, &SECRETS).exits(0);
    assert!(!head(&first.requests()[0]).contains("s3cret"), "{}", first.requests()[0].head);
}

#[test]
fn a_redirect_to_another_origin_presents_no_client_certificate() {
    let certificates = Certificates::new();
    let [ca, both] = ["ca.pem", "both.pem"].map(|name| certificates.path(name));
    let second = Target::with_tls(&[OK], certificates.server(true));
    let first = Target::with_tls(&[moved(&second.url), OK], certificates.server(true));
    let flags = ["cog/coglet/start", "--retry", "none", "--json", "--cacert", &ca, "--cert", &both];
    let finished = send(&first, &flags).exits(6);
    let error = finished.deliveries()[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("the receiver requires a client certificate"), "{error}");
    assert_eq!((first.requests().len(), second.requests().len()), (1, 0));
    // The second receiver would have accepted the certificate.
    send(&second, &flags).exits(0);
}
