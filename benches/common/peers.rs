//! Servers that stand beside the port: nginx, the floor, and one that gSOAP makes of the contract.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{Bench, Server, free_address};

/// What the server of gSOAP does for each request besides answering it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Nothing.
    None,
    /// Appends so many bytes and syncs them.
    Each(u64),
    /// The same; one sync serves the requests that wait for it.
    Groups(u64),
}

/// The content of the body of a SOAP envelope.
fn body(envelope: &str) -> Result<&str> {
    let (_, rest) = envelope.split_once("Body>").context("no body")?;
    let (body, _) = rest
        .rsplit_once("</")
        .and_then(|(rest, _)| rest.rsplit_once("</"))
        .context("no end")?;
    Ok(body)
}

impl Bench {
    /// Makes the server of gSOAP, and gives it its replies: the bodies of the port's own, read into classes.
    pub fn make_gsoap(&self, target: &Path, indicatore: &str, attestazione: &str) -> Result<PathBuf> {
        let made = target.join("gsoap");
        let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer/build");
        let done = Command::new(&build)
            .arg(&made)
            .status()
            .with_context(|| build.display().to_string())?;
        ensure!(done.success(), "{} failed", build.display());
        std::fs::write(self.home.path().join("indicatore.xml"), body(indicatore)?)?;
        std::fs::write(self.home.path().join("attestazione.xml"), body(attestazione)?)?;
        let pem = |name: &str| std::fs::read_to_string(self.home.path().join("pki").join(name));
        std::fs::write(
            self.home.path().join("peer.pem"),
            pem("server.pem")? + &pem("server.key")?,
        )?;
        Ok(made.join("server"))
    }

    /// The server of gSOAP.
    pub fn gsoap(&self, program: &Path, recording: Recording) -> Result<Server> {
        let address = free_address()?;
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let home = self.home.path();
        let file = home.join("record");
        let (mode, bytes) = match recording {
            Recording::None => ("plain", None),
            Recording::Each(bytes) => ("each", Some(bytes.to_string())),
            Recording::Groups(bytes) => ("groups", Some(bytes.to_string())),
        };
        let mut arguments = vec![Path::new(&host), Path::new(&port), home, Path::new(mode)];
        if let Some(bytes) = &bytes {
            arguments.extend([Path::new(bytes), &file]);
        }
        self.start(program, &arguments, address)
    }

    /// nginx, which gives `reply` to whatever is asked; `name` is its directory.
    pub fn nginx(&self, name: &str, reply: &str) -> Result<Server> {
        ensure!(
            reply.is_ascii() && !reply.contains(['\'', '$', '\\']),
            "a reply that nginx's configuration cannot hold"
        );
        let address = free_address()?;
        let prefix = self.home.path().join(name);
        std::fs::create_dir_all(&prefix)?;
        // A parameter of the configuration holds 4096 bytes at most.
        let (mut pieces, mut names) = (String::new(), String::new());
        for (index, piece) in reply.as_bytes().chunks(2048).enumerate() {
            writeln!(
                pieces,
                "            set $piece{index} '{}';",
                std::str::from_utf8(piece)?
            )?;
            write!(names, "${{piece{index}}}")?;
        }
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("    {kind}_temp_path {kind};\n"))
            .collect();
        let config = format!(
            "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr crit;\nevents {{ worker_connections 1024; }}\nhttp {{\n{temporary}    \
             access_log off;\n    keepalive_timeout 75s;\n    keepalive_requests 1000000000;\n    server {{\n        listen {address} ssl;\n        \
             ssl_certificate ../pki/server.pem;\n        ssl_certificate_key ../pki/server.key;\n        ssl_client_certificate ../pki/ca.pem;\n        \
             ssl_crl ../pki/crl.pem;\n        ssl_verify_client on;\n        ssl_protocols TLSv1.2 TLSv1.3;\n        ssl_session_cache off;\n        \
             ssl_session_tickets off;\n        location / {{\n            default_type 'text/xml; charset=utf-8';\n{pieces}            \
             return 200 \"{names}\";\n        }}\n    }}\n}}\n"
        );
        std::fs::write(prefix.join("nginx.conf"), config)?;
        let file = prefix.join("nginx.conf");
        self.start(
            &nginx_path(),
            &[
                Path::new("-e"),
                Path::new("stderr"),
                Path::new("-p"),
                &prefix,
                Path::new("-c"),
                &file,
            ],
            address,
        )
    }
}

fn nginx_path() -> PathBuf {
    // Debian keeps it where the PATH of a plain user does not look.
    let found = ["/usr/sbin/nginx", "/sbin/nginx", "/usr/local/sbin/nginx"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists());
    found.unwrap_or_else(|| PathBuf::from("nginx"))
}

pub fn nginx_version() -> String {
    let Ok(output) = Command::new(nginx_path()).arg("-V").output() else {
        return "no nginx".to_owned();
    };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let part = |start: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(start))
            .unwrap_or("?")
            .to_owned()
    };
    let library: Vec<String> = part("built with ")
        .split_whitespace()
        .take(2)
        .map(str::to_owned)
        .collect();
    format!("{}, {}", part("nginx version: "), library.join(" "))
}

pub fn gsoap_version() -> String {
    let asked = Command::new("pkg-config")
        .args(["--modversion", "gsoapssl++"])
        .output();
    asked.map_or_else(
        |_| "?".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
