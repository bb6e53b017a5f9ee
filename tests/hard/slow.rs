//! Two thousand connections that are slow on purpose, and one client that is not: how long that one waits for
//! its answers is measured before each attack and during it. slowhttptest presents no certificate, so it is
//! used twice: straight at the port, where it gets no further than the handshake, and through a relay that
//! presents certificates for it. What it cannot do (silence before the handshake, every connection slow at
//! the same step behind its own certificate) clients of our own do; those must also lose their places in the
//! end.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kit::good::{measure, transmit};
use kit::{DSU, ISEE, Serving, Site};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use varco::commands::client::Client;
use varco::registry::ente::Tipo;

/// Slow connections of each attack.
const SLOW: usize = 2000;
/// New ones each second.
const RATE: usize = 400;
/// Accredited enti whose certificates the slow ones present: each has fewer connections than one certificate,
/// or one ente's requests, may have.
const SLOW_ENTI: usize = 8;
/// Seconds of handshake, head, body and reply, so that the end of all of them can be waited for.
const LIMIT: u64 = 10;
/// How long the good client is measured: undisturbed, and from the beginning of an attack until after its
/// last connection.
const WINDOWS: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(9));

fn slow_name(index: usize) -> String {
    format!("lento{}", index % SLOW_ENTI)
}

fn prepare() -> (Site, Serving) {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
    assert!(
        limit.maximum.is_none_or(|maximum| maximum as usize > 3 * SLOW),
        "too few descriptors for this test: {limit:?}"
    );
    let site = Site::new();
    site.configure(&format!(
        "[limits]\nhandshake_seconds = {LIMIT}\nhead_seconds = {LIMIT}\nbody_seconds = {LIMIT}\nreply_seconds = {LIMIT}\n"
    ));
    let serving = site.serve();
    for index in 0..SLOW_ENTI {
        site.enrol(&slow_name(index), Tipo::Altro, "ConsultazioneIndicatore");
    }
    (site, serving)
}

/// How many sockets the port has open.
fn sockets(serving: &Serving) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", serving.child.id())).unwrap();
    open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|link| link.to_string_lossy().starts_with("socket:"))
        .count()
}

/// How a connection of ours is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slow {
    Handshake,
    Head,
    Body,
    Reply,
}

/// One slow connection, until the port ends it.
async fn be_slow(client: Client, address: SocketAddr, how: Slow, much: bool, open: Arc<AtomicUsize>) {
    let pause = || tokio::time::sleep(Duration::from_secs(1));
    if how == Slow::Handshake {
        let mut stream = TcpStream::connect(address).await.unwrap();
        open.fetch_add(1, Ordering::Relaxed);
        let _ = stream.read(&mut [0; 16]).await;
        return;
    }
    let socket = TcpSocket::new_v4().unwrap();
    if how == Slow::Reply {
        socket.set_recv_buffer_size(4096).unwrap();
    }
    let socket = socket.connect(address).await.unwrap();
    let Ok(mut stream) = client.connect_over(socket).await else {
        return;
    };
    open.fetch_add(1, Ordering::Relaxed);
    let head = format!("POST {ISEE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n");
    let begin = match how {
        Slow::Body => format!("{head}Content-Length: 100000\r\n\r\n<a>"),
        // One in ten asks for more than the port and the kernels hold between them, so that the port itself
        // must wait.
        Slow::Reply => format!("GET {DSU}?xsd=ISEE_Dichiarazione.xsd HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .repeat(if much { 16 } else { 1 }),
        _ => head,
    };
    if stream.write_all(begin.as_bytes()).await.is_err() {
        return;
    }
    let (mut input, mut output) = tokio::io::split(stream);
    if how == Slow::Reply {
        while input.read(&mut [0]).await.is_ok_and(|count| count > 0) {
            pause().await;
        }
        return;
    }
    let speak = async {
        let piece = if how == Slow::Body { "a" } else { "X-A: a\r\n" };
        while output.write_all(piece.as_bytes()).await.is_ok() && output.flush().await.is_ok() {
            pause().await;
        }
    };
    // Whatever the port says, it is listened to until it hangs up.
    let listen = async { while input.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {} };
    tokio::select! { () = speak => {}, () = listen => {} }
}

#[test]
fn slow_clients_of_our_own_delay_nobody_and_lose_their_places() {
    let (site, serving) = prepare();
    let clients: Vec<Client> = (0..SLOW_ENTI)
        .map(|index| site.client(serving.address, &slow_name(index)))
        .collect();
    kit::runtime().block_on(async {
        transmit(&site, &serving).await;
        for how in [Slow::Handshake, Slow::Head, Slow::Body, Slow::Reply] {
            let attack = async || {
                let (open, clients, address) =
                    (Arc::new(AtomicUsize::new(0)), clients.clone(), serving.address);
                let counted = open.clone();
                let all = tokio::spawn(async move {
                    let mut slow = JoinSet::new();
                    for index in 0..SLOW {
                        let client = clients[index % SLOW_ENTI].clone();
                        slow.spawn(be_slow(client, address, how, index % 10 == 0, counted.clone()));
                        if index % (RATE / 20) == 0 {
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                    }
                    slow.join_all().await;
                });
                (open, all)
            };
            let end = async |(open, all): (Arc<AtomicUsize>, tokio::task::JoinHandle<()>)| {
                let (open, held) = (open.load(Ordering::Relaxed), sockets(&serving));
                assert!(
                    open.min(held) >= SLOW * 95 / 100,
                    "{how:?}: {open} connections made, {held} held"
                );
                // Asked of the port: a slow reader does not notice soon.
                let begun = Instant::now();
                while sockets(&serving) > SLOW / 100 {
                    assert!(
                        begun.elapsed() < Duration::from_secs(LIMIT + 10),
                        "{how:?}: {} places kept",
                        sockets(&serving)
                    );
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                all.abort();
                let _ = all.await;
            };
            measure(&format!("{how:?}"), &site, &serving, WINDOWS, attack, end).await;
        }
    });
    serving.stop();
}

/// A relay that presents a slow ente's certificate for whoever connects; where it listens.
async fn relay(clients: Vec<Client>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for client in clients.iter().cycle() {
            let (mut socket, _) = listener.accept().await.unwrap();
            let client = client.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = client.connect_raw().await {
                    let _ =
                        tokio::io::copy_bidirectional_with_sizes(&mut socket, &mut stream, 1024, 1024).await;
                }
            });
        }
    });
    address
}

