
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
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Fire signed payloads, with the provider''s own retries')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Read payloads and journals; say what is wrong with them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a man page: of hookctl, or of one of its commands')
            [CompletionResult]::new('signatures', 'signatures', [CompletionResultType]::ParameterValue, 'Why a signature does not hold, and how each scheme signs')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'hookctl;listen' {
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Port; 0 takes a free one')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port; 0 takes a free one')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Address to listen on')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Speak HTTPS with this certificate, a PEM file, which may hold its key too')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Key of the certificate, a PEM file')
            [CompletionResult]::new('--tunnel', '--tunnel', [CompletionResultType]::ParameterName, 'Open a tunnel to the listener with this client, which must be installed')
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'Who sends; auto reads it off each delivery')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'Append every delivery to a journal (JSON Lines), before it is answered')
            [CompletionResult]::new('--save-outputs', '--save-outputs', [CompletionResultType]::ParameterName, 'Write the data URLs and base64 of outputs into files in this folder')
            [CompletionResult]::new('--max-body', '--max-body', [CompletionResultType]::ParameterName, 'Answer 413 to a larger body')
            [CompletionResult]::new('--respond', '--respond', [CompletionResultType]::ParameterName, 'What to answer, in turn: 503x2,hang=35s,200 [default: 200]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Pass deliveries on to an app, and answer what it answers: 3000, localhost:3000/hook, http://…')
            [CompletionResult]::new('--forward-to', '--forward-to', [CompletionResultType]::ParameterName, 'Pass deliveries on to an app, and answer what it answers: 3000, localhost:3000/hook, http://…')
            [CompletionResult]::new('--ack-budget', '--ack-budget', [CompletionResultType]::ParameterName, 'Warn when an answer took longer than this, instead of the provider''s own limit')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Show and count only these: completed,output,workflow.*; others are still answered and recorded')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Show and count only these: completed,output,workflow.*; others are still answered and recorded')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End once N deliveries have been answered; with --until, once both have come true')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'End at the first delivery with this status or event; terminal is the last of any prediction')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Stop after this time: exit code 3 if something that is waited for is missing')
            [CompletionResult]::new('--expect', '--expect', [CompletionResultType]::ParameterName, 'End with exit code 4 unless this jq filter is true of every counted delivery; repeatable')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write what was expected and waited for as JUnit XML')
            [CompletionResult]::new('--jwks', '--jwks', [CompletionResultType]::ParameterName, 'Public keys that verify fal''s signatures: a JWK set in a file or at a URL')
            [CompletionResult]::new('--tolerance', '--tolerance', [CompletionResultType]::ParameterName, 'How far a signed time stamp may be off, instead of the scheme''s own tolerance')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--scheme', '--scheme', [CompletionResultType]::ParameterName, 'How deliveries are signed: a scheme''s name, or hmac-sha256:… for one of your own [default: auto]')
            [CompletionResult]::new('--signature-header', '--signature-header', [CompletionResultType]::ParameterName, 'Header with the signature, instead of the scheme''s own; without --scheme it is that of eachlabs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Show each delivery as a block of lines, or as one line')
            [CompletionResult]::new('--tls', '--tls', [CompletionResultType]::ParameterName, 'Speak HTTPS with a certificate made for this run')
            [CompletionResult]::new('--record-sync', '--record-sync', [CompletionResultType]::ParameterName, 'Answer only when the delivery is on the disk, so that it outlives a power cut too')
            [CompletionResult]::new('--record-secrets', '--record-secrets', [CompletionResultType]::ParameterName, 'Do not redact header values that are secrets themselves')
            [CompletionResult]::new('--respond-each', '--respond-each', [CompletionResultType]::ParameterName, 'Start the script from its beginning for every distinct delivery (provider, id and event)')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Take a warning about a counted delivery for a failed expectation: exit code 4')
            [CompletionResult]::new('--require-valid', '--require-valid', [CompletionResultType]::ParameterName, 'End with exit code 5 when a counted delivery did not verify')
            [CompletionResult]::new('--allow-invalid', '--allow-invalid', [CompletionResultType]::ParameterName, 'Answer as usual when a signature does not hold, instead of 401')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print data as JSON Lines on standard output, people''s text on standard error')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print headers and whole bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print headers and whole bodies too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'hookctl;send' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Where to: 3000, :3000/hook, localhost:3000/hook, https://…')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Change the body: input.prompt="a cat"; VALUE is JSON if it parses, else text')
            [CompletionResult]::new('--unset', '--unset', [CompletionResultType]::ParameterName, 'Remove a field from the body')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'Give the prediction another id: a value, or `new` for a fresh one')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Add or replace a header')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add or replace a header')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Of a sequence, only these events (completed,output); of a Cog run, its webhook_events_filter')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Of a sequence, only these events (completed,output); of a Cog run, its webhook_events_filter')
            [CompletionResult]::new('--flavor', '--flavor', [CompletionResultType]::ParameterName, 'Which of Cog''s servers sends a run: coglet (cog 0.17 and later) or the Python one [default: coglet]')
            [CompletionResult]::new('--throttle', '--throttle', [CompletionResultType]::ParameterName, 'The interval of Cog''s throttle [default: the run''s, else 500ms]')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'Retry as this provider, after these waits (30s,2m,10m), or not at all (none) [default: the provider''s own]')
            [CompletionResult]::new('--speed', '--speed', [CompletionResultType]::ParameterName, 'Let simulated time pass N times faster [default: 100 for waits between retries, 1 for a sequence''s gaps]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up on an attempt after this time [default: as long as the provider waits, 30s where that is not known]')
            [CompletionResult]::new('--expect-status', '--expect-status', [CompletionResultType]::ParameterName, 'Answers that count as right: 2xx, 200,202, 4xx [default: 2xx]')
            [CompletionResult]::new('--duplicate', '--duplicate', [CompletionResultType]::ParameterName, 'Send each delivery N more times')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Shuffle by this seed: the same one gives the same order')
            [CompletionResult]::new('--tamper', '--tamper', [CompletionResultType]::ParameterName, 'Send what a good handler refuses; implies --expect-status 4xx')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write the drill''s results as JUnit XML')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Send N deliveries, each with its own id and signature, and measure')
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'Have N of them under way at the same time')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Let N leave in a second, however slow the answers are; without, as fast as they come')
            [CompletionResult]::new('--record', '--record', [CompletionResultType]::ParameterName, 'Append every attempt to a journal (JSON Lines)')
            [CompletionResult]::new('--cacert', '--cacert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file instead of the system''s')
            [CompletionResult]::new('--cert', '--cert', [CompletionResultType]::ParameterName, 'Client certificate, a PEM file, which may hold its key too')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Key of the client certificate, a PEM file')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Go by this proxy: host:port, http://…, https://…, socks5h://…')
            [CompletionResult]::new('--serve-jwks', '--serve-jwks', [CompletionResultType]::ParameterName, 'Serve the public half of the key pair that signs as a JWK set on 127.0.0.1, for as long as this runs')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--scheme', '--scheme', [CompletionResultType]::ParameterName, 'How deliveries are signed: a scheme''s name, or hmac-sha256:… for one of your own [default: auto]')
            [CompletionResult]::new('--signature-header', '--signature-header', [CompletionResultType]::ParameterName, 'Header with the signature, instead of the scheme''s own; without --scheme it is that of eachlabs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--shuffle', '--shuffle', [CompletionResultType]::ParameterName, 'Send in another order')
            [CompletionResult]::new('--drill', '--drill', [CompletionResultType]::ParameterName, 'Put the handler through the whole pack: good, repeated, forged, broken; exit code 4 if it fails a case')
            [CompletionResult]::new('--record-secrets', '--record-secrets', [CompletionResultType]::ParameterName, 'Do not redact header values that are secrets themselves')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the exact request, and what is signed of it, and send nothing')
            [CompletionResult]::new('--curl', '--curl', [CompletionResultType]::ParameterName, 'Show the curl command that sends the same bytes, and send nothing')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Take any certificate for good')
            [CompletionResult]::new('--insecure', '--insecure', [CompletionResultType]::ParameterName, 'Take any certificate for good')
            [CompletionResult]::new('--http1.1', '--http1.1', [CompletionResultType]::ParameterName, 'Accepted for the sake of curl''s users: HTTP/1.1 is what is always sent')
            [CompletionResult]::new('--no-follow', '--no-follow', [CompletionResultType]::ParameterName, 'Do not follow redirects, though the provider does')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print data as JSON Lines on standard output, people''s text on standard error')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print headers and whole bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print headers and whole bodies too')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'hookctl;inspect' {
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Header that came with the payload')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Header that came with the payload')
            [CompletionResult]::new('--signature', '--signature', [CompletionResultType]::ParameterName, 'Signature that came with the payload, in the header of --scheme')
            [CompletionResult]::new('--now', '--now', [CompletionResultType]::ParameterName, 'Clock to verify by: Unix seconds, or 2026-11-20T21:23:21Z')
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'Who sent it; auto reads it off the payload. Of a journal, only the deliveries from there')
            [CompletionResult]::new('--id', '--id', [CompletionResultType]::ParameterName, 'Only deliveries about this prediction, execution or track id')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Only deliveries with one of these statuses: succeeded,failed or the provider''s own words')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Only these events: completed,output,workflow.*')
            [CompletionResult]::new('--event', '--event', [CompletionResultType]::ParameterName, 'Only these events: completed,output,workflow.*')
            [CompletionResult]::new('--verdict', '--verdict', [CompletionResultType]::ParameterName, 'Only deliveries of whose signature this was said, or is said now with --secret: verified,authenticated, or a reason such as wrong_secret')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only deliveries since then: 10m (ago), 14:05 (today, or yesterday), 2026-11-20, ''2026-11-20 14:05'', 2026-11-20T21:23:21Z or 1790000000')
            [CompletionResult]::new('--search', '--search', [CompletionResultType]::ParameterName, 'Only deliveries with this text in the body, a header or the path, letter for letter; what the body''s JSON escapes is found as it reads')
            [CompletionResult]::new('--where', '--where', [CompletionResultType]::ParameterName, 'Only deliveries of which this jq filter is true; repeatable')
            [CompletionResult]::new('--last', '--last', [CompletionResultType]::ParameterName, 'Only the last N of those that are left')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Show a delivery whole: its number in the table, or an id for all that have it; with --export, hand it on')
            [CompletionResult]::new('--diff', '--diff', [CompletionResultType]::ParameterName, 'Show what changed from one delivery to another, field by field: numbers, or ids for the first that has it; one id twice for its first two')
            [CompletionResult]::new('--export', '--export', [CompletionResultType]::ParameterName, 'Print what is left for another program')
            [CompletionResult]::new('--html', '--html', [CompletionResultType]::ParameterName, 'Write what is left into one self-contained page: timeline, table, headers, bodies, verdicts')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Blank a field wherever deliveries are shown or handed on: headers.authorization, input.prompt, output.*; repeatable')
            [CompletionResult]::new('--jwks', '--jwks', [CompletionResultType]::ParameterName, 'Public keys that verify fal''s signatures: a JWK set in a file or at a URL')
            [CompletionResult]::new('--tolerance', '--tolerance', [CompletionResultType]::ParameterName, 'How far a signed time stamp may be off, instead of the scheme''s own tolerance')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--secret', '--secret', [CompletionResultType]::ParameterName, 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation')
            [CompletionResult]::new('--scheme', '--scheme', [CompletionResultType]::ParameterName, 'How deliveries are signed: a scheme''s name, or hmac-sha256:… for one of your own [default: auto]')
            [CompletionResult]::new('--signature-header', '--signature-header', [CompletionResultType]::ParameterName, 'Header with the signature, instead of the scheme''s own; without --scheme it is that of eachlabs')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Give the whole reasoning: what was signed, what each secret gives')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on reading as the journal grows, until Ctrl-C; a file that is begun anew is read from its beginning')
            [CompletionResult]::new('--timeline', '--timeline', [CompletionResultType]::ParameterName, 'Show each prediction: events, attempts, gaps to scale, repeats, and what is suspicious')
            [CompletionResult]::new('--stats', '--stats', [CompletionResultType]::ParameterName, 'Count by provider, status, signature, reason and answer; latencies, and deliveries over time')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print data as JSON Lines on standard output, people''s text on standard error')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print headers and whole bodies too')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print headers and whole bodies too')
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
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Fire signed payloads, with the provider''s own retries')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Read payloads and journals; say what is wrong with them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a man page: of hookctl, or of one of its commands')
            [CompletionResult]::new('signatures', 'signatures', [CompletionResultType]::ParameterValue, 'Why a signature does not hold, and how each scheme signs')
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
