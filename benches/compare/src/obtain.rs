//! Builds, installs or finds every peer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::machine::output_of;
use crate::peers::{LeftOut, Peer};

/// The newest Node of the line that the figures are meant for.
const NODE: &str = "26";

/// What all peers are looked for with.
pub struct Workshop {
    /// The package's own directory.
    home: PathBuf,
    /// Where built and installed peers are kept from one run to the next.
    cache: PathBuf,
    /// Where cargo puts the Rust programs.
    binaries: PathBuf,
    /// Why the library's own peer is missing, if it is.
    ours_missing: Option<String>,
}

type Found = Result<Peer, String>;

impl Workshop {
    /// Builds the Rust programs, of which the load generator must not be missing.
    pub fn open() -> Result<Self, String> {
        let home = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let binaries = Self::binaries()?;
        let target = binaries.parent().ok_or("no target directory")?.to_owned();
        let cache = target.join("peers");
        fs::create_dir_all(&cache).map_err(|error| error.to_string())?;
        let others = [
            "load",
            "peer_hyper",
            "peer_mio",
            "peer_tokio",
            "peer_tungstenite",
        ];
        let others = others.map(|program| ["--bin", program]);
        cargo_build(&home, &target, others.as_flattened())?;
        let ours = ["--bin", "peer_soquete", "--features", "ours"];
        let ours_missing = cargo_build(&home, &target, &ours).err();
        Ok(Self {
            home,
            cache,
            binaries,
            ours_missing,
        })
    }

    /// Where cargo has put this program, and puts the others.
    pub fn binaries() -> Result<PathBuf, String> {
        let executable = std::env::current_exe().map_err(|error| error.to_string())?;
        executable
            .parent()
            .map(Path::to_owned)
            .ok_or_else(|| "no directory of its own".to_owned())
    }

    /// Finds one peer, building or installing it where that is needed.
    pub fn obtain(&self, id: &'static str) -> Result<Peer, LeftOut> {
        match id {
            "ours" => self.ours(id, "soquete"),
            "ours-reuse-port" => self.ours(id, "soquete, two loops, reuse_port"),
            "ours-hand-over" => self.ours(id, "soquete, two loops, hand-over"),
            "ours-framing" => self.ours(id, "soquete, framing layer"),
            "epoll" => self.epoll(id, "epoll, C"),
            "epoll-coalescing" => self.epoll(id, "epoll, C, coalescing by hand"),
            "mio" => Ok(self.rust(id, "peer_mio", "mio", "mio")),
            "tokio" => Ok(self.rust(id, "peer_tokio", "tokio", "tokio, current thread")),
            "tokio-buffered" => Ok(self.rust(id, "peer_tokio", "tokio", "tokio, BufWriter")),
            "tokio-framed" => Ok(self.rust(id, "peer_tokio", "tokio-util", "tokio, Framed")),
            "tokio-threads" => Ok(self.rust(id, "peer_tokio", "tokio", "tokio, two threads")),
            "hyper" => Ok(self.rust(id, "peer_hyper", "hyper", "hyper")),
            "hyper-flush" => Ok(self.rust(id, "peer_hyper", "hyper", "hyper, pipeline_flush")),
            "tungstenite" => {
                Ok(self.rust(id, "peer_tungstenite", "tungstenite", "tungstenite on mio"))
            }
            "libuv" => self.libuv(id),
            "node" => self.newest_node(id, "Node", "node.mjs"),
            "node-cork" => self.newest_node(id, "Node, corked by hand,", "node.mjs"),
            "node-ws" => self.node_ws(id),
            "node-cluster" => self.newest_node(id, "Node, cluster,", "cluster.mjs"),
            "node-reuse-port" => self.newest_node(id, "Node, reusePort,", "cluster.mjs"),
            "node-installed" => self.script(id, "Node", PathBuf::from("node"), &[], "node.mjs"),
            "bun" => self.bun(id, "Bun", "node.mjs"),
            "bun-listen" => self.bun(id, "Bun.listen,", "bun.mjs"),
            "bun-serve" => self.bun(id, "Bun.serve,", "bun-serve.mjs"),
            "bun-reuse-port" => self.bun(id, "Bun, reusePort,", "cluster.mjs"),
            "deno" => self.deno(id, "Deno", "node.mjs"),
            "deno-listen" => self.deno(id, "Deno.listen,", "deno.mjs"),
            "deno-serve" => self.deno(id, "Deno.serve,", "deno-serve.mjs"),
            _ => Err("no such peer".to_owned()),
        }
        .map_err(|reason| LeftOut { id, reason })
    }

    fn ours(&self, id: &'static str, label: &str) -> Found {
        match &self.ours_missing {
            Some(reason) => Err(reason.clone()),
            None => Ok(self.rust(id, "peer_soquete", "soquete", label)),
        }
    }

    fn rust(&self, id: &'static str, program: &str, package: &str, label: &str) -> Peer {
        Peer {
            id,
            label: label.to_owned(),
            version: self.locked_version(package),
            command: vec![self.binaries.join(program).display().to_string()],
            native: true,
        }
    }

    fn epoll(&self, id: &'static str, label: &str) -> Found {
        let program = self.compile("epoll", &[])?;
        Ok(Peer {
            id,
            label: label.to_owned(),
            version: output_of("cc", &["--version"]).unwrap_or_default(),
            command: vec![program.display().to_string()],
            native: true,
        })
    }

