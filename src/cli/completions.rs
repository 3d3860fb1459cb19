//! Shell completions: the scripts, and the candidates that a script asks the program for.

use std::env;
use std::ffi::OsString;

use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use super::parser;
use crate::error::Error;

pub(crate) const NAME: &str = "hookctl";

/// Set by a completion script that asks for candidates.
const COMPLETE_VARIABLE: &str = "HOOKCTL_COMPLETE";

/// Prints the candidates if a completion script runs the program; `true` if so.
pub(crate) fn complete(arguments: &[OsString]) -> bool {
    // The words after `--` are the program and its arguments so far.
    let is_help = arguments.iter().skip_while(|word| *word != "--").nth(2).is_some_and(|word| word == "help");
    let command = || if is_help { with_signatures(parser::command()) } else { parser::command() };
    let completions = CompleteEnv::with_factory(command).var(COMPLETE_VARIABLE).bin(NAME).completer(NAME);
    // A variable with another value than a shell is not set by a script, and must not keep the program from running.
    completions.try_complete(arguments, env::current_dir().ok().as_deref()).unwrap_or(false)
}

/// Lists the page about signatures among the commands.
pub(crate) fn with_signatures(command: clap::Command) -> clap::Command {
    command.mut_subcommand("signatures", |topic| topic.hide(false))
}

/// The completion script for a shell.
///
/// The scripts for bash, zsh and fish ask the program for candidates. The script of clap_complete for PowerShell would
/// evaluate the text typed so far, and the script for elvish is untested, so these two get a list of all flags.
pub(crate) fn script(shell: Shell) -> Result<Vec<u8>, Error> {
    let mut script = Vec::new();
    match shell {
        Shell::Bash | Shell::Zsh | Shell::Fish => {
            let shells = Shells::builtins();
            let completer = shells.completer(&shell.to_string());
            let written =
                completer.map(|shell| shell.write_registration(COMPLETE_VARIABLE, NAME, NAME, NAME, &mut script));
            written.transpose().map_err(|source| Error::Write { source })?;
            script = match shell {
                Shell::Zsh => completing_at_once(&script),
                Shell::Bash => whole_words(&script),
                _ => script,
            };
        }
        shell => clap_complete::generate(shell, &mut parser::command(), NAME, &mut script),
    }
    Ok(script)
}

/// zsh loads the script at the first completion and runs it as the completion function. The generated script only registers
/// a function, so the first completion would be empty: this one calls the function too.
fn completing_at_once(script: &[u8]) -> Vec<u8> {
    const REGISTRATION: &str = "compdef _clap_dynamic_completer_hookctl hookctl";
    const CALL: &str = "if [[ $funcstack[1] == _hookctl ]]; then\n    _clap_dynamic_completer_hookctl \"$@\"\nfi";
    String::from_utf8_lossy(script).replace(REGISTRATION, &format!("{REGISTRATION}\n{CALL}")).into_bytes()
}

/// bash splits a word at every `=` and inserts a candidate after the last one. The script joins the parts before it asks
/// the program, and cuts the candidates.
fn whole_words(script: &[u8]) -> Vec<u8> {
    const SPLIT: &str = r#"    local words=("${COMP_WORDS[@]}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        words[COMP_CWORD]="$2"
    fi
"#;
    const WHOLE: &str = r#"    local words=() at last=0 word
    for at in "${!COMP_WORDS[@]}"; do
        word="${COMP_WORDS[at]}"
        if [[ $at -eq $COMP_CWORD && "$word" != "=" ]] && [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
            word="$2"
        fi
        if [[ $at -gt 1 && ( "${COMP_WORDS[at]}" == "=" || "${COMP_WORDS[at-1]}" == "=" ) ]]; then
            words[last]+="$word"
        else
            last=$at
            words[last]="$word"
        fi
        if [[ $at -eq $COMP_CWORD ]]; then
            break
        fi
    done
    words=("${words[@]}")
    local _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1))
    local kept="${words[_CLAP_COMPLETE_INDEX]%"$2"}"
"#;
    const INDEX: &str = "    local _CLAP_COMPLETE_INDEX=${COMP_CWORD}\n";
    const FAILED: &str = "    if [[ $? != 0 ]]; then\n        unset COMPREPLY\n";
    const CUT: &str = "    elif [[ \"$kept\" == *= ]]; then\n        COMPREPLY=(\"${COMPREPLY[@]#\"$kept\"}\")\n";
    let script = String::from_utf8_lossy(script).replace(INDEX, "").replace(SPLIT, WHOLE);
    script.replace(FAILED, &format!("{FAILED}{CUT}")).into_bytes()
}
