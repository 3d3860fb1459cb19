//! Shell completions: the scripts, and the answers that a script asks the program for.

use std::env;
use std::ffi::OsString;

use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use crate::cli;
use crate::error::Error;

pub(crate) const NAME: &str = "hookctl";

/// The variable by which a completion script asks what completes.
const ASKED_BY: &str = "HOOKCTL_COMPLETE";

/// Answers a completion script on standard output if one is asking, and says whether it was.
pub(crate) fn answered(arguments: &[OsString]) -> bool {
    // Behind `--`, the program and its first word.
    let is_help = arguments.iter().skip_while(|word| *word != "--").nth(2).is_some_and(|word| word == "help");
    let command = || match is_help {
        true => with_signatures(cli::command()),
        false => cli::command(),
    };
    let completions = CompleteEnv::with_factory(command).var(ASKED_BY).bin(NAME).completer(NAME);
    // A variable that names no shell is not a script that calls, and must not keep the program from running.
    completions.try_complete(arguments, env::current_dir().ok().as_deref()).unwrap_or(false)
}

/// The same with the page about signatures among the commands.
pub(crate) fn with_signatures(command: clap::Command) -> clap::Command {
    command.mut_subcommand("signatures", |topic| topic.hide(false))
}

/// The script that a shell completes by.
///
/// bash, zsh and fish ask the program. PowerShell's way of doing so evaluates what was typed so far, and elvish's is no
/// better tried, so these two get a list of all flags.
pub(crate) fn script(shell: Shell) -> Result<Vec<u8>, Error> {
    let mut script = Vec::new();
    match shell {
        Shell::Bash | Shell::Zsh | Shell::Fish => {
            let shells = Shells::builtins();
            let asks = shells.completer(&shell.to_string());
            let written = asks.map(|shell| shell.write_registration(ASKED_BY, NAME, NAME, NAME, &mut script));
            written.transpose().map_err(|source| Error::Write { source })?;
            script = match shell {
                Shell::Zsh => called_at_once(&script),
                Shell::Bash => whole_words(&script),
                _ => script,
            };
        }
        shell => clap_complete::generate(shell, &mut cli::command(), NAME, &mut script),
    }
    Ok(script)
}

/// zsh loads a script from its path when something is to be completed for the first time, and runs it as the function that
/// completes. It must not only say what does from now on, but do it.
fn called_at_once(script: &[u8]) -> Vec<u8> {
    const SAYS: &str = "compdef _clap_dynamic_completer_hookctl hookctl";
    const DOES: &str = "if [[ $funcstack[1] == _hookctl ]]; then\n    _clap_dynamic_completer_hookctl \"$@\"\nfi";
    String::from_utf8_lossy(script).replace(SAYS, &format!("{SAYS}\n{DOES}")).into_bytes()
}

/// bash takes a word apart at every `=`, and puts what completes it behind the last one; the program is asked about whole
/// words.
fn whole_words(script: &[u8]) -> Vec<u8> {
    const AS_TAKEN: &str = r#"    local words=("${COMP_WORDS[@]}")
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
    let script = String::from_utf8_lossy(script).replace(INDEX, "").replace(AS_TAKEN, WHOLE);
    script.replace(FAILED, &format!("{FAILED}{CUT}")).into_bytes()
}