    fn libuv(&self, id: &'static str) -> Found {
        let flags = output_of("pkg-config", &["--cflags", "--libs", "libuv"])
            .unwrap_or_else(|| "-luv".to_owned());
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let program = self
            .compile("libuv", &flags)
            .map_err(|reason| format!("{reason} (Debian has its headers in libuv1-dev)"))?;
        let program = program.display().to_string();
        Ok(Peer {
            id,
            label: "libuv, C".to_owned(),
            version: output_of(&program, &["version"]).unwrap_or_default(),
            command: vec![program],
            native: true,
        })
    }

    fn newest_node(&self, id: &'static str, label: &str, script: &str) -> Found {
        let package = format!("node-linux-{}", npm_architecture()?);
        let program = self.npm(&package, NODE, "bin/node")?;
        self.script(id, label, program, &[], script)
    }

    /// With the native code that ws takes the masks off by if it is there.
    fn node_ws(&self, id: &'static str) -> Found {
        let packages = ["ws@8".to_owned(), "bufferutil@4".to_owned()];
        let ws = self.npm_packages("ws", &packages, "package.json")?;
        let manifest = fs::read_to_string(&ws).unwrap_or_default();
        let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
        let mut peer = self.newest_node(id, "Node, ws,", "ws.mjs")?;
        let version = manifest["version"].as_str().unwrap_or_default();
        peer.version = format!("{}, ws {version}", peer.version);
        peer.command
            .push(ws.with_file_name("").display().to_string());
        Ok(peer)
    }

    fn bun(&self, id: &'static str, label: &str, script: &str) -> Found {
        let architecture = npm_architecture()?.replace("arm64", "aarch64");
        let program = self.npm(
            &format!("@oven/bun-linux-{architecture}"),
            "latest",
            "bin/bun",
        )?;
        self.script(id, label, program, &["run"], script)
    }

    fn deno(&self, id: &'static str, label: &str, script: &str) -> Found {
        let package = format!("@deno/linux-{}-glibc", npm_architecture()?);
        let program = self.npm(&package, "latest", "deno")?;
        self.script(
            id,
            label,
            program,
            &["run", "--allow-all", "--quiet"],
            script,
        )
    }

    fn script(
        &self,
        id: &'static str,
        label: &str,
        program: PathBuf,
        run: &[&str],
        script: &str,
    ) -> Found {
        let program = program.display().to_string();
        let version = output_of(&program, &["--version"]).ok_or("it is not there")?;
        let version = bare(&version);
        let script = self.home.join("peers").join(script).display().to_string();
        let mut command = vec![program];
        command.extend(run.iter().map(|&word| word.to_owned()));
        command.push(script);
        Ok(Peer {
            id,
            label: format!("{label} {version}"),
            version,
            command,
            native: false,
        })
    }

    fn compile(&self, name: &str, flags: &[&str]) -> Result<PathBuf, String> {
        let source = self.home.join(format!("peers/{name}.c"));
        let program = self.cache.join(name);
        let mut command = Command::new("cc");
        command
            .arg("-O2")
            .arg("-o")
            .arg(&program)
            .arg(source)
            .args(flags);
        succeed(&mut command).map(|()| program)
    }

    /// A program shipped inside a registry package; one that an earlier run brought is kept.
    fn npm(&self, package: &str, version: &str, inside: &str) -> Result<PathBuf, String> {
        self.npm_packages(package, &[format!("{package}@{version}")], inside)
    }

    /// The same, of a package that others go with.
    fn npm_packages(
        &self,
        package: &str,
        packages: &[String],
        inside: &str,
    ) -> Result<PathBuf, String> {
        let prefix = self.cache.join(package.replace('/', "+"));
        let program = prefix.join("node_modules").join(package).join(inside);
        if !program.exists() {
            let mut command = Command::new("npm");
            command
                .args([
                    "install",
                    "--no-audit",
                    "--no-fund",
                    "--ignore-scripts",
                    "--prefix",
                ])
                .arg(&prefix)
                .args(packages);
            succeed(&mut command)?;
        }
        Ok(program)
    }

    fn locked_version(&self, package: &str) -> String {
        let lock = fs::read_to_string(self.home.join("Cargo.lock")).unwrap_or_default();
        let name = format!("name = \"{package}\"\nversion = \"");
        let version = lock
            .split_once(&name)
            .and_then(|(_, rest)| rest.split('"').next());
        version.unwrap_or("unknown").to_owned()
    }
}

/// Builds programs of this package, with cargo's own progress on the terminal.
fn cargo_build(home: &Path, target: &Path, what: &[&str]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--manifest-path"])
        .arg(home.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .args(what)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| error.to_string())?;
    match status.success() {
        true => Ok(()),
        false => Err("it does not build".to_owned()),
    }
}

/// Runs a command, and answers with its last words if it fails.
fn succeed(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words
        .lines()
        .rfind(|line| line.contains("error"))
        .unwrap_or("it failed");
    Err(format!("{name}: {}", last.trim()))
}

fn npm_architecture() -> Result<String, String> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("x64".to_owned()),
        "aarch64" => Ok("arm64".to_owned()),
        other => Err(format!("not published for {other}")),
    }
}

/// `v26.1.0` and `deno 2.9.6 (stable)` as the number alone.
fn bare(version: &str) -> String {
    let number = version
        .split_whitespace()
        .find(|word| word.contains('.'))
        .unwrap_or(version);
    number.trim_start_matches('v').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_reported_as_the_number_alone() {
        assert_eq!(bare("v26.10.0"), "26.10.0");
        assert_eq!(bare("deno 2.9.6 (stable, release)"), "2.9.6");
        assert_eq!(bare("1.4.5"), "1.4.5");
    }
}
