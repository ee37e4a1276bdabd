//! A real editor: Neovim without a screen, where it is installed.

use std::path::Path;
use std::process::Command;

use libtest_mimic::{Failed, Trial};

const CATALOG: &str = "collection: {}\n";

/// One test, whose name says so when there is nothing to test with.
pub(crate) fn tests() -> Vec<Trial> {
    let is_installed = Command::new("nvim").arg("--version").output().is_ok();
    if !is_installed {
        return vec![Trial::test("lsp::neovim IS NOT INSTALLED, so nothing was tested", || Ok(()))];
    }
    vec![Trial::test("lsp::neovim shows the diagnostics of a catalog", show)]
}

fn show() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let root = directory.path().canonicalize()?;
    std::fs::write(root.join("flow.yaml"), CATALOG)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lsp/neovim.lua");
    let output = Command::new("nvim")
        .args(["--headless", "--clean", "-c"])
        .arg(format!("luafile {}", script.display()))
        .env("ROOT", &root)
        .env("PROGRAM", env!("CARGO_BIN_EXE_tidegate"))
        .env("HOME", &root)
        .output()?;
    let shown = String::from_utf8_lossy(&output.stdout);
    if shown.contains("1:1 unknown-field") {
        return Ok(());
    }
    Err(format!("it shows\n{shown}{}", String::from_utf8_lossy(&output.stderr)).into())
}
