//! Reads secrets from the command line, the environment, a file, or a prompt.

use std::env::VarError;
use std::fs::File;
use std::io::Read;

use zeroize::Zeroizing;

use crate::error::Error;
use crate::signature::secret::{MAIN, SecretSource};
use crate::signature::{Secret, SecretSpec};

/// The variable of a secret without a value. `listen` sets it for its command.
pub(crate) const VARIABLE: &str = "HOOKCTL_SECRET";

/// The most bytes of a secret file; keys are far shorter. The buffer is allocated at once: a growing one would leave copies
/// in memory that are not zeroed.
const MAX_FILE: usize = 64 * 1024;

/// The value of [`VARIABLE`].
pub(crate) fn variable() -> Result<Option<String>, Error> {
    match std::env::var(VARIABLE) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Error::SecretVariable { name: VARIABLE.to_owned() }),
    }
}

/// Reads the secrets of the command line. `None` in `specs` is `--secret` without a value: the secret is read from [`VARIABLE`],
/// else from `ask`, which returns `None` without a terminal. Without `--secret`, the variable alone gives a secret.
pub(crate) fn read(
    specs: &[Option<SecretSpec>],
    variable: Option<String>,
    ask: impl Fn() -> Result<Option<Zeroizing<String>>, Error>,
) -> Result<Vec<Secret>, Error> {
    let variable = variable.filter(|value| !value.is_empty()).map(Zeroizing::new);
    let mut secrets = Vec::new();
    for spec in specs {
        let label = label(spec.as_ref(), secrets.len());
        let value = match spec {
            Some(spec) => value(&spec.place)?,
            None => match &variable {
                Some(value) => value.clone(),
                None => ask()?.ok_or(Error::NoSecret)?,
            },
        };
        if value.is_empty() {
            return Err(Error::EmptySecret { label });
        }
        secrets.push(Secret::new(label, value.as_bytes()));
    }
    if let (true, Some(value)) = (secrets.is_empty(), variable) {
        secrets.push(Secret::new(MAIN, value.as_bytes()));
    }
    Ok(secrets)
}

fn label(spec: Option<&SecretSpec>, before: usize) -> String {
    let own = spec.and_then(|spec| spec.label.clone());
    own.unwrap_or_else(|| if before == 0 { MAIN.to_owned() } else { format!("secret-{}", before + 1) })
}

fn value(place: &SecretSource) -> Result<Zeroizing<String>, Error> {
    match place {
        SecretSource::Literal(value) => Ok(value.clone()),
        SecretSource::Env(name) if name.is_empty() => {
            Err(Error::Usage("--secret env: needs the name of a variable, as in env:NAME".into()))
        }
        SecretSource::Env(name) => match std::env::var(name) {
            Ok(value) => Ok(Zeroizing::new(value)),
            Err(_) => Err(Error::SecretVariable { name: name.clone() }),
        },
        SecretSource::File(path) => {
            let failed = |source| Error::Read { what: format!("the secret file {}", path.display()), source };
            let mut text = Zeroizing::new(String::with_capacity(MAX_FILE + 1));
            let file = File::open(path).map_err(failed)?;
            Read::take(file, MAX_FILE as u64 + 1).read_to_string(&mut text).map_err(failed)?;
            if text.len() > MAX_FILE {
                return Err(Error::TooLarge {
                    what: format!("the secret file {}", path.display()),
                    limit: MAX_FILE as u64,
                });
            }
            if text.ends_with('\n') {
                text.pop();
                if text.ends_with('\r') {
                    text.pop();
                }
            }
            Ok(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read_all(specs: &[Option<&str>], variable: Option<&str>) -> Result<Vec<String>, Error> {
        let specs: Vec<_> = specs.iter().map(|spec| spec.map(SecretSpec::parse)).collect();
        let secrets = read(&specs, variable.map(str::to_owned), || Ok(None))?;
        let show = |s: &Secret| format!("{}:{}", s.label(), String::from_utf8_lossy(s.expose()));
        Ok(secrets.iter().map(show).collect())
    }

    #[test]
    fn a_secret_without_a_value_is_read_from_the_variable() {
        assert_eq!(read_all(&[None], Some("v")).unwrap(), ["main:v"]);
        assert_eq!(read_all(&[], Some("v")).unwrap(), ["main:v"]);
        assert_eq!(read_all(&[Some("x"), Some("y")], Some("v")).unwrap(), ["main:x", "secret-2:y"]);
        assert_eq!(read_all(&[], None).unwrap(), [""; 0]);
        assert!(matches!(read_all(&[None], None), Err(Error::NoSecret)));
        assert!(matches!(read_all(&[Some("")], None), Err(Error::EmptySecret { .. })));
    }

    #[test]
    fn one_trailing_newline_of_a_file_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        for (content, expected) in [("s\n", "main:s"), ("s\r\n", "main:s"), ("s\n\n", "main:s\n"), (" s", "main: s")] {
            fs::write(&path, content).unwrap();
            assert_eq!(read_all(&[Some(&format!("@{}", path.display()))], None).unwrap(), [expected]);
        }
        assert!(matches!(read_all(&[Some("@/nowhere/at/all")], None), Err(Error::Read { .. })));
    }
}
