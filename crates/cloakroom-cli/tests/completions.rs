//! What `cloakroom completions` prints, and what `--help` says.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, dead_code)]

mod support {
    pub mod process;
}

use std::process::Stdio;

use support::process::run_command;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const COMMANDS: [&str; 12] = [
    "stats",
    "list",
    "show",
    "revoke",
    "revoke-owner",
    "revoke-before",
    "demo",
    "doctor",
    "bench",
    "import",
    "acl",
    "completions",
];

/// Has a shell read a script from its standard input; answers its standard output.
async fn shell(program: &str, arguments: &[&str], script: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(script.as_bytes()).await.unwrap();
    drop(input);
    let left = child.wait_with_output().await.unwrap();
    let errors = String::from_utf8_lossy(&left.stderr);
    assert!(left.status.success() && errors.is_empty(), "{errors}");
    String::from_utf8(left.stdout).unwrap()
}

#[tokio::test]
async fn bash_accepts_its_script_and_completes_with_it() {
    let script = run_command(&["completions", "bash"]).await.output;
    shell("bash", &["-n"], &script).await;
    let tried = format!(
        "{script}\nCOMP_WORDS=(cloakroom doc) COMP_CWORD=1\n\
         _cloakroom cloakroom doc cloakroom\necho \"${{COMPREPLY[*]}}\"\n"
    );
    assert_eq!(shell("bash", &["--norc", "-s"], &tried).await.trim(), "doctor");
}

#[tokio::test]
async fn every_shell_has_a_script_with_every_command() {
    for name in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let left = run_command(&["completions", name]).await;
        assert_eq!((left.status.code(), left.errors.as_str()), (Some(0), ""), "{name}");
        for command in COMMANDS {
            assert!(left.output.contains(command), "{name}: {command}");
        }
    }
    assert_eq!(run_command(&["completions", "tcsh"]).await.status.code(), Some(2));
}

#[tokio::test]
async fn every_command_says_what_it_is_for_and_gives_examples() {
    let help = run_command(&["--help"]).await.output;
    for part in [
        "Look at sessions:",
        "End sessions:",
        "Look at an installation:",
        "Set one up:",
        "Try it out:",
        "Examples:",
    ] {
        assert!(help.contains(part), "{help}");
    }
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        let left = run_command(&[command, "--help"]).await;
        assert_eq!(left.status.code(), Some(0));
        assert!(left.output.contains(&format!("Examples:\n  cloakroom {command}")), "{command}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    let misspelt = run_command(&["docter"]).await;
    assert_eq!(misspelt.status.code(), Some(2));
    assert!(misspelt.errors.contains("doctor"), "{misspelt:?}");
}
