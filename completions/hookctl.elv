
use builtin;
use str;

set edit:completion:arg-completer[hookctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'hookctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'hookctl'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand listen 'Receive webhooks, verify, print and answer them'
            cand send 'Send signed payloads, with the provider''s own retries'
            cand inspect 'Read payloads and journals; show what is wrong with them'
            cand completions 'Print a completion script for a shell'
            cand man 'Print a man page: of hookctl, or of one of its commands'
            cand signatures 'Why a signature does not verify, and how each scheme signs'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'hookctl;listen'= {
            cand -p 'Port; 0 picks a free port'
            cand --port 'Port; 0 picks a free port'
            cand --host 'Address to listen on'
            cand --tls-cert 'Serve HTTPS with this certificate: a PEM file, which may include the key'
            cand --tls-key 'Key of the certificate: a PEM file'
            cand --tunnel 'Open a tunnel to the listener with this client, which must be installed'
            cand --provider 'Provider that sends; auto detects it for each delivery'
            cand --record 'Append every delivery to a journal (JSON Lines) before it is answered'
            cand --save-outputs 'Save the data URLs and base64 of outputs as files in this folder'
            cand --max-body 'Answer 413 to larger bodies'
            cand --respond 'Answers, in order: 503x2,hang=35s,200 [default: 200]'
            cand -f 'Forward deliveries to an app, and answer with its response: 3000, localhost:3000/hook, http://…'
            cand --forward-to 'Forward deliveries to an app, and answer with its response: 3000, localhost:3000/hook, http://…'
            cand --ack-budget 'Warn when an answer takes longer than this, instead of the provider''s own limit'
            cand -e 'Show and count only these events: completed,output,workflow.*; others are still answered and recorded'
            cand --events 'Show and count only these events: completed,output,workflow.*; others are still answered and recorded'
            cand --count 'Exit once N deliveries have been answered; with --until, once both conditions are met'
            cand --until 'Exit at the first delivery with this status or event; terminal is any final status'
            cand --timeout 'Stop after this time: exit code 3 if --count or --until is not met'
            cand --expect 'Exit with code 4 unless this jq filter is true for every counted delivery; repeatable'
            cand --report 'Write the results of expectations and waits as JUnit XML'
            cand --jwks 'Public keys that verify fal''s signatures: a JWK set in a file or at a URL'
            cand --tolerance 'Accept signed time stamps this far from the clock, instead of the scheme''s own tolerance'
            cand -s 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --secret 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --scheme 'Signature scheme: a name, or hmac-sha256:… for a scheme of your own [default: auto]'
            cand --signature-header 'Signature header, instead of the scheme''s own; implies the scheme eachlabs if there is no --scheme'
            cand --color 'When to colour the output'
            cand --format 'Show each delivery as a block of lines, or on one line'
            cand --tls 'Serve HTTPS with a self-signed certificate made for this run'
            cand --record-sync 'Answer only when the delivery is on disk, so that it survives a power cut'
            cand --record-secrets 'Do not redact header values that are secrets'
            cand --respond-each 'Start the script over for every distinct delivery (provider, id and event)'
            cand --strict 'Treat a warning about a counted delivery as a failed expectation: exit code 4'
            cand --require-valid 'Exit with code 5 if a counted delivery did not verify'
            cand --allow-invalid 'Answer as usual when a signature is invalid, instead of 401'
            cand --json 'Print data as JSON Lines on standard output, and text for people on standard error'
            cand -q 'Print only results'
            cand --quiet 'Print only results'
            cand -v 'Also print headers and whole bodies'
            cand --verbose 'Also print headers and whole bodies'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'hookctl;send'= {
            cand --to 'Target URL: 3000, :3000/hook, localhost:3000/hook, https://…'
            cand --set 'Change the body: input.prompt="a cat"; VALUE is JSON if it parses, else text'
            cand --unset 'Remove a field from the body'
            cand --id 'Change the id of the prediction: a value, or `new` for a fresh id'
            cand -H 'Add or replace a header'
            cand --header 'Add or replace a header'
            cand -e 'Send only these events of a sequence (completed,output); for a Cog run, its webhook_events_filter'
            cand --events 'Send only these events of a sequence (completed,output); for a Cog run, its webhook_events_filter'
            cand --flavor 'Server of Cog that sends a run: coglet (cog 0.17 and later) or python [default: coglet]'
            cand --throttle 'Interval of Cog''s throttle [default: the run''s, else 500ms]'
            cand --retry 'Retry like this provider, after these waits (30s,2m,10m), or never (none) [default: the provider''s own]'
            cand --speed 'Divide waits by N [default: 100 for waits between retries, 1 for the gaps of a sequence]'
            cand --timeout 'Time limit of an attempt [default: the provider''s own, 30s if unknown]'
            cand --expect-status 'Expected answers: 2xx, 200,202, 4xx [default: 2xx]'
            cand --duplicate 'Send each delivery N more times'
            cand --seed 'Seed of --shuffle: the same seed gives the same order'
            cand --tamper 'Send a delivery that a good handler refuses; implies --expect-status 4xx'
            cand --report 'Write the results of the drill as JUnit XML'
            cand --count 'Send N deliveries, each with its own id and signature, and measure'
            cand --concurrency 'Number of deliveries in flight at the same time'
            cand --rate 'Send N deliveries a second, however slow the answers are; without it, as fast as answers come'
            cand --record 'Append every attempt to a journal (JSON Lines)'
            cand --cacert 'Trust the certificates in this PEM file instead of the system''s'
            cand --cert 'Client certificate: a PEM file, which may include the key'
            cand --key 'Key of the client certificate: a PEM file'
            cand --proxy 'Use this proxy: host:port, http://…, https://…, socks5h://…'
            cand --serve-jwks 'Serve the public key of the signing key pair as a JWK set on 127.0.0.1, until the command ends'
            cand -s 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --secret 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --scheme 'Signature scheme: a name, or hmac-sha256:… for a scheme of your own [default: auto]'
            cand --signature-header 'Signature header, instead of the scheme''s own; implies the scheme eachlabs if there is no --scheme'
            cand --color 'When to colour the output'
            cand --shuffle 'Send in random order'
            cand --drill 'Test the handler with valid, repeated, forged and malformed deliveries; exit code 4 if it fails a case'
            cand --record-secrets 'Do not redact header values that are secrets'
            cand --dry-run 'Show the exact request and the signed bytes, and send nothing'
            cand --curl 'Show the curl command that sends the same bytes, and send nothing'
            cand -k 'Accept any TLS certificate (insecure)'
            cand --insecure 'Accept any TLS certificate (insecure)'
            cand --http1.1 'Accepted for compatibility with curl: requests always use HTTP/1.1'
            cand --no-follow 'Do not follow redirects, even if the provider does'
            cand --json 'Print data as JSON Lines on standard output, and text for people on standard error'
            cand -q 'Print only results'
            cand --quiet 'Print only results'
            cand -v 'Also print headers and whole bodies'
            cand --verbose 'Also print headers and whole bodies'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'hookctl;inspect'= {
            cand -H 'Header received with the payload'
            cand --header 'Header received with the payload'
            cand --signature 'Signature received with the payload, in the header of --scheme'
            cand --now 'Time to verify at, instead of now: Unix seconds, or 2026-11-20T21:23:21Z'
            cand --provider 'Provider of the payload; auto detects it. Of a journal, only deliveries from this provider'
            cand --id 'Only deliveries with this prediction, execution or track id'
            cand --status 'Only deliveries with one of these statuses: succeeded,failed or the provider''s own words'
            cand -e 'Only these events: completed,output,workflow.*'
            cand --event 'Only these events: completed,output,workflow.*'
            cand --verdict 'Only deliveries with one of these verdicts about the signature, as recorded or, with --secret, as verified now: verified,authenticated, or a reason such as wrong_secret'
            cand --since 'Only deliveries since this time: 10m (ago), 14:05 (today, or yesterday), 2026-11-20, ''2026-11-20 14:05'', 2026-11-20T21:23:21Z or 1790000000'
            cand --search 'Only deliveries with this text in the body, a header or the path; case-sensitive, and JSON escapes in the body are decoded first'
            cand --where 'Only deliveries for which this jq filter is true; repeatable'
            cand --last 'Only the last N matching deliveries'
            cand --show 'Show one delivery in full: its number in the table, or an id for every delivery with it; with --export, export it'
            cand --diff 'Show what changed between two deliveries, field by field: numbers, or ids for the first delivery with it; the same id twice for its first two'
            cand --export 'Print the matching deliveries in a format of other programs'
            cand --html 'Write the matching deliveries into one self-contained page: timeline, table, headers, bodies, verdicts'
            cand --redact 'Redact a field wherever deliveries are shown or exported: headers.authorization, input.prompt, output.*; repeatable'
            cand --jwks 'Public keys that verify fal''s signatures: a JWK set in a file or at a URL'
            cand --tolerance 'Accept signed time stamps this far from the clock, instead of the scheme''s own tolerance'
            cand -s 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --secret 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --scheme 'Signature scheme: a name, or hmac-sha256:… for a scheme of your own [default: auto]'
            cand --signature-header 'Signature header, instead of the scheme''s own; implies the scheme eachlabs if there is no --scheme'
            cand --color 'When to colour the output'
            cand --explain 'Show how the signature was checked: the signed bytes, and the signature that each secret gives'
            cand --follow 'Keep reading as the journal grows, until Ctrl-C; a file that is truncated or replaced is read from its start'
            cand --timeline 'Show each prediction: events, attempts, gaps to scale, repeats and warnings'
            cand --stats 'Show counts by provider, status, signature, reason and answer; latencies, and deliveries over time'
            cand --json 'Print data as JSON Lines on standard output, and text for people on standard error'
            cand -q 'Print only results'
            cand --quiet 'Print only results'
            cand -v 'Also print headers and whole bodies'
            cand --verbose 'Also print headers and whole bodies'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'hookctl;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'hookctl;man'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'hookctl;signatures'= {
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'hookctl;help'= {
            cand listen 'Receive webhooks, verify, print and answer them'
            cand send 'Send signed payloads, with the provider''s own retries'
            cand inspect 'Read payloads and journals; show what is wrong with them'
            cand completions 'Print a completion script for a shell'
            cand man 'Print a man page: of hookctl, or of one of its commands'
            cand signatures 'Why a signature does not verify, and how each scheme signs'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'hookctl;help;listen'= {
        }
        &'hookctl;help;send'= {
        }
        &'hookctl;help;inspect'= {
        }
        &'hookctl;help;completions'= {
        }
        &'hookctl;help;man'= {
        }
        &'hookctl;help;signatures'= {
        }
        &'hookctl;help;help'= {
        }
    ]
    $completions[$command]
}
