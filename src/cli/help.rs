//! What a command tells of itself beside its flags: examples, lists, exit codes.

use super::{listen, send, topics, values};
use crate::error::Exit;

const BEGINNING: &str = "\
Try it, in two terminals:
  hookctl listen --secret s3cret                                receive, verify
  hookctl send success --secret s3cret --to 8080                a signed one
  hookctl send success --secret s3cret --to 8080 --tamper body  a forged one

Then with your own handler, and with what you have received:
  hookctl send --drill --secret env:KEY --to 3000/hook          how good is it?
  hookctl inspect body.json -s env:KEY -H 'X-Webhook-Signature: …'

Go on with: hookctl COMMAND -h, which reminds, or --help, which tells all, with
examples; hookctl help signatures, which says why one does not hold. Every long
flag can come from the environment: HOOKCTL_TO for --to.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  hookctl completions bash > ~/.local/share/bash-completion/completions/hookctl
  hookctl completions zsh > ~/.zfunc/_hookctl      with fpath+=~/.zfunc in .zshrc
  hookctl completions fish > ~/.config/fish/completions/hookctl.fish";

const INSPECT_EXAMPLES: &str = "\
Examples:
  hookctl inspect body.json                        what it is, what is wrong
  hookctl inspect body.json -s env:KEY -H 'X-Webhook-Signature: 9f86…'
  hookctl inspect hooks.jsonl --status failed --last 5
  hookctl inspect hooks.jsonl --where '.answer.ms > 100' --since 1h
  hookctl inspect hooks.jsonl --show 3             one recorded delivery, whole
  hookctl inspect hooks.jsonl --timeline           each prediction, and its gaps
  hookctl inspect hooks.jsonl --diff 3 5           what changed between two
  hookctl inspect hooks.jsonl --follow --event completed
  hookctl inspect hooks.jsonl --show 3 --json | jq -r .body
  hookctl inspect hooks.jsonl --id abc --export curl --redact input.prompt
  hookctl inspect hooks.jsonl --html report.html   a page to keep with a build";

const INSPECT_JSON: &str = "\
With --json, deliveries are records as in the journal, and views are objects of
their own, the first of them one a prediction:
  {\"type\":\"timeline\",\"provider\",\"id\",\"direction\",\"end\",\"from\",\"ms\",
   \"deliveries\":[{\"number\",\"at\",\"offset_ms\",\"event\",\"status\",\"raw_status\",
   \"signature\",\"attempt\",\"repeat\",\"answer\",\"warnings\"}],\"warnings\"}
  {\"type\":\"stats\",\"deliveries\",\"repeats\",\"from\",\"to\",\"providers\",\"statuses\",
   \"verdicts\",\"answers\",\"warnings\",\"latency_ms\":{\"count\",\"p50\",\"p90\",\"p99\",
   \"max\",\"histogram\"},\"over_time\":[{\"at\",\"seconds\",\"count\"}]}
  {\"type\":\"diff\",\"a\",\"b\",\"changes\":[{\"path\",\"change\",\"a\",\"b\",\"volatile\"}]}";

/// The command line with all its texts.
pub(crate) fn complete(command: clap::Command) -> clap::Command {
    let told = |command: clap::Command, examples: &str, long: String| {
        let short = format!("{}{}", further(&command), first(examples));
        command.after_help(short).after_long_help(long)
    };
    let command = command.after_help(BEGINNING);
    command.mut_subcommands(|command| match command.get_name() {
        "listen" => told(command, listen::EXAMPLES, listen::long_help()),
        "send" => told(command, send::EXAMPLES, send::long_help()),
        "inspect" => told(command, INSPECT_EXAMPLES, inspect_long_help()),
        "completions" => command.after_help(COMPLETIONS_EXAMPLES),
        "signatures" => command.long_about(topics::signatures()),
        _ => command,
    })
}

fn inspect_long_help() -> String {
    format!("{INSPECT_EXAMPLES}\n\n{INSPECT_JSON}\n\n{}\n\n{}", values::provider_list(), exit_codes())
}

/// How many examples remind of a command.
const REMINDERS: usize = 4;

/// The first of the examples, under their heading.
fn first(examples: &str) -> String {
    examples.lines().take(1 + REMINDERS).collect::<Vec<_>>().join("\n")
}

/// The list of exit codes.
pub(crate) fn exit_codes() -> String {
    let lines = Exit::MEANINGS.iter().map(|(code, meaning)| topics::entry(11, code, &meaning.replace('`', "")));
    format!("Exit codes:\n{}", lines.collect::<String>().trim_end())
}

/// The names of the flags that only the long help tells of.
fn further(command: &clap::Command) -> String {
    let further = command.get_arguments().filter(|arg| arg.is_hide_short_help_set());
    let names: Vec<_> = further.filter_map(|arg| arg.get_long()).map(|long| format!("--{long}")).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("Further, told by --help:\n{}\n", topics::entry(0, "", &names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli;

    #[test]
    fn every_command_helps_with_more_than_its_flags() {
        for command in cli::command().get_subcommands() {
            // What prints a page is told by that page.
            let speaks_for_itself = ["man", "signatures"].contains(&command.get_name());
            assert!(command.get_after_help().is_some() != speaks_for_itself, "{}", command.get_name());
        }
    }
}
