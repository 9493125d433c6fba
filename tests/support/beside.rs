//! Packages of their own that depend on this one, which a test writes and has cargo look at.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Writes the manifest of such a package: the features that it asks of this one, and what else it says. Answers with
/// its folder.
pub fn package(name: &str, features: &[&str], rest: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nsoquete = {{ path = {here:?}, features = {features:?} }}\n\n{rest}"
    );
    fs::create_dir_all(at.join("src")).unwrap();
    fs::write(at.join("Cargo.toml"), manifest).unwrap();
    // The versions that are here already: nothing is downloaded.
    fs::copy(here.join("Cargo.lock"), at.join("Cargo.lock")).unwrap();
    at
}

/// Cargo in that folder, with a target folder of its own.
pub fn cargo(at: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(at)
        .env("CARGO_TARGET_DIR", at.join("target"))
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("RUSTFLAGS");
    command
}
