//! A folder of files: paths that stay in it, what they are, and whether they have changed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A folder.
pub struct Files {
    root: PathBuf,
}

/// What a path leads to.
pub enum Found {
    File(PathBuf),
    /// A folder, whose path is to end with a slash.
    Folder,
    Nothing,
}

impl Files {
    /// The files of `folder`, wherever it really is.
    pub fn in_folder(folder: PathBuf) -> soquete::Result<Files> {
        let root = folder.canonicalize();
        let root = root.map_err(|error| soquete::Error::new("ENOENT", error.to_string()))?;
        Ok(Files { root })
    }

    /// What a request's path leads to. Whatever it says, and wherever links lead, it is in the folder.
    pub fn find(&self, path: &str) -> Found {
        self.try_find(path).unwrap_or(Found::Nothing)
    }

    fn try_find(&self, path: &str) -> Option<Found> {
        let decoded = decode(path)?;
        let inner = decoded.strip_prefix('/')?;
        // A browser takes `//a` for a host, and would be sent there for its slash.
        if inner.starts_with('/') || inner.contains("//") {
            return None;
        }
        let mut found = self.root.clone();
        for part in inner.split('/') {
            // Neither up, nor hidden, nor what another system takes for a separator.
            if part.starts_with('.') || part.contains(['\\', '\0']) {
                return None;
            }
            found.push(part);
        }
        let is_folder = found.is_dir();
        if is_folder && !decoded.ends_with('/') {
            return Some(Found::Folder);
        }
        if is_folder {
            found.push("index.html");
        }
        let found = found.canonicalize().ok()?;
        let is_inside = found.starts_with(&self.root);
        (is_inside && found.is_file()).then_some(Found::File(found))
    }

    /// How long a file is, and a tag that changes with it.
    pub fn tag(file: &File) -> io::Result<(u64, String)> {
        let about = file.metadata()?;
        let changed = about.modified()?.duration_since(UNIX_EPOCH);
        let changed = changed.unwrap_or_default().as_nanos();
        Ok((about.len(), format!("\"{:x}-{changed:x}\"", about.len())))
    }

    /// Whether the client has the file already: `If-None-Match` is a list of tags.
    pub fn has_tag(list: &[u8], tag: &str) -> bool {
        let mut tags = list.split(|byte| *byte == b',');
        tags.any(|one| {
            let one = one.trim_ascii();
            one == b"*" || one.strip_prefix(b"W/").unwrap_or(one) == tag.as_bytes()
        })
    }

    /// The type that goes with a file's name.
    pub fn kind(path: &Path) -> &'static str {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js" | "mjs") => "text/javascript; charset=utf-8",
            Some("json") => "application/json",
            Some("txt" | "md" | "rs" | "toml") => "text/plain; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("png") => "image/png",
            Some("jpg" | "jpeg") => "image/jpeg",
            Some("webp") => "image/webp",
            Some("wasm") => "application/wasm",
            Some("pdf") => "application/pdf",
            _ => "application/octet-stream",
        }
    }
}

/// A path without its percent signs; `None` if it is not UTF-8, or if there are not two digits behind one of them.
fn decode(path: &str) -> Option<String> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}
