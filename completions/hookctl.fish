# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_hookctl_global_optspecs
    string join \n h/help V/version
end

function __fish_hookctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_hookctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_hookctl_using_subcommand
    set -l cmd (__fish_hookctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c hookctl -n "__fish_hookctl_needs_command" -s h -l help -d 'Print help'
complete -c hookctl -n "__fish_hookctl_needs_command" -s V -l version -d 'Print version'
complete -c hookctl -n "__fish_hookctl_needs_command" -f -a "listen" -d 'Receive webhooks, verify, print and answer them'
complete -c hookctl -n "__fish_hookctl_needs_command" -f -a "send" -d 'Fire signed payloads, with the provider\'s own retries'
complete -c hookctl -n "__fish_hookctl_needs_command" -f -a "inspect" -d 'Read payloads and recorded deliveries; say what is wrong with them'
complete -c hookctl -n "__fish_hookctl_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c hookctl -n "__fish_hookctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -s p -l port -d 'Port; 0 takes a free one' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l host -d 'Address to listen on' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l tls-cert -d 'Speak HTTPS with this certificate, a PEM file, which may hold its key too' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l tls-key -d 'Key of the certificate, a PEM file' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l tunnel -d 'Open a tunnel to the listener with this client, which must be installed' -r -f -a "ngrok\t''
localtunnel\t''
cloudflared\t''
bore\t''"
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l provider -d 'Who sends; auto reads it off each delivery' -r -f -a "auto\t''
eachlabs\t''
modelslab\t''
cog\t''
replicate\t''
openai\t''
fal\t''
bfl\t''
runpod\t''
huggingface\t''
assemblyai\t''
elevenlabs\t''
luma\t''
kie\t''
generic\t''"
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l record -d 'Append every delivery to a journal (JSON Lines), before it is answered' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l save-outputs -d 'Write the data URLs and base64 of outputs into files in this folder' -r -f -a "(__fish_complete_directories)"
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l max-body -d 'Answer 413 to a larger body' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l respond -d 'What to answer, in turn: 503x2,hang=35s,200 [default: 200]' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -s f -l forward-to -d 'Pass deliveries on to an app, and answer what it answers: 3000, localhost:3000/hook, http://…' -r -f
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l ack-budget -d 'Warn when an answer took longer than this, instead of the provider\'s own limit' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -s e -l events -d 'Show and count only these: completed,output,workflow.*; others are still answered and recorded' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l count -d 'End once N deliveries have been answered; with --until, once both have come true' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l until -d 'End at the first delivery with this status or event; terminal is the last of any prediction' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l timeout -d 'Stop after this time: exit code 3 if something that is waited for is missing' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l expect -d 'End with exit code 4 unless this jq filter is true of every counted delivery; repeatable' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l report -d 'Write what was expected and waited for as JUnit XML' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l jwks -d 'Public keys that verify fal\'s signatures: a JWK set in a file or at a URL' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l tolerance -d 'How far a signed time stamp may be off, instead of the scheme\'s own tolerance' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -s s -l secret -d 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l scheme -d 'How deliveries are signed [default: auto]' -r -f -a "auto\t''
standard-webhooks\t''
openai\t''
fal\t''
stripe\t''
slack\t''
elevenlabs\t''
eachlabs-timestamped\t''
github\t''
shopify\t''
bfl\t''
eachlabs\t''
kie\t''
bearer\t''
shared-secret\t''"
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l signature-header -d 'Header with the signature, instead of the scheme\'s own; without --scheme it is that of eachlabs' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l format -d 'Show each delivery as a block of lines, or as one line' -r -f -a "block\t'Everything that matters, a line each'
compact\t'One line'"
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l tls -d 'Speak HTTPS with a certificate made for this run'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l record-sync -d 'Answer only when the delivery is on the disk, so that it outlives a power cut too'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l record-secrets -d 'Do not redact header values that are secrets themselves'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l respond-each -d 'Start the script from its beginning for every distinct delivery (provider, id and event)'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l strict -d 'Take a warning about a counted delivery for a failed expectation: exit code 4'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l require-valid -d 'End with exit code 5 when a counted delivery did not verify'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l allow-invalid -d 'Answer as usual when a signature does not hold, instead of 401'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -l json -d 'Print data as JSON Lines on standard output, people\'s text on standard error'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -s q -l quiet -d 'Print results only'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -s v -l verbose -d 'Print headers and whole bodies too'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c hookctl -n "__fish_hookctl_using_subcommand listen" -s V -l version -d 'Print version'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l to -d 'Where to: 3000, :3000/hook, localhost:3000/hook, https://…' -r -f
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l set -d 'Change the body: input.prompt="a cat"; VALUE is JSON if it parses, else text' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l unset -d 'Remove a field from the body' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l id -d 'Give the prediction another id: a value, or `new` for a fresh one' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -s H -l header -d 'Add or replace a header' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -s e -l events -d 'Of a sequence, only these events (completed,output); of a Cog run, its webhook_events_filter' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l flavor -d 'Which of Cog\'s servers sends a run: coglet (cog 0.17 and later) or the Python one [default: coglet]' -r -f -a "coglet\t''
python\t''"
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l throttle -d 'The interval of Cog\'s throttle [default: the run\'s, else 500ms]' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l retry -d 'Retry as this provider, after these waits (30s,2m,10m), or not at all (none)' -r -f -a "eachlabs\t''
eachlabs-b\t''
modelslab\t''
modelslab-workflow\t''
cog\t''
cog-python\t''
replicate\t''
openai\t''
fal\t''
bfl\t''
runpod\t''
huggingface\t''
assemblyai\t''
elevenlabs\t''
luma\t''
kie\t''
standard-webhooks\t''
github\t''
stripe\t''
shopify\t''
none\t''"
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l speed -d 'Let simulated time pass N times faster [default: 100 for waits between retries, 1 for a sequence\'s gaps]' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l timeout -d 'Give up on an attempt after this time [default: as long as the provider waits, 30s where that is not known]' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l expect-status -d 'Answers that count as right: 2xx, 200,202, 4xx [default: 2xx]' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l duplicate -d 'Send each delivery N more times' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l seed -d 'Shuffle by this seed: the same one gives the same order' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l tamper -d 'Send what a good handler refuses; implies --expect-status 4xx' -r -f -a "body\t'a body changed after it was signed'
signature\t'a changed signature'
secret\t'a signature by another secret'
missing\t'no signature at all'
malformed\t'something else in the signature\'s place'
stale\t'a time stamp older than the scheme allows'
future\t'a time stamp further ahead than the scheme allows'"
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l report -d 'Write the drill\'s results as JUnit XML' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l count -d 'Send N deliveries, each with its own id and signature, and measure' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l concurrency -d 'Have N of them under way at the same time' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l rate -d 'Let N leave in a second, however slow the answers are; without, as fast as they come' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l record -d 'Append every attempt to a journal (JSON Lines)' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l cacert -d 'Trust the certificates in this PEM file instead of the system\'s' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l cert -d 'Client certificate, a PEM file, which may hold its key too' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l key -d 'Key of the client certificate, a PEM file' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l proxy -d 'Go by this proxy: host:port, http://…, https://…, socks5h://…' -r -f
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l serve-jwks -d 'Serve the public half of the key pair that signs as a JWK set on 127.0.0.1, for as long as this runs' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -s s -l secret -d 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l scheme -d 'How deliveries are signed [default: auto]' -r -f -a "auto\t''
standard-webhooks\t''
openai\t''
fal\t''
stripe\t''
slack\t''
elevenlabs\t''
eachlabs-timestamped\t''
github\t''
shopify\t''
bfl\t''
eachlabs\t''
kie\t''
bearer\t''
shared-secret\t''"
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l signature-header -d 'Header with the signature, instead of the scheme\'s own; without --scheme it is that of eachlabs' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l shuffle -d 'Send in another order'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l drill -d 'Put the handler through the whole pack: good, repeated, forged, broken; exit code 4 if it fails a case'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l record-secrets -d 'Do not redact header values that are secrets themselves'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l dry-run -d 'Show the exact request, and what is signed of it, and send nothing'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l curl -d 'Show the curl command that sends the same bytes, and send nothing'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -s k -l insecure -d 'Take any certificate for good'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l http1.1 -d 'Accepted for the sake of curl\'s users: HTTP/1.1 is what is always sent'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l no-follow -d 'Do not follow redirects, though the provider does'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -l json -d 'Print data as JSON Lines on standard output, people\'s text on standard error'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -s q -l quiet -d 'Print results only'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -s v -l verbose -d 'Print headers and whole bodies too'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c hookctl -n "__fish_hookctl_using_subcommand send" -s V -l version -d 'Print version'
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -s H -l header -d 'Header that came with the payload' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l signature -d 'Signature that came with the payload, in the header of --scheme' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l now -d 'Clock to verify by: Unix seconds, or 2026-11-20T21:23:21Z' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l provider -d 'Who sent it; auto reads it off the payload. Of a journal, only the deliveries from there' -r -f -a "auto\t''
eachlabs\t''
modelslab\t''
cog\t''
replicate\t''
openai\t''
fal\t''
bfl\t''
runpod\t''
huggingface\t''
assemblyai\t''
elevenlabs\t''
luma\t''
kie\t''
generic\t''"
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l id -d 'Only deliveries about this prediction, execution or track id' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l status -d 'Only deliveries with this status: one of hookctl\'s words or the provider\'s' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -s e -l event -d 'Only these events: completed,output,workflow.*' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l verdict -d 'Only deliveries of whose signature this was said, or is said now with --secret' -r -f -a "verified\t''
authenticated\t''
invalid\t''
unsigned\t''
unchecked\t''"
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l since -d 'Only deliveries since then: 10m (ago), 1790000000 or 2026-11-20T21:23:21Z' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l search -d 'Only deliveries with this text in the body, a header or the path, letter for letter' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l where -d 'Only deliveries of which this jq filter is true; repeatable' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l last -d 'Only the last N of those that are left' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l show -d 'Show one delivery whole: its number in the table, or an id' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l diff -d 'Show what changed from one delivery to another, field by field: numbers or ids' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l export -d 'Print what is left for another program' -r -f -a "curl\t'curl commands that send the same bytes'
har\t'An HTTP archive 1.2, which the developers\' tools of browsers open'
fixture\t'The body of the one that is left, which send takes'"
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l html -d 'Write what is left into one self-contained page: timeline, table, headers, bodies, verdicts' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l redact -d 'Blank a field wherever deliveries are shown or handed on: headers.authorization, input.prompt, output.*; repeatable' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l jwks -d 'Public keys that verify fal\'s signatures: a JWK set in a file or at a URL' -r -F
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l tolerance -d 'How far a signed time stamp may be off, instead of the scheme\'s own tolerance' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -s s -l secret -d 'Secret: VALUE itself, env:NAME, @FILE, or label=env:NAME; repeat for rotation' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l scheme -d 'How deliveries are signed [default: auto]' -r -f -a "auto\t''
standard-webhooks\t''
openai\t''
fal\t''
stripe\t''
slack\t''
elevenlabs\t''
eachlabs-timestamped\t''
github\t''
shopify\t''
bfl\t''
eachlabs\t''
kie\t''
bearer\t''
shared-secret\t''"
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l signature-header -d 'Header with the signature, instead of the scheme\'s own; without --scheme it is that of eachlabs' -r
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l color -d 'Colour the output' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l explain -d 'Give the whole reasoning: what was signed, what each secret gives'
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l follow -d 'Go on reading as the journal grows, until Ctrl-C; a file that is begun anew is read from its beginning'
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l timeline -d 'Show each prediction: events, attempts, gaps to scale, repeats, and what is suspicious'
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l stats -d 'Count by provider, status, signature and answer; latencies, and deliveries over time'
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -l json -d 'Print data as JSON Lines on standard output, people\'s text on standard error'
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -s q -l quiet -d 'Print results only'
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -s v -l verbose -d 'Print headers and whole bodies too'
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c hookctl -n "__fish_hookctl_using_subcommand inspect" -s V -l version -d 'Print version'
complete -c hookctl -n "__fish_hookctl_using_subcommand completions" -s h -l help -d 'Print help'
complete -c hookctl -n "__fish_hookctl_using_subcommand completions" -s V -l version -d 'Print version'
complete -c hookctl -n "__fish_hookctl_using_subcommand help; and not __fish_seen_subcommand_from listen send inspect completions help" -f -a "listen" -d 'Receive webhooks, verify, print and answer them'
complete -c hookctl -n "__fish_hookctl_using_subcommand help; and not __fish_seen_subcommand_from listen send inspect completions help" -f -a "send" -d 'Fire signed payloads, with the provider\'s own retries'
complete -c hookctl -n "__fish_hookctl_using_subcommand help; and not __fish_seen_subcommand_from listen send inspect completions help" -f -a "inspect" -d 'Read payloads and recorded deliveries; say what is wrong with them'
complete -c hookctl -n "__fish_hookctl_using_subcommand help; and not __fish_seen_subcommand_from listen send inspect completions help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c hookctl -n "__fish_hookctl_using_subcommand help; and not __fish_seen_subcommand_from listen send inspect completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
