//! What a redirect to another origin does not learn: two real servers, the second of which nobody gave a secret.

use super::send;
use crate::support::certificates::Certificates;
use crate::support::program::hookctl;
use crate::support::target::{Answer, OK, Request, Target};

/// Leads to this URL.
fn moved(url: &str) -> Answer {
    Answer::Status(307, Box::leak(format!("location: {url}\r\n").into_boxed_str()), "")
}

/// All of a request that could hold a secret, the body aside.
fn head(request: &Request) -> String {
    request.head.to_lowercase()
}

/// What the user gave for the first receiver, by every way that there is.
const GIVEN: [&str; 12] = [
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
fn another_host_learns_no_secret_and_gets_the_delivery() {
    let second = Target::start(&[OK]);
    let first = Target::start(&[moved(&second.url)]);
    let to = format!("{}?token=five-s3cret", first.url);
    let finished = hookctl([&["send", "--to", &to], &GIVEN[..]].concat()).exits(0);
    assert!(finished.stdout.contains("after a 307"), "{finished:?}");
    let (sent, led) = (&first.requests()[0], &second.requests()[0]);
    assert_eq!(head(sent).matches("s3cret").count(), 6, "{}", sent.head);
    assert!(!head(led).contains("s3cret"), "{}", led.head);
    assert_eq!(led.body, sent.body);
    let host = second.url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/hook"));
    assert_eq!(led.header("host"), host);
    // What the provider sends, the user's changes included, and where it comes from without path and query.
    assert_eq!((led.header("user-agent"), led.header("content-type")), (Some("mine"), Some("application/json")));
    assert_eq!(led.header("referer"), Some(first.url.trim_end_matches("hook")));
}

#[test]
fn the_same_origin_gets_what_it_was_given() {
    let target = Target::start(&[moved("/next"), OK]);
    send(&target, &GIVEN).exits(0);
    let [first, second] = &target.requests()[..] else { panic!("two requests") };
    assert_eq!(head(second).matches("s3cret").count(), head(first).matches("s3cret").count());
}

#[test]
fn what_was_left_behind_is_not_taken_up_again() {
    let first = Target::start(&[Answer::By(|_| (200, String::new()))]);
    let second = Target::start(&[moved(&first.url)]);
    let third = Target::start(&[moved(&second.url)]);
    send(&third, &GIVEN).exits(0);
    assert!(!head(&first.requests()[0]).contains("s3cret"), "{}", first.requests()[0].head);
}

#[test]
fn a_client_certificate_is_for_its_own_receiver() {
    let certificates = Certificates::new();
    let [ca, both] = ["ca.pem", "both.pem"].map(|name| certificates.path(name));
    let second = Target::with_tls(&[OK], certificates.server(true));
    let first = Target::with_tls(&[moved(&second.url), OK], certificates.server(true));
    let flags = ["cog/coglet/start", "--retry", "none", "--json", "--cacert", &ca, "--cert", &both];
    let finished = send(&first, &flags).exits(6);
    let error = finished.deliveries()[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("the receiver wants a client certificate"), "{error}");
    assert_eq!((first.requests().len(), second.requests().len()), (1, 0));
    // It would have been let in.
    send(&second, &flags).exits(0);
}