#[test]
fn slowhttptest_delays_nobody() {
    let (site, serving) = prepare();
    let clients: Vec<Client> = (0..SLOW_ENTI)
        .map(|index| site.client(serving.address, &slow_name(index)))
        .collect();
    kit::runtime().block_on(async {
        transmit(&site, &serving).await;
        let relay = relay(clients).await;
        let straight = format!("https://{}{ISEE}", serving.address);
        let through = format!("http://{relay}{ISEE}");
        let wsdl = format!("{through}?wsdl");
        for (name, url, options) in [
            ("-H, no certificate", &straight, &["-H"][..]),
            ("-H", &through, &["-H", "-t", "POST"]),
            ("-B", &through, &["-B", "-s", "100000", "-f", "text/xml"]),
            (
                "-X",
                &wsdl,
                &["-X", "-w", "1", "-y", "64", "-n", "2", "-z", "8", "-k", "5"],
            ),
        ] {
            let attack = async || {
                let seconds = WINDOWS.1.as_secs().to_string();
                let mut command = Command::new("slowhttptest");
                command.args(options).args([
                    "-u",
                    url,
                    "-c",
                    &SLOW.to_string(),
                    "-r",
                    &RATE.to_string(),
                    "-i",
                    "1",
                    "-l",
                    &seconds,
                    "-p",
                    "5",
                ]);
                command
                    .current_dir(site.home.path())
                    .stdin(Stdio::null())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped());
                let child = command
                    .spawn()
                    .unwrap_or_else(|error| panic!("slowhttptest: {error}: run tests/install full"));
                // In a tuple, since it is not to be awaited yet.
                (tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()),)
            };
            let end = async |(under_way,): (tokio::task::JoinHandle<std::process::Output>,)| {
                let output = tokio::time::timeout(Duration::from_secs(60), under_way)
                    .await
                    .unwrap()
                    .unwrap();
                let text = String::from_utf8_lossy(&output.stdout).into_owned()
                    + &String::from_utf8_lossy(&output.stderr);
                let last = |label: &str| {
                    let line = text
                        .rsplit(label)
                        .next()
                        .unwrap_or_default()
                        .lines()
                        .next()
                        .unwrap_or_default();
                    // Colours, as many as there are.
                    let plain: String = line
                        .split('\x1b')
                        .map(|piece| piece.split_once('m').map_or(piece, |(_, rest)| rest))
                        .collect();
                    plain.trim().to_owned()
                };
                let connected: usize = last("connected:")
                    .parse()
                    .unwrap_or_else(|_| panic!("{name}: {text}"));
                if url == &straight {
                    // None gets past its handshake, and slowhttptest's own probe does not either.
                    assert!(
                        connected < SLOW / 100 && last("closed:").parse::<usize>().unwrap() > SLOW / 4,
                        "{name}: {text}"
                    );
                } else {
                    assert!(
                        connected >= SLOW * 95 / 100 && last("service available:") == "YES",
                        "{name}: {text}"
                    );
                }
            };
            measure(
                &format!("slowhttptest {name}"),
                &site,
                &serving,
                WINDOWS,
                attack,
                end,
            )
            .await;
        }
    });
    serving.stop();
}

#[test]
fn a_head_that_comes_byte_by_byte_costs_as_much_as_it_is_long() {
    let site = Site::new();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let client = site.client(serving.address, "comune");
        let mut costs = Vec::new();
        for length in [15_000, 60_000] {
            let mut stream = client.connect_raw().await.unwrap();
            let head = format!(
                "GET {ISEE}?wsdl HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-A: {}\r\n\r\n",
                "a".repeat(length)
            );
            let before = serving.cpu();
            for byte in head.into_bytes() {
                stream.write_all(&[byte]).await.unwrap();
                // A record of TLS for each.
                stream.flush().await.unwrap();
            }
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert!(
                answer.starts_with(b"HTTP/1.1 200"),
                "{}",
                String::from_utf8_lossy(&answer)
            );
            costs.push(serving.cpu() - before);
        }
        // Hundredths of a second. Read from its beginning at each byte, four times as much would cost sixteen
        // times as much.
        println!("{costs:?}");
        assert!(costs[1] <= 6 * costs[0].max(5), "{costs:?}");
    });
    serving.stop();
}
