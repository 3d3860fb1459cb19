
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'hookctl' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'hookctl'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'hookctl' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('listen', 'listen', [CompletionResultType]::ParameterValue, 'Receive webhooks, verify, print and answer them')
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Send signed payloads, with the provider''s own retries')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Read payloads and journals; show what is wrong with them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a man page: of hookctl, or of one of its commands')
            [CompletionResult]::new('signatures', 'signatures', [CompletionResultType]::ParameterValue, 'Why a signature does not verify, and how each scheme signs')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'hookctl;listen' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port; 0 picks a free port')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port; 0 picks a free port')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Address to listen on')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Serve HTTPS with this certificate: a PEM file, which may include the key')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Key of the certificate: a PEM file')
            [CompletionResult]::new('--tunnel', '--tunnel', [CompletionResultType]::ParameterName, 'Open a tunnel to the listener with this client, which must be installed')
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'Provider that sends; auto detects it for each delivery')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'Append every delivery to a journal (JSON Lines) before it is answered')
            [CompletionResult]::new('--save-outputs', '--save-outputs', [CompletionResultType]::ParameterName, 'Save the data URLs and base64 of outputs as files in this folder')
            [CompletionResult]::new('--max-body', '--max-body', [CompletionResultType]::ParameterName, 'Answer 413 to larger bodies')
            [CompletionResult]::new('--respond', '--respond', [CompletionResultType]::ParameterName, 'Answers, in order: 503x2,hang=35s,200 [default: 200]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Forward deliveries to an app, and answer with its response: 3000, localhost:3000/hook, http://…')
            [CompletionResult]::new('--forward-to', '--forward-to', [CompletionResultType]::ParameterName, 'Forward deliveries to an app, and answer with its response: 3000, localhost:3000/hook, http://…')
            [CompletionResult]::new('--ack-budget', '--ack-budget', [CompletionResultType]::ParameterName, 'Warn when an answer takes longer than this, instead of the provider''s own limit')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Show and count only these events: completed,output,workflow.*; others are still answered and recorded')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Show and count only these events: completed,output,workflow.*; others are still answered and recorded')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Exit once N deliveries have been answered; with --until, once both conditions are met')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Exit at the first delivery with this status or event; terminal is any final status')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Stop after this time: exit code 3 if --count or --until is not met')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'Exit with code 4 unless this jq filter is true for every counted delivery; repeatable')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write the results of expectations and waits as JUnit XML')
            [CompletionResult]::new('--jwks', '--jwks', [CompletionResultType]::ParameterName, 'Public keys that verify fal''s signatures: a JWK set in a file or at a URL')
            [CompletionResult]::new('--tolerance', '--tolerance', [CompletionResultType]::ParameterName, 'Accept signed time stamps this far from the clock, instead of the scheme''s own tolerance')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--scheme', '--scheme', [CompletionResultType]::ParameterName, 'Signature scheme: a name, or hmac-sha256:… for a scheme of your own [default: auto]')
            [CompletionResult]::new('--signature-header', '--signature-header', [CompletionResultType]::ParameterName, 'Signature header, instead of the scheme''s own; implies the scheme eachlabs if there is no --scheme')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show each delivery as a block of lines, or on one line')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Serve HTTPS with a self-signed certificate made for this run')
            [CompletionResult]::new('--record-sync', '--record-sync', [CompletionResultType]::ParameterName, 'Answer only when the delivery is on disk, so that it survives a power cut')
            [CompletionResult]::new('--record-secrets', '--record-secrets', [CompletionResultType]::ParameterName, 'Do not redact header values that are secrets')
            [CompletionResult]::new('--respond-each', '--respond-each', [CompletionResultType]::ParameterName, 'Start the script over for every distinct delivery (provider, id and event)')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Treat a warning about a counted delivery as a failed expectation: exit code 4')
            [CompletionResult]::new('--require-valid', '--require-valid', [CompletionResultType]::ParameterName, 'Exit with code 5 if a counted delivery did not verify')
            [CompletionResult]::new('--allow-invalid', '--allow-invalid', [CompletionResultType]::ParameterName, 'Answer as usual when a signature is invalid, instead of 401')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print data as JSON Lines on standard output, and text for people on standard error')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print headers and whole bodies')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print headers and whole bodies')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'hookctl;send' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Target URL: 3000, :3000/hook, localhost:3000/hook, https://…')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Change the body: input.prompt="a cat"; VALUE is JSON if it parses, else text')
            [CompletionResult]::new('--unset', '--unset', [CompletionResultType]::ParameterName, 'Remove a field from the body')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'Change the id of the prediction: a value, or `new` for a fresh id')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add or replace a header')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add or replace a header')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Send only these events of a sequence (completed,output); for a Cog run, its webhook_events_filter')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Send only these events of a sequence (completed,output); for a Cog run, its webhook_events_filter')
            [CompletionResult]::new('--flavor', '--flavor', [CompletionResultType]::ParameterName, 'Server of Cog that sends a run: coglet (cog 0.17 and later) or python [default: coglet]')
            [CompletionResult]::new('--throttle', '--throttle', [CompletionResultType]::ParameterName, 'Interval of Cog''s throttle [default: the run''s, else 500ms]')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'Retry like this provider, after these waits (30s,2m,10m), or never (none) [default: the provider''s own]')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'Divide waits by N [default: 100 for waits between retries, 1 for the gaps of a sequence]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Time limit of an attempt [default: the provider''s own, 30s if unknown]')
            [CompletionResult]::new('--expect-status', '--expect-status', [CompletionResultType]::ParameterName, 'Expected answers: 2xx, 200,202, 4xx [default: 2xx]')
            [CompletionResult]::new('--duplicate', '--duplicate', [CompletionResultType]::ParameterName, 'Send each delivery N more times')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of --shuffle: the same seed gives the same order')
            [CompletionResult]::new('--tamper', '--tamper', [CompletionResultType]::ParameterName, 'Send a delivery that a good handler refuses; implies --expect-status 4xx')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write the results of the drill as JUnit XML')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Send N deliveries, each with its own id and signature, and measure')
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'Number of deliveries in flight at the same time')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Send N deliveries a second, however slow the answers are; without it, as fast as answers come')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'Append every attempt to a journal (JSON Lines)')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file instead of the system''s')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Client certificate: a PEM file, which may include the key')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Key of the client certificate: a PEM file')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Use this proxy: host:port, http://…, https://…, socks5h://…')
            [CompletionResult]::new('--serve-jwks', '--serve-jwks', [CompletionResultType]::ParameterName, 'Serve the public key of the signing key pair as a JWK set on 127.0.0.1, until the command ends')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--scheme', '--scheme', [CompletionResultType]::ParameterName, 'Signature scheme: a name, or hmac-sha256:… for a scheme of your own [default: auto]')
            [CompletionResult]::new('--signature-header', '--signature-header', [CompletionResultType]::ParameterName, 'Signature header, instead of the scheme''s own; implies the scheme eachlabs if there is no --scheme')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output')
            [CompletionResult]::new('--shuffle', '--shuffle', [CompletionResultType]::ParameterName, 'Send in random order')
            [CompletionResult]::new('--drill', '--drill', [CompletionResultType]::ParameterName, 'Test the handler with valid, repeated, forged and malformed deliveries; exit code 4 if it fails a case')
            [CompletionResult]::new('--record-secrets', '--record-secrets', [CompletionResultType]::ParameterName, 'Do not redact header values that are secrets')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the exact request and the signed bytes, and send nothing')
            [CompletionResult]::new('--curl', '--curl', [CompletionResultType]::ParameterName, 'Show the curl command that sends the same bytes, and send nothing')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Accept any TLS certificate (insecure)')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Accept any TLS certificate (insecure)')
            [CompletionResult]::new('--http1.1', '--http1.1', [CompletionResultType]::ParameterName, 'Accepted for compatibility with curl: requests always use HTTP/1.1')
            [CompletionResult]::new('--no-follow', '--no-follow', [CompletionResultType]::ParameterName, 'Do not follow redirects, even if the provider does')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print data as JSON Lines on standard output, and text for people on standard error')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print headers and whole bodies')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print headers and whole bodies')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'hookctl;inspect' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Header received with the payload')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Header received with the payload')
            [CompletionResult]::new('--signature', '--signature', [CompletionResultType]::ParameterName, 'Signature received with the payload, in the header of --scheme')
            [CompletionResult]::new('--now', '--now', [CompletionResultType]::ParameterName, 'Time to verify at, instead of now: Unix seconds, or 2026-11-20T21:23:21Z')
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'Provider of the payload; auto detects it. Of a journal, only deliveries from this provider')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'Only deliveries with this prediction, execution or track id')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Only deliveries with one of these statuses: succeeded,failed or the provider''s own words')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Only these events: completed,output,workflow.*')
            [CompletionResult]::new('--event', '--event', [CompletionResultType]::ParameterName, 'Only these events: completed,output,workflow.*')
            [CompletionResult]::new('--verdict', '--verdict', [CompletionResultType]::ParameterName, 'Only deliveries with one of these verdicts about the signature, as recorded or, with --secret, as verified now: verified,authenticated, or a reason such as wrong_secret')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only deliveries since this time: 10m (ago), 14:05 (today, or yesterday), 2026-11-20, ''2026-11-20 14:05'', 2026-11-20T21:23:21Z or 1790000000')
            [CompletionResult]::new('--search', '--search', [CompletionResultType]::ParameterName, 'Only deliveries with this text in the body, a header or the path; case-sensitive, and JSON escapes in the body are decoded first')
            [CompletionResult]::new('--where', '--where', [CompletionResultType]::ParameterName, 'Only deliveries for which this jq filter is true; repeatable')
            [CompletionResult]::new('--last', '--last', [CompletionResultType]::ParameterName, 'Only the last N matching deliveries')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Show one delivery in full: its number in the table, or an id for every delivery with it; with --export, export it')
            [CompletionResult]::new('--diff', '--diff', [CompletionResultType]::ParameterName, 'Show what changed between two deliveries, field by field: numbers, or ids for the first delivery with it; the same id twice for its first two')
            [CompletionResult]::new('--export', '--export', [CompletionResultType]::ParameterName, 'Print the matching deliveries in a format of other programs')
            [CompletionResult]::new('--html', '--html', [CompletionResultType]::ParameterName, 'Write the matching deliveries into one self-contained page: timeline, table, headers, bodies, verdicts')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Redact a field wherever deliveries are shown or exported: headers.authorization, input.prompt, output.*; repeatable')
            [CompletionResult]::new('--jwks', '--jwks', [CompletionResultType]::ParameterName, 'Public keys that verify fal''s signatures: a JWK set in a file or at a URL')
            [CompletionResult]::new('--tolerance', '--tolerance', [CompletionResultType]::ParameterName, 'Accept signed time stamps this far from the clock, instead of the scheme''s own tolerance')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--scheme', '--scheme', [CompletionResultType]::ParameterName, 'Signature scheme: a name, or hmac-sha256:… for a scheme of your own [default: auto]')
            [CompletionResult]::new('--signature-header', '--signature-header', [CompletionResultType]::ParameterName, 'Signature header, instead of the scheme''s own; implies the scheme eachlabs if there is no --scheme')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour the output')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Show how the signature was checked: the signed bytes, and the signature that each secret gives')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Keep reading as the journal grows, until Ctrl-C; a file that is truncated or replaced is read from its start')
            [CompletionResult]::new('--timeline', '--timeline', [CompletionResultType]::ParameterName, 'Show each prediction: events, attempts, gaps to scale, repeats and warnings')
            [CompletionResult]::new('--stats', '--stats', [CompletionResultType]::ParameterName, 'Show counts by provider, status, signature, reason and answer; latencies, and deliveries over time')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print data as JSON Lines on standard output, and text for people on standard error')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Also print headers and whole bodies')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Also print headers and whole bodies')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'hookctl;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'hookctl;man' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'hookctl;signatures' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'hookctl;help' {
            [CompletionResult]::new('listen', 'listen', [CompletionResultType]::ParameterValue, 'Receive webhooks, verify, print and answer them')
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Send signed payloads, with the provider''s own retries')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Read payloads and journals; show what is wrong with them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a man page: of hookctl, or of one of its commands')
            [CompletionResult]::new('signatures', 'signatures', [CompletionResultType]::ParameterValue, 'Why a signature does not verify, and how each scheme signs')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'hookctl;help;listen' {
            break
        }
        'hookctl;help;send' {
            break
        }
        'hookctl;help;inspect' {
            break
        }
        'hookctl;help;completions' {
            break
        }
        'hookctl;help;man' {
            break
        }
        'hookctl;help;signatures' {
            break
        }
        'hookctl;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
