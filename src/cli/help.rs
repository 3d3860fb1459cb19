//! The texts of a command beside its flags: examples, lists, exit codes.

use super::topics::{self, exit_codes};
use super::{listen, send, values};

const BEGINNING: &str = "\
Try it, in two terminals:
  hookctl listen --secret s3cret                                receive, verify
  hookctl send success --secret s3cret --to 8080                a signed one
  hookctl send success --secret s3cret --to 8080 --tamper body  a forged one

Then with your own handler, and with a delivery that you received:
  hookctl send --drill --secret env:KEY --to 3000/hook          test it
  hookctl inspect body.json -s env:KEY -H 'X-Webhook-Signature: …'

More help: hookctl COMMAND -h for a summary, --help for everything, with examples.
Why a signature does not verify: hookctl help signatures. Every long flag can come
from the environment: HOOKCTL_TO for --to.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  hookctl completions bash > ~/.local/share/bash-completion/completions/hookctl
  hookctl completions zsh > ~/.zfunc/_hookctl      with fpath+=~/.zfunc in .zshrc
  hookctl completions fish > ~/.config/fish/completions/hookctl.fish";

const INSPECT_EXAMPLES: &str = "\
Examples:
  hookctl inspect body.json                        fields and warnings
  hookctl inspect body.json -s env:KEY -H 'X-Webhook-Signature: 9f86…'
  hookctl inspect hooks.jsonl --status failed --last 5
  hookctl inspect hooks.jsonl --where '.answer.ms > 100' --since 1h
  hookctl inspect hooks.jsonl --show 3             one recorded delivery in full
  hookctl inspect hooks.jsonl --timeline           each prediction, with gaps
  hookctl inspect hooks.jsonl --diff 3 5           what changed between two
  hookctl inspect hooks.jsonl --follow --event completed
  hookctl inspect hooks.jsonl --show 3 --json | jq -r .body
  hookctl inspect hooks.jsonl --id abc --export curl --redact input.prompt
  hookctl inspect hooks.jsonl --html report.html   a page to keep with a build";

const INSPECT_JSON: &str = "\
With --json, deliveries are records as in the journal, and views are objects of
their own; there is one timeline per prediction:
  {\"type\":\"timeline\",\"provider\",\"id\",\"direction\",\"end\",\"from\",\"ms\",
   \"deliveries\":[{\"number\",\"at\",\"offset_ms\",\"event\",\"status\",\"raw_status\",
   \"signature\",\"attempt\",\"repeat\",\"answer\",\"warnings\"}],\"warnings\"}
  {\"type\":\"stats\",\"deliveries\",\"repeats\",\"from\",\"to\",\"providers\",\"statuses\",
   \"verdicts\",\"answers\",\"warnings\",\"latency_ms\":{\"count\",\"p50\",\"p90\",\"p99\",
   \"max\",\"histogram\"},\"over_time\":[{\"at\",\"seconds\",\"count\"}]}
  {\"type\":\"diff\",\"a\",\"b\",\"changes\":[{\"path\",\"change\",\"a\",\"b\",\"volatile\"}]}";

/// Adds the help texts to the commands.
pub(crate) fn complete(command: clap::Command) -> clap::Command {
    let with_texts = |command: clap::Command, examples: &str, long: String| {
        let short = format!("{}{}", long_only(&command), first(examples));
        command.after_help(short).after_long_help(long)
    };
    let command = command.after_help(BEGINNING);
    command.mut_subcommands(|command| match command.get_name() {
        "listen" => with_texts(command, listen::EXAMPLES, listen::long_help()),
        "send" => with_texts(command, send::EXAMPLES, send::long_help()),
        "inspect" => with_texts(command, INSPECT_EXAMPLES, inspect_long_help()),
        "completions" => command.after_help(COMPLETIONS_EXAMPLES),
        "signatures" => command.long_about(topics::signatures()),
        _ => command,
    })
}

fn inspect_long_help() -> String {
    format!("{INSPECT_EXAMPLES}\n\n{INSPECT_JSON}\n\n{}\n\n{}", values::provider_list(), exit_codes())
}

/// Examples in the short help.
const SHORT_EXAMPLES: usize = 4;

fn first(examples: &str) -> String {
    examples.lines().take(1 + SHORT_EXAMPLES).collect::<Vec<_>>().join("\n")
}

/// Names the flags that only the long help describes.
fn long_only(command: &clap::Command) -> String {
    let flags = command.get_arguments().filter(|arg| arg.is_hide_short_help_set());
    let names: Vec<_> = flags.filter_map(|arg| arg.get_long()).map(|long| format!("--{long}")).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("More flags, described by --help:\n{}\n", topics::entry(0, "", &names.join(", ")))
}

#[cfg(test)]
mod tests {
    use crate::cli;

    #[test]
    fn every_command_has_examples() {
        for command in cli::command().get_subcommands() {
            // Commands that print a page need no example.
            let prints_a_page = ["man", "signatures"].contains(&command.get_name());
            assert!(command.get_after_help().is_some() != prints_a_page, "{}", command.get_name());
        }
    }
}
