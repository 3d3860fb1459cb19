
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
            cand send 'Fire signed payloads, with the provider''s own retries'
            cand inspect 'Read payloads and journals; say what is wrong with them'
            cand completions 'Print a completion script for a shell'
            cand man 'Print a man page: of hookctl, or of one of its commands'
            cand signatures 'Why a signature does not hold, and how each scheme signs'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'hookctl;listen'= {
            cand -p 'Port; 0 takes a free one'
            cand --port 'Port; 0 takes a free one'
            cand --host 'Address to listen on'
            cand --tls-cert 'Speak HTTPS with this certificate, a PEM file, which may hold its key too'
            cand --tls-key 'Key of the certificate, a PEM file'
            cand --tunnel 'Open a tunnel to the listener with this client, which must be installed'
            cand --provider 'Who sends; auto reads it off each delivery'
            cand --record 'Append every delivery to a journal (JSON Lines), before it is answered'
            cand --save-outputs 'Write the data URLs and base64 of outputs into files in this folder'
            cand --max-body 'Answer 413 to a larger body'
            cand --respond 'What to answer, in turn: 503x2,hang=35s,200 [default: 200]'
            cand -f 'Pass deliveries on to an app, and answer what it answers: 3000, localhost:3000/hook, http://…'
            cand --forward-to 'Pass deliveries on to an app, and answer what it answers: 3000, localhost:3000/hook, http://…'
            cand --ack-budget 'Warn when an answer took longer than this, instead of the provider''s own limit'
            cand -e 'Show and count only these: completed,output,workflow.*; others are still answered and recorded'
            cand --events 'Show and count only these: completed,output,workflow.*; others are still answered and recorded'
            cand --count 'End once N deliveries have been answered; with --until, once both have come true'
            cand --until 'End at the first delivery with this status or event; terminal is the last of any prediction'
            cand --timeout 'Stop after this time: exit code 3 if something that is waited for is missing'
            cand --expect 'End with exit code 4 unless this jq filter is true of every counted delivery; repeatable'
            cand --report 'Write what was expected and waited for as JUnit XML'
            cand --jwks 'Public keys that verify fal''s signatures: a JWK set in a file or at a URL'
            cand --tolerance 'How far a signed time stamp may be off, instead of the scheme''s own tolerance'
            cand -s 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --secret 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --scheme 'How deliveries are signed: a scheme''s name, or hmac-sha256:… for one of your own [default: auto]'
            cand --signature-header 'Header with the signature, instead of the scheme''s own; without --scheme it is that of eachlabs'
            cand --color 'Colour the output'
            cand --format 'Show each delivery as a block of lines, or as one line'
            cand --tls 'Speak HTTPS with a certificate made for this run'
            cand --record-sync 'Answer only when the delivery is on the disk, so that it outlives a power cut too'
            cand --record-secrets 'Do not redact header values that are secrets themselves'
            cand --respond-each 'Start the script from its beginning for every distinct delivery (provider, id and event)'
            cand --strict 'Take a warning about a counted delivery for a failed expectation: exit code 4'
            cand --require-valid 'End with exit code 5 when a counted delivery did not verify'
            cand --allow-invalid 'Answer as usual when a signature does not hold, instead of 401'
            cand --json 'Print data as JSON Lines on standard output, people''s text on standard error'
            cand -q 'Print results only'
            cand --quiet 'Print results only'
            cand -v 'Print headers and whole bodies too'
            cand --verbose 'Print headers and whole bodies too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'hookctl;send'= {
            cand --to 'Where to: 3000, :3000/hook, localhost:3000/hook, https://…'
            cand --set 'Change the body: input.prompt="a cat"; VALUE is JSON if it parses, else text'
            cand --unset 'Remove a field from the body'
            cand --id 'Give the prediction another id: a value, or `new` for a fresh one'
            cand -H 'Add or replace a header'
            cand --header 'Add or replace a header'
            cand -e 'Of a sequence, only these events (completed,output); of a Cog run, its webhook_events_filter'
            cand --events 'Of a sequence, only these events (completed,output); of a Cog run, its webhook_events_filter'
            cand --flavor 'Which of Cog''s servers sends a run: coglet (cog 0.17 and later) or the Python one [default: coglet]'
            cand --throttle 'The interval of Cog''s throttle [default: the run''s, else 500ms]'
            cand --retry 'Retry as this provider, after these waits (30s,2m,10m), or not at all (none) [default: the provider''s own]'
            cand --speed 'Let simulated time pass N times faster [default: 100 for waits between retries, 1 for a sequence''s gaps]'
            cand --timeout 'Give up on an attempt after this time [default: as long as the provider waits, 30s where that is not known]'
            cand --expect-status 'Answers that count as right: 2xx, 200,202, 4xx [default: 2xx]'
            cand --duplicate 'Send each delivery N more times'
            cand --seed 'Shuffle by this seed: the same one gives the same order'
            cand --tamper 'Send what a good handler refuses; implies --expect-status 4xx'
            cand --report 'Write the drill''s results as JUnit XML'
            cand --count 'Send N deliveries, each with its own id and signature, and measure'
            cand --concurrency 'Have N of them under way at the same time'
            cand --rate 'Let N leave in a second, however slow the answers are; without, as fast as they come'
            cand --record 'Append every attempt to a journal (JSON Lines)'
            cand --cacert 'Trust the certificates in this PEM file instead of the system''s'
            cand --cert 'Client certificate, a PEM file, which may hold its key too'
            cand --key 'Key of the client certificate, a PEM file'
            cand --proxy 'Go by this proxy: host:port, http://…, https://…, socks5h://…'
            cand --serve-jwks 'Serve the public half of the key pair that signs as a JWK set on 127.0.0.1, for as long as this runs'
            cand -s 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --secret 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --scheme 'How deliveries are signed: a scheme''s name, or hmac-sha256:… for one of your own [default: auto]'
            cand --signature-header 'Header with the signature, instead of the scheme''s own; without --scheme it is that of eachlabs'
            cand --color 'Colour the output'
            cand --shuffle 'Send in another order'
            cand --drill 'Put the handler through the whole pack: good, repeated, forged, broken; exit code 4 if it fails a case'
            cand --record-secrets 'Do not redact header values that are secrets themselves'
            cand --dry-run 'Show the exact request, and what is signed of it, and send nothing'
            cand --curl 'Show the curl command that sends the same bytes, and send nothing'
            cand -k 'Take any certificate for good'
            cand --insecure 'Take any certificate for good'
            cand --http1.1 'Accepted for the sake of curl''s users: HTTP/1.1 is what is always sent'
            cand --no-follow 'Do not follow redirects, though the provider does'
            cand --json 'Print data as JSON Lines on standard output, people''s text on standard error'
            cand -q 'Print results only'
            cand --quiet 'Print results only'
            cand -v 'Print headers and whole bodies too'
            cand --verbose 'Print headers and whole bodies too'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'hookctl;inspect'= {
            cand -H 'Header that came with the payload'
            cand --header 'Header that came with the payload'
            cand --signature 'Signature that came with the payload, in the header of --scheme'
            cand --now 'Clock to verify by: Unix seconds, or 2026-11-20T21:23:21Z'
            cand --provider 'Who sent it; auto reads it off the payload. Of a journal, only the deliveries from there'
            cand --id 'Only deliveries about this prediction, execution or track id'
            cand --status 'Only deliveries with one of these statuses: succeeded,failed or the provider''s own words'
            cand -e 'Only these events: completed,output,workflow.*'
            cand --event 'Only these events: completed,output,workflow.*'
            cand --verdict 'Only deliveries of whose signature this was said, or is said now with --secret: verified,authenticated, or a reason such as wrong_secret'
            cand --since 'Only deliveries since then: 10m (ago), 14:05 (today, or yesterday), 2026-11-20, ''2026-11-20 14:05'', 2026-11-20T21:23:21Z or 1790000000'
            cand --search 'Only deliveries with this text in the body, a header or the path, letter for letter; what the body''s JSON escapes is found as it reads'
            cand --where 'Only deliveries of which this jq filter is true; repeatable'
            cand --last 'Only the last N of those that are left'
            cand --show 'Show a delivery whole: its number in the table, or an id for all that have it; with --export, hand it on'
            cand --diff 'Show what changed from one delivery to another, field by field: numbers, or ids for the first that has it; one id twice for its first two'
            cand --export 'Print what is left for another program'
            cand --html 'Write what is left into one self-contained page: timeline, table, headers, bodies, verdicts'
            cand --redact 'Blank a field wherever deliveries are shown or handed on: headers.authorization, input.prompt, output.*; repeatable'
            cand --jwks 'Public keys that verify fal''s signatures: a JWK set in a file or at a URL'
            cand --tolerance 'How far a signed time stamp may be off, instead of the scheme''s own tolerance'
            cand -s 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --secret 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation'
            cand --scheme 'How deliveries are signed: a scheme''s name, or hmac-sha256:… for one of your own [default: auto]'
            cand --signature-header 'Header with the signature, instead of the scheme''s own; without --scheme it is that of eachlabs'
            cand --color 'Colour the output'
            cand --explain 'Give the whole reasoning: what was signed, what each secret gives'
            cand --follow 'Go on reading as the journal grows, until Ctrl-C; a file that is begun anew is read from its beginning'
            cand --timeline 'Show each prediction: events, attempts, gaps to scale, repeats, and what is suspicious'
            cand --stats 'Count by provider, status, signature, reason and answer; latencies, and deliveries over time'
            cand --json 'Print data as JSON Lines on standard output, people''s text on standard error'
            cand -q 'Print results only'
            cand --quiet 'Print results only'
            cand -v 'Print headers and whole bodies too'
            cand --verbose 'Print headers and whole bodies too'
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
            cand send 'Fire signed payloads, with the provider''s own retries'
            cand inspect 'Read payloads and journals; say what is wrong with them'
            cand completions 'Print a completion script for a shell'
            cand man 'Print a man page: of hookctl, or of one of its commands'
            cand signatures 'Why a signature does not hold, and how each scheme signs'
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
