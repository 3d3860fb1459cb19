"""Types a line into a real shell, presses TAB, and prints what the shell made of it.

Usage: shells.py bash|zsh|fish COMPLETIONS LINE...
For each LINE the line as completed, on a line of its own. Runs in the folder where files are to be completed.
"""

import os
import pathlib
import pty
import re
import select
import sys
import tempfile
import time

PATIENCE = 50


def start(shell, completions, home):
    """What makes the shell take up the script, as a packager installs it."""
    home = pathlib.Path(home)
    quiet = {"TERM": "dumb" if shell != "fish" else "xterm", "HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    if shell == "bash":
        (home / "rc").write_text(f"PS1='> '\nset -o emacs\nsource {completions}/hookctl.bash\n")
        return ["bash", "--noprofile", "--rcfile", str(home / "rc"), "-i"], quiet
    if shell == "zsh":
        (home / ".zshrc").write_text(
            f"PS1='> '\nsetopt no_beep\nbindkey -e\nfpath=({completions} $fpath)\nautoload -U compinit\ncompinit -u -D\n"
        )
        return ["zsh", "-i"], quiet
    folder = home / "fish" / "completions"
    folder.mkdir(parents=True)
    (folder / "hookctl.fish").write_bytes(pathlib.Path(completions, "hookctl.fish").read_bytes())
    (home / "fish" / "config.fish").write_text("function fish_prompt; echo '> '; end\nset -g fish_greeting\n")
    return ["fish", "-i"], quiet | {"XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}


class Terminal:
    def __init__(self, command, environment):
        self.seen = ""
        self.child, self.end = pty.fork()
        if self.child == 0:
            os.execvpe(command[0], command, environment)

    def type(self, text):
        os.write(self.end, text.encode())

    def wait(self, pattern):
        """Reads until the pattern comes, and gives what it found."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen)):
            if not select.select([self.end], [], [], max(0, deadline - time.monotonic()))[0]:
                sys.exit(f"no {pattern!r} in {self.seen!r}")
            self.seen += os.read(self.end, 65536).decode(errors="replace")
        self.seen = self.seen[found.end():]
        return found


shell, completions, *lines = sys.argv[1:]
with tempfile.TemporaryDirectory() as home:
    terminal = Terminal(*start(shell, pathlib.Path(completions).resolve(), home))
    terminal.wait("> ")
    for line in lines:
        # The line becomes an argument of echo once it is complete. In what is typed the word is not in one piece.
        terminal.type(f"{line}\t\x01echo 'COM''PLETED' \x05 ''.\r")
        print(terminal.wait(r"COMPLETED (.*?) +\.\s*\r?\n")[1], flush=True)
    terminal.type("exit\r")
    os.waitpid(terminal.child, 0)
